//! The graph as a picture.

use std::fmt::{self, Write};

use super::layout::{Point, layout};
use super::{Edge, LockGraph};
use crate::formats::Escaped;

const HEIGHT: f64 = 28.0;
/// About the width of a character of the labels.
const CHAR: f64 = 7.3;
const MARGIN: f64 = 24.0;
/// How far an arrow to the right lies above the middle of its nodes, and one to the left below.
const APART: f64 = 6.0;

/// For files of their own; pages have theirs.
const STYLE: &str = "\
    svg { background: #fff; color: #18181b; } @media (prefers-color-scheme: dark) { svg { background: #18181b; color: #f4f4f5; } }\n\
    text { font: 12px ui-monospace, monospace; text-anchor: middle; fill: currentColor; }\n\
    .node rect { fill: none; stroke: currentColor; } .edge path { fill: none; stroke: #8b8b94; stroke-width: 1.2; }\n\
    .edge .hit { stroke: none; } .edge.cycle path { stroke: #dc2626; stroke-width: 2; } .edge.cycle .hit { stroke: none; }\n\
    .node.cycle rect { stroke: #dc2626; stroke-width: 2; } marker path { fill: #8b8b94; } marker#tip-cycle path { fill: #dc2626; }\n";

/// A picture in a file of its own.
pub(crate) fn file(graph: &LockGraph) -> String {
    let mut text = String::new();
    write(graph, true, &mut text).expect("a String takes every text");
    text
}

/// The picture as an element of a page, with ids and classes but without a style.
pub(crate) fn element(graph: &LockGraph, out: &mut dyn Write) -> fmt::Result {
    write(graph, false, out)
}

fn write(graph: &LockGraph, is_file: bool, out: &mut dyn Write) -> fmt::Result {
    let widths: Vec<f64> = graph.nodes.iter().map(|node| node.name.chars().count() as f64 * CHAR + 20.0).collect();
    let edges: Vec<(usize, usize)> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let layout = layout(&widths, &edges);
    let (width, height) = (layout.width + 2.0 * MARGIN, layout.height + 2.0 * MARGIN);
    let namespace = if is_file { " xmlns=\"http://www.w3.org/2000/svg\"" } else { " id=\"lock-graph\"" };
    let view = format_args!("viewBox=\"{:.0} {:.0} {width:.0} {height:.0}\"", -MARGIN, -MARGIN).to_string();
    writeln!(
        out,
        "<svg{namespace} role=\"img\" aria-label=\"Lock-order graph\" width=\"{width:.0}\" height=\"{height:.0}\" {view}>"
    )?;
    if is_file {
        writeln!(out, "<style>\n{STYLE}</style>")?;
    }
    writeln!(out, "<defs>")?;
    for id in ["tip", "tip-cycle"] {
        writeln!(
            out,
            "<marker id=\"{id}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker>"
        )?;
    }
    writeln!(out, "</defs>\n<g class=\"all\">")?;
    for (edge, route) in graph.edges.iter().zip(&layout.routes) {
        let path = path(route, widths[edge.from], widths[edge.to]);
        edge_element(graph, edge, &path, out)?;
    }
    for (node, &(x, y)) in layout.places.iter().enumerate() {
        let (node, width) = (&graph.nodes[node], widths[node]);
        let in_cycle = graph.edges.iter().any(|edge| {
            let (from, to) = (&graph.nodes[edge.from].name, &graph.nodes[edge.to].name);
            !edge.findings.is_empty() && (*from == node.name || *to == node.name)
        });
        let class = if in_cycle { "node cycle" } else { "node" };
        let focus = if is_file { "" } else { " tabindex=\"0\"" };
        let (name, findings) = (Escaped(&node.name), Escaped(&node.findings.join(" ")).to_string());
        writeln!(out, "<g class=\"{class}\"{focus} data-name=\"{name}\" data-findings=\"{findings}\"><title>{name}</title>")?;
        let (left, top) = (x - width / 2.0, y - HEIGHT / 2.0);
        write!(out, "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.0}\" height=\"{HEIGHT}\" rx=\"5\"/>")?;
        writeln!(out, "<text x=\"{x:.0}\" y=\"{:.0}\">{name}</text></g>", y + 4.0)?;
    }
    writeln!(out, "</g>\n</svg>")
}

fn edge_element(graph: &LockGraph, edge: &Edge, path: &str, out: &mut dyn Write) -> fmt::Result {
    let (class, tip) = if edge.findings.is_empty() { ("edge", "tip") } else { ("edge cycle", "tip-cycle") };
    let (from, to) = (Escaped(&graph.nodes[edge.from].name), Escaped(&graph.nodes[edge.to].name));
    let (findings, title) = (edge.findings.join(" "), edge.description(&graph.nodes));
    let findings = Escaped(&findings);
    writeln!(out, "<g class=\"{class}\" data-from=\"{from}\" data-to=\"{to}\" data-findings=\"{findings}\">")?;
    writeln!(out, "<title>{}</title>", Escaped(&title))?;
    // A thin line is hard to point at.
    writeln!(out, "<path class=\"hit\" d=\"{path}\"/><path d=\"{path}\" marker-end=\"url(#{tip})\"/></g>")
}

/// A curve through the points, from the side of one node to the side of the other.
fn path(route: &[Point], from_width: f64, to_width: f64) -> String {
    let (Some(&(x0, y0)), Some(&(x1, y1))) = (route.first(), route.last()) else { return String::new() };
    if route.len() == 2 && (x0, y0) == (x1, y1) {
        let (left, right, top) = (x0 - 12.0, x0 + 12.0, y0 - HEIGHT / 2.0);
        return format!("M{left:.0} {top:.0}C{left:.0} {0:.0} {right:.0} {0:.0} {right:.0} {top:.0}", top - 26.0);
    }
    // Arrows each way lie beside each other.
    let (side, apart) = if x1 > x0 { (1.0, -APART) } else { (-1.0, APART) };
    let mut points: Vec<Point> = route.iter().map(|&(x, y)| (x, y + apart)).collect();
    let last = points.len() - 1;
    points[0].0 += side * from_width / 2.0;
    points[last].0 -= side * (to_width / 2.0 + 2.0);
    let mut path = format!("M{:.0} {:.0}", points[0].0, points[0].1);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let middle = f64::midpoint(x0, x1);
        path += &format!("C{middle:.0} {y0:.0} {middle:.0} {y1:.0} {x1:.0} {y1:.0}");
    }
    path
}
