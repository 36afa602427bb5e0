//! The facade of std against std itself: same behaviour, same text, same traits; and the events that it adds.

mod auto_traits;
mod coverage;
mod events;
mod parity;
mod substitution;
