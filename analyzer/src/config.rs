//! What a user can set.

use std::fmt;
use std::str::FromStr;

use conccheck_trace::{Nanos, SiteDef};

use crate::model::Model;

/// Thresholds of the rules, and which rules run.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// Names of rules that don't run.
    pub disabled: Vec<String>,
    /// Tasks that may be left behind.
    pub ignored_tasks: Vec<IgnoredTask>,
    /// `held-across-blocking`: wait of others from which holding a lock meanwhile is as bad as the rule says.
    pub others_wait: Nanos,
    /// `long-critical-section`: hold time from which a critical section is long.
    pub long_hold: Nanos,
    /// `unbounded-backlog`: queued messages of an unbounded channel from which its backlog counts as growing.
    pub backlog: u64,
    /// `undersized-buffer`: share of a channel's sends that waited for room from which its buffer is too small.
    pub blocked_sends: f64,
    /// `oversized-buffer`: how many times larger than the fullest queue a capacity may be.
    pub oversize: u64,
    /// `send-after-close`: failed sends of one thread from which it did not stop by itself.
    pub late_sends: u64,
    /// `dropped-messages`: messages that must have been lost.
    pub lost_messages: u64,
    /// `timeout-fallback`: share of timed operations that ran into their limit from which the fallback is the rule.
    pub timeouts: f64,
    /// `lock-contention`: share of the lives of the threads that wait for a lock from which it is contended.
    pub contention: f64,
    /// `lock-contention`: time that all waits for the lock must have taken together.
    pub contended_for: Nanos,
    /// `spawn-burst`: threads from one place, alive at once and never joined, from which they are a burst.
    pub burst: u64,
    /// `unjoined-task`: sleeps or waits at one place from which a thread counts as a service that is meant to run to the end.
    pub service: u64,
    /// `read-mostly-mutex`: reads per write above which a contended mutex is mostly read.
    pub reads_per_write: u64,
    /// `write-heavy-rwlock`: share of acquisitions for writing above which a contended lock is written too often.
    pub writes: f64,
    /// `unused-lock-mode`: acquisitions from which it is worth a word.
    pub unused_from: u64,
    /// `mutex-as-queue`: looks more than there were pushes from which the taking side polls.
    pub polls: u64,
    /// `ignored-cancellation`: how long a thread may go on after it was told to end.
    pub grace: Nanos,
    /// Longest lock-order cycle that is looked for, in locks.
    pub longest_cycle: usize,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            disabled: Vec::new(),
            ignored_tasks: Vec::new(),
            others_wait: Nanos(100_000_000),
            long_hold: Nanos(10_000_000),
            backlog: 1000,
            blocked_sends: 0.5,
            oversize: 16,
            late_sends: 3,
            lost_messages: 1,
            timeouts: 0.5,
            contention: 0.25,
            contended_for: Nanos(100_000_000),
            burst: 16,
            service: 2,
            reads_per_write: 3,
            writes: 0.25,
            unused_from: 100,
            polls: 16,
            grace: Nanos(1_000_000_000),
            longest_cycle: 64,
        }
    }
}

/// Tasks that may be left behind, by what is known of them. Written as `name=log-*`, `site=src/pool.rs:12` or `creator=src/main.rs`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IgnoredTask {
    /// By the thread's name; `*` stands for anything.
    Name(String),
    /// By the place where it waits: the end of a file's path, and the line if that matters.
    Site(String, Option<u32>),
    /// By the place where it was started, in the same way.
    Creator(String, Option<u32>),
}

impl FromStr for IgnoredTask {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<IgnoredTask, &'static str> {
        let place = |text: &str| match text.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
            Some((file, line)) => (file.to_owned(), Some(line)),
            None => (text.to_owned(), None),
        };
        match text.split_once('=') {
            Some((_, "")) | None => Err("it must be `name=…`, `site=…` or `creator=…`"),
            Some(("name", name)) => Ok(IgnoredTask::Name(name.to_owned())),
            Some(("site", site)) => Ok(place(site)).map(|(file, line)| IgnoredTask::Site(file, line)),
            Some(("creator", site)) => Ok(place(site)).map(|(file, line)| IgnoredTask::Creator(file, line)),
            Some(_) => Err("tasks are known by `name`, `site` or `creator`"),
        }
    }
}

impl fmt::Display for IgnoredTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, what, line) = match self {
            IgnoredTask::Name(name) => ("name", name, &None),
            IgnoredTask::Site(file, line) => ("site", file, line),
            IgnoredTask::Creator(file, line) => ("creator", file, line),
        };
        write!(f, "{by}={what}")?;
        line.map_or(Ok(()), |line| write!(f, ":{line}"))
    }
}

impl IgnoredTask {
    pub(crate) fn covers(&self, model: &Model<'_>, t: usize) -> bool {
        let thread = &model.threads[t];
        match self {
            IgnoredTask::Name(pattern) => is_like(model.names().thread(t), pattern),
            IgnoredTask::Site(file, line) => {
                let waits = thread.pending.as_ref().and_then(|pending| model.site(pending.event.site()?));
                waits.is_some_and(|site| lies_at(site, file, *line))
            }
            IgnoredTask::Creator(file, line) => {
                let spawned = thread.spawn.and_then(|spawn| model.site(spawn.site));
                spawned.is_some_and(|site| lies_at(site, file, *line))
            }
        }
    }
}

fn lies_at(site: &SiteDef, file: &str, line: Option<u32>) -> bool {
    let (path, file) = (site.file.replace('\\', "/"), file.replace('\\', "/"));
    let is_end = path.strip_suffix(&file).is_some_and(|before| before.is_empty() || before.ends_with('/'));
    is_end && line.is_none_or(|line| line == site.line)
}

/// Whether a text is what a pattern says, in which `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.into_iter().any(|at| is_like(&text[at..], rest))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_gaps() {
        for (text, pattern) in [("log-1", "log-*"), ("log", "log"), ("", "*"), ("a-worker-7", "*worker*"), ("äö", "*ö")] {
            assert!(is_like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in [("blog-1", "log-*"), ("log", "lo"), ("log-1", "log-*2")] {
            assert!(!is_like(text, pattern), "{text} {pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_what_it_could_be() {
        for text in ["name=log-*", "site=src/a.rs:7", "creator=src/a.rs"] {
            assert_eq!(text.parse::<IgnoredTask>().map(|task| task.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("site=src/a.rs:7".parse(), Ok(IgnoredTask::Site("src/a.rs".to_owned(), Some(7))));
        assert_eq!("creator=src/a.rs".parse(), Ok(IgnoredTask::Creator("src/a.rs".to_owned(), None)));
        for wrong in ["worker", "name=", "thread=7"] {
            assert!(wrong.parse::<IgnoredTask>().is_err(), "{wrong}");
        }
    }
}
