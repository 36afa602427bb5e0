//! Merging on a processor of its own, beside what looks at the events.

use std::panic::resume_unwind;
use std::sync::mpsc::{channel, sync_channel};

use conccheck_trace::Step;
use conccheck_trace::read::ProcessTrace;

use crate::merge::{Merged, merge_steps};

/// Events that are handed over at a time, and how many such batches may wait.
const BATCH: usize = 4096;
const BATCHES: usize = 4;
/// Traces with fewer events are not worth a thread.
const FEW_EVENTS: u64 = 200_000;

/// The same as [`merge_steps`], faster where there are two processors.
pub(crate) fn merge_beside(trace: &ProcessTrace, each: impl FnMut(usize, u32, &Step)) -> Merged {
    if trace.event_count() < FEW_EVENTS { merge_steps(trace, each) } else { beside(trace, each) }
}

pub(crate) fn beside(trace: &ProcessTrace, mut each: impl FnMut(usize, u32, &Step)) -> Merged {
    std::thread::scope(|scope| {
        let (full, batches) = sync_channel::<Vec<(u32, u32, Step)>>(BATCHES);
        let (empty, spare) = channel::<Vec<(u32, u32, Step)>>();
        let merging = scope.spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            let merged = merge_steps(trace, |thread, index, step| {
                batch.push((u32::try_from(thread).unwrap_or(u32::MAX), index, *step));
                if batch.len() == BATCH {
                    let next = spare.try_recv().unwrap_or_else(|_| Vec::with_capacity(BATCH));
                    // Nobody takes it if the other side panicked.
                    _ = full.send(std::mem::replace(&mut batch, next));
                }
            });
            _ = full.send(batch);
            merged
        });
        for mut batch in batches {
            for (thread, index, step) in &batch {
                each(*thread as usize, *index, step);
            }
            batch.clear();
            _ = empty.send(batch);
        }
        merging.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}
