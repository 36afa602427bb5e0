//! What all formats render: the findings, split into those to show and those to count, and what was looked at.

use std::cmp::Reverse;

use conccheck_analyzer::finding::{Finding, Severity, Step};
use conccheck_analyzer::registry::RULES;
use conccheck_analyzer::{Analysis, Confidence, PredictionCounts, RuleMeta, Stats};
use conccheck_trace::SiteDef;

use crate::baseline::Baseline;
use crate::config::Settings;
use crate::exceptions::{self, Sorted, Suppressed};
use crate::options::FailOn;
use crate::recorded::Recorded;
use crate::run_facts::RunFacts;
use crate::sources::{SourceCache, is_dependency};
use crate::terminal::one_line;

/// A finished analysis, ready to be shown. All texts are in one line and hold no control character.
pub(crate) struct Report<'a> {
    /// To be shown, most severe first.
    pub(crate) findings: Vec<Finding>,
    /// What the configuration suppresses, in the same order.
    pub(crate) suppressed: Vec<Suppressed>,
    /// How many findings are in the baseline and are therefore neither shown nor judged.
    pub(crate) in_baseline: usize,
    /// How many findings lie in dependencies only and are therefore neither shown nor judged.
    pub(crate) in_dependencies: usize,
    /// Whether to show everything in full.
    pub(crate) in_full: bool,
    /// Whether places are links to their files, for terminals that can open them.
    pub(crate) has_links: bool,
    /// From which severity on a finding fails the run.
    pub(crate) fail_on: FailOn,
    /// All rules that ran, sorted by name.
    pub(crate) known_rules: Vec<&'static RuleMeta>,
    /// What was looked at.
    pub(crate) stats: Stats,
    /// What prediction counted, if there were traces in the STD format.
    pub(crate) prediction: Option<PredictionCounts>,
    /// What may be wrong or incomplete.
    pub(crate) warnings: Vec<String>,
    /// What is known of the run beside its traces.
    pub(crate) facts: &'a RunFacts,
    /// What was recorded, for pictures and tables.
    pub(crate) recorded: Recorded<'a>,
    /// For snippets.
    pub(crate) sources: &'a SourceCache,
}

impl<'a> Report<'a> {
    /// Grades, splits and cleans what was found.
    pub(crate) fn new(
        analysis: Analysis,
        facts: &'a RunFacts,
        sources: &'a SourceCache,
        settings: &Settings,
        known: Option<&Baseline>,
    ) -> Report<'a> {
        let Analysis { findings, stats, prediction, mut warnings, .. } = analysis;
        let mut findings: Vec<Finding> = findings.into_iter().map(in_one_line).collect();
        findings.retain_mut(|finding| settings.rules.grade(finding));
        findings.sort_by_key(|finding| (Reverse(finding.severity), Reverse(finding.confidence), finding.fingerprint.clone()));
        let (findings, others): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| settings.all || concerns_the_user(finding));
        let Sorted { findings, suppressed } = exceptions::sort(findings, &others, settings, &mut warnings);
        let (old, findings): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| known.is_some_and(|known| known.has(&finding.fingerprint)));
        Report {
            findings,
            suppressed,
            in_baseline: old.len(),
            in_dependencies: others.len(),
            in_full: settings.all,
            has_links: false,
            fail_on: settings.fail_on(),
            known_rules: RULES.iter().map(|rule| rule.meta()).filter(|meta| settings.rules.level(meta).is_some()).collect(),
            stats,
            prediction,
            warnings: warnings.iter().map(|warning| one_line(warning)).collect(),
            facts,
            recorded: Recorded::default(),
            sources,
        }
    }

    /// Whether nothing was recorded that could be checked: threads that start and end say nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.stats.events <= self.stats.starts_and_ends
    }

    /// Whether there is a finding that makes the command fail.
    pub(crate) fn fails(&self) -> bool {
        self.findings.iter().any(|finding| self.fail_on.includes(finding.severity))
    }

    /// How many findings have this severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// The rules that found something, suppressed or not, sorted by name.
    pub(crate) fn rules(&self) -> Vec<&'static RuleMeta> {
        let suppressed = self.suppressed.iter().map(|suppressed| &suppressed.finding);
        let mut rules: Vec<_> = self.findings.iter().chain(suppressed).map(|finding| finding.rule).collect();
        rules.sort_by_key(|rule| rule.name);
        rules.dedup_by_key(|rule| rule.name);
        rules
    }
}

/// Findings whose sites all lie in dependencies are not the user's to repair. A deadlock that did happen is shown wherever it lies.
fn concerns_the_user(finding: &Finding) -> bool {
    let mut sites = sites(finding).peekable();
    let happened = finding.severity == Severity::Critical && finding.confidence == Confidence::Manifest;
    happened || sites.peek().is_none() || sites.any(|site| !is_dependency(&site.file))
}

fn sites(finding: &Finding) -> impl Iterator<Item = &SiteDef> {
    finding.parties.iter().flat_map(|party| &party.steps).filter_map(|step| step.site.as_ref())
}

/// The step to look at first, with its thread: the first primary one with a site, else the first with a site.
pub(crate) fn first_look(finding: &Finding) -> Option<(&str, &Step, &SiteDef)> {
    let steps = || {
        let all = finding.parties.iter().flat_map(|party| party.steps.iter().map(move |step| (party.thread.as_str(), step)));
        all.filter_map(|(thread, step)| Some((thread, step, step.site.as_ref()?)))
    };
    steps().find(|(_, step, _)| step.primary).or_else(|| steps().next())
}

fn in_one_line(mut finding: Finding) -> Finding {
    let clean = |text: &mut String| *text = one_line(text);
    clean(&mut finding.message);
    clean(&mut finding.help);
    finding.objects.iter_mut().chain(&mut finding.evidence).chain(&mut finding.tests).for_each(clean);
    for party in &mut finding.parties {
        clean(&mut party.thread);
        for step in &mut party.steps {
            clean(&mut step.text);
            // Formats that show steps one by one name the thread again.
            if let Some(text) = step.text.strip_prefix("and ") {
                step.text = text.to_owned();
            }
            if let Some(site) = &mut step.site {
                clean(&mut site.file);
            }
        }
    }
    finding.scenario.iter_mut().for_each(|step| clean(&mut step.text));
    finding
}

#[cfg(test)]
mod tests {
    use conccheck_analyzer::{Config, NoSources, analyze};

    use super::*;

    fn is_empty(trace: &str) -> bool {
        let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
        let analysis = analyze(&[trace], &NoSources, &Config::default());
        let (facts, sources, settings) = (RunFacts::default(), SourceCache::new([], None), Settings::default());
        Report::new(analysis, &facts, &sources, &settings, None).is_empty()
    }

    #[test]
    fn threads_that_start_and_end_say_nothing_and_anything_else_is_something() {
        assert!(is_empty("main end"));
        assert!(is_empty("main end; worker end"));
        for trace in ["main lock m", "main lock m; worker lock n", "main lock m; worker end; main end"] {
            assert!(!is_empty(trace), "{trace}");
        }
    }
}
