//! Embeds the sources of the runtime, so that an installed `cargo-conccheck` needs nothing but a compiler.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates of the runtime: their folder in the binary, and their sources relative to this package.
const CRATES: [(&str, &str); 6] = [
    ("trace", "../trace/src"),
    ("rt", "../shim/rt/src"),
    ("std", "../shim/std/src"),
    ("lock_api", "../shim/lock_api/src"),
    ("parking_lot", "../shim/parking_lot/src"),
    ("crossbeam-channel", "../shim/crossbeam-channel/src"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut table = String::from("&[\n");
    for (name, source) in CRATES {
        let root = package.join(source);
        println!("cargo:rerun-if-changed={}", root.display());
        let mut files = Vec::new();
        collect(&root, Path::new(name), &mut files);
        files.sort();
        for (inside, path) in files {
            println!("cargo:rerun-if-changed={}", path.display());
            writeln!(table, "    ({inside:?}, include_str!({:?})),", path.display().to_string())
                .expect("a String takes everything");
        }
    }
    table += "]\n";
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("runtime_sources.rs");
    fs::write(&out, table).unwrap_or_else(|error| panic!("can't write {}: {error}", out.display()));
}

/// Finds all files under `folder`, named as they will be unpacked.
fn collect(folder: &Path, inside: &Path, files: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("can't read the runtime's sources in {} (build from a clone): {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let inside = inside.join(path.file_name().expect("entries have names"));
        if path.is_file() {
            let inside = inside.to_str().expect("source files have plain names").replace('\\', "/");
            files.push((inside, path));
        } else if inside != Path::new("trace/read") {
            // The reading half of the trace crate has dependencies; the recorder is built without it.
            collect(&path, &inside, files);
        }
    }
}
