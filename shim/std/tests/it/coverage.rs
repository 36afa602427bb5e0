//! `COVERAGE.md` tells the truth, and nothing is missing from it when std grows.

use std::any::{type_name, type_name_of_val};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use conccheck_std::{sync, thread};

/// One line of the table.
struct Entry {
    is_wrapped: bool,
    methods: Vec<String>,
}

/// The table by path, such as `sync::mpsc::Sender`.
fn table() -> BTreeMap<String, Entry> {
    let page = include_str!("../../../COVERAGE.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")).map(|row| {
        let (path, rest) = row.split_once("` | ").expect("a path in backticks");
        let (how, why) = rest.trim_end_matches(" |").split_once(" | ").expect("three columns");
        assert!(["wrapped", "passed through"].contains(&how), "{path}: {how}");
        let methods = why.split('`').skip(1).step_by(2).map(str::to_string).collect();
        (path.to_string(), Entry { is_wrapped: how == "wrapped", methods })
    });
    let table: Vec<_> = rows.collect();
    let (count, table) = (table.len(), BTreeMap::from_iter(table));
    assert_eq!(count, table.len(), "a path stands twice");
    table
}

macro_rules! types {
    ($($path:ident)::+ $(<$($parameter:tt),+>)?) => {
        (stringify!($($path)::+), type_name::<$($path)::+ $(<$($parameter),+>)?>())
    };
}

/// The full name that each item has within the facade, by path.
fn names() -> Vec<(String, &'static str)> {
    type Run = fn();
    let names = [
        types!(sync::Barrier),
        types!(sync::BarrierWaitResult),
        types!(sync::Condvar),
        types!(sync::LazyLock<u8>),
        types!(sync::Mutex<u8>),
        types!(sync::MutexGuard<u8>),
        types!(sync::Once),
        types!(sync::OnceLock<u8>),
        types!(sync::RwLock<u8>),
        types!(sync::RwLockReadGuard<u8>),
        types!(sync::RwLockWriteGuard<u8>),
        types!(sync::WaitTimeoutResult),
        types!(sync::mpsc::IntoIter<u8>),
        types!(sync::mpsc::Iter<u8>),
        types!(sync::mpsc::Receiver<u8>),
        types!(sync::mpsc::Sender<u8>),
        types!(sync::mpsc::SyncSender<u8>),
        types!(sync::mpsc::TryIter<u8>),
        types!(thread::Builder),
        types!(thread::JoinHandle<u8>),
        types!(thread::Scope),
        types!(thread::ScopedJoinHandle<u8>),
        types!(thread::Thread),
        #[expect(deprecated, clippy::borrow_interior_mutable_const, reason = "std still has it")]
        ("sync::ONCE_INIT", type_name_of_val(&sync::ONCE_INIT)),
        ("sync::mpsc::channel", type_name_of_val(&sync::mpsc::channel::<u8>)),
        ("sync::mpsc::sync_channel", type_name_of_val(&sync::mpsc::sync_channel::<u8>)),
        ("thread::current", type_name_of_val(&thread::current)),
        ("thread::park", type_name_of_val(&thread::park)),
        ("thread::park_timeout", type_name_of_val(&thread::park_timeout)),
        #[expect(deprecated, reason = "std still has it")]
        ("thread::park_timeout_ms", type_name_of_val(&thread::park_timeout_ms)),
        ("thread::scope", type_name_of_val(&thread::scope::<fn(&thread::Scope<'_, '_>), ()>)),
        ("thread::sleep", type_name_of_val(&thread::sleep)),
        ("thread::yield_now", type_name_of_val(&thread::yield_now)),
        #[expect(deprecated, reason = "std still has it")]
        ("thread::sleep_ms", type_name_of_val(&thread::sleep_ms)),
        ("thread::spawn", type_name_of_val(&thread::spawn::<Run, ()>)),
    ];
    names.into_iter().map(|(path, name)| (path.replace(' ', ""), name)).collect()
}

#[test]
fn what_the_table_calls_wrapped_is_the_facades_own() {
    let wrapped: Vec<_> = table().into_iter().filter(|(_, entry)| entry.is_wrapped).map(|(path, _)| path).collect();
    let mut own: Vec<_> =
        names().into_iter().inspect(|(path, name)| assert!(name.starts_with("conccheck_std::"), "{path}: {name}")).collect();
    own.sort();
    assert_eq!(own.into_iter().map(|(path, _)| path).collect::<Vec<_>>(), wrapped);
}

/// The folder of std's pages, where the toolchain has them.
fn pages() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()).join("share/doc/rust/html/std");
    folder.join("all.html").is_file().then_some(folder)
}

/// Of a page, every text between `before` and `after`.
fn between<'a>(page: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(before).skip(1).filter_map(move |rest| rest.split_once(after)).map(|(found, _)| found)
}

#[test]
fn the_table_has_all_that_std_has() {
    let Some(pages) = pages() else { return eprintln!("skipped: the toolchain's documentation is not installed") };
    let table = table();
    let index = std::fs::read_to_string(pages.join("all.html")).unwrap();
    let items = between(&index, "href=\"", ".html\"").filter(|link| link.starts_with("sync/") || link.starts_with("thread/"));
    let mut seen = 0;
    for link in items {
        let (module, item) = link.rsplit_once('/').unwrap();
        let name = item.split_once('.').unwrap().1;
        let module = module.replace('/', "::");
        let page = std::fs::read_to_string(pages.join(format!("{link}.html"))).unwrap();
        let Some(entry) = table.get(&format!("{module}::{name}")).or_else(|| table.get(&format!("{module}::*"))) else {
            panic!("std has {module}::{name}, and COVERAGE.md does not mention it");
        };
        seen += 1;
        if entry.is_wrapped {
            for method in stable_methods(&page) {
                assert!(
                    entry.methods.contains(&method),
                    "std has {module}::{name}::{method}, and COVERAGE.md does not mention it"
                );
            }
        }
    }
    assert!(seen > 80, "only {seen} items were found in the index");
}

/// The inherent methods of a type's page that are not unstable.
fn stable_methods(page: &str) -> Vec<String> {
    let own = page.split_once("id=\"trait-implementations\"").map_or(page, |(own, _)| own);
    let methods = own.split("<section id=\"method.").skip(1);
    let stable =
        methods.filter(|method| method.split_once("</section>").is_some_and(|(head, _)| head.contains("class=\"since\"")));
    stable.filter_map(|method| method.split_once('"')).map(|(name, _)| name.to_string()).collect()
}
