//! The counts that published tools and the reference implementation give for published traces.

use std::path::{Path, PathBuf};
use std::time::Instant;

use conccheck_analyzer::predict::{How, Index, Limits, Prover, Reading, Recorded, Verdict, predict};

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
        let trace = std_format::read(&path).trace;
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

#[test]
fn counts_are_the_same_through_the_reader_of_the_project() {
    let Some(folder) = traces().map(|folder| folder.join("spdoffline")) else { return };
    let mut differing = Vec::new();
    for row in rows(&folder.join("EXPECTED.csv")) {
        let plain = folder.join(format!("{}.std", row[0]));
        let path = if plain.exists() { plain } else { folder.join(format!("{}.std.gz", row[0])) };
        let processes = conccheck_trace::read::open(&path).expect("the trace is well formed");
        let recorded = Recorded::of(&processes[0], Reading::Apart);
        let c = predict(&recorded.trace, &Limits::default()).counts;
        // Requests and the like are not kept, so events are fewer.
        let found = [c.threads, c.locks, c.acquires, c.abstract_acquires, c.abstract_patterns];
        let found = found.into_iter().chain([
            c.concrete_patterns as usize,
            c.keeping_order,
            c.keeping_order_locations,
            c.deadlocks,
            c.locations,
        ]);
        let found: Vec<usize> = found.collect();
        let expected: Vec<usize> = row[2..12].iter().map(|cell| cell.parse().unwrap()).collect();
        if found != expected {
            differing.push(format!("{}: expected {expected:?}, found {found:?}", row[0]));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn injected_races_are_proven_where_the_reference_proves_them() {
    let Some(folder) = traces().map(|folder| folder.join("raceinjector")) else { return };
    let (mut keeping_order, mut all, mut differing) = (0, 0, Vec::new());
    for row in rows(&folder.join("EXPECTED.csv")).iter().filter(|row| row[3] != "orig") {
        let plain = folder.join(&row[0]);
        let path = if plain.exists() { plain } else { folder.join(format!("{}.gz", row[0])) };
        if !path.exists() {
            continue;
        }
        let parsed = std_format::read(&path);
        let accesses = parsed.operands.iter().enumerate().filter(|(_, operand)| *operand == "BUGGY_ADDR");
        let accesses: Vec<u32> = accesses.map(|(i, _)| i as u32).collect();
        let limits = Limits::default();
        let index = Index::new(&parsed.trace, limits.clock_cells).expect("few threads");
        let verdict = Prover::new(&index, &limits).prove_race(accesses[0], accesses[1]);
        let found = match &verdict {
            Verdict::Proven(How::KeepingOrder, _) => ["1", "1"],
            Verdict::Proven(..) => ["0", "1"],
            _ => ["0", "0"],
        };
        keeping_order += usize::from(found[0] == "1");
        all += usize::from(found[1] == "1");
        if found != row[7..9] {
            differing.push(format!("{}: expected {:?}, found {found:?}", row[0], &row[7..9]));
        }
    }
    println!("races proven: {keeping_order} keeping the order of sections, {all} in all");
    assert!(differing.is_empty(), "{differing:#?}");
}
