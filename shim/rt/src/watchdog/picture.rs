//! Who holds what and waits for what, in words.

use std::fmt::Write as _;

use conccheck_trace::{Event, ObjectId, ObjectKind, Side, SiteId, ThreadId};

use super::history::{Names, Threads};
use super::waits::{Because, Edge};

/// What is known, for telling it.
pub(super) struct Picture<'a> {
    pub(super) names: &'a Names,
    pub(super) threads: &'a Threads,
    /// Whether threads without a recorded parent are tests.
    pub(super) is_test: bool,
}

impl Picture<'_> {
    /// A closed cycle.
    pub(super) fn cycle(&self, cycle: &[Edge]) -> String {
        let mut text = match cycle {
            [only] => format!("conccheck: deadlock: {} waits for itself\n", self.thread(only.from)),
            _ => format!("conccheck: deadlock: {} threads wait for one another\n", cycle.len()),
        };
        for edge in cycle {
            let _ = writeln!(text, "  {}", self.thread_in_test(edge.from));
            self.wait(&mut text, &edge.wait, &[]);
            let who = if edge.to == edge.from { "it".to_owned() } else { self.thread(edge.to) };
            let _ = match edge.because {
                Because::Holds(hold) => writeln!(text, "    which {who} holds since {}", self.site(hold.site)),
                Because::Queues(site) => {
                    writeln!(text, "    behind {who}, which waits to write at {}", self.site(site))
                }
                Because::Initialises(site) => writeln!(text, "    which {who} runs since {}", self.site(site)),
                Because::MustEnd => Ok(()),
            };
        }
        text
    }

    /// Each of these threads: what it waits for and what it holds.
    pub(super) fn waiters(&self, threads: impl Iterator<Item = ThreadId>) -> String {
        let mut text = String::new();
        for id in threads {
            let Some(thread) = self.threads.all.get(&id) else { continue };
            let _ = writeln!(text, "  {}", self.thread_in_test(id));
            for wait in thread.waits.iter().filter(|wait| thread.waits.len() == 1 || !self.is_over(wait)) {
                self.wait(&mut text, wait, &thread.cases);
            }
            for hold in &thread.holds {
                let _ = writeln!(text, "    holds {} since {}", self.object(hold.lock), self.site(hold.site));
            }
            for &(once, site) in &thread.initialises {
                let _ = writeln!(text, "    runs the initialisation of {} since {}", self.object(once), self.site(site));
            }
        }
        text
    }

    /// Whether it is for a thread that has ended: of those that the end of a scope waits for, some may have.
    fn is_over(&self, wait: &Event) -> bool {
        matches!(wait, Event::JoinRequest { child, .. } if self.threads.all.get(child).is_some_and(|child| child.has_ended))
    }

    fn wait(&self, text: &mut String, wait: &Event, cases: &[Event]) {
        let what = match *wait {
            Event::Request { lock, .. } => self.object(lock),
            Event::JoinRequest { child, .. } => format!("the end of {}", self.thread(child)),
            Event::OnceRequest { once, .. } => format!("the initialisation of {}", self.object(once)),
            Event::Wait { condvar, .. } => format!("a notification of {}", self.object(condvar)),
            Event::RecvRequest { channel, .. } if self.is_group(channel) => format!("the members of {}", self.object(channel)),
            Event::RecvRequest { channel, .. } => format!("a message from {}", self.object(channel)),
            Event::SendRequest { channel, .. } => format!("room in {}", self.object(channel)),
            Event::SelectRequest { cases: 0, .. } => "nothing that could come".to_owned(),
            Event::SelectRequest { .. } => cases.iter().map(|case| self.case(case)).collect::<Vec<_>>().join(", or "),
            Event::BarrierWait { barrier, .. } => format!("the others at {}", self.object(barrier)),
            _ => "an unpark".to_owned(),
        };
        let _ = writeln!(text, "    waits for {what} at {}", self.site(wait.site().unwrap_or_default()));
    }

    fn case(&self, case: &Event) -> String {
        match *case {
            Event::SelectCase { channel, side: Side::Sender, .. } => format!("room in {}", self.object(channel)),
            Event::SelectCase { channel, .. } => format!("a message from {}", self.object(channel)),
            _ => String::new(),
        }
    }

    fn thread(&self, id: ThreadId) -> String {
        match self.threads.all.get(&id).and_then(|thread| thread.name.as_ref()) {
            Some(name) => format!("thread `{}`", name.escape_debug()),
            None => format!("thread {}", id.0),
        }
    }

    fn thread_in_test(&self, id: ThreadId) -> String {
        match self.test(id).filter(|_| self.is_test) {
            Some((root, _)) if root == id => format!("{}, a test", self.thread(id)),
            Some((_, test)) => format!("{} of test `{}`", self.thread(id), test.escape_debug()),
            None => self.thread(id),
        }
    }

    /// The thread that this one comes from and that no recorded thread started, if it has a name: the harness names it after its test.
    fn test(&self, mut id: ThreadId) -> Option<(ThreadId, &str)> {
        // A damaged trace may say that threads started one another.
        for _ in 0..self.threads.all.len() {
            let thread = self.threads.all.get(&id)?;
            if !thread.parent.is_some() {
                return Some((id, thread.name.as_deref().filter(|&name| name != "main")?));
            }
            id = thread.parent;
        }
        None
    }

    /// Whether what is waited for are members' ends, not messages.
    fn is_group(&self, id: ObjectId) -> bool {
        self.names.object(id).is_some_and(|(kind, ..)| kind == ObjectKind::WaitGroup)
    }

    fn object(&self, id: ObjectId) -> String {
        let Some((kind, created, within)) = self.names.object(id) else { return format!("object {}", id.0) };
        let within = if matches!(within, "" | "()") { String::new() } else { format!("<{within}>") };
        format!("`{}{within}` created at {}", kind.noun(), self.site(created))
    }

    fn site(&self, id: SiteId) -> String {
        self.names.site(id).map_or("a place not known".to_owned(), |site| format!("{}:{}:{}", site.file, site.line, site.column))
    }
}
