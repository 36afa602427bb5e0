//! `conccheck locks`: how long locks were held and waited for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use conccheck_analyzer::model::Model;
use conccheck_trace::{Event, ObjectId};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::Form;
use crate::table::{self, Align};
use crate::timeline::{Doing, end, stretches};
use crate::{ExitCode, Failure, words};

/// Show the locks of a run: acquisitions, waits, hold times
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// What to sort by, largest first
    #[arg(long, value_enum, default_value = "wait")]
    sort: Key,

    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Clone, Copy, ValueEnum)]
enum Key {
    /// Time spent waiting
    Wait,
    /// Longest hold
    Hold,
    /// Number of acquisitions
    Acquisitions,
}

/// The locks of one creation site, over all processes.
struct Use {
    instances: u64,
    acquisitions: u64,
    holds: Histogram<u64>,
    waits: Histogram<u64>,
    total_wait: u64,
}

/// Times are nanoseconds, at most 1 % too long.
#[derive(Serialize)]
struct Row {
    lock: String,
    instances: u64,
    acquisitions: u64,
    waits: u64,
    total_wait: u64,
    longest_wait: u64,
    median_hold: u64,
    p99_hold: u64,
    longest_hold: u64,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut uses = BTreeMap::new();
        super::each_model(&self.traces, |model| count(model, &mut uses))?;
        let mut rows: Vec<Row> = uses.into_iter().map(|(lock, used)| row(lock, &used)).collect();
        rows.sort_by_key(|row| {
            std::cmp::Reverse(match self.sort {
                Key::Wait => row.total_wait,
                Key::Hold => row.longest_hold,
                Key::Acquisitions => row.acquisitions,
            })
        });
        super::print_rows(self.format, &rows, human)
    }
}

fn count(model: &Model<'_>, uses: &mut BTreeMap<String, Use>) {
    let (process, names) = (model.trace, model.names());
    let mut used: BTreeMap<ObjectId, Use> = BTreeMap::new();
    let end = end(process);
    for thread in process.threads() {
        stretches(process, thread, end, |stretch| match stretch.doing {
            Doing::Hold { lock, .. } => {
                let used = used.entry(lock).or_insert_with(Use::new);
                used.acquisitions += 1;
                used.holds.saturating_record(stretch.length().0);
            }
            Doing::Wait { lock } => {
                let used = used.entry(lock).or_insert_with(Use::new);
                used.waits.saturating_record(stretch.length().0);
                used.total_wait += stretch.length().0;
            }
            _ => {}
        });
        for record in process.events(thread) {
            if let Event::Summary { lock, count, .. } = record.event {
                used.entry(lock).or_insert_with(Use::new).acquisitions += count;
            }
        }
    }
    for (lock, used) in used {
        uses.entry(names.class(lock).to_owned()).or_insert_with(Use::new).add(&used);
    }
}

impl Use {
    fn new() -> Use {
        let histogram = || Histogram::new(2).expect("two digits are allowed");
        Use { instances: 0, acquisitions: 0, holds: histogram(), waits: histogram(), total_wait: 0 }
    }

    fn add(&mut self, other: &Use) {
        self.instances += 1;
        self.acquisitions += other.acquisitions;
        self.total_wait += other.total_wait;
        self.holds.add(&other.holds).expect("it grows");
        self.waits.add(&other.waits).expect("it grows");
    }
}

fn row(lock: String, used: &Use) -> Row {
    Row {
        lock,
        instances: used.instances,
        acquisitions: used.acquisitions,
        waits: used.waits.len(),
        total_wait: used.total_wait,
        longest_wait: used.waits.max(),
        median_hold: used.holds.value_at_quantile(0.5),
        p99_hold: used.holds.value_at_quantile(0.99),
        longest_hold: used.holds.max(),
    }
}

fn human(rows: &[Row]) -> String {
    let number = |name| (name, Align::Right);
    let head = [
        ("lock", Align::Left),
        number("instances"),
        number("acquired"),
        number("waits"),
        number("waited"),
        number("longest wait"),
        number("median hold"),
        number("p99 hold"),
        number("longest hold"),
    ];
    let cells = |row: &Row| {
        vec![
            row.lock.clone(),
            words::short_number(row.instances),
            words::short_number(row.acquisitions),
            words::short_number(row.waits),
            words::duration(row.total_wait),
            words::duration(row.longest_wait),
            words::duration(row.median_hold),
            words::duration(row.p99_hold),
            words::duration(row.longest_hold),
        ]
    };
    table::render(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}
