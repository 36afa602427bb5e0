//! Code snippets in rustc's manner. The only module that knows annotate-snippets.
//!
//! That library panics on spans beyond a source's end or inside a character, and lets escapes in messages through. So spans are
//! made here from lines that were really read, and all texts come without control characters ([`Report`](crate::report::Report)).

use std::rc::Rc;

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use conccheck_trace::SiteDef;

use super::expression;
use crate::sources::{SourceCache, SourceFile};

/// How loud a section's title is.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Error,
    Warning,
    Note,
    Help,
}

/// A title with snippets and notes below it.
pub(super) struct Section<'a> {
    pub(super) tone: Tone,
    /// Stands in brackets behind the tone.
    pub(super) id: Option<&'a str>,
    pub(super) title: String,
    pub(super) labels: Vec<Label<'a>>,
    /// Name and text; the text may have several lines.
    pub(super) notes: Vec<(&'static str, String)>,
}

/// What to say at a place in the source.
pub(super) struct Label<'a> {
    pub(super) site: Option<&'a SiteDef>,
    pub(super) text: String,
    pub(super) primary: bool,
}

impl Tone {
    fn level(self) -> Level<'static> {
        match self {
            Tone::Error => Level::ERROR,
            Tone::Warning => Level::WARNING,
            Tone::Note => Level::NOTE,
            Tone::Help => Level::HELP,
        }
    }
}

/// One finding as text with ANSI colours.
pub(super) fn render(sections: &[Section<'_>], sources: &SourceCache) -> String {
    let mut groups = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let level = section.tone.level();
        let title = if index == 0 { level.primary_title(&section.title) } else { level.secondary_title(&section.title) };
        let title = if let Some(id) = section.id { title.id(id) } else { title };
        let mut group = Group::with_title(title).elements(elements(&section.labels, sources));
        for (name, text) in &section.notes {
            group = group.element(Level::NOTE.with_name(*name).message(text));
        }
        groups.push(group);
    }
    let mut text = Renderer::styled().render(&groups);
    text.push('\n');
    text
}

/// One snippet a file, the primary label's file first; labels whose line is not at hand follow as places with a note.
fn elements<'a>(labels: &'a [Label<'a>], sources: &SourceCache) -> Vec<Element<'a>> {
    let mut files: Vec<(&SiteDef, Rc<SourceFile>, Vec<&Label<'_>>)> = Vec::new();
    let mut unseen = Vec::new();
    for label in labels {
        let Some((site, file)) = label.site.and_then(|site| Some((site, sources.file(&site.file)?))) else {
            unseen.push(label);
            continue;
        };
        if file.line(site.line).is_none() {
            unseen.push(label);
        } else if let Some((_, _, labels)) = files.iter_mut().find(|(first, _, _)| first.file == site.file) {
            labels.push(label);
        } else {
            files.push((site, file, vec![label]));
        }
    }
    files.sort_by_key(|(_, _, labels)| !labels.iter().any(|label| label.primary));
    let snippets = files.iter().filter_map(|(site, file, labels)| Some(snippet(&site.file, file, labels)?.into()));
    let mut elements: Vec<Element<'_>> = snippets.collect();
    for label in unseen {
        elements.extend(label.site.map(|site| origin(site).into()));
        elements.push(Level::NOTE.no_name().message(&label.text).into());
    }
    elements
}

fn origin(site: &SiteDef) -> Origin<'_> {
    let origin = Origin::path(&site.file);
    match (site.line, site.column) {
        (0, _) => origin,
        (line, 0) => origin.line(line as usize),
        (line, column) => origin.line(line as usize).char_column(column as usize),
    }
}

fn snippet<'a>(name: &'a str, file: &SourceFile, labels: &[&'a Label<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
    let lines = || labels.iter().filter_map(|label| Some(label.site?.line));
    let (first, last) = (lines().min()?, lines().max()?);
    let source = file.lines(first, last)?;
    let mut snippet = Snippet::source(source.to_owned()).path(name).line_start(first as usize);
    for label in labels {
        let site = label.site?;
        let line = file.line(site.line)?;
        // Where the column is off the line, because the file has changed since or the site has none, the whole line is meant.
        let indent = line.len() - line.trim_start().len();
        let span = expression::around(line, site.column).unwrap_or(indent..line.trim_end().len().max(indent));
        let offset = file.lines(first, site.line)?.len() - line.len();
        let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        snippet = snippet.annotation(kind.span(offset + span.start..offset + span.end).label(&label.text));
    }
    Some(snippet)
}
