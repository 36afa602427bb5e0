//! Prediction over all of a trace, where the trace says everything that a thread read and wrote.
//!
//! Such are traces in the STD format. In them every pattern is tried, and counted as the literature counts; of other traces only the
//! rings of the lock-order graph are ([`proof`](crate::proof)).

use conccheck_trace::ObjectId;
use conccheck_trace::read::ProcessTrace;

use crate::cycles::Ring;
use crate::model::Model;
use crate::predict::{Deadlock, Limits, Pattern, Prediction, Reading, Recorded, predict};

/// What prediction counts in traces in the STD format, over all of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PredictionCounts {
    /// Events, inner parts of re-entrant sections not counted.
    pub events: u64,
    /// Threads.
    pub threads: usize,
    /// Locks.
    pub locks: usize,
    /// Acquisitions, re-entrant ones not counted.
    pub acquisitions: usize,
    /// Nested acquisitions that differ in thread, lock or held set.
    pub abstract_acquisitions: usize,
    /// Cycles among those.
    pub abstract_patterns: usize,
    /// Instances of all patterns: one acquisition for each of a pattern's.
    pub concrete_patterns: u64,
    /// Patterns that a reordering reaches which keeps the order of each lock's sections.
    pub sync_preserving: usize,
    /// The distinct tuples of places in the source among those.
    pub sync_preserving_locations: usize,
    /// Further patterns, which a reordering reaches that does not.
    pub by_reversal: usize,
    /// The distinct tuples of places in the source among all that are reached.
    pub locations: usize,
}

/// What prediction found in a trace.
#[derive(Debug)]
pub(crate) struct Predicted {
    pub(crate) recorded: Recorded,
    pub(crate) prediction: Prediction,
}

/// Whether the trace says everything that a thread read and wrote.
pub(crate) fn is_complete(trace: &ProcessTrace) -> bool {
    trace.header.facts.iter().any(|(key, value)| key == "format" && value == "std")
}

impl Predicted {
    /// Prediction over a trace that [`is_complete`].
    pub(crate) fn new(trace: &ProcessTrace) -> Predicted {
        let recorded = Recorded::of(trace, Reading::Apart);
        let prediction = predict(&recorded.trace, &Limits::default());
        Predicted { recorded, prediction }
    }

    /// The counts, of a trace with so many events.
    pub(crate) fn counts(&self, events: u64) -> PredictionCounts {
        let counts = self.prediction.counts;
        PredictionCounts {
            events,
            threads: counts.threads,
            locks: counts.locks,
            acquisitions: counts.acquires,
            abstract_acquisitions: counts.abstract_acquires,
            abstract_patterns: counts.abstract_patterns,
            concrete_patterns: counts.concrete_patterns,
            sync_preserving: counts.keeping_order,
            sync_preserving_locations: counts.keeping_order_locations,
            by_reversal: counts.deadlocks - counts.keeping_order,
            locations: counts.locations,
        }
    }

    /// The ring of the model that a deadlock closes.
    pub(crate) fn ring(&self, model: &Model<'_>, deadlock: &Deadlock) -> Option<Ring> {
        let pattern: &Pattern = &self.prediction.patterns[deadlock.pattern];
        let contexts: Option<Vec<u32>> =
            pattern.iter().zip(&deadlock.witness.goal).map(|(acquire, event)| self.context(model, *acquire, *event)).collect();
        let contexts = contexts?;
        let count = contexts.iter().map(|id| model.contexts[*id as usize].count()).min().unwrap_or(0);
        Some(Ring { writers: vec![None; contexts.len()], same: vec![contexts.clone()], contexts, count })
    }

    /// The context of an acquisition.
    fn context(&self, model: &Model<'_>, acquire: u32, event: u32) -> Option<u32> {
        let acquire = &self.prediction.acquires[acquire as usize];
        let (thread, number) = self.recorded.origin(event);
        let thread = model.thread_index(thread)?;
        let site = self.recorded.trace.events[event as usize].location;
        let mut held: Vec<ObjectId> = acquire.held.iter().map(|held| self.recorded.lock(held.lock)).collect();
        held.sort_unstable();
        let fits = |id: &u32| {
            let context = &model.contexts[*id as usize];
            let mut chain: Vec<ObjectId> = model.held(context.chain).into_iter().map(|held| held.lock).collect();
            chain.sort_unstable();
            context.thread() == thread && context.site.0 == site && chain == held
        };
        let lock = model.locks.get(self.recorded.lock(acquire.lock).0)?;
        let fitting: Vec<u32> = lock.contexts.iter().copied().filter(fits).collect();
        let is_meant = |id: &&u32| model.contexts[**id as usize].moments.kept().any(|(index, _)| index == number);
        fitting.iter().find(is_meant).or(fitting.first()).copied()
    }
}

impl PredictionCounts {
    /// Adds the counts of another trace.
    pub(crate) fn add(&mut self, other: PredictionCounts) {
        self.events += other.events;
        self.threads += other.threads;
        self.locks += other.locks;
        self.acquisitions += other.acquisitions;
        self.abstract_acquisitions += other.abstract_acquisitions;
        self.abstract_patterns += other.abstract_patterns;
        self.concrete_patterns = self.concrete_patterns.saturating_add(other.concrete_patterns);
        self.sync_preserving += other.sync_preserving;
        self.sync_preserving_locations += other.sync_preserving_locations;
        self.by_reversal += other.by_reversal;
        self.locations += other.locations;
    }
}
