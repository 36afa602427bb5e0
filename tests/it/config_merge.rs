//! Runs of several shards in one folder.

use std::time::Duration;

use conccheck_tests::{Ended, HandMade, run};

const LIMIT: Duration = Duration::from_secs(60);

fn conccheck(project: &HandMade, args: &[&str]) -> Ended {
    run(&mut project.conccheck(args), LIMIT)
}

/// A thread that takes two locks in an order, and another that takes them in the opposite one.
fn inversion(first: &str, second: &str) -> String {
    format!(
        "main spawn t @a.rs:1; main spawn u @a.rs:2
         t lock {first} @a.rs:10; t lock {second} @a.rs:11; t unlock {second}; t unlock {first}
         u lock {second} @a.rs:20; u lock {first} @a.rs:21; u unlock {first}; u unlock {second}
         t end; u end; main join t; main join u"
    )
}

#[test]
fn merged_runs_give_the_report_that_they_give_together() {
    let project = HandMade::default();
    for (shard, locks) in [("one", ["a", "b"]), ("two", ["c", "d"])] {
        // The same name in both.
        project.write(&format!("{shard}/notes.txt"), "no trace");
        project.trace(&format!("{shard}/run.json"), &inversion(locks[0], locks[1]));
    }
    let ended = conccheck(&project, &["merge", "one", "two/run.json", "one/run.json", "-o", "all"]);
    assert!(ended.code == Some(0) && ended.stderr.contains("2 traces of 2 folders"), "{ended:?}");
    let report = |traces: &[&str]| conccheck(&project, &[&["report", "--format", "json"], traces].concat());
    let (merged, together) = (report(&["all"]), report(&["one", "two"]));
    assert_eq!(merged.code, Some(66), "{merged:?}");
    assert_eq!(merged.stdout, together.stdout);

    let again = conccheck(&project, &["merge", "one", "-o", "all"]);
    assert!(again.code == Some(2) && again.stderr.contains("not empty"), "{again:?}");
    let none = conccheck(&project, &["merge", "one/notes.txt", "-o", "none"]);
    assert!(none.code == Some(65) && !project.path("none").exists(), "{none:?}");
}

#[test]
fn the_live_part_of_a_log_goes_with_it() {
    let project = HandMade::default();
    project.trace("run.json", &inversion("a", "b"));
    assert_eq!(conccheck(&project, &["convert", "run.json", "run.cct"]).code, Some(0));
    std::fs::create_dir(project.path("shard")).expect("a writable folder");
    std::fs::rename(project.path("run.cct"), project.path("shard/run.cct")).expect("a writable folder");
    project.write("shard/run.cct.live", "what a killed process leaves");
    let ended = conccheck(&project, &["merge", "shard", "-o", "all"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(project.path("all/1/run.cct").is_file());
    assert_eq!(project.read("all/1/run.cct.live"), "what a killed process leaves");
}

#[test]
fn the_runs_of_several_jobs_are_found_where_the_guides_recipe_puts_them() {
    let project = HandMade::default();
    // What each job kept of `target/conccheck/runs`, in a folder for it.
    project.trace("runs/run-store/17-1/store.json", &inversion("a", "b"));
    project.trace("runs/run-server/17-2/server.json", &inversion("c", "d"));
    let ended = conccheck(&project, &["report", "--format", "json", "runs/run-server", "runs/run-store"]);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert_eq!(report["summary"]["processes"], 2, "{report:#}");
}
