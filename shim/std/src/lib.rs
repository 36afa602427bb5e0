//! The facade of std: everything that std has, with [`sync`] and [`thread`] instrumented.
//!
//! `cargo conccheck` hands this crate to the compiler under the name `std`, so that unmodified sources record what they lock, wait
//! for, send and start. A type of the facade has the API of the type that it stands for, wraps that type, and leaves every outcome
//! to it. Explicit items shadow the glob re-exports, so whatever is not wrapped is the original.
#![no_std]

extern crate std as real_std;

pub use real_std::*;

/// The recorder, for the crate `conccheck` where this crate takes std's place.
#[doc(hidden)]
pub use conccheck_rt as __conccheck_rt;

pub mod hint;
pub mod process;
pub mod sync;
pub mod thread;
