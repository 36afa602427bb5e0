//! Every body here runs twice, against std and against the facade, and what both print must be the same text.

mod barrier;
mod condvar;
mod lazy_lock;
mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod rwlock;
mod scope;
mod thread;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;

/// Instantiates tests for std and for the facade, each as `subject`. The body has a function `texts` whose result must not differ.
macro_rules! both {
    ($($body:tt)*) => {
        mod real {
            use std as subject;
            $($body)*
        }
        mod facade {
            use conccheck_std as subject;
            $($body)*
        }

        #[test]
        fn the_texts_are_the_same() {
            assert_eq!(real::texts(), facade::texts());
        }
    };
}
use both;

/// Runs `work` and then panics in it, without a message.
pub(crate) fn panicking<R>(work: impl FnOnce() -> R) {
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _alive = work();
        resume_unwind(Box::new("on purpose"));
    }));
    assert!(result.is_err());
}

/// The text of the panic in `work`.
fn panic_text<R>(work: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(work()))).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().expect("a text").to_string(),
    }
}

#[test]
fn all_of_this_holds_while_recording() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["parity::", "--skip", "while_recording"])
        .env("CONCCHECK_TRACE", folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_some(), "a trace was written");
}
