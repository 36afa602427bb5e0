//! Embeds the sources of the runtime, so that an installed `cargo-conccheck` needs nothing but a compiler.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut table = String::from("&[\n");
    for (name, root) in crates(&package) {
        println!("cargo:rerun-if-changed={}", root.display());
        let mut files = Vec::new();
        collect(&root, Path::new(&name), &mut files);
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

/// The crates of the runtime, each with its folder in the binary and that of its sources: `trace`, and each package within `shim`.
fn crates(package: &Path) -> Vec<(String, PathBuf)> {
    let shim = package.join("../shim");
    // A new package comes with a line in this table.
    println!("cargo:rerun-if-changed=src/cargo/plan.rs");
    let mut crates = vec![("trace".to_owned(), package.join("../trace/src"))];
    crates.extend(entries(&shim).into_iter().filter(|path| path.join("Cargo.toml").is_file()).map(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("packages have plain names");
        (name.to_owned(), path.join("src"))
    }));
    crates.sort();
    crates
}

/// Finds all files under `folder`, named as they will be unpacked.
fn collect(folder: &Path, inside: &Path, files: &mut Vec<(String, PathBuf)>) {
    for path in entries(folder) {
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

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("can't read the runtime's sources in {} (build from a clone): {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}
