//! Tables of what was recorded, for terminals and for pages.

pub(crate) mod channels;
pub(crate) mod checklist;
pub(crate) mod locks;
pub(crate) mod tasks;

use crate::table::{self, Align};
use crate::words;

/// The head of a column.
pub(crate) type Column = (&'static str, Align);

/// A line of a table.
pub(crate) trait Row {
    /// The heads, in the order of the cells.
    const COLUMNS: &'static [Column];

    /// What stands in the columns.
    fn cells(&self) -> Vec<Cell>;
}

/// What stands in a column.
pub(crate) struct Cell {
    /// As people read it.
    pub(crate) text: String,
    /// By what to sort, where that is not the text.
    pub(crate) number: Option<u64>,
}

impl Cell {
    fn text(text: &str) -> Cell {
        Cell { text: text.to_owned(), number: None }
    }

    fn known(text: Option<&String>) -> Cell {
        Cell::text(text.map_or("", String::as_str))
    }

    fn count(number: u64) -> Cell {
        Cell { text: words::short_number(number), number: Some(number) }
    }

    fn percent(percent: u64) -> Cell {
        Cell { text: format!("{percent} %"), number: Some(percent) }
    }

    /// A time in nanoseconds.
    fn time(nanos: u64) -> Cell {
        Cell { text: words::duration(nanos), number: Some(nanos) }
    }
}

const fn text(name: &'static str) -> Column {
    (name, Align::Left)
}

const fn number(name: &'static str) -> Column {
    (name, Align::Right)
}

/// The table for a terminal.
pub(crate) fn human<R: Row>(rows: &[R]) -> String {
    let cells = |row: &R| row.cells().into_iter().map(|cell| cell.text).collect();
    table::render(R::COLUMNS, &rows.iter().map(cells).collect::<Vec<_>>())
}
