//! Writes a trace that was read in any of the formats.

mod std_write;

use std::io::{self, BufWriter, Write};

use crate::ids::ThreadId;
use crate::json_write;
use crate::read::{ProcessTrace, Tables};
use crate::wire::Definition;
use crate::write::LogWriter;

/// A format of traces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// The log (`.cct`): compact, and the fastest to read.
    Binary,
    /// One event a line, for people and other programs.
    Json,
    /// The field's exchange format. It knows neither times nor channels, and no reading of locks.
    Std,
}

impl Format {
    /// The format that a file's name asks for.
    pub fn of_name(name: &str) -> Option<Format> {
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if ends(&[".cct"]) {
            Some(Format::Binary)
        } else if ends(&[".json"]) {
            Some(Format::Json)
        } else if ends(&[".std", ".data"]) {
            Some(Format::Std)
        } else {
            None
        }
    }
}

/// Writes `trace`; returns how many of its events the format can't say.
///
/// # Errors
/// What `out` says.
pub fn write(trace: &ProcessTrace, format: Format, out: &mut dyn Write) -> io::Result<u64> {
    let out = BufWriter::with_capacity(1 << 16, out);
    match format {
        Format::Binary => binary(trace, out).map(|()| 0),
        Format::Json => json(trace, out).map(|()| 0),
        Format::Std => std_write::write(trace, out),
    }
}

fn binary(trace: &ProcessTrace, out: impl Write) -> io::Result<()> {
    let mut log = LogWriter::new(out, &trace.header)?;
    let threads = trace.threads();
    let first = threads.first().copied().unwrap_or(ThreadId(1));
    for definition in definitions(&trace.tables) {
        log.define(first, definition)?;
    }
    for thread in threads {
        trace.events(thread).try_for_each(|record| log.record(thread, record))?;
    }
    log.finish().map(|_| ())
}

fn json(trace: &ProcessTrace, out: impl Write) -> io::Result<()> {
    let mut out = json_write::Writer::begin(out, &trace.header)?;
    for definition in definitions(&trace.tables) {
        let type_name = match definition {
            Definition::Object { type_name, .. } => trace.tables.string(type_name),
            _ => None,
        };
        out.define(definition, type_name.unwrap_or_default())?;
    }
    out.events(trace.threads().into_iter().map(|thread| (thread, trace.events(thread))))?;
    out.end()
}

fn definitions(tables: &Tables) -> impl Iterator<Item = Definition<'_>> {
    let strings = tables.strings().map(|(id, text)| Definition::String { id, text });
    let sites = tables.sites().map(|(id, def)| Definition::Site { id, file: &def.file, line: def.line, column: def.column });
    let objects = tables.objects().map(|(id, def)| Definition::Object {
        id,
        kind: def.kind,
        created: def.created,
        type_name: def.type_name,
    });
    let frames =
        tables.frames().map(|(id, def)| Definition::Frame { id, caller: def.caller, module: def.module, address: def.address });
    strings.chain(sites).chain(objects).chain(frames)
}
