//! The rules on small traces.

use conccheck_trace::SiteDef;

use crate::{Analysis, Config, NoSources, Severity, Sources, analyze};

/// The lines of the only source file.
pub(crate) struct Lines(pub(crate) Vec<&'static str>);

impl Sources for Lines {
    fn line(&self, site: &SiteDef) -> Option<String> {
        self.0.get(site.line as usize - 1).map(|line| (*line).to_owned())
    }
}

/// A source file with a place that is marked by `^`, which is not part of it.
pub(crate) struct Marked {
    text: String,
    pub(crate) site: SiteDef,
}

impl Marked {
    pub(crate) fn new(text: &str) -> Marked {
        let at = text.find('^').expect("a mark");
        let line = text[..at].matches('\n').count() + 1;
        let column = at - text[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
        let site = SiteDef { file: "src/a.rs".to_owned(), line: line as u32, column: column as u32 };
        Marked { text: text.replace('^', ""), site }
    }
}

impl Sources for Marked {
    fn line(&self, site: &SiteDef) -> Option<String> {
        self.text.lines().nth((site.line as usize).checked_sub(1)?).map(str::to_owned)
    }
}

/// What is found in a trace given as text, but for advice.
pub(crate) fn analysis(text: &str) -> Analysis {
    let mut analysis = with_advice(text);
    analysis.findings.retain(|finding| finding.severity >= Severity::High);
    analysis
}

/// All that is found in a trace given as text.
pub(crate) fn with_advice(text: &str) -> Analysis {
    let trace = conccheck_trace::text::parse(text).expect("a well-formed trace");
    analyze(&[trace], &NoSources, &Config::default())
}

/// The names of the rules that find something, one for each finding, but for advice.
pub(crate) fn rules(text: &str) -> Vec<&'static str> {
    let mut rules: Vec<_> = analysis(text).findings.iter().map(|finding| finding.rule.name).collect();
    rules.sort_unstable();
    rules
}

mod across;
mod calls;
mod cancel;
mod inferred;
mod leaks;
mod lock_order;
mod manifest;
mod merging;
mod others;
mod practice;
mod proofs;
mod stale;
mod twins;
