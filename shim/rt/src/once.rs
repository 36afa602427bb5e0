//! What one-time initialisation records: who waited, who initialised, and each thread's first look at the result.

use std::cell::Cell;
use std::panic::Location;

use conccheck_trace::{Event, ObjectId, ObjectKind};

use crate::object::Object;
use crate::recorder;

const SEEN_SLOTS: usize = 256;

thread_local! {
    /// The onces that this thread found done lately, direct-mapped by number. A lost entry costs one repeated `OnceGet`.
    static SEEN: [Cell<u32>; SEEN_SLOTS] = const { [const { Cell::new(0) }; SEEN_SLOTS] };
}

/// Whether `once` is new to this thread; it is known afterwards.
fn first_look(once: ObjectId) -> bool {
    SEEN.with(|seen| seen[once.0 as usize % SEEN_SLOTS].replace(once.0) != once.0)
}

/// The recorded side of one `Once`, `OnceLock` or `LazyLock`.
#[derive(Debug)]
pub struct Once {
    object: Object,
}

impl Default for Once {
    #[track_caller]
    fn default() -> Once {
        Once::new()
    }
}

impl Once {
    /// A new one, created where the caller's caller says.
    #[track_caller]
    pub const fn new() -> Once {
        Once { object: Object::new(ObjectKind::Once) }
    }

    /// Records that the thread found it done, if for the first time. `type_name` names what it initialises.
    #[inline]
    pub fn found(&self, place: &'static Location<'static>, type_name: fn() -> &'static str) {
        if recorder::is_on() {
            self.found_slow(place, type_name);
        }
    }

    fn found_slow(&self, place: &'static Location<'static>, type_name: fn() -> &'static str) {
        let once = self.object.id(type_name);
        if first_look(once) {
            recorder::emit(Event::OnceGet { once, site: recorder::site(place) });
        }
    }

    /// Runs what the original does where it is not done: `initialise`, which calls what it is given when it runs the program's
    /// initialiser, and keeps the result as long. Records whether this thread ran it or waited for another's.
    pub fn initialise<R>(
        &self,
        place: &'static Location<'static>,
        type_name: fn() -> &'static str,
        initialise: impl FnOnce(&mut dyn FnMut() -> Running) -> R,
    ) -> R {
        self.request(place, type_name);
        let mut ran = false;
        let result = initialise(&mut || {
            ran = true;
            self.begin(place, type_name)
        });
        if !ran {
            self.waited(place, type_name);
        }
        result
    }

    /// Records that the thread found it not done, and is about to wait for another's initialisation or to run its own.
    pub fn request(&self, place: &'static Location<'static>, type_name: fn() -> &'static str) {
        if recorder::is_on() {
            recorder::emit(Event::OnceRequest { once: self.object.id(type_name), site: recorder::site(place) });
        }
    }

    /// Records that the thread waited and now finds it done. Ends a [`request`](Once::request).
    pub fn waited(&self, place: &'static Location<'static>, type_name: fn() -> &'static str) {
        if recorder::is_on() {
            let once = self.object.id(type_name);
            first_look(once);
            recorder::emit(Event::OnceGet { once, site: recorder::site(place) });
        }
    }

    /// Records that the thread begins the initialisation; the end is recorded when the result is dropped.
    fn begin(&self, place: &'static Location<'static>, type_name: fn() -> &'static str) -> Running {
        let mut once = ObjectId::NONE;
        if recorder::is_on() {
            once = self.object.id(type_name);
            recorder::emit(Event::OnceBegin { once, site: recorder::site(place) });
        }
        Running { once, unwinding: std::thread::panicking() }
    }
}

/// An initialisation that runs. Dropping it records its end.
#[must_use = "dropping it records the end of the initialisation"]
#[derive(Debug)]
pub struct Running {
    once: ObjectId,
    /// Whether the thread was unwinding already when it began.
    unwinding: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.once.is_some() {
            let panicked = !self.unwinding && std::thread::panicking();
            if !panicked {
                first_look(self.once);
            }
            recorder::emit(Event::OnceEnd { once: self.once, panicked });
        }
    }
}
