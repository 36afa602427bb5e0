//! `cargo conccheck` on projects of every shape: what is instrumented, and what is left alone.

use conccheck_tests::repository;

use crate::cargo_tree::{INSTRUMENTED, TESTED, Tree, expect, host, manifest, passed};

#[test]
fn crates_of_every_edition_in_a_workspace_are_instrumented() {
    let editions = ["2015", "2018", "2021", "2024"];
    let tree = Tree::new(&[("Cargo.toml", "[workspace]\nmembers = [\"e*\"]\nresolver = \"2\"\n")]);
    for edition in editions {
        tree.write(&format!("e{edition}/Cargo.toml"), &manifest(&format!("edition-{edition}"), edition, ""));
        tree.write(&format!("e{edition}/src/lib.rs"), TESTED);
    }
    let (ended, report) = tree.report(&["test", "--workspace"]);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 4, "{}", ended.stdout);
    let instrumented = report["summary"]["coverage"]["instrumented"].as_array().expect("a list").len();
    assert_eq!(instrumented, 4, "{report}");

    let ended = tree.conccheck(&["test", "-p", "edition-2018"]);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 1, "{}", ended.stdout);
}

#[test]
fn no_std_crates_compile_and_their_users_are_instrumented() {
    let tree = Tree::new(&[
        (
            "Cargo.toml",
            &manifest("no-std-user", "2021", "[dependencies]\nbare = { path = \"bare\" }\nhalf = { path = \"half\" }"),
        ),
        ("src/lib.rs", &format!("pub use bare::one; pub use half::Shared;{TESTED}")),
        ("bare/Cargo.toml", &manifest("bare", "2021", "")),
        ("bare/src/lib.rs", "#![no_std]\npub fn one() -> u32 { core::cmp::max(0, 1) }"),
        ("half/Cargo.toml", &manifest("half", "2018", "[features]\ndefault = [\"std\"]\nstd = []")),
        (
            "half/src/lib.rs",
            "#![cfg_attr(not(feature = \"std\"), no_std)]\nextern crate alloc;\n\
             pub struct Shared(pub alloc::sync::Arc<std::sync::Mutex<u32>>);",
        ),
    ]);
    let ended = tree.conccheck(&["test"]);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 1, "{}", ended.stdout);
}

#[test]
fn build_scripts_and_proc_macros_stay_untouched() {
    let plain = "assert!(!std::any::type_name::<std::sync::Mutex<()>>().contains(\"conccheck\"));";
    let tree = Tree::new(&[
        ("Cargo.toml", &manifest("scripted", "2021", "[dependencies]\nplain-macro = { path = \"macro\" }")),
        ("build.rs", &format!("fn main() {{ {plain} println!(\"cargo:rustc-env=FROM_SCRIPT=yes\"); }}")),
        (
            "src/main.rs",
            "fn main() { assert_eq!(plain_macro::answer!(), 42); assert_eq!(env!(\"FROM_SCRIPT\"), \"yes\");\n\
             assert!(std::any::type_name::<std::sync::Mutex<()>>().contains(\"conccheck\")); drop(std::sync::Mutex::new(1).lock()); }",
        ),
        ("macro/Cargo.toml", &manifest("plain-macro", "2021", "[lib]\nproc-macro = true")),
        (
            "macro/src/lib.rs",
            &format!(
                "use proc_macro::TokenStream;\n#[proc_macro] pub fn answer(_: TokenStream) -> TokenStream \
                 {{ {plain} \"42\".parse().unwrap() }}"
            ),
        ),
    ]);
    expect(&tree.conccheck(&["run"]), 0);
}

#[test]
fn every_kind_of_program_runs_with_features_and_profiles() {
    let use_it = format!("fn main() {{ drop(kinds::lock().lock()); assert!(instrumented()); }}{INSTRUMENTED}");
    let tree = Tree::new(&[
        ("Cargo.toml", &manifest("kinds", "2021", "[features]\nextra = []\n[[bench]]\nname = \"speed\"\nharness = false")),
        (
            "src/lib.rs",
            &format!(
                "pub fn lock() -> std::sync::Mutex<u32> {{ std::sync::Mutex::new(1) }}{TESTED}\n\
                 #[test] fn optimised() {{ assert!(!cfg!(debug_assertions)); }}\n\
                 #[cfg(feature = \"extra\")] #[test] fn extra() {{}}"
            ),
        ),
        ("tests/integration.rs", "#[test] fn integrates() { *kinds::lock().lock().unwrap() += 1; }"),
        ("examples/sample.rs", &use_it),
        ("benches/speed.rs", &use_it),
    ]);
    let ended = tree.conccheck(&["test", "--release", "--features", "extra", "--all-targets"]);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 4, "{}", ended.stdout);
    assert!(tree.target().join("conccheck").join(host()).join("release/deps").is_dir());
    expect(&tree.conccheck(&["run", "--example", "sample"]), 0);
    expect(&tree.conccheck(&["bench", "--bench", "speed"]), 0);
}

#[test]
fn a_target_that_the_user_names_is_built_for_once() {
    let tree = Tree::new(&[("Cargo.toml", &manifest("targeted", "2021", "")), ("src/lib.rs", TESTED)]);
    let host = host();
    expect(&tree.conccheck(&["test", "--target", &host]), 0);
    tree.write(".cargo/config.toml", &format!("[build]\ntarget = \"{host}\"\n"));
    expect(&tree.conccheck(&["test"]), 0);
}

#[test]
fn types_swapped_by_hand_are_those_that_are_injected() {
    let shim = repository().join("shim");
    let dependency = format!("[dependencies]\nconccheck = {{ path = {shim:?}, features = [\"record\"] }}");
    let tree = Tree::new(&[
        ("Cargo.toml", &manifest("by-hand", "2021", &dependency)),
        (
            "src/main.rs",
            // Compiles only if both names mean one type.
            "fn main() { let lock: std::sync::Mutex<i32> = conccheck::sync::Mutex::new(1); *lock.lock().unwrap() += 1;\n\
             conccheck::thread::spawn(|| {}).join().unwrap(); }",
        ),
    ]);
    let (ended, report) = tree.report(&["run"]);
    expect(&ended, 0);
    assert_eq!(report["summary"]["locks"], 1, "{report}");
    assert_eq!(report["summary"]["processes"], 1, "{report}");
}

#[test]
fn a_token_that_a_thread_ignores_is_reported_though_the_crate_that_has_it_names_no_feature() {
    let shim = repository().join("shim");
    let tree = Tree::new(&[
        ("Cargo.toml", &manifest("cancelled", "2021", &format!("[dependencies]\nconccheck = {{ path = {shim:?} }}"))),
        (
            "src/main.rs",
            "use std::{thread, time::Duration};\n\
             fn main() {\n\
             let token = conccheck::CancellationToken::new();\n\
             let watched = token.clone();\n\
             thread::spawn(move || loop { if watched.wait_timeout(Duration::from_millis(1)) { thread::yield_now(); } });\n\
             token.cancel();\n\
             thread::sleep(Duration::from_millis(100));\n}",
        ),
    ]);
    let (ended, report) = tree.report(&["run"]);
    expect(&ended, 66);
    let rules: Vec<_> = report["findings"].as_array().expect("findings").iter().map(|finding| &finding["rule"]).collect();
    assert!(rules.contains(&&"ignored-cancellation".into()), "{report}");
    assert_eq!(report["findings"][0]["objects"][0], "token", "{report}");
}

#[test]
fn a_crate_that_does_not_compile_against_the_facade_is_left_plain_and_the_report_says_so() {
    let tree = Tree::new(&[
        ("Cargo.toml", &manifest("tolerant", "2021", "[dependencies]\nstubborn = { path = \"stubborn\" }")),
        ("src/lib.rs", &format!("#[test] fn both() {{ assert!(!stubborn::instrumented()); }}{TESTED}")),
        ("stubborn/Cargo.toml", &manifest("stubborn", "2021", "")),
        ("stubborn/src/lib.rs", &format!("const _: () = assert!(size_of::<std::sync::Mutex<()>>() == 8);{INSTRUMENTED}")),
    ]);
    let (ended, report) = tree.report(&["test"]);
    expect(&ended, 0);
    assert_eq!(passed(&ended), 2, "{}", ended.stdout);
    let gap = &report["summary"]["coverage"]["not_instrumented"][0];
    assert_eq!((&gap["name"], &gap["users"]), (&"stubborn".into(), &1.into()), "{report}");
}
