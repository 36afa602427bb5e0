//! Threads that are told to end and run on: see `ignored_cancellation.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, Side, SiteId, Ticks};

use super::waits;
use crate::draft::{Draft, duration, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::cancel::{Ignored, Scope};
use crate::model::thread::State;
use crate::names::is_dependency;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct IgnoredCancellation;

static META: RuleMeta = RuleMeta {
    name: "ignored-cancellation",
    summary: "a thread runs on although it was told to end",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("ignored_cancellation.md"),
};

/// Who is told so many times heard it and went on.
const TOLD: u64 = 3;

impl Rule for IgnoredCancellation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let id = ObjectId(id);
            for (&(t, site), &(count, first)) in &channel.closed_recvs {
                if count >= TOLD && !model.is_ignored(t) && ran_on(model, t, first) && listens_to_nothing_else(model, id, t) {
                    out.push(of_channel(model, id, t, site, count, first));
                }
            }
        }
        for (id, token) in model.tokens.iter() {
            let mut by_kind: BTreeMap<Kind, Vec<(usize, Ignored)>> = BTreeMap::new();
            for (t, how) in model.ignorers(token) {
                let (Ignored::Told(site, _) | Ignored::Late(site, _) | Ignored::LooksNoMore(site) | Ignored::NeverLooked(site)) =
                    how;
                by_kind.entry((model.threads[t].spawn.map(|spawn| spawn.site), site)).or_default().push((t, how));
            }
            for found in by_kind.into_values() {
                if let Some((canceller, at, site)) = token.cancelled {
                    out.push(of_token(model, ObjectId(id), (canceller, at, site), &found));
                }
            }
        }
        for (number, scope) in model.scopes.iter().enumerate() {
            of_scope(model, number, scope, out);
        }
    }
}

/// Where threads were started, and where they go on: those of one kind make one finding.
type Kind = (Option<SiteId>, SiteId);

/// A token that threads of one kind do not follow.
fn of_token(model: &Model<'_>, id: ObjectId, cancelled: (usize, Ticks, SiteId), found: &[(usize, Ignored)]) -> Finding {
    let (canceller, at, cancel_site) = cancelled;
    let (t, how) = found[0];
    let confidence = if matches!(how, Ignored::NeverLooked(_)) { Confidence::Possible } else { Confidence::Manifest };
    let mut draft = Draft::new(model, &META, confidence, [id]);
    let name = draft.quoted(id);
    let who = model.names().called(t);
    let thread = &model.threads[t];
    let lived = duration(model.span(at, thread.ended.unwrap_or(model.end)).0);
    let mut steps: Vec<_> = thread.spawn.iter().map(|spawn| draft.step(spawn.site, "was started here", false)).collect();
    let (step, help) = match how {
        Ignored::Told(site, count) => {
            draft.evidence(format!("it was told {}", times(count)));
            let text = format!("is told here that {name} was cancelled, and goes on");
            (draft.step(site, text, true), format!("leave the loop where {name} is found to be cancelled"))
        }
        Ignored::Late(site, after) => {
            let after = duration(model.span(at, Ticks(at.0.saturating_add(after))).0);
            let text = format!("looks at {name} here again, {after} after it was cancelled");
            (
                draft.step(site, text, true),
                format!("look at {name} more often, or wait on it instead of sleeping: `wait_timeout`"),
            )
        }
        Ignored::LooksNoMore(site) => {
            let text = format!("looked at {name} here last, before it was cancelled");
            (draft.step(site, text, true), format!("look at {name} in every loop, and before every wait without a limit"))
        }
        Ignored::NeverLooked(site) => {
            let text = format!("a handle of {name} is cloned for it here, and it never looks at it");
            (draft.step(site, text, true), format!("look at {name} in the loops of the thread that gets it"))
        }
    };
    steps.push(step);
    steps.extend(model.stuck().state(t).eq(&State::Blocked).then(|| waits::pending(model, t)).flatten().map(|(event, site)| {
        let text = waits::text(model, &draft, event);
        draft.step(site, text, false)
    }));
    draft.party(t, steps);
    let step = draft.step(cancel_site, format!("cancels {name} here"), false);
    draft.party(canceller, vec![step]);
    for (other, _) in &found[1..] {
        draft.seen_by(*other);
    }
    draft.evidence(ending(model, t, &lived));
    let mut finding = draft.finish(format!("{who} runs on after {name} was cancelled"), help, found.len() as u64);
    if confidence == Confidence::Possible {
        // It may be that the handle was for somebody else.
        finding.severity = Severity::Medium;
    }
    finding
}

/// Threads of a scope that live on after its end.
fn of_scope(model: &Model<'_>, number: usize, scope: &Scope, out: &mut Vec<Finding>) {
    let Some(end) = scope.ended else { return };
    let name = format!("scope `{}`", model.names().class(scope.id));
    let mut by_site: BTreeMap<SiteId, Vec<usize>> = BTreeMap::new();
    for t in
        model.members(number).filter(|t| model.lives_past_grace(*t, end) && !model.is_ignored(*t) && !is_elsewhere(model, *t))
    {
        if let Some(spawn) = model.threads[t].spawn {
            by_site.entry(spawn.site).or_default().push(t);
        }
    }
    for (site, threads) in by_site {
        let t = threads[0];
        let mut draft = Draft::new(model, &META, Confidence::Manifest, []);
        let mut steps = vec![draft.step(site, format!("was started in {name} here, and lives on after its end"), true)];
        if let Some((event, site)) = waits::pending(model, t) {
            let text = waits::text(model, &draft, event);
            steps.push(draft.step(site, text, false));
        }
        draft.party(t, steps);
        let step = draft.step(scope.site, format!("enters {name} here"), false);
        draft.party(scope.thread, vec![step]);
        for other in &threads[1..] {
            draft.seen_by(*other);
        }
        let lived = duration(model.span(end, model.threads[t].ended.unwrap_or(model.end)).0);
        draft.evidence(ending(model, t, &lived));
        let who = model.names().called(t);
        let help = format!("tell {who} to end and join it before {name} ends");
        out.push(draft.finish(format!("{who} runs on after {name} ended"), help, threads.len() as u64));
    }
}

/// Whether another rule tells what is wrong with the thread, or nothing is: a thread of a library that waits for work serves others.
fn is_elsewhere(model: &Model<'_>, t: usize) -> bool {
    let is_stuck = model.stuck().groups.iter().any(|group| group.threads.contains(&t) || group.behind.contains(&t));
    let lies_in_library = |site: SiteId| model.site(site).is_some_and(|site| is_dependency(&site.file));
    let waits = waits::pending(model, t).filter(|_| model.stuck().state(t) == State::Blocked);
    is_stuck || waits.is_some_and(|(_, site)| lies_in_library(site))
}

fn ending(model: &Model<'_>, t: usize, lived: &str) -> String {
    if model.threads[t].ended.is_some() {
        format!("it ended {lived} later")
    } else {
        format!("it was still there {lived} later, when the run ended")
    }
}

fn of_channel(model: &Model<'_>, id: ObjectId, t: usize, site: SiteId, count: u64, first: Ticks) -> Finding {
    let mut draft = Draft::new(model, &META, Confidence::Manifest, [id]);
    let name = draft.quoted(id);
    let thread = &model.threads[t];
    let mut steps = Vec::new();
    if let Some(spawn) = thread.spawn {
        steps.push(draft.step(spawn.site, "was started here", false));
    }
    steps.push(draft.step(site, format!("is told here that all senders of {name} are gone, and goes on"), true));
    draft.party(t, steps);
    let until = thread.ended.unwrap_or(model.end);
    draft.evidence(format!("it was told {} within {}", times(count), duration(model.span(first, until).0)));
    draft.evidence(if thread.ended.is_some() { "it ended at last" } else { "it never ended" });
    let who = model.names().called(t);
    let message = format!("{who} runs on after {name} was closed");
    let help =
        format!("leave the loop where receiving from {name} says `Disconnected`: only `Empty` or a timeout means to go on");
    draft.finish(message, help, count)
}

/// Whether it never ended after it was told first, or took longer than the grace period.
fn ran_on(model: &Model<'_>, t: usize, first: Ticks) -> bool {
    let thread = &model.threads[t];
    thread.ended.is_none_or(|ended| model.span(first, ended) >= model.config.grace)
        // Who got a message since has other things to do.
        && thread.received.is_some_and(|(_, _, is_end)| is_end)
        && thread.spawn.is_some()
}

/// Whether this is the only channel that the thread receives from: one of several may close while the others go on.
fn listens_to_nothing_else(model: &Model<'_>, id: ObjectId, t: usize) -> bool {
    let mut others = model.channels.iter().filter(|(other, _)| ObjectId(*other) != id);
    !others.any(|(_, channel)| {
        let mut ends = channel.handles.values().filter(|handle| handle.side == Side::Receiver);
        ends.any(|handle| handle.is_used && handle.toucher == t)
    })
}
