//! `cargo conccheck doctor`: what it says about a tree is what a build of it comes to.

use conccheck_tests::run;
use serde_json::{Value, json};

use crate::cargo_tree::{INSTRUMENTED, LIMIT, Tree, expect, manifest};

/// What the doctor says of a crate: for each of its versions, whether it is recorded, and how or why not.
fn said(tree: &Tree, name: &str) -> Vec<(String, bool, String)> {
    let ended = tree.conccheck(&["doctor", "--format", "json"]);
    expect(&ended, 0);
    let facts: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let known = facts["crates"].as_array().expect("a list").iter().find(|known| known["name"] == name);
    let versions = known.map(|known| known["versions"].as_array().expect("a list").clone()).unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    versions.iter().map(|found| (text(&found["version"]), found["recorded"] == true, text(&found["why"]))).collect()
}

fn yes(version: &str) -> (String, bool, String) {
    (version.to_owned(), true, "by its facade".to_owned())
}

#[test]
fn the_doctor_tells_each_version_of_a_crate_and_what_a_build_made_of_it() {
    let dependencies = "[dependencies]\nnewer = { package = \"parking_lot\", path = \"newer\" }\n\
                        parking_lot = { path = \"parking_lot\" }\nancient = { package = \"parking_lot\", path = \"ancient\" }\n\
                        tokio = { path = \"tokio\" }\n[build-dependencies]\nlock_api = { path = \"lock_api\" }";
    // Alone: an earlier run's build would have left its notes.
    let tree = Tree::alone(&[
        ("Cargo.toml", &manifest("patient", "2021", dependencies)),
        ("build.rs", "fn main() {}"),
        ("src/lib.rs", "#[test] fn locks() { drop(std::sync::Mutex::new(1).lock()); }"),
    ]);
    for (folder, name, version) in [
        ("newer", "parking_lot", "0.13.1"),
        ("parking_lot", "parking_lot", "0.12.5"),
        ("ancient", "parking_lot", "0.8.0"),
        ("tokio", "tokio", "1.40.0"),
        ("lock_api", "lock_api", "0.4.9"),
    ] {
        tree.write(&format!("{folder}/Cargo.toml"), &manifest(name, "2021", "").replace("0.1.0", version));
        tree.write(&format!("{folder}/src/lib.rs"), INSTRUMENTED);
    }
    let parking_lot = said(&tree, "parking_lot");
    assert_eq!(parking_lot[1..], [yes("0.12.5"), yes("0.13.1")]);
    let ancient = &parking_lot[0];
    assert_eq!((&*ancient.0, ancient.1), ("0.8.0", false));
    assert!(ancient.2.contains("0.12, 0.13"), "{}", ancient.2);
    let tokio = &said(&tree, "tokio")[0];
    assert!(!tokio.1 && tokio.2.contains("no facade"), "{tokio:?}");
    assert!(said(&tree, "lock_api").is_empty(), "only a build script uses it");

    let text = tree.conccheck(&["doctor"]);
    expect(&text, 0);
    for word in ["toolchain", "target", "runtime", "nextest", "0.13.1", "Of 2 crates not everything is recorded."] {
        assert!(text.stdout.contains(word), "{word} is missing:\n{}", text.stdout);
    }

    // None of these is really parking_lot, so the facade does not compile with them.
    let (ended, report) = tree.report(&["test"]);
    expect(&ended, 0);
    assert_eq!(report["summary"]["coverage"]["not_instrumented"][0]["name"], "parking_lot", "{report}");
    assert!(said(&tree, "parking_lot").iter().all(|(_, recorded, _)| !recorded));
}

/// Locks and channels of versions that are years apart, in one program; and two orders of a lock of each version.
const OF_ALL_AGES: &str = r#"
use std::{io::{Read, Write}, sync::Arc, thread};

static NEWER: parking_lot::Mutex<u8> = parking_lot::const_mutex(0);
static CELL: once_cell::sync::OnceCell<u8> = once_cell::sync::OnceCell::new();

fn main() {
    let (sender, receiver) = crossbeam_channel::bounded(2);
    let of_first = Arc::new(older::Mutex::new(0));
    let of_second = Arc::clone(&of_first);
    let done = sender.clone();
    // What comes first is said through a pipe, which is not recorded.
    let (mut was_there, mut is_there) = std::io::pipe().unwrap();
    let first = thread::spawn(move || {
        let older = of_first.lock();
        *NEWER.lock() += *older;
        is_there.write_all(&[1]).unwrap();
        done.send(1).unwrap();
    });
    was_there.read_exact(&mut [0]).unwrap();
    let newer = NEWER.lock();
    *of_second.lock() += *newer;
    drop(newer);
    crossbeam_channel::select!(recv(receiver) -> message => assert_eq!(message, Ok(1)));
    first.join().unwrap();
    assert_eq!(*CELL.get_or_init(|| 3) + *CELL.get().unwrap(), 6);
}
"#;

#[test]
fn old_versions_are_recorded_beside_one_another() {
    let dependencies = "[dependencies]\nolder = { package = \"parking_lot\", version = \"=0.9.0\" }\nparking_lot = \"=0.11.0\"\n\
                        lock_api = \"=0.4.0\"\nonce_cell = \"=1.0.2\"\ncrossbeam-channel = \"=0.4.4\"";
    let tree = Tree::alone(&[("Cargo.toml", &manifest("of-all-ages", "2021", dependencies)), ("src/main.rs", OF_ALL_AGES)]);
    // The only project here with dependencies from the registry.
    let online = |args: &[&str]| run(tree.command(args).env_remove("CARGO_NET_OFFLINE"), LIMIT);
    let ended = online(&["run", "--format", "json"]);
    expect(&ended, 66);
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(report["summary"]["coverage"]["not_instrumented"], json!([]), "{report}");
    assert_eq!(report["findings"][0]["rule"], "lock-order-cycle", "{report}");
    for (name, versions) in
        [("parking_lot", &["0.9.0", "0.11.0"][..]), ("once_cell", &["1.0.2"]), ("crossbeam_channel", &["0.4.4"])]
    {
        assert_eq!(said(&tree, name), versions.iter().map(|version| yes(version)).collect::<Vec<_>>());
    }
    assert!(said(&tree, "lock_api").iter().all(|(_, recorded, _)| *recorded));
}

#[test]
fn the_doctor_says_what_stands_in_the_way_of_a_build() {
    let tree = Tree::new(&[("Cargo.toml", &manifest("unbuildable", "2021", "")), ("src/lib.rs", "")]);
    let ended = tree.conccheck(&["doctor", "--target", "riscv32i-unknown-none-elf"]);
    expect(&ended, 2);
    assert!(ended.stderr.contains("rustup target add riscv32i-unknown-none-elf"), "{}", ended.stderr);
    expect(&tree.conccheck(&["doctor", "--format", "sarif"]), 2);
    tree.write("Cargo.toml", "[package]\nname = 1\n");
    expect(&tree.conccheck(&["doctor"]), 101);
}
