//! The facade of once_cell: everything that it has, with [`sync`] instrumented.
//!
//! Without the feature `std` that module, which then needs `critical-section`, is the original's: nobody blocks in it.
#![no_std]

extern crate std;

pub use once_cell_orig::*;

#[cfg(feature = "std")]
pub mod sync;
