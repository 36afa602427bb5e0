//! `conccheck tasks`: the threads of a run and how they ended.

use std::path::PathBuf;

use conccheck_analyzer::model::Model;
use conccheck_analyzer::model::thread::Thread;
use serde::Serialize;

use super::Form;
use crate::formats::place;
use crate::table::{self, Align};
use crate::{ExitCode, Failure, words};

/// Show the threads of a run: where they were started, how they ended
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Serialize)]
struct Row {
    task: String,
    /// Its name if it is a test, or that of the test that it was started in.
    test: Option<String>,
    spawned_at: Option<String>,
    events: u32,
    end: &'static str,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut rows = Vec::new();
        super::each_model(&self.traces, |model| {
            let threads = model.threads.iter().enumerate().filter(|(_, thread)| thread.events > 0);
            rows.extend(threads.map(|(index, thread)| row(model, index, thread)));
        })?;
        super::print_rows(self.format, &rows, human)
    }
}

fn row(model: &Model<'_>, index: usize, thread: &Thread) -> Row {
    Row {
        task: model.names().thread(index).to_owned(),
        test: thread.test.and_then(|test| model.tests.get(test).cloned()),
        spawned_at: thread.spawn.and_then(|spawn| model.site(spawn.site)).map(place),
        events: thread.events,
        end: end(thread),
    }
}

fn end(thread: &Thread) -> &'static str {
    match thread {
        Thread { panicked: true, .. } => "panicked",
        Thread { ended: Some(_), joined_by: Some(_), .. } => "joined",
        Thread { ended: Some(_), .. } => "ended",
        Thread { pending: Some(_), .. } => "blocked",
        Thread { is_main: true, .. } => "ended with the program",
        _ => "not seen to end",
    }
}

fn human(rows: &[Row]) -> String {
    let head = [
        ("task", Align::Left),
        ("end", Align::Left),
        ("events", Align::Right),
        ("spawned at", Align::Left),
        ("test", Align::Left),
    ];
    let cells = |row: &Row| {
        let known = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![
            row.task.clone(),
            row.end.to_owned(),
            words::short_number(row.events.into()),
            known(&row.spawned_at),
            known(&row.test),
        ]
    };
    table::render(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}
