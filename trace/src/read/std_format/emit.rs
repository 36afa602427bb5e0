//! Makes events of the lines of a STD trace.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::line::{Line, Lines, Op};
use crate::event::{Event, How, Mode, ObjectKind, SiteDef};
use crate::ids::{ObjectId, Order, SiteId, ThreadId, Ticks};
use crate::read::builder::Builder;
use crate::read::{Error, Header, ProcessTrace};

#[derive(Clone)]
struct Thread {
    id: ThreadId,
    started: bool,
    /// The forking thread, if it forks this one before it does anything but begin.
    parent: Option<u32>,
    /// Its fork has happened.
    forked: bool,
    /// Its `begin` was met before its fork: it begins there.
    waits_for_fork: bool,
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

struct Emitter<'a> {
    lines: &'a Lines,
    path: &'a Path,
    builder: Builder,
    threads: Vec<Thread>,
    sites: Vec<Option<SiteId>>,
    /// By word and role.
    objects: Vec<[Option<ObjectId>; 3]>,
    /// By word.
    locks: Vec<Lock>,
    /// Notifications and waiting threads of a condition variable.
    notified: FxHashMap<ObjectId, (u64, u32)>,
    overlaps: Vec<Overlap>,
    time: Ticks,
}

/// The trace that the lines say.
pub(super) fn trace(path: &Path, lines: &Lines) -> Result<ProcessTrace, Error> {
    let mut builder = Builder::default();
    let parents = parents(lines);
    let threads = parents.into_iter().map(|parent| Thread {
        id: builder.thread(),
        started: false,
        parent,
        forked: false,
        waits_for_fork: false,
        held: Vec::new(),
        waits: None,
        just_released: None,
    });
    let mut emitter = Emitter {
        lines,
        path,
        threads: threads.collect(),
        builder,
        sites: vec![None; lines.locations.words.len()],
        objects: vec![[None; 3]; lines.operands.words.len()],
        locks: std::iter::repeat_with(Lock::default).take(lines.operands.words.len()).collect(),
        notified: FxHashMap::default(),
        overlaps: Vec::new(),
        time: Ticks(0),
    };
    let mut last = vec![0; lines.threads.words.len()];
    for (i, line) in lines.lines.iter().enumerate() {
        last[line.thread as usize] = i;
    }
    for (i, line) in lines.lines.iter().enumerate() {
        emitter.time = Ticks(i as u64 + 1);
        emitter.line(line, last[line.thread as usize] == i)?;
    }
    let warnings = emitter.overlaps()?;
    let program = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Readers of this trace have to know that all reads and writes are events of their own, also after a conversion.
    let facts = vec![("format".to_owned(), "std".to_owned())];
    let header = Header { program, ticks_per_second: 1e9, clean_end: true, facts, ..Header::default() };
    let mut trace = emitter.builder.finish(path.to_owned(), header);
    trace.warnings = warnings;
    Ok(trace)
}

/// Who forks each thread, where that comes before all that the thread does (but its `begin`).
fn parents(lines: &Lines) -> Vec<Option<u32>> {
    let mut parents = vec![None; lines.threads.words.len()];
    let mut acted = vec![false; parents.len()];
    for line in &lines.lines {
        if line.op == Op::Fork && !acted[line.operand as usize] && line.operand != line.thread {
            parents[line.operand as usize].get_or_insert(line.thread);
        }
        acted[line.thread as usize] |= line.op != Op::Begin;
    }
    parents
}

impl Emitter<'_> {
    fn line(&mut self, line: &Line, is_last: bool) -> Result<(), Error> {
        let t = line.thread as usize;
        if line.op == Op::Begin {
            let thread = &mut self.threads[t];
            if thread.parent.is_some() && !thread.forked {
                thread.waits_for_fork = true;
            } else {
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
            Op::Request if is_last && !self.threads[t].held.iter().any(|(lock, _)| *lock == line.operand) => {
                let lock = self.object(line.operand, Role::Lock);
                self.builder.push(thread, time, Event::Request { lock, site, mode: Mode::Exclusive, how: How::Blocking });
            }
            Op::Request => {}
            Op::Fork => {
                let child = line.operand as usize;
                let child_id = self.threads[child].id;
                self.builder.push(thread, time, Event::Spawn { child: child_id, site, scoped: false });
                self.forked(child);
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

    /// The fork of a thread has happened now.
    fn forked(&mut self, t: usize) {
        self.threads[t].forked = true;
        if self.threads[t].waits_for_fork {
            self.start(t);
        }
    }

    /// The first event of a thread.
    fn start(&mut self, t: usize) {
        if self.threads[t].started {
            return;
        }
        self.threads[t].started = true;
        let parent = self.threads[t].parent.map_or(ThreadId::NONE, |parent| self.threads[parent as usize].id);
        let name = self.builder.string(&self.lines.threads.words[t]);
        self.builder.push(self.threads[t].id, self.time, Event::Start { parent, name });
    }

    fn site(&mut self, location: u32) -> SiteId {
        if let Some(site) = self.sites[location as usize] {
            return site;
        }
        let text = self.lines.locations.words[location as usize].as_str();
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
        if let Some(id) = self.objects[word as usize][role as usize] {
            return id;
        }
        let kind = match role {
            Role::Lock => ObjectKind::Mutex,
            Role::Cell => ObjectKind::Cell,
            Role::Condvar => ObjectKind::Condvar,
        };
        let text = &self.lines.operands.words[word as usize];
        let created = self.builder.site(SiteDef { file: text.clone(), line: 0, column: 0 });
        let id = self.builder.object(kind, created, text);
        self.objects[word as usize][role as usize] = Some(id);
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
        let lock = &mut self.locks[line.operand as usize];
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
            let thread = &self.lines.threads.words[line.thread as usize];
            let lock = &self.lines.operands.words[line.operand as usize];
            let what = match self.locks[line.operand as usize].holders.last() {
                Some(&holder) => format!("held by {}", self.lines.threads.words[holder as usize]),
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
        self.locks[word as usize].holders.retain(|holder| *holder != t);
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
            let [thread, holder] = [overlap.thread, overlap.holder].map(|t| &self.lines.threads.words[t as usize]);
            let lock = &self.lines.operands.words[overlap.lock as usize];
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
