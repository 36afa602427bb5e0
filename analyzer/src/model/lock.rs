//! What is counted of a lock and of an acquisition site.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId, Ticks};
use rustc_hash::{FxHashMap, FxHashSet};

use super::context::Inside;
use crate::clock::{Clock, Moment};

/// A lock instance.
///
/// What every section touches stands first, in two cache lines: traces have many locks.
#[derive(Default, Debug)]
#[repr(C, align(64))]
pub struct Lock {
    /// Acquisitions, summarised ones included.
    pub acquisitions: u64,
    /// Sections that wrote, so far.
    pub writes: u64,
    /// Sections that only read, so far.
    pub read_sections: u64,
    /// How long those were held, in ticks.
    pub read_time: u64,
    /// The latest section that wrote, with its end and where it began.
    pub(super) last_write: Option<(Moment, SiteId)>,
    /// Who acquired it last (dense index).
    pub(super) latest: u32,
    /// Whether it was ever asked for at all.
    pub is_used: bool,
    /// Whether a thread slept or waited for another one within a section.
    pub waited_inside: bool,
    /// Whether a thread released what another one acquired, or tried in vain.
    pub is_entangled: bool,
    /// Whether anybody is in `poison_met`.
    pub(super) is_poison_met: bool,
    /// For each thread that read it lately: the read.
    pub(super) reads: Readings,
    /// What a condition variable that is used with it made known.
    pub(super) heard: Option<Box<Heard>>,
    /// Who met the poison and went down with it: thread and site.
    pub poison_met: Vec<(usize, SiteId)>,
    /// Acquisitions that had to wait.
    pub waits: u64,
    /// How long, who and where.
    pub waiting: Waiting,
    /// Threads that hold it at the end (dense index), one entry for each hold.
    pub holders: Vec<usize>,
    /// Contexts in which it was acquired or asked for, by index.
    pub contexts: Vec<u32>,
    /// What the latest holder that blocked in something else did so in.
    pub(super) blocked: Option<Box<Blocked>>,
    /// A panic that poisoned it: the thread and the acquisition site.
    pub poisoned_by: Option<(usize, SiteId)>,
}

impl Lock {
    /// Notes who met the poison: thread and site.
    pub(super) fn meet_poison(&mut self, who: (usize, SiteId)) {
        self.poison_met.push(who);
        self.is_poison_met = true;
    }

    /// Forgets those for whom `has_dealt` with it holds.
    pub(super) fn forget_poison(&mut self, has_dealt: impl Fn((usize, SiteId)) -> bool) {
        self.poison_met.retain(|who| !has_dealt(*who));
        self.is_poison_met = !self.poison_met.is_empty();
    }
}

/// A hold: the thread (dense index) and the event that began it.
pub(super) type Hold = (u32, u32);

/// The operations, other than requests of locks, that a thread blocked in during one hold.
#[derive(Debug)]
pub(super) struct Blocked {
    hold: Hold,
    latest: Operation,
    /// Time in those before it, in ticks.
    spent: u64,
    /// Of those the longest.
    longest: Operation,
}

/// An operation that a thread blocked in: its index, begin, and the end as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    pub(super) id: u32,
    pub(super) begun: Ticks,
    pub(super) ended: Ticks,
}

impl Operation {
    /// How long it had lasted by `time`, in ticks.
    fn length(self, time: Ticks) -> u64 {
        self.ended.min(time).0.saturating_sub(self.begun.0)
    }
}

impl Blocked {
    /// Notes that an operation of a hold begins, in place of what is known of another hold.
    pub(super) fn begin(this: &mut Option<Box<Self>>, hold: Hold, op: Operation) {
        match this {
            Some(this) if this.hold == hold => {
                let mut before = std::mem::replace(&mut this.latest, op);
                before.ended = before.ended.min(op.begun);
                this.spent += before.length(op.begun);
                if before.length(op.begun) >= this.longest.length(op.begun) {
                    this.longest = before;
                }
            }
            _ => {
                let longest = Operation { ended: op.begun, ..op };
                *this = Some(Box::new(Self { hold, latest: op, spent: 0, longest }));
            }
        }
    }

    /// Notes that an operation ends.
    pub(super) fn end(&mut self, op: u32, time: Ticks) {
        if self.latest.id == op {
            self.latest.ended = self.latest.ended.min(time);
        }
    }

    /// The hold, and for how much of it until `time` its thread was blocked, in ticks.
    pub(super) fn at(&self, time: Ticks) -> (Hold, u64) {
        (self.hold, self.spent + self.latest.length(time))
    }

    /// For a wait from `since` to `until`, at whose begin it was `before`: how much of it the hold's thread was blocked, in ticks, and
    /// an operation that it was blocked in, the longest if the wait is not from after it.
    pub(super) fn overlap(&self, before: Option<(Hold, u64)>, since: Ticks, until: Ticks) -> (u32, u64) {
        let (hold, spent) = self.at(until);
        let before = before.filter(|(earlier, _)| *earlier == hold).map_or(0, |(_, spent)| spent);
        let is_longest = self.longest.ended > since && self.longest.length(until) > self.latest.length(until);
        let op = if is_longest { self.longest } else { self.latest };
        (op.id, spent.saturating_sub(before))
    }
}

/// What a lock makes known, beyond that sections of it exclude each other.
#[derive(Default, Debug)]
pub(super) struct Heard {
    /// What the latest notifiers of the condition variables used with it had done.
    pub(super) notified: Vec<Moment>,
    /// All threads that notified one of them.
    pub(super) notifiers: FxHashSet<usize>,
    /// What all sections that wrote had done, where a condition variable announces it.
    pub(super) published: Clock,
}

/// Waits for a lock.
#[derive(Default, Debug)]
pub struct Waiting {
    /// Time in ticks, by thread (dense index).
    pub by_thread: BTreeMap<usize, u64>,
    /// How often and for how many ticks, by site.
    pub by_site: BTreeMap<SiteId, (u64, u64)>,
    /// The longest: ticks, thread, site.
    pub longest: Option<(u64, usize, SiteId)>,
}

impl Waiting {
    /// Notes a wait that ended.
    pub fn add(&mut self, thread: usize, site: SiteId, ticks: u64) {
        *self.by_thread.entry(thread).or_default() += ticks;
        let (count, sum) = self.by_site.entry(site).or_default();
        (*count, *sum) = (*count + 1, *sum + ticks);
        if self.longest.is_none_or(|(longest, ..)| longest < ticks) {
            self.longest = Some((ticks, thread, site));
        }
    }

    /// Time that all waits took, in ticks.
    pub fn ticks(&self) -> u64 {
        self.by_thread.values().sum()
    }
}

/// A section that only read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Where.
    pub(super) site: SiteId,
    /// [`Lock::writes`] at the time.
    pub(super) writes: u64,
}

/// For each thread its latest read: the newest at hand, since most locks are read by one thread at a time; a few in a row; more in
/// a map.
#[derive(Default, Debug)]
pub(super) struct Readings {
    newest: Option<(u32, Reading)>,
    older: Option<Box<Older>>,
}

#[derive(Default, Debug)]
struct Older {
    few: Vec<(u32, Reading)>,
    more: FxHashMap<u32, Reading>,
}

/// Most in a row.
const FEW: usize = 8;

impl Readings {
    /// Notes a read.
    #[inline]
    pub(super) fn insert(&mut self, thread: u32, reading: Reading) {
        if let Some((before, older)) = self.newest.replace((thread, reading))
            && before != thread
        {
            let others = self.older.get_or_insert_default();
            _ = others.take(thread);
            if others.few.len() < FEW {
                others.few.push((before, older));
            } else {
                others.more.insert(before, older);
            }
        }
    }

    /// Takes out a thread's read.
    #[inline]
    pub(super) fn remove(&mut self, thread: u32) -> Option<Reading> {
        match self.newest {
            Some((newest, reading)) if newest == thread => {
                self.newest = None;
                Some(reading)
            }
            _ => self.older.as_mut()?.take(thread),
        }
    }
}

impl Older {
    fn take(&mut self, thread: u32) -> Option<Reading> {
        match self.few.iter().position(|(other, _)| *other == thread) {
            Some(at) => Some(self.few.swap_remove(at).1),
            None if self.more.is_empty() => None,
            None => self.more.remove(&thread),
        }
    }
}

/// A read and a later write by one thread, with another thread's write between them.
#[derive(Clone, Debug)]
pub struct Stale {
    /// The lock.
    pub lock: ObjectId,
    /// The thread.
    pub thread: usize,
    /// Where it read.
    pub read: SiteId,
    /// Where it wrote.
    pub write: SiteId,
    /// Who wrote between.
    pub other: usize,
    /// Where.
    pub other_site: SiteId,
    /// How often.
    pub count: u64,
    /// How often of those the thread had since read another lock at the place of the read.
    pub passed: u64,
}

/// A histogram of durations in ticks, with buckets at most a quarter wide. It has those that were needed: there is one for each site.
#[derive(Clone, Default, Debug)]
pub struct Histogram(Vec<u32>);

impl Histogram {
    /// Counts a duration.
    #[inline]
    pub fn add(&mut self, ticks: u64) {
        let at = bucket(ticks);
        match self.0.get_mut(at) {
            Some(bucket) => *bucket = bucket.saturating_add(1),
            None => self.begin(at),
        }
    }

    /// Counts the first duration of the last bucket.
    #[cold]
    fn begin(&mut self, bucket: usize) {
        self.0.resize(bucket, 0);
        self.0.push(1);
    }

    /// The duration that `share` of the counted ones don't exceed, up to a quarter too long.
    pub fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.0.iter().map(|n| u64::from(*n)).sum();
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (i, n) in self.0.iter().enumerate() {
            seen += u64::from(*n);
            if seen >= wanted.max(1) {
                return upper(i);
            }
        }
        0
    }
}

/// Four buckets to each power of two.
fn bucket(ticks: u64) -> usize {
    if ticks < 4 {
        return ticks as usize;
    }
    let power = 63 - ticks.leading_zeros() as usize;
    (power - 1) * 4 + (ticks >> (power - 2) & 3) as usize
}

fn upper(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let power = bucket / 4 + 1;
    ((4 + bucket as u64 % 4 + 1) << (power - 2)).wrapping_sub(1)
}

/// How a site acquired locks.
#[derive(Default, Debug)]
pub struct SiteUse {
    /// Acquisitions.
    pub acquisitions: u64,
    /// Hold times.
    pub holds: Histogram,
    /// Sections that were held at least as long as the threshold.
    pub long: u64,
    /// The longest section: hold time in ticks, thread, lock, what was done inside.
    pub longest: Option<(u64, usize, ObjectId, Inside)>,
    /// Tests in which a long section was seen, by index.
    pub long_tests: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_at_most_a_quarter_too_long() {
        for value in [0, 1, 3, 4, 5, 100, 1023, 1024, 123_456_789, u64::MAX / 2] {
            let mut histogram = Histogram::default();
            histogram.add(value);
            let got = histogram.quantile(0.99);
            assert!(got >= value && got <= value + value / 4, "{value} came back as {got}");
        }
    }
}
