//! A file in memory without being copied there.
#![expect(unsafe_code, reason = "mapping a file is unsafe, since others may change it")]

use std::fs::File;
use std::io;
use std::ops::Deref;

/// A file's bytes.
#[derive(Debug)]
pub(super) struct Mapping(memmap2::Mmap);

impl Mapping {
    /// Maps a file that is not empty.
    pub(super) fn of(file: &File) -> io::Result<Mapping> {
        // SAFETY: a log is only ever appended to, by whole chunks, and what is appended lies behind the length that is mapped here.
        // Its reader checks every byte that it uses and returns no reference whose validity depends on a value read before.
        unsafe { memmap2::Mmap::map(file) }.map(Mapping)
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
