//! The facade of crossbeam-channel against the original: same behaviour, same text, same traits; and the events that it adds.

#[path = "../../../tests/support/recorded.rs"]
mod recorded;
#[path = "../../../tests/support/traits.rs"]
#[macro_use]
mod traits;

mod auto_traits;
mod events;
mod parity;
