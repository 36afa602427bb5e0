//! Instrumented [`crossbeam_utils::sync`](crossbeam_utils_orig::sync).

#[allow(unused_imports, unreachable_pub, reason = "what a newer original has more")]
pub use crossbeam_utils_orig::sync::*;

mod parker;
mod sharded_lock;
mod wait_group;

pub use self::parker::{Parker, Unparker};
pub use self::sharded_lock::{ShardedLock, ShardedLockReadGuard, ShardedLockWriteGuard};
pub use self::wait_group::WaitGroup;
