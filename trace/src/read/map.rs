//! A file in memory without being copied there.
#![expect(unsafe_code, reason = "mapping a file is unsafe, since others may change it")]

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};

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

impl Mapping {
    /// Says that these bytes are not looked at soon. They stay readable: the system fetches them from the file again.
    pub(super) fn let_go(&self, bytes: Range<usize>) {
        #[cfg(unix)]
        {
            // Whole pages, whoever else uses the first and the last: else those would stay until their neighbours are done, which may be
            // another thread's, read much later.
            let start = bytes.start / PAGE * PAGE;
            let end = bytes.end.next_multiple_of(PAGE).min(self.0.len());
            if start < end {
                // SAFETY: the mapping is of a file and never written to, so that what is dropped is read from the file again.
                // An error means that memory stays in use, no more.
                _ = unsafe { self.0.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, start, end - start) };
            }
        }
    }
}

/// Bytes of a page, or of several.
#[cfg(unix)]
const PAGE: usize = 1 << 16;

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
