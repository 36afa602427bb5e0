//! What a scope records: its begin and its end.

use std::marker::PhantomData;
use std::panic::Location;

use conccheck_trace::{Event, ObjectId, ObjectKind};

use crate::object::Object;
use crate::recorder;

/// A scope that the calling thread is in. Its end is recorded when it is dropped, by the same thread.
#[must_use = "dropping it records the end of the scope"]
#[derive(Debug)]
pub struct Scope {
    id: ObjectId,
    stays: PhantomData<*const ()>,
}

impl Scope {
    /// Records that a scope of this name begins where the caller's caller says.
    #[track_caller]
    pub fn enter(name: fn() -> &'static str) -> Scope {
        let mut id = ObjectId::NONE;
        if recorder::is_on() {
            id = Object::new(ObjectKind::Scope).id(name);
            recorder::emit(Event::ScopeBegin { scope: id, site: recorder::site(Location::caller()) });
        }
        Scope { id, stays: PhantomData }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.id.is_some() {
            recorder::emit(Event::ScopeEnd { scope: self.id });
        }
    }
}
