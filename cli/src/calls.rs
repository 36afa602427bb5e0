//! Recorded calls as functions and places, by the debug information of the files that the code is in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use addr2line::Loader;
use conccheck_analyzer::calls::Call;
use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{FrameId, SiteDef};

/// Files with code, each loaded once.
#[derive(Default)]
pub(crate) struct Resolver {
    files: RefCell<HashMap<PathBuf, Option<Rc<Loader>>>>,
}

impl Resolver {
    /// The recorded calls from `innermost` on outwards; inlined ones are calls as well. What can't be resolved is left out. Names of
    /// source files are made relative to one of `roots`.
    pub(crate) fn stack(&self, trace: &ProcessTrace, innermost: FrameId, roots: &[PathBuf]) -> Vec<Call> {
        let mut calls = Vec::new();
        for frame in trace.tables.stack(innermost) {
            let module = trace.tables.string(frame.module).filter(|path| !path.is_empty()).unwrap_or(&trace.header.program);
            if let Some(file) = self.file(&Path::new(&trace.header.working_dir).join(module), trace.header.started_unix) {
                // The address is where the call returns to: the call stands before.
                add(&mut calls, &file, frame.address.saturating_sub(1), roots);
            }
        }
        calls
    }

    /// The file, unless it was changed since the recording: then it says something else.
    fn file(&self, path: &Path, recorded: u64) -> Option<Rc<Loader>> {
        if let Some(known) = self.files.borrow().get(path) {
            return known.clone();
        }
        let changed = fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let is_same = changed.is_some_and(|changed| changed <= UNIX_EPOCH + Duration::from_secs(recorded.saturating_add(1)));
        let file = if is_same { Loader::new(path).ok().map(Rc::new) } else { None };
        self.files.borrow_mut().insert(path.to_owned(), file.clone());
        file
    }
}

/// Adds the calls at an address, from the innermost on. Nothing of what a file says is relied on.
fn add(calls: &mut Vec<Call>, file: &Loader, address: u64, roots: &[PathBuf]) {
    let Ok(mut frames) = file.find_frames(address) else { return };
    while let Ok(Some(frame)) = frames.next() {
        let name = frame.function.as_ref().and_then(|function| Some(function.demangle().ok()?.into_owned()));
        let symbol = || Some(addr2line::demangle_auto(file.find_symbol(address)?.into(), None).into_owned());
        let Some(function) = name.or_else(symbol) else { continue };
        let Some(location) = frame.location else { continue };
        let Some(name) = location.file else { continue };
        let site =
            SiteDef { file: relative(name, roots), line: location.line.unwrap_or(0), column: location.column.unwrap_or(0) };
        calls.push(Call { function: plain(&function).to_owned(), site });
    }
}

/// The name that a source file has in a trace.
fn relative(name: &str, roots: &[PathBuf]) -> String {
    let path = Path::new(name);
    let inside = roots.iter().filter(|root| root.parent().is_some()).find_map(|root| path.strip_prefix(root).ok());
    inside.unwrap_or(path).to_string_lossy().into_owned()
}

/// A function's path without the hash that some manglings end with, and for a closure that of the function that it is in.
fn plain(function: &str) -> &str {
    let mut path = match function.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path,
        _ => function,
    };
    while let Some((outer, last)) = path.rsplit_once("::")
        && last.starts_with('{')
        && last.contains("closure")
    {
        path = outer;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_as_in_traces() {
        let roots = [PathBuf::from("/home/u/bank"), PathBuf::from("/home/u"), PathBuf::from("/")];
        assert_eq!(relative("/home/u/bank/src/main.rs", &roots), "src/main.rs");
        assert_eq!(relative("/rustc/abc/library/std/src/rt.rs", &roots), "/rustc/abc/library/std/src/rt.rs");
        assert_eq!(plain("bank::main::h0123456789abcdef"), "bank::main");
        assert_eq!(plain("bank::main::{{closure}}::{closure#1}"), "bank::main");
        assert_eq!(plain("bank::html"), "bank::html");
    }

    #[test]
    fn an_address_of_this_very_program_is_resolved() {
        let program = std::env::current_exe().expect("has a path");
        let file = Loader::new(&program).expect("is a program");
        let mut calls = Vec::new();
        // Anything in a function that is known by its name.
        let address = (0..1 << 24).step_by(64).map(|offset| file.relative_address_base() + offset);
        let mut named = address.filter_map(|at| file.find_symbol_info(at)).filter(|symbol| symbol.name().contains("relative"));
        if let Some(symbol) = named.next() {
            add(&mut calls, &file, symbol.address() + 1, &[]);
            assert!(calls.iter().any(|call| call.function.contains("relative") && call.site.line > 0), "{calls:?}");
        }
    }
}
