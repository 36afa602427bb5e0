//! Writes a trace as JSON: one entry a line inside a valid document, so that it is readable when cut off.
//!
//! ```json
//! {"conccheck-trace":"1.1","header":{"program":"target/debug/bank","args":[],…},"entries":[
//! {"string":1,"text":"u32"},
//! {"site":1,"file":"src/bank.rs","line":3,"column":5},
//! {"object":1,"kind":"mutex","created":1,"type_name":1,"type":"u32"},
//! {"thread":1,"time":1234,"event":"acquire","lock":1,"site":1,"mode":"exclusive","how":"blocking","order":1},
//! ]}
//! ```
//! Definitions come first, then the events of all threads by time. `time` is in ticks of the recorder's clock: the header's
//! `start_ticks` is its start, `ticks_per_second` its rate (1000000000: ticks are nanoseconds). A document without its
//! last line was cut. This module has no dependency, since the recorder converts with it at the end of the process.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::{self, Write};

use crate::chunk::{self, Chunk};
use crate::event::{Event, Record};
use crate::header::Header;
use crate::ids::ThreadId;
use crate::version::CURRENT;
use crate::wire::field::{Field, Plain};
use crate::wire::table::event_table;
use crate::wire::{Decoder, Definition};

/// Converts a log, with the file of its live slots (may be empty), to JSON. Damaged parts are left out.
///
/// # Errors
/// What `out` says; [`io::ErrorKind::InvalidData`] if `log` does not begin as a log of this version does.
pub fn convert(log: &[u8], live: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let files = chunk::files(log, live, |_| {}).map_err(|start| io::Error::new(io::ErrorKind::InvalidData, start.to_string()))?;
    let mut out = Writer::begin(io::BufWriter::with_capacity(1 << 16, out), &Header::of(&files))?;
    let mut definitions = Definitions::default();
    for chunk in &files.chunks {
        let mut decoder = Decoder::new(chunk.entries, chunk.start);
        while decoder.next_record(|definition| definitions.add(definition)).is_some_and(|record| record.is_ok()) {}
    }
    definitions.write(&mut out)?;
    let threads = files.chunks.chunk_by(|a, b| a.thread == b.thread);
    let threads = threads.map(|chunks| (chunks[0].thread, Thread { chunks: chunks.iter(), decoder: None }));
    out.events(threads)?;
    out.end()
}

/// What the ids mean, each once: the first definition counts.
#[derive(Default)]
struct Definitions<'a> {
    strings: BTreeMap<u32, &'a str>,
    sites: BTreeMap<u32, Definition<'a>>,
    objects: BTreeMap<u32, Definition<'a>>,
    frames: BTreeMap<u32, Definition<'a>>,
}

impl<'a> Definitions<'a> {
    fn add(&mut self, definition: Definition<'a>) {
        match definition {
            Definition::String { id, text } => {
                self.strings.entry(id.0).or_insert(text);
            }
            Definition::Site { id, .. } => {
                self.sites.entry(id.0).or_insert(definition);
            }
            Definition::Object { id, .. } => {
                self.objects.entry(id.0).or_insert(definition);
            }
            Definition::Frame { id, .. } => {
                self.frames.entry(id.0).or_insert(definition);
            }
        }
    }

    fn write(&self, out: &mut Writer<impl Write>) -> io::Result<()> {
        for (&id, text) in &self.strings {
            out.define(Definition::String { id: crate::StringId(id), text }, "")?;
        }
        for definition in self.sites.values() {
            out.define(*definition, "")?;
        }
        for definition in self.objects.values() {
            let type_name = match definition {
                Definition::Object { type_name, .. } => self.strings.get(&type_name.0),
                _ => None,
            };
            out.define(*definition, type_name.unwrap_or(&""))?;
        }
        for definition in self.frames.values() {
            out.define(*definition, "")?;
        }
        Ok(())
    }
}

/// The events of one thread, chunk by chunk.
struct Thread<'c, 'a> {
    chunks: std::slice::Iter<'c, Chunk<'a>>,
    decoder: Option<Decoder<'a>>,
}

impl Iterator for Thread<'_, '_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(Ok(record)) = self.decoder.as_mut().and_then(|decoder| decoder.next_record(|_| {})) {
                return Some(record);
            }
            let chunk = self.chunks.next()?;
            self.decoder = Some(Decoder::new(chunk.entries, chunk.start));
        }
    }
}

/// Writes a document entry by entry.
pub(crate) struct Writer<W> {
    out: W,
    first: bool,
}

impl<W: Write> Writer<W> {
    /// Writes what stands before the entries.
    pub(crate) fn begin(mut out: W, header: &Header) -> io::Result<Writer<W>> {
        write!(out, "{{\"conccheck-trace\":\"{CURRENT}\",\"header\":{{\"program\":")?;
        string(&mut out, &header.program)?;
        out.write_all(b",\"args\":[")?;
        for (i, arg) in header.args.iter().enumerate() {
            out.write_all(if i > 0 { b"," } else { b"" })?;
            string(&mut out, arg)?;
        }
        write!(out, "],\"pid\":{},\"working_dir\":", header.pid)?;
        string(&mut out, &header.working_dir)?;
        out.write_all(b",\"rustc\":")?;
        string(&mut out, &header.rustc)?;
        let rate = if header.ticks_per_second.is_finite() { header.ticks_per_second } else { 0.0 };
        write!(out, ",\"started_unix\":{},\"ticks_per_second\":{rate},", header.started_unix)?;
        write!(out, "\"start_ticks\":{},\"end_ticks\":{},", header.start_ticks.0, header.end_ticks.0)?;
        write!(out, "\"clean_end\":{},", header.clean_end)?;
        write!(out, "\"deadlock_end\":{},\"facts\":{{", header.deadlock_end)?;
        for (i, (key, value)) in header.facts.iter().enumerate() {
            out.write_all(if i > 0 { b"," } else { b"" })?;
            string(&mut out, key)?;
            out.write_all(b":")?;
            string(&mut out, value)?;
        }
        out.write_all(b"}")?;
        if let Some((count, reason)) = &header.lost {
            write!(out, ",\"lost\":{{\"count\":{count},\"reason\":")?;
            string(&mut out, reason)?;
            out.write_all(b"}")?;
        }
        out.write_all(b"},\"entries\":[")?;
        Ok(Writer { out, first: true })
    }

    fn line(&mut self) -> io::Result<()> {
        let comma = !std::mem::replace(&mut self.first, false);
        self.out.write_all(if comma { b",\n" } else { b"\n" })
    }

    /// Writes a definition. `type_text`: what an object's type name means.
    pub(crate) fn define(&mut self, definition: Definition<'_>, type_text: &str) -> io::Result<()> {
        self.line()?;
        match definition {
            Definition::String { id, text } => {
                write!(self.out, "{{\"string\":{},\"text\":", id.0)?;
                string(&mut self.out, text)?;
            }
            Definition::Site { id, file, line, column } => {
                write!(self.out, "{{\"site\":{},\"file\":", id.0)?;
                string(&mut self.out, file)?;
                write!(self.out, ",\"line\":{line},\"column\":{column}")?;
            }
            Definition::Object { id, kind, created, type_name } => {
                write!(self.out, "{{\"object\":{},\"kind\":", id.0)?;
                value(&mut self.out, kind.plain())?;
                write!(self.out, ",\"created\":{},\"type_name\":{}", created.0, type_name.0)?;
                if type_name.is_some() {
                    self.out.write_all(b",\"type\":")?;
                    string(&mut self.out, type_text)?;
                }
            }
            Definition::Frame { id, caller, module, address } => {
                let (id, caller, module) = (id.0, caller.0, module.0);
                write!(self.out, "{{\"frame\":{id},\"caller\":{caller},\"module\":{module},\"address\":{address}")?;
            }
        }
        self.out.write_all(b"}")
    }

    /// Writes the events of all threads, merged by time.
    pub(crate) fn events<I: Iterator<Item = Record>>(&mut self, threads: impl Iterator<Item = (ThreadId, I)>) -> io::Result<()> {
        let mut threads: Vec<_> = threads.collect();
        let mut heads: Vec<_> = threads.iter_mut().map(|(_, records)| records.next()).collect();
        let head = |i: usize, head: &Option<Record>| head.map(|record| Reverse((record.time, i)));
        let mut queue: BinaryHeap<_> = heads.iter().enumerate().filter_map(|(i, record)| head(i, record)).collect();
        while let Some(Reverse((_, i))) = queue.pop() {
            let (thread, records) = &mut threads[i];
            if let Some(record) = std::mem::replace(&mut heads[i], records.next()) {
                let thread = *thread;
                self.event(thread, record)?;
            }
            queue.extend(head(i, &heads[i]));
        }
        Ok(())
    }

    fn event(&mut self, thread: ThreadId, record: Record) -> io::Result<()> {
        self.line()?;
        write!(self.out, "{{\"thread\":{},\"time\":{},\"event\":\"", thread.0, record.time.0)?;
        fields(&mut self.out, record.event)?;
        self.out.write_all(b"}")
    }

    /// Writes what stands behind the entries.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}

macro_rules! json_table {
    ($($tag:literal $name:ident $json:literal { $($field:ident)* })*) => {
        /// Writes an event's name and fields, from within the quotes of the name.
        fn fields(out: &mut impl Write, event: Event) -> io::Result<()> {
            match event {
                $(Event::$name { $($field),* } => {
                    out.write_all(concat!($json, "\"").as_bytes())?;
                    $(field(out, stringify!($field), $field.plain())?;)*
                })*
                Event::Acquire { lock, site, mode, how, order } => {
                    write!(out, "acquire\",\"lock\":{},\"site\":{},\"mode\":", lock.0, site.0)?;
                    value(out, mode.plain())?;
                    out.write_all(b",\"how\":")?;
                    value(out, how.plain())?;
                    write!(out, ",\"order\":{}", order.0)?;
                }
                Event::Release { lock, wrote, unwinding } => {
                    write!(out, "release\",\"lock\":{},\"wrote\":{wrote},\"unwinding\":{unwinding}", lock.0)?;
                }
            }
            Ok(())
        }
    };
}
event_table!(json_table);

fn field(out: &mut impl Write, name: &str, plain: Plain) -> io::Result<()> {
    // `thread` says who acts; the thread that is acted on has another name (see `Event::Unpark`).
    let name = if name == "thread" { "target" } else { name };
    write!(out, ",\"{name}\":")?;
    value(out, plain)
}

fn value(out: &mut impl Write, plain: Plain) -> io::Result<()> {
    match plain {
        Plain::Number(number) => write!(out, "{number}"),
        Plain::Bool(bool) => write!(out, "{bool}"),
        Plain::Name(name) => write!(out, "\"{name}\""),
        Plain::Null => out.write_all(b"null"),
    }
}

fn string(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut plain = 0;
    for (i, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_all(&text.as_bytes()[plain..i])?;
        match byte {
            b'"' | b'\\' => out.write_all(&[b'\\', byte])?,
            b'\n' => out.write_all(b"\\n")?,
            b'\t' => out.write_all(b"\\t")?,
            _ => write!(out, "\\u{byte:04x}")?,
        }
        plain = i + 1;
    }
    out.write_all(&text.as_bytes()[plain..])?;
    out.write_all(b"\"")
}
