//! Instrumented [`sleep`](real::sleep), [`yield_now`](real::yield_now) and [`park`](real::park).

use core::panic::Location;
use core::time::Duration;

use conccheck_rt::thread as rt;
use real_std::thread as real;

/// See [`std::thread::sleep`](real::sleep).
#[track_caller]
pub fn sleep(dur: Duration) {
    rt::sleep(dur, Location::caller());
    real::sleep(dur);
}

/// See [`std::thread::sleep_ms`](real::sleep_ms).
#[track_caller]
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::sleep`")]
pub fn sleep_ms(ms: u32) {
    sleep(Duration::from_millis(u64::from(ms)));
}

/// See [`std::thread::yield_now`](real::yield_now).
#[track_caller]
pub fn yield_now() {
    rt::yields(Location::caller());
    real::yield_now();
}

/// See [`std::thread::park`](real::park).
#[track_caller]
pub fn park() {
    rt::parking(false, Location::caller());
    real::park();
    rt::unparked();
}

/// See [`std::thread::park_timeout`](real::park_timeout).
#[track_caller]
pub fn park_timeout(dur: Duration) {
    rt::parking(true, Location::caller());
    real::park_timeout(dur);
    rt::unparked();
}

/// See [`std::thread::park_timeout_ms`](real::park_timeout_ms).
#[track_caller]
#[deprecated(since = "1.6.0", note = "replaced by `std::thread::park_timeout`")]
pub fn park_timeout_ms(ms: u32) {
    park_timeout(Duration::from_millis(u64::from(ms)));
}
