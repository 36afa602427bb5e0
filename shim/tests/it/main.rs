//! The umbrella crate: off is std, on is the facade, and under an instrumented std it adds nothing.

mod cancellation;
#[cfg(any(
    feature = "lock_api",
    feature = "parking_lot",
    feature = "crossbeam-channel",
    feature = "crossbeam-utils",
    feature = "once_cell"
))]
mod crates;

use std::any::TypeId;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs rustc in `folder`, for the 2024 edition.
fn rustc(folder: &Path, arguments: &[&str]) {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let compiled = Command::new(rustc).current_dir(folder).args(["--edition", "2024"]).args(arguments).output().unwrap();
    assert!(compiled.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&compiled.stderr));
}

fn library() -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs").display().to_string()
}

#[test]
#[cfg(not(feature = "record"))]
fn without_the_feature_the_types_are_stds_own() {
    assert_eq!(TypeId::of::<conccheck::sync::Mutex<u8>>(), TypeId::of::<std::sync::Mutex<u8>>());
    assert_eq!(TypeId::of::<conccheck::sync::mpsc::Sender<u8>>(), TypeId::of::<std::sync::mpsc::Sender<u8>>());
    assert_eq!(TypeId::of::<conccheck::thread::JoinHandle<u8>>(), TypeId::of::<std::thread::JoinHandle<u8>>());
    assert_eq!(TypeId::of::<conccheck::StopFlag>(), TypeId::of::<std::sync::atomic::AtomicBool>());
    assert_eq!(size_of::<conccheck::Scope>(), 0);
}

#[test]
#[cfg(feature = "record")]
fn with_the_feature_the_types_are_the_facades() {
    assert_eq!(TypeId::of::<conccheck::sync::Mutex<u8>>(), TypeId::of::<conccheck_std::sync::Mutex<u8>>());
    assert_ne!(TypeId::of::<conccheck::sync::Mutex<u8>>(), TypeId::of::<std::sync::Mutex<u8>>());
    assert_eq!(TypeId::of::<conccheck::thread::JoinHandle<u8>>(), TypeId::of::<conccheck_std::thread::JoinHandle<u8>>());
}

#[test]
fn without_the_feature_the_machine_code_is_that_of_std() {
    const PROGRAM: &str = r#"
        use root as origin;
        use origin::sync::{Condvar, Mutex, OnceLock, RwLock, mpsc};
        static TOTAL: Mutex<u64> = Mutex::new(0);
        static NAME: OnceLock<String> = OnceLock::new();
        #[unsafe(no_mangle)] pub fn add(amount: u64) -> u64 { let mut total = TOTAL.lock().unwrap(); *total += amount; *total }
        #[unsafe(no_mangle)] pub fn read(lock: &RwLock<u64>) -> u64 { *lock.read().unwrap() }
        #[unsafe(no_mangle)] pub fn wait(lock: &Mutex<bool>, changed: &Condvar) { drop(changed.wait_while(lock.lock().unwrap(), |go| !*go)); }
        #[unsafe(no_mangle)] pub fn pass(sender: &mpsc::Sender<u64>, receiver: &mpsc::Receiver<u64>) { sender.send(receiver.recv().unwrap()).unwrap(); }
        #[unsafe(no_mangle)] pub fn name() -> &'static str { NAME.get_or_init(|| "name".to_string()) }
        #[unsafe(no_mangle)] pub fn start(work: fn()) { origin::thread::spawn(work).join().unwrap(); }
    "#;
    let folder = tempfile::tempdir().unwrap();
    rustc(folder.path(), &["--crate-name", "conccheck", "--crate-type", "rlib", &library()]);
    let assembly = |root: &str| {
        let folder = folder.path().join(root);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("program.rs"), PROGRAM.replace("root", root)).unwrap();
        rustc(
            &folder,
            &["-O", "--crate-type", "lib", "--emit", "asm", "--extern", "conccheck=../libconccheck.rlib", "program.rs"],
        );
        std::fs::read_to_string(folder.join("program.s")).unwrap()
    };
    let ours = assembly("conccheck");
    assert!(ours.contains("add:"), "the functions are in it");
    assert_eq!(ours, assembly("std"));
}

/// A std as `cargo conccheck` puts it under this crate: std's own, with a recorder within, whose calls are those of `off.rs`.
fn facade(folder: &Path) {
    let recorder = include_str!("../../src/off.rs").replace("pub(crate)", "pub").replace("use std as", "use real_std as");
    let source = format!(
        "#![no_std]\npub extern crate std as real_std;\npub use real_std::*;\npub mod __conccheck_rt {{\n{}}}\n",
        recorder.replace("//!", "//")
    );
    std::fs::write(folder.join("facade.rs"), source).unwrap();
    rustc(folder, &["--crate-name", "facade", "--crate-type", "rlib", "facade.rs"]);
}

#[test]
fn under_an_instrumented_std_it_re_exports_that_whatever_its_features() {
    let folder = tempfile::tempdir().unwrap();
    facade(folder.path());
    for feature in [&[][..], &["--cfg", "feature=\"record\""]] {
        let arguments = ["--crate-name", "conccheck", "--crate-type", "rlib", "--cfg", "conccheck_substituted"];
        let facade = ["--extern", "std=libfacade.rlib", &library()];
        rustc(folder.path(), &[&arguments[..], feature, &facade].concat());
    }
}
