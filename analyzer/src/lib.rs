//! Finds deadlocks, leaks and misused locks and channels in recorded traces.
//!
//! One pass over the merged order of a process's events fills the [`model`]; then every rule of [`registry::RULES`] judges it.
//! The analyzer reads no file but through [`Sources`], prints nothing, and gives facts ([`Finding`]), not text.
#![forbid(unsafe_code)]

mod across;
mod beside;
pub mod calls;
pub mod checklist;
pub mod clock;
pub mod config;
mod cycles;
mod draft;
pub mod finding;
mod handshake;
mod join;
mod merge;
pub mod model;
mod modes;
pub mod names;
pub mod predict;
mod prediction;
mod proof;
mod receiver;
pub mod registry;
pub mod rule;
mod rules;
mod serial;
pub mod stuck;
pub mod table;
#[cfg(test)]
mod tests;
mod wait_proof;

use std::collections::BTreeSet;

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{FrameId, SiteDef, SiteId};
use rustc_hash::FxHashSet;

use across::Across;
pub use config::Config;
pub use finding::{Confidence, Finding, Party, ScenarioStep, Severity, Step};
pub use model::Model;
pub use prediction::PredictionCounts;
pub use rule::{Rule, RuleMeta};

/// Gives the text of source lines. Implemented by whoever can read files.
pub trait Sources {
    /// The line that `site` names, without its end; `None` where it can't be found.
    fn line(&self, site: &SiteDef) -> Option<String>;

    /// The calls in the user's own code that led to `site`, from the nearest outwards, as the trace has them from `innermost` on; none
    /// where they can't be resolved. [`calls::of_the_user`] makes them of a whole stack.
    fn calls(&self, _trace: &ProcessTrace, _innermost: FrameId, _site: &SiteDef) -> Vec<calls::Call> {
        Vec::new()
    }
}

/// For when no source is at hand.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoSources;

impl Sources for NoSources {
    fn line(&self, _: &SiteDef) -> Option<String> {
        None
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// Most severe first, then surest, then by fingerprint: the same traces give the same order.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub stats: Stats,
    /// What prediction counted, if there were traces in the STD format.
    pub prediction: Option<PredictionCounts>,
    /// What may be wrong or incomplete, as sentences for the user.
    pub warnings: Vec<String>,
}

/// What was looked at, over all processes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Traces.
    pub processes: usize,
    /// Threads that recorded something.
    pub threads: usize,
    /// Events, summarised acquisitions not counted.
    pub events: u64,
    /// Those of them that only say that a thread started or ended.
    pub starts_and_ends: u64,
    /// Lock instances that were used.
    pub locks: usize,
    /// Places in the source that acquired or asked for a lock.
    pub lock_sites: usize,
    /// Channels that were used.
    pub channels: usize,
    /// Distinct ways in which a lock was acquired while others were held.
    pub contexts: usize,
    /// Tests, where the program is a test binary.
    pub tests: usize,
    /// Acquisitions that were counted, not recorded.
    pub summarised: u64,
    /// Events that the trace says are missing.
    pub lost: u64,
    /// What the practices are about, and how often it was done.
    pub exercise: checklist::Exercise,
}

/// Analyses the traces of one run. Findings that are the same in several processes are joined.
pub fn analyze(traces: &[ProcessTrace], sources: &dyn Sources, config: &Config) -> Analysis {
    let mut analysis = Analysis::default();
    let mut tests = BTreeSet::new();
    let mut seeds = BTreeSet::new();
    let mut lock_sites = BTreeSet::new();
    let mut found = Vec::new();
    let mut across = Across::default();
    for trace in traces {
        analysis.warnings.extend(trace.warnings.iter().cloned());
        let model = Model::with_prediction(trace, sources, config);
        let first = found.len();
        analysis.stats.add(&model);
        tests.extend(model.tests.iter().cloned());
        let sites: FxHashSet<SiteId> = model.contexts.iter().map(|context| context.site).collect();
        lock_sites.extend(sites.into_iter().filter_map(|site| model.site(site).cloned()));
        for rule in registry::RULES {
            if !config.disabled.iter().any(|name| name == rule.meta().name) {
                let before = found.len();
                rule.check(&model, &mut found);
                if !model.is_measured() {
                    let own = found.split_off(before);
                    found.extend(own.into_iter().filter(|finding| finding.confidence != Confidence::Advice));
                }
            }
        }
        if let Some(seed) = checklist::seed(trace) {
            let repeat = format!("the run had a perturbed schedule; CONCCHECK_PERTURB={seed} repeats it");
            found[first..].iter_mut().for_each(|finding| finding.evidence.push(repeat.clone()));
            seeds.insert(seed.to_owned());
        }
        if traces.len() > 1 {
            across.add(&model);
        }
        if let Some(predicted) = model.predicted() {
            analysis.prediction.get_or_insert_default().add(predicted.counts(model.events));
        }
        analysis.warnings.extend(model.warnings());
    }
    if !config.disabled.iter().any(|name| name == across::RULE) {
        found.extend(across.findings());
    }
    analysis.stats.exercise.perturbed_by(seeds.len());
    analysis.stats.tests = tests.len();
    analysis.stats.lock_sites = lock_sites.len();
    analysis.findings = join::join(found);
    analysis
}

impl Stats {
    fn add(&mut self, model: &Model<'_>) {
        self.processes += 1;
        self.threads += model.threads.iter().filter(|thread| thread.has_started || thread.events > 0).count();
        self.events += model.events;
        let lives = model.threads.iter().map(|thread| u64::from(thread.has_started) + u64::from(thread.ended.is_some()));
        self.starts_and_ends += lives.sum::<u64>();
        self.locks += model.locks.iter().filter(|(_, lock)| lock.is_used).count();
        self.channels += model.channels.iter().filter(|(_, channel)| !channel.handles.is_empty()).count();
        self.contexts += model.contexts.len();
        self.summarised += model.summarised;
        self.lost += model.lost;
        self.exercise.add(model);
    }
}
