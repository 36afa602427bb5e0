//! A thread's steps, decoded as they are needed.

use conccheck_trace::{Step, ThreadId};

/// A thread with what comes next in it.
pub(super) struct Head<R> {
    pub(super) id: ThreadId,
    /// Reads what is not decoded yet: so many steps at most. None at its end.
    read: Option<R>,
    /// What comes next, from `at` on: decoded some steps at a time, since threads by the thousand don't stay in the caches together.
    block: Vec<Step>,
    at: usize,
    /// Number of its next event.
    pub(super) index: u32,
    /// Whether it waits for another thread's.
    pub(super) waits: bool,
    /// Steps that it went on with although another thread's next one is earlier.
    pub(super) ahead: u32,
}

/// Most steps that are decoded at a time.
const BLOCK: usize = 64;

impl<R: FnMut(&mut Vec<Step>, usize)> Head<R> {
    pub(super) fn new(id: ThreadId, read: R) -> Head<R> {
        Head { id, read: Some(read), block: Vec::new(), at: 0, index: 0, waits: false, ahead: 0 }
    }

    /// Its next step.
    pub(super) fn next(&self) -> Option<&Step> {
        self.block.get(self.at)
    }

    /// Goes on to the step after that. The first blocks are short: threads by the thousand may come and go.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.index = self.index.saturating_add(self.next().map_or(0, Step::events));
        self.at += 1;
        if self.at >= self.block.len() {
            self.decode();
        }
    }

    fn decode(&mut self) {
        let count = (2 * self.block.len()).clamp(1, BLOCK);
        self.block.clear();
        self.at = 0;
        if let Some(read) = &mut self.read {
            read(&mut self.block, count);
        }
        if self.block.is_empty() {
            (self.read, self.block) = (None, Vec::new());
        }
    }
}
