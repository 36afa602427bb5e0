//! Stuck threads put together by what they are stuck for.

use conccheck_trace::{Event, Mode, ObjectId};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::wakers::Wakers;
use super::{Cause, Group};
use crate::model::Model;
use crate::model::thread::State;

pub(super) fn group(model: &Model<'_>, states: &[State], wakers: &[Wakers], stuck: &[usize]) -> Vec<Group> {
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
    for t in stuck.iter().filter(|t| wakers[**t].unknown || wakers[**t].strayed) {
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
    let behind: Vec<usize> =
        reaching(graph, component.first().copied()).into_iter().filter(|node| !inside(*node)).map(|node| graph[node]).collect();
    if sure_inside && !are_out_of_work(model, &threads, &behind) {
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
        groups.push(Group { cause, behind, threads: ring(wakers, &threads), is_sure: true });
        return;
    }
    for node in component {
        let t = graph[*node];
        let mut others = graph.neighbors(*node).filter(|other| *other != *node && !inside(*other)).peekable();
        let waits_for_ended = wakers[t].threads.iter().any(|(other, _)| states[*other] == State::Ended);
        let cause = match model.threads[t].pending.as_ref().map(|pending| pending.event) {
            Some(Event::Request { .. }) if wakers[t].all && waits_for_ended => Cause::ForgottenGuard,
            // It is stuck because they are.
            _ if others.peek().is_some() && !wakers[t].unknown && !wakers[t].strayed => continue,
            Some(Event::Wait { condvar, order, .. }) if is_lost(model, condvar, order.0) => Cause::LostWakeup,
            _ => Cause::Leak,
        };
        let behind = reaching(graph, Some(*node)).into_iter().filter(|node| !inside(*node)).map(|node| graph[node]).collect();
        groups.push(Group { cause, threads: vec![t], behind, is_sure: true });
    }
}

/// Whether the threads are workers of one kind that wait in one place for messages, such as they sent to each other before, in a program
/// that ended while nobody waited for them in another way.
fn are_out_of_work(model: &Model<'_>, threads: &[usize], behind: &[usize]) -> bool {
    let waits = |t: usize| model.threads[t].pending.as_ref().map(|pending| pending.event);
    let receives = |t: usize| matches!(waits(t), Some(Event::RecvRequest { .. }));
    let kind = |t: usize| (model.threads[t].spawn.map(|spawn| spawn.site), waits(t).and_then(|event| event.site()));
    let are_alike = threads.len() > 1 && threads.iter().all(|t| kind(*t) == kind(threads[0]));
    model.trace.header.clean_end && are_alike && threads.iter().chain(behind).all(|t| receives(*t))
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
