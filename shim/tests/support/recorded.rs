//! Programs within tests, whose traces are looked at.

use std::any::type_name;
use std::process::Command;

use conccheck_trace::read::{self, ProcessTrace};

const PROGRAM: &str = "CONCCHECK_TEST_PROGRAM";

/// Runs `program`, which a test calls first, in a process of its own and gives its trace. `None` in that process.
pub(crate) fn recorded<F: FnOnce()>(program: F) -> Option<ProcessTrace> {
    let test =
        type_name::<F>().strip_prefix("it::").and_then(|name| name.strip_suffix("::{{closure}}")).expect("a test's closure");
    if std::env::var_os(PROGRAM).is_some_and(|name| name == test) {
        program();
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args([test, "--exact", "--test-threads=1"]).env(PROGRAM, test).env("CONCCHECK_TRACE", folder.path());
    let run = this.output().unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    Some(read::open(folder.path()).unwrap().pop().expect("one process"))
}
