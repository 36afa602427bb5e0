//! Who waits for whom: the wait-for graph among blocked threads, and its cycles.
//!
//! Only waits that one certain thread must end are in it: for a lock, for the end of a thread, for an initialisation. A thread goes on
//! only when everyone that it waits for does, so a cycle never resolves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use conccheck_trace::{Event, Mode, ObjectId, SiteId, ThreadId};

use super::history::{Hold, Threads};

/// Why a thread waits for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Because {
    /// It holds the lock.
    Holds(Hold),
    /// It waits for the lock itself, to write, and readers that come later wait behind it.
    Queues(SiteId),
    /// It is to end.
    MustEnd,
    /// It runs the initialisation.
    Initialises(SiteId),
}

/// One thread waits for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Edge {
    pub(super) from: ThreadId,
    pub(super) to: ThreadId,
    pub(super) wait: Event,
    pub(super) because: Because,
}

/// Whether someone who asks for `wanted` waits while another thread holds the lock in `held`.
fn conflict(wanted: Mode, held: Mode) -> bool {
    match wanted {
        Mode::Exclusive | Mode::Reentrant => true,
        Mode::Shared | Mode::RecursiveShared => matches!(held, Mode::Exclusive | Mode::Reentrant),
        Mode::Upgradable => !matches!(held, Mode::Shared | Mode::RecursiveShared),
    }
}

/// The graph among the threads in `blocked`.
pub(super) fn edges(threads: &Threads, blocked: &BTreeSet<ThreadId>) -> Vec<Edge> {
    let mut holders: BTreeMap<ObjectId, Vec<(ThreadId, Because)>> = BTreeMap::new();
    let mut writers: BTreeMap<ObjectId, Vec<(ThreadId, SiteId)>> = BTreeMap::new();
    let members = || threads.all.iter().filter(|(id, thread)| blocked.contains(id) && !thread.is_partial);
    for (&id, thread) in members() {
        for &hold in thread.holds.iter().filter(|hold| !threads.passed_on.contains(&hold.lock)) {
            holders.entry(hold.lock).or_default().push((id, Because::Holds(hold)));
        }
        for &(once, site) in &thread.initialises {
            holders.entry(once).or_default().push((id, Because::Initialises(site)));
        }
        if let Some(&Event::Request { lock, site, mode: Mode::Exclusive, .. }) = thread.waits.last() {
            writers.entry(lock).or_default().push((id, site));
        }
    }
    let mut edges = Vec::new();
    for (&from, thread) in members() {
        for &wait in &thread.waits {
            let mut waits_for = |to, because| edges.push(Edge { from, to, wait, because });
            match wait {
                Event::JoinRequest { child, .. } if blocked.contains(&child) => waits_for(child, Because::MustEnd),
                Event::OnceRequest { once, .. } => {
                    holders.get(&once).into_iter().flatten().for_each(|&(to, because)| waits_for(to, because));
                }
                Event::Request { lock, mode, .. } => {
                    let holders = holders.get(&lock).map_or(&[][..], Vec::as_slice);
                    let mut held = false;
                    for &(to, because) in holders {
                        let Because::Holds(hold) = because else { continue };
                        let own = to == from && mode == Mode::Reentrant;
                        if conflict(mode, hold.mode) && !own {
                            held = true;
                            waits_for(to, because);
                        }
                    }
                    if mode == Mode::Shared && !held {
                        let writers = writers.get(&lock).into_iter().flatten();
                        writers.for_each(|&(to, site)| waits_for(to, Because::Queues(site)));
                    }
                }
                _ => {}
            }
        }
    }
    edges
}

/// The shortest cycle through each thread that is on one, each cycle once.
pub(super) fn cycles(mut edges: Vec<Edge>) -> Vec<Vec<Edge>> {
    // Only who waits for a waiter and is waited for can be on a cycle.
    loop {
        let from: BTreeSet<_> = edges.iter().map(|edge| edge.from).collect();
        let to: BTreeSet<_> = edges.iter().map(|edge| edge.to).collect();
        let before = edges.len();
        edges.retain(|edge| from.contains(&edge.to) && to.contains(&edge.from));
        if edges.len() == before {
            break;
        }
    }
    let mut out: BTreeMap<ThreadId, Vec<Edge>> = BTreeMap::new();
    for edge in edges {
        out.entry(edge.from).or_default().push(edge);
    }
    let mut known: BTreeSet<BTreeSet<ThreadId>> = BTreeSet::new();
    let mut found = Vec::new();
    for &start in out.keys() {
        let Some(cycle) = shortest(&out, start) else { continue };
        if known.insert(cycle.iter().map(|edge| edge.from).collect()) {
            found.push(cycle);
        }
    }
    found
}

/// The shortest way from a thread back to itself.
fn shortest(out: &BTreeMap<ThreadId, Vec<Edge>>, start: ThreadId) -> Option<Vec<Edge>> {
    let mut reached_by: BTreeMap<ThreadId, Edge> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(thread) = next.pop_front() {
        for &edge in out.get(&thread).into_iter().flatten() {
            if let std::collections::btree_map::Entry::Vacant(place) = reached_by.entry(edge.to) {
                place.insert(edge);
                next.push_back(edge.to);
            }
        }
        if reached_by.contains_key(&start) {
            break;
        }
    }
    let mut way = vec![*reached_by.get(&start)?];
    while way.last().is_some_and(|edge| edge.from != start) {
        way.push(*reached_by.get(&way.last()?.from)?);
    }
    way.reverse();
    Some(way)
}

#[cfg(test)]
mod tests {
    use conccheck_trace::How;

    use super::super::history::Thread;
    use super::*;

    fn request(lock: u32, mode: Mode) -> Event {
        Event::Request { lock: ObjectId(lock), site: SiteId(1), mode, how: How::Blocking }
    }

    /// What a thread holds, and what it waits for.
    type Blocked<'a> = (&'a [(u32, Mode)], Event);

    fn threads(of: &[Blocked<'_>]) -> (Threads, BTreeSet<ThreadId>) {
        let mut threads = Threads::default();
        for (number, (holds, wait)) in (1..).zip(of) {
            let hold = |&(lock, mode): &(u32, Mode)| Hold { lock: ObjectId(lock), mode, site: SiteId(2) };
            let thread = Thread { holds: holds.iter().map(hold).collect(), waits: vec![*wait], ..Thread::default() };
            threads.all.insert(ThreadId(number), thread);
        }
        let blocked = threads.all.keys().copied().collect();
        (threads, blocked)
    }

    fn lengths(of: &[Blocked<'_>]) -> Vec<usize> {
        let (threads, blocked) = threads(of);
        cycles(edges(&threads, &blocked)).iter().map(Vec::len).collect()
    }

    use Mode::{Exclusive, Reentrant, Shared};

    #[test]
    fn opposite_orders_are_one_cycle_and_its_victims_are_not_on_it() {
        let ab: [Blocked<'_>; 3] = [
            (&[(1, Exclusive)], request(2, Exclusive)),
            (&[(2, Exclusive)], request(1, Exclusive)),
            (&[], request(1, Exclusive)),
        ];
        assert_eq!(lengths(&ab), [2]);
        let three: [Blocked<'_>; 3] = [
            (&[(1, Exclusive)], request(2, Exclusive)),
            (&[(2, Exclusive)], request(3, Exclusive)),
            (&[(3, Exclusive)], request(1, Exclusive)),
        ];
        assert_eq!(lengths(&three), [3]);
    }

    #[test]
    fn a_wait_for_someone_who_waits_for_nobody_is_no_cycle() {
        let recv = Event::Park { site: SiteId(1), timed: false };
        assert_eq!(lengths(&[(&[(1, Exclusive)], recv), (&[(2, Exclusive)], request(1, Exclusive))]), [0; 0]);
    }

    #[test]
    fn a_lock_asked_for_again_by_its_holder_is_a_cycle_unless_it_is_reentrant() {
        assert_eq!(lengths(&[(&[(1, Exclusive)], request(1, Exclusive))]), [1]);
        assert_eq!(lengths(&[(&[(1, Shared)], request(1, Exclusive))]), [1]);
        assert_eq!(lengths(&[(&[(1, Reentrant)], request(1, Reentrant))]), [0; 0]);
    }

    #[test]
    fn a_reader_that_reads_again_waits_behind_the_writer_that_waits_for_it() {
        assert_eq!(lengths(&[(&[(1, Shared)], request(1, Shared)), (&[], request(1, Exclusive))]), [2]);
        assert_eq!(lengths(&[(&[(1, Shared)], request(1, Shared)), (&[], request(1, Shared))]), [0; 0]);
    }

    #[test]
    fn what_a_thread_with_missing_events_holds_is_not_believed() {
        let (mut all, blocked) =
            threads(&[(&[(1, Exclusive)], request(2, Exclusive)), (&[(2, Exclusive)], request(1, Exclusive))]);
        all.passed_on.insert(ObjectId(2));
        assert_eq!(cycles(edges(&all, &blocked)), [[]; 0]);
        all.passed_on.clear();
        all.all.get_mut(&ThreadId(1)).expect("there").is_partial = true;
        assert_eq!(cycles(edges(&all, &blocked)), [[]; 0]);
    }

    #[test]
    fn a_join_of_a_thread_that_needs_the_joiners_lock_is_a_cycle() {
        let join = Event::JoinRequest { child: ThreadId(2), site: SiteId(1) };
        assert_eq!(lengths(&[(&[(1, Exclusive)], join), (&[], request(1, Exclusive))]), [2]);
    }
}
