//! The recorder of conccheck: what the facades call.
//!
//! It is built once against the real std, has no third-party dependency and never uses an instrumented type, so it can't observe
//! itself. It never panics, never blocks the program on recording, and never changes an outcome.

pub mod object;
pub mod recorder;

pub use conccheck_trace::{Event, HandleId, How, Mode, Nanos, ObjectId, ObjectKind, Order, Side, SiteId, Stamp, StringId, ThreadId};
pub use object::Object;
