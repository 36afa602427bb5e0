//! The events of one thread in larger steps.

use super::Events;
use crate::event::Event;
use crate::step::{Section, Step};

/// The events of one thread, in program order; a section is one step, however it was recorded.
#[derive(Debug)]
pub struct Steps<'a> {
    events: Events<'a>,
    /// What followed an acquisition and was not its release.
    ahead: Option<Step>,
}

impl<'a> Steps<'a> {
    pub(super) fn new(events: Events<'a>) -> Steps<'a> {
        Steps { events, ahead: None }
    }
}

impl Iterator for Steps<'_> {
    type Item = Step;

    #[inline]
    fn next(&mut self) -> Option<Step> {
        let step = match self.ahead.take() {
            Some(step) => step,
            None => self.events.next_step()?,
        };
        let Step::Event(acquisition) = step else { return Some(step) };
        if !matches!(acquisition.event, Event::Acquire { .. }) {
            return Some(step);
        }
        let Some(after) = self.events.next_step() else { return Some(step) };
        if let Step::Event(release) = after
            && let Some(section) = Section::of(&acquisition, &release)
        {
            return Some(Step::Section(section));
        }
        self.ahead = Some(after);
        Some(step)
    }
}
