//! Deadlock patterns: rings of threads, each of which asked for a lock that the next one held.
//!
//! The lock-order graph has the locks as nodes and an edge `A -> B` for each acquisition of `B` while `A` was held. Rings lie within
//! its strongly connected components. For each edge of a component one shortest ring is looked for whose acquisitions are of
//! different threads, hold no gate lock in common, keep each other out by their modes (the matrix of the kernel's lockdep, with the
//! writer that makes readers queue among the recorded acquisitions) and are not ordered by happens-before. The ten locks of a
//! complete graph have 1.1 million rings, so steps are counted and bounded.

use std::cell::Cell;
use std::collections::hash_map::Entry;

use conccheck_trace::{Mode, ObjectId, SiteId};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::Model;
use crate::model::context::{Context, Held};
use crate::modes;

/// Search steps for one edge of the lock-order graph, and for all.
const STEPS_EACH: u64 = 20_000;
const STEPS_ALL: u64 = 20_000_000;

/// A ring: each context asks for a lock that the next one holds; the last one's is held by the first.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    /// Indices into [`Model::contexts`].
    pub(crate) contexts: Vec<u32>,
    /// For each context a writer (context) that makes it queue behind a reader.
    pub(crate) writers: Vec<Option<u32>>,
    /// How often it may have happened: the rarest acquisition of it, summed over the rings of the same sites.
    pub(crate) count: u64,
    /// All rings of the same sites, this one first.
    pub(crate) same: Vec<Vec<u32>>,
}

/// The rings of a process, one for each set of sites.
#[derive(Default, Debug)]
pub(crate) struct Rings {
    pub(crate) rings: Vec<Ring>,
    /// Edges of the lock-order graph for which the search was cut short.
    pub(crate) cut: usize,
}

struct Search<'m, 'a> {
    model: &'m Model<'a>,
    /// Contexts by a held and the wanted lock.
    by_edge: FxHashMap<(ObjectId, ObjectId), Vec<u32>>,
    /// Wanted locks by held lock, within a component.
    next: FxHashMap<ObjectId, Vec<ObjectId>>,
    /// Held locks by wanted lock.
    back: FxHashMap<ObjectId, Vec<ObjectId>>,
    held: FxHashMap<u32, Vec<Held>>,
    steps: Cell<u64>,
    all_steps: Cell<u64>,
}

/// Finds the rings of a process.
pub(crate) fn find(model: &Model<'_>) -> Rings {
    let mut search = Search {
        model,
        by_edge: FxHashMap::default(),
        next: FxHashMap::default(),
        back: FxHashMap::default(),
        held: FxHashMap::default(),
        steps: Cell::default(),
        all_steps: Cell::default(),
    };
    let edges = search.edges();
    let mut found: Vec<Ring> = Vec::new();
    let mut by_sites: FxHashMap<Vec<(SiteId, SiteId)>, usize> = FxHashMap::default();
    let mut seen: FxHashSet<Vec<u32>> = FxHashSet::default();
    let mut cut = 0;
    for (held, wanted) in edges {
        match search.shortest(held, wanted) {
            Ok(None) => {}
            Err(TooMuch) => cut += 1,
            Ok(Some((contexts, writers))) => {
                let mut sorted = contexts.clone();
                sorted.sort_unstable();
                if !seen.insert(sorted) {
                    continue;
                }
                let count = contexts.iter().map(|id| model.contexts[*id as usize].count()).min().unwrap_or(0);
                let key = sites(model, &contexts);
                match by_sites.get(&key) {
                    Some(at) => {
                        found[*at].count += count;
                        found[*at].same.push(contexts);
                    }
                    None => {
                        by_sites.insert(key, found.len());
                        found.push(Ring { same: vec![contexts.clone()], contexts, writers, count });
                    }
                }
            }
        }
    }
    Rings { rings: found, cut }
}

struct TooMuch;
type Path = (Vec<u32>, Vec<Option<u32>>);

impl Search<'_, '_> {
    /// Edges within the components, sorted; fills the tables.
    fn edges(&mut self) -> Vec<(ObjectId, ObjectId)> {
        let mut graph = DiGraph::<ObjectId, ()>::new();
        let mut nodes = FxHashMap::default();
        let mut all: FxHashMap<(ObjectId, ObjectId), Vec<u32>> = FxHashMap::default();
        for (id, context) in self.model.contexts.iter().enumerate() {
            if context.chain == 0 || !context.can_wait() {
                continue;
            }
            let id = u32::try_from(id).unwrap_or(u32::MAX);
            for held in self.model.held(context.chain) {
                // Who holds the lock already does not wait for another thread (or for ever, and that is another rule).
                if held.lock != context.lock {
                    all.entry((held.lock, context.lock)).or_default().push(id);
                }
            }
        }
        let mut edges: Vec<(ObjectId, ObjectId)> = all.keys().copied().collect();
        edges.sort_unstable();
        for (held, wanted) in &edges {
            let from = *nodes.entry(*held).or_insert_with(|| graph.add_node(*held));
            let to = *nodes.entry(*wanted).or_insert_with(|| graph.add_node(*wanted));
            graph.add_edge(from, to, ());
        }
        let mut component = FxHashMap::default();
        for (number, locks) in kosaraju_scc(&graph).into_iter().enumerate() {
            component.extend(locks.into_iter().map(|node| (graph[node], number)));
        }
        edges.retain(|(held, wanted)| component.get(held) == component.get(wanted));
        for (held, wanted) in &edges {
            self.next.entry(*held).or_default().push(*wanted);
            self.back.entry(*wanted).or_default().push(*held);
            if let Some(contexts) = all.remove(&(*held, *wanted)) {
                for id in &contexts {
                    let chain = self.model.contexts[*id as usize].chain;
                    self.held.entry(*id).or_insert_with(|| self.model.held(chain).into_iter().copied().collect());
                }
                self.by_edge.insert((*held, *wanted), contexts);
            }
        }
        edges
    }

    /// A shortest ring through the edge.
    fn shortest(&self, held: ObjectId, wanted: ObjectId) -> Result<Option<Path>, TooMuch> {
        self.steps.set(0);
        let distance = self.distances(held, wanted)?;
        let Some(least) = distance.get(&wanted).copied() else { return Ok(None) };
        let starts = self.by_edge.get(&(held, wanted)).map_or(&[][..], Vec::as_slice);
        let most = (distance.len() + 1).min(self.model.config.longest_cycle).min(self.model.threads.len());
        for length in least + 1..=most {
            for start in starts {
                let mut path = vec![*start];
                if let Some(writers) = self.extend(&mut path, held, length, &distance)? {
                    return Ok(Some((path, writers)));
                }
            }
        }
        Ok(None)
    }

    fn step(&self) -> Result<(), TooMuch> {
        self.steps.update(|steps| steps + 1);
        self.all_steps.update(|steps| steps + 1);
        if self.steps.get() > STEPS_EACH || self.all_steps.get() > STEPS_ALL { Err(TooMuch) } else { Ok(()) }
    }

    /// How many edges lead from a lock to `goal`, for the locks on the way from `from`.
    fn distances(&self, goal: ObjectId, from: ObjectId) -> Result<FxHashMap<ObjectId, usize>, TooMuch> {
        let mut distance = FxHashMap::default();
        distance.insert(goal, 0);
        let mut layer = vec![goal];
        // The common case: the opposite edge exists, and rings of two suffice unless a gate lock forbids them.
        while !layer.is_empty() {
            let mut outer = Vec::new();
            for lock in layer {
                let far = distance.get(&lock).copied().unwrap_or(0) + 1;
                for before in self.back.get(&lock).into_iter().flatten() {
                    self.step()?;
                    if let Entry::Vacant(entry) = distance.entry(*before) {
                        entry.insert(far);
                        outer.push(*before);
                    }
                }
            }
            layer = outer;
            if distance.len() > 64 && distance.contains_key(&from) {
                break;
            }
        }
        Ok(distance)
    }

    /// Extends the path to a ring of `length` contexts that ends at `goal`; gives the writers needed.
    fn extend(
        &self,
        path: &mut Vec<u32>,
        goal: ObjectId,
        length: usize,
        distance: &FxHashMap<ObjectId, usize>,
    ) -> Result<Option<Vec<Option<u32>>>, TooMuch> {
        let last = *path.last().expect("a path has a start");
        let wanted = self.model.contexts[last as usize].lock;
        if path.len() == length {
            return Ok(if wanted == goal { self.writers(path) } else { None });
        }
        let left = length - path.len();
        for &lock in self.next.get(&wanted).into_iter().flatten() {
            if distance.get(&lock).is_none_or(|far| *far + 1 > left) || (left == 1 && lock != goal) {
                continue;
            }
            for &next in self.by_edge.get(&(wanted, lock)).into_iter().flatten() {
                self.step()?;
                if !self.can_follow(path, last, next) {
                    continue;
                }
                path.push(next);
                if let Some(writers) = self.extend(path, goal, length, distance)? {
                    return Ok(Some(writers));
                }
                path.pop();
            }
        }
        Ok(None)
    }

    fn can_follow(&self, path: &[u32], last: u32, next: u32) -> bool {
        let context = |id: u32| &self.model.contexts[id as usize];
        let (from, to) = (context(last), context(next));
        // What is cheap to see comes first: edges may have thousands of contexts, most of the same few threads.
        path.iter().all(|id| context(*id).thread() != to.thread() && context(*id).lock != to.lock)
            && self
                .held_mode(next, from.lock)
                .is_some_and(|held| modes::blocks(held, from.mode) || modes::blocks_behind_writer(held, from.mode))
            && path.iter().all(|id| self.are_compatible(*id, next))
    }

    /// Whether two acquisitions can both be under way: different threads, no gate lock, not ordered.
    fn are_compatible(&self, a: u32, b: u32) -> bool {
        let (x, y) = (&self.model.contexts[a as usize], &self.model.contexts[b as usize]);
        x.thread() != y.thread() && x.is_concurrent(y) && !has_gate(self.model, x, y)
    }

    fn held_mode(&self, context: u32, lock: ObjectId) -> Option<Mode> {
        self.held.get(&context)?.iter().find(|held| held.lock == lock).map(|held| held.mode)
    }

    /// For each context of a ring the writer that it needs, if all can be had.
    fn writers(&self, ring: &[u32]) -> Option<Vec<Option<u32>>> {
        let mut writers: Vec<Option<u32>> = Vec::with_capacity(ring.len());
        for (i, id) in ring.iter().enumerate() {
            let context = &self.model.contexts[*id as usize];
            let held = self.held_mode(ring[(i + 1) % ring.len()], context.lock)?;
            if modes::blocks(held, context.mode) {
                writers.push(None);
                continue;
            }
            if !modes::blocks_behind_writer(held, context.mode) {
                return None;
            }
            let candidates = &self.model.locks.get(context.lock.0)?.contexts;
            let writer = candidates.iter().copied().find(|writer| {
                let asks = &self.model.contexts[*writer as usize];
                let is_free = !writers.contains(&Some(*writer));
                asks.mode == Mode::Exclusive
                    && asks.can_wait()
                    && is_free
                    && ring.iter().all(|id| self.are_compatible(*id, *writer))
            });
            writers.push(Some(writer?));
        }
        Some(writers)
    }
}

/// Where each context of a ring holds the lock that the one before it asks for, and where it asks itself; from the smallest on.
pub(crate) fn sites(model: &Model<'_>, ring: &[u32]) -> Vec<(SiteId, SiteId)> {
    let mut sites: Vec<(SiteId, SiteId)> = (0..ring.len())
        .map(|i| {
            let context = &model.contexts[ring[i] as usize];
            let before = model.contexts[ring[(i + ring.len() - 1) % ring.len()] as usize].lock;
            let held =
                model.held(context.chain).into_iter().find(|held| held.lock == before).map_or(SiteId::NONE, |held| held.site);
            (held, context.site)
        })
        .collect();
    let least = (0..sites.len()).min_by_key(|start| {
        let mut turned = sites.clone();
        turned.rotate_left(*start);
        turned
    });
    sites.rotate_left(least.unwrap_or(0));
    sites
}

/// Whether a lock that both hold, or that threads around them hold, keeps the two from being under way at once.
pub(crate) fn has_gate(model: &Model<'_>, a: &Context, b: &Context) -> bool {
    let (ours, theirs) = (guards(model, a), guards(model, b));
    ours.iter().any(|(owner, lock, mode)| {
        theirs.iter().any(|(other, same, their_mode)| {
            lock == same && owner != other && (modes::blocks(*mode, *their_mode) || modes::blocks(*their_mode, *mode))
        })
    })
}

/// The locks held by a context's thread, and by its ancestors around its whole life, with their owners.
fn guards(model: &Model<'_>, context: &Context) -> Vec<(usize, ObjectId, Mode)> {
    let mut guards: Vec<_> = model.held(context.chain).into_iter().map(|held| (context.thread(), held.lock, held.mode)).collect();
    let mut thread = context.thread();
    // A damaged trace may make threads each other's parents.
    for _ in 0..64 {
        guards.extend(model.threads[thread].inherited.iter().map(|(owner, held)| (*owner, held.lock, held.mode)));
        match model.threads[thread].parent {
            Some(parent) => thread = parent,
            None => break,
        }
    }
    guards
}
