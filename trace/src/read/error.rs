//! Why a trace can't be read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::version::Mismatch;

/// Why a trace can't be read. Every message names the file and, where there is one, the place in it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file or folder.
    NotFound {
        /// What was asked for.
        path: PathBuf,
    },
    /// The file holds nothing.
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    NotATrace {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        looks_like: String,
    },
    /// The trace's version is not read here.
    Version {
        /// The file.
        path: PathBuf,
        /// Which side is too old.
        mismatch: Mismatch,
    },
    /// The file ends before the end of its header.
    CutHeader {
        /// The file.
        path: PathBuf,
        /// Where it ends, in bytes.
        offset: u64,
    },
    /// The operating system says no.
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder holds no trace.
    NoTraceIn {
        /// The folder.
        folder: PathBuf,
    },
    /// A line says something that can't be.
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl Error {
    /// What the operating system said about `path`.
    pub(crate) fn io(path: &Path, source: io::Error) -> Error {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound { Error::NotFound { path } } else { Error::Io { path, source } }
    }

    pub(crate) fn malformed(path: &Path, line: usize, what: impl Into<String>) -> Error {
        Error::Malformed { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound { path } => write!(f, "no such file or folder: {}", path.display()),
            Error::Empty { path } => write!(f, "{}: is empty", path.display()),
            Error::NotATrace { path, looks_like } => write!(f, "{}: not a trace: it looks like {looks_like}", path.display()),
            Error::Version { path, mismatch } => write!(f, "{}: {mismatch}", path.display()),
            Error::CutHeader { path, offset } => {
                write!(f, "{}: cut within the header, at byte {offset}", path.display())
            }
            Error::Io { path, source } => write!(f, "{}: can't be read: {source}", path.display()),
            Error::NoTraceIn { folder } => write!(f, "no trace in folder {}", folder.display()),
            Error::Malformed { path, line, what } => write!(f, "{}:{line}: {what}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
