//! The recorder of conccheck: what the facades call.
//!
//! It is built once against the real std, has no third-party dependency and never uses an instrumented type, so it can't observe
//! itself. It never panics, never blocks the program on recording, and never changes an outcome.

pub mod barrier;
pub mod cancel;
pub mod condvar;
pub mod lock;
pub mod mpsc;
pub mod object;
pub mod once;
pub mod recorder;
pub mod scope;
pub mod select;
pub mod thread;

mod backlog;
mod clock;
mod counting;
mod entry;
mod exit;
mod file;
mod fork;
mod local;
mod perturb;
mod polling;
mod saving;
mod session;
mod site;
mod slots;
mod spin;
mod stack;
mod sys;
mod ticker;
mod watchdog;
mod writer;

pub use conccheck_trace::{
    Event, HandleId, How, Mode, Nanos, ObjectId, ObjectKind, Order, Side, SiteId, Stamp, StringId, ThreadId,
};
pub use lock::{Held, Lock};
pub use object::Object;
/// What the recorder itself is built on, for what must not be observed.
pub use std as real;
