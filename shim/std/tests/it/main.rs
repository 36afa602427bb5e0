//! The facade of std against std itself: same behaviour, same text, same traits; and the events that it adds.

#[path = "../../../tests/support/recorded.rs"]
mod recorded;
#[path = "../../../tests/support/traits.rs"]
#[macro_use]
mod traits;
#[path = "../../../tests/support/until_recorded.rs"]
mod until_recorded;

mod auto_traits;
mod coverage;
mod events;
mod parity;
mod substitution;
