//! From threads that stand before each other to all without whom none of them could go on: whoever might still end a wait is a part
//! of the deadlock, or it is none.

use conccheck_trace::Mode;

use super::events::{Await, Op, PEvent, excludes};
use super::index::Index;
use super::state::State;

/// How often all that is left of the run is gone through.
const ROUNDS: usize = 16;

/// Lets all threads but the goal's run on behind a schedule, in the order of the run, as far as they come; then adds to the goal
/// where those stand who could end a wait of it. `None`: one of them does not wait.
pub(crate) fn close(index: &Index<'_>, schedule: &[u32], goal: &[u32]) -> Option<(Vec<u32>, Vec<u32>)> {
    let mut state = State::new(index);
    schedule.iter().for_each(|event| state.step(index.thread(*event)));
    for _ in 0..ROUNDS {
        let before = state.schedule.len();
        for event in 0..index.trace.events.len() as u32 {
            if !goal.contains(&event) && state.next(index.thread(event)) == Some(event) && state.can_happen(event) {
                state.step(index.thread(event));
            }
        }
        if state.schedule.len() == before {
            break;
        }
    }
    let all = knot(&state, goal)?;
    Some((state.schedule, all))
}

/// The goal, and where those stand who could end one of the waits, and so on. `None`: not all of them wait for ever.
pub(crate) fn knot(state: &State<'_, '_>, goal: &[u32]) -> Option<Vec<u32>> {
    let stuck = Stuck::find(state);
    let mut all = goal.to_vec();
    let mut is_in = vec![false; state.at.len()];
    for event in goal {
        let thread = state.index.thread(*event);
        if stuck.at[thread as usize] != Some(*event) {
            return None;
        }
        is_in[thread as usize] = true;
    }
    let mut at = 0;
    while let Some(event) = all.get(at).copied() {
        at += 1;
        let others = stuck.others(event);
        // Of several who hold a lock one is enough.
        let needs_all = state.index.trace.events[event as usize].op.asks().is_none();
        if !needs_all && others.iter().any(|other| is_in[*other as usize]) {
            continue;
        }
        let waiting = others.into_iter().filter_map(|other| Some((other, stuck.at[other as usize]?)));
        for (thread, stands) in waiting.take(if needs_all { usize::MAX } else { 1 }) {
            if !std::mem::replace(&mut is_in[thread as usize], true) {
                all.push(stands);
            }
        }
    }
    Some(all)
}

/// The threads that wait for ever in a state: nobody who could end their waits will go on.
struct Stuck<'s, 'i, 't> {
    state: &'s State<'i, 't>,
    /// Where each of them stands.
    at: Vec<Option<u32>>,
}

impl<'s, 'i, 't> Stuck<'s, 'i, 't> {
    fn find(state: &'s State<'i, 't>) -> Stuck<'s, 'i, 't> {
        let at = (0..state.at.len() as u32).map(|thread| state.next(thread)).collect();
        let mut stuck = Stuck { state, at };
        loop {
            let goes_on = |at: &&Option<u32>| at.is_some_and(|event| !stuck.stays(event));
            let going: Vec<u32> = stuck.at.iter().filter(goes_on).flatten().map(|event| state.index.thread(*event)).collect();
            if going.is_empty() {
                return stuck;
            }
            going.iter().for_each(|thread| stuck.at[*thread as usize] = None);
        }
    }

    /// Whether the thread of its next event waits there, for ever as far as is known.
    fn stays(&self, event: u32) -> bool {
        let index = self.state.index;
        let op = index.trace.events[event as usize].op;
        let is_stuck = |thread: &u32| self.at[*thread as usize].is_some();
        let is_there = || index.needed(event).all(|needed| self.state.happened(needed));
        if op.asks().is_some() {
            return is_there() && self.others(event).iter().any(is_stuck);
        }
        op.awaits().is_some()
            && is_there()
            && index.trace.awaited(event).all(|(what, object)| self.lacks(event, what, object))
            && self.others(event).iter().all(is_stuck)
    }

    /// The threads that could let an event happen: of a lock each of them is in the way, else each of them could help.
    fn others(&self, event: u32) -> Vec<u32> {
        let index = self.state.index;
        let mut others = if index.trace.events[event as usize].op.asks().is_some() {
            self.in_the_way(event)
        } else {
            let awaited = index.trace.awaited(event);
            awaited.flat_map(|(what, object)| self.helpers(what, object)).map(|thread| self.actor(thread)).collect()
        };
        others.sort_unstable();
        others.dedup();
        others
    }

    /// Those who hold the lock, and those who wait to write it: who wants to read queues behind them.
    fn in_the_way(&self, event: u32) -> Vec<u32> {
        let index = self.state.index;
        let events = &index.trace.events;
        let holders = |event: u32| {
            let sections = self.state.keepers(event).map(|id| &index.sections[id as usize]);
            let steady = |acquire: u32| matches!(events[acquire as usize].op, Op::Acquire { steady: true, .. });
            sections.filter(move |section| steady(section.acquire)).map(|section| index.lanes[section.lane as usize].thread)
        };
        let mut others: Vec<u32> = holders(event).collect();
        let asked = events[event as usize];
        if asked.op.asks() == Some(Mode::Shared) {
            let is_writer = |other: &u32| {
                let PEvent { op, object, .. } = events[*other as usize];
                object == asked.object && op.asks().is_some_and(|mode| excludes(mode, Mode::Shared))
            };
            let writers = self.at.iter().flatten().copied().filter(is_writer);
            let thread = |event: u32| index.thread(event);
            others.extend(writers.filter(|other| holders(*other).any(|holder| holder != thread(*other))).map(thread));
        }
        others.retain(|other| *other != asked.thread);
        others
    }

    /// The threads that have yet to do what ends such a wait, or what shows that they could.
    fn helpers(&self, what: Await, object: u32) -> Vec<u32> {
        match what {
            Await::End => vec![object],
            _ => self.state.index.resources[object as usize].helpers(what, &self.state.at).collect(),
        }
    }

    /// Who has to go on for a thread to go on: itself, or whoever is to start it.
    fn actor(&self, mut thread: u32) -> u32 {
        let index = self.state.index;
        while let Some(fork) = index.fork(thread).filter(|fork| !self.state.happened(*fork)) {
            thread = index.thread(fork);
        }
        thread
    }

    /// Whether what the wait is for is not there.
    fn lacks(&self, event: u32, what: Await, object: u32) -> bool {
        let (state, index) = (self.state, self.state.index);
        let is_stalled = index.trace.events[event as usize].op.never_happens();
        let resource = || &index.resources[object as usize];
        let (gives, takes) = (|| resource().gives(&state.at), || resource().takes(&state.at));
        // Where the other side is gone, it is told so.
        let is_open = || resource().helpers(what, &state.at).next().is_some();
        match what {
            Await::Message => gives() <= takes() && is_open(),
            Await::Room => {
                let capacity = index.trace.resources[object as usize].capacity;
                capacity.is_some_and(|capacity| gives() >= capacity.saturating_add(takes())) && is_open()
            }
            Await::Notification => !state.is_notified(index.thread(event)),
            Await::Token => !state.has_token(index.thread(event)),
            Await::Once => takes() > gives(),
            Await::End if is_stalled => state.next(object).is_some(),
            Await::End => !index.before(event).all(|last| state.happened(last)),
            Await::Barrier => is_stalled || index.arrivals(event).iter().any(|arrival| !state.happened(*arrival)),
        }
    }
}
