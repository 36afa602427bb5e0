//! The slots of live threads: pieces of a shared file mapping, handed from thread to thread.
#![expect(unsafe_code, reason = "slots are raw parts of a mapped file")]

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use conccheck_trace::layout::{LIVE_HEADER_SIZE, SLOT_SIZE, chunk};

use crate::saving::Saving;
use crate::spin::Spin;
use crate::sys;

/// Slots that are mapped at once.
const BLOCK: usize = 16;

/// One slot: where it is mapped, and how much of it the file system has set aside.
pub(crate) struct Slot {
    base: NonNull<u8>,
    offset: u64,
    /// Bytes from the slot's start that can be written to without running out of disk.
    extent: Cell<u32>,
    /// The counts of the thread that has the slot; null until they are needed.
    counts: Cell<*mut Saving>,
    next: AtomicPtr<Slot>,
}

// SAFETY: a slot belongs to one thread at a time, from `Slots::take` to `Slots::give_back`; only that thread uses the rest.
unsafe impl Sync for Slot {}

impl Slot {
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    pub(crate) fn extent(&self) -> u32 {
        self.extent.get()
    }

    /// The chunk in the slot, as far as it is filled. Only for who has the slot.
    pub(crate) fn chunk(&self) -> &[u8] {
        let end = (u32::from_le(self.field(chunk::END).load(Ordering::Relaxed)) as usize).min(SLOT_SIZE);
        // SAFETY: mapped, up to there written to, and nobody else writes.
        unsafe { std::slice::from_raw_parts(self.base(), end) }
    }

    /// Says that there is no chunk in the slot.
    pub(crate) fn clear(&self) {
        self.set(chunk::MAGIC, 0);
    }

    /// Sets a field of the chunk's header, by its offset. Only for who has the slot.
    pub(crate) fn set(&self, at: usize, value: u32) {
        self.field(at).store(value.to_le(), Ordering::Release);
    }

    fn field(&self, at: usize) -> &AtomicU32 {
        // SAFETY: an aligned field of 32 bits in a chunk's header; other processes that map the file only read.
        unsafe { AtomicU32::from_ptr(self.base().add(at).cast()) }
    }

    /// The counts of the thread that has the slot; `None` if there is no memory. Only for that thread, within the recorder.
    #[expect(clippy::mut_from_ref, reason = "a slot has one user at a time")]
    pub(crate) fn counts(&self) -> Option<&mut Saving> {
        if self.counts.get().is_null() {
            self.counts.set(std::ptr::from_mut(Saving::new()?));
        }
        // SAFETY: it lives for good, and whoever has the slot uses it for one call at a time.
        unsafe { self.counts.get().as_mut() }
    }

    /// Empties the counts for the slot's next thread.
    pub(crate) fn forget_counts(&self) {
        // SAFETY: as above.
        if let Some(counts) = unsafe { self.counts.get().as_mut() } {
            counts.clear();
        }
    }
}

/// All slots of a recording.
pub(crate) struct Slots {
    file: File,
    growth: Spin,
    free: AtomicPtr<Slot>,
    mapped: AtomicU32,
    /// There is no room for more: not tried again.
    full: AtomicBool,
}

impl Slots {
    pub(crate) fn new(file: File) -> Slots {
        Slots {
            file,
            growth: Spin::new(),
            free: AtomicPtr::new(std::ptr::null_mut()),
            mapped: AtomicU32::new(0),
            full: AtomicBool::new(false),
        }
    }

    /// A slot of which at least the first page can be written to.
    pub(crate) fn take(&self) -> io::Result<&'static Slot> {
        let slot = self.growth.with(|| {
            if self.free.load(Ordering::Relaxed).is_null() {
                if self.full.load(Ordering::Relaxed) {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                self.grow().inspect_err(|_| self.full.store(true, Ordering::Relaxed))?;
            }
            // SAFETY: slots are never unmapped, and `grow` leaves at least one in the list.
            let slot: &'static Slot = unsafe { &*self.free.load(Ordering::Relaxed) };
            self.free.store(slot.next.load(Ordering::Relaxed), Ordering::Relaxed);
            Ok::<_, io::Error>(slot)
        })?;
        if slot.extent() == 0 && !self.extend(slot) {
            self.give_back(slot);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(slot)
    }

    /// Takes a slot back whose chunk is in the log.
    pub(crate) fn give_back(&self, slot: &'static Slot) {
        self.growth.with(|| {
            slot.next.store(self.free.load(Ordering::Relaxed), Ordering::Relaxed);
            self.free.store(std::ptr::from_ref(slot).cast_mut(), Ordering::Relaxed);
        });
    }

    /// Gives back the disk that slots without a thread have set aside. Who takes one of them later sets it aside again.
    pub(crate) fn give_disk_back(&self) {
        let mut next = self.growth.with(|| self.free.swap(std::ptr::null_mut(), Ordering::Relaxed));
        // SAFETY: null, or a slot, which is never unmapped.
        while let Some(slot) = unsafe { next.as_ref() } {
            next = slot.next.load(Ordering::Relaxed);
            if slot.extent() > 0 && sys::give_back(&self.file, slot.offset, SLOT_SIZE).is_ok() {
                slot.extent.set(0);
            }
            self.give_back(slot);
        }
    }

    /// Sets more of the slot aside: a page, then a quarter, then all. `false` if that is not possible.
    pub(crate) fn extend(&self, slot: &Slot) -> bool {
        let from = slot.extent() as usize;
        let to = match from {
            0 => 4096,
            4096 => SLOT_SIZE / 4,
            _ => SLOT_SIZE,
        };
        if from >= SLOT_SIZE || sys::reserve(&self.file, slot.offset + from as u64, to - from).is_err() {
            return false;
        }
        slot.extent.set(to as u32);
        true
    }

    fn grow(&self) -> io::Result<()> {
        let first = self.mapped.load(Ordering::Relaxed);
        let offset = LIVE_HEADER_SIZE as u64 + u64::from(first) * SLOT_SIZE as u64;
        let length = BLOCK * SLOT_SIZE;
        self.file.set_len(offset + length as u64)?;
        let base = sys::map_file(&self.file, offset, length)?;
        let slots = sys::map_memory(BLOCK * size_of::<Slot>())?.cast::<Slot>();
        for i in (0..BLOCK).rev() {
            let slot = Slot {
                // SAFETY: within the mapping of `BLOCK` slots.
                base: unsafe { base.add(i * SLOT_SIZE) },
                offset: offset + (i * SLOT_SIZE) as u64,
                extent: Cell::new(0),
                counts: Cell::new(std::ptr::null_mut()),
                next: AtomicPtr::new(self.free.load(Ordering::Relaxed)),
            };
            // SAFETY: room for `BLOCK` of them was mapped, page-aligned, and nobody else knows the place yet.
            let place = unsafe { slots.add(i) };
            // SAFETY: as above.
            unsafe { place.write(slot) };
            self.free.store(place.as_ptr(), Ordering::Relaxed);
        }
        self.mapped.store(first + BLOCK as u32, Ordering::Relaxed);
        Ok(())
    }
}
