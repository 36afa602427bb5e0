//! The facade against the original: same behaviour, same texts, same traits; and the events that it adds.

#[path = "../../../tests/support/mod.rs"]
#[macro_use]
mod support;

mod events;
mod features;
mod parity;
mod traits;
