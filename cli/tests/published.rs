//! `conccheck report` on the field's published traces, against the counts of published tools and of the reference implementation.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the traces: `CONCCHECK_TRACES`, or `shared/traces` beside the repository.
fn traces() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/traces");
    let folder = std::env::var_os("CONCCHECK_TRACES").map_or_else(beside, PathBuf::from).join("spdoffline");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("not run: no traces in {}", folder.display());
    None
}

/// The figures of a report, from the count of threads on, and how many cycles it says are proven.
fn report(trace: &Path) -> (Vec<u64>, u64) {
    let output = Command::new(env!("CARGO_BIN_EXE_conccheck")).args(["report", "--format", "json"]).arg(trace).output();
    let report: serde_json::Value = serde_json::from_slice(&output.expect("conccheck runs").stdout).expect("a report");
    let count = |name: &str| report["prediction"][name].as_u64().expect(name);
    let names = [
        "threads",
        "locks",
        "acquisitions",
        "abstract_acquisitions",
        "abstract_patterns",
        "concrete_patterns",
        "sync_preserving",
        "sync_preserving_locations",
    ];
    let mut counts: Vec<u64> = names.into_iter().map(count).collect();
    counts.push(count("sync_preserving") + count("by_reversal"));
    counts.push(count("locations"));
    let findings = report["findings"].as_array().expect("findings");
    let proven = findings.iter().filter(|f| f["rule"] == "lock-order-cycle" && f["confidence"] == "proven").count();
    (counts, proven as u64)
}

#[test]
fn a_report_on_a_published_trace_counts_as_the_reference_does_and_proves_each_tuple_of_places_once() {
    let Some(folder) = traces() else { return };
    let table = std::fs::read_to_string(folder.join("EXPECTED.csv")).expect("the table is readable");
    let mut differing = Vec::new();
    for row in table.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
        let plain = folder.join(format!("{}.std", row[0]));
        let path = if plain.exists() { plain } else { folder.join(format!("{}.std.gz", row[0])) };
        let expected: Vec<u64> = row[2..12].iter().map(|cell| cell.parse().expect("a number")).collect();
        let locations = expected[9];
        let found = report(&path);
        if found != (expected.clone(), locations) {
            differing.push(format!("{}: expected {expected:?}, found {found:?}", row[0]));
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
}
