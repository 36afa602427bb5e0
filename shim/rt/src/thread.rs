//! What threads record: spawn, end, join, detach, park, sleep and the end of the process.

use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use conccheck_trace::{Event, Nanos, ThreadId};

use crate::local::{self, Local, Position};
use crate::recorder;

/// A thread that was, or is about to be, started through the facade. Known to its parent, to itself and to its scope.
#[derive(Clone, Debug)]
pub struct Child(Option<Arc<State>>);

#[derive(Debug)]
struct State {
    number: ThreadId,
    parent: ThreadId,
    /// Its closure ended.
    ended: AtomicBool,
    /// A `Join` said so already.
    known: AtomicBool,
    /// Its result was taken.
    taken: AtomicBool,
}

impl Child {
    /// Numbers a thread that is about to be started, and records its `Spawn`.
    pub fn spawn(scoped: bool, place: &'static Location<'static>) -> Child {
        if !recorder::is_on() {
            return Child(None);
        }
        let parent = recorder::thread();
        let number = recorder::new_thread();
        recorder::emit(Event::Spawn { child: number, site: recorder::site(place), scoped });
        let off = || AtomicBool::new(false);
        Child(Some(Arc::new(State { number, parent, ended: off(), known: off(), taken: off() })))
    }

    /// Its number in the trace; `NONE` where nothing is recorded.
    pub fn number(&self) -> ThreadId {
        self.0.as_ref().map_or(ThreadId::NONE, |state| state.number)
    }

    /// Records the thread's `Start`; called by the thread itself, first. Its `End` is recorded when the result is dropped.
    pub fn run(self) -> Running {
        if let Some(state) = &self.0 {
            recorder::adopt(state.number, state.parent, std::thread::current().name());
        }
        Running(self)
    }

    /// Records that the calling thread is about to wait for this one's end.
    pub fn join_request(&self, place: &'static Location<'static>) {
        if let Some(state) = &self.0 {
            recorder::emit(Event::JoinRequest { child: state.number, site: recorder::site(place) });
        }
    }

    /// Records that the calling thread knows that this one ended, and took its result.
    pub fn joined(&self, place: &'static Location<'static>) {
        if let Some(state) = &self.0 {
            state.known.store(true, Ordering::Relaxed);
            state.taken.store(true, Ordering::Relaxed);
            recorder::emit(Event::Join { child: state.number, site: recorder::site(place), took: true });
        }
    }

    /// Records, once, that the calling thread knows that this one ended, or that it never began.
    pub fn found_ended(&self, place: &'static Location<'static>) {
        if let Some(state) = &self.0
            && !state.known.swap(true, Ordering::Relaxed)
        {
            recorder::emit(Event::Join { child: state.number, site: recorder::site(place), took: false });
        }
    }

    fn is_known(&self) -> bool {
        self.0.as_ref().is_none_or(|state| state.known.load(Ordering::Relaxed))
    }

    fn has_ended(&self) -> bool {
        self.0.as_ref().is_none_or(|state| state.ended.load(Ordering::Acquire))
    }
}

/// A thread's closure that runs. Dropping it records its end.
#[must_use = "dropping it records the end of the thread"]
#[derive(Debug)]
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(state) = &self.0.0 {
            recorder::emit(Event::End { panicked: std::thread::panicking() });
            state.ended.store(true, Ordering::Release);
        }
    }
}

/// The right to join a thread. Dropping it without a join records that the thread was detached.
#[derive(Debug)]
pub struct JoinRight(Child);

impl JoinRight {
    /// The right to join `child`.
    pub fn new(child: Child) -> JoinRight {
        JoinRight(child)
    }

    /// The thread.
    pub fn child(&self) -> &Child {
        &self.0
    }
}

impl Drop for JoinRight {
    fn drop(&mut self) {
        if let Some(state) = &self.0.0
            && !state.taken.load(Ordering::Relaxed)
        {
            recorder::emit(Event::Detach { child: state.number });
        }
    }
}

/// The threads of one scope, whose end waits for all of them.
#[derive(Debug, Default)]
pub struct Children(Mutex<Vec<Child>>);

impl Children {
    /// None so far.
    pub const fn new() -> Children {
        Children(Mutex::new(Vec::new()))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Vec<Child>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a thread of this scope.
    pub fn add(&self, child: Child) {
        if child.0.is_some() {
            self.with(|children| {
                if children.len() == children.capacity() {
                    children.retain(|child| !child.is_known());
                }
                children.push(child);
            });
        }
    }

    /// Records what the scope's end is about to wait for: a `JoinRequest` for each thread that still runs, in a row.
    pub fn join_request(&self, place: &'static Location<'static>) {
        self.with(|children| {
            children.retain(|child| !child.is_known());
            children.iter().filter(|child| child.has_ended()).for_each(|child| child.found_ended(place));
            children.iter().filter(|child| !child.is_known()).for_each(|child| child.join_request(place));
        });
    }

    /// Records that all threads of the scope ended.
    pub fn joined(&self, place: &'static Location<'static>) {
        self.with(|children| children.iter().for_each(|child| child.found_ended(place)));
    }
}

/// Records that the thread is about to park.
pub fn parking(timed: bool, place: &'static Location<'static>) {
    if recorder::is_on() {
        recorder::emit(Event::Park { site: recorder::site(place), timed });
    }
}

/// Records that a park ended.
pub fn unparked() {
    if recorder::is_on() {
        recorder::emit(Event::Unparked);
    }
}

/// Records that `thread` is about to get its token.
pub fn unpark(thread: ThreadId, place: &'static Location<'static>) {
    if recorder::is_on() {
        recorder::emit(Event::Unpark { thread, site: recorder::site(place) });
    }
}

/// Records that the thread gives up its turn, unless that is the last thing that it recorded: a loop that polls is one event.
pub fn yields(place: &'static Location<'static>) {
    thread_local! {
        static LAST: Cell<Position> = const { Cell::new((0, 0)) };
    }
    if recorder::is_on() && LAST.get() != local::position() {
        recorder::emit(Event::Yield { site: recorder::site(place) });
        LAST.set(local::position());
    }
}

/// Records that the thread is about to end the process, if it holds locks: nobody forgot those.
pub fn exits(place: &'static Location<'static>) {
    if local::with(Local::holds) && recorder::is_on() {
        recorder::emit(Event::Exit { site: recorder::site(place) });
    }
}

/// Records that the thread is about to sleep.
pub fn sleep(duration: Duration, place: &'static Location<'static>) {
    if recorder::is_on() {
        let nanos = Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        recorder::emit(Event::Sleep { site: recorder::site(place), nanos });
    }
}
