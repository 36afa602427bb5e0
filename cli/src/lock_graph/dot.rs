//! The graph for Graphviz.

use std::fmt::Write as _;

use super::LockGraph;
use crate::formats::dot_quoted as quoted;

/// A `digraph` with the cycles in red.
pub(crate) fn file(graph: &LockGraph) -> String {
    let mut text = String::from("digraph \"lock order\" {\n    rankdir = LR;\n");
    text += "    node [shape = box, style = rounded, fontname = \"monospace\"];\n";
    text += "    edge [fontname = \"monospace\", fontsize = 10];\n";
    for node in &graph.nodes {
        let _ = writeln!(text, "    {};", quoted(&node.name));
    }
    for edge in &graph.edges {
        let (from, to) = (quoted(&graph.nodes[edge.from].name), quoted(&graph.nodes[edge.to].name));
        let color = if edge.findings.is_empty() { "" } else { ", color = red" };
        let tooltip = quoted(&edge.description(&graph.nodes));
        let _ = writeln!(text, "    {from} -> {to} [label = {}{color}, tooltip = {tooltip}];", edge.count);
    }
    text + "}\n"
}
