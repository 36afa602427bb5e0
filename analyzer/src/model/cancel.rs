//! Cancellation tokens, stop flags and scopes: who is told to end, and who does not follow.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId, Ticks};

use super::Model;
use super::thread::{Idled, State, Thread};
use crate::clock::Moment;

/// A cancellation token, or a flag that tells threads to end.
#[derive(Default, Debug)]
pub struct Token {
    /// Who told the listeners to end: thread, time, place.
    pub cancelled: Option<(usize, Ticks, SiteId)>,
    /// Threads that looked at it.
    pub listeners: BTreeMap<usize, Listener>,
    /// Threads that were started right after their parent had cloned a handle, and where it was cloned.
    pub given: BTreeMap<usize, SiteId>,
    /// What was done before the cancellation.
    pub(super) published: Option<Moment>,
}

/// A thread that looks whether it is to end.
#[derive(Clone, Default, Debug)]
pub struct Listener {
    /// The latest look that found that it is to go on: number of the event, and where.
    pub went_by: Option<(u32, SiteId)>,
    /// The first look that told it to end: when, where, and what it had last waited for before (see [`Thread::idled`]).
    pub told: Option<(Ticks, SiteId, Option<Idled>)>,
    /// How often it was told, by place.
    pub times: BTreeMap<SiteId, u64>,
}

/// A part of the program within which the threads started in it are to end.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The object that stands for it; its type is its name.
    pub id: ObjectId,
    /// Who entered it.
    pub thread: usize,
    /// Where.
    pub site: SiteId,
    /// When it was left.
    pub ended: Option<Ticks>,
    /// The latest acquisitions by its threads after its end: lock, thread, place.
    pub late: Vec<(ObjectId, usize, SiteId)>,
}

/// How a thread did not follow when it was told to end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ignored {
    /// It was told so many times at one place, and went on.
    Told(SiteId, u64),
    /// It looked again only after so many ticks.
    Late(SiteId, u64),
    /// It looked before, and not since.
    LooksNoMore(SiteId),
    /// It was started with a handle and never looked.
    NeverLooked(SiteId),
}

/// Who is told so many times heard it and went on.
const TOLD: u64 = 3;

/// Lines of one file that are at most so far apart belong to one loop.
const NEAR: u32 = 30;

impl Model<'_> {
    /// Threads that were told to end by `token` and did not, and how.
    pub(crate) fn ignorers(&self, token: &Token) -> Vec<(usize, Ignored)> {
        let Some((canceller, at, _)) = token.cancelled else { return Vec::new() };
        let is_listener = |t: &usize| *t != canceller && self.threads[*t].spawn.is_some() && !self.is_ignored(*t);
        let looked = token.listeners.iter().filter_map(|(t, listener)| Some((*t, self.ignores(*t, listener, at)?)));
        let given = token.given.iter().filter(|(t, _)| !token.listeners.contains_key(t));
        let never = given.filter(|(t, _)| self.runs_on(**t, at)).map(|(t, site)| (*t, Ignored::NeverLooked(*site)));
        looked.chain(never).filter(|(t, _)| is_listener(t)).collect()
    }

    fn ignores(&self, t: usize, listener: &Listener, at: Ticks) -> Option<Ignored> {
        let thread = &self.threads[t];
        let told = listener.times.iter().map(|(site, count)| (*count, *site)).max();
        if let Some((count, site)) = told.filter(|(count, _)| *count >= TOLD)
            && thread.ended.is_none_or(|ended| self.is_past_grace(at, ended))
        {
            return Some(Ignored::Told(site, count));
        }
        let (before, place) = listener.went_by?;
        // A worker of a pool goes on after its task, which looked, has ended.
        let is_other_work =
            |idled: Option<Idled>| idled.is_some_and(|(index, site)| index > before && !self.are_near(site, place));
        if let Some((time, site, idled)) = listener.told {
            let late = self.is_past_grace(at, time) && !is_other_work(idled);
            return late.then_some(Ignored::Late(site, time.0.saturating_sub(at.0)));
        }
        let waits = self.stuck().state(t) == State::Blocked && !self.is_near(thread, place);
        let runs_on = self.lives_past_grace(t, at) && !waits && !is_other_work(thread.idled);
        runs_on.then_some(Ignored::LooksNoMore(place))
    }

    /// Whether the thread waits near this place.
    fn is_near(&self, thread: &Thread, site: SiteId) -> bool {
        let waits = thread.pending.as_ref().and_then(|pending| pending.event.site());
        waits.is_some_and(|waits| self.are_near(waits, site))
    }

    fn are_near(&self, a: SiteId, b: SiteId) -> bool {
        match (self.site(a), self.site(b)) {
            (Some(a), Some(b)) => a.file == b.file && a.line.abs_diff(b.line) <= NEAR,
            _ => false,
        }
    }

    /// Whether the thread was still at work when the grace period after `at` was over.
    fn runs_on(&self, t: usize, at: Ticks) -> bool {
        self.stuck().state(t) != State::Blocked && self.threads[t].started <= at && self.lives_past_grace(t, at)
    }

    /// Whether the thread lived, or was still there at the end, when the grace period after `at` was over.
    pub(crate) fn lives_past_grace(&self, t: usize, at: Ticks) -> bool {
        let thread = &self.threads[t];
        thread.has_started && self.is_past_grace(at, thread.ended.unwrap_or(self.end))
    }

    fn is_past_grace(&self, from: Ticks, to: Ticks) -> bool {
        self.span(from, to) >= self.config.grace
    }

    /// The threads that were started in a scope, or by one that was.
    pub(crate) fn members(&self, scope: usize) -> impl Iterator<Item = usize> {
        let number = u32::try_from(scope).unwrap_or(u32::MAX);
        (0..self.threads.len()).filter(move |t| self.threads[*t].scopes.contains(&number))
    }
}
