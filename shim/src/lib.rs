//! Drop-in [`sync`] and [`thread`] that record what a program locks, waits for, sends and starts, so that **conccheck** can find
//! its deadlocks, leaked threads and misused locks, also those that did not happen in the run.
//!
//! # The easy way needs none of this
//!
//! `cargo conccheck test` and `cargo conccheck run` instrument a project, its dependencies included, without any change to it. Use
//! this crate where the types are to be chosen by hand: to record some modules only, or in a build that you run yourself.
//!
//! # Swap the types
//!
//! ```toml
//! [dependencies]
//! conccheck = "0.1"
//!
//! [features]
//! record = ["conccheck/record"]
//! ```
//!
//! ```
//! use conccheck::sync::{Arc, Mutex, mpsc};
//! use conccheck::thread;
//!
//! let total = Arc::new(Mutex::new(0));
//! let (sender, receiver) = mpsc::channel();
//! let worker = thread::spawn({
//!     let total = Arc::clone(&total);
//!     move || {
//!         for amount in receiver {
//!             *total.lock().unwrap() += amount;
//!         }
//!     }
//! });
//! sender.send(2).unwrap();
//! sender.send(3).unwrap();
//! drop(sender);
//! worker.join().unwrap();
//! assert_eq!(*total.lock().unwrap(), 5);
//! ```
//!
//! The two modules have everything that `std::sync` and `std::thread` have; what is instrumented, and what passes through, is listed
//! in this crate's `COVERAGE.md`.
//!
//! # Other crates
//!
//! Each of these features adds a module with the name of a crate, which has everything that the crate has:
//!
//! | feature | such as |
//! |---|---|
//! | `parking_lot` | `conccheck::parking_lot::Mutex` |
//! | `lock_api` | `conccheck::lock_api::RwLock` |
//! | `once_cell` | `conccheck::once_cell::sync::Lazy` |
//! | `crossbeam-channel` | `conccheck::crossbeam_channel::bounded` |
//! | `crossbeam-utils` | `conccheck::crossbeam_utils::sync::WaitGroup` |
//!
//! # Say when threads are to end
//!
//! A thread that does not end when it is told to is a defect that only the program can define. Three things say it:
//!
//! - [`CancellationToken`]: cloned into threads, cancelled by whoever stops them;
//! - [`StopFlag`], which is `AtomicBool`: one that becomes `true` tells those who load it to end;
//! - [`scope!`]: threads that are started within it are to end with it.
//!
//! ```
//! use conccheck::{CancellationToken, thread};
//! use std::time::Duration;
//!
//! let _scope = conccheck::scope!("poller");
//! let token = CancellationToken::new();
//! let poller = thread::spawn({
//!     let token = token.clone();
//!     move || while !token.wait_timeout(Duration::from_millis(5)) { /* poll */ }
//! });
//! token.cancel();
//! poller.join().unwrap();
//! ```
//!
//! A thread that goes on for longer than the grace period is then reported as `ignored-cancellation`.
//!
//! # Off is std
//!
//! Without the feature `record` the two modules *are* std's, and the others are the crates themselves: the same types, hence the same
//! machine code. [`StopFlag`] is `AtomicBool` then, tokens are plain ones, and [`scope!`] does nothing. So a library may use this crate and leave the choice to the program at the end of the line.
//!
//! # Record and report
//!
//! With the feature, a run writes a trace where `CONCCHECK_TRACE` says: a folder, or a file such as `trace.json`.
//!
//! ```text
//! CONCCHECK_TRACE=trace.json cargo run --features record
//! conccheck report trace.json
//! ```
//!
//! Without that variable nothing is written, and the instrumented types do what the originals do.
//!
//! # Both ways at once
//!
//! Under `cargo conccheck` std itself is instrumented already; this crate then re-exports that std, whatever its features, and every
//! event is recorded once.
#![no_std]
#![forbid(unsafe_code)]

extern crate std;

#[cfg(all(feature = "record", not(conccheck_substituted)))]
pub use conccheck_std::{sync, thread};
#[cfg(any(not(feature = "record"), conccheck_substituted))]
pub use std::{sync, thread};

#[cfg(all(feature = "record", not(conccheck_substituted)))]
use conccheck_rt as rt;
#[cfg(not(any(feature = "record", conccheck_substituted)))]
mod off;
#[cfg(not(any(feature = "record", conccheck_substituted)))]
use off as rt;
#[cfg(conccheck_substituted)]
use std::__conccheck_rt as rt;

mod cancellation;
mod scope;
#[cfg(any(feature = "record", conccheck_substituted))]
mod stop_flag;

pub use cancellation::{CancellationToken, DropGuard};
pub use scope::Scope;
/// A flag that tells threads to end: `AtomicBool`, whose changes to `true` and whose loads are recorded if this crate records.
#[cfg(not(any(feature = "record", conccheck_substituted)))]
pub use std::sync::atomic::AtomicBool as StopFlag;
#[cfg(any(feature = "record", conccheck_substituted))]
pub use stop_flag::StopFlag;

/// Re-exports a crate by the feature of its name: its facade if this crate records, else the crate itself.
macro_rules! by_feature {
    ($($feature:literal: $original:ident, $facade:ident;)*) => {
        $(
            #[cfg(all(feature = $feature, feature = "record", not(conccheck_substituted)))]
            pub use $facade as $original;
            #[cfg(all(feature = $feature, any(not(feature = "record"), conccheck_substituted)))]
            pub use $original;
        )*
    };
}

by_feature! {
    "lock_api": lock_api, conccheck_lock_api;
    "parking_lot": parking_lot, conccheck_parking_lot;
    "crossbeam-channel": crossbeam_channel, conccheck_crossbeam_channel;
    "crossbeam-utils": crossbeam_utils, conccheck_crossbeam_utils;
    "once_cell": once_cell, conccheck_once_cell;
}
