//! Instrumented [`spawn`](real_std::thread::spawn).

use super::{Builder, JoinHandle};

/// See [`std::thread::spawn`](real_std::thread::spawn).
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T,
    F: Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}
