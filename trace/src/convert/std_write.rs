//! Writes the STD format: the events that it can say, in one order that could have been.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::io::{self, Write};

use crate::event::{Event, Mode, Record};
use crate::ids::{ObjectId, SiteId, ThreadId};
use crate::read::{Events, ProcessTrace};

/// Writes the trace; returns how many events were left out.
pub(super) fn write(trace: &ProcessTrace, mut out: impl Write) -> io::Result<u64> {
    let heads = trace.threads().into_iter().map(|thread| {
        let mut events = trace.events(thread);
        Head { thread, next: events.next(), events }
    });
    let mut order = Order { heads: heads.collect(), ..Order::default() };
    order.recorded = order.heads.iter().map(|head| head.thread).collect();
    order.ready = (0..order.heads.len()).filter_map(|i| order.key(i)).collect();
    let mut left_out = 0;
    while let Some((thread, record)) = order.next() {
        match Said::of(&mut order, thread, &record.event) {
            Said::Line(op, operand) => {
                write!(out, "T{}|{op}({operand})|", thread.0)?;
                location(&mut out, trace, record.event.site().unwrap_or_default())?;
                out.write_all(b"\n")?;
            }
            Said::Implied => {}
            Said::Nothing => left_out += 1,
        }
    }
    out.flush()?;
    Ok(left_out)
}

struct Head<'a> {
    thread: ThreadId,
    events: Events<'a>,
    next: Option<Record>,
}

/// The threads, merged by time. Clocks of processors differ a little, so an event also waits for what must come before it.
#[derive(Default)]
struct Order<'a> {
    heads: Vec<Head<'a>>,
    ready: BinaryHeap<Reverse<(u64, usize)>>,
    /// Threads whose next event must wait.
    waiting: Vec<usize>,
    recorded: HashSet<ThreadId>,
    spawned: HashSet<ThreadId>,
    finished: HashSet<ThreadId>,
    /// Who holds a lock as STD sees it, and how often.
    holders: HashMap<ObjectId, (ThreadId, u32)>,
}

impl Order<'_> {
    fn key(&self, i: usize) -> Option<Reverse<(u64, usize)>> {
        self.heads[i].next.map(|record| Reverse((record.time.0, i)))
    }

    /// Whether an event can come next.
    fn is_possible(&self, thread: ThreadId, event: &Event) -> bool {
        match *event {
            Event::Acquire { lock, mode, .. } | Event::Convert { lock, to: mode, .. } if excludes(mode) => {
                self.holders.get(&lock).is_none_or(|(holder, _)| *holder == thread)
            }
            Event::Start { parent, .. } => !self.recorded.contains(&parent) || self.spawned.contains(&thread),
            Event::Join { child, .. } => !self.recorded.contains(&child) || self.finished.contains(&child),
            _ => true,
        }
    }

    fn next(&mut self) -> Option<(ThreadId, Record)> {
        loop {
            let i = match self.ready.pop() {
                Some(Reverse((_, i))) => i,
                None => {
                    // What they all wait for is not in the trace: the earliest goes on.
                    let earliest = (0..self.waiting.len()).min_by_key(|&w| self.key(self.waiting[w]).map(|Reverse(key)| key))?;
                    let i = self.waiting.swap_remove(earliest);
                    return self.pass(i);
                }
            };
            let head = &self.heads[i];
            match &head.next {
                Some(record) if !self.is_possible(head.thread, &record.event) => self.waiting.push(i),
                _ => return self.pass(i),
            }
        }
    }

    fn pass(&mut self, i: usize) -> Option<(ThreadId, Record)> {
        let head = &mut self.heads[i];
        let record = head.next?;
        head.next = head.events.next();
        let thread = head.thread;
        let mut frees = matches!(record.event, Event::Release { .. } | Event::Convert { .. });
        if let Event::Spawn { child, .. } = record.event {
            self.spawned.insert(child);
            frees = true;
        }
        if head.next.is_none() {
            self.finished.insert(thread);
            frees = true;
        }
        self.ready.extend(self.key(i));
        if frees {
            let waiting = std::mem::take(&mut self.waiting);
            self.ready.extend(waiting.into_iter().filter_map(|i| self.key(i)).collect::<Vec<_>>());
        }
        Some((thread, record))
    }
}

/// STD knows one kind of section, which excludes all others.
fn excludes(mode: Mode) -> bool {
    !matches!(mode, Mode::Shared | Mode::RecursiveShared)
}

/// What STD says of an event.
enum Said {
    Line(&'static str, String),
    /// Other lines say it.
    Implied,
    Nothing,
}

impl Said {
    fn of(order: &mut Order<'_>, thread: ThreadId, event: &Event) -> Said {
        let lock_name = |lock: ObjectId| format!("L{}", lock.0);
        let line = |op, operand: String| Said::Line(op, operand);
        match *event {
            Event::Request { lock, mode, .. } if excludes(mode) => line("req", lock_name(lock)),
            Event::Acquire { lock, mode, .. } if excludes(mode) => {
                let (holder, depth) = order.holders.entry(lock).or_insert((thread, 0));
                if *holder != thread {
                    // Two holders: an event is missing between, and STD has no word for that.
                    return Said::Nothing;
                }
                *depth += 1;
                line("acq", lock_name(lock))
            }
            Event::Convert { lock, from, to, .. } => match (excludes(from), excludes(to)) {
                (false, true) if !order.holders.contains_key(&lock) => {
                    order.holders.insert(lock, (thread, 1));
                    line("acq", lock_name(lock))
                }
                (true, false) if order.release(lock, thread) => line("rel", lock_name(lock)),
                (true, true) => Said::Implied,
                _ => Said::Nothing,
            },
            Event::Release { lock, .. } if order.release(lock, thread) => line("rel", lock_name(lock)),
            Event::Wait { condvar, .. } => line("wait", format!("C{}", condvar.0)),
            Event::Wake { .. } => Said::Implied,
            Event::Notify { condvar, all, .. } => line(if all { "notifyAll" } else { "notify" }, format!("C{}", condvar.0)),
            Event::Read { cell, .. } => line("r", format!("V{}", cell.0)),
            Event::Write { cell, .. } => line("w", format!("V{}", cell.0)),
            Event::Start { .. } => line("begin", "0".to_owned()),
            Event::Spawn { child, .. } => line("fork", format!("T{}", child.0)),
            Event::Join { child, .. } => line("join", format!("T{}", child.0)),
            Event::End { .. } => line("end", "0".to_owned()),
            _ => Said::Nothing,
        }
    }
}

impl Order<'_> {
    /// Ends a section of `thread`, if it has one that was written.
    fn release(&mut self, lock: ObjectId, thread: ThreadId) -> bool {
        let Some((holder, depth)) = self.holders.get_mut(&lock) else { return false };
        if *holder != thread {
            return false;
        }
        *depth -= 1;
        if *depth == 0 {
            self.holders.remove(&lock);
        }
        true
    }
}

fn location(out: &mut impl Write, trace: &ProcessTrace, site: SiteId) -> io::Result<()> {
    let Some(def) = trace.tables.site(site) else { return Ok(()) };
    let file = def.file.replace(['\n', '\r'], " ");
    if def.line > 0 { write!(out, "{file}:{}", def.line) } else { out.write_all(file.as_bytes()) }
}
