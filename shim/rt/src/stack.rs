//! The calls that led to an acquisition, as addresses: the report resolves them.
//!
//! A capture takes microseconds, so it is made once a *context*: what is held, the lock that is acquired, and where. Contexts that were
//! seen are kept in a table of fixed size that is read and written without a lock.

mod unwind;

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use conccheck_trace::{Event, FrameId, ObjectId, SiteId, StringId, wire};

use crate::spin::Spin;
use crate::writer::Writer;
use crate::{fork, local, recorder, site};

/// Contexts that are told apart; those that find no room are not captured.
const CONTEXTS: usize = 4096;
/// Places that a context is looked for in.
const PROBES: usize = 8;
/// Captures for one site: of a site in a loop over many locks the first ones say enough.
const MOST_A_SITE: u32 = 32;
/// Counters of captures; sites that share one share its limit.
const SITES: usize = 1024;
/// Frames that are kept, from the innermost on.
const FRAMES: usize = 64;

static SEEN: [AtomicU64; CONTEXTS] = [const { AtomicU64::new(0) }; CONTEXTS];
static CAPTURED: [AtomicU32; SITES] = [const { AtomicU32::new(0) }; SITES];
static NEXT_FRAME: AtomicU32 = AtomicU32::new(0);

/// Of which acquisitions the calls are recorded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
enum Wanted {
    None = 1,
    Edges = 2,
    All = 3,
}

/// What `CONCCHECK_STACKS` asks for, once it was looked at: 0 before.
static WANTED: AtomicU8 = AtomicU8::new(0);

#[inline]
fn wanted() -> u8 {
    match WANTED.load(Ordering::Relaxed) {
        0 => look(),
        wanted => wanted,
    }
}

#[cold]
fn look() -> u8 {
    let wanted = match std::env::var_os("CONCCHECK_STACKS") {
        _ if !unwind::IS_POSSIBLE => Wanted::None,
        Some(text) if text == "none" => Wanted::None,
        Some(text) if text == "all" => Wanted::All,
        _ => Wanted::Edges,
    } as u8;
    WANTED.store(wanted, Ordering::Relaxed);
    wanted
}

/// What a thread's sum of held locks starts from: not 0 where the calls of all acquisitions are wanted.
pub(crate) fn start_of_held() -> u32 {
    if wanted() == Wanted::All as u8 { 1 << 31 } else { 0 }
}

/// To be called right behind the acquisition of `lock` at `site`, when it is recorded and nothing else was since. `held` says what
/// else the thread holds, by any number that is the same for the same (0: nothing). The first time in a context, the calls are
/// recorded.
#[inline(always)]
pub(crate) fn first_context(held: u32, lock: ObjectId, site: SiteId) {
    if held != 0 {
        let key = key(held, lock, site);
        // Nearly always found at once.
        if place(key, 0).load(Ordering::Relaxed) != key {
            look_closely(key, site);
        }
    }
}

/// A number for a context, never 0.
#[inline(always)]
fn key(held: u32, lock: ObjectId, site: SiteId) -> u64 {
    (u64::from(held) << 32 ^ u64::from(lock.0) << 16 ^ u64::from(site.0)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1
}

/// Where a context is looked for.
#[inline(always)]
fn place(key: u64, probe: usize) -> &'static AtomicU64 {
    &SEEN[((key >> 40) as usize + probe) % CONTEXTS]
}

#[cold]
#[inline(never)]
fn look_closely(key: u64, site: SiteId) {
    if wanted() != Wanted::None as u8 && is_new(key) {
        capture(site);
    }
}

/// Whether a context is seen for the first time and there is room to note that.
fn is_new(key: u64) -> bool {
    for probe in 0..PROBES {
        match place(key, probe).compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return true,
            Err(other) if other == key => return false,
            Err(_) => {}
        }
    }
    false
}

#[cold]
#[inline(never)]
fn capture(site: SiteId) {
    let captured = &CAPTURED[(site.0 as usize) % SITES];
    if captured.load(Ordering::Relaxed) >= MOST_A_SITE || !recorder::is_on() {
        return;
    }
    captured.fetch_add(1, Ordering::Relaxed);
    let mut addresses = [0; FRAMES];
    let count = unwind::addresses(&mut addresses);
    local::with(|local| {
        let mut writer = local.enter();
        if !writer.is_nested()
            && let Some(frame) = define(&addresses[..count], &mut writer)
        {
            writer.record(Event::Stack { frame });
        }
    });
}

/// Defines the frames, which are given from the innermost on; gives the innermost.
fn define(addresses: &[usize], writer: &mut Writer<'_>) -> Option<FrameId> {
    let mut caller = FrameId::NONE;
    for &address in addresses.iter().rev() {
        let Some(place) = unwind::place(address) else { continue };
        let module = MODULES.id(&place, writer)?;
        let id = FrameId(NEXT_FRAME.fetch_add(1, Ordering::Relaxed) + 1);
        if !writer.define(0, |window| wire::put_frame(window, 0, id, caller, module, place.offset)) {
            return None;
        }
        caller = id;
    }
    caller.is_some().then_some(caller)
}

/// The files that code was found in, by where they are loaded, with the numbers of their paths.
struct Modules {
    lock: Spin,
    entries: [(AtomicU64, AtomicU32); 64],
}

static MODULES: Modules = Modules { lock: Spin::new(), entries: [const { (AtomicU64::new(0), AtomicU32::new(0)) }; 64] };

impl Modules {
    /// The number of a module's path, defined in this process's trace; none for the program itself.
    fn id(&self, place: &unwind::Place, writer: &mut Writer<'_>) -> Option<StringId> {
        if place.path().is_empty() {
            return Some(StringId::NONE);
        }
        let base = (place.base as u64) ^ u64::from(fork::generation()) << 48;
        self.lock.with(|| {
            for (known, id) in &self.entries {
                match known.load(Ordering::Relaxed) {
                    0 => {
                        let new = site::fresh_string();
                        if !writer.define(place.path().len(), |window| wire::put_string(window, 0, new, place.path())) {
                            return None;
                        }
                        id.store(new.0, Ordering::Relaxed);
                        known.store(base, Ordering::Relaxed);
                        return Some(new);
                    }
                    other if other == base => return Some(StringId(id.load(Ordering::Relaxed))),
                    _ => {}
                }
            }
            None
        })
    }
}

/// In a forked child: its trace is another, so that all is new.
pub(crate) fn forget() {
    MODULES.lock.break_open();
    SEEN.iter().for_each(|key| key.store(0, Ordering::Relaxed));
    CAPTURED.iter().for_each(|count| count.store(0, Ordering::Relaxed));
}
