//! The facade of once_cell: everything that it has, with [`sync`] instrumented.
#![no_std]

extern crate std;

pub use once_cell_orig::*;

#[cfg(feature = "std")]
pub mod sync;
