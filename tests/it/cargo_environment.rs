//! `cargo conccheck` among what the user has set up already: wrappers, flags, folders, toolchains, other runs.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use conccheck_tests::run;

use crate::cargo_tree::{TESTED, Tree, expect, manifest, passed};

const LIMIT: Duration = Duration::from_secs(300);

/// A wrapper that notes each call and passes it on.
#[cfg(unix)]
const LOGGING: &str = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$(dirname \"$0\")/log\"\nexec \"$@\"\n";

#[cfg(unix)]
#[test]
fn an_existing_wrapper_is_chained_wherever_it_is_set() {
    for by_variable in [true, false] {
        let name = format!("wrapped-by-{}", if by_variable { "variable" } else { "file" });
        let tree = Tree::new(&[("Cargo.toml", &manifest(&name, "2021", "")), ("src/lib.rs", TESTED)]);
        tree.write_script("tools/wrapper", LOGGING);
        let mut command = tree.command(&["test", "--lib"]);
        if by_variable {
            command.env("RUSTC_WRAPPER", tree.path("tools/wrapper"));
        } else {
            tree.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"tools/wrapper\"\n");
        }
        expect(&run(&mut command, LIMIT), 0);
        let log = fs::read_to_string(tree.path("tools/log")).expect("the wrapper ran");
        let call = log.lines().find(|line| line.contains(&format!("--crate-name {}", name.replace('-', "_"))));
        assert!(call.is_some_and(|call| call.contains("--extern std=")), "{log}");
    }
}

#[test]
fn flags_of_variables_and_of_files_are_kept() {
    let source = format!("#[test] fn flag() {{ assert!(cfg!(from_outside)); }}{TESTED}");
    let tree = Tree::new(&[("Cargo.toml", &manifest("flagged", "2021", "")), ("src/lib.rs", &source)]);
    let flags = "--cfg from_outside --check-cfg cfg(from_outside)";
    let ended = run(tree.command(&["test", "--lib"]).env("RUSTFLAGS", flags), LIMIT);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 2, "{}", ended.stdout);
    tree.write(".cargo/config.toml", &format!("[build]\nrustflags = {:?}\n", flags.split(' ').collect::<Vec<_>>()));
    let ended = tree.conccheck(&["test", "--lib"]);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 2, "{}", ended.stdout);
}

#[test]
fn neither_sources_nor_manifest_nor_lock_file_change_and_the_ordinary_build_is_apart() {
    let tree = Tree::alone(&[("Cargo.toml", &manifest("unchanged", "2021", "")), ("src/lib.rs", TESTED)]);
    expect(&tree.cargo(&["build"]), 0);
    let before = tree.contents();
    expect(&tree.conccheck(&["test"]), 0);
    assert_eq!(tree.contents(), before);
    let again = tree.cargo(&["build"]);
    expect(&again, 0);
    assert!(!again.stderr.contains("Compiling"), "the ordinary build was disturbed:\n{}", again.stderr);
}

#[test]
fn the_users_target_folder_and_build_folder_are_respected() {
    let tree = Tree::alone(&[
        ("Cargo.toml", &manifest("foldered", "2021", "")),
        ("src/lib.rs", TESTED),
        (".cargo/config.toml", "[build]\ntarget-dir = \"elsewhere\"\nbuild-dir = \"between\"\n"),
    ]);
    expect(&tree.conccheck(&["test", "--lib"]), 0);
    assert!(tree.path("elsewhere/conccheck/runtime").is_dir());
    assert!(tree.path("between/conccheck").is_dir());
    assert!(!tree.path("target").exists());
}

#[test]
fn a_test_that_starts_a_compiler_gets_an_ordinary_one() {
    let source = format!("#[test] fn plain() {{ assert!(std::env::var_os(\"RUSTC_WRAPPER\").is_none()); }}{TESTED}");
    let tree = Tree::new(&[("Cargo.toml", &manifest("compiling-tests", "2021", "")), ("src/lib.rs", &source)]);
    expect(&tree.conccheck(&["test", "--lib"]), 0);
}

#[test]
fn runs_at_the_same_time_in_one_project_do_not_disturb_each_other() {
    let tree = Tree::alone(&[("Cargo.toml", &manifest("parallel", "2021", "")), ("src/lib.rs", TESTED)]);
    thread::scope(|scope| {
        let runs = [(); 3].map(|()| scope.spawn(|| tree.conccheck(&["test", "--lib"])));
        for ended in runs.map(|run| run.join().expect("no panic")) {
            expect(&ended, 0);
            assert_eq!(passed(&ended), 1, "{}", ended.stdout);
        }
    });
}

#[test]
fn a_runtime_that_was_deleted_is_built_again_and_fits_what_was_compiled_against_it() {
    let tree = Tree::alone(&[
        ("Cargo.toml", &manifest("lasting", "2021", "[dependencies]\nbelow = { path = \"below\" }")),
        ("src/lib.rs", &format!("pub fn lock() -> std::sync::Mutex<u32> {{ below::lock() }}{TESTED}")),
        ("below/Cargo.toml", &manifest("below", "2021", "")),
        ("below/src/lib.rs", "pub fn lock() -> std::sync::Mutex<u32> { std::sync::Mutex::new(1) }"),
    ]);
    expect(&tree.conccheck(&["test"]), 0);
    fs::remove_dir_all(tree.path("target/conccheck/runtime")).expect("it was built");
    tree.write("src/lib.rs", &format!("pub fn lock() -> std::sync::Mutex<u32> {{ below::lock() }} // changed{TESTED}"));
    let ended = tree.conccheck(&["test"]);
    expect(&ended, 0);
    assert!(!ended.stderr.contains("Compiling below"), "{}", ended.stderr);
}

#[test]
fn a_second_toolchain_has_a_runtime_of_its_own() {
    let is_installed = Command::new("rustup").args(["run", "nightly", "rustc", "-vV"]).output();
    if !is_installed.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no nightly toolchain");
        return;
    }
    let tree = Tree::alone(&[("Cargo.toml", &manifest("bilingual", "2021", "")), ("src/lib.rs", TESTED)]);
    for toolchain in ["stable", "nightly", "stable"] {
        let ended = run(tree.command(&["test"]).env("RUSTUP_TOOLCHAIN", toolchain), LIMIT);
        expect(&ended, 0);
    }
    let runtimes = fs::read_dir(tree.path("target/conccheck/runtime")).expect("it was built").flatten();
    assert_eq!(runtimes.filter(|entry| entry.path().is_dir()).count(), 2);
}
