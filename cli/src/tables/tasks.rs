//! Tasks: where they were started, how they ended.

use conccheck_analyzer::model::Model;
use conccheck_analyzer::model::thread::Thread;
use serde::Serialize;

use super::{Cell, Column, Row, number, text};
use crate::formats::place;

#[derive(Serialize)]
pub(crate) struct TaskRow {
    task: String,
    /// Its name if it is a test, or that of the test that it was started in.
    test: Option<String>,
    spawned_at: Option<String>,
    events: u32,
    end: &'static str,
}

/// The threads of all processes that recorded something.
pub(crate) fn rows<'m, 't: 'm>(models: impl IntoIterator<Item = &'m Model<'t>>) -> Vec<TaskRow> {
    let of = |model: &'m Model<'t>| {
        let threads = model.threads.iter().enumerate().filter(|(_, thread)| thread.events > 0);
        threads.map(move |(index, thread)| row(model, index, thread))
    };
    models.into_iter().flat_map(of).collect()
}

fn row(model: &Model<'_>, index: usize, thread: &Thread) -> TaskRow {
    TaskRow {
        task: model.names().thread(index).to_owned(),
        test: thread.test.and_then(|test| model.tests.get(test).cloned()),
        spawned_at: thread.spawn.and_then(|spawn| model.site(spawn.site)).map(place),
        events: thread.events,
        end: match end(thread) {
            // The test harness, which starts and ends it, is not recorded.
            NOT_SEEN
                if thread.test.and_then(|test| model.tests.get(test)).is_some_and(|test| test == model.names().thread(index)) =>
            {
                "ended with its test"
            }
            end => end,
        },
    }
}

const NOT_SEEN: &str = "not seen to end";

fn end(thread: &Thread) -> &'static str {
    match thread {
        Thread { panicked: true, .. } => "panicked",
        Thread { ended: Some(_), joined_by: Some(_), .. } => "joined",
        Thread { ended: Some(_), .. } => "ended",
        Thread { pending: Some(_), .. } => "blocked",
        Thread { is_main: true, .. } => "ended with the program",
        _ => NOT_SEEN,
    }
}

impl Row for TaskRow {
    const COLUMNS: &'static [Column] = &[text("task"), text("end"), number("events"), text("spawned at"), text("test")];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.task),
            Cell::text(self.end),
            Cell::count(self.events.into()),
            Cell::known(self.spawned_at.as_ref()),
            Cell::known(self.test.as_ref()),
        ]
    }
}
