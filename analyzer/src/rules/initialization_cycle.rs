//! Initialisers that wait for themselves: see `initialization_cycle.md`.

use super::deadlock;
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
            let names = draft.all_quoted();
            let message = format!("the initialisation of {names} waits for itself");
            let help = format!("compute what the initialisers of {names} need from each other before either of them runs");
            out.push(draft.finish(message, help, 1));
        }
    }
}
