//! The parts of the page beside the findings that need no script: the lock graph, tables, the checklist.

use std::fmt::{self, Write};

use super::Escaped;
use super::findings::Sentence;
use crate::lock_graph::{LockGraph, svg};
use crate::report::Report;
use crate::table::Align;
use crate::tables::{Column, Row, channels, checklist, locks, tasks};

/// Rows of a table; the first ones are the ones to look at.
const MAX_ROWS: usize = 1000;

/// The graph, with what works it.
pub(super) fn graph(report: &Report<'_>, graph: &LockGraph, out: &mut dyn Write) -> fmt::Result {
    if graph.edges.is_empty() {
        return writeln!(out, "<p>No lock was taken while another one was held.</p>");
    }
    writeln!(
        out,
        "<p>An arrow from A to B: B was taken while A was held. What is red is part of a cycle that was found.{}</p>",
        match graph.left_out {
            (0, 0) => String::new(),
            (nodes, edges) => format!(" {nodes} locks and {edges} arrows that are used least are left out."),
        }
    )?;
    writeln!(
        out,
        "<div class=\"scripted tools\"><input id=\"graph-filter\" type=\"search\" placeholder=\"Filter locks (/)\" aria-label=\"Filter locks\">"
    )?;
    super::zoom_buttons("graph", out)?;
    writeln!(out, "<span class=\"hint\">Drag or arrow keys move, wheel or + and − zoom, 0 shows all.</span></div>")?;
    writeln!(out, "<div class=\"graph-and-findings\">\n<div id=\"graph-view\" tabindex=\"0\" aria-label=\"Lock graph\">")?;
    svg::element(graph, out)?;
    writeln!(out, "</div>\n<aside>")?;
    let mut with_cycle =
        report.findings.iter().filter(|finding| graph.edges.iter().any(|edge| edge.findings.contains(&finding.fingerprint)));
    if let Some(first) = with_cycle.next() {
        writeln!(out, "<h3>Cycles</h3>\n<ul id=\"cycles\">")?;
        for finding in [first].into_iter().chain(with_cycle) {
            let fingerprint = Escaped(&finding.fingerprint);
            writeln!(
                out,
                "<li><a href=\"#graph={fingerprint}\" data-cycle=\"{fingerprint}\">{}</a></li>",
                Sentence(&finding.message)
            )?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(
        out,
        "<pre id=\"graph-details\" class=\"scripted\" aria-live=\"polite\">Point at an arrow to see where the locks are taken.</pre>"
    )?;
    writeln!(out, "</aside>\n</div>")
}

/// The locks, those that were waited for longest first.
pub(super) fn locks(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let mut rows = locks::rows(report.recorded.models());
    rows.sort_by_key(|row| std::cmp::Reverse(row.total_wait));
    table("locks", &rows, out)
}

/// The threads.
pub(super) fn tasks(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    table("tasks", &tasks::rows(report.recorded.models()), out)
}

/// The channels.
pub(super) fn channels(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    table("channels", &channels::rows(report.recorded.models()), out)
}

/// The practices.
pub(super) fn checklist(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let rows = checklist::rows(report);
    writeln!(out, "<p>{}</p>\n<div class=\"wide\"><table class=\"sortable\"><thead><tr>", checklist::counts(&rows))?;
    for head in ["verdict", "practice", "severity", "passes when", "evidence", "rules"] {
        writeln!(out, "<th scope=\"col\">{head}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in &rows {
        let class = match row.verdict {
            "PASS" => "pass",
            "FAIL" => "fail",
            _ => "unused",
        };
        let rules = Escaped(&row.look_at().join(", ")).to_string();
        let cells =
            [row.practice, row.severity, row.passes_when, &row.evidence].map(|text| format!("<td>{}</td>", Escaped(text)));
        writeln!(out, "<tr><td class=\"{class}\">{}</td>{}<td>{rules}</td></tr>", row.verdict, cells.concat())?;
    }
    writeln!(out, "</tbody></table></div>")
}

fn table<R: Row>(what: &str, rows: &[R], out: &mut dyn Write) -> fmt::Result {
    if rows.is_empty() {
        return writeln!(out, "<p>No {what}.</p>");
    }
    writeln!(
        out,
        "<div class=\"scripted tools\"><input type=\"search\" data-table=\"{what}-table\" placeholder=\"Filter (/)\" aria-label=\"Filter {what}\"></div>"
    )?;
    writeln!(out, "<div class=\"wide\"><table id=\"{what}-table\" class=\"sortable\"><thead><tr>")?;
    for column in R::COLUMNS {
        writeln!(out, "<th scope=\"col\"{}>{}</th>", class(column), column.0)?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in rows.iter().take(MAX_ROWS) {
        write!(out, "<tr>")?;
        for (cell, column) in row.cells().iter().zip(R::COLUMNS) {
            let number = cell.number.map_or_else(String::new, |number| format!(" data-sort=\"{number}\""));
            write!(out, "<td{}{number}>{}</td>", class(column), Escaped(&cell.text))?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table></div>")?;
    if rows.len() > MAX_ROWS {
        writeln!(out, "<p>{} more; <code>conccheck {what}</code> lists all.</p>", rows.len() - MAX_ROWS)?;
    }
    Ok(())
}

fn class(column: &Column) -> &'static str {
    if matches!(column.1, Align::Right) { " class=\"number\"" } else { "" }
}
