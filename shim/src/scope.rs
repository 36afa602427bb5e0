//! Parts of a program within which the threads started in them are to end.

use crate::rt::scope as rt;

/// A scope that the thread is in until this is dropped. Made by [`scope!`](crate::scope!).
#[must_use = "the scope ends when this is dropped"]
#[derive(Debug)]
pub struct Scope {
    _record: rt::Scope,
}

impl Scope {
    /// What [`scope!`](crate::scope!) expands to.
    #[doc(hidden)]
    #[track_caller]
    pub fn enter(name: fn() -> &'static str) -> Scope {
        Scope { _record: rt::Scope::enter(name) }
    }
}

/// Says that the threads which the calling thread starts from here on, and those that these start, are to end before the value that
/// this gives is dropped. With a block, the scope is that block, whose value this gives.
///
/// Nothing waits for them: whatever ends them is up to the program. Those that go on for longer than the grace period are reported
/// as `ignored-cancellation`. The name is a string literal or constant.
///
/// ```
/// let answer = conccheck::scope!("download", {
///     conccheck::thread::spawn(|| 42).join().unwrap()
/// });
/// assert_eq!(answer, 42);
///
/// let _server = conccheck::scope!("server");
/// ```
#[macro_export]
macro_rules! scope {
    ($name:expr) => {
        $crate::Scope::enter(|| $name)
    };
    ($name:expr, $body:block) => {{
        let _scope = $crate::scope!($name);
        $body
    }};
}
