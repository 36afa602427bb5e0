//! The facade of crossbeam-utils: everything that it has, with [`sync`] and [`thread`] instrumented, and the waits of [`Backoff`].
//!
//! What goes on in atomic cells and behind cache padding is not recorded and passes through.
#![no_std]

#[cfg(feature = "std")]
extern crate std;

pub use crossbeam_utils_orig::*;

mod backoff;
#[cfg(feature = "std")]
pub mod sync;
#[cfg(feature = "std")]
pub mod thread;

pub use backoff::Backoff;
