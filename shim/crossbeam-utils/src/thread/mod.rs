//! Instrumented [`crossbeam_utils::thread`](crossbeam_utils_orig::thread): threads that may borrow from whoever started them.

#[allow(unused_imports, unreachable_pub, reason = "what a newer original has more")]
pub use crossbeam_utils_orig::thread::*;

mod builder;
mod join_handle;
mod scope;

pub use self::builder::ScopedThreadBuilder;
pub use self::join_handle::ScopedJoinHandle;
pub use self::scope::{Scope, scope};
