//! The watchdog: finds, while the program runs, threads that wait for one another and so never go on; says so at once; and ends the
//! process when nothing else in it can go on.
//!
//! It runs on the runtime's own thread and only reads: a thread that is blocked has left its request as the last entry in its slot,
//! and what it holds can be read back from its log. It costs the program's threads nothing.
//!
//! A cycle of waits that each only one thread can end is a deadlock for certain, whatever else happens. That nothing else can go on
//! is what the system says: every thread of the process waits on memory, without a limit, and did so all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use conccheck_trace::layout::DEADLOCK_STATUS;
use conccheck_trace::{Event, ThreadId};

use crate::session::Session;
use crate::{exit, sys};
use history::{History, Threads};
use picture::Picture;
use process::Standstill;
use slots::{Chunk, Filled, Progress};

mod history;
mod picture;
mod process;
mod slots;
mod term;
mod waits;

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(250);

/// A thread that records nothing for so long may be blocked for good.
const LONG: Duration = Duration::from_secs(1);

/// A look takes at most this part of the time.
const SHARE: u32 = 50;

/// A thread as it was seen last.
struct Seen {
    at: Filled,
    since: Instant,
    /// Once it has been there for long: the wait without a limit that it is in, if it is in one.
    wait: Option<Option<Event>>,
}

/// Looks for deadlocks in a recording.
pub(crate) struct Watchdog {
    session: &'static Session,
    /// Whether it may end the process.
    ends: bool,
    next_look: Instant,
    seen: BTreeMap<ThreadId, Seen>,
    history: History,
    /// The waiting threads that were searched for cycles last.
    searched: Vec<Progress>,
    /// Threads of the cycles found so far.
    deadlocked: BTreeSet<Progress>,
    standstill: Option<(Standstill, Instant)>,
    has_harness: Option<bool>,
}

/// In a forked child: nobody there answers a signal, unless it records.
pub(crate) fn forget() {
    term::forget();
}

impl Watchdog {
    /// The watchdog that the environment asks for.
    pub(crate) fn new(session: &'static Session) -> Option<Watchdog> {
        let mode = std::env::var_os("CONCCHECK_WATCHDOG").unwrap_or_default();
        if mode == "off" {
            return None;
        }
        term::watch();
        Some(Watchdog {
            session,
            ends: mode != "report",
            next_look: Instant::now() + INTERVAL,
            seen: BTreeMap::new(),
            history: History::default(),
            searched: Vec::new(),
            deadlocked: BTreeSet::new(),
            standstill: None,
            has_harness: None,
        })
    }

    /// Looks, if it is time to. Returns how long it is until it is.
    pub(crate) fn look_if_due(&mut self) -> Duration {
        if term::is_asked() {
            let _ = self.say_all();
            term::answer();
        }
        let start = Instant::now();
        if start >= self.next_look {
            // A look that fails says nothing: the program has closed the files, perhaps.
            let _ = self.look();
            let took = start.elapsed();
            self.next_look = Instant::now() + INTERVAL.max(took * SHARE);
        }
        self.next_look.saturating_duration_since(Instant::now()).min(INTERVAL)
    }

    fn look(&mut self) -> io::Result<()> {
        self.refresh()?;
        let waiting: Vec<Progress> = self.waiting().map(|seen| seen.at.progress).collect();
        if waiting.is_empty() {
            self.standstill = None;
            return Ok(());
        }
        if waiting != self.searched && self.may_be_cyclic() {
            self.report_cycles()?;
        }
        self.searched = waiting;
        if self.ends && self.stands_still() {
            self.end()?;
        }
        Ok(())
    }

    /// Sees which threads have moved since, and what those that have not wait for.
    fn refresh(&mut self) -> io::Result<()> {
        let live = &self.session.files.live;
        let now = Instant::now();
        let mut before = std::mem::take(&mut self.seen);
        for at in slots::filled(live)? {
            let thread = at.progress.thread;
            let mut seen = match before.remove(&thread) {
                Some(seen) if seen.at == at => seen,
                _ => Seen { at, since: now, wait: None },
            };
            if seen.wait.is_none() && now - seen.since >= LONG {
                seen.wait = slots::read(live, at)?.map(|chunk| chunk.wait());
            }
            self.seen.insert(thread, seen);
        }
        Ok(())
    }

    /// The threads that have long been in a wait without a limit.
    fn waiting(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values().filter(|seen| matches!(seen.wait, Some(Some(_))))
    }

    /// Whether one of the waits is of a kind that cycles are made of. Threads that only join others that go on are none.
    fn may_be_cyclic(&self) -> bool {
        let waits = || self.waiting().filter_map(|seen| seen.wait.flatten());
        let joined_waits =
            waits().any(|wait| matches!(wait, Event::JoinRequest { child, .. } if self.waiting().any(|seen| seen.at.progress.thread == child)));
        joined_waits || waits().any(|wait| matches!(wait, Event::Request { .. } | Event::OnceRequest { .. }))
    }

    /// Reads back what all threads recorded.
    fn threads(&mut self) -> io::Result<Threads> {
        let files = &self.session.files;
        let mut chunks: Vec<Chunk> = Vec::new();
        for seen in self.seen.values() {
            chunks.extend(slots::read(&files.live, seen.at)?);
        }
        // The slots first: a chunk that moves from there to the log meanwhile is seen twice, not missed.
        self.history.with(&files.log, &chunks)
    }

    /// Prints each cycle that is new.
    fn report_cycles(&mut self) -> io::Result<()> {
        if self.session.has_losses() {
            return Ok(());
        }
        let threads = self.threads()?;
        let waiting: BTreeSet<ThreadId> = self.waiting().map(|seen| seen.at.progress.thread).collect();
        for cycle in waits::cycles(waits::edges(&threads, &waiting)) {
            let members: BTreeSet<Progress> =
                cycle.iter().filter_map(|edge| self.seen.get(&edge.from)).map(|seen| seen.at.progress).collect();
            if members.is_subset(&self.deadlocked) || !self.are_unmoved(&cycle.iter().map(|edge| edge.from).collect())? {
                continue;
            }
            self.deadlocked.extend(members);
            let is_test = self.has_harness();
            sys::say(&Picture { names: &self.history.names, threads: &threads, is_test }.cycle(&cycle));
        }
        Ok(())
    }

    /// Whether these threads are still where they were seen.
    fn are_unmoved(&self, threads: &BTreeSet<ThreadId>) -> io::Result<bool> {
        for thread in threads {
            let Some(seen) = self.seen.get(thread) else { return Ok(false) };
            if slots::progress(&self.session.files.live, seen.at.slot)? != Some(seen.at.progress) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn has_harness(&mut self) -> bool {
        *self.has_harness.get_or_insert_with(process::has_standard_harness)
    }

    /// Whether no thread of the process can go on, and none has gone on for long.
    fn stands_still(&mut self) -> bool {
        let (live, waiting) = (self.seen.len(), self.waiting().count());
        let joins = self.waiting().filter(|seen| matches!(seen.wait, Some(Some(Event::JoinRequest { .. })))).count();
        let has_deadlock = self.seen.values().any(|seen| self.deadlocked.contains(&seen.at.progress));
        let before = self.standstill.take();
        if waiting < live {
            return false;
        }
        let Some(now) = Standstill::now(|| self.has_harness()) else { return false };
        // The harness's main thread records nothing: it is one more. Without a cycle, only waits that are known are certain.
        let unknown = now.len().saturating_sub(live);
        let only_known = unknown == 0 || (unknown == 1 && self.has_harness());
        let certain = (has_deadlock || (only_known && now.shared() <= joins))
            && process::only_threads_act(term::is_ours().then_some(term::SIGTERM));
        if !certain {
            return false;
        }
        let since = before.filter(|(before, _)| *before == now).map_or_else(Instant::now, |(_, since)| since);
        self.standstill = Some((now, since));
        since.elapsed() >= LONG
    }

    /// Says what all threads wait for and ends the process.
    fn end(&mut self) -> io::Result<()> {
        let text = self.all_waits()?;
        let all: BTreeSet<ThreadId> = self.seen.keys().copied().collect();
        if !self.are_unmoved(&all)? {
            return Ok(());
        }
        if self.deadlocked.is_empty() {
            sys::say("conccheck: deadlock: every thread of the program waits, and none is left that could wake another\n");
            sys::say(&text);
        } else if !text.is_empty() {
            sys::say("conccheck: and these threads wait, without a limit\n");
            sys::say(&text);
        }
        sys::say(&format!(
            "conccheck: nothing in this process can go on: ending it with exit status {DEADLOCK_STATUS} (CONCCHECK_WATCHDOG=report keeps it)\n"
        ));
        self.session.note_deadlock();
        exit::write_json(self.session);
        sys::end(DEADLOCK_STATUS)
    }

    /// What the threads that are on no cycle wait for.
    fn all_waits(&mut self) -> io::Result<String> {
        let threads = self.threads()?;
        let is_test = self.has_harness();
        let others = self.waiting().map(|seen| seen.at.progress).filter(|progress| !self.deadlocked.contains(progress));
        Ok(Picture { names: &self.history.names, threads: &threads, is_test }.waiters(others.map(|progress| progress.thread)))
    }

    /// Says what every thread waits for right now, however long.
    fn say_all(&mut self) -> io::Result<()> {
        self.refresh()?;
        let live = &self.session.files.live;
        for seen in self.seen.values_mut().filter(|seen| seen.wait.is_none()) {
            seen.wait = slots::read(live, seen.at)?.map(|chunk| chunk.wait());
        }
        self.deadlocked.clear();
        self.report_cycles()?;
        let text = self.all_waits()?;
        if !text.is_empty() {
            sys::say("conccheck: SIGTERM: these threads wait, without a limit\n");
            sys::say(&text);
        }
        Ok(())
    }
}
