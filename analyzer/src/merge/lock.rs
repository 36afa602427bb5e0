//! Which acquisition of a lock can come next.

use conccheck_trace::Mode;

/// A lock, as far as its acquisitions were passed on. Half a cache line, since traces have many locks.
pub(super) struct Lock {
    /// Number of the newest exclusive acquisition.
    acquired: u64,
    rare: Option<Box<Rare>>,
    /// The thread that holds it, not as a reader; or [`NOBODY`].
    holder: u32,
    /// How often the holder holds it.
    depth: u32,
    readers: u32,
    /// How the holder holds it.
    mode: Mode,
    /// Whether its numbers alone give the order of its acquisitions, since it is never held by readers and none were only counted;
    /// `None`: not looked up yet.
    pub(super) is_ordered: Option<bool>,
    has_waiters: bool,
    has_heads: bool,
}

/// What most locks don't have.
#[derive(Default)]
struct Rare {
    /// Acquisitions that were counted, not recorded, and are not known to come before the newest one: gaps in the numbers. `None`:
    /// all are recorded.
    counted: Option<u64>,
    /// Threads whose next event is an acquisition with this number, so that those with a higher one come after it: the readers and,
    /// where some were only counted, all.
    heads: Vec<(u32, u64)>,
    /// Threads that wait for it to change.
    waiters: Vec<u32>,
}

/// No thread.
const NOBODY: u32 = u32::MAX;

impl Default for Lock {
    fn default() -> Lock {
        Lock {
            acquired: 0,
            rare: None,
            holder: NOBODY,
            depth: 0,
            readers: 0,
            mode: Mode::Exclusive,
            is_ordered: None,
            has_waiters: false,
            has_heads: false,
        }
    }
}

pub(super) fn is_read(mode: Mode) -> bool {
    matches!(mode, Mode::Shared | Mode::RecursiveShared)
}

impl Lock {
    /// Whether acquisition `number` can come next. `converts`: the thread holds the lock already, in another mode.
    pub(super) fn is_ready(&self, thread: u32, mode: Mode, number: u64, converts: bool) -> bool {
        let is_held_by_other = self.holder != NOBODY && self.holder != thread;
        if is_read(mode) {
            return self.acquired > number || self.knows(number) && (!is_held_by_other || self.mode == Mode::Upgradable);
        }
        if is_held_by_other {
            return false;
        }
        if self.holder != NOBODY && (converts || mode == Mode::Reentrant) {
            return mode != Mode::Exclusive || self.readers == 0;
        }
        let waits_for_others = mode == Mode::Exclusive && self.readers > u32::from(converts)
            || number != 0 && self.heads().iter().any(|(head, before)| *before < number && *head != thread);
        self.knows(number.saturating_sub(1)) && !waits_for_others
    }

    /// Whether all exclusive acquisitions up to this one were passed on or may have been counted.
    fn knows(&self, number: u64) -> bool {
        self.acquired >= number || self.counted().is_some_and(|counted| self.acquired.saturating_add(counted) >= number)
    }

    fn counted(&self) -> Option<u64> {
        self.rare.as_ref()?.counted
    }

    fn heads(&self) -> &[(u32, u64)] {
        self.rare.as_ref().filter(|_| self.has_heads).map_or(&[], |rare| &rare.heads)
    }

    pub(super) fn acquire(&mut self, thread: u32, mode: Mode, number: u64) {
        if self.has_heads
            && let Some(rare) = &mut self.rare
        {
            rare.heads.retain(|(head, _)| *head != thread);
            self.has_heads = !rare.heads.is_empty();
        }
        if is_read(mode) {
            self.readers += 1;
            return;
        }
        self.depth = if self.holder == thread { self.depth + 1 } else { 1 };
        (self.holder, self.mode) = (thread, mode);
        if let Some(Rare { counted: Some(counted), .. }) = self.rare.as_deref_mut()
            && number != 0
        {
            // Numbers that were skipped are taken to be counted ones; what comes late was not.
            *counted = match (number - 1).checked_sub(self.acquired) {
                Some(skipped) => counted.saturating_sub(skipped),
                None => counted.saturating_add(1),
            };
        }
        self.acquired = self.acquired.max(number);
    }

    pub(super) fn release(&mut self, mode: Mode) {
        if is_read(mode) {
            self.readers = self.readers.saturating_sub(1);
        } else {
            self.depth = self.depth.saturating_sub(1);
            if self.depth == 0 {
                self.holder = NOBODY;
            }
        }
    }

    /// A release by this thread, which does not say of what: a guard may have been sent to another thread.
    pub(super) fn release_by(&mut self, thread: u32) {
        let owns = self.holder != NOBODY && (self.holder == thread || self.readers == 0);
        self.release(if owns { Mode::Exclusive } else { Mode::Shared });
    }

    /// So many acquisitions were counted, not recorded, at any time.
    pub(super) fn count(&mut self, count: u64) {
        self.is_ordered = Some(false);
        self.rare.get_or_insert_default().counted = Some(count);
    }

    /// Whether acquisition `number` waits for more than were counted, as some counts are not in the trace. From now on it does not.
    pub(super) fn lacks_counts(&mut self, mode: Mode, number: u64) -> bool {
        let before = if is_read(mode) { number } else { number.saturating_sub(1) };
        let lacks = self.counted().is_some() && !self.knows(before);
        if lacks {
            self.count(u64::MAX);
        }
        lacks
    }

    /// The thread's next event is an acquisition with this number.
    pub(super) fn add_head(&mut self, thread: u32, mode: Mode, number: u64) {
        if is_read(mode) || number != 0 && self.counted().is_some() {
            self.has_heads = true;
            self.rare.get_or_insert_default().heads.push((thread, number));
        }
    }

    /// The thread waits for it to change.
    pub(super) fn add_waiter(&mut self, thread: u32) {
        self.has_waiters = true;
        self.rare.get_or_insert_default().waiters.push(thread);
    }

    /// A thread that waited for it to change.
    pub(super) fn take_waiter(&mut self) -> Option<u32> {
        if !self.has_waiters {
            return None;
        }
        let waiters = &mut self.rare.as_mut()?.waiters;
        let waiter = waiters.pop();
        self.has_waiters = !waiters.is_empty();
        waiter
    }
}
