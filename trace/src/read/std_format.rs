//! Reads the STD format.

use super::{Error, ProcessTrace};
use std::io::BufRead;
use std::path::Path;
pub(super) fn read(path: &Path, _input: impl BufRead, _lines_before: usize) -> Result<ProcessTrace, Error> {
    Err(Error::NotATrace { path: path.to_owned(), looks_like: "a STD trace".to_owned() })
}
