//! The operations of a selection, as far as they are recorded.

use conccheck_rt::mpsc::Handle;

use crate::timer::Timer;

/// What makes an operation possible.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// What others do with the channel.
    Channel(&'a Handle),
    /// The clock.
    Timer(&'a Timer),
    /// Nothing ever does.
    Nowhere,
}

/// So many operations need no memory of their own.
const FEW: usize = 4;

/// The operations of a selection, each with its index.
#[derive(Clone, Default)]
pub(crate) struct Operations<'a> {
    few: [Option<(usize, Source<'a>)>; FEW],
    more: Vec<(usize, Source<'a>)>,
}

impl<'a> Operations<'a> {
    pub(crate) fn push(&mut self, index: usize, source: Source<'a>) {
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some((index, source)),
            None => self.more.push((index, source)),
        }
    }

    pub(crate) fn remove(&mut self, index: usize) {
        for place in &mut self.few {
            place.take_if(|(other, _)| *other == index);
        }
        self.more.retain(|(other, _)| *other != index);
    }

    fn sources(&self) -> impl Iterator<Item = Source<'a>> {
        self.few.iter().flatten().chain(&self.more).map(|(_, source)| *source)
    }

    pub(crate) fn handles(&self) -> impl Iterator<Item = &'a Handle> {
        self.sources().filter_map(|source| match source {
            Source::Channel(handle) => Some(handle),
            _ => None,
        })
    }

    /// Whether the clock will end the selection, if nothing else does.
    pub(crate) fn has_timer_that_fires(&self) -> bool {
        self.sources().any(|source| matches!(source, Source::Timer(timer) if timer.will_fire()))
    }

    /// Whether there is more than one operation that may ever be possible.
    pub(crate) fn ends_in_several_ways(&self) -> bool {
        self.sources().filter(|source| !matches!(source, Source::Nowhere)).nth(1).is_some()
    }
}
