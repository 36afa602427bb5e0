//! Instrumented [`std::hint`](real_std::hint): the loop that polls something.

use core::panic::Location;

use conccheck_rt::thread as rt;
pub use real_std::hint::*;

/// See [`std::hint::spin_loop`](real_std::hint::spin_loop).
#[track_caller]
#[inline]
pub fn spin_loop() {
    rt::yields(Location::caller());
    real_std::hint::spin_loop();
}
