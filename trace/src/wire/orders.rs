//! The order that a thread saw last of each lock, within a chunk: what follows from it need not be written.

use core::convert::Infallible;

/// A small open-addressed table. Lock 0 is never in it.
#[derive(Default, Debug)]
pub(crate) struct Orders {
    slots: Vec<(u32, u64)>,
    used: usize,
}

impl Orders {
    /// Index of the lock's slot, or of the free one that it would take.
    #[inline]
    fn find(&self, lock: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut i = (lock.wrapping_mul(0x9e37_79b1) >> 7) as usize & mask;
        while self.slots[i].0 != 0 && self.slots[i].0 != lock {
            i = (i + 1) & mask;
        }
        i
    }

    /// Sets the lock's order by what it was before, if anything, and gives it.
    #[inline]
    pub(crate) fn update<E>(&mut self, lock: u32, order: impl FnOnce(Option<u64>) -> Result<u64, E>) -> Result<u64, E> {
        if lock == 0 {
            return order(None);
        }
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let i = self.find(lock);
        let (key, known) = &mut self.slots[i];
        let is_known = *key == lock;
        *known = order(is_known.then_some(*known))?;
        *key = lock;
        self.used += usize::from(!is_known);
        Ok(*known)
    }

    /// Sets the lock's order; gives the one before.
    pub(crate) fn replace(&mut self, lock: u32, order: u64) -> Option<u64> {
        let mut before = None;
        let Ok(_) = self.update(lock, |known| {
            before = known;
            Ok::<_, Infallible>(order)
        });
        before
    }

    #[cold]
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.slots);
        self.slots = vec![(0, 0); (old.len() * 2).max(16)];
        for (key, order) in old {
            if key != 0 {
                let i = self.find(key);
                self.slots[i] = (key, order);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        if self.used > 0 {
            self.slots.fill((0, 0));
            self.used = 0;
        }
    }
}
