//! Who waits for what is no lock, and who could end that, found once for all states of a run.

use std::collections::BTreeMap;

use super::events::{Await, Trace};
use super::index::Index;

/// What is asked of a resource in every state.
#[derive(Clone, Default, Debug)]
pub(crate) struct Waiting {
    /// Who waits for what an event of others brings about at once, and so may miss it: each kind and thread once.
    pub(crate) waiters: Vec<(Await, u32)>,
    gives: ByThread,
    takes: ByThread,
    helpers: [Vec<(u32, u32)>; 3],
}

/// Events of each thread, by their numbers in it.
type ByThread = Vec<(u32, Vec<u32>)>;

/// What is asked of every resource of a trace.
pub(crate) fn find(index: &Index<'_>) -> Vec<Waiting> {
    let trace = index.trace;
    let mut found: Vec<Waiting> = (0..).zip(&trace.resources).map(|(id, _)| Waiting::of(index, trace, id)).collect();
    if found.is_empty() {
        return found;
    }
    for event in &trace.events {
        if let Some(what @ (Await::Notification | Await::Token | Await::Barrier)) = event.op.awaits() {
            let waiters = &mut found[event.object as usize].waiters;
            if !waiters.contains(&(what, event.thread)) {
                waiters.push((what, event.thread));
            }
        }
    }
    found
}

impl Waiting {
    fn of(index: &Index<'_>, trace: &Trace, resource: u32) -> Waiting {
        let by_thread = |events: &[u32]| {
            let mut by_thread: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for event in events {
                by_thread.entry(index.thread(*event)).or_default().push(index.local[*event as usize]);
            }
            by_thread.into_iter().collect()
        };
        let helpers = [Await::Message, Await::Room, Await::Once].map(|what| {
            let mut last: BTreeMap<u32, u32> = BTreeMap::new();
            for event in trace.helpers(what, resource) {
                let last = last.entry(index.thread(event)).or_default();
                *last = index.local[event as usize].max(*last);
            }
            last.into_iter().collect()
        });
        let this = &trace.resources[resource as usize];
        Waiting { waiters: Vec::new(), gives: by_thread(&this.gives), takes: by_thread(&this.takes), helpers }
    }

    /// How many gives happened when so many events of each thread did.
    pub(crate) fn gives(&self, at: &[u32]) -> u64 {
        count(&self.gives, at)
    }

    /// The same of takes.
    pub(crate) fn takes(&self, at: &[u32]) -> u64 {
        count(&self.takes, at)
    }

    /// The threads that have yet to do what ends such a wait, or what shows that they could.
    pub(crate) fn helpers(&self, what: Await, at: &[u32]) -> impl Iterator<Item = u32> {
        let helpers = match what {
            Await::Message => &self.helpers[0],
            Await::Room => &self.helpers[1],
            Await::Notification | Await::Token | Await::Barrier | Await::Once | Await::End => &self.helpers[2],
        };
        helpers.iter().filter(|(thread, last)| at[*thread as usize] <= *last).map(|(thread, _)| *thread)
    }
}

fn count(events: &ByThread, at: &[u32]) -> u64 {
    events.iter().map(|(thread, events)| events.partition_point(|local| *local < at[*thread as usize]) as u64).sum()
}
