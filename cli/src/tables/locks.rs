//! Locks: how long they were held and waited for.

use std::collections::BTreeMap;

use conccheck_analyzer::model::Model;
use conccheck_trace::{Event, ObjectId};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::{Cell, Column, Row, number, text};
use crate::timeline::{Doing, end, stretches};

/// The locks of one creation site, over all processes.
struct Use {
    instances: u64,
    acquisitions: u64,
    holds: Histogram<u64>,
    waits: Histogram<u64>,
    total_wait: u64,
}

/// Times are nanoseconds, at most 1 % too long.
#[derive(Serialize, Debug)]
pub(crate) struct LockRow {
    pub(crate) lock: String,
    pub(crate) instances: u64,
    pub(crate) acquisitions: u64,
    pub(crate) waits: u64,
    /// How many of a hundred acquisitions had to wait.
    pub(crate) contended_percent: u64,
    pub(crate) total_wait: u64,
    pub(crate) median_wait: u64,
    pub(crate) p99_wait: u64,
    pub(crate) longest_wait: u64,
    pub(crate) median_hold: u64,
    pub(crate) p99_hold: u64,
    pub(crate) longest_hold: u64,
}

/// The locks of all processes, by name.
pub(crate) fn rows<'m, 't: 'm>(models: impl IntoIterator<Item = &'m Model<'t>>) -> Vec<LockRow> {
    let mut uses = BTreeMap::new();
    models.into_iter().for_each(|model| count(model, &mut uses));
    uses.into_iter().map(|(lock, used)| row(lock, &used)).collect()
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
                used.holds.record(stretch.length().0).expect("it grows");
            }
            Doing::Wait { lock } => {
                let used = used.entry(lock).or_insert_with(Use::new);
                used.waits.record(stretch.length().0).expect("it grows");
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

fn row(lock: String, used: &Use) -> LockRow {
    LockRow {
        lock,
        instances: used.instances,
        acquisitions: used.acquisitions,
        waits: used.waits.len(),
        contended_percent: (100 * used.waits.len()).checked_div(used.acquisitions.max(used.waits.len())).unwrap_or(0),
        total_wait: used.total_wait,
        median_wait: used.waits.value_at_quantile(0.5),
        p99_wait: used.waits.value_at_quantile(0.99),
        longest_wait: used.waits.max(),
        median_hold: used.holds.value_at_quantile(0.5),
        p99_hold: used.holds.value_at_quantile(0.99),
        longest_hold: used.holds.max(),
    }
}

impl Row for LockRow {
    const COLUMNS: &'static [Column] = &[
        text("lock"),
        number("instances"),
        number("acquired"),
        number("waits"),
        number("contended"),
        number("waited"),
        number("p99 wait"),
        number("longest wait"),
        number("median hold"),
        number("p99 hold"),
        number("longest hold"),
    ];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::text(&self.lock),
            Cell::count(self.instances),
            Cell::count(self.acquisitions),
            Cell::count(self.waits),
            Cell::percent(self.contended_percent),
            Cell::time(self.total_wait),
            Cell::time(self.p99_wait),
            Cell::time(self.longest_wait),
            Cell::time(self.median_hold),
            Cell::time(self.p99_hold),
            Cell::time(self.longest_hold),
        ]
    }
}

#[cfg(test)]
mod tests {
    use conccheck_analyzer::{Config, NoSources};

    use super::*;

    #[test]
    fn times_are_those_of_the_trace_however_long() {
        let trace = conccheck_trace::text::parse(
            "main spawn t; main lock a; t request a +1ms; main unlock a +2s; t lock a; t unlock a +50ms; t lock a; t unlock a +10us",
        )
        .expect("a trace");
        let rows = rows([&Model::new(&trace, &NoSources, &Config::default())]);
        let near = |found: u64, wanted: u64| found.abs_diff(wanted) <= wanted / 50;
        let row = &rows[0];
        assert!(near(row.longest_hold, 2_001_000_000) && near(row.median_hold, 50_000_000), "{row:?}");
        assert!(near(row.longest_wait, 2_000_000_000) && row.longest_wait.abs_diff(row.total_wait) < 20_000_000, "{row:?}");
        assert_eq!((row.acquisitions, row.waits, row.contended_percent), (3, 1, 33), "{row:?}");
    }
}
