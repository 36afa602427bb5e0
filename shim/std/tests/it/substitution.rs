//! The facade stands in for std where the compiler injects std: programs of every edition, unmodified.

use std::path::{Path, PathBuf};
use std::process::Command;

const EVERYTHING: &str = r#"
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::*;
use std::sync::mpsc::channel;
use std::thread;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Point { x: i32, y: i32 }

static LIST: Mutex<Vec<i32>> = Mutex::new(Vec::new());
static ONCE: Once = Once::new();
thread_local! { static LOCAL: std::cell::Cell<i32> = std::cell::Cell::new(1); }

fn parse(text: &str) -> Result<i32, Box<dyn std::error::Error + Send + Sync>> { Ok(text.parse()?) }

fn main() {
    ONCE.call_once(|| ());
    let mut map = HashMap::new();
    map.insert("a", vec![Point { x: 1, y: 2 }, Point::default()]);
    let mut text = format!("{:?}", map);
    write!(text, "{}", 3).unwrap();
    assert!(parse("x").is_err() && parse("7").unwrap() == 7);
    thread::spawn(|| { LIST.lock().unwrap().push(1); LOCAL.with(|local| local.set(4)); }).join().unwrap();
    thread::scope(|scope| { scope.spawn(|| assert!(text.len() > 3)); });
    let (sender, receiver) = channel::<String>();
    let other = sender.clone();
    thread::spawn(move || other.send("sent".to_string()).unwrap());
    drop(sender);
    for message in receiver { println!("{} {:?}", message, LIST.lock().unwrap()); }
    assert!(matches!(std::any::type_name::<Mutex<i32>>().split("::").next(), Some("conccheck_std")));
    if std::env::args().count() > 5 { panic!("{}", 1); }
    eprintln!("{}", std::mem::size_of::<Option<Box<i32>>>());
    LOCAL.with(|local| assert_eq!(local.get(), 1));
}
"#;

const WITHOUT_STD: &str = r#"
#![no_std]
extern crate alloc;
use alloc::vec::Vec;
pub fn numbers() -> Vec<u8> { alloc::vec![1, 2] }
"#;

/// The folder that cargo put this package's libraries in, beside the test itself.
fn libraries() -> PathBuf {
    std::env::current_exe().unwrap().parent().unwrap().to_path_buf()
}

/// The facade as a library: the newest, where several builds of it lie.
fn facade() -> PathBuf {
    let entries = std::fs::read_dir(libraries()).unwrap().map(|entry| entry.unwrap().path());
    let is_facade = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("libconccheck_std-") && name.ends_with(".rlib")
    };
    entries.filter(is_facade).max_by_key(|path| path.metadata().unwrap().modified().unwrap()).expect("cargo built it")
}

fn compile(source: &str, edition: &str, kind: &str, output: &Path) {
    let file = output.with_extension("rs");
    std::fs::write(&file, source).unwrap();
    let compiled = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", edition, "--crate-type", kind, "-D", "warnings", "-o"])
        .arg(output)
        .arg("--extern")
        .arg(format!("std={}", facade().display()))
        .arg("-L")
        .arg(format!("dependency={}", libraries().display()))
        .arg(&file)
        .output()
        .unwrap();
    assert!(compiled.status.success(), "edition {edition}: {}", String::from_utf8_lossy(&compiled.stderr));
}

#[test]
fn programs_of_every_edition_compile_and_run_with_the_facade_as_std() {
    let folder = tempfile::tempdir().unwrap();
    for edition in ["2015", "2018", "2021", "2024"] {
        let program = folder.path().join(edition);
        compile(EVERYTHING, edition, "bin", &program);
        let trace = folder.path().join(format!("trace-{edition}"));
        let run = Command::new(&program).env("CONCCHECK_TRACE", &trace).output().unwrap();
        assert!(run.status.success(), "edition {edition}: {}", String::from_utf8_lossy(&run.stderr));
        assert_eq!(String::from_utf8_lossy(&run.stdout), "sent [1]\n");
        let traces = conccheck_trace::read::open(&trace).unwrap();
        assert_eq!(traces[0].threads().len(), 4, "main, two spawned, one scoped");
    }
}

#[test]
fn a_crate_without_std_compiles_with_the_facade_at_hand() {
    let folder = tempfile::tempdir().unwrap();
    compile(WITHOUT_STD, "2021", "lib", &folder.path().join("libwithout_std.rlib"));
}
