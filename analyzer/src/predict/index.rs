//! One pass over a trace: program order, reads-from, critical sections, and the vector clock of every event.

use rustc_hash::FxHashMap;

use super::events::{NONE, Op, Order, Trace, class};
use super::waiting::{self, Waiting};

/// A critical section in which its thread does something.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) acquire: u32,
    /// Number of the acquisition among the events of its thread.
    pub(crate) begin: u32,
    /// [`NONE`]: still open at the end of the trace.
    pub(crate) release: u32,
    pub(crate) lane: u32,
    pub(crate) class: u8,
}

/// The sections of one lock in one thread. They follow one another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub(crate) lock: u32,
    pub(crate) thread: u32,
}

/// An acquisition of a lock that several threads use. A pass over many of them reads nothing else, so what it needs lies together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contended {
    pub(crate) event: u32,
    /// Lane, class, and whether it is a whole section.
    packed: u32,
}

impl Contended {
    /// Bits for the class, and one more.
    const BITS: u32 = 4;

    fn new(event: u32, lane: u32, class: usize, is_whole: bool) -> Contended {
        debug_assert!(class < 1 << (Contended::BITS - 1) && lane < 1 << (u32::BITS - Contended::BITS));
        Contended { event, packed: lane << Contended::BITS | (class as u32) << 1 | u32::from(is_whole) }
    }

    pub(crate) fn lane(self) -> usize {
        (self.packed >> Contended::BITS) as usize
    }

    pub(crate) fn class(self) -> usize {
        (self.packed >> 1) as usize % (1 << (Contended::BITS - 1))
    }

    pub(crate) fn is_whole(self) -> bool {
        self.packed & 1 == 1
    }
}

/// What every later phase asks of a trace.
///
/// The clock of an event says, per thread, how many of its events must have happened for the event to happen: by program order,
/// fork and join, the orders of the trace, and reads-from. Clocks change rarely, so events share them ([`Index::clock`]).
#[derive(Debug)]
pub struct Index<'t> {
    pub(crate) trace: &'t Trace,
    /// Events of each thread, in program order.
    pub(crate) by_thread: &'t [Vec<u32>],
    /// Number of an event among those of its thread.
    pub(crate) local: Vec<u32>,
    /// Orders of the trace, and those by fork and join. Sorted.
    pub(crate) orders: Vec<Order>,
    /// The write that a read saw; [`NONE`]: the initial value, or not a read.
    pub(crate) source: Vec<u32>,
    /// Acquisition: its section. Release: the section it ends. Whole section: its lane. Else [`NONE`].
    pub(crate) section_of: Vec<u32>,
    /// The sections that can be open: all but whole ones.
    pub(crate) sections: Vec<Section>,
    /// The acquisitions of each thread, in program order: those of locks that several threads use, since no other can stand in the way.
    pub(crate) contended: Vec<Vec<Contended>>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) lanes_by_lock: Vec<Vec<u32>>,
    /// Whether anybody reads a variable.
    pub(crate) is_read: Vec<bool>,
    /// The events that start threads; [`NONE`]: it was there from the beginning.
    forks: Vec<u32>,
    /// Who waits for each resource, and who could end that.
    pub(crate) resources: Vec<Waiting>,
    clock_of: Vec<u32>,
    clocks: Vec<u32>,
}

/// Too many clocks for the limit.
#[derive(Debug)]
pub struct TooManyClocks {
    /// The first event for which there is none; 0: there are too many threads.
    pub at: u32,
}

impl<'t> Index<'t> {
    /// Reads the trace. `clock_cells` bounds the memory for clocks, in numbers of 4 bytes.
    pub fn new(trace: &'t Trace, clock_cells: usize) -> Result<Index<'t>, TooManyClocks> {
        let mut index = Index {
            trace,
            by_thread: &trace.by_thread,
            local: Vec::with_capacity(trace.events.len()),
            orders: Vec::new(),
            source: vec![NONE; trace.events.len()],
            section_of: vec![NONE; trace.events.len()],
            sections: Vec::new(),
            contended: vec![Vec::new(); trace.threads as usize],
            lanes: Vec::new(),
            lanes_by_lock: vec![Vec::new(); trace.locks as usize],
            is_read: Vec::new(),
            forks: vec![NONE; trace.threads as usize],
            resources: Vec::new(),
            clock_of: Vec::with_capacity(trace.events.len()),
            clocks: Vec::new(),
        };
        index.find_orders();
        index.find_sections();
        index.find_contended();
        index.is_read = is_read(trace);
        index.resources = waiting::find(&index);
        index.find_clocks(clock_cells)?;
        Ok(index)
    }

    /// The clock of `event`, its own thread aside, where it is `local + 1`.
    pub(crate) fn clock(&self, event: u32) -> &[u32] {
        let threads = self.trace.threads as usize;
        let start = self.clock_of[event as usize] as usize * threads;
        &self.clocks[start..start + threads]
    }

    pub(crate) fn thread(&self, event: u32) -> u32 {
        self.trace.events[event as usize].thread
    }

    /// The events that must come before `event` by an order of the trace, a fork or a join.
    pub(crate) fn before(&self, event: u32) -> impl Iterator<Item = u32> + '_ {
        let start = self.orders.partition_point(|order| order.after < event);
        self.orders[start..].iter().take_while(move |order| order.after == event).map(|order| order.before)
    }

    /// What must have happened for its thread to stand before `event`.
    pub(crate) fn needed(&self, event: u32) -> impl Iterator<Item = u32> + '_ {
        let previous = self.previous(event);
        let is_wait = previous.is_some() && self.trace.events[event as usize].op.awaits().is_some();
        let before = (!is_wait).then(|| self.before(event));
        before.into_iter().flatten().chain(previous)
    }

    /// The event before `event` in its thread.
    pub(crate) fn previous(&self, event: u32) -> Option<u32> {
        let local = self.local[event as usize].checked_sub(1)?;
        Some(self.by_thread[self.thread(event) as usize][local as usize])
    }

    /// The event that starts a thread.
    pub(crate) fn fork(&self, thread: u32) -> Option<u32> {
        Some(self.forks[thread as usize]).filter(|fork| *fork != NONE)
    }

    /// Whether an event is where the last to arrive opens a barrier: it is ordered behind the arrivals of others.
    pub(crate) fn opens(&self, event: u32) -> bool {
        self.before(event).any(|before| !matches!(self.trace.events[before as usize].op, Op::Await { .. }))
    }

    /// The arrivals that let a thread pass a barrier: those that the event is ordered behind, and its own; or, where it is ordered behind
    /// the event that opens the barrier, those of that one.
    pub(crate) fn arrivals(&self, event: u32) -> Vec<u32> {
        let before = self.before(event).flat_map(|before| match self.trace.events[before as usize].op {
            Op::Await { .. } => self.arrivals(before),
            _ => vec![before],
        });
        before.chain(self.previous(event)).collect()
    }

    fn find_orders(&mut self) {
        let threads = self.trace.threads as usize;
        let mut forked_by = vec![NONE; threads];
        let mut latest = vec![NONE; threads];
        let mut count = vec![0; threads];
        let mut orders = self.trace.orders.clone();
        for (i, event) in self.trace.events.iter().enumerate() {
            let (i, thread) = (i as u32, event.thread as usize);
            if forked_by[thread] != NONE {
                orders.push(Order { before: std::mem::replace(&mut forked_by[thread], NONE), after: i });
            }
            match event.op {
                Op::Fork => {
                    forked_by[event.object as usize] = i;
                    if self.forks[event.object as usize] == NONE {
                        self.forks[event.object as usize] = i;
                    }
                }
                Op::Join { .. } if latest[event.object as usize] != NONE => {
                    orders.push(Order { before: latest[event.object as usize], after: i });
                }
                _ => {}
            }
            latest[thread] = i;
            self.local.push(count[thread]);
            count[thread] += 1;
        }
        orders.sort_unstable();
        orders.dedup();
        self.orders = orders;
    }

    fn find_sections(&mut self) {
        let mut lane_of: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        // The section that is open in each lane, or was the last.
        let mut top: Vec<u32> = Vec::new();
        for (i, event) in self.trace.events.iter().enumerate() {
            if !matches!(event.op, Op::Acquire { .. } | Op::Section { .. } | Op::Release) {
                continue;
            }
            let lane = *lane_of.entry((event.object, event.thread)).or_insert_with(|| {
                let lane = self.lanes.len() as u32;
                self.lanes.push(Lane { lock: event.object, thread: event.thread });
                self.lanes_by_lock[event.object as usize].push(lane);
                top.push(NONE);
                lane
            });
            self.section_of[i] = match event.op {
                Op::Acquire { mode, .. } => {
                    let (acquire, begin) = (i as u32, self.local[i]);
                    self.sections.push(Section { acquire, begin, release: NONE, lane, class: class(mode) as u8 });
                    top[lane as usize] = self.sections.len() as u32 - 1;
                    top[lane as usize]
                }
                Op::Release => {
                    let id = top[lane as usize];
                    self.sections[id as usize].release = i as u32;
                    id
                }
                _ => lane,
            };
        }
    }

    fn find_contended(&mut self) {
        for (i, event) in self.trace.events.iter().enumerate() {
            let of = self.section_of[i];
            let (lane, mode, is_whole) = match event.op {
                Op::Acquire { mode, .. } => (self.sections[of as usize].lane, mode, false),
                Op::Section { mode, .. } => (of, mode, true),
                _ => continue,
            };
            if self.lanes_by_lock[event.object as usize].len() > 1 {
                self.contended[event.thread as usize].push(Contended::new(i as u32, lane, class(mode), is_whole));
            }
        }
    }

    fn find_clocks(&mut self, clock_cells: usize) -> Result<(), TooManyClocks> {
        let threads = self.trace.threads as usize;
        if threads.saturating_mul(threads) > clock_cells {
            return Err(TooManyClocks { at: 0 });
        }
        let mut now = vec![0u32; threads * threads];
        // The latest shared clock of each thread; `changed` where `now` has moved on from it.
        let mut shared = vec![NONE; threads];
        let mut changed = vec![true; threads];
        let mut written = vec![NONE; self.trace.variables as usize];
        let mut next_order = 0;
        let mut next_fence = 0;
        for (i, event) in self.trace.events.iter().enumerate() {
            let i = i as u32;
            let thread = event.thread as usize;
            let row = thread * threads..(thread + 1) * threads;
            while let Some(order) = self.orders.get(next_order).filter(|order| order.after == i) {
                next_order += 1;
                changed[thread] |= self.join(&mut now[row.clone()], event.thread, order.before);
            }
            if self.trace.fences.get(next_fence) == Some(&i) {
                next_fence += 1;
                for other in 0..threads {
                    let seen = self.by_thread[other].partition_point(|e| *e < i);
                    if other != thread && seen > 0 {
                        changed[thread] |= self.join(&mut now[row.clone()], event.thread, self.by_thread[other][seen - 1]);
                    }
                }
            }
            if let Some(variable) = self.trace.read_by(i) {
                let write = written[variable as usize];
                self.source[i as usize] = write;
                if write != NONE {
                    changed[thread] |= self.join(&mut now[row.clone()], event.thread, write);
                }
            }
            if let Some(variable) = self.trace.written_by(i) {
                written[variable as usize] = i;
            }
            if changed[thread] {
                changed[thread] = false;
                if self.clocks.len() + threads > clock_cells {
                    return Err(TooManyClocks { at: i });
                }
                shared[thread] = (self.clocks.len() / threads) as u32;
                self.clocks.extend_from_slice(&now[row]);
            }
            self.clock_of.push(shared[thread]);
        }
        Ok(())
    }

    /// Joins the clock of `event` into `now`, the clock of `thread`. Whoever knows an event knows all that it needs.
    fn join(&self, now: &mut [u32], thread: u32, event: u32) -> bool {
        let from = self.thread(event);
        let reached = self.local[event as usize] + 1;
        if from == thread || now[from as usize] >= reached {
            return false;
        }
        for (mine, theirs) in now.iter_mut().zip(self.clock(event)) {
            *mine = (*mine).max(*theirs);
        }
        now[from as usize] = now[from as usize].max(reached);
        true
    }
}

fn is_read(trace: &Trace) -> Vec<bool> {
    let mut is_read = vec![false; trace.variables as usize];
    for variable in (0..trace.events.len() as u32).filter_map(|event| trace.read_by(event)) {
        is_read[variable as usize] = true;
    }
    is_read
}
