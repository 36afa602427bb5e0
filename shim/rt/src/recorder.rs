//! The way into the trace: one call records one event of the calling thread.

use std::io::Write;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use conccheck_trace::{Event, HandleId, SiteId, Stamp, StringId, ThreadId};

use crate::session::Session;
use crate::spin::Spin;
use crate::{exit, file, fork, local, perturb, site, sys, ticker};

const UNDECIDED: u8 = 0;
const ON: u8 = 1;
const OFF: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(UNDECIDED);
static DECISION: Spin = Spin::new();
static NEXT_HANDLE: AtomicU32 = AtomicU32::new(0);

/// Whether anything is recorded at all. Constant after the first event of the process (but for a failure).
#[inline]
pub fn is_on() -> bool {
    match STATE.load(Ordering::Acquire) {
        ON => true,
        OFF => false,
        _ => decide(),
    }
}

/// The recording, while there is one.
pub(crate) fn session() -> Option<&'static Session> {
    if STATE.load(Ordering::Acquire) == ON { Session::current() } else { None }
}

/// Looks at the environment, once a process, and starts the recording if that is asked for.
#[cold]
#[inline(never)]
fn decide() -> bool {
    local::with(|local| {
        let mut writer = local.enter();
        if writer.is_nested() {
            return false;
        }
        DECISION.with(|| {
            if STATE.load(Ordering::Relaxed) == UNDECIDED {
                let state = if start() { ON } else { OFF };
                STATE.store(state, Ordering::Release);
                if state == ON && fork::generation() > 0 {
                    // What the tables say was defined in the parent's trace.
                    site::SITES.define_all(&mut writer);
                    site::STRINGS.define_all(&mut writer);
                }
            }
        });
        STATE.load(Ordering::Relaxed) == ON
    })
}

fn start() -> bool {
    static HOOKS: AtomicBool = AtomicBool::new(false);
    let Some(target) = file::target() else { return false };
    perturb::start();
    match Session::start(&target) {
        Ok(session) => {
            if !HOOKS.swap(true, Ordering::Relaxed) {
                local::THREAD_END.create(local::thread_ended);
                sys::at_fork_in_child(fork::in_child);
                sys::at_exit(exit::at_exit);
            }
            ticker::start(session);
            true
        }
        Err(error) => {
            let target = target.display();
            let _ = writeln!(std::io::stderr(), "conccheck: cannot write the trace to {target}: {error}; recording is off");
            false
        }
    }
}

/// In a forked child: its next event decides anew.
pub(crate) fn start_again() {
    DECISION.break_open();
    if STATE.load(Ordering::Relaxed) == ON {
        STATE.store(UNDECIDED, Ordering::Relaxed);
    }
}

/// Ends the recording of this process.
pub(crate) fn stop() {
    STATE.store(OFF, Ordering::Release);
}

/// Records an event of the calling thread, now.
#[inline(never)]
pub fn emit(event: Event) {
    if is_on() {
        local::with(|local| local.enter().record(event));
    }
}

/// The calling thread's number; given out at the first call. `NONE` where nothing is recorded.
#[inline]
pub fn thread() -> ThreadId {
    if is_on() { local::with(local::Local::number) } else { ThreadId::NONE }
}

/// A number for a thread that is about to be started, to be adopted by it with [`adopt`].
pub fn new_thread() -> ThreadId {
    if is_on() { ThreadId(local::new_thread()) } else { ThreadId::NONE }
}

/// Makes the calling thread, which has recorded nothing yet, the one that [`new_thread`] numbered, and records its `Start`.
pub fn adopt(thread: ThreadId, parent: ThreadId, name: Option<&str>) {
    if thread.is_some() && is_on() {
        local::with(|local| local.enter().adopt(thread, parent, name));
        perturb::pause();
    }
}

/// The number of a place in the source.
#[inline]
pub fn site(place: &'static Location<'static>) -> SiteId {
    site::find_place(place).unwrap_or_else(|| SiteId(intern(&site::SITES, place)))
}

/// The number of a string that lives as long as the program, such as a type's name.
#[inline]
pub fn string(text: &'static str) -> StringId {
    StringId(site::STRINGS.find(text).unwrap_or_else(|| intern(&site::STRINGS, text)))
}

#[cold]
#[inline(never)]
fn intern<K: site::Key>(table: &site::Interner<K>, key: K) -> u32 {
    if is_on() { local::with(|local| table.id(key, &mut local.enter())) } else { 0 }
}

/// A fresh number for a channel's handle.
pub fn new_handle() -> HandleId {
    if is_on() { HandleId(NEXT_HANDLE.fetch_add(1, Ordering::Relaxed) + 1) } else { HandleId::NONE }
}

/// The stamp of the next message that the calling thread sends.
#[inline]
pub fn new_stamp() -> Stamp {
    if is_on() { local::with(|local| Stamp::new(local.number(), local.next_message())) } else { Stamp(0) }
}
