//! What barriers record: arrival and departure.

use std::panic::Location;

use conccheck_trace::{Event, ObjectId, ObjectKind, Order};

use crate::object::Object;
use crate::recorder;

/// The recorded side of one barrier.
#[derive(Debug)]
pub struct Barrier {
    object: Object,
}

impl Default for Barrier {
    #[track_caller]
    fn default() -> Barrier {
        Barrier::new()
    }
}

impl Barrier {
    /// A new one, created where the caller's caller says.
    #[track_caller]
    pub const fn new() -> Barrier {
        Barrier { object: Object::new(ObjectKind::Barrier) }
    }

    fn id(&self) -> ObjectId {
        self.object.id(std::any::type_name::<()>)
    }

    /// Records an arrival, the `order`-th since the barrier's creation (from 1). The caller gives out that number in the order in
    /// which the barrier itself counts the arrivals.
    pub fn arrive(&self, parties: usize, order: u64, place: &'static Location<'static>) {
        if recorder::is_on() {
            let parties = u32::try_from(parties).unwrap_or(u32::MAX);
            recorder::emit(Event::BarrierWait { barrier: self.id(), site: recorder::site(place), parties, order: Order(order) });
        }
    }

    /// Records that the thread leaves the barrier.
    pub fn pass(&self) {
        if recorder::is_on() {
            recorder::emit(Event::BarrierPass { barrier: self.id() });
        }
    }
}
