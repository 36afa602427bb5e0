//! Asks prediction which of the rings a reordering of the recorded run reaches.

use crate::cycles::Ring;
use crate::model::Model;
use crate::predict::{Index, Limits, Prover, Reading, Recorded, Verdict};

/// Prediction keeps all events that bear on it in memory: above this number it is not tried.
const MOST_EVENTS: u64 = 30_000_000;

/// For each ring whether it is proven.
pub(crate) fn prove(model: &Model<'_>, rings: &[&Ring]) -> Vec<bool> {
    let none = vec![false; rings.len()];
    if rings.is_empty() || model.events > MOST_EVENTS {
        return none;
    }
    let recorded = Recorded::of(model.trace, Reading::default());
    let limits = Limits::default();
    let Ok(index) = Index::new(&recorded.trace, limits.clock_cells) else { return none };
    let mut prover = Prover::new(&index, &limits);
    rings.iter().map(|ring| is_reached(model, &recorded, &mut prover, ring)).collect()
}

fn is_reached(model: &Model<'_>, recorded: &Recorded, prover: &mut Prover<'_, '_>, ring: &Ring) -> bool {
    let contexts = ring.contexts.iter().copied().chain(ring.writers.iter().flatten().copied());
    let candidates: Vec<Vec<u32>> = contexts
        .map(|id| {
            let context = &model.contexts[id as usize];
            let thread = model.threads[context.thread].id;
            context.moments.kept.iter().filter_map(|(moment, _)| recorded.event(thread, moment.index)).collect()
        })
        .collect();
    if candidates.iter().any(Vec::is_empty) {
        return false;
    }
    let lists: Vec<&[u32]> = candidates.iter().map(Vec::as_slice).collect();
    matches!(prover.prove_any(&lists), Verdict::Proven(..))
}
