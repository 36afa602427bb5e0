//! Values that were there in time only by luck: see `order_violation.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId};

use super::statement;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::sync::EarlyGet;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct OrderViolation;

static META: RuleMeta = RuleMeta {
    name: "order-violation",
    summary: "a thread relies on a value that another thread had set in time only by luck",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("order_violation.md"),
};

impl Rule for OrderViolation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_site: BTreeMap<SiteId, Vec<(ObjectId, &EarlyGet)>> = BTreeMap::new();
        for (id, once) in model.onces.iter() {
            for get in once.lucky.iter().filter(|get| insists(model, get.site)) {
                by_site.entry(get.site).or_default().push((ObjectId(id), get));
            }
        }
        for (site, gets) in by_site {
            let (id, get) = gets[0];
            let mut draft = Draft::new(model, &META, Confidence::Possible, [id]);
            let name = draft.quoted(id);
            let step = draft.step(site, format!("needs the value of {name} here, and has waited for nobody"), true);
            let user = draft.party(get.thread, vec![step]);
            let step = draft.step(get.set_site, format!("sets {name} here"), false);
            let setter = draft.party(get.setter, vec![step]);
            for (_, other) in &gets[1..] {
                draft.seen_by(other.thread);
            }
            let plain = draft.name(id).to_owned();
            draft.scenario(user, format!("{plain}.get() is None"), false);
            draft.scenario(setter, format!("set({plain})"), false);
            let count = gets.len() as u64;
            draft.evidence(format!("nothing that is recorded makes the one wait for the other; seen {}", times(count)));
            let message = format!(
                "{} relies on {name} being set in time by {}",
                model.names().called(get.thread),
                model.names().called(get.setter)
            );
            let help = format!("set {name} before the thread is started, or call `wait()` or `get_or_init` instead of `get()`");
            out.push(draft.finish(message, help, count));
        }
    }
}

/// Whether the source shows that there must be a value.
fn insists(model: &Model<'_>, site: SiteId) -> bool {
    let text = statement::at(model, site).unwrap_or_default();
    text.contains(".get().unwrap()") || text.contains(".get().expect(")
}
