//! `cargo conccheck doctor`: what it says about a tree is what a build of it comes to.

use serde_json::Value;

use crate::cargo_tree::{INSTRUMENTED, Tree, expect, manifest};

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
        ("ancient", "parking_lot", "0.9.0"),
        ("tokio", "tokio", "1.40.0"),
        ("lock_api", "lock_api", "0.4.9"),
    ] {
        tree.write(&format!("{folder}/Cargo.toml"), &manifest(name, "2021", "").replace("0.1.0", version));
        tree.write(&format!("{folder}/src/lib.rs"), INSTRUMENTED);
    }
    let parking_lot = said(&tree, "parking_lot");
    assert_eq!(parking_lot[1..], [yes("0.12.5"), yes("0.13.1")]);
    let ancient = &parking_lot[0];
    assert_eq!((&*ancient.0, ancient.1), ("0.9.0", false));
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
