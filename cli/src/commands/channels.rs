//! `conccheck channels`: how full channels got and who waited.

use std::path::PathBuf;

use conccheck_analyzer::model::Model;
use conccheck_trace::{ObjectId, Ticks};
use serde::Serialize;

use super::Form;
use crate::table::{self, Align};
use crate::{ExitCode, Failure, words};

/// Show the channels of a run: messages, backlog, waits
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

/// One channel. Times are nanoseconds.
#[derive(Serialize)]
struct Row {
    channel: String,
    /// Null where it is unbounded.
    capacity: Option<u64>,
    sent: u64,
    received: u64,
    /// Most messages that were in it at once.
    fullest: u64,
    /// Sends that had to wait for room.
    send_waits: u64,
    send_waited: u64,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut rows = Vec::new();
        super::each_model(&self.traces, |model| rows.extend(of(model)))?;
        rows.sort_by(|a: &Row, b: &Row| b.fullest.cmp(&a.fullest).then_with(|| a.channel.cmp(&b.channel)));
        super::print_rows(self.format, &rows, human)
    }
}

fn of(model: &Model<'_>) -> Vec<Row> {
    let channels = model.channels.iter().filter(|(_, channel)| channel.is_known);
    let row = |(id, channel): (u32, &conccheck_analyzer::model::channel::Channel)| Row {
        channel: model.names().class(ObjectId(id)).to_owned(),
        capacity: channel.capacity,
        sent: channel.sent,
        received: channel.received,
        fullest: channel.fullest,
        send_waits: channel.send_waits,
        send_waited: model.span(Ticks(0), Ticks(channel.send_waited)).0,
    };
    channels.map(row).collect()
}

fn human(rows: &[Row]) -> String {
    let number = |name| (name, Align::Right);
    let head = [
        ("channel", Align::Left),
        number("capacity"),
        number("sent"),
        number("received"),
        number("fullest"),
        number("waits for room"),
        number("waited"),
    ];
    let cells = |row: &Row| {
        vec![
            row.channel.clone(),
            row.capacity.map_or_else(|| "unbounded".to_owned(), words::short_number),
            words::short_number(row.sent),
            words::short_number(row.received),
            words::short_number(row.fullest),
            words::short_number(row.send_waits),
            words::duration(row.send_waited),
        ]
    };
    table::render(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}
