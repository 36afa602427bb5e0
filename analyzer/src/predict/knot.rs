//! From two threads that stand before each other to all without whom neither could go on: whoever might still end a wait is a part
//! of the deadlock, or it is none.

use super::events::{CLASS_EXCLUDES, NONE, Op};
use super::index::Index;

/// How often all that is left of the run is gone through.
const ROUNDS: usize = 16;

/// Lets all threads but the goal's run on behind a schedule, in the order of the run, as far as they come; then adds to the goal
/// where those stand who could end a wait of it. `None`: one of them does not wait.
pub(crate) fn close(index: &Index<'_>, schedule: Vec<u32>, goal: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
    let mut run = Run::new(index, goal);
    schedule.iter().for_each(|event| run.step(*event));
    run.schedule = schedule;
    run.go_on();
    let mut all = goal.to_vec();
    let mut at = 0;
    while let Some(event) = all.get(at) {
        at += 1;
        for thread in run.others(*event) {
            if all.iter().any(|other| index.thread(*other) == thread) {
                continue;
            }
            let stands = run.next(thread).filter(|next| index.trace.events[*next as usize].op.can_block())?;
            all.push(stands);
        }
    }
    Some((run.schedule, all))
}

/// The state behind a schedule.
struct Run<'i, 't> {
    index: &'i Index<'t>,
    schedule: Vec<u32>,
    /// Events of each thread that happened.
    at: Vec<u32>,
    /// Threads that stay where they are.
    stays: Vec<bool>,
    last_write: Vec<u32>,
    /// Open sections by lock.
    open: Vec<Vec<u32>>,
    /// All events below this happened.
    all_below: u32,
}

impl<'i, 't> Run<'i, 't> {
    fn new(index: &'i Index<'t>, goal: &[u32]) -> Run<'i, 't> {
        let trace = index.trace;
        let mut stays = vec![false; trace.threads as usize];
        goal.iter().for_each(|event| stays[index.thread(*event) as usize] = true);
        Run {
            index,
            schedule: Vec::new(),
            at: vec![0; trace.threads as usize],
            stays,
            last_write: vec![NONE; trace.variables as usize],
            open: vec![Vec::new(); trace.locks as usize],
            all_below: 0,
        }
    }

    fn next(&self, thread: u32) -> Option<u32> {
        self.index.by_thread[thread as usize].get(self.at[thread as usize] as usize).copied()
    }

    fn has_happened(&self, event: u32) -> bool {
        self.at[self.index.thread(event) as usize] > self.index.local[event as usize]
    }

    fn go_on(&mut self) {
        for _ in 0..ROUNDS {
            let before = self.schedule.len();
            for event in 0..self.index.trace.events.len() as u32 {
                let thread = self.index.thread(event);
                if !self.stays[thread as usize] && self.next(thread) == Some(event) && self.can_happen(event) {
                    self.step(event);
                    self.schedule.push(event);
                }
            }
            if self.schedule.len() == before {
                break;
            }
        }
    }

    fn can_happen(&mut self, i: u32) -> bool {
        let event = self.index.trace.events[i as usize];
        let is_free = match event.op {
            Op::Acquire { .. } => self.keeper(i).is_none(),
            Op::Request { .. } | Op::Unknown => false,
            Op::Read => self.last_write[event.object as usize] == self.index.source[i as usize],
            _ => true,
        };
        is_free && self.index.before(i).all(|needed| self.has_happened(needed)) && !self.is_fenced_off(i)
    }

    /// Whether an event needs all that came before it in the run, and not all of that happened.
    fn is_fenced_off(&mut self, i: u32) -> bool {
        if self.index.trace.fences.binary_search(&i).is_err() {
            return false;
        }
        while self.all_below < i && self.has_happened(self.all_below) {
            self.all_below += 1;
        }
        self.all_below < i
    }

    fn step(&mut self, i: u32) {
        let event = self.index.trace.events[i as usize];
        self.at[event.thread as usize] += 1;
        let section = self.index.section_of[i as usize];
        match event.op {
            Op::Acquire { .. } => self.open[event.object as usize].push(section),
            Op::Release => self.open[event.object as usize].retain(|other| *other != section),
            Op::Write => self.last_write[event.object as usize] = i,
            _ => {}
        }
    }

    /// A thread whose section keeps an acquisition from going on.
    fn keeper(&self, i: u32) -> Option<u32> {
        let sections = &self.index.sections;
        let class = |id: u32| sections[id as usize].class as usize;
        let asked = class(self.index.section_of[i as usize]);
        let open = &self.open[self.index.trace.events[i as usize].object as usize];
        let keeper = open.iter().find(|id| CLASS_EXCLUDES[class(**id)][asked])?;
        Some(self.index.lanes[sections[*keeper as usize].lane as usize].thread)
    }

    /// The threads that could let `event` of the goal happen.
    fn others(&self, i: u32) -> Vec<u32> {
        let trace = self.index.trace;
        let event = trace.events[i as usize];
        match event.op {
            Op::Acquire { .. } => self.keeper(i).into_iter().collect(),
            Op::Join { .. } => vec![event.object],
            Op::Await { what, .. } => {
                let first = trace.alternatives.partition_point(|(event, ..)| *event < i);
                let others = trace.alternatives[first..].iter().take_while(|(event, ..)| *event == i);
                let all = others.map(|(_, what, object)| (*what, *object)).chain([(what, event.object)]);
                let helpers = all.flat_map(|(what, object)| trace.resources[object as usize].helpers(what));
                let mut threads: Vec<u32> =
                    helpers.filter(|helper| !self.has_happened(*helper)).map(|helper| self.index.thread(helper)).collect();
                threads.sort_unstable();
                threads.dedup();
                threads
            }
            _ => Vec::new(),
        }
    }
}
