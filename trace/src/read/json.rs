//! Reads JSON traces (see [`json_write`](crate::json_write) for their shape): any valid document of that shape, and the beginning of
//! one that was cut off or damaged.

mod entry;

use std::fmt;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Error, Header, Packer, ProcessTrace, Tables};
use crate::ids::Ticks;
use crate::version::{CURRENT, Mismatch, Version};

/// Reads a document; `bytes` begins with its brace, `lines_before` lines stand before. `cut`: why there are no more bytes.
pub(super) fn read(path: &Path, bytes: &[u8], lines_before: usize, cut: Option<io::Error>) -> Result<ProcessTrace, Error> {
    let mut document = Document::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let outcome = deserializer.deserialize_map(&mut document).and_then(|()| deserializer.end());
    let path_buf = path.to_owned();
    if let Some(mismatch) = document.mismatch {
        return Err(Error::Version { path: path_buf, mismatch });
    }
    let mut warnings = Vec::new();
    if let Err(error) = outcome {
        let line = lines_before + error.line();
        let what = cut.map_or_else(|| describe(&error), |cut| format!("{} ({cut})", describe(&error)));
        if !document.in_entries {
            return Err(match (document.version, error.is_eof()) {
                (Some(_), true) => Error::CutHeader { path: path_buf, offset: bytes.len() as u64 },
                (Some(_), false) => Error::malformed(path, line, what),
                (None, _) => Error::NotATrace { path: path_buf, looks_like: "JSON that is damaged or cut off".to_owned() },
            });
        }
        warnings.push(format!("{}:{line}: {what}; all before this place was read", path.display()));
    }
    if document.version.is_none() {
        let looks_like = "JSON of another kind: it has no `conccheck-trace`".to_owned();
        return Err(Error::NotATrace { path: path_buf, looks_like });
    }
    let Document { header, tables, events, .. } = document;
    let mut trace = ProcessTrace::from_events(path_buf, header.into(), tables, events);
    trace.warnings = warnings;
    Ok(trace)
}

/// What the parser says, without its own line and column.
fn describe(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "the file ends within the document".to_owned();
    }
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// What was read so far.
#[derive(Default)]
struct Document {
    version: Option<Version>,
    mismatch: Option<Mismatch>,
    header: HeaderFields,
    tables: Tables,
    events: Packer,
    in_entries: bool,
}

impl<'de> Visitor<'de> for &mut Document {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trace")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "conccheck-trace" => {
                    let text = map.next_value::<String>()?;
                    let numbers = text.split_once('.').and_then(|(a, b)| a.parse().ok().zip(b.parse().ok()));
                    let (major, minor) = numbers.ok_or_else(|| serde::de::Error::custom("the version is not `MAJOR.MINOR`"))?;
                    let version = Version { major, minor };
                    self.version = Some(version);
                    if let Err(mismatch) = version.check_readable_by(CURRENT) {
                        self.mismatch = Some(mismatch);
                        return Err(serde::de::Error::custom("of another version"));
                    }
                }
                "header" => self.header = map.next_value()?,
                "entries" => map.next_value_seed(Entries(self))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The array of entries, each used as soon as it is read.
struct Entries<'a>(&'a mut Document);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.in_entries = true;
        while let Some(()) = entries.next_element_seed(entry::Seed { tables: &mut self.0.tables, events: &mut self.0.events })? {}
        Ok(())
    }
}

/// The header as it stands in the document.
#[derive(Deserialize)]
#[serde(default)]
struct HeaderFields {
    program: String,
    args: Vec<String>,
    pid: u32,
    working_dir: String,
    rustc: String,
    started_unix: u64,
    ticks_per_second: f64,
    start_ticks: u64,
    end_ticks: u64,
    clean_end: bool,
    deadlock_end: bool,
    facts: Facts,
    lost: Option<Lost>,
}

impl Default for HeaderFields {
    /// What a document that was written by hand may leave out.
    fn default() -> Self {
        HeaderFields {
            program: String::new(),
            args: Vec::new(),
            pid: 0,
            working_dir: String::new(),
            rustc: String::new(),
            started_unix: 0,
            ticks_per_second: 1e9,
            start_ticks: 0,
            end_ticks: 0,
            clean_end: true,
            deadlock_end: false,
            facts: Facts::default(),
            lost: None,
        }
    }
}

#[derive(Deserialize)]
struct Lost {
    count: u64,
    reason: String,
}

impl From<HeaderFields> for Header {
    fn from(fields: HeaderFields) -> Header {
        Header {
            program: fields.program,
            args: fields.args,
            pid: fields.pid,
            working_dir: fields.working_dir,
            rustc: fields.rustc,
            started_unix: fields.started_unix,
            ticks_per_second: fields.ticks_per_second,
            start_ticks: Ticks(fields.start_ticks),
            end_ticks: Ticks(fields.end_ticks),
            clean_end: fields.clean_end,
            deadlock_end: fields.deadlock_end,
            facts: fields.facts.0,
            lost: fields.lost.map(|lost| (lost.count, lost.reason)),
        }
    }
}

/// An object's members in their order; a key may come twice.
#[derive(Default)]
struct Facts(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Facts, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Facts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("facts by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Facts, A::Error> {
                let mut facts = Vec::new();
                while let Some(fact) = map.next_entry()? {
                    facts.push(fact);
                }
                Ok(Facts(facts))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
