//! Conditions behind a lock that held already when a thread came to look: then nothing in the trace says that it goes on only for what
//! another thread did before.

use std::cell::OnceCell;

use conccheck_trace::{Event, Mode, ObjectId, SiteDef, SiteId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::condition::{Condition, depends_on};
use super::places;
use super::words::{NOTIFIES, Names, names};
use crate::model::Model;
use crate::model::context::Context;

/// The contexts whose threads look at a condition, by thread (dense index).
pub(super) type Conditions = FxHashMap<usize, Vec<(u32, Condition)>>;

/// Those of all threads.
pub(super) fn all(model: &Model<'_>) -> Conditions {
    let mut by_site: FxHashMap<SiteId, Option<Condition>> = FxHashMap::default();
    let mut conditions = Conditions::default();
    for (id, context) in (0..).zip(&model.contexts) {
        let of_site = || Condition::at(model.sources, model.site(context.site)?);
        if let Some(condition) = by_site.entry(context.site).or_insert_with(of_site) {
            conditions.entry(context.thread()).or_default().push((id, condition.clone()));
        }
    }
    conditions
}

/// Where the first looked at a condition before all that is kept of it, if what others did after all of the second made that true.
pub(super) fn met(model: &Model<'_>, late: &Context, early: &Context) -> Option<SiteId> {
    let joiner = model.threads[early.thread()].joined_by;
    let takes = |lock: ObjectId, thread: usize| model.contexts_of(lock).any(|context| context.thread() == thread);
    let stands: OnceCell<Vec<SiteDef>> = OnceCell::new();
    let depends = |context: &Context, condition: &Condition| {
        let mut places = stands.get_or_init(|| places(model, late).collect()).iter();
        match condition {
            Condition::Notified(_) | Condition::Polled => true,
            Condition::Tested(lines) => {
                let file = model.site(context.site).map(|site| &site.file);
                places.any(|place| Some(&place.file) == file && lines.contains(&place.line))
            }
            Condition::Got(getter) => places.any(|place| depends_on(model.sources, place, getter)),
        }
    };
    // What the other changes under its own locks is no more than what it does there.
    let own: Vec<ObjectId> = model.held(early.chain).into_iter().map(|held| held.lock).chain([early.lock]).collect();
    let conditions = model.files.conditions(model).get(&late.thread())?.iter().filter(|(id, condition)| {
        let context = &model.contexts[*id as usize];
        let is_taken = takes(context.lock, early.thread()) || joiner.is_some_and(|joiner| takes(context.lock, joiner));
        is_taken && !own.contains(&context.lock) && depends(context, condition)
    });
    let conditions: Vec<&(u32, Condition)> = conditions.collect();
    let first = late.moments.kept().map(|(index, _)| index).min()?;
    let last = early.moments.kept().map(|(index, _)| index).max()?;
    let asked = if conditions.is_empty() { Vec::new() } else { asked(model, late.thread(), first, &conditions)? };
    if asked.is_empty() {
        return None;
    }
    let mut changed = changed(model, early.thread(), &asked, Behind::Event(last))?;
    if let Some(joiner) = joiner {
        changed.extend(self::changed(model, joiner, &asked, Behind::Join(early.thread()))?);
    }
    let is_told = |condition: &Condition| match condition {
        Condition::Notified(condvars) => are_notified(model, condvars, early.thread(), last),
        Condition::Polled | Condition::Tested(_) | Condition::Got(_) => true,
    };
    asked.iter().find(|asked| changed.contains(&asked.lock) && is_told(&asked.condition)).map(|asked| asked.site)
}

/// A thread's latest look at a condition.
struct Asked {
    lock: ObjectId,
    order: u64,
    is_read: bool,
    site: SiteId,
    condition: Condition,
}

/// What a thread looked at before its event `first`; `None` if that is too much to look through.
fn asked(model: &Model<'_>, thread: usize, first: u32, conditions: &[&(u32, Condition)]) -> Option<Vec<Asked>> {
    let mut asked: Vec<Asked> = Vec::new();
    for record in model.files.events(model, thread)?.take(first as usize) {
        let Event::Acquire { lock, site, mode, order, .. } = record.event else { continue };
        let is_meant = |(id, _): &&&(u32, Condition)| {
            let context = &model.contexts[*id as usize];
            context.lock == lock && context.site == site
        };
        let Some((_, condition)) = conditions.iter().find(is_meant) else { continue };
        asked.retain(|other| other.lock != lock);
        let is_read = matches!(mode, Mode::Shared | Mode::RecursiveShared);
        asked.push(Asked { lock, order: order.0, is_read, site, condition: condition.clone() });
    }
    Some(asked)
}

/// Behind which of a thread's events.
#[derive(Clone, Copy)]
enum Behind {
    Event(u32),
    /// That by which it learnt that the other (dense index) had ended.
    Join(usize),
}

/// Under which locks a thread changed something before others looked; `None` if that is too much to look through.
fn changed(model: &Model<'_>, thread: usize, asked: &[Asked], behind: Behind) -> Option<FxHashSet<ObjectId>> {
    let mut changed = FxHashSet::default();
    let mut held: FxHashMap<ObjectId, u64> = FxHashMap::default();
    let mut is_behind = false;
    for (index, record) in (0..).zip(model.files.events(model, thread)?) {
        is_behind |= match behind {
            Behind::Event(last) => index > last,
            Behind::Join(joined) => matches!(record.event, Event::Join { child, .. } if child == model.threads[joined].id),
        };
        match record.event {
            Event::Acquire { lock, order, .. } => _ = held.insert(lock, order.0),
            Event::Release { lock, wrote, .. } => {
                let order = held.remove(&lock).filter(|_| wrote && is_behind);
                let is_seen = |asked: &Asked| {
                    let is_before = |order: u64| order < asked.order + u64::from(asked.is_read);
                    asked.lock == lock && order.is_some_and(is_before)
                };
                if asked.iter().any(is_seen) {
                    changed.insert(lock);
                }
            }
            _ => {}
        }
    }
    Some(changed)
}

/// Whether anybody notified a condition variable of such a name, not only the thread `early` before its event `last`. Of those who
/// change what is waited for the last may do so.
fn are_notified(model: &Model<'_>, condvars: &Names, early: usize, last: u32) -> bool {
    // A place in a tuple is no name.
    let is_name = |name: &String| !name.starts_with(|c: char| c.is_ascii_digit());
    let sites: FxHashSet<SiteId> = model
        .condvars
        .iter()
        .flat_map(|(_, condvar)| &condvar.notifications)
        .filter(|notification| notification.moment.thread != early || notification.moment.index > last)
        .map(|notification| notification.site)
        .collect();
    let are_same = |notified: Names| {
        !notified.is_empty() && (!condvars.iter().chain(&notified).all(is_name) || !condvars.is_disjoint(&notified))
    };
    sites.into_iter().any(|site| are_same(notified(model, site)))
}

/// What the condition variables are called that are notified at a place, whose call may begin on the line above.
fn notified(model: &Model<'_>, site: SiteId) -> Names {
    let Some(site) = model.site(site) else { return Names::new() };
    let line = |line: u32| model.sources.line(&SiteDef { line, ..site.clone() }).unwrap_or_default();
    let text = line(site.line.saturating_sub(1)) + "\n" + &line(site.line) + "\n" + &line(site.line + 1);
    names(&text, &NOTIFIES).collect()
}
