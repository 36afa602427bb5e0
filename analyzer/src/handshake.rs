//! Orders that a trace does not show. One side of a cycle waits for something before its sections that the other does behind its own,
//! and in this run it did not have to wait: an atomic is set, which is not recorded, or a condition is made true. Where the source shows
//! that, and that side came later, the two may never be under way at once.

mod blocks;
mod condition;
mod gate;
mod idle;
mod met;
mod owned;
mod source;
mod words;

use conccheck_trace::SiteDef;

use crate::calls;
use crate::model::Model;
use crate::model::context::Context;
use crate::prediction::is_complete;
use blocks::Waits;
pub(crate) use condition::may_wait;
pub(crate) use idle::may_poll;
pub(crate) use source::Files;
use source::Place;
use words::Names;

/// Rings of the same sites that are looked at, or pairs.
const MOST_SAME: usize = 16;

/// Calls that led to an acquisition that are looked at.
const CALLS: usize = 6;

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum For {
    /// A plain atomic.
    Atomic,
    /// What a lock protects.
    Condition,
    /// To be let in where the other is let in as well.
    Gate,
    /// Nothing: it has the lock to itself.
    Nothing,
}

/// A wait that left no trace.
#[derive(Debug)]
pub(crate) struct Wait {
    /// Who waits (dense index).
    pub(crate) thread: usize,
    /// Where.
    pub(crate) site: SiteDef,
    /// For what.
    pub(crate) what: For,
}

impl Wait {
    /// What it says about a finding that needs both sides to be under way at once.
    pub(crate) fn evidence(&self, model: &Model<'_>) -> String {
        let (waiter, SiteDef { file, line, .. }) = (model.names().called(self.thread), &self.site);
        match self.what {
            For::Atomic => format!(
                "atomics are not recorded: {waiter} goes on only if one is set, at {file}:{line}; if the other sets it when it is done, this can't happen"
            ),
            For::Gate => format!(
                "both enter by {file}:{line}, where they wait until they may, and leave again; if that lets one in at a time, this can't happen"
            ),
            For::Nothing => format!(
                "{waiter} has the lock to itself at {file}:{line}, in a value that is borrowed mutably: nobody else can hold it or wait for it"
            ),
            For::Condition => format!(
                "{waiter} goes on at {file}:{line} only if a condition holds, which it did already in this run; if the other makes it true when it is done, this can't happen"
            ),
        }
    }
}

/// A wait that may keep the sides of these rings of the same sites from overlapping, if there is one in each. Where a reordering
/// `is_proven` that reaches them, in it all conditions hold that held in this run.
pub(crate) fn apart(model: &Model<'_>, rings: &[Vec<u32>], is_proven: bool) -> Option<Wait> {
    of_all(model, rings.iter(), |ring| {
        let owned = ring.iter().map(|id| &model.contexts[*id as usize]).find_map(|context| {
            let site = model.site(owned::owned(model, ring, context)?)?.clone();
            Some(Wait { thread: context.thread(), site, what: For::Nothing })
        });
        if owned.is_some() {
            return owned;
        }
        let sides: Vec<Side<'_>> = ring.iter().map(|id| Side::new(model, &model.contexts[*id as usize])).collect();
        let pairs = sides.iter().flat_map(|early| sides.iter().map(move |late| (early, late)));
        pairs
            .filter(|(early, late)| early.context.thread() != late.context.thread())
            .find_map(|(early, late)| late.is_behind(model, early, is_proven))
    })
}

/// A wait by which the first of each of these pairs may come behind the second.
pub(crate) fn behind<'m>(
    model: &Model<'_>,
    pairs: impl Iterator<Item = (&'m Context, &'m Context)>,
    is_proven: bool,
) -> Option<Wait> {
    of_all(model, pairs, |(late, early)| Side::new(model, late).is_behind(model, &Side::new(model, early), is_proven))
}

/// The first of the waits, if there is one for each. In a trace that says all that was read and written there is no order but what it
/// says.
fn of_all<T>(model: &Model<'_>, all: impl Iterator<Item = T>, wait: impl Fn(T) -> Option<Wait>) -> Option<Wait> {
    let mut found = None;
    for each in all.take(MOST_SAME).filter(|_| !is_complete(model.trace)) {
        let wait = wait(each)?;
        found.get_or_insert(wait);
    }
    found
}

/// One side of a ring, or of a pair.
struct Side<'m> {
    context: &'m Context,
    /// Where it waits before, and for what.
    waits: Option<(Waits, SiteDef)>,
    /// What it sets afterwards.
    sets: Names,
    /// What its files set anywhere.
    set_in_file: Names,
}

impl<'m> Side<'m> {
    fn new(model: &Model<'_>, context: &'m Context) -> Side<'m> {
        let mut side = Side { context, waits: None, sets: Names::new(), set_in_file: Names::new() };
        for site in places(model, context) {
            let place = Place::new(model.sources, &model.files, &site);
            side.sets.extend(place.sets());
            side.set_in_file.extend(place.set_in_file().iter().cloned());
            side.waits = side.waits.or_else(|| place.waits().map(|(waits, line)| (waits, SiteDef { line, column: 1, ..site })));
        }
        side
    }

    /// The wait by which this side comes behind the other.
    fn is_behind(&self, model: &Model<'_>, other: &Side<'_>, is_proven: bool) -> Option<Wait> {
        let wait = |what, site: &SiteDef| Wait { thread: self.context.thread(), site: site.clone(), what };
        if let Some(site) = self.spins_behind(model, other) {
            return Some(wait(For::Atomic, site));
        }
        if is_proven {
            return None;
        }
        if let Some(site) = met::met(model, self.context, other.context) {
            return Some(wait(For::Condition, model.site(site)?));
        }
        Some(wait(For::Gate, model.site(gate::shared(model, self.context, other.context)?)?))
    }

    /// Where it waits for an atomic, if that is why it comes behind the other.
    fn spins_behind(&self, model: &Model<'_>, other: &Side<'_>) -> Option<&SiteDef> {
        let (waits, site) = self.waits.as_ref()?;
        let came_later = || came_later(model, self.context, other.context);
        let is_behind = match waits {
            Waits::Owners => came_later(),
            Waits::Test(tested) => !tested.is_disjoint(&other.sets) && came_later(),
            Waits::Atomic(awaited) if awaited.is_disjoint(&other.sets) => {
                // A clone may have any name. But who waits at a gate that others open, or that both wait at, waits for no side.
                let is_others = !awaited.is_disjoint(&self.set_in_file) || !awaited.is_disjoint(other.awaits());
                !other.sets.is_empty() && !is_others && came_later()
            }
            Waits::Atomic(_) => !self.sets.is_disjoint(other.awaits()) || came_later(),
        };
        is_behind.then_some(site)
    }

    /// The atomics that it waits for.
    fn awaits(&self) -> &Names {
        static NONE: Names = Names::new();
        match &self.waits {
            Some((Waits::Atomic(names), _)) => names,
            _ => &NONE,
        }
    }
}

/// Where a side is, and where it was called from.
fn places(model: &Model<'_>, context: &Context) -> impl Iterator<Item = SiteDef> {
    let calls = calls::all(model, context).into_iter().take(CALLS).map(|call| call.site);
    model.site(context.site).cloned().into_iter().chain(calls)
}

/// Whether all of the first, as far as it is kept, was after all of the second in this run.
fn came_later(model: &Model<'_>, late: &Context, early: &Context) -> bool {
    let time = |context: &Context, index: Option<u32>| {
        let number = usize::try_from(index?).ok()?;
        Some(model.files.events(model, context.thread())?.nth(number)?.time)
    };
    let first = time(late, late.moments.kept().map(|(index, _)| index).min());
    let last = time(early, early.moments.kept().map(|(index, _)| index).max());
    first.zip(last).is_some_and(|(first, last)| first > last)
}
