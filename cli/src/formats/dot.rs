//! The findings' cycles as a Graphviz graph, for `dot -Tsvg`.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use conccheck_analyzer::finding::{Finding, Party, Severity};

use super::{Render, graph};
use crate::report::Report;

pub(super) struct Dot;

impl Render for Dot {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "digraph conccheck {{")?;
        writeln!(out, "    rankdir = LR;")?;
        writeln!(out, "    node [shape = box, style = rounded, fontname = \"monospace\"];")?;
        writeln!(out, "    edge [fontname = \"monospace\", fontsize = 10];")?;
        for (number, finding) in report.findings.iter().enumerate() {
            cluster(number, finding, out)?;
        }
        writeln!(out, "}}")
    }
}

/// Each finding has nodes of its own: one picture of all locks hides the cycles.
fn cluster(number: usize, finding: &Finding, out: &mut dyn Write) -> fmt::Result {
    let edges = graph::edges(finding);
    if edges.is_empty() {
        return Ok(());
    }
    writeln!(out, "    subgraph cluster_{number} {{")?;
    writeln!(out, "        label = {};", quoted(&format!("{}: {}", finding.rule.name, finding.message)))?;
    let nodes: BTreeSet<&str> = edges.iter().flat_map(|edge| [edge.held, edge.wanted]).collect();
    for node in nodes {
        writeln!(out, "        {} [label = {}];", quoted(&format!("{number} {node}")), quoted(node))?;
    }
    let color = if finding.severity >= Severity::High { "red" } else { "orange" };
    for edge in edges {
        let (held, wanted) = (quoted(&format!("{number} {}", edge.held)), quoted(&format!("{number} {}", edge.wanted)));
        writeln!(out, "        {held} -> {wanted} [color = {color}, label = {}];", quoted(&label(edge.party)))?;
    }
    writeln!(out, "    }}")
}

fn label(party: &Party) -> String {
    let site = party.steps.iter().filter(|step| step.primary).find_map(|step| step.site.as_ref());
    site.map_or_else(|| party.thread.clone(), |site| format!("{}\n{}", party.thread, super::place(site)))
}

/// A string of Graphviz's language.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
