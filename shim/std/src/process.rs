//! Instrumented [`std::process`](real_std::process): the end that drops nothing.

use core::panic::Location;

use conccheck_rt::thread as rt;
pub use real_std::process::*;

/// See [`std::process::exit`](real_std::process::exit).
#[track_caller]
pub fn exit(code: i32) -> ! {
    rt::exits(Location::caller());
    real_std::process::exit(code)
}
