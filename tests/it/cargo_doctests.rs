//! Doc tests under `cargo conccheck test`.

use conccheck_tests::run;

use crate::cargo_tree::{Tree, expect, manifest};

/// Examples of each kind. The first passes a lock from the example to the library: both must mean the same type.
const DOCUMENTED: &str = "
/// ```
/// let lock = std::sync::Mutex::new(1);
/// assert_eq!(NAME::add_one(&lock), 2);
/// assert!(std::any::type_name::<std::sync::Mutex<()>>().contains(\"conccheck\"));
/// ```
/// ```compile_fail
/// NAME::add_one(&std::sync::RwLock::new(1));
/// ```
/// ```should_panic
/// let lock = std::sync::Mutex::new(1);
/// let _held = lock.lock().unwrap();
/// panic!(\"on purpose\");
/// ```
/// ```no_run
/// loop { std::thread::park(); }
/// ```
pub fn add_one(lock: &std::sync::Mutex<u32>) -> u32 { *lock.lock().unwrap() += 1; *lock.lock().unwrap() }
";

fn tree(name: &str, edition: &str) -> Tree {
    Tree::new(&[
        ("Cargo.toml", &manifest(name, edition, "")),
        ("src/lib.rs", &DOCUMENTED.replace("NAME", &name.replace('-', "_"))),
    ])
}

#[test]
fn doc_tests_are_instrumented_and_pass() {
    // Since edition 2024, doc tests are merged into one program.
    for (name, edition) in [("documented-2021", "2021"), ("documented-2024", "2024")] {
        let (ended, report) = tree(name, edition).report(&["test"]);
        expect(&ended, 0);
        assert!(
            ended.stdout.contains("test result: ok. 4 passed") || ended.stdout.matches("... ok").count() == 4,
            "{}",
            ended.stdout
        );
        assert!(report["summary"]["events"].as_u64() > Some(0), "{report}");
    }
}

#[test]
fn a_failing_doc_test_gives_100() {
    let tree = tree("documented-failing", "2021");
    tree.write(
        "src/lib.rs",
        "/// ```\n/// let lock = std::sync::Mutex::new(1);\n/// assert_eq!(*lock.lock().unwrap(), 2);\n/// ```\npub fn f() {}",
    );
    expect(&tree.conccheck(&["test"]), 100);
}

#[cfg(unix)]
#[test]
fn an_existing_rustdoc_is_chained() {
    let tree = tree("documented-chained", "2021");
    tree.write_script("tools/doc", "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$(dirname \"$0\")/log\"\nexec rustdoc \"$@\"\n");
    let ended = run(tree.command(&["test", "--doc"]).env("RUSTDOC", tree.path("tools/doc")), std::time::Duration::from_secs(300));
    expect(&ended, 0);
    let log = std::fs::read_to_string(tree.path("tools/log")).expect("it ran");
    assert!(log.contains("--extern std="), "{log}");
}
