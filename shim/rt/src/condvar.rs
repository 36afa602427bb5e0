//! What condition variables record: waits, wake-ups and notifications, and how many waited.

use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use conccheck_trace::{Event, How, Mode, ObjectId, ObjectKind, Order};

use crate::lock::{Held, Lock};
use crate::object::Object;
use crate::recorder;

/// The recorded side of one condition variable.
#[derive(Debug)]
pub struct Condvar {
    object: Object,
    /// Notifications so far.
    notified: AtomicU64,
    /// Threads between their `Wait` and their `Wake`.
    waiting: AtomicU32,
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl Condvar {
    /// A new one, created where the caller's caller says.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar { object: Object::new(ObjectKind::Condvar), notified: AtomicU64::new(0), waiting: AtomicU32::new(0) }
    }

    fn id(&self) -> ObjectId {
        self.object.id(std::any::type_name::<()>)
    }

    /// Records that `held` is given up and that the thread is about to wait. Call it while the real lock is still held, so that
    /// every notification that could end this wait has a higher number.
    pub fn wait<'a, 'l>(
        &'a self,
        held: Held<'l>,
        timed: bool,
        place: &'static Location<'static>,
        type_name: fn() -> &'static str,
    ) -> Waiting<'a, 'l> {
        let lock = held.lock();
        drop(held);
        let counted = recorder::is_on();
        if counted {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            recorder::emit(Event::Wait {
                condvar: self.id(),
                lock: lock.id(type_name),
                site: recorder::site(place),
                timed,
                order: Order(self.notified.load(Ordering::Relaxed)),
            });
        }
        Waiting { condvar: self, lock, counted, place, type_name }
    }

    /// Waits by the original, for a guard that is borrowed: `held` is given up, and taken again when `wait` is back. `timed_out` says
    /// whether its limit ended it.
    pub fn wait_by<Woken>(
        &self,
        held: &mut Held<'_>,
        timed: bool,
        place: &'static Location<'static>,
        type_name: fn() -> &'static str,
        wait: impl FnOnce() -> Woken,
        timed_out: impl FnOnce(&Woken) -> bool,
    ) -> Woken {
        let waiting = self.wait(held.take(), timed, place, type_name);
        let woken = wait();
        *held = waiting.woke(timed_out(&woken));
        woken
    }

    /// Records a notification. Call it before the real one, so that the threads that it wakes find its number.
    pub fn notify(&self, all: bool, place: &'static Location<'static>) {
        if recorder::is_on() {
            let order = Order(self.notified.fetch_add(1, Ordering::Relaxed) + 1);
            let waiting = self.waiting.load(Ordering::Relaxed);
            recorder::emit(Event::Notify { condvar: self.id(), site: recorder::site(place), all, waiting, order });
        }
    }
}

/// A thread that waits: made by [`Condvar::wait`], ended by [`Waiting::woke`].
#[must_use = "a wait that ended must be recorded"]
#[derive(Debug)]
pub struct Waiting<'a, 'l> {
    condvar: &'a Condvar,
    lock: &'l Lock,
    counted: bool,
    place: &'static Location<'static>,
    type_name: fn() -> &'static str,
}

impl<'l> Waiting<'_, 'l> {
    /// Records that the wait ended and that the lock is held again.
    pub fn woke(self, timed_out: bool) -> Held<'l> {
        let Waiting { condvar, lock, place, type_name, .. } = self;
        if self.counted {
            let order = Order(condvar.notified.load(Ordering::Relaxed));
            recorder::emit(Event::Wake { condvar: condvar.id(), timed_out, order });
        }
        drop(self);
        lock.acquired(Mode::Exclusive, How::Blocking, place, type_name)
    }
}

impl Drop for Waiting<'_, '_> {
    fn drop(&mut self) {
        if self.counted {
            self.condvar.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
