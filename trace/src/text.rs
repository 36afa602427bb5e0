//! A trace as a few lines of text, for tests of rules.
//!
//! One event a line (`;` separates too, `#` begins a comment), **in the order in which they happened**: a thread, an operation, its
//! operands, then in any order, where wanted, the place `@FILE:LINE[:COLUMN]` and the time since the event before `+5ms` (units `ns`,
//! `us`, `ms`, `s`; by default 1 µs). Threads, locks and the like are named by any word and exist from their first mention. Order
//! numbers, stamps, handles and the `Start` of every thread are made by the parser.
//!
//! ```text
//! main spawn t1 @a.rs:3
//! main lock a @a.rs:10; main lock b @a.rs:11 +5ms; main unlock b; main unlock a
//! t1 lock b; t1 request a        # t1 is blocked at the end
//! ```
//!
//! | operation | event |
//! |---|---|
//! | `lock a`, `write r`, `read r`, `read-recursive r`, `upgradable r`, `reentrant a` | `Acquire` in that mode; `try-lock a`, `timed-read r`, …: asked for in that way |
//! | `unlock a [read-only] [panicking]` | `Release`; `wrote` is true unless the lock is held in a reading mode or `read-only` is said |
//! | `request a [MODE] [timed]`, `try-fail a [MODE]`, `time-out a [MODE]` | `Request`, `TryFail`, `TimeOut`; `MODE` is `lock` (the default), `write`, `read`, … |
//! | `downgrade r`, `upgrade r` | `Convert` from write to read, from upgradable to write |
//! | `poison-seen a`, `poison-cleared a` | the same |
//! | `wait cv a [timed]`, `wake cv [timed-out]` | `Release` of `a` and `Wait`; `Wake` and `Acquire` of the lock that was waited with |
//! | `notify cv`, `notify-all cv` | `Notify` |
//! | `channel c [CAPACITY]` | `ChannelNew`, unbounded without a capacity; its handles are called `s1` and `r1` |
//! | `send c [s1]`, `recv c [r1]` | `Send`, `Recv` of the oldest message |
//! | `request-send c [s1] [timed]`, `request-recv c [r1] [timed]` | `SendRequest`, `RecvRequest` |
//! | `send-fail c [s1] [closed]`, `recv-fail c [r1] [closed]` | `SendFail`, `RecvFail` |
//! | `case-send c [s1]`, `case-recv c [r1]` | `SelectCase` |
//! | `request-select [timed]`, `selected [others]` | `SelectRequest` of the cases directly before, `Selected` |
//! | `clone-sender c s2 [s1]`, `clone-receiver c r2 [r1]` | `HandleClone` and `HandleMade`: the new handle, then its origin |
//! | `drop-sender c [s1]`, `drop-receiver c [r1]` | `HandleDrop` |
//! | `spawn t1 [scoped]`, `end [panicked]`, `request-join t1`, `join t1 [untaken]`, `detach t1` | `Spawn` (and `Start` of `t1`), `End`, `JoinRequest`, `Join`, `Detach` |
//! | `sleep 10ms`, `yield`, `exit`, `park [timed]`, `unparked`, `unpark [t1]` | the same |
//! | `once-request o`, `once-begin o`, `once-end o [panicked]`, `once-get o` | the same |
//! | `barrier-wait b 3`, `barrier-pass b` | the same |
//! | `token-clone c`, `cancel c`, `cancel-wait c [timed]`, `cancel-look c [cancelled]` | the same |
//! | `scope-begin s`, `scope-end s` | the same |
//! | `stack f` | `Stack` |
//! | `cell-read x`, `cell-write x` | `Read`, `Write` |
//! | `summary a 100 5ms`, `lost 7` | `Summary` of 100 sections held 5 ms in all, `Lost` |
//!
//! Lines that are not events: `frame f PATH ADDRESS [CALLER]` says what `stack f` means (`CALLER`: another such name); `object a mutex [@FILE:LINE] [TYPE]` declares an object before its first use (kinds: `mutex`, `rw-lock`,
//! `reentrant-mutex`, `condvar`, `channel`, `once`, `barrier`, `cell`, `token`, `scope`, `wait-group`); `process killed` and `process deadlocked` say how the process
//! ended (in order, otherwise); `fact KEY VALUE` adds to the header's facts.
//!
//! What is not said: an object's kind follows from its first use, its type is its name, its creation site `lock.rs:N` where it is the
//! `N`-th object (a channel: the place of `channel`); the site of the `N`-th event is `trace.rs:N`; the clock counts nanoseconds.

mod locks;
mod operation;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::event::{Event, ObjectKind, SiteDef};
use crate::ids::{FrameId, ObjectId, SiteId, StringId, ThreadId, Ticks};
use crate::read::builder::Builder;
use crate::read::{Error, Header, ProcessTrace};
use locks::Lock;
use operation::Channel;

/// Parses a trace in the form that the module describes.
///
/// # Errors
/// [`Error::Malformed`] with the line: it is not understood, or can't happen (an unlock of a lock that is not held, two holders).
pub fn parse(text: &str) -> Result<ProcessTrace, Error> {
    let mut parser = Parser::default();
    for (line, number) in text.lines().zip(1..) {
        let line = line.split('#').next().unwrap_or_default();
        for statement in line.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            parser.statement(statement).map_err(|what| Error::malformed(Path::new("<text>"), number, what))?;
        }
    }
    let Parser { builder, header, .. } = parser;
    let header = Header { program: "text".to_owned(), ticks_per_second: 1e9, clean_end: !parser.killed, ..header };
    Ok(builder.finish(PathBuf::from("<text>"), header))
}

#[derive(Default)]
struct Parser {
    builder: Builder,
    header: Header,
    killed: bool,
    threads: HashMap<String, ThreadId>,
    objects: HashMap<String, Object>,
    frames: HashMap<String, FrameId>,
    handles: u32,
    /// Messages sent so far, by sender.
    sent: HashMap<ThreadId, u32>,
    /// Cases of the selection that a thread is about to begin.
    cases: HashMap<ThreadId, u32>,
    /// Events so far.
    count: u32,
    time: u64,
    /// The thread and place of the statement.
    thread: ThreadId,
    site: SiteId,
}

/// An object and its history so far.
struct Object {
    id: ObjectId,
    lock: Lock,
    channel: Channel,
    /// Of a condition variable: notifications, and how many wait for one.
    notified: u64,
    waiting: u32,
    /// Of a barrier: arrivals.
    arrived: u64,
}

/// A statement taken apart.
struct Statement<'a> {
    words: Vec<&'a str>,
    place: Option<SiteDef>,
    step: Option<u64>,
}

impl<'a> Statement<'a> {
    fn of(text: &'a str) -> Result<Statement<'a>, String> {
        let mut statement = Statement { words: Vec::new(), place: None, step: None };
        for word in text.split_whitespace() {
            if let Some(place) = word.strip_prefix('@') {
                statement.place = Some(place_of(place)?);
            } else if let Some(step) = word.strip_prefix('+') {
                statement.step = Some(duration(step)?);
            } else {
                statement.words.push(word);
            }
        }
        Ok(statement)
    }
}

fn place_of(text: &str) -> Result<SiteDef, String> {
    let mut parts = text.split(':');
    let file = parts.next().unwrap_or_default().to_owned();
    let mut number = || parts.next().map_or(Ok(0), str::parse).map_err(|_| format!("`@{text}` is not `@FILE:LINE[:COLUMN]`"));
    Ok(SiteDef { file, line: number()?, column: number()? })
}

/// Nanoseconds of `10ms` and the like.
fn duration(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "ns" => Some(1),
        "us" | "µs" => Some(1_000),
        "ms" => Some(1_000_000),
        "s" => Some(1_000_000_000_u64),
        _ => None,
    };
    let value = text[..digits].parse().ok().zip(unit).and_then(|(value, unit): (u64, u64)| value.checked_mul(unit));
    value.ok_or_else(|| format!("`{text}` is not a duration such as `10ms`"))
}

impl Parser {
    fn statement(&mut self, text: &str) -> Result<(), String> {
        let Statement { words, place, step } = Statement::of(text)?;
        match words[..] {
            ["object", name, kind, ref rest @ ..] if rest.len() < 2 => {
                let kind = kind_of(kind)?;
                if self.objects.contains_key(name) {
                    return Err(format!("`{name}` exists already"));
                }
                self.create(name, kind, place, rest.first().copied());
                Ok(())
            }
            ["frame", name, module, address, ref rest @ ..] if rest.len() < 2 => {
                let address = address.parse().map_err(|_| format!("`{address}` is not an address"))?;
                let caller = rest.first().map_or(Ok(FrameId::NONE), |caller| self.frame(caller))?;
                let frame = self.builder.frame(caller, module, address);
                self.frames.insert(name.to_owned(), frame);
                Ok(())
            }
            ["process", "killed"] => {
                self.killed = true;
                Ok(())
            }
            ["process", "deadlocked"] => {
                self.killed = true;
                self.header.deadlock_end = true;
                Ok(())
            }
            ["fact", key, ref value @ ..] => {
                self.header.facts.push((key.to_owned(), value.join(" ")));
                Ok(())
            }
            [thread, operation, ref operands @ ..] => {
                self.count += 1;
                self.time += if self.count == 1 { step.unwrap_or(0) } else { step.unwrap_or(1_000) };
                self.thread = self.thread(thread, ThreadId::NONE);
                let place = place.unwrap_or(SiteDef { file: "trace.rs".to_owned(), line: self.count, column: 1 });
                self.site = self.builder.site(place);
                self.operation(operation, operands)
            }
            _ => Err(format!("`{text}` is not `THREAD OPERATION …`")),
        }
    }

    fn push(&mut self, event: Event) {
        let cases = self.cases.entry(self.thread).or_default();
        *cases = if matches!(event, Event::SelectCase { .. }) { *cases + 1 } else { 0 };
        self.builder.push(self.thread, Ticks(self.time), event);
    }

    fn frame(&self, name: &str) -> Result<FrameId, String> {
        self.frames.get(name).copied().ok_or_else(|| format!("there is no frame `{name}` yet"))
    }

    /// The thread of this name; begins with its first mention.
    fn thread(&mut self, name: &str, parent: ThreadId) -> ThreadId {
        if let Some(id) = self.threads.get(name) {
            return *id;
        }
        let id = self.builder.thread();
        self.threads.insert(name.to_owned(), id);
        let name: StringId = self.builder.string(name);
        self.builder.push(id, Ticks(self.time), Event::Start { parent, name });
        id
    }

    fn create(&mut self, name: &str, kind: ObjectKind, place: Option<SiteDef>, type_name: Option<&str>) {
        let line = u32::try_from(self.objects.len() + 1).unwrap_or(0);
        let place = place.unwrap_or(SiteDef { file: "lock.rs".to_owned(), line, column: 1 });
        let created = self.builder.site(place);
        let id = self.builder.object(kind, created, type_name.unwrap_or(name));
        let object = Object { id, lock: Lock::default(), channel: Channel::default(), notified: 0, waiting: 0, arrived: 0 };
        self.objects.insert(name.to_owned(), object);
    }

    /// The object of this name; its first mention makes it one of `kind`.
    fn object(&mut self, name: &str, kind: ObjectKind) -> &mut Object {
        if !self.objects.contains_key(name) {
            self.create(name, kind, None, None);
        }
        self.objects.get_mut(name).expect("was just made")
    }
}

fn kind_of(word: &str) -> Result<ObjectKind, String> {
    Ok(match word {
        "mutex" => ObjectKind::Mutex,
        "rw-lock" => ObjectKind::RwLock,
        "reentrant-mutex" => ObjectKind::ReentrantMutex,
        "condvar" => ObjectKind::Condvar,
        "channel" => ObjectKind::Channel,
        "once" => ObjectKind::Once,
        "barrier" => ObjectKind::Barrier,
        "cell" => ObjectKind::Cell,
        "token" => ObjectKind::Token,
        "scope" => ObjectKind::Scope,
        "wait-group" => ObjectKind::WaitGroup,
        _ => return Err(format!("`{word}` is not a kind of object")),
    })
}
