//! One HTML file: findings, the lock graph, a timeline, tables. It needs no network; without scripts all is there but the timeline.
//!
//! Names and lines of the program are shown here, so nothing in them may run or load anything: the content policy allows the page's
//! own script and style by their hashes and nothing else.

mod findings;
mod overview;
mod timeline;

use std::fmt::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::escaped::Escaped;
use super::{Render, summary};
use crate::lock_graph::LockGraph;
use crate::report::Report;

const CSS: &str = include_str!("page.css");
/// One function each that `main.js` calls.
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("graph.js"),
    include_str!("timeline.js"),
    include_str!("tables.js"),
    include_str!("main.js")
);

pub(super) struct Html;

/// The page's parts: anchor, title.
const PARTS: [(&str, &str); 7] = [
    ("findings", "Findings"),
    ("graph", "Lock graph"),
    ("timeline", "Timeline"),
    ("locks", "Locks"),
    ("tasks", "Tasks"),
    ("channels", "Channels"),
    ("checklist", "Checklist"),
];

impl Render for Html {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        let graph = LockGraph::new(report.recorded.models(), &report.findings);
        head(report, out)?;
        header(report, out)?;
        writeln!(out, "<main>")?;
        for (anchor, title) in PARTS {
            writeln!(out, "<section id=\"{anchor}\" aria-labelledby=\"tab-{anchor}\">\n<h2 class=\"part\">{title}</h2>")?;
            match anchor {
                "findings" => findings::write(report, &graph, out)?,
                "graph" => overview::graph(report, &graph, out)?,
                "timeline" => timeline::part(report, out)?,
                "locks" => overview::locks(report, out)?,
                "tasks" => overview::tasks(report, out)?,
                "channels" => overview::channels(report, out)?,
                _ => overview::checklist(report, out)?,
            }
            writeln!(out, "</section>")?;
        }
        writeln!(out, "</main>")?;
        timeline::data(report, out)?;
        writeln!(out, "<script>{SCRIPT}</script>\n</body>\n</html>")
    }
}

fn head(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let (script, style) = (hash(SCRIPT), hash(CSS));
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src {script}; style-src {style}; \
         base-uri 'none'; form-action 'none'\">"
    )?;
    writeln!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"color-scheme\" content=\"light dark\">"
    )?;
    writeln!(out, "<title>conccheck: {}</title>\n<style>{CSS}</style>\n</head>\n<body>", super::counts(report))
}

fn header(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let class = if report.findings.is_empty() && !report.is_empty() { " class=\"clean\"" } else { "" };
    let lines = summary::lines(report);
    writeln!(out, "<header>\n<h1{class}>conccheck: {}</h1>", Escaped(&lines[0]))?;
    for line in lines[1..].iter().chain(&report.warnings) {
        writeln!(out, "<p>{}</p>", Escaped(line))?;
    }
    writeln!(out, "<nav id=\"tabs\">")?;
    for (anchor, title) in PARTS {
        writeln!(out, "<a id=\"tab-{anchor}\" href=\"#{anchor}\">{title}</a>")?;
    }
    writeln!(out, "</nav>\n</header>")
}

/// The buttons that change what a picture shows; `picture` is what its script calls it.
fn zoom_buttons(picture: &str, out: &mut dyn Write) -> fmt::Result {
    [("in", "+", "Zoom in"), ("out", "−", "Zoom out"), ("reset", "Reset", "Show all")].into_iter().try_for_each(
        |(action, label, name)| {
            writeln!(out, "<button type=\"button\" data-{picture}=\"{action}\" aria-label=\"{name}\">{label}</button>")
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a page must not have, so that it works without the network and under its own policy.
    #[test]
    fn the_page_has_nothing_that_its_policy_forbids() {
        for text in [CSS, SCRIPT] {
            for forbidden in ["http:", "https:", "//cdn", "@import", "url(h", "eval(", "innerHTML", "</"] {
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
    }
}
