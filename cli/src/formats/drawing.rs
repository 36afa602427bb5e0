//! A small drawing of a cycle: objects in a circle, an arrow for each thread that holds one and goes for the next.

use std::f64::consts::TAU;
use std::fmt::{self, Write};

use super::escaped::Escaped;
use super::graph::Edge;

/// More would be a knot, not a picture.
const MAX_NODES: usize = 12;

type Point = (f64, f64);

const NODE_HEIGHT: f64 = 28.0;
/// About the width of a character of the labels.
const CHAR: f64 = 7.3;

/// The drawing as SVG; nothing where there are no edges or too many nodes. `id` tells it from the page's other drawings.
pub(super) fn svg(id: &str, edges: &[Edge<'_>], out: &mut dyn Write) -> fmt::Result {
    let mut nodes: Vec<&str> = Vec::new();
    for name in edges.iter().flat_map(|edge| [edge.held, edge.wanted]) {
        if !nodes.contains(&name) {
            nodes.push(name);
        }
    }
    if nodes.is_empty() || nodes.len() > MAX_NODES {
        return Ok(());
    }
    let width = |text: &str| text.chars().count() as f64 * CHAR + 20.0;
    let widest = nodes.iter().map(|name| width(name)).fold(0.0, f64::max);
    let labels = edges.iter().map(|edge| width(&edge.party.thread)).fold(0.0, f64::max);
    // Two objects stand beside each other with room for the threads' names between; more stand in a circle.
    let radius =
        if nodes.len() == 2 { (widest + labels) / 2.0 + 20.0 } else { (nodes.len() as f64 * widest / TAU + 40.0).max(110.0) };
    let (half_width, half_height) = (radius + widest / 2.0 + 10.0, if nodes.len() == 2 { 56.0 } else { radius + 40.0 });
    let turn = if nodes.len() == 2 { TAU / 2.0 } else { -TAU / 4.0 };
    let place = |name: &str| {
        let index = nodes.iter().position(|node| *node == name).unwrap_or(0);
        let angle = turn + TAU * index as f64 / nodes.len() as f64;
        ((radius * angle.cos()).round(), (radius * angle.sin()).round())
    };
    let (w, h) = (half_width * 2.0, half_height * 2.0);
    writeln!(
        out,
        "<svg role=\"img\" aria-label=\"The cycle\" width=\"{w:.0}\" viewBox=\"{:.0} {:.0} {w:.0} {h:.0}\">",
        -half_width, -half_height
    )?;
    writeln!(
        out,
        "<defs><marker id=\"tip-{}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\"/></marker></defs>",
        Escaped(id)
    )?;
    for edge in edges {
        arrow(id, (place(edge.held), place(edge.wanted)), &edge.party.thread, widest, out)?;
    }
    for name in &nodes {
        let ((x, y), w) = (place(name), width(name));
        let (left, top) = (x - w / 2.0, y - NODE_HEIGHT / 2.0);
        writeln!(out, "<rect x=\"{left:.0}\" y=\"{top:.0}\" width=\"{w:.0}\" height=\"{NODE_HEIGHT}\" rx=\"5\"/>")?;
        writeln!(out, "<text x=\"{x:.0}\" y=\"{:.0}\">{}</text>", y + 4.0, Escaped(name))?;
    }
    writeln!(out, "</svg>")
}

/// A bent arrow, so that one each way stay apart, with a name at its bend.
fn arrow(id: &str, (from, to): (Point, Point), label: &str, widest: f64, out: &mut dyn Write) -> fmt::Result {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let (along, across) = ((dx / length, dy / length), (-dy / length, dx / length));
    // The arrow begins and ends at the boxes' edges, not at their middles.
    let gap = (widest / 2.0 * along.0.abs()).max(NODE_HEIGHT / 2.0 * along.1.abs()).min(length / 2.5) + 4.0;
    let bend = 44.0;
    let (start, end) = ((from.0 + along.0 * gap, from.1 + along.1 * gap), (to.0 - along.0 * gap, to.1 - along.1 * gap));
    let middle = ((from.0 + to.0) / 2.0 - across.0 * bend, (from.1 + to.1) / 2.0 - across.1 * bend);
    writeln!(
        out,
        "<path d=\"M{:.0} {:.0}Q{:.0} {:.0} {:.0} {:.0}\" marker-end=\"url(#tip-{})\"/>",
        start.0,
        start.1,
        middle.0,
        middle.1,
        end.0,
        end.1,
        Escaped(id)
    )?;
    let (x, y) = (middle.0 + across.0 * bend * 0.35, middle.1 + across.1 * bend * 0.35 + 4.0);
    writeln!(out, "<text x=\"{x:.0}\" y=\"{y:.0}\">{}</text>", Escaped(label))
}
