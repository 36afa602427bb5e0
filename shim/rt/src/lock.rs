//! The engine of every lock's facade: requests, acquisitions, releases.

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};

use conccheck_trace::wire::{self, MAX_ENTRY, acquire};
use conccheck_trace::{Event, How, Mode, ObjectId, ObjectKind, Order, SiteId};

use crate::entry::{self, RELEASE};
use crate::object::{self, Object};
use crate::saving::Verdict;
use crate::writer::Writer;
use crate::{clock, local, perturb, recorder, site, ticker};

mod beyond;

/// What the recorder knows about one lock.
#[derive(Debug)]
pub struct Lock {
    object: Object,
    /// Number of the last exclusive acquisition. Written by who holds the lock exclusively (or upgradably).
    order: AtomicU64,
    /// The chunk that this acquisition stands in: there, the next one need not repeat its order.
    chunk: AtomicU64,
}

/// The name of the type within a lock: `std::any::type_name::<T>`.
pub type TypeName = fn() -> &'static str;

type Place = &'static Location<'static>;

/// How a lock is acquired, in one register: [`wire::code`], the mode, and the way of asking, a byte each.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Kind(u32);

impl Kind {
    #[inline]
    const fn new(mode: Mode, how: How) -> Kind {
        Kind(wire::code(mode, how) as u32 | (mode as u32) << 8 | (how as u32) << 16)
    }

    #[inline(always)]
    fn code(self) -> u8 {
        self.0 as u8
    }

    #[inline(always)]
    fn is_read(self) -> bool {
        const SHARED: u8 = Mode::Shared as u8;
        const RECURSIVE: u8 = Mode::RecursiveShared as u8;
        matches!((self.0 >> 8) as u8, SHARED | RECURSIVE)
    }

    fn mode(self) -> Mode {
        mode_of((self.0 >> 8) as u8)
    }

    fn how(self) -> How {
        match (self.0 >> 16) as u8 {
            0 => How::Blocking,
            1 => How::Try,
            _ => How::Timed,
        }
    }
}

fn mode_of(number: u8) -> Mode {
    match number {
        0 => Mode::Exclusive,
        1 => Mode::Shared,
        2 => Mode::RecursiveShared,
        3 => Mode::Upgradable,
        _ => Mode::Reentrant,
    }
}

impl Lock {
    /// A lock created where the caller's caller says.
    #[track_caller]
    pub const fn new(kind: ObjectKind) -> Lock {
        Lock { object: Object::new(kind), order: AtomicU64::new(0), chunk: AtomicU64::new(0) }
    }

    /// The lock's number.
    #[inline]
    pub fn id(&self, type_name: TypeName) -> ObjectId {
        self.object.id(type_name)
    }

    /// To be called when the first, non-waiting try failed and the thread is about to wait.
    #[inline(never)]
    pub fn request(&self, mode: Mode, how: How, place: Place, type_name: TypeName) {
        if recorder::is_on() {
            recorder::emit(Event::Request { lock: self.id(type_name), site: recorder::site(place), mode, how });
        }
    }

    /// To be called by who has just got the lock. What it returns is to be dropped just before the lock is released.
    #[inline]
    pub fn acquired(&self, mode: Mode, how: How, place: Place, type_name: TypeName) -> Held<'_> {
        let panicking = if std::thread::panicking() { State::PANICKING } else { 0 };
        let kind = Kind::new(mode, how);
        let state = if kind.code() == acquire::OTHER {
            self.acquire_slowly(kind, place, type_name)
        } else if kind.is_read() {
            self.acquire::<true>(kind, place, type_name)
        } else {
            self.acquire::<false>(kind, place, type_name)
        };
        Held { lock: self, state: State(state.0 | panicking), wrote: false }
    }

    /// What nearly every acquisition needs, without a call but in its last place: others cost registers that are to be saved first,
    /// and the locked instruction that ends the section waits for every store.
    // `extern "C"`: never unwinds, so that callers need no clean-up code around it and their guards stay in registers.
    #[inline(never)]
    #[expect(improper_ctypes_definitions, reason = "called from Rust only")]
    extern "C" fn acquire<const READ: bool>(&self, kind: Kind, place: Place, type_name: TypeName) -> State {
        let lock = self.object.number();
        if let Some(site) = site::first_seen(place)
            && let Some(pair) = entry::pair(lock, site)
            && let Some((end, length)) = local::with(|local| {
                // In a forked child, the number may be one that the parent gave.
                if !local.is_ours(lock) {
                    return None;
                }
                let written = local.write_frequent(|place, elapsed| {
                    let (order, mut follows) = self.advance(READ, local.serial.get());
                    if READ {
                        follows |= local.sees(lock, order);
                    }
                    place.acquisition(acquire::MARK | kind.code(), elapsed, pair, (!follows).then_some(order))
                })?;
                local.hold(lock);
                local.say_calls(lock, site);
                Some(written)
            })
        {
            return State::written(lock, kind, end, length);
        }
        self.acquire_slowly(kind, place, type_name)
    }

    #[cold]
    #[inline(never)]
    #[expect(improper_ctypes_definitions, reason = "called from Rust only")]
    extern "C" fn acquire_slowly(&self, kind: Kind, place: Place, type_name: TypeName) -> State {
        if !recorder::is_on() {
            return State::new(ObjectId::NONE, kind);
        }
        let (lock, site) = (self.id(type_name), recorder::site(place));
        let verdict = local::with(|local| {
            let verdict = self.record_acquisition(&mut local.enter(), lock, site, kind);
            if verdict != Verdict::Drop {
                local.hold(lock);
            }
            if verdict == Verdict::Record {
                local.say_calls(lock, site);
            }
            verdict
        });
        perturb::pause();
        State::new(if verdict == Verdict::Drop { ObjectId::NONE } else { lock }, kind)
    }

    /// Records an acquisition or counts it, or neither: then its release is not to be told.
    fn record_acquisition(&self, writer: &mut Writer<'_>, lock: ObjectId, site: SiteId, kind: Kind) -> Verdict {
        let (mode, how) = (kind.mode(), kind.how());
        let (order, follows);
        if writer.has_room() {
            (order, follows) = self.advance(kind.is_read(), writer.serial());
        } else {
            (order, follows) = (self.advance(kind.is_read(), 0).0, false);
            match writer.judge(lock, site, mode, how, order) {
                Ok(Verdict::Record) => {}
                Ok(verdict) => return verdict,
                Err(error) => {
                    // This one, and its release.
                    writer.lose(2, &error);
                    return Verdict::Drop;
                }
            }
        }
        writer.write_acquisition((lock, site), (mode, how), (!follows).then_some(order));
        Verdict::Record
    }

    /// The order of an acquisition that is recorded in chunk `serial` (0: in none), and whether it follows from that chunk.
    #[inline]
    fn advance(&self, is_read: bool, serial: u64) -> (Order, bool) {
        if is_read {
            // An upgradable reader may come meanwhile: it writes `chunk` first.
            let order = self.order.load(Ordering::Acquire);
            (Order(order), self.chunk.load(Ordering::Relaxed) == serial)
        } else {
            let order = self.order.load(Ordering::Relaxed) + 1;
            let follows = self.chunk.load(Ordering::Relaxed) == serial;
            if !follows {
                self.chunk.store(serial, Ordering::Relaxed);
            }
            self.order.store(order, Ordering::Release);
            (Order(order), follows)
        }
    }

    /// To be called when a try that never waits found the lock taken.
    pub fn try_failed(&self, mode: Mode, place: Place, type_name: TypeName) {
        if recorder::is_on() {
            recorder::emit(Event::TryFail { lock: self.id(type_name), site: recorder::site(place), mode });
        }
    }

    /// To be called when a wait with a limit ended without the lock.
    pub fn timed_out(&self, mode: Mode, place: Place, type_name: TypeName) {
        if recorder::is_on() {
            recorder::emit(Event::TimeOut { lock: self.id(type_name), site: recorder::site(place), mode });
        }
    }

    /// To be called behind [`acquired`](Self::acquired) when the lock is poisoned.
    pub fn poison_seen(&self, place: Place, type_name: TypeName) {
        if recorder::is_on() {
            recorder::emit(Event::PoisonSeen { lock: self.id(type_name), site: recorder::site(place) });
        }
    }

    /// To be called when the poison was cleared.
    pub fn poison_cleared(&self, place: Place, type_name: TypeName) {
        if recorder::is_on() {
            recorder::emit(Event::PoisonCleared { lock: self.id(type_name), site: recorder::site(place) });
        }
    }
}

#[inline(never)]
extern "C" fn released(state: State, wrote: bool) {
    // Asked here, since a guard's drop is inlined only while it is small, and only then does the guard stay in registers.
    let panicking = std::thread::panicking();
    let recorded = !panicking
        && local::with(|local| {
            let lock = state.id();
            let bits = acquire::RELEASED | if wrote { acquire::WROTE } else { 0 };
            let recorded = local.fold(state.end(), state.length(), lock, bits)
                || clock::is_ticking()
                    && local.is_ours(lock)
                    && entry::lone(lock).is_some_and(|lone| {
                        local.write_frequent(|place, elapsed| place.release(RELEASE | u8::from(wrote), elapsed, lone)).is_some()
                    });
            if recorded {
                local.unhold(lock);
            }
            recorded
        });
    if !recorded {
        released_slowly(state, wrote, panicking && !state.has(State::PANICKING));
    }
}

/// `unwinding`: by a panic that began while the lock was held.
#[inline(never)]
fn released_slowly(state: State, wrote: bool, unwinding: bool) {
    let lock = state.id();
    // In a forked child, the acquisition may stand in the parent's trace; without a number it stands in none.
    if !object::is_ours(lock.0) {
        return;
    }
    local::with(|local| {
        local.unhold(lock);
        let mut writer = local.enter();
        if !writer.has_room() {
            if let Err(error) = writer.make_room(MAX_ENTRY) {
                return writer.lose(1, &error);
            }
            if writer.count_release(lock) {
                return;
            }
        }
        writer.write(Event::Release { lock, wrote, unwinding });
    });
    ticker::wake();
}

/// A lock that is held. Dropping it records the release, so it must be dropped just before the lock is released.
///
#[must_use = "dropping it says that the lock is released"]
pub struct Held<'a> {
    lock: &'a Lock,
    state: State,
    /// Apart from `state`, which is read whole soon after this is written: the processor would wait for the merge.
    wrote: bool,
}

/// The lock's number (0 where the acquisition is not in the trace) in the low half; above, where its entry ends and the entry's length
/// if it is a frequent one, the mode, and a flag.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct State(u64);

impl State {
    const END: u32 = 32;
    const LENGTH: u32 = 48;
    const MODE: u32 = 56;
    /// The thread was panicking already when it got the lock.
    const PANICKING: u64 = 1 << 63;

    #[inline(always)]
    fn new(lock: ObjectId, kind: Kind) -> State {
        State(u64::from(lock.0) | u64::from(kind.0 >> 8 & 0xff) << State::MODE)
    }

    #[inline(always)]
    fn written(lock: ObjectId, kind: Kind, end: u32, length: u32) -> State {
        State(State::new(lock, kind).0 | u64::from(end) << State::END | u64::from(length) << State::LENGTH)
    }

    #[inline]
    fn id(self) -> ObjectId {
        ObjectId(self.0 as u32)
    }

    /// 0: its release can't be folded into it. A slot's positions fit, since no entry may begin near its end.
    #[inline(always)]
    fn end(self) -> u32 {
        u32::from((self.0 >> State::END) as u16)
    }

    #[inline(always)]
    fn length(self) -> u32 {
        u32::from((self.0 >> State::LENGTH) as u8)
    }

    #[inline]
    fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    fn mode(self) -> Mode {
        mode_of((self.0 >> State::MODE) as u8 & 0xf)
    }
}

impl<'a> Held<'a> {
    /// Notes that what the lock protects was reached mutably.
    #[inline]
    pub fn wrote(&mut self) {
        self.wrote = true;
    }

    /// The lock.
    #[inline]
    pub fn lock(&self) -> &'a Lock {
        self.lock
    }

    /// How it is held.
    pub fn mode(&self) -> Mode {
        self.state.mode()
    }

    /// Changes the mode without a release. A downgrade is to be told before it happens, an upgrade after.
    pub fn convert(mut self, to: Mode, place: Place) -> Held<'a> {
        let (lock, from) = (self.state.id(), self.mode());
        self.state.0 = self.state.0 & !(0xf << State::MODE) | ((to as u64) << State::MODE);
        if lock.is_some() {
            // Exclusive is the only mode that an upgrade leads to, and it counts as an acquisition.
            let order = match to {
                Mode::Exclusive => self.lock.advance(false, 0).0,
                _ => Order(self.lock.order.load(Ordering::Relaxed)),
            };
            recorder::emit(Event::Convert { lock, site: recorder::site(place), from, to, order });
        }
        self
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        released(self.state, self.wrote);
    }
}

impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("lock", &self.state.id()).field("mode", &self.mode()).finish_non_exhaustive()
    }
}
