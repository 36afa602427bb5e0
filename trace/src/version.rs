//! Version rules of the format.
//!
//! A reader reads a trace of its own major version and of any minor version up to its own. The minor version goes up when an
//! event or field is added, the major version when the meaning of a byte changes.

use core::fmt;

/// Version of the trace format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Version {
    /// Goes up when older readers would misread.
    pub major: u16,
    /// Goes up when older readers would miss something.
    pub minor: u16,
}

/// What this crate writes and reads.
pub const CURRENT: Version = Version { major: 1, minor: 1 };

/// Why a trace of some version can't be read here: which side is too old.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// The trace was written by a newer conccheck.
    ReaderTooOld(Version),
    /// The trace was written by an older conccheck whose format is no longer read.
    TraceTooOld(Version),
}

impl Version {
    /// Whether a reader of version `reader` can read a trace of this version.
    ///
    /// # Errors
    /// The side that is too old.
    pub fn check_readable_by(self, reader: Version) -> Result<(), Mismatch> {
        if self.major == reader.major && self.minor <= reader.minor {
            Ok(())
        } else if self > reader {
            Err(Mismatch::ReaderTooOld(self))
        } else {
            Err(Mismatch::TraceTooOld(self))
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::ReaderTooOld(v) => {
                write!(f, "trace format {v} is newer than this conccheck, which reads up to {CURRENT}: update conccheck")
            }
            Mismatch::TraceTooOld(v) => {
                write!(f, "trace format {v} is too old for this conccheck, which reads {CURRENT}: record it again")
            }
        }
    }
}
