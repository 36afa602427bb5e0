//! The counts that published tools and the reference implementation give for published traces.

use std::path::{Path, PathBuf};
use std::time::Instant;

use conccheck_analyzer::predict::{Limits, predict};

use crate::std_format;

/// The folder of the traces: `CONCCHECK_TRACES`, or `shared/traces` beside the repository.
pub(crate) fn traces() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traces");
    let folder = std::env::var_os("CONCCHECK_TRACES").map_or_else(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("not run: no traces in {}", folder.display());
    None
}

/// The rows of a table, without its head, cut at commas.
pub(crate) fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).expect("the table is readable");
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn counts_of_published_traces_are_those_of_the_reference() {
    let Some(folder) = traces().map(|folder| folder.join("spdoffline")) else { return };
    let mut differing = Vec::new();
    for row in rows(&folder.join("EXPECTED.csv")) {
        let plain = folder.join(format!("{}.std", row[0]));
        let path = if plain.exists() { plain } else { folder.join(format!("{}.std.gz", row[0])) };
        let trace = std_format::read(&path);
        let start = Instant::now();
        let prediction = predict(&trace, &Limits::default());
        let took = start.elapsed();
        let c = prediction.counts;
        let found = [
            c.events,
            c.threads,
            c.locks,
            c.acquires,
            c.abstract_acquires,
            c.abstract_patterns,
            c.concrete_patterns as usize,
            c.keeping_order,
            c.keeping_order_locations,
            c.deadlocks,
            c.locations,
        ];
        let expected: Vec<usize> = row[1..12].iter().map(|cell| cell.parse().unwrap()).collect();
        println!("{:14} {found:?} in {took:.1?}", row[0]);
        if found[..] != expected[..] {
            differing.push(format!("{}: expected {expected:?}, found {found:?}", row[0]));
        }
        assert_eq!(prediction.cut, Default::default(), "nothing is cut on {}", row[0]);
    }
    assert!(differing.is_empty(), "{differing:#?}");
}
