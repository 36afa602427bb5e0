//! The facade of crossbeam-channel against the original: same behaviour, same text, same traits; and the events that it adds.

mod auto_traits;
mod events;
mod parity;
