//! Instrumented [`std::thread`](real_std::thread): start and end of threads, join, scopes, park, sleep and yield.

pub use real_std::thread::*;

mod builder;
mod join_handle;
mod scope;
mod sleep_park;
mod spawn;
#[expect(clippy::module_inception, reason = "std's own name for it")]
mod thread;

pub use builder::Builder;
pub use join_handle::JoinHandle;
pub use scope::{Scope, ScopedJoinHandle, scope};
#[expect(deprecated, reason = "std still has them")]
pub use sleep_park::{park, park_timeout, park_timeout_ms, sleep, sleep_ms, yield_now};
pub use spawn::spawn;
pub use thread::{Thread, current};
