//! One recording of one process: its files, its live header, its size.
#![expect(unsafe_code, reason = "the live header is a mapped page")]

use std::io::{self, Write};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use conccheck_trace::Ticks;
use conccheck_trace::layout::{LIVE_HEADER_SIZE, chunk, live};
use conccheck_trace::wire::Decoder;

use crate::backlog::Backlog;
use crate::clock::Pair;
use crate::file::Files;
use crate::slots::Slots;
use crate::sys;

/// A recording. Lives to the end of the process.
pub(crate) struct Session {
    pub(crate) files: Files,
    pub(crate) slots: Slots,
    pub(crate) backlog: Backlog,
    header: NonNull<u8>,
    pub(crate) first: Pair,
    /// Most bytes that the trace may take.
    cap: u64,
    log_bytes: AtomicU64,
    /// An append failed: what is in the log now may end within a chunk, so nothing may follow.
    broken: AtomicBool,
}

// SAFETY: `header` is a mapping that lives for good and is used through atomics only.
unsafe impl Sync for Session {}

static CURRENT: AtomicPtr<Session> = AtomicPtr::new(std::ptr::null_mut());

/// How much of the size that a trace may take is taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Budget {
    /// Everything is recorded.
    Free,
    /// What was seen often is counted.
    Tight,
    /// Only what was never seen is recorded.
    Spent,
}

impl Session {
    /// Starts a recording and makes it the current one.
    pub(crate) fn start(target: &Path) -> io::Result<&'static Session> {
        let files = Files::create(target)?;
        let live = files.live.try_clone().and_then(|live| Ok((sys::map_file(&live, 0, LIVE_HEADER_SIZE)?, live)));
        let (header, live) = match live {
            Ok(live) => live,
            Err(error) => {
                files.remove();
                return Err(error);
            }
        };
        let first = Pair::now();
        let log_bytes = AtomicU64::new(files.log_len);
        let slots = Slots::new(live);
        let cap = cap();
        let (backlog, broken) = (Backlog::new(), AtomicBool::new(false));
        let session = Box::leak(Box::new(Session { files, slots, backlog, header, first, cap, log_bytes, broken }));
        session.set_clock(live::CLOCK_FIRST, first);
        session.set_clock(live::CLOCK_LAST, first);
        CURRENT.store(session, Ordering::Release);
        Ok(session)
    }

    /// The current recording, if there is one.
    pub(crate) fn current() -> Option<&'static Session> {
        // SAFETY: null, or leaked by `start`.
        unsafe { CURRENT.load(Ordering::Acquire).as_ref() }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        // SAFETY: all offsets in `live` lie in the page and are multiples of 8 where this is used; the page lives for good.
        unsafe { AtomicU64::from_ptr(self.header.add(at).as_ptr().cast()) }
    }

    fn half_word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: as above, with multiples of 4.
        unsafe { AtomicU32::from_ptr(self.header.add(at).as_ptr().cast()) }
    }

    fn set_clock(&self, at: usize, pair: Pair) {
        self.word(at).store(pair.ticks.to_le(), Ordering::Relaxed);
        self.word(at + 8).store(pair.nanos.saturating_sub(self.first.nanos).to_le(), Ordering::Relaxed);
    }

    /// Notes what the clocks say now.
    pub(crate) fn refresh_clock(&self, pair: Pair) {
        self.set_clock(live::CLOCK_LAST, pair);
    }

    /// Notes that the process ends in order.
    pub(crate) fn note_end(&self) {
        self.refresh_clock(Pair::now());
        self.half_word(live::CLEAN_END).store(1_u32.to_le(), Ordering::Release);
    }

    /// Notes that the watchdog ends the process.
    pub(crate) fn note_deadlock(&self) {
        self.refresh_clock(Pair::now());
        self.half_word(live::DEADLOCK).store(1_u32.to_le(), Ordering::Release);
    }

    /// Whether events were lost that no chunk says anything about.
    pub(crate) fn has_losses(&self) -> bool {
        self.word(live::LOST_EVENTS).load(Ordering::Relaxed) != 0
    }

    /// Counts events that no chunk can hold.
    pub(crate) fn lose(&self, events: u64, reason: &io::Error) {
        let count = self.word(live::LOST_EVENTS);
        // Little-endian in the file: rare enough for a loop.
        let _ = count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |old| Some(u64::from_le(old).saturating_add(events).to_le()));
        let code = reason.raw_os_error().and_then(|code| u32::try_from(code).ok()).unwrap_or(28);
        let _ = self.half_word(live::LOST_REASON).compare_exchange(0, code.to_le(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Counts the bytes of a chunk that the log gets, before it does.
    pub(crate) fn count(&self, length: usize) {
        self.log_bytes.fetch_add(length as u64, Ordering::Relaxed);
    }

    /// Appends a chunk to the log; if that fails, now or before, counts the events that are lost.
    pub(crate) fn append(&self, chunk: &[u8]) {
        if self.broken.load(Ordering::Relaxed) {
            return self.tell_losses(chunk, 0, &io::ErrorKind::StorageFull.into());
        }
        let written = loop {
            match (&self.files.log).write(chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let (length, error) = match written {
            Ok(length) if length == chunk.len() => return,
            Ok(length) => (length, io::ErrorKind::StorageFull.into()),
            Err(error) => (0, error),
        };
        self.broken.store(true, Ordering::Relaxed);
        self.tell_losses(chunk, length, &error);
    }

    /// Counts the events of a chunk of which only this many bytes are in the log.
    fn tell_losses(&self, chunk: &[u8], written: usize, error: &io::Error) {
        let events = |end: usize| {
            let entries = chunk.get(chunk::ENTRIES..end).unwrap_or_default();
            let mut entries = Decoder::new(entries, Ticks(0));
            std::iter::from_fn(|| entries.next_record(|_| {})).filter(Result::is_ok).count()
        };
        self.lose((events(chunk.len()) - events(written)) as u64, error);
    }

    /// How much of the cap is used up.
    pub(crate) fn budget(&self) -> Budget {
        let used = self.log_bytes.load(Ordering::Relaxed);
        if used < self.cap / 2 {
            Budget::Free
        } else if used < self.cap - self.cap / 8 {
            Budget::Tight
        } else {
            Budget::Spent
        }
    }
}

/// What `CONCCHECK_MAX_TRACE` says, in bytes.
fn cap() -> u64 {
    const DEFAULT: u64 = 1 << 30;
    std::env::var("CONCCHECK_MAX_TRACE").ok().and_then(|text| parse_size(&text)).unwrap_or(DEFAULT)
}

/// A size in bytes: digits and an optional `K`, `M` or `G`.
fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        _ => return None,
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("4096"), Some(4096));
        assert_eq!(parse_size("64k"), Some(64 << 10));
        assert_eq!(parse_size(" 2 GiB "), Some(2 << 30));
        assert_eq!(parse_size("2X"), None);
        assert_eq!(parse_size(""), None);
    }
}
