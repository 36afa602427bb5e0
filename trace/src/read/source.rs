//! Where the events of a process lie, encoded; they are decoded whenever they are asked for.

use std::ops::Range;

use super::map::Mapping;
use crate::event::Record;
use crate::ids::{ThreadId, Ticks};
use crate::wire::{Decoder, Sink};

/// The events of all threads.
#[derive(Debug)]
pub(crate) struct Source {
    /// The log, mapped; none if all is in memory.
    log: Option<Mapping>,
    /// In order of their ids.
    threads: Vec<Thread>,
}

/// Where a thread's events are.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) id: ThreadId,
    events: u64,
    pieces: Vec<Piece>,
}

/// The entries of one chunk, which decode without a fault.
#[derive(Debug)]
struct Piece {
    start: Ticks,
    place: Place,
}

/// Where entries are.
#[derive(Debug)]
pub(super) enum Place {
    /// At these bytes of the log.
    Log(Range<usize>),
    /// Here.
    Memory(Box<[u8]>),
}

impl Thread {
    /// A thread without events.
    pub(super) fn new(id: ThreadId) -> Thread {
        Thread { id, events: 0, pieces: Vec::new() }
    }

    /// Adds the entries of a chunk: so many events, the first of them at `start` or later.
    pub(super) fn add(&mut self, events: u64, start: Ticks, place: Place) {
        self.events += events;
        self.pieces.push(Piece { start, place });
    }
}

impl Source {
    /// The events of these threads.
    pub(super) fn new(log: Option<Mapping>, mut threads: Vec<Thread>) -> Source {
        threads.retain(|thread| thread.events > 0);
        threads.sort_by_key(|thread| thread.id);
        Source { log, threads }
    }

    pub(super) fn threads(&self) -> impl Iterator<Item = (ThreadId, u64)> + '_ {
        self.threads.iter().map(|thread| (thread.id, thread.events))
    }

    pub(super) fn events(&self, thread: ThreadId) -> Events<'_> {
        let found = self.threads.binary_search_by_key(&thread, |thread| thread.id);
        let pieces = found.map_or(&[][..], |i| &self.threads[i].pieces);
        Events { source: self, pieces: pieces.iter(), current: None, decoder: Decoder::new(&[], Ticks(0)) }
    }

    fn log(&self, bytes: &Range<usize>) -> &[u8] {
        self.log.as_ref().and_then(|log| log.get(bytes.clone())).unwrap_or_default()
    }
}

/// The events of one thread, in program order. Decodes as it goes.
#[derive(Debug)]
pub struct Events<'a> {
    source: &'a Source,
    pieces: std::slice::Iter<'a, Piece>,
    current: Option<&'a Piece>,
    decoder: Decoder<'a>,
}

impl<'a> Events<'a> {
    /// Reads the next entry into `sink`; `None` at the end.
    #[inline]
    pub(super) fn read(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        loop {
            if let Some(Ok(())) = self.decoder.next_entry(sink) {
                return Some(());
            }
            self.next_piece()?;
        }
    }

    #[cold]
    fn next_piece(&mut self) -> Option<()> {
        let piece = self.pieces.next()?;
        let entries = match &piece.place {
            Place::Log(bytes) => self.source.log(bytes),
            Place::Memory(bytes) => bytes,
        };
        self.decoder.restart(entries, piece.start);
        if let Some(Piece { place: Place::Log(bytes), .. }) = self.current.replace(piece)
            && let Some(log) = &self.source.log
        {
            log.let_go(bytes.clone());
        }
        Some(())
    }
}

impl Iterator for Events<'_> {
    type Item = Record;

    #[inline]
    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(Ok(record)) = self.decoder.next_record(|_| {}) {
                return Some(record);
            }
            self.next_piece()?;
        }
    }
}
