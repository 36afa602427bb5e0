//! Cancellation tokens and scopes.

use conccheck_trace::{Event, ObjectId, SiteId, Ticks};

use super::super::cancel::Scope;
use super::Builder;

/// Late acquisitions remembered for each scope.
const LATE: usize = 64;

/// Handles of tokens that a thread cloned directly before what it does next.
#[derive(Default)]
pub(super) struct Cloned {
    tokens: Vec<(ObjectId, SiteId)>,
    /// The thread's event that was a clone last.
    at: u32,
}

impl Builder<'_> {
    pub(super) fn cancel_event(&mut self, t: usize, index: u32, time: Ticks, event: Event) {
        match event {
            Event::TokenClone { token, site } => {
                self.note_clone(t, index);
                self.tracks[t].cloned.tokens.push((token, site));
            }
            Event::Cancel { token, site } => {
                let moment = self.publish(t, index);
                let state = self.model.tokens.at(token.0);
                // One that was cancelled already has been reset since.
                state.cancelled = Some((t, time, site));
                state.published = Some(moment);
                for listener in state.listeners.values_mut() {
                    (listener.told, listener.times) = (None, Default::default());
                }
            }
            Event::CancelWait { .. } => self.begin_op(t, time, event),
            Event::CancelLook { token, site, cancelled } => {
                self.end_op(t, time);
                let idled = self.model.threads[t].idled;
                let state = self.model.tokens.at(token.0);
                let listener = state.listeners.entry(t).or_default();
                if cancelled {
                    listener.told.get_or_insert((time, site, idled));
                    *listener.times.entry(site).or_default() += 1;
                } else {
                    listener.went_by = Some((index, site));
                    if listener.told.take().is_some() {
                        // The flag was reset.
                        listener.times.clear();
                        state.cancelled = None;
                    }
                }
                if let Some(moment) = state.published.clone().filter(|_| cancelled) {
                    self.learn(t, &moment);
                }
            }
            Event::ScopeBegin { scope, site } => {
                let number = u32::try_from(self.model.scopes.len()).unwrap_or(u32::MAX);
                self.model.scopes.push(Scope { id: scope, thread: t, site, ended: None, late: Vec::new() });
                self.tracks[t].scopes.push(number);
            }
            Event::ScopeEnd { scope } => {
                let scopes = &mut self.model.scopes;
                self.tracks[t].scopes.retain(|number| scopes[*number as usize].id != scope);
                if let Some(scope) = scopes.iter_mut().rev().find(|other| other.id == scope) {
                    scope.ended = Some(time);
                }
            }
            _ => {}
        }
    }

    /// Notes that the thread's event is the clone of a handle: handles are often cloned in a row for a thread that is to be started.
    pub(super) fn note_clone(&mut self, t: usize, index: u32) {
        let cloned = &mut self.tracks[t].cloned;
        if cloned.at + 1 != index {
            cloned.tokens.clear();
        }
        cloned.at = index;
    }

    /// Gives a thread that is started what was cloned for it, and the scopes that its parent is in.
    pub(super) fn hand_down(&mut self, t: usize, index: u32, child: usize) {
        let cloned = &self.tracks[t].cloned;
        if cloned.at + 1 == index {
            for (token, site) in &cloned.tokens {
                self.model.tokens.at(token.0).given.insert(child, *site);
            }
        }
        let mut scopes = self.model.threads[t].scopes.clone();
        scopes.extend(&self.tracks[t].scopes);
        self.model.threads[child].scopes = scopes;
    }

    /// Notes an acquisition by a thread of scopes, if one of them has ended.
    pub(super) fn note_late(&mut self, t: usize, lock: ObjectId, site: SiteId) {
        for number in &self.model.threads[t].scopes {
            let scope = &mut self.model.scopes[*number as usize];
            if scope.ended.is_some() && scope.late.len() < LATE {
                scope.late.push((lock, t, site));
            }
        }
    }
}
