//! The practices behind the rules: which of them a run exercised, and whether a rule found it broken.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{ObjectId, ObjectKind};

use crate::finding::{Finding, Severity};
use crate::model::Model;
use crate::registry;

/// A practice that the rules enforce.
#[derive(Debug)]
pub struct Practice {
    /// What to do, as a sentence without its full stop.
    pub name: &'static str,
    /// How bad it is not to.
    pub severity: Severity,
    /// What is true of a run that keeps to it.
    pub passes_when: &'static str,
    /// The rules that tell, most telling first. Some may not be in this version.
    pub rules: &'static [&'static str],
    /// What a run must have done for it to be tested.
    pub exercised_by: Deed,
}

/// Something that a run did so many times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Locks that several threads took.
    SharedLocks,
    /// Acquisitions of locks.
    Acquisitions,
    /// Acquisitions under another lock.
    NestedAcquisitions,
    /// Channels that carried messages, or locks that several threads took.
    Exchanges,
    /// Channels that carried messages.
    Channels,
    /// Channels of which one side went entirely.
    ClosedChannels,
    /// Threads that were told to end: by the end of a channel, a token, a flag, or the end of their scope.
    Cancellations,
    /// One-time initialisations.
    Initialisations,
    /// Threads that were started.
    Threads,
    /// Threads that panicked.
    Panics,
    /// Threads that ended and were waited for.
    Stops,
    /// Runs with a perturbed schedule.
    PerturbedRuns,
}

/// How often a run did what the practices are about; summed over its processes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Exercise {
    shared_locks: u64,
    acquisitions: u64,
    nested: u64,
    channels: u64,
    closed: u64,
    cancelled: u64,
    initialised: u64,
    threads: u64,
    panics: u64,
    stops: u64,
    perturbed: u64,
}

/// What a run says of a practice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was exercised, and no rule found anything.
    Pass,
    /// A rule found something.
    Fail,
    /// Nothing was done that it is about.
    NotExercised,
}

/// A line of the checklist.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The practice.
    pub practice: &'static Practice,
    /// How it stands.
    pub verdict: Verdict,
    /// How often it was exercised.
    pub exercised: u64,
    /// The rules that found something, with the number of their findings.
    pub found: Vec<(&'static str, usize)>,
}

/// The seed of a run whose schedule was perturbed: a fact of its header.
pub(crate) fn seed(trace: &ProcessTrace) -> Option<&str> {
    trace.header.facts.iter().find(|(name, _)| name == "perturb_seed").map(|(_, seed)| seed.as_str())
}

/// All practices, in the order of the checklist.
pub static PRACTICES: &[Practice] = &[
    Practice {
        name: "Protect shared state with a lock",
        severity: Severity::Critical,
        passes_when: "no unordered conflicting accesses",
        rules: &["data-race", "atomicity-violation", "order-violation"],
        exercised_by: Deed::SharedLocks,
    },
    Practice {
        name: "Reader-writer lock when reads dominate",
        severity: Severity::Medium,
        passes_when: "no contended read-mostly mutex, no write-heavy reader-writer lock",
        rules: &["read-mostly-mutex", "write-heavy-rwlock", "unused-lock-mode"],
        exercised_by: Deed::SharedLocks,
    },
    Practice {
        name: "Always release on every path; release before calling out",
        severity: Severity::Critical,
        passes_when: "no leaked guard, no poison, nothing held across blocking",
        rules: &["guard-leak", "poisoned-lock", "held-across-blocking", "held-across-await"],
        exercised_by: Deed::Acquisitions,
    },
    Practice {
        name: "Communicate by channels",
        severity: Severity::High,
        passes_when: "no hand-made queue under a mutex",
        rules: &["mutex-as-queue"],
        exercised_by: Deed::Exchanges,
    },
    Practice {
        name: "Buffer channels appropriately",
        severity: Severity::Medium,
        passes_when: "neither starved nor oversized nor unbounded",
        rules: &["undersized-buffer", "oversized-buffer", "unbounded-backlog"],
        exercised_by: Deed::Channels,
    },
    Practice {
        name: "Close channels from the producer",
        severity: Severity::Critical,
        passes_when: "no send after close, nothing dropped",
        rules: &["send-after-close", "dropped-messages"],
        exercised_by: Deed::ClosedChannels,
    },
    Practice {
        name: "Cancellation reaches every task",
        severity: Severity::High,
        passes_when: "every cancelled task ends within the grace period",
        rules: &["ignored-cancellation"],
        exercised_by: Deed::Cancellations,
    },
    Practice {
        name: "One-time initialisation by Once",
        severity: Severity::Medium,
        passes_when: "no cycle, no racy initialisation",
        rules: &["initialization-cycle", "racy-initialization"],
        exercised_by: Deed::Initialisations,
    },
    Practice {
        name: "No leaked tasks",
        severity: Severity::High,
        passes_when: "every task ends, is joined, or can still be woken",
        rules: &["leaked-task"],
        exercised_by: Deed::Threads,
    },
    Practice {
        name: "Wait for every task",
        severity: Severity::Medium,
        passes_when: "nothing cut off at the end of its scope",
        rules: &["unjoined-task"],
        exercised_by: Deed::Threads,
    },
    Practice {
        name: "Bounded workers instead of a task per event",
        severity: Severity::High,
        passes_when: "live tasks bounded per site",
        rules: &["spawn-burst"],
        exercised_by: Deed::Threads,
    },
    Practice {
        name: "Backpressure",
        severity: Severity::High,
        passes_when: "no growing backlog; fallbacks rare",
        rules: &["unbounded-backlog", "timeout-fallback"],
        exercised_by: Deed::Channels,
    },
    Practice {
        name: "Panics in tasks are observed",
        severity: Severity::High,
        passes_when: "every panic reaches a join or handler",
        rules: &["unobserved-panic"],
        exercised_by: Deed::Panics,
    },
    Practice {
        name: "Orderly shutdown, reverse of start",
        severity: Severity::High,
        passes_when: "no use after stop",
        rules: &["shutdown-order"],
        exercised_by: Deed::Stops,
    },
    Practice {
        name: "Consistent lock order",
        severity: Severity::Critical,
        passes_when: "acyclic lock-order graph",
        rules: &["lock-order-cycle", "double-lock", "recursive-read", "hold-and-wait-cycle", "lost-wakeup", "deadlock"],
        exercised_by: Deed::NestedAcquisitions,
    },
    Practice {
        name: "Short critical sections, little contention",
        severity: Severity::Medium,
        passes_when: "hold and wait times under threshold",
        rules: &["long-critical-section", "lock-contention"],
        exercised_by: Deed::Acquisitions,
    },
    Practice {
        name: "Stress and race runs in CI",
        severity: Severity::High,
        passes_when: "the run was made with perturbed schedules",
        rules: &[],
        exercised_by: Deed::PerturbedRuns,
    },
];

/// The checklist of a run: what it exercised, and what was found in it.
pub fn checklist(exercise: &Exercise, findings: &[Finding]) -> Vec<Entry> {
    let entry = |practice: &'static Practice| {
        let count = |rule: &'static str| (rule, findings.iter().filter(|finding| finding.rule.name == rule).count());
        let found: Vec<_> = practice.rules.iter().copied().map(count).filter(|(_, count)| *count > 0).collect();
        // Without a rule that could tell, nothing was tested.
        let is_tested = practice.rules.is_empty() || practice.known_rules().next().is_some();
        let exercised = if is_tested { exercise.count(practice.exercised_by) } else { 0 };
        let verdict = match (found.is_empty(), exercised) {
            (false, _) => Verdict::Fail,
            (true, 0) => Verdict::NotExercised,
            (true, _) => Verdict::Pass,
        };
        Entry { practice, verdict, exercised, found }
    };
    PRACTICES.iter().map(entry).collect()
}

impl Practice {
    /// Its rules that this version has.
    pub fn known_rules(&self) -> impl Iterator<Item = &'static str> {
        self.rules.iter().copied().filter(|name| registry::rule(name).is_some())
    }
}

impl Verdict {
    /// The words of the checklist.
    pub const fn words(self) -> &'static str {
        match self {
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
            Verdict::NotExercised => "NOT EXERCISED",
        }
    }
}

impl Deed {
    /// One of them, in words; a plural takes an `s` at the end of the first word.
    pub const fn noun(self) -> (&'static str, &'static str) {
        match self {
            Deed::SharedLocks => ("lock", " taken by several threads"),
            Deed::Acquisitions => ("acquisition", ""),
            Deed::NestedAcquisitions => ("way", " to take a lock under another"),
            Deed::Exchanges => ("exchange", " between threads, by channel or by lock"),
            Deed::Channels => ("channel", " with messages"),
            Deed::ClosedChannels => ("channel", " closed"),
            Deed::Cancellations => ("thread", " told to end"),
            Deed::Initialisations => ("initialisation", ""),
            Deed::Threads => ("thread", " started"),
            Deed::Panics => ("panic", ""),
            Deed::Stops => ("thread", " waited for"),
            Deed::PerturbedRuns => ("seed", ""),
        }
    }
}

impl Exercise {
    /// How often this was done.
    pub const fn count(&self, deed: Deed) -> u64 {
        match deed {
            Deed::SharedLocks => self.shared_locks,
            Deed::Acquisitions => self.acquisitions,
            Deed::NestedAcquisitions => self.nested,
            Deed::Exchanges => self.channels + self.shared_locks,
            Deed::Channels => self.channels,
            Deed::ClosedChannels => self.closed,
            Deed::Cancellations => self.cancelled,
            Deed::Initialisations => self.initialised,
            Deed::Threads => self.threads,
            Deed::Panics => self.panics,
            Deed::Stops => self.stops,
            Deed::PerturbedRuns => self.perturbed,
        }
    }

    /// Adds what a process did.
    pub(crate) fn add(&mut self, model: &Model<'_>) {
        for (_, lock) in model.locks.iter() {
            self.acquisitions += lock.acquisitions;
            let mut threads = lock.contexts.iter().map(|id| model.contexts[*id as usize].thread());
            let first = threads.next();
            self.shared_locks += u64::from(threads.any(|thread| Some(thread) != first));
        }
        self.nested += model.contexts.iter().filter(|context| context.chain != 0).count() as u64;
        for (_, channel) in model.channels.iter() {
            self.channels += u64::from(channel.sent > 0);
            let is_gone = |side| channel.alive(side).next().is_none();
            let closed = channel.is_known && (is_gone(conccheck_trace::Side::Sender) || is_gone(conccheck_trace::Side::Receiver));
            self.closed += u64::from(closed);
            let mut told: Vec<usize> = channel.closed_recvs.keys().map(|(thread, _)| *thread).collect();
            told.dedup();
            self.cancelled += told.len() as u64;
        }
        for (_, token) in model.tokens.iter() {
            self.cancelled += token.listeners.values().filter(|listener| listener.told.is_some()).count() as u64;
        }
        let ended = model.scopes.iter().enumerate().filter(|(_, scope)| scope.ended.is_some());
        self.cancelled += ended.map(|(number, _)| model.members(number).count() as u64).sum::<u64>();
        let is_once = |id: &u32| model.kind(ObjectId(*id)) == Some(ObjectKind::Once);
        self.initialised += model.onces.iter().filter(|(id, once)| is_once(id) && once.done.is_some()).count() as u64;
        for thread in &model.threads {
            self.threads += u64::from(thread.spawn.is_some());
            self.panics += u64::from(thread.panicked);
            self.stops += u64::from(thread.joined_by.is_some());
        }
    }

    /// Says with how many seeds schedules were perturbed.
    pub(crate) fn perturbed_by(&mut self, seeds: usize) {
        self.perturbed = seeds as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, NoSources, analyze};

    fn verdicts(trace: &str) -> Vec<(&'static str, Verdict, u64)> {
        let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
        let analysis = analyze(&[trace], &NoSources, &Config::default());
        let entries = checklist(&analysis.stats.exercise, &analysis.findings);
        entries.iter().map(|entry| (entry.practice.name, entry.verdict, entry.exercised)).collect()
    }

    #[test]
    fn what_a_run_did_not_do_is_not_passed() {
        let nothing = verdicts("main yield");
        assert!(nothing.iter().all(|(_, verdict, count)| (*verdict, *count) == (Verdict::NotExercised, 0)), "{nothing:?}");
    }

    #[test]
    fn a_practice_passes_or_fails_by_its_rules() {
        let run =
            "main spawn t1; t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t1 end; main join t1; main lock a; main unlock a";
        let of = |run: &str, name: &str| verdicts(run).into_iter().find(|(practice, ..)| *practice == name);
        assert_eq!(of(run, "Consistent lock order"), Some(("Consistent lock order", Verdict::Pass, 1)));
        assert_eq!(
            of(run, "Protect shared state with a lock").map(|(_, verdict, count)| (verdict, count)),
            Some((Verdict::Pass, 1))
        );
        let twice = run.replace("t1 end; main join t1; main lock a; main unlock a", "t1 lock a; t1 request a");
        assert_eq!(of(&twice, "Consistent lock order"), Some(("Consistent lock order", Verdict::Fail, 2)));
    }

    #[test]
    fn tokens_and_scopes_exercise_cancellation() {
        let of = |run: &str| verdicts(run).into_iter().find(|(practice, ..)| *practice == "Cancellation reaches every task");
        let name = "Cancellation reaches every task";
        let told = "main spawn w; w cancel-look stop; main cancel stop; w cancel-look stop cancelled; w end; main join w";
        assert_eq!(of(told), Some((name, Verdict::Pass, 1)));
        let scope = "main scope-begin s; main spawn w; w end; main join w; main scope-end s";
        assert_eq!(of(scope), Some((name, Verdict::Pass, 1)));
        assert_eq!(of("main spawn w; w cancel-look stop; w end; main join w"), Some((name, Verdict::NotExercised, 0)));
    }

    #[test]
    fn seeds_are_counted_once_however_many_processes_have_them_and_findings_name_theirs() {
        let trace = |seed: &str| {
            let words = format!("fact perturb_seed {seed}; main spawn t1; t1 lock a; t1 request a");
            conccheck_trace::text::parse(&words).expect("a well-formed trace")
        };
        let analysis = analyze(&[trace("2"), trace("2"), trace("1")], &NoSources, &Config::default());
        let entries = checklist(&analysis.stats.exercise, &analysis.findings);
        let runs = entries.iter().find(|entry| entry.practice.exercised_by == Deed::PerturbedRuns).expect("it is there");
        assert_eq!((runs.verdict, runs.exercised), (Verdict::Pass, 2));
        let told =
            analysis.findings.iter().flat_map(|finding| &finding.evidence).find(|text| text.contains("CONCCHECK_PERTURB=2"));
        assert!(told.is_some(), "{:?}", analysis.findings);
    }

    #[test]
    fn every_rule_belongs_to_a_practice() {
        for rule in registry::RULES {
            let name = rule.meta().name;
            assert!(PRACTICES.iter().any(|practice| practice.rules.contains(&name)), "{name}");
        }
    }
}
