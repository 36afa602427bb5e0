//! Which rules run, how severe their findings are, and from what on they speak.

use std::collections::BTreeMap;

use conccheck_analyzer::config::IgnoredTask;
use conccheck_analyzer::registry::RULES;
use conccheck_analyzer::{Config, Finding, RuleMeta, Severity};
use conccheck_trace::Nanos;
use serde_json::json;
use toml::de::DeValue;

use super::document::{Item, Section, hint};
use super::overrides::Override;
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

/// The word for a level.
pub(super) fn word(level: Level) -> &'static str {
    LEVELS.iter().find(|(_, known)| *known == level).map_or("", |(word, _)| *word)
}

/// A number that a rule can be given.
pub(super) struct Threshold {
    pub(super) rule: &'static str,
    pub(super) key: &'static str,
    /// What it is, for the schema.
    pub(super) help: &'static str,
    field: Field,
}

/// Where a threshold is kept, and how it is written.
enum Field {
    /// A text such as `50ms`.
    Duration(fn(&mut Config) -> &mut Nanos),
    /// A whole number from 1 on.
    Count(fn(&mut Config) -> &mut u64),
    /// From 0 to 1.
    Share(fn(&mut Config) -> &mut f64),
}

use Field::{Count, Duration, Share};

/// All thresholds, as the rules' pages describe them. A table: one line each.
#[rustfmt::skip]
pub(super) static THRESHOLDS: &[Threshold] = &[
    threshold("dropped-messages", "messages", "number of messages lost", Count(|c| &mut c.lost_messages)),
    threshold("held-across-blocking", "wait", "wait of others; below it, the severity is medium at most", Duration(|c| &mut c.others_wait)),
    threshold("ignored-cancellation", "grace", "how long a thread may go on after it was told to end", Duration(|c| &mut c.grace)),
    threshold("lock-contention", "share", "share of the lives of the threads that wait for the lock", Share(|c| &mut c.contention)),
    threshold("lock-contention", "waited", "time that all waits for the lock must have taken together", Duration(|c| &mut c.contended_for)),
    threshold("long-critical-section", "hold", "hold time from which a critical section is long", Duration(|c| &mut c.long_hold)),
    threshold("mutex-as-queue", "polls", "looks into the collection more than there were pushes", Count(|c| &mut c.polls)),
    threshold("oversized-buffer", "times", "how many times larger than the fullest queue the capacity may be", Count(|c| &mut c.oversize)),
    threshold("read-mostly-mutex", "reads", "reads per write above which a contended mutex is mostly read", Count(|c| &mut c.reads_per_write)),
    threshold("send-after-close", "sends", "failed sends of one thread", Count(|c| &mut c.late_sends)),
    threshold("spawn-burst", "threads", "threads from one place, alive at once and never joined", Count(|c| &mut c.burst)),
    threshold("timeout-fallback", "share", "share of waits that run into their limit", Share(|c| &mut c.timeouts)),
    threshold("unbounded-backlog", "backlog", "number of queued messages", Count(|c| &mut c.backlog)),
    threshold("undersized-buffer", "share", "share of sends that wait for room", Share(|c| &mut c.blocked_sends)),
    threshold("unjoined-task", "service", "waits at one place from which a thread is a service that runs to the end", Count(|c| &mut c.service)),
    threshold("unused-lock-mode", "acquisitions", "acquisitions of the lock", Count(|c| &mut c.unused_from)),
    threshold("write-heavy-rwlock", "share", "share of acquisitions for writing above which a contended lock is written too often", Share(|c| &mut c.writes)),
];

/// The user guide's table.
pub fn threshold_table() -> String {
    let mut table = String::from("| rule | threshold | default |\n|---|---|---|\n");
    for threshold in THRESHOLDS {
        let default = threshold.written(&Config::default());
        table += &format!("| `{}` | `{}`: {} | `{default}` |\n", threshold.rule, threshold.key, threshold.help);
    }
    table
}

const fn threshold(rule: &'static str, key: &'static str, help: &'static str, field: Field) -> Threshold {
    Threshold { rule, key, help, field }
}

impl Threshold {
    /// The value that a configuration has, as it is written.
    pub(super) fn written(&self, config: &Config) -> String {
        let mut config = config.clone();
        match self.field {
            Duration(field) => format!("\"{}\"", exact(field(&mut config).0)),
            Count(field) => field(&mut config).to_string(),
            Share(field) => field(&mut config).to_string(),
        }
    }

    /// What its value must look like, as a JSON schema.
    pub(super) fn schema(&self) -> serde_json::Value {
        let mut schema = match self.field {
            Duration(_) => json!({ "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ns|us|µs|ms|s)$" }),
            Count(_) => json!({ "type": "integer", "minimum": 1 }),
            Share(_) => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        };
        schema["description"] = self.help.into();
        schema
    }

    /// Reads a value into a configuration.
    fn read(&self, item: &Item<'_>, config: &mut Config) -> Result<(), Failure> {
        match self.field {
            Duration(field) => {
                let read = duration(item.text()?);
                *field(config) = read.ok_or_else(|| item.failure("this is no duration such as `50ms` (units: ns, us, ms, s)"))?;
            }
            Count(field) => {
                let number = item.number()?;
                let is_count = number >= 1.0 && matches!(item.value(), DeValue::Integer(_));
                let count = is_count.then_some(number as u64);
                *field(config) = count.ok_or_else(|| item.failure("this must be a whole number from 1 on"))?;
            }
            Share(field) => {
                let number = item.number()?;
                let share = Some(number).filter(|share| (0.0..=1.0).contains(share));
                *field(config) = share.ok_or_else(|| item.failure("this must be from 0 to 1"))?;
            }
        }
        Ok(())
    }

    /// Gives a configuration the value that another one has.
    fn copy(&self, from: &Config, to: &mut Config) {
        let mut from = from.clone();
        match self.field {
            Duration(field) => *field(to) = *field(&mut from),
            Count(field) => *field(to) = *field(&mut from),
            Share(field) => *field(to) = *field(&mut from),
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

    /// The levels; `None`: there are thresholds as well.
    pub(super) fn only_levels(self) -> Option<Vec<(&'static str, Level)>> {
        Some(self.levels).filter(|_| self.set.is_empty())
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
    /// What goes before the levels, the first one that says something first.
    overrides: Vec<Override>,
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

    /// Lets levels for some findings go before those for all.
    pub(super) fn override_by(&mut self, overrides: impl IntoIterator<Item = Override>) {
        self.overrides.extend(overrides);
    }

    /// What the analyzer is told.
    pub(crate) fn config(&self) -> Config {
        let is_on_somewhere = |rule: &str| self.overrides.iter().any(|known| known.turns_on(rule));
        let off = self.levels.iter().filter(|(rule, level)| level.is_none() && !is_on_somewhere(rule));
        Config { disabled: off.map(|(rule, _)| (*rule).to_owned()).collect(), ..self.thresholds.clone() }
    }

    /// What goes before the levels.
    pub(super) fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// The level of a rule where no override says another one.
    pub(crate) fn level(&self, rule: &RuleMeta) -> Level {
        self.levels.get(rule.name).copied().unwrap_or(Some(rule.severity))
    }

    /// Gives a finding the severity that its rule was given. What the rule itself holds for less severe than usual is not made
    /// more so. Returns whether it is one: not where the rule is off.
    pub(crate) fn grade(&self, finding: &mut Finding) -> bool {
        let overridden = self.overrides.iter().find_map(|known| known.level(finding));
        let Some(level) = overridden.or_else(|| self.levels.get(finding.rule.name).copied()) else { return true };
        if let Some(level) = level {
            let is_usual = finding.severity >= finding.rule.severity;
            finding.severity = if is_usual { level } else { level.min(finding.severity) };
        }
        level.is_some()
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
}
