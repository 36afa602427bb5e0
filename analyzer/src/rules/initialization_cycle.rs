//! Initialisers that wait for themselves: see `initialization_cycle.md`.

use conccheck_trace::{ObjectId, ObjectKind};

use super::{deadlock, waits};
use crate::draft::list;
use crate::finding::{Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};
use crate::stuck::Cause;

pub(crate) struct InitializationCycle;

static META: RuleMeta = RuleMeta {
    name: "initialization-cycle",
    summary: "a one-time initialiser waits for itself",
    severity: Severity::Critical,
    since: "0.1.0",
    page: include_str!("initialization_cycle.md"),
};

impl Rule for InitializationCycle {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for group in model.stuck().of(Cause::Initialization) {
            let draft = deadlock::ring(model, &META, group);
            let mut onces: Vec<String> = group
                .threads
                .iter()
                .flat_map(|t| waits::objects(model, *t))
                .filter(|id| is_once(model, *id))
                .map(|id| draft.quoted(id))
                .collect();
            onces.sort();
            onces.dedup();
            let names = list(&onces);
            let message = format!("the initialisation of {names} waits for itself");
            let held = group.threads.iter().find_map(|t| deadlock::deadlocked(model, group, *t).next());
            let help = match (held, &group.threads[..]) {
                (Some(lock), _) => format!("release {} before using {names}, whose initialiser needs it", draft.quoted(lock)),
                _ if onces.len() > 1 => {
                    format!("compute what the initialisers of {names} need from each other before either of them runs")
                }
                (None, [_]) => format!("don't use {names} within its own initialiser"),
                (None, _) => format!("don't wait within the initialiser of {names} for a thread that uses it"),
            };
            out.push(draft.finish(message, help, 1));
        }
    }
}

fn is_once(model: &Model<'_>, id: ObjectId) -> bool {
    model.kind(id) == Some(ObjectKind::Once)
}
