//! The trace format of conccheck: the event schema, its binary, JSON and STD codecs, and the version rules.
//!
//! No analysis happens here. The schema ([`event`]) and the encoder ([`wire`]) have no dependency, since the recorder links them
//! into every user's program; all that reads is behind the feature `read`.

pub mod chunk;
#[cfg(feature = "read")]
pub mod convert;
pub mod event;
pub mod header;
pub mod ids;
pub mod json_write;
pub mod layout;
#[cfg(feature = "read")]
pub mod read;
#[cfg(all(test, feature = "read"))]
mod roundtrip;
pub mod step;
#[cfg(feature = "read")]
pub mod text;
pub mod version;
pub mod wire;
pub mod write;

pub use event::{Event, How, Mode, ObjectKind, Record, Side, SiteDef};
pub use ids::{FrameId, HandleId, Nanos, ObjectId, Order, SiteId, Stamp, StringId, ThreadId, Ticks};
pub use step::{Section, Step};
pub use version::Version;
