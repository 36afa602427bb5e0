//! Which rules run, how severe their findings are, and from what on they speak.

use std::collections::BTreeMap;

use conccheck_analyzer::config::IgnoredTask;
use conccheck_analyzer::registry::RULES;
use conccheck_analyzer::{Config, Finding, RuleMeta, Severity};
use conccheck_trace::Nanos;
use serde_json::json;
use toml::de::DeValue;

use super::document::{Item, Section, hint};
use crate::Failure;

/// What `level` can be.
pub(super) const LEVELS: [(&str, Level); 5] = [
    ("off", None),
    ("low", Some(Severity::Low)),
    ("medium", Some(Severity::Medium)),
    ("high", Some(Severity::High)),
    ("critical", Some(Severity::Critical)),
];

/// The severity of a rule's findings; `None`: the rule does not run.
pub(crate) type Level = Option<Severity>;

/// A number that a rule can be given.
pub(super) struct Threshold {
    pub(super) rule: &'static str,
    pub(super) key: &'static str,
    /// What it is, for the schema.
    pub(super) help: &'static str,
    field: fn(&mut Config) -> Field<'_>,
}

/// Where a threshold is kept, and how it is written.
pub(super) enum Field<'a> {
    /// A text such as `50ms`.
    Duration(&'a mut Nanos),
    /// A whole number from 1 on.
    Count(&'a mut u64),
    /// From 0 to 1.
    Share(&'a mut f64),
}

use Field::{Count, Duration, Share};

const fn threshold(rule: &'static str, key: &'static str, help: &'static str, field: fn(&mut Config) -> Field<'_>) -> Threshold {
    Threshold { rule, key, help, field }
}

/// All thresholds, as the rules' pages describe them.
pub(super) static THRESHOLDS: &[Threshold] = &[
    threshold("dropped-messages", "messages", "number of messages lost", |c| Count(&mut c.lost_messages)),
    threshold("held-across-blocking", "wait", "wait of others; below it, the severity is medium at most", |c| {
        Duration(&mut c.others_wait)
    }),
    threshold("ignored-cancellation", "grace", "how long a thread may go on after it was told to end", |c| {
        Duration(&mut c.grace)
    }),
    threshold("lock-contention", "share", "share of the lives of the threads that wait for the lock", |c| {
        Share(&mut c.contention)
    }),
    threshold("lock-contention", "waited", "time that all waits for the lock must have taken together", |c| {
        Duration(&mut c.contended_for)
    }),
    threshold("long-critical-section", "hold", "hold time from which a critical section is long", |c| Duration(&mut c.long_hold)),
    threshold("mutex-as-queue", "polls", "looks into the collection more than there were pushes", |c| Count(&mut c.polls)),
    threshold("oversized-buffer", "times", "how many times larger than the fullest queue the capacity may be", |c| {
        Count(&mut c.oversize)
    }),
    threshold("read-mostly-mutex", "reads", "reads per write above which a contended mutex is mostly read", |c| {
        Count(&mut c.reads_per_write)
    }),
    threshold("send-after-close", "sends", "failed sends of one thread", |c| Count(&mut c.late_sends)),
    threshold("spawn-burst", "threads", "threads from one place, alive at once and never joined", |c| Count(&mut c.burst)),
    threshold("timeout-fallback", "share", "share of waits that run into their limit", |c| Share(&mut c.timeouts)),
    threshold("unbounded-backlog", "backlog", "number of queued messages", |c| Count(&mut c.backlog)),
    threshold("undersized-buffer", "share", "share of sends that wait for room", |c| Share(&mut c.blocked_sends)),
    threshold("unjoined-task", "service", "waits at one place from which a thread is a service that runs to the end", |c| {
        Count(&mut c.service)
    }),
    threshold("unused-lock-mode", "acquisitions", "acquisitions of the lock", |c| Count(&mut c.unused_from)),
    threshold(
        "write-heavy-rwlock",
        "share",
        "share of acquisitions for writing above which a contended lock is written too often",
        |c| Share(&mut c.writes),
    ),
];

impl Threshold {
    /// The value that a configuration has, as it is written.
    pub(super) fn written(&self, config: &Config) -> String {
        match (self.field)(&mut config.clone()) {
            Duration(nanos) => format!("\"{}\"", exact(nanos.0)),
            Count(count) => count.to_string(),
            Share(share) => share.to_string(),
        }
    }

    /// What its value must look like, as a JSON schema.
    pub(super) fn schema(&self) -> serde_json::Value {
        let mut schema = match (self.field)(&mut Config::default()) {
            Duration(_) => json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s)$" }),
            Count(_) => json!({ "type": "integer", "minimum": 1 }),
            Share(_) => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        };
        schema["description"] = self.help.into();
        schema
    }

    /// Reads a value into a configuration.
    fn read(&self, item: &Item<'_>, config: &mut Config) -> Result<(), Failure> {
        match (self.field)(config) {
            Duration(nanos) => {
                let read = duration(item.text()?);
                *nanos = read.ok_or_else(|| item.failure("this is no duration such as `50ms` (units: ns, us, ms, s)"))?;
            }
            Count(count) => {
                let number = item.number()?;
                let is_count = number >= 1.0 && matches!(item.value(), DeValue::Integer(_));
                *count =
                    is_count.then_some(number as u64).ok_or_else(|| item.failure("this must be a whole number from 1 on"))?;
            }
            Share(share) => {
                let number = item.number()?;
                let is_share = (0.0..=1.0).contains(&number);
                *share = is_share.then_some(number).ok_or_else(|| item.failure("this must be from 0 to 1"))?;
            }
        }
        Ok(())
    }

    /// Gives a configuration the value that another one has.
    fn copy(&self, from: &Config, to: &mut Config) {
        match ((self.field)(&mut from.clone()), (self.field)(to)) {
            (Duration(from), Duration(to)) => *to = *from,
            (Count(from), Count(to)) => *to = *from,
            (Share(from), Share(to)) => *to = *from,
            // A threshold has one field.
            _ => {}
        }
    }
}

/// A duration in the largest unit of which it is a multiple.
fn exact(nanos: u64) -> String {
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let (unit, name) = units.into_iter().find(|(unit, _)| nanos.is_multiple_of(*unit)).unwrap_or((1, "ns"));
    format!("{}{name}", nanos / unit)
}

/// Nanoseconds of `50ms`.
fn duration(text: &str) -> Option<Nanos> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(Nanos((text[..digits].parse::<f64>().ok()? * unit) as u64))
}

/// What is said about rules in one place of the configuration, in order.
#[derive(Default)]
pub(super) struct RuleSettings {
    levels: Vec<(&'static str, Level)>,
    /// The thresholds that are set here, and their values.
    set: Vec<&'static Threshold>,
    values: Config,
}

impl RuleSettings {
    /// Reads a table of rules.
    pub(super) fn read(section: &Section<'_>) -> Result<RuleSettings, Failure> {
        let mut settings = RuleSettings::default();
        for (name, span, item) in section.entries() {
            let Some(rule) = conccheck_analyzer::registry::rule(&name) else {
                let names: Vec<&str> = RULES.iter().map(|rule| rule.meta().name).collect();
                return Err(section.failure(&span, format_args!("there is no rule `{name}`")).help(hint(&name, &names, "rules")));
            };
            read_rule(rule.meta(), item, &mut settings)?;
        }
        Ok(settings)
    }
}

fn read_rule(meta: &'static RuleMeta, item: Item<'_>, settings: &mut RuleSettings) -> Result<(), Failure> {
    match item.value() {
        DeValue::String(_) => settings.levels.push((meta.name, item.one_of(&LEVELS)?)),
        DeValue::Table(_) => {
            let section = item.section()?;
            let thresholds = || THRESHOLDS.iter().filter(|threshold| threshold.rule == meta.name);
            let keys: Vec<&str> = ["level"].into_iter().chain(thresholds().map(|threshold| threshold.key)).collect();
            section.check_keys(&keys)?;
            if let Some(level) = section.get("level") {
                settings.levels.push((meta.name, level.one_of(&LEVELS)?));
            }
            for threshold in thresholds() {
                if let Some(value) = section.get(threshold.key) {
                    threshold.read(&value, &mut settings.values)?;
                    settings.set.push(threshold);
                }
            }
        }
        _ => return Err(item.wrong_type("a level, such as \"off\" or \"high\", or a table")),
    }
    Ok(())
}

/// The rules as they are to run.
#[derive(Default)]
pub(crate) struct Rules {
    thresholds: Config,
    levels: BTreeMap<&'static str, Level>,
}

impl Rules {
    /// Lays settings over those that are there.
    pub(super) fn apply(&mut self, settings: &RuleSettings) {
        self.levels.extend(settings.levels.iter().copied());
        for threshold in &settings.set {
            threshold.copy(&settings.values, &mut self.thresholds);
        }
    }

    /// Adds tasks that may be left behind.
    pub(super) fn ignore_tasks(&mut self, tasks: impl IntoIterator<Item = IgnoredTask>) {
        self.thresholds.ignored_tasks.extend(tasks);
    }

    /// What the analyzer is told.
    pub(crate) fn config(&self) -> Config {
        let off = self.levels.iter().filter(|(_, level)| level.is_none());
        Config { disabled: off.map(|(rule, _)| (*rule).to_owned()).collect(), ..self.thresholds.clone() }
    }

    /// The level of a rule.
    pub(crate) fn level(&self, rule: &RuleMeta) -> Level {
        self.levels.get(rule.name).copied().unwrap_or(Some(rule.severity))
    }

    /// Gives a finding the severity that its rule was given. What the rule itself holds for less severe than usual is not made
    /// more so.
    pub(crate) fn grade(&self, finding: &mut Finding) {
        if let Some(&Some(level)) = self.levels.get(finding.rule.name) {
            let is_usual = finding.severity >= finding.rule.severity;
            finding.severity = if is_usual { level } else { level.min(finding.severity) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(
            ["50ms", "1.5s", "3 us", "7ns"].map(duration),
            [Some(50_000_000), Some(1_500_000_000), Some(3_000), Some(7)].map(|nanos| nanos.map(Nanos))
        );
        assert_eq!([50_000_000, 1_500_000_000, 3_000, 12_345].map(exact), ["50ms", "1500ms", "3us", "12345ns"]);
        assert_eq!(["50", "ms", "-5ms", "5m", ""].map(duration), [None; 5]);
    }

    #[test]
    fn every_threshold_is_on_its_rules_page() {
        for threshold in THRESHOLDS {
            let rule = conccheck_analyzer::registry::rule(threshold.rule).expect("a rule").meta();
            let section = rule.page.split("## Configuration").nth(1).expect("the section");
            assert!(section.contains(&format!("`{}`", threshold.key)), "{}: {}", threshold.rule, threshold.key);
        }
        // And the other way round: what a page promises is there.
        for rule in RULES.iter().map(|rule| rule.meta()) {
            let section =
                rule.page.split("## Configuration").nth(1).and_then(|rest| rest.split("##").next()).expect("the section");
            for key in section.split('`').skip(1).step_by(2).filter(|key| *key != "level") {
                assert!(THRESHOLDS.iter().any(|known| known.rule == rule.name && known.key == key), "{}: {key}", rule.name);
            }
        }
    }

    #[test]
    fn the_user_guide_has_the_table_of_thresholds() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        // A package outside its repository has no guide to check.
        let Ok(page) = std::fs::read_to_string(page) else { return };
        let mut table = String::from("| rule | threshold | default |\n|---|---|---|\n");
        for threshold in THRESHOLDS {
            let default = threshold.written(&Config::default());
            table += &format!("| `{}` | `{}`: {} | `{default}` |\n", threshold.rule, threshold.key, threshold.help);
        }
        assert!(page.contains(&table), "docs/configuration.md must contain:\n{table}");
    }
}
