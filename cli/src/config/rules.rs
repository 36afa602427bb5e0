//! Which rules run, how severe their findings are, and from what on they speak.

use std::collections::BTreeMap;

use conccheck_analyzer::registry::RULES;
use conccheck_analyzer::{Config, Finding, RuleMeta, Severity};
use conccheck_trace::Nanos;
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
    pub(super) unit: Unit,
    /// What it is, for the schema.
    pub(super) help: &'static str,
    get: fn(&Config) -> f64,
    set: fn(&mut Config, f64),
}

/// What a threshold counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A text such as `50ms`; kept in nanoseconds.
    Duration,
    /// A whole number from 1 on.
    Count,
    /// From 0 to 1.
    Share,
}

/// All thresholds, as the rules' pages describe them.
pub(super) static THRESHOLDS: [Threshold; 11] = [
    Threshold {
        rule: "ignored-cancellation",
        key: "grace",
        unit: Unit::Duration,
        help: "how long a thread may go on after it was told to end",
        get: |config| config.grace.0 as f64,
        set: |config, value| config.grace = Nanos(value as u64),
    },
    Threshold {
        rule: "lock-contention",
        key: "share",
        unit: Unit::Share,
        help: "share of the lives of the threads that wait for the lock",
        get: |config| config.contention,
        set: |config, value| config.contention = value,
    },
    Threshold {
        rule: "lock-contention",
        key: "waited",
        unit: Unit::Duration,
        help: "time that all waits for the lock must have taken together",
        get: |config| config.contended_for.0 as f64,
        set: |config, value| config.contended_for = Nanos(value as u64),
    },
    Threshold {
        rule: "long-critical-section",
        key: "hold",
        unit: Unit::Duration,
        help: "hold time from which a critical section is long",
        get: |config| config.long_hold.0 as f64,
        set: |config, value| config.long_hold = Nanos(value as u64),
    },
    Threshold {
        rule: "oversized-buffer",
        key: "times",
        unit: Unit::Count,
        help: "how many times larger than the fullest queue the capacity may be",
        get: |config| config.oversize as f64,
        set: |config, value| config.oversize = value as u64,
    },
    Threshold {
        rule: "read-mostly-mutex",
        key: "reads",
        unit: Unit::Count,
        help: "reads per write above which a contended mutex is mostly read",
        get: |config| config.reads_per_write,
        set: |config, value| config.reads_per_write = value,
    },
    Threshold {
        rule: "spawn-burst",
        key: "threads",
        unit: Unit::Count,
        help: "threads from one place, alive at once and never joined",
        get: |config| config.burst as f64,
        set: |config, value| config.burst = value as u64,
    },
    Threshold {
        rule: "timeout-fallback",
        key: "share",
        unit: Unit::Share,
        help: "share of waits that run into their limit",
        get: |config| config.timeouts,
        set: |config, value| config.timeouts = value,
    },
    Threshold {
        rule: "unbounded-backlog",
        key: "backlog",
        unit: Unit::Count,
        help: "number of queued messages",
        get: |config| config.backlog as f64,
        set: |config, value| config.backlog = value as u64,
    },
    Threshold {
        rule: "undersized-buffer",
        key: "share",
        unit: Unit::Share,
        help: "share of sends that wait for room",
        get: |config| config.blocked_sends,
        set: |config, value| config.blocked_sends = value,
    },
    Threshold {
        rule: "write-heavy-rwlock",
        key: "share",
        unit: Unit::Share,
        help: "share of acquisitions for writing above which a contended lock is written too often",
        get: |config| config.writes,
        set: |config, value| config.writes = value,
    },
];

impl Threshold {
    /// The value that a configuration has, as it is written.
    pub(super) fn written(&self, config: &Config) -> String {
        let value = (self.get)(config);
        match self.unit {
            Unit::Duration => format!("\"{}\"", exact(value as u64)),
            Unit::Count | Unit::Share => value.to_string(),
        }
    }

    fn read(&self, item: &Item<'_>) -> Result<f64, Failure> {
        match self.unit {
            Unit::Duration => {
                duration(item.text()?).ok_or_else(|| item.failure("this is no duration such as `50ms` (units: ns, us, ms, s)"))
            }
            Unit::Count => {
                let number = item.number()?;
                let is_count = number >= 1.0 && matches!(item.value(), DeValue::Integer(_));
                is_count.then_some(number).ok_or_else(|| item.failure("this must be a whole number from 1 on"))
            }
            Unit::Share => {
                let number = item.number()?;
                (0.0..=1.0).contains(&number).then_some(number).ok_or_else(|| item.failure("this must be from 0 to 1"))
            }
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
fn duration(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    Some(text[..digits].parse::<f64>().ok()? * unit)
}

/// What is said about rules in one place of the configuration, in order.
#[derive(Default)]
pub(super) struct RuleSettings(Vec<Setting>);

enum Setting {
    Level(&'static str, Level),
    Threshold(&'static Threshold, f64),
}

impl RuleSettings {
    /// Reads a table of rules.
    pub(super) fn read(section: &Section<'_>) -> Result<RuleSettings, Failure> {
        let mut settings = Vec::new();
        for (name, span, item) in section.entries() {
            let Some(rule) = conccheck_analyzer::registry::rule(&name) else {
                let names: Vec<&str> = RULES.iter().map(|rule| rule.meta().name).collect();
                return Err(section.failure(&span, format_args!("there is no rule `{name}`")).help(hint(&name, &names, "rules")));
            };
            read_rule(rule.meta(), item, &mut settings)?;
        }
        Ok(RuleSettings(settings))
    }
}

fn read_rule(meta: &'static RuleMeta, item: Item<'_>, settings: &mut Vec<Setting>) -> Result<(), Failure> {
    match item.value() {
        DeValue::String(_) => settings.push(Setting::Level(meta.name, item.one_of(&LEVELS)?)),
        DeValue::Table(_) => {
            let section = item.section()?;
            let thresholds = || THRESHOLDS.iter().filter(|threshold| threshold.rule == meta.name);
            let keys: Vec<&str> = ["level"].into_iter().chain(thresholds().map(|threshold| threshold.key)).collect();
            section.check_keys(&keys)?;
            if let Some(level) = section.get("level") {
                settings.push(Setting::Level(meta.name, level.one_of(&LEVELS)?));
            }
            for threshold in thresholds() {
                if let Some(value) = section.get(threshold.key) {
                    settings.push(Setting::Threshold(threshold, threshold.read(&value)?));
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
        for setting in &settings.0 {
            match *setting {
                Setting::Level(rule, level) => {
                    self.levels.insert(rule, level);
                }
                Setting::Threshold(threshold, value) => (threshold.set)(&mut self.thresholds, value),
            }
        }
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
        assert_eq!(["50ms", "1.5s", "3 us", "7ns"].map(duration), [Some(5e7), Some(1.5e9), Some(3e3), Some(7.0)]);
        assert_eq!([50_000_000, 1_500_000_000, 3_000, 12_345].map(exact), ["50ms", "1500ms", "3us", "12345ns"]);
        assert_eq!(["50", "ms", "-5ms", "5m", ""].map(duration), [None; 5]);
    }

    #[test]
    fn every_threshold_is_on_its_rules_page() {
        for threshold in &THRESHOLDS {
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
        for threshold in &THRESHOLDS {
            let default = threshold.written(&Config::default());
            table += &format!("| `{}` | `{}`: {} | `{default}` |\n", threshold.rule, threshold.key, threshold.help);
        }
        assert!(page.contains(&table), "docs/configuration.md must contain:\n{table}");
    }
}
