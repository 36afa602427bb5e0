//! Identity of a synchronisation object: a number given at first use, and the place of its creation.

use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};

use conccheck_trace::{ObjectId, ObjectKind, SiteId, StringId, wire};

use crate::{local, recorder, site};

/// The identity of one synchronisation object. Its class is the place where it was created.
#[derive(Debug)]
pub struct Object {
    id: AtomicU32,
    kind: ObjectKind,
    created: &'static Location<'static>,
}

static NEXT: AtomicU32 = AtomicU32::new(0);
/// Numbers up to this one were given out, and defined, by the process that this one was forked from.
static FOREIGN: AtomicU32 = AtomicU32::new(0);

/// In a forked child: the objects that it shares with its parent get numbers of its own when they are used.
pub(crate) fn forget_definitions() {
    FOREIGN.store(NEXT.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// The last number that was given out by the process that this one was forked from.
pub(crate) fn foreign() -> u32 {
    FOREIGN.load(Ordering::Relaxed)
}

/// Whether the number was given out by this process.
#[inline]
pub(crate) fn is_ours(id: u32) -> bool {
    id > FOREIGN.load(Ordering::Relaxed)
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
            id if is_ours(id) => ObjectId(id),
            old => self.define(old, type_name),
        }
    }

    /// Its number, whatever process gave it; `NONE` if it has none.
    #[inline(always)]
    pub(crate) fn number(&self) -> ObjectId {
        ObjectId(self.id.load(Ordering::Relaxed))
    }

    #[cold]
    #[inline(never)]
    fn define(&self, old: u32, type_name: fn() -> &'static str) -> ObjectId {
        if !recorder::is_on() {
            return ObjectId::NONE;
        }
        local::with(|local| {
            let mut writer = local.enter();
            if writer.is_nested() {
                return ObjectId::NONE;
            }
            let created = SiteId(site::SITES.id(self.created, &mut writer));
            let type_name = StringId(site::STRINGS.id(type_name(), &mut writer));
            let id = ObjectId(NEXT.fetch_add(1, Ordering::Relaxed) + 1);
            // Defined before anybody can use it.
            if !writer.define(0, |window| wire::put_object(window, 0, id, self.kind, created, type_name)) {
                return ObjectId::NONE;
            }
            match self.id.compare_exchange(old, id.0, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => id,
                Err(other) => ObjectId(other),
            }
        })
    }
}
