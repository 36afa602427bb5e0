//! Numbers of places and strings: found without a lock when asked for again, defined in the trace when first seen.
#![expect(unsafe_code, reason = "the tables are read without a lock and so never freed")]

use std::panic::Location;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use conccheck_trace::{SiteId, StringId, wire};

use crate::spin::Spin;
use crate::sys;
use crate::writer::Writer;

/// What can be numbered: lives for good, and is equal by content, not by address.
pub(crate) trait Key: Copy {
    /// Address and length: equal ones are equal in content.
    fn raw(self) -> (usize, u32);
    /// # Safety
    /// The two must come from [`raw`](Self::raw).
    unsafe fn from_raw(address: usize, length: u32) -> Self;
    fn hash(self) -> usize;
    fn same(self, other: Self) -> bool;
    /// Remembers the number where it is found fast. Called by one thread at a time.
    fn note(self, _id: u32) {}
    /// Writes what `id` means. `false` if that was not possible.
    fn define(self, id: u32, writer: &mut Writer<'_>) -> bool;
}

fn hash_bytes(bytes: &[u8], seed: usize) -> usize {
    bytes.iter().fold(seed, |hash, &byte| (hash ^ usize::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Key for &'static Location<'static> {
    fn raw(self) -> (usize, u32) {
        (std::ptr::from_ref(self) as usize, 0)
    }
    unsafe fn from_raw(address: usize, _: u32) -> Self {
        // SAFETY: by the contract, the address of a reference that lives for good.
        unsafe { &*(address as *const Location<'static>) }
    }
    fn hash(self) -> usize {
        hash_bytes(self.file().as_bytes(), (self.line() as usize) << 12 ^ self.column() as usize)
    }
    fn same(self, other: Self) -> bool {
        self == other
    }
    fn note(self, id: u32) {
        let (address, _) = self.raw();
        let entry = &FIRST_SEEN[(address >> 3) % FIRST_SEEN.len()];
        if entry.address.load(Ordering::Relaxed) == 0 {
            entry.id.store(id, Ordering::Relaxed);
            entry.address.store(address, Ordering::Release);
        }
    }
    fn define(self, id: u32, writer: &mut Writer<'_>) -> bool {
        let file = self.file();
        writer.define(file.len(), |window| wire::put_site(window, 0, SiteId(id), file, self.line(), self.column()))
    }
}

impl Key for &'static str {
    fn raw(self) -> (usize, u32) {
        (self.as_ptr() as usize, self.len() as u32)
    }
    unsafe fn from_raw(address: usize, length: u32) -> Self {
        // SAFETY: by the contract, the parts of a string that lives for good.
        unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(address as *const u8, length as usize)) }
    }
    fn hash(self) -> usize {
        hash_bytes(self.as_bytes(), 0)
    }
    fn same(self, other: Self) -> bool {
        self == other
    }
    fn define(self, id: u32, writer: &mut Writer<'_>) -> bool {
        writer.define(self.len(), |window| wire::put_string(window, 0, StringId(id), self))
    }
}

#[derive(Default)]
struct Entry {
    address: AtomicUsize,
    length: AtomicU32,
    id: AtomicU32,
}

/// An open-addressed table of which at most half is used. A bigger one replaces it; the old one stays for those who read it.
struct Table {
    mask: usize,
    entries: NonNull<Entry>,
}

/// Spreads what differs in the low bits only (addresses, counters).
fn spread(hash: usize) -> usize {
    let hash = (hash as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> 32) as usize
}

impl Table {
    fn new(size: usize) -> Option<&'static Table> {
        let place = sys::map_memory(size_of::<Table>() + size * size_of::<Entry>()).ok()?.cast::<Table>();
        // SAFETY: the entries lie behind the table in the same mapping; zeroed memory is what empty entries are made of, and
        // both types are aligned to 8 bytes.
        unsafe {
            place.write(Table { mask: size - 1, entries: place.add(1).cast() });
            Some(place.as_ref())
        }
    }

    fn size(&self) -> usize {
        self.mask + 1
    }

    #[inline]
    fn entry(&self, index: usize) -> &Entry {
        // SAFETY: masked to the number of entries.
        unsafe { self.entries.add(index & self.mask).as_ref() }
    }

    /// The first entry from `hash` on that is empty or for which `matches` holds, and whether it does.
    #[inline]
    fn probe(&self, hash: usize, matches: impl Fn(usize, &Entry) -> bool) -> (&Entry, bool) {
        let mut index = spread(hash);
        loop {
            let entry = self.entry(index);
            let address = entry.address.load(Ordering::Acquire);
            if address == 0 || matches(address, entry) {
                return (entry, address != 0);
            }
            index += 1;
        }
    }

    fn insert(&self, hash: usize, (address, length): (usize, u32), id: u32) {
        let (entry, _) = self.probe(hash, |_, _| false);
        entry.length.store(length, Ordering::Relaxed);
        entry.id.store(id, Ordering::Relaxed);
        entry.address.store(address, Ordering::Release);
    }
}

/// Places seen first at each remainder of their address: one look where the table takes several. Written once each.
static FIRST_SEEN: [Entry; 1024] =
    [const { Entry { address: AtomicUsize::new(0), length: AtomicU32::new(0), id: AtomicU32::new(0) } }; 1024];

/// The number of a place, if it was the first at its remainder.
#[inline(always)]
pub(crate) fn first_seen(place: &'static Location<'static>) -> Option<SiteId> {
    let address = std::ptr::from_ref(place) as usize;
    let entry = &FIRST_SEEN[(address >> 3) % FIRST_SEEN.len()];
    let found = entry.address.load(Ordering::Acquire) == address;
    found.then(|| SiteId(entry.id.load(Ordering::Relaxed)))
}

/// The number of a place, if it was seen before.
#[inline]
pub(crate) fn find_place(place: &'static Location<'static>) -> Option<SiteId> {
    first_seen(place).or_else(|| SITES.find(place).map(SiteId))
}

/// Numbers things by address, and by content where the address is new.
pub(crate) struct Interner<K> {
    by_address: AtomicPtr<Table>,
    by_content: AtomicPtr<Table>,
    addresses: AtomicUsize,
    contents: AtomicUsize,
    growth: Spin,
    next: &'static AtomicU32,
    key: std::marker::PhantomData<fn(K)>,
}

static NEXT_SITE: AtomicU32 = AtomicU32::new(0);
static NEXT_STRING: AtomicU32 = AtomicU32::new(0);
pub(crate) static SITES: Interner<&'static Location<'static>> = Interner::new(&NEXT_SITE);
pub(crate) static STRINGS: Interner<&'static str> = Interner::new(&NEXT_STRING);

/// A number for a string that is not kept.
pub(crate) fn fresh_string() -> StringId {
    StringId(NEXT_STRING.fetch_add(1, Ordering::Relaxed) + 1)
}

/// In a forked child.
pub(crate) fn break_open() {
    SITES.growth.break_open();
    STRINGS.growth.break_open();
}

impl<K: Key> Interner<K> {
    const fn new(next: &'static AtomicU32) -> Interner<K> {
        Interner {
            by_address: AtomicPtr::new(std::ptr::null_mut()),
            by_content: AtomicPtr::new(std::ptr::null_mut()),
            addresses: AtomicUsize::new(0),
            contents: AtomicUsize::new(0),
            growth: Spin::new(),
            next,
            key: std::marker::PhantomData,
        }
    }

    /// The number of `key`, if its address was seen before.
    pub(crate) fn find(&self, key: K) -> Option<u32> {
        let (address, length) = key.raw();
        // SAFETY: null, or a table, which lives for good.
        let table = unsafe { self.by_address.load(Ordering::Acquire).as_ref() }?;
        let (entry, found) = table.probe(address >> 3, |a, entry| a == address && entry.length.load(Ordering::Relaxed) == length);
        found.then(|| entry.id.load(Ordering::Relaxed))
    }

    /// The number of `key`; a new one if it has none, defined in the writer's chunk. 0 if that is not possible.
    pub(crate) fn id(&self, key: K, writer: &mut Writer<'_>) -> u32 {
        self.find(key)
            .unwrap_or_else(|| if writer.is_nested() { 0 } else { self.growth.with(|| self.define(key, writer)).unwrap_or(0) })
    }

    fn define(&self, key: K, writer: &mut Writer<'_>) -> Option<u32> {
        if let Some(id) = self.find(key) {
            return Some(id);
        }
        let by_address = room(&self.by_address, &self.addresses, |address, _| address >> 3)?;
        let by_content = room(&self.by_content, &self.contents, |address, length| {
            // SAFETY: the table holds what `raw` gave.
            unsafe { K::from_raw(address, length) }.hash()
        })?;
        let (entry, found) = by_content.probe(key.hash(), |address, entry| {
            // SAFETY: as above.
            key.same(unsafe { K::from_raw(address, entry.length.load(Ordering::Relaxed)) })
        });
        let id = if found {
            entry.id.load(Ordering::Relaxed)
        } else {
            let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
            // Defined before anybody can use it.
            if !key.define(id, writer) {
                return None;
            }
            by_content.insert(key.hash(), key.raw(), id);
            self.contents.fetch_add(1, Ordering::Relaxed);
            id
        };
        by_address.insert(key.raw().0 >> 3, key.raw(), id);
        K::note(key, id);
        self.addresses.fetch_add(1, Ordering::Relaxed);
        Some(id)
    }

    /// Defines everything once more: in a forked child's own trace.
    pub(crate) fn define_all(&self, writer: &mut Writer<'_>) {
        // SAFETY: null, or a table, which lives for good.
        let Some(table) = (unsafe { self.by_content.load(Ordering::Acquire).as_ref() }) else { return };
        for index in 0..table.size() {
            let entry = table.entry(index);
            let address = entry.address.load(Ordering::Acquire);
            if address != 0 {
                // SAFETY: the table holds what `raw` gave.
                let key = unsafe { K::from_raw(address, entry.length.load(Ordering::Relaxed)) };
                key.define(entry.id.load(Ordering::Relaxed), writer);
            }
        }
    }
}

/// The table, with room for one more entry; `None` if there is no memory. Only for who holds the interner's growth lock.
fn room(table: &AtomicPtr<Table>, used: &AtomicUsize, hash: impl Fn(usize, u32) -> usize) -> Option<&'static Table> {
    // SAFETY: null, or a table, which lives for good.
    let old: Option<&'static Table> = unsafe { table.load(Ordering::Acquire).as_ref() };
    let size = old.map_or(0, Table::size);
    if used.load(Ordering::Relaxed) * 2 < size {
        return old;
    }
    let new = Table::new((size * 2).max(1024))?;
    for index in 0..size {
        let Some(entry) = old.map(|old| old.entry(index)) else { break };
        let address = entry.address.load(Ordering::Relaxed);
        if address != 0 {
            let length = entry.length.load(Ordering::Relaxed);
            new.insert(hash(address, length), (address, length), entry.id.load(Ordering::Relaxed));
        }
    }
    table.store(std::ptr::from_ref(new).cast_mut(), Ordering::Release);
    Some(new)
}
