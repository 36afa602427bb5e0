//! Gates that a program makes of a lock and a condition variable: who enters waits until it may, and says so when it leaves.

use conccheck_trace::{Event, ObjectId, SiteId};
use rustc_hash::FxHashSet;

use super::condition::Condition;
use crate::model::Model;
use crate::model::context::Context;

/// Where a side entered a gate that the other is within as well, at all moments that are kept of both. How many it lets in at once is
/// not known.
pub(super) fn shared(model: &Model<'_>, side: &Context, other: &Context) -> Option<SiteId> {
    let entered = gates(model, side)?;
    let others = gates(model, other)?;
    entered.into_iter().find(|(lock, _)| others.iter().any(|(other, _)| other == lock)).map(|(_, site)| site)
}

/// A lock by which a thread may be within a gate.
struct Gate {
    lock: ObjectId,
    site: SiteId,
    /// The places where it is entered.
    entries: FxHashSet<SiteId>,
    /// The section that is open: its place, and whether a wait ended in it.
    open: Option<(SiteId, bool)>,
    is_within: bool,
    /// Whether the thread was within at a moment that is kept, and has not left since.
    is_owed: bool,
    /// Whether it was within at all of them.
    always: bool,
}

/// The gates that a side is within at all moments that are kept of it, and that its thread left afterwards.
fn gates(model: &Model<'_>, side: &Context) -> Option<Vec<(ObjectId, SiteId)>> {
    let mut gates: Vec<Gate> = Vec::new();
    for (id, _) in model.files.conditions(model).get(&side.thread())?.iter().filter(|(_, condition)| is_wait(condition)) {
        let context = &model.contexts[*id as usize];
        match gates.iter_mut().find(|gate| gate.lock == context.lock) {
            Some(gate) => _ = gate.entries.insert(context.site),
            None => gates.push(Gate {
                lock: context.lock,
                site: context.site,
                entries: FxHashSet::from_iter([context.site]),
                open: None,
                is_within: false,
                is_owed: false,
                always: true,
            }),
        }
    }
    if gates.is_empty() {
        return None;
    }
    let mut moments: Vec<u32> = side.moments.kept().map(|(index, _)| index).collect();
    moments.sort_unstable();
    let mut woken = None;
    for (index, record) in (0..).zip(model.files.events(model, side.thread())?) {
        if moments.binary_search(&index).is_ok() {
            gates.iter_mut().for_each(|gate| {
                gate.always &= gate.is_within;
                gate.is_owed = true;
            });
        }
        match record.event {
            Event::Wake { .. } => woken = Some(index),
            Event::Acquire { lock, site, .. } => {
                let has_waited = woken.is_some_and(|woken| woken + 1 == index);
                gates.iter_mut().filter(|gate| gate.lock == lock).for_each(|gate| gate.open = Some((site, has_waited)));
            }
            Event::Release { lock, wrote: true, .. } => {
                for gate in gates.iter_mut().filter(|gate| gate.lock == lock) {
                    let Some((site, has_waited)) = gate.open.take() else { continue };
                    gate.is_within = has_waited || gate.entries.contains(&site);
                    gate.is_owed &= gate.is_within;
                }
            }
            _ => {}
        }
    }
    Some(gates.into_iter().filter(|gate| gate.always && !gate.is_owed).map(|gate| (gate.lock, gate.site)).collect())
}

fn is_wait(condition: &Condition) -> bool {
    matches!(condition, Condition::Notified(_))
}
