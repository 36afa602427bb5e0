//! Puts findings together: names, sites, tests and the fingerprint.

use conccheck_trace::{ObjectId, SiteId};

use crate::calls::{self, Call};
use crate::finding::{Confidence, Finding, Party, ScenarioStep, Step};
use crate::model::Model;
use crate::model::context::Context;
use crate::names::{Labels, clean, file_name};
use crate::rule::RuleMeta;

/// A finding in the making.
pub(crate) struct Draft<'m, 'a> {
    model: &'m Model<'a>,
    objects: Vec<ObjectId>,
    labels: Labels,
    threads: Vec<usize>,
    /// Held and wanted objects, as far as they make the finding what it is.
    orders: Vec<(ObjectId, ObjectId)>,
    finding: Finding,
}

impl<'m, 'a> Draft<'m, 'a> {
    pub(crate) fn new(
        model: &'m Model<'a>,
        rule: &'static RuleMeta,
        confidence: Confidence,
        objects: impl IntoIterator<Item = ObjectId>,
    ) -> Draft<'m, 'a> {
        let objects: Vec<ObjectId> = objects.into_iter().collect();
        let labels = model.names().labels(objects.iter().copied());
        let finding = Finding {
            rule,
            severity: rule.severity,
            confidence,
            message: String::new(),
            objects: Vec::new(),
            parties: Vec::new(),
            scenario: Vec::new(),
            evidence: Vec::new(),
            help: String::new(),
            tests: Vec::new(),
            occurrences: 1,
            fingerprint: String::new(),
        };
        Draft { model, objects, labels, threads: Vec::new(), orders: Vec::new(), finding }
    }

    /// The name of one of the objects.
    pub(crate) fn name(&self, id: ObjectId) -> &str {
        self.labels.get(id)
    }

    /// The name in backquotes.
    pub(crate) fn quoted(&self, id: ObjectId) -> String {
        format!("`{}`", self.name(id))
    }

    /// The names of all objects, quoted, each once: "`a`, `b` and `c`".
    pub(crate) fn all_quoted(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for id in &self.objects {
            let name = self.quoted(*id);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        list(&names)
    }

    pub(crate) fn step(&self, site: SiteId, text: impl Into<String>, primary: bool) -> Step {
        Step { site: self.model.site(site).cloned(), text: text.into(), primary, is_call: false }
    }

    /// The step of an acquisition, and the call that led to it where the place alone does not say enough.
    pub(crate) fn acquisition(&self, context: &Context, text: impl Into<String>, primary: bool) -> Vec<Step> {
        let mut steps = vec![self.step(context.site, text, primary)];
        if let Some(Call { function, site }) = calls::caller(self.model, context) {
            let text = format!("and came there through `{}` here", clean(&function));
            steps.push(Step { site: Some(site), text, primary: false, is_call: true });
        }
        steps
    }

    /// Adds a thread's part; gives its index.
    pub(crate) fn party(&mut self, thread: usize, steps: Vec<Step>) -> usize {
        self.threads.push(thread);
        self.finding.parties.push(Party { thread: self.model.names().thread(thread).to_owned(), steps });
        self.finding.parties.len() - 1
    }

    /// Counts the tests of a thread that is not shown.
    pub(crate) fn seen_by(&mut self, thread: usize) {
        self.threads.push(thread);
    }

    /// Makes an order of two objects part of the fingerprint: `wanted` was asked for while `held` was held.
    pub(crate) fn takes(&mut self, held: ObjectId, wanted: ObjectId) {
        self.orders.push((held, wanted));
    }

    pub(crate) fn scenario(&mut self, party: usize, text: impl Into<String>, blocks: bool) {
        self.finding.scenario.push(ScenarioStep { party, text: text.into(), blocks });
    }

    pub(crate) fn evidence(&mut self, text: impl Into<String>) {
        self.finding.evidence.push(text.into());
    }

    pub(crate) fn finish(mut self, message: impl Into<String>, help: impl Into<String>, occurrences: u64) -> Finding {
        let names = self.model.names();
        self.finding.message = message.into();
        self.finding.help = help.into();
        self.finding.occurrences = occurrences;
        self.finding.objects = self.objects.iter().map(|id| self.labels.get(*id).to_owned()).collect();
        self.finding.objects.sort();
        self.finding.objects.dedup();
        let tests = self.threads.iter().filter_map(|thread| self.model.tests.get(self.model.threads[*thread].test?).cloned());
        self.finding.tests = tests.collect();
        self.finding.tests.sort();
        self.finding.tests.dedup();
        let mut parts: Vec<String> = self.objects.iter().map(|id| names.stable(*id).to_owned()).collect();
        parts.extend(self.orders.iter().map(|(held, wanted)| format!("{} -> {}", names.stable(*held), names.stable(*wanted))));
        let steps = self.finding.parties.iter().flat_map(|party| &party.steps);
        parts.extend(
            steps.filter(|step| !step.is_call).filter_map(|step| step.site.as_ref()).map(|site| file_name(&site.file).to_owned()),
        );
        parts.sort();
        parts.dedup();
        self.finding.fingerprint = fingerprint(self.finding.rule.name, &parts);
        self.finding
    }
}

/// "a, b and c".
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// "once", "3 times".
pub(crate) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// A duration in words: "350 ms".
pub(crate) fn duration(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} µs", nanos as f64 / 1e3),
        1_000_000..10_000_000 => format!("{:.1} ms", nanos as f64 / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} ms", nanos as f64 / 1e6),
        _ => format!("{:.1} s", nanos as f64 / 1e9),
    }
}

/// 64-bit FNV-1a: small, and the same for ever.
pub(crate) fn fingerprint(rule: &str, parts: &[String]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    add(rule);
    for part in parts {
        add(part);
    }
    format!("{hash:016x}")
}
