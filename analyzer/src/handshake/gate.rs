//! Gates that a program makes of a lock and a condition variable: who enters waits until it may, and says so when it leaves.

use conccheck_trace::{Event, ObjectId, SiteId};
use rustc_hash::FxHashSet;

use super::condition::Condition;
use crate::model::Model;
use crate::model::context::Context;

/// Where a side entered a gate that the other is within as well, at all moments that are kept of both, and that never had both threads
/// within at once.
pub(super) fn shared(model: &Model<'_>, side: &Context, other: &Context) -> Option<SiteId> {
    let entered = gates(model, side)?;
    let others = gates(model, other)?;
    let is_same = |gate: &&Gate| others.iter().any(|other| other.lock == gate.lock && !overlap(&gate.stays, &other.stays));
    entered.iter().find(is_same).map(|gate| gate.site)
}

/// From when until when somebody was within, as numbers of sections of the lock. In order.
type Stays = Vec<(u64, u64)>;

fn overlap(stays: &Stays, others: &Stays) -> bool {
    let mut others = others.iter().peekable();
    stays.iter().any(|(from, until)| {
        while others.next_if(|(_, left)| left <= from).is_some() {}
        others.peek().is_some_and(|(entered, _)| entered < until)
    })
}

/// A lock by which a thread may be within a gate.
struct Gate {
    lock: ObjectId,
    site: SiteId,
    /// The places where it is entered.
    entries: FxHashSet<SiteId>,
    /// The section that is open: its number, and whether the gate is entered by it.
    open: Option<(u64, bool)>,
    /// Since when the thread is within.
    since: Option<u64>,
    stays: Stays,
    /// Whether it was within at a moment that is kept, and has not left since.
    is_owed: bool,
    /// Whether it was within at all of them.
    always: bool,
}

/// The gates that a side is within at all moments that are kept of it, and that its thread left afterwards. One enters by a look at the
/// condition that it has to wait for, and leaves by the next change.
fn gates(model: &Model<'_>, side: &Context) -> Option<Vec<Gate>> {
    let mut gates: Vec<Gate> = Vec::new();
    for (id, _) in model.files.conditions(model).get(&side.thread())?.iter().filter(|(_, condition)| is_wait(condition)) {
        let Context { lock, site, .. } = model.contexts[*id as usize];
        match gates.iter_mut().find(|gate| gate.lock == lock) {
            Some(gate) => _ = gate.entries.insert(site),
            None => {
                let entries = FxHashSet::from_iter([site]);
                gates.push(Gate {
                    lock,
                    site,
                    entries,
                    open: None,
                    since: None,
                    stays: Vec::new(),
                    is_owed: false,
                    always: true,
                });
            }
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
                gate.always &= gate.since.is_some();
                gate.is_owed = true;
            });
        }
        match record.event {
            Event::Wake { .. } => woken = Some(index),
            Event::Acquire { lock, site, order, .. } => {
                let has_waited = woken.is_some_and(|woken| woken + 1 == index);
                let of_lock = gates.iter_mut().filter(|gate| gate.lock == lock);
                of_lock.for_each(|gate| gate.open = Some((order.0, has_waited || gate.entries.contains(&site))));
            }
            Event::Release { lock, wrote, .. } => {
                for gate in gates.iter_mut().filter(|gate| gate.lock == lock) {
                    match gate.open.take() {
                        Some((order, true)) => gate.since = Some(order),
                        Some((order, false)) if wrote => {
                            gate.stays.extend(gate.since.take().map(|since| (since, order)));
                            gate.is_owed = false;
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    for gate in &mut gates {
        gate.stays.extend(gate.since.map(|since| (since, u64::MAX)));
    }
    Some(gates.into_iter().filter(|gate| gate.always && !gate.is_owed).collect())
}

fn is_wait(condition: &Condition) -> bool {
    matches!(condition, Condition::Notified(_) | Condition::Polled)
}
