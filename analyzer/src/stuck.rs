//! Who is blocked for good at the end of the trace, and on whom: the wait-for graph over resources of all kinds.
//!
//! A blocked thread can still go on if somebody who can go on may wake it: all holders of a lock (AND), any sender of a channel
//! (OR). The least fixpoint of that leaves the stuck threads, after GOLF (ASPLOS'25) and goleak; moves of handles are not recorded,
//! so who may hold a handle follows from who used it last and whom that thread started since.

use conccheck_trace::{Event, Mode, ObjectId, Side};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::model::Model;
use crate::model::channel::Handle;
use crate::model::thread::{Pending, State};
use crate::modes;

/// Why threads are stuck.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// The thread waits for a lock that it holds itself.
    DoubleLock,
    /// A read within a read waits behind a writer, which waits for the outer read.
    RecursiveRead,
    /// An initialiser waits for itself.
    Initialization,
    /// Threads wait for one another.
    Deadlock,
    /// The lock is held by a thread that ended.
    ForgottenGuard,
    /// The notification came too early, or woke another thread.
    LostWakeup,
    /// Nobody is left who could wake it.
    Leak,
}

/// Threads that are stuck for one reason.
#[derive(Clone, Debug)]
pub struct Group {
    /// Why.
    pub cause: Cause,
    /// The threads (dense indices), in the order of the waits where they wait in a ring.
    pub threads: Vec<usize>,
    /// Stuck threads that wait for them.
    pub behind: Vec<usize>,
}

/// Who can end a wait.
#[derive(Clone, Default, Debug)]
struct Wakers {
    /// Whether all of them are needed.
    all: bool,
    /// Thread, and whether it is sure that it is one.
    threads: Vec<(usize, bool)>,
    /// Whether there may be others.
    unknown: bool,
    /// Whether the wait has ended already, though not on record.
    wakes: bool,
}

/// The stuck threads of a process.
#[derive(Default, Debug)]
pub struct Stuck {
    /// One entry for each reason, in order of the first thread.
    pub groups: Vec<Group>,
    states: Vec<State>,
}

impl Stuck {
    pub(crate) fn new(model: &Model<'_>) -> Stuck {
        let states: Vec<State> = (0..model.threads.len()).map(|t| state(model, t)).collect();
        let wakers: Vec<Wakers> = (0..model.threads.len())
            .map(|t| if states[t] == State::Blocked { wakers(model, &states, t) } else { Wakers::default() })
            .collect();
        let live = fixpoint(model, &states, &wakers);
        let stuck: Vec<usize> = (0..states.len()).filter(|t| states[*t] == State::Blocked && !live[*t]).collect();
        let groups = group(model, &states, &wakers, &stuck);
        Stuck { groups, states }
    }

    /// How a thread stands at the end.
    pub fn state(&self, thread: usize) -> State {
        self.states[thread]
    }

    /// The groups of one kind.
    pub fn of(&self, cause: Cause) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.cause == cause)
    }
}

fn state(model: &Model<'_>, t: usize) -> State {
    let thread = &model.threads[t];
    if thread.ended.is_some() {
        return State::Ended;
    }
    match &thread.pending {
        Some(pending) if pending.event.is_timed() => State::Timed,
        Some(_) => State::Blocked,
        // The main thread ends with the program, and libtest waits for its tests, whose ends it does not record.
        None if model.trace.header.clean_end && (thread.is_main || thread.parent.is_none() && thread.test.is_some()) => {
            State::Ended
        }
        None if thread.sleeps => State::Timed,
        None => State::Running,
    }
}

/// Which threads can go on, or may be made to.
fn fixpoint(model: &Model<'_>, states: &[State], wakers: &[Wakers]) -> Vec<bool> {
    let mut live: Vec<bool> = (0..states.len())
        .map(|t| matches!(states[t], State::Running | State::Timed) || wakers[t].wakes || is_idle(model, states, t))
        .collect();
    loop {
        let mut changed = false;
        for t in 0..states.len() {
            if live[t] || states[t] != State::Blocked {
                continue;
            }
            let wakers = &wakers[t];
            let test = model.threads[t].test;
            let elsewhere = |other: usize| model.threads[other].test.is_none() || model.threads[other].test == test;
            live[t] = if wakers.all {
                wakers.threads.iter().all(|(other, _)| live[*other])
            } else {
                wakers.threads.iter().any(|(other, _)| live[*other])
                    || wakers.unknown && (0..states.len()).any(|other| other != t && live[other] && elsewhere(other))
            };
            changed |= live[t];
        }
        if !changed {
            return live;
        }
    }
}

/// Whether a blocked thread waits for work that a part of the program still reaches which is no thread: a static.
fn is_idle(model: &Model<'_>, states: &[State], t: usize) -> bool {
    let thread = &model.threads[t];
    let Some(pending) = &thread.pending else { return false };
    match pending.event {
        // Whoever unparked it before has a handle, and handles are not recorded. One that waits itself is no help.
        Event::Park { .. } => {
            let can_unpark =
                !thread.unparkers.is_empty() && thread.unparkers.iter().all(|other| states[*other] != State::Blocked);
            can_unpark || serves(model, t) || model.static_holds("Thread")
        }
        Event::RecvRequest { .. } | Event::SelectRequest { .. } => {
            let is_static = |id: ObjectId| {
                let channel = model.channels.get(id.0);
                channel
                    .is_some_and(|channel| channel.in_static || model.is_static(channel.created) || model.static_holds("Sender"))
            };
            let operations = pending.operations().unwrap_or_default();
            operations.into_iter().any(|(channel, side)| side == Side::Receiver && is_static(channel))
        }
        Event::Wait { .. } if serves(model, t) => true,
        Event::Wait { condvar, .. } => {
            thread.earlier_waits > 0 && model.trace.tables.object(condvar).is_some_and(|object| model.is_static(object.created))
        }
        Event::OnceRequest { once, .. } => {
            let runs = model.onces.get(once.0).is_some_and(|state| state.running.is_some());
            !runs && model.trace.tables.object(once).is_some_and(|object| model.is_static(object.created))
        }
        _ => false,
    }
}

/// Whether an initialiser that has ended started the thread: it serves whoever reaches what was initialised, as a global pool does.
fn serves(model: &Model<'_>, t: usize) -> bool {
    let thread = &model.threads[t];
    thread.in_static && thread.parent.is_some_and(|parent| model.threads[parent].initialising.is_empty())
}

fn wakers(model: &Model<'_>, states: &[State], t: usize) -> Wakers {
    let unknown = Wakers { unknown: true, ..Wakers::default() };
    let wakes = Wakers { wakes: true, ..Wakers::default() };
    let needs = |threads: Vec<(usize, bool)>| {
        if threads.is_empty() { wakes.clone() } else { Wakers { all: true, threads, ..Wakers::default() } }
    };
    let Some(pending) = &model.threads[t].pending else { return wakes };
    match pending.event {
        Event::Request { lock, mode, .. } => {
            let holders = lock_holders(model, lock, mode);
            needs(if holders.is_empty() { queued_writers(model, lock, mode, t) } else { holders })
        }
        Event::JoinRequest { .. } => {
            let children = pending.joins.iter().filter_map(|child| model.thread_index(*child));
            needs(children.filter(|child| states[*child] != State::Ended).map(|child| (child, true)).collect())
        }
        Event::OnceRequest { once, .. } => match model.onces.get(once.0).and_then(|once| once.running) {
            Some((runner, _)) => needs(vec![(runner, true)]),
            None if model.onces.get(once.0).is_some_and(|once| once.done.is_some()) => wakes,
            // It waits for a value that somebody is to set.
            None => unknown,
        },
        Event::Wait { condvar, order, .. } => {
            let Some(state) = model.condvars.get(condvar.0) else { return unknown };
            let since = state.notifications.iter().filter(|notification| notification.order > order.0);
            let in_flight = state.notified > order.0 && state.delivered > state.woken.values().sum();
            if since.clone().any(|notification| notification.all) || in_flight { wakes } else { unknown }
        }
        Event::BarrierWait { barrier, parties, order, .. } => {
            let parties = u64::from(parties.max(1));
            let full = order.0.saturating_sub(1) / parties * parties + parties;
            if model.barriers.get(barrier.0).is_some_and(|state| state.arrived >= full) { wakes } else { unknown }
        }
        Event::Park { .. } if model.threads[t].has_token => wakes,
        Event::Park { .. } => {
            let threads = model.threads[t].unparkers.iter().filter(|other| states[**other] != State::Ended);
            Wakers { threads: threads.map(|other| (*other, false)).collect(), ..unknown }
        }
        Event::CancelWait { token, .. } if model.tokens.get(token.0).is_some_and(|token| token.cancelled.is_some()) => wakes,
        Event::RecvRequest { .. } | Event::SendRequest { .. } | Event::SelectRequest { .. } => match pending.operations() {
            Some(operations) => any_wakers(model, states, t, &operations),
            None => wakes,
        },
        _ => unknown,
    }
}

/// Threads that hold the lock in a way that keeps out `asked`.
fn lock_holders(model: &Model<'_>, lock: ObjectId, asked: Mode) -> Vec<(usize, bool)> {
    let Some(state) = model.locks.get(lock.0) else { return Vec::new() };
    let keeps_out = |t: usize| model.threads[t].held.iter().any(|held| held.lock == lock && modes::blocks(held.mode, asked));
    let mut holders: Vec<(usize, bool)> = state.holders.iter().filter(|t| keeps_out(**t)).map(|t| (*t, true)).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}

/// Writers behind which a reader queues while readers hold the lock.
fn queued_writers(model: &Model<'_>, lock: ObjectId, asked: Mode, t: usize) -> Vec<(usize, bool)> {
    let is_read = model.locks.get(lock.0).is_some_and(|state| !state.holders.is_empty());
    if !is_read || !modes::blocks_behind_writer(Mode::Shared, asked) {
        return Vec::new();
    }
    let waits = |other: usize| {
        matches!(model.threads[other].pending.as_ref().map(|pending| pending.event),
            Some(Event::Request { lock: wanted, mode: Mode::Exclusive, .. }) if wanted == lock)
    };
    (0..model.threads.len()).filter(|other| *other != t && waits(*other)).map(|other| (other, true)).collect()
}

/// Who can end a wait for any of these operations.
fn any_wakers(model: &Model<'_>, states: &[State], t: usize, operations: &[(ObjectId, Side)]) -> Wakers {
    let mut any = Wakers::default();
    for (channel, side) in operations {
        let wakers = channel_wakers(model, states, t, *channel, *side);
        any.wakes |= wakers.wakes;
        any.unknown |= wakers.unknown;
        any.threads.extend(wakers.threads);
    }
    any.threads.sort_unstable();
    any.threads.dedup_by(|a, b| {
        let same = a.0 == b.0;
        b.1 |= same && a.1;
        same
    });
    any
}

/// Who can end a wait to use the channel on this side.
fn channel_wakers(model: &Model<'_>, states: &[State], t: usize, id: ObjectId, side: Side) -> Wakers {
    let wakes = Wakers { wakes: true, ..Wakers::default() };
    let Some(channel) = model.channels.get(id.0).filter(|channel| channel.is_known) else {
        return Wakers { unknown: true, ..Wakers::default() };
    };
    let queued = channel.queued();
    let opposite = match side {
        Side::Sender => Side::Receiver,
        Side::Receiver => Side::Sender,
    };
    let waits_opposite = |other: usize| {
        let operations = model.threads[other].pending.as_ref().and_then(Pending::operations);
        operations.is_some_and(|operations| operations.contains(&(id, opposite)))
    };
    let is_ready = match side {
        Side::Receiver => queued > 0,
        Side::Sender => channel.capacity.is_none_or(|capacity| queued < capacity),
    };
    let meets = (0..states.len()).any(|other| other != t && states[other] == State::Blocked && waits_opposite(other));
    if is_ready || meets || channel.alive(opposite).next().is_none() {
        return wakes;
    }
    let mut wakers = Wakers::default();
    for handle in channel.alive(opposite) {
        may_hold(model, states, handle, t, &mut wakers);
    }
    wakers
}

/// Adds the threads that may hold a handle: who touched it last, and whom that thread started since.
fn may_hold(model: &Model<'_>, states: &[State], handle: &Handle, waiter: usize, wakers: &mut Wakers) {
    let toucher = handle.toucher;
    if states[toucher] == State::Ended {
        wakers.unknown = true;
    } else {
        // Who waits for the other end of its own channel may have given that end away.
        wakers.threads.push((toucher, handle.is_used && toucher != waiter));
    }
    let mut heirs = vec![false; model.threads.len()];
    // Parents have smaller indices than the threads that they start, but for damaged traces: then some heirs are missed.
    for t in 0..model.threads.len() {
        let thread = &model.threads[t];
        let (Some(parent), Some(spawn)) = (thread.parent, thread.spawn) else { continue };
        if parent == toucher && spawn.index > handle.touched || heirs[parent] {
            heirs[t] = true;
            if states[t] != State::Ended {
                wakers.threads.push((t, false));
            }
        }
    }
}

fn group(model: &Model<'_>, states: &[State], wakers: &[Wakers], stuck: &[usize]) -> Vec<Group> {
    let mut graph = DiGraph::<usize, bool>::new();
    let mut nodes = vec![None; states.len()];
    for t in stuck {
        nodes[*t] = Some(graph.add_node(*t));
    }
    let node = |t: usize| nodes.get(t).copied().flatten();
    for t in stuck {
        for (other, sure) in &wakers[*t].threads {
            if let (Some(from), Some(to)) = (node(*t), node(*other)) {
                graph.add_edge(from, to, *sure);
            }
        }
    }
    // Who waits for something that anybody might do, while others wait for a lock of it, waits for those others as well.
    for t in stuck.iter().filter(|t| wakers[**t].unknown) {
        for other in reaching(&graph, node(*t)) {
            if let Some(from) = node(*t)
                && model.threads[*t].held.iter().any(|held| waits_for_lock(model, graph[other], held.lock))
                && !are_peers(model, *t, graph[other])
            {
                graph.add_edge(from, other, false);
            }
        }
    }
    let mut groups = Vec::new();
    for component in kosaraju_scc(&graph) {
        classify(model, states, wakers, &graph, &component, &mut groups);
    }
    groups.sort_by_key(|group: &Group| group.threads.first().copied());
    groups
}

/// Whether `other` is to do next what `t` did before it blocked: then it would block in the same way, and wake nobody.
fn are_peers(model: &Model<'_>, t: usize, other: usize) -> bool {
    let spawned = |t: usize| model.threads[t].spawn.map(|spawn| spawn.site);
    let asks = model.threads[other].pending.as_ref().and_then(|pending| pending.event.site());
    spawned(t).is_some() && spawned(t) == spawned(other) && model.threads[t].held.iter().any(|held| Some(held.site) == asks)
}

fn waits_for_lock(model: &Model<'_>, t: usize, lock: ObjectId) -> bool {
    matches!(model.threads[t].pending.as_ref().map(|pending| pending.event), Some(Event::Request { lock: wanted, .. }) if wanted == lock)
}

/// All nodes from which `node` can be reached, but not itself.
fn reaching(graph: &DiGraph<usize, bool>, node: Option<NodeIndex>) -> Vec<NodeIndex> {
    let Some(node) = node else { return Vec::new() };
    let mut seen = vec![false; graph.node_count()];
    seen[node.index()] = true;
    let mut found = Vec::new();
    let mut todo = vec![node];
    while let Some(at) = todo.pop() {
        for from in graph.neighbors_directed(at, petgraph::Direction::Incoming) {
            if !std::mem::replace(&mut seen[from.index()], true) {
                found.push(from);
                todo.push(from);
            }
        }
    }
    found.sort_unstable_by_key(|node| graph[*node]);
    found
}

fn classify(
    model: &Model<'_>,
    states: &[State],
    wakers: &[Wakers],
    graph: &DiGraph<usize, bool>,
    component: &[NodeIndex],
    groups: &mut Vec<Group>,
) {
    let inside = |node: NodeIndex| component.contains(&node);
    let sure_inside = component
        .iter()
        .any(|node| graph.edges(*node).any(|edge| *edge.weight() && inside(petgraph::visit::EdgeRef::target(&edge))));
    let mut threads: Vec<usize> = component.iter().map(|node| graph[*node]).collect();
    threads.sort_unstable();
    if sure_inside {
        let event = |t: usize| model.threads[t].pending.as_ref().map(|pending| pending.event);
        let has = |f: &dyn Fn(usize, Event) -> bool| threads.iter().any(|t| event(*t).is_some_and(|event| f(*t, event)));
        let cause = if has(&|_, event| matches!(event, Event::OnceRequest { .. })) {
            Cause::Initialization
        } else if threads.len() == 1 {
            Cause::DoubleLock
        } else if has(&|t, event| reads_again(model, t, event)) {
            Cause::RecursiveRead
        } else {
            Cause::Deadlock
        };
        let behind =
            reaching(graph, component.first().copied()).into_iter().filter(|node| !inside(*node)).map(|node| graph[node]);
        groups.push(Group { cause, behind: behind.collect(), threads: ring(wakers, &threads) });
        return;
    }
    for node in component {
        let t = graph[*node];
        let mut others = graph.neighbors(*node).filter(|other| *other != *node && !inside(*other)).peekable();
        let waits_for_ended = wakers[t].threads.iter().any(|(other, _)| states[*other] == State::Ended);
        let cause = match model.threads[t].pending.as_ref().map(|pending| pending.event) {
            Some(Event::Request { .. }) if wakers[t].all && waits_for_ended => Cause::ForgottenGuard,
            // It is stuck because they are.
            _ if others.peek().is_some() && !wakers[t].unknown => continue,
            Some(Event::Wait { condvar, order, .. }) if is_lost(model, condvar, order.0) => Cause::LostWakeup,
            _ => Cause::Leak,
        };
        let behind = reaching(graph, Some(*node)).into_iter().filter(|node| !inside(*node)).map(|node| graph[node]).collect();
        groups.push(Group { cause, threads: vec![t], behind });
    }
}

/// Whether the thread asks for a read of a lock that it reads already.
fn reads_again(model: &Model<'_>, t: usize, event: Event) -> bool {
    let is_read = |mode| matches!(mode, Mode::Shared | Mode::RecursiveShared | Mode::Upgradable);
    matches!(event, Event::Request { lock, mode: Mode::Shared, .. }
        if model.threads[t].held.iter().any(|held| held.lock == lock && is_read(held.mode)))
}

/// Whether a notification came when nobody waited yet, or woke others while this one waited too.
fn is_lost(model: &Model<'_>, condvar: ObjectId, order: u64) -> bool {
    model.condvars.get(condvar.0).is_some_and(|state| {
        state.notifications.iter().any(|notification| {
            let too_early = notification.order <= order && notification.waiting == 0;
            let to_another = notification.order > order && !notification.all && notification.waiting > 1;
            too_early || to_another
        })
    })
}

/// The threads of a component in the order of a ring of waits through it, as far as there is one.
fn ring(wakers: &[Wakers], threads: &[usize]) -> Vec<usize> {
    let mut order = Vec::with_capacity(threads.len());
    let mut at = threads.first().copied();
    while let Some(t) = at {
        order.push(t);
        let mut next: Vec<_> =
            wakers[t].threads.iter().filter(|(other, _)| threads.contains(other) && !order.contains(other)).collect();
        next.sort_by_key(|(other, sure)| (!sure, *other));
        at = next.first().map(|(other, _)| *other);
    }
    order.extend(threads.iter().filter(|t| !order.contains(t)).copied().collect::<Vec<_>>());
    order
}
