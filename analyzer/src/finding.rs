//! What a rule reports: facts with names, not layout. The `cli` renders them.

use conccheck_trace::SiteDef;

use crate::rule::RuleMeta;

/// How bad it is if it strikes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Advice.
    Low,
    /// Costs time or hides faults.
    Medium,
    /// Loses work, leaks, or hangs a part of the program.
    High,
    /// Hangs the program.
    Critical,
}

/// How sure it is. Ordered from weakest to strongest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Confidence {
    /// Measured behaviour that a practice discourages.
    Advice,
    /// The lock-order graph allows it; not proven.
    Possible,
    /// A correct reordering of the recorded run reaches it.
    Proven,
    /// It happened in the recorded run.
    Manifest,
}

impl Severity {
    /// The word used in reports and configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl Confidence {
    /// The word used in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Confidence::Advice => "advice",
            Confidence::Possible => "possible",
            Confidence::Proven => "proven",
            Confidence::Manifest => "manifest",
        }
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static RuleMeta,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// One line, lower case, no full stop, names in backquotes: "potential deadlock between `Bank.accounts` and `Bank.audit`".
    pub message: String,
    /// Displayed names of the locks, channels and other objects concerned; sorted, each once.
    pub objects: Vec<String>,
    /// The threads concerned, each with what it did where. One snippet group each.
    pub parties: Vec<Party>,
    /// The interleaving that goes wrong, in order; empty where there is none to show.
    pub scenario: Vec<ScenarioStep>,
    /// Short sentences: what speaks for it ("a reordering of this run reaches it", "seen 3 times").
    pub evidence: Vec<String>,
    /// What to write instead, with names.
    pub help: String,
    /// The tests it was seen in, sorted.
    pub tests: Vec<String>,
    /// How often it was seen.
    pub occurrences: u64,
    /// Names the finding across runs: 16 hexadecimal digits that depend on no line number, address, thread id or folder.
    pub fingerprint: String,
}

/// One thread's part in a finding.
#[derive(Clone, Debug)]
pub struct Party {
    /// The thread's name, or `thread 7`.
    pub thread: String,
    /// What it did, in program order.
    pub steps: Vec<Step>,
}

/// Something a thread did at a place.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where. `None`: not known.
    pub site: Option<SiteDef>,
    /// What, to stand behind the thread's name: "holds `Bank.accounts` from here", "waits for `Bank.audit` here".
    pub text: String,
    /// Whether this is the step to look at first.
    pub primary: bool,
    /// Whether this is not what the thread did, but a call by which it came to do that.
    pub is_call: bool,
}

/// One step of the interleaving that goes wrong.
#[derive(Clone, Debug)]
pub struct ScenarioStep {
    /// Index into [`Finding::parties`].
    pub party: usize,
    /// "lock(Bank.accounts)".
    pub text: String,
    /// Whether the thread blocks here for good.
    pub blocks: bool,
}
