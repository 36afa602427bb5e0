//! What happened in one process, as the rules see it: threads, locks, channels, and in which ways locks were taken.
//!
//! Filled by one pass over the merged events. Its size follows from the number of distinct threads, objects, sites and
//! [contexts](context::Context), not from the number of events.

mod build;
pub mod cancel;
pub mod channel;
pub mod context;
pub mod lock;
pub mod mixed;
pub mod sync;
pub mod thread;

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Nanos, ObjectId, ObjectKind, SiteDef, SiteId, ThreadId, Ticks};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::cycles::Rings;
use crate::handshake::Files;
use crate::names::Names;
use crate::prediction::{self, Predicted};
use crate::stuck::Stuck;
use crate::table::Table;
use crate::{Config, Sources};

use cancel::{Scope, Token};
use channel::{Channel, TimedSelection};
use context::{BlockingOp, Context, Held};
use lock::{Lock, SiteUse};
use sync::{Barrier, Condvar, Once};
use thread::Thread;

/// The facts about one process.
pub struct Model<'a> {
    /// The trace that it was made from.
    pub trace: &'a ProcessTrace,
    /// Where source lines come from.
    pub sources: &'a dyn Sources,
    /// Thresholds.
    pub config: &'a Config,
    /// The threads that recorded something, in order of their ids; then those that were only mentioned.
    pub threads: Vec<Thread>,
    /// Locks by object id.
    pub locks: Table<Lock>,
    /// The locks that anybody had to wait for, sorted.
    pub contended: Vec<ObjectId>,
    /// Channels by object id.
    pub channels: Table<Channel>,
    /// Condition variables by object id.
    pub condvars: Table<Condvar>,
    /// Onces by object id.
    pub onces: Table<Once>,
    /// Barriers by object id.
    pub barriers: Table<Barrier>,
    /// Cancellation tokens and stop flags by object id.
    pub tokens: Table<Token>,
    /// Scopes in the order of their begins.
    pub scopes: Vec<Scope>,
    /// How each site acquired locks.
    pub sites: Table<SiteUse>,
    /// The distinct held stacks; entry 0 is the empty one.
    pub chains: Vec<Held>,
    /// The distinct ways in which locks were acquired, in order of their first occurrence.
    pub contexts: Vec<Context>,
    /// The distinct ways in which threads blocked otherwise while they held locks.
    pub ops: Vec<BlockingOp>,
    /// Lock-and-wait pairs that could have blocked each other.
    pub mixed: Vec<mixed::Mixed>,
    /// Places where a wait has a limit, or where a send or receive is only tried: nobody is blocked there for good.
    pub gives_up: FxHashSet<SiteId>,
    /// Waits for locks with a limit, by lock and site: how many began and how many ran into it, and who was last.
    pub timed_locks: BTreeMap<(ObjectId, SiteId), (u64, u64, usize)>,
    /// The selections with a limit, by place.
    pub timed_selections: BTreeMap<SiteId, TimedSelection>,
    /// Reads of a lock's data that a later write of the same thread may have relied on, with another thread's write between.
    pub stale: Vec<lock::Stale>,
    /// Names of the tests, sorted.
    pub tests: Vec<String>,
    /// Events seen.
    pub events: u64,
    /// How often the order of events had to be guessed.
    pub forced: u64,
    /// Acquisitions that were counted, not recorded.
    pub summarised: u64,
    /// Events that the trace says are missing.
    pub lost: u64,
    /// Time of the last event.
    pub end: Ticks,
    index: FxHashMap<ThreadId, usize>,
    names: OnceCell<Names>,
    stuck: OnceCell<Stuck>,
    rings: OnceCell<Rings>,
    /// Possible deadlocks for which schedules of the whole run were not looked for, to stay within time and memory.
    pub(crate) untried: Cell<usize>,
    /// What the files that were looked at have to do with atomics.
    pub(crate) files: Files,
    predicted: OnceCell<Option<Predicted>>,
}

impl<'a> Model<'a> {
    /// Reads all of `trace`.
    pub fn new(trace: &'a ProcessTrace, sources: &'a dyn Sources, config: &'a Config) -> Model<'a> {
        build::build(trace, sources, config)
    }

    /// Reads all of `trace`, and predicts meanwhile what [`Model::predicted`] gives, which takes as long.
    pub(crate) fn with_prediction(trace: &'a ProcessTrace, sources: &'a dyn Sources, config: &'a Config) -> Model<'a> {
        if !prediction::is_complete(trace) {
            return Model::new(trace, sources, config);
        }
        std::thread::scope(|scope| {
            let predicting = scope.spawn(|| Predicted::new(trace));
            let mut model = Model::new(trace, sources, config);
            model.rings();
            let predicted = predicting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            model.predicted = OnceCell::from(Some(predicted));
            model
        })
    }

    /// Dense index of a thread.
    pub fn thread_index(&self, id: ThreadId) -> Option<usize> {
        self.index.get(&id).copied()
    }

    /// A site's file, line and column.
    pub fn site(&self, id: SiteId) -> Option<&SiteDef> {
        self.trace.tables.site(id)
    }

    /// The locks that anybody had to wait for.
    pub(crate) fn contended(&self) -> impl Iterator<Item = (ObjectId, &Lock)> {
        self.contended.iter().filter_map(|id| Some((*id, self.locks.get(id.0)?)))
    }

    /// The text of a site's source line.
    pub fn line(&self, id: SiteId) -> Option<String> {
        self.sources.line(self.site(id)?)
    }

    /// What kind of object it is.
    pub fn kind(&self, id: ObjectId) -> Option<ObjectKind> {
        Some(self.trace.tables.object(id)?.kind)
    }

    /// Displayed names.
    pub fn names(&self) -> &Names {
        self.names.get_or_init(|| Names::new(self))
    }

    /// Who is blocked for good, and on whom.
    pub fn stuck(&self) -> &Stuck {
        self.stuck.get_or_init(|| Stuck::new(self))
    }

    /// The rings of threads that could wait for each other's locks.
    pub(crate) fn rings(&self) -> &Rings {
        self.rings.get_or_init(|| crate::cycles::find(self))
    }

    /// What prediction finds, where the trace says everything that a thread read and wrote.
    pub(crate) fn predicted(&self) -> Option<&Predicted> {
        self.predicted.get_or_init(|| prediction::is_complete(self.trace).then(|| Predicted::new(self.trace))).as_ref()
    }

    /// The held stack that ends with entry `chain`, outermost first.
    pub fn held(&self, chain: u32) -> Vec<&Held> {
        let mut held = Vec::new();
        let mut at = chain;
        while at != 0 {
            let entry = &self.chains[at as usize];
            held.push(entry);
            at = entry.parent;
        }
        held.reverse();
        held
    }

    /// The contexts in which a lock was acquired or asked for.
    pub(crate) fn contexts_of(&self, lock: ObjectId) -> impl Iterator<Item = &Context> {
        self.locks.get(lock.0).into_iter().flat_map(|lock| &lock.contexts).map(|id| &self.contexts[*id as usize])
    }

    /// The context in which a thread acquired what it holds.
    pub(crate) fn context_of(&self, thread: usize, held: &Held) -> Option<&Context> {
        self.contexts_of(held.lock)
            .find(|context| context.thread() == thread && context.chain == held.parent && context.site == held.site)
    }

    /// What could not be looked at as it should be, as sentences for the user.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let path = crate::names::clean(&self.trace.path.display().to_string());
        let mut warnings = Vec::new();
        if self.forced > 0 {
            let events = if self.forced == 1 { "one event".to_owned() } else { format!("{} events", self.forced) };
            let why = match self.summarised {
                0 => "others are missing",
                _ => "acquisitions were only counted (CONCCHECK_MAX_TRACE)",
            };
            warnings.push(format!("{path}: the order of {events} had to be guessed, since {why}"));
        }
        let cut = self.rings.get().map_or(0, |rings| rings.cut);
        if cut > 0 {
            warnings.push(format!("{path}: the search for deadlocks was cut short at {cut} pairs of locks, since too many are nested in too many orders"));
        }
        let untried = self.untried.get();
        if untried > 0 {
            warnings.push(format!(
                "{path}: for {untried} of the possible deadlocks not every schedule was looked for: that would take too much time or memory"
            ));
        }
        warnings
    }

    /// Whether the trace says when things happened and what was done with a guard. One in the STD format says neither, so it is no
    /// ground for advice.
    pub(crate) fn is_measured(&self) -> bool {
        !prediction::is_complete(self.trace)
    }

    /// Whether the user says that the thread may be left behind.
    pub(crate) fn is_ignored(&self, t: usize) -> bool {
        self.config.ignored_tasks.iter().any(|ignored| ignored.covers(self, t))
    }

    /// Nanoseconds since the start of the recording.
    pub fn nanos(&self, time: Ticks) -> Nanos {
        self.trace.header.nanos(time)
    }

    /// Nanoseconds between two times.
    pub fn span(&self, from: Ticks, to: Ticks) -> Nanos {
        Nanos(self.nanos(to).0.saturating_sub(self.nanos(from).0))
    }

    /// Whether what was made at this site is a static, so that code not seen here may always reach it.
    pub fn is_static(&self, created: SiteId) -> bool {
        self.line(created).is_some_and(|line| crate::names::declares_static(&line))
    }

    /// Whether a static lock or once holds a value whose type's name contains `part`.
    pub fn static_holds(&self, part: &str) -> bool {
        self.trace.tables.objects().any(|(_, object)| {
            let named = self.trace.tables.string(object.type_name).is_some_and(|name| name.contains(part));
            named && self.is_static(object.created)
        })
    }
}

impl std::fmt::Debug for Model<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("threads", &self.threads.len())
            .field("contexts", &self.contexts.len())
            .finish_non_exhaustive()
    }
}
