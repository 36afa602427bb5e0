//! Panics of threads whose result nobody takes: see `unobserved_panic.md`.

use std::collections::{BTreeMap, VecDeque};

use conccheck_trace::{Event, SiteDef, SiteId};

use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct UnobservedPanic;

static META: RuleMeta = RuleMeta {
    name: "unobserved-panic",
    summary: "a thread panicked and nobody took its result",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("unobserved_panic.md"),
};

impl Rule for UnobservedPanic {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_site: BTreeMap<(SiteId, Option<SiteId>), Vec<Panicked>> = BTreeMap::new();
        for (t, thread) in model.threads.iter().enumerate() {
            // The end of a scope passes panics on by itself.
            let Some(spawn) = thread.spawn.filter(|spawn| !spawn.is_scoped) else { continue };
            if thread.panicked && !thread.result_taken && !is_replaced(model, t) {
                let told = told(model, t);
                by_site.entry((spawn.site, told.as_ref().map(|told| told.site))).or_default().push((t, told));
            }
        }
        for ((site, _), threads) in by_site {
            let (t, told) = &threads[0];
            let mut draft = Draft::new(model, &META, Confidence::Manifest, []);
            let mut steps = vec![draft.step(site, "was started here, panicked, and was never joined", true)];
            if let Some(told) = told {
                steps.push(draft.step(told.site, "sent a message here as it went down", false));
                draft.evidence(format!(
                    "it sent a message as it went down, which {} took: that may have told of the panic",
                    model.names().called(told.taker)
                ));
            }
            draft.party(*t, steps);
            for (other, _) in &threads[1..] {
                draft.seen_by(*other);
            }
            let count = threads.len() as u64;
            draft.evidence(format!("seen {}", times(count)));
            let name = model.names().called(*t);
            let help = format!("join {name} and look at the result, or catch the panic inside and report it");
            let mut finding = draft.finish(format!("{name} panicked and nobody took its result"), help, count);
            if told.is_some() {
                finding.severity = Severity::Medium;
            }
            out.push(finding);
        }
    }
}

/// A thread's last events are these many.
const LAST: u32 = 8;
/// A destructor is at most so many lines long.
const DESTRUCTOR: u32 = 60;

/// A thread that panicked, and what it told of it.
type Panicked = (usize, Option<Told>);

/// A message that a thread sent as it went down.
struct Told {
    site: SiteId,
    /// Who received it.
    taker: usize,
}

/// The message of a destructor that the thread sent last, with nothing but destructors behind it, if another thread took it.
fn told(model: &Model<'_>, t: usize) -> Option<Told> {
    let mut last = VecDeque::new();
    for record in model.trace.events(model.threads[t].id) {
        last.truncate(LAST as usize - 1);
        last.push_front(record.event);
    }
    let is_unwinding = |event: &&Event| {
        matches!(
            event,
            Event::End { .. } | Event::HandleDrop { .. } | Event::Release { .. } | Event::SendRequest { .. } | Event::Send { .. }
        )
    };
    last.iter().take_while(is_unwinding).find_map(|event| {
        let Event::Send { channel, stamp, site, .. } = *event else { return None };
        let receivers = model.channels.get(channel.0)?.receivers.keys().copied();
        let took = |record: Event| matches!(record, Event::Recv { stamp: other, .. } if other == stamp);
        let mut others = receivers.filter(|other| *other != t && is_in_destructor(model, site));
        let taker = others.find(|other| model.trace.events(model.threads[*other].id).any(|record| took(record.event)))?;
        Some(Told { site, taker })
    })
}

/// Whether the source shows a `drop` around the site.
fn is_in_destructor(model: &Model<'_>, site: SiteId) -> bool {
    let Some(site) = model.site(site) else { return false };
    let above = (site.line.saturating_sub(DESTRUCTOR).max(1)..=site.line).rev();
    let mut lines = above.map_while(|line| model.sources.line(&SiteDef { line, ..site.clone() }));
    lines.find(|line| line.split_whitespace().any(|word| word == "fn")).is_some_and(|line| line.contains("fn drop(&mut self)"))
}

/// Whether the thread, as it went down, started its successor in the place where it was started itself: a pool that mends itself knows.
fn is_replaced(model: &Model<'_>, t: usize) -> bool {
    let thread = &model.threads[t];
    let own = thread.spawn.as_ref().map(|spawn| spawn.site);
    model.threads.iter().filter(|other| other.parent == Some(t)).filter_map(|other| other.spawn.as_ref()).any(|spawn| {
        Some(spawn.site) == own && spawn.index <= thread.end_index && spawn.index.saturating_add(LAST) >= thread.end_index
    })
}
