//! Makes events of the lines of a STD trace.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::line::{Line, Op, Parsed, Vocabulary};
use crate::event::{Event, How, Mode, ObjectKind, SiteDef};
use crate::ids::{ObjectId, Order, SiteId, ThreadId, Ticks};
use crate::read::builder::Builder;
use crate::read::{Error, Header, ProcessTrace};

#[derive(Default)]
struct Thread {
    id: ThreadId,
    started: bool,
    /// When its `begin` was met, if its fork was not: that may follow, until the thread does something.
    begun: Option<Ticks>,
    /// The forking thread, if it forked this one before it did anything but begin.
    parent: Option<u32>,
    /// The lock that it asked for last, if nothing followed: when and where.
    asks: Option<(u32, Ticks, SiteId)>,
    /// Locks held, with how often.
    held: Vec<(u32, u32)>,
    /// A wait that its next event ends: the condition variable and the lock with its depth.
    waits: Option<(ObjectId, Option<(u32, u32)>)>,
    /// The lock that the event before released.
    just_released: Option<u32>,
}

/// A lock, cell or condition variable: a word may name one of each.
#[derive(Clone, Copy)]
enum Role {
    Lock,
    Cell,
    Condvar,
}

#[derive(Default)]
struct Lock {
    acquisitions: u64,
    holders: Vec<u32>,
}

/// An acquisition of a lock that another thread held.
struct Overlap {
    line: u32,
    thread: u32,
    holder: u32,
    lock: u32,
    ended: bool,
}

/// Makes a trace of lines, one by one.
pub(super) struct Emitter<'a> {
    path: &'a Path,
    words: Vocabulary,
    builder: Builder,
    /// By their words' numbers, as far as they were met.
    threads: Vec<Thread>,
    sites: Vec<Option<SiteId>>,
    operands: Vec<Operand>,
    /// Notifications and waiting threads of a condition variable.
    notified: FxHashMap<ObjectId, (u64, u32)>,
    overlaps: Vec<Overlap>,
    /// The number of the line.
    time: Ticks,
}

/// What a word names.
#[derive(Default)]
struct Operand {
    /// By role.
    objects: [Option<ObjectId>; 3],
    lock: Lock,
}

impl<'a> Emitter<'a> {
    /// For the trace at `path`, no line of which was read.
    pub(super) fn new(path: &'a Path) -> Emitter<'a> {
        Emitter {
            path,
            words: Vocabulary::default(),
            builder: Builder::default(),
            threads: Vec::new(),
            sites: Vec::new(),
            operands: Vec::new(),
            notified: FxHashMap::default(),
            overlaps: Vec::new(),
            time: Ticks(0),
        }
    }

    /// Whether there was no line yet.
    pub(super) fn is_empty(&self) -> bool {
        self.time == Ticks(0)
    }

    /// Takes the next line; `number` is its place in the file.
    ///
    /// # Errors
    /// If it can't have happened.
    pub(super) fn push(&mut self, number: usize, parsed: &Parsed<'_>) -> Result<(), Error> {
        let line = self.words.line(number, parsed);
        while self.threads.len() < self.words.threads.words.len() {
            self.threads.push(Thread { id: self.builder.thread(), ..Thread::default() });
        }
        self.sites.resize(self.words.locations.words.len(), None);
        self.operands.resize_with(self.words.operands.words.len(), Operand::default);
        self.time.0 += 1;
        self.line(&line)
    }

    /// The trace that the lines say.
    ///
    /// # Errors
    /// If two threads held a lock at once, without a reason that may have gone unrecorded.
    pub(super) fn finish(mut self) -> Result<ProcessTrace, Error> {
        for t in 0..self.threads.len() {
            if self.threads[t].begun.is_some() {
                self.start(t);
            }
            let Thread { id, asks: Some((word, time, site)), .. } = self.threads[t] else { continue };
            if !self.threads[t].held.iter().any(|(lock, _)| *lock == word) {
                let lock = self.object(word, Role::Lock);
                self.builder.push(id, time, Event::Request { lock, site, mode: Mode::Exclusive, how: How::Blocking });
            }
        }
        let warnings = self.overlaps()?;
        let program = self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // Readers of this trace have to know that all reads and writes are events of their own, also after a conversion.
        let facts = vec![("format".to_owned(), "std".to_owned())];
        let header = Header { program, ticks_per_second: 1e9, clean_end: true, facts, ..Header::default() };
        let mut trace = self.builder.finish(self.path.to_owned(), header);
        trace.warnings = warnings;
        Ok(trace)
    }

    fn line(&mut self, line: &Line) -> Result<(), Error> {
        let t = line.thread as usize;
        self.threads[t].asks = None;
        if line.op == Op::Begin {
            let thread = &mut self.threads[t];
            thread.begun.get_or_insert(self.time);
            if thread.parent.is_some() {
                self.start(t);
            }
            return Ok(());
        }
        self.start(t);
        self.wake(line);
        let site = self.site(line.location);
        let just_released = self.threads[t].just_released.take();
        let (thread, time) = (self.threads[t].id, self.time);
        match line.op {
            Op::Begin => {}
            Op::Read => {
                let cell = self.object(line.operand, Role::Cell);
                self.builder.push(thread, time, Event::Read { cell, site });
            }
            Op::Write => {
                let cell = self.object(line.operand, Role::Cell);
                self.builder.push(thread, time, Event::Write { cell, site });
            }
            Op::Acquire => self.acquire(line, site),
            Op::Release => self.release(line)?,
            Op::Request => self.threads[t].asks = Some((line.operand, time, site)),
            Op::Fork => {
                let child = line.operand as usize;
                let child_id = self.threads[child].id;
                self.builder.push(thread, time, Event::Spawn { child: child_id, site, scoped: false });
                self.forked(child, line.thread);
            }
            Op::Join => {
                let child = self.threads[line.operand as usize].id;
                self.builder.push(thread, time, Event::Join { child, site, took: true });
            }
            Op::End => self.builder.push(thread, time, Event::End { panicked: false }),
            Op::Wait => self.wait(line, site, just_released),
            Op::Notify | Op::NotifyAll => {
                let condvar = self.object(line.operand, Role::Condvar);
                let (notified, waiting) = self.notified.entry(condvar).or_default();
                *notified += 1;
                let (order, all, count) = (Order(*notified), line.op == Op::NotifyAll, *waiting);
                *waiting = if all { 0 } else { count.saturating_sub(1) };
                self.builder.push(thread, time, Event::Notify { condvar, site, all, waiting: count, order });
            }
        }
        Ok(())
    }

    /// The fork of a thread.
    fn forked(&mut self, t: usize, parent: u32) {
        let thread = &mut self.threads[t];
        if thread.started || t == parent as usize {
            return;
        }
        thread.parent.get_or_insert(parent);
        if thread.begun.take().is_some() {
            // Its `begin` was met before its fork: it begins here.
            self.start(t);
        }
    }

    /// The first event of a thread.
    fn start(&mut self, t: usize) {
        if self.threads[t].started {
            return;
        }
        self.threads[t].started = true;
        let time = self.threads[t].begun.take().unwrap_or(self.time);
        let parent = self.threads[t].parent.map_or(ThreadId::NONE, |parent| self.threads[parent as usize].id);
        let name = self.builder.string(&self.words.threads.words[t]);
        self.builder.push(self.threads[t].id, time, Event::Start { parent, name });
    }

    fn site(&mut self, location: u32) -> SiteId {
        if let Some(site) = self.sites[location as usize] {
            return site;
        }
        let text = self.words.locations.words[location as usize].as_str();
        let own = || self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let site = if text.is_empty() {
            SiteId::NONE
        } else if let Ok(line) = text.parse() {
            self.builder.site(SiteDef { file: own(), line, column: 0 })
        } else {
            let place = text.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
            let (file, line) = place.unwrap_or((text, 0));
            self.builder.site(SiteDef { file: file.to_owned(), line, column: 0 })
        };
        self.sites[location as usize] = Some(site);
        site
    }

    /// The object that a word names in a role. Its creation is not recorded: the word stands for its place.
    fn object(&mut self, word: u32, role: Role) -> ObjectId {
        if let Some(id) = self.operands[word as usize].objects[role as usize] {
            return id;
        }
        let kind = match role {
            Role::Lock => ObjectKind::Mutex,
            Role::Cell => ObjectKind::Cell,
            Role::Condvar => ObjectKind::Condvar,
        };
        let text = &self.words.operands.words[word as usize];
        let created = self.builder.site(SiteDef { file: text.clone(), line: 0, column: 0 });
        let id = self.builder.object(kind, created, text);
        self.operands[word as usize].objects[role as usize] = Some(id);
        id
    }

    fn acquire(&mut self, line: &Line, site: SiteId) {
        let t = line.thread as usize;
        if let Some((_, depth)) = self.threads[t].held.iter_mut().find(|(lock, _)| *lock == line.operand) {
            *depth += 1;
            return;
        }
        self.threads[t].held.push((line.operand, 1));
        self.take(line, site);
    }

    fn take(&mut self, line: &Line, site: SiteId) {
        let lock = &mut self.operands[line.operand as usize].lock;
        lock.acquisitions += 1;
        let order = Order(lock.acquisitions);
        if let Some(&holder) = lock.holders.last() {
            let (line, thread, lock) = (line.number, line.thread, line.operand);
            self.overlaps.push(Overlap { line, thread, holder, lock, ended: false });
        }
        lock.holders.push(line.thread);
        let (lock, thread) = (self.object(line.operand, Role::Lock), self.threads[line.thread as usize].id);
        self.builder.push(thread, self.time, Event::Acquire { lock, site, mode: Mode::Exclusive, how: How::Blocking, order });
    }

    fn release(&mut self, line: &Line) -> Result<(), Error> {
        let held = &mut self.threads[line.thread as usize].held;
        let Some(i) = held.iter().position(|(lock, _)| *lock == line.operand) else {
            let thread = &self.words.threads.words[line.thread as usize];
            let lock = &self.words.operands.words[line.operand as usize];
            let what = match self.operands[line.operand as usize].lock.holders.last() {
                Some(&holder) => format!("held by {}", self.words.threads.words[holder as usize]),
                None => "held by no thread".to_owned(),
            };
            return Err(Error::malformed(
                self.path,
                line.number as usize,
                format!("{thread} releases lock {lock}, which is {what}"),
            ));
        };
        held[i].1 -= 1;
        if held[i].1 == 0 {
            held.remove(i);
            self.give_up(line.thread, line.operand);
        }
        Ok(())
    }

    /// The outermost release.
    fn give_up(&mut self, t: u32, word: u32) {
        self.operands[word as usize].lock.holders.retain(|holder| *holder != t);
        if let Some(overlap) = self.overlaps.iter_mut().rev().find(|overlap| (overlap.thread, overlap.lock) == (t, word)) {
            overlap.ended = true;
        }
        let lock = self.object(word, Role::Lock);
        self.threads[t as usize].just_released = Some(word);
        self.builder.push(self.threads[t as usize].id, self.time, Event::Release { lock, wrote: false, unwinding: false });
    }

    /// The lock of a wait is its operand (a monitor), or the one that was released just before, or the one taken last.
    fn wait(&mut self, line: &Line, site: SiteId, just_released: Option<u32>) {
        let held = &mut self.threads[line.thread as usize].held;
        let own = held.iter().position(|(lock, _)| *lock == line.operand);
        let implied = own.or_else(|| if just_released.is_none() { held.len().checked_sub(1) } else { None });
        let released = implied.map(|i| held.remove(i));
        if let Some((word, _)) = released {
            self.give_up(line.thread, word);
            self.threads[line.thread as usize].just_released = None;
        }
        let lock = released.map(|(word, _)| word).or(just_released).map_or(ObjectId::NONE, |word| self.object(word, Role::Lock));
        let condvar = self.object(line.operand, Role::Condvar);
        let (notified, waiting) = self.notified.entry(condvar).or_default();
        *waiting += 1;
        let order = Order(*notified);
        let thread = &mut self.threads[line.thread as usize];
        thread.waits = Some((condvar, released));
        self.builder.push(thread.id, self.time, Event::Wait { condvar, lock, site, timed: false, order });
    }

    /// Ends the wait of a thread that goes on.
    fn wake(&mut self, line: &Line) {
        let thread = &mut self.threads[line.thread as usize];
        let Some((condvar, released)) = thread.waits.take() else { return };
        thread.held.extend(released);
        let id = thread.id;
        let order = Order(self.notified.get(&condvar).map_or(0, |(notified, _)| *notified));
        let site = self.builder.last(id).and_then(|event| event.site()).unwrap_or_default();
        self.builder.push(id, self.time, Event::Wake { condvar, timed_out: false, order });
        if let Some((word, _)) = released {
            self.take(&Line { operand: word, ..*line }, site);
        }
    }

    /// Warnings for acquisitions of held locks, or an error for one that nothing explains.
    fn overlaps(&self) -> Result<Vec<String>, Error> {
        let mut warnings = Vec::new();
        for overlap in &self.overlaps {
            let [thread, holder] = [overlap.thread, overlap.holder].map(|t| &self.words.threads.words[t as usize]);
            let lock = &self.words.operands.words[overlap.lock as usize];
            let what = format!("{thread} acquires lock {lock}, which is held by {holder}");
            if !overlap.ended {
                return Err(Error::malformed(self.path, overlap.line as usize, what));
            }
            if warnings.len() < 100 {
                let (path, line) = (self.path.display(), overlap.line);
                warnings.push(format!("{path}:{line}: {what}: a wait that was not recorded may explain it"));
            }
        }
        Ok(warnings)
    }
}
