//! Which acquisition of a lock can come next.

use conccheck_trace::Mode;

/// A lock, as far as its acquisitions were passed on.
#[derive(Default)]
pub(super) struct Lock {
    /// Number of the newest exclusive acquisition.
    acquired: u64,
    /// Exclusive acquisitions that were counted, not recorded: gaps in the numbers.
    pub(super) missing: u64,
    holder: Option<(u32, Mode)>,
    /// How often the holder holds it.
    depth: u32,
    readers: u32,
    /// Threads whose next event is a read acquisition, with its number.
    pub(super) reader_heads: Vec<(u32, u64)>,
    /// Threads that wait for it to change.
    pub(super) waiters: Vec<u32>,
    /// Whether it is never held by readers; `None`: not looked up yet.
    pub(super) is_mutex: Option<bool>,
}

pub(super) fn is_read(mode: Mode) -> bool {
    matches!(mode, Mode::Shared | Mode::RecursiveShared)
}

impl Lock {
    /// Whether acquisition `number` can come next. `converts`: the thread holds the lock already, in another mode.
    pub(super) fn is_ready(&self, thread: u32, mode: Mode, number: u64, converts: bool) -> bool {
        let held_by_other = self.holder.filter(|(holder, _)| *holder != thread);
        let known = self.acquired + self.missing;
        if is_read(mode) {
            return self.acquired > number || known >= number && held_by_other.is_none_or(|(_, mode)| mode == Mode::Upgradable);
        }
        if held_by_other.is_some() {
            return false;
        }
        if self.holder.is_some() && (converts || mode == Mode::Reentrant) {
            return mode != Mode::Exclusive || self.readers == 0;
        }
        let readers = mode == Mode::Exclusive && self.readers > u32::from(converts)
            || number != 0 && self.reader_heads.iter().any(|(head, before)| *before < number && *head != thread);
        known + 1 >= number && !readers
    }

    pub(super) fn acquire(&mut self, thread: u32, mode: Mode, number: u64) {
        if is_read(mode) {
            self.readers += 1;
            self.reader_heads.retain(|(head, _)| *head != thread);
            return;
        }
        self.depth = if self.holder.is_some_and(|(holder, _)| holder == thread) { self.depth + 1 } else { 1 };
        self.holder = Some((thread, mode));
        // Numbers that were skipped are the summarised ones.
        self.missing = self.missing.saturating_sub(number.saturating_sub(self.acquired + 1));
        self.acquired = self.acquired.max(number);
    }

    pub(super) fn release(&mut self, mode: Mode) {
        if is_read(mode) {
            self.readers = self.readers.saturating_sub(1);
        } else {
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                self.holder = None;
            }
        }
    }

    /// A release by this thread, which does not say of what: a guard may have been sent to another thread.
    pub(super) fn release_by(&mut self, thread: u32) {
        let owns = self.holder.is_some_and(|(holder, _)| holder == thread || self.readers == 0);
        self.release(if owns { Mode::Exclusive } else { Mode::Shared });
    }
}
