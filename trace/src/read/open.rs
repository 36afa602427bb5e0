//! The one way in: finds out what a path holds, and reads it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Error, ProcessTrace, binary, json, std_format};
use crate::layout::{LIVE_MAGIC, MAGIC};

/// Reads the traces at `path`: a binary log (`NAME.cct`, with `NAME.cct.live` beside it where the process was killed), a JSON trace,
/// a trace in STD format (both also compressed by gzip), or a folder of such files. What a file is, its content decides.
///
/// Of a folder, the files in it and in its folders are read, sorted by name. Files there that can't be read are warnings of the first
/// trace that can.
///
/// # Errors
/// There is nothing to read: see [`Error`]. A trace that is damaged behind its header is repaired as far as possible instead, and
/// [`ProcessTrace::warnings`] says what is missing.
pub fn open(path: &Path) -> Result<Vec<ProcessTrace>, Error> {
    if path.is_dir() { folder(path) } else { file(path).map(|trace| vec![trace]) }
}

fn folder(folder: &Path) -> Result<Vec<ProcessTrace>, Error> {
    let mut candidates = Vec::new();
    for path in list(folder)? {
        if path.is_dir() {
            candidates.extend(list(&path)?);
        } else {
            candidates.push(path);
        }
    }
    let mut traces = Vec::new();
    let mut failures = Vec::new();
    for path in &candidates {
        // A JSON trace and the log that it is converted from are one trace.
        let is_converted = path.extension().is_some_and(|ext| ext == "cct") && candidates.contains(&path.with_extension(""));
        if is_converted || !may_be_trace(path) {
            continue;
        }
        match file(path) {
            Ok(trace) => traces.push(trace),
            // Other tools' files.
            Err(Error::NotATrace { .. }) if path.extension().is_none_or(|ext| ext != "cct") => {}
            Err(error) => failures.push(error),
        }
    }
    let Some(first) = traces.first_mut() else {
        return Err(failures.into_iter().next().unwrap_or(Error::NoTraceIn { folder: folder.to_owned() }));
    };
    first.warnings.extend(failures.iter().map(|error| format!("left out: {error}")));
    Ok(traces)
}

/// The files and folders in a folder, by name.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let io = |source| Error::io(folder, source);
    let mut paths =
        fs::read_dir(folder).map_err(io)?.map(|entry| entry.map(|e| e.path()).map_err(io)).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn may_be_trace(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    path.is_file() && [".cct", ".json", ".std", ".data"].iter().any(|end| name.ends_with(end))
}

fn file(path: &Path) -> Result<ProcessTrace, Error> {
    let read = read_file(path);
    let log = path.with_added_extension("cct");
    let modified = |path: &Path| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let is_whole = matches!(&read, Ok(trace) if trace.warnings.is_empty()) && modified(path) >= modified(&log);
    if is_whole || fs::metadata(&log).map_or(0, |meta| meta.len()) == 0 {
        return read;
    }
    // A process that is to write JSON records a log beside it, and removes that once the JSON is written.
    let Ok(mut trace) = binary::open(&log) else { return read };
    let (log, path) = (log.display(), path.display());
    trace.warnings.insert(0, format!("{log}: was read instead of {path}, which the process did not come to write"));
    Ok(trace)
}

fn read_file(path: &Path) -> Result<ProcessTrace, Error> {
    let io = |source| Error::io(path, source);
    if fs::metadata(path).map_err(io)?.len() == 0 {
        return Err(Error::Empty { path: path.to_owned() });
    }
    let mut input = BufReader::new(File::open(path).map_err(io)?);
    let start = input.fill_buf().map_err(io)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        return text(path, BufReader::new(flate2::bufread::MultiGzDecoder::new(input)));
    }
    if start.starts_with(&MAGIC[..start.len().min(MAGIC.len())]) {
        return binary::open(path);
    }
    text(path, input)
}

/// Reads JSON or STD.
fn text(path: &Path, mut input: impl BufRead) -> Result<ProcessTrace, Error> {
    let io = |source| Error::io(path, source);
    let mut blanks = 0;
    let first = loop {
        let buffer = input.fill_buf().map_err(io)?;
        if buffer.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        if let Some(at) = buffer.iter().position(|byte| !byte.is_ascii_whitespace()) {
            blanks += buffer[..at].iter().filter(|&&byte| byte == b'\n').count();
            input.consume(at);
            break input.fill_buf().map_err(io)?;
        }
        blanks += buffer.iter().filter(|&&byte| byte == b'\n').count();
        let len = buffer.len();
        input.consume(len);
    };
    match looks_like(first) {
        Looks::Json => {
            let mut bytes = Vec::new();
            let cut = read_all(&mut input, &mut bytes).err();
            json::read(path, &bytes, blanks, cut)
        }
        Looks::Std => std_format::read(path, input, blanks),
        Looks::Other(looks_like) => Err(Error::NotATrace { path: path.to_owned(), looks_like }),
    }
}

/// Reads all that can be read.
fn read_all(input: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    input.read_to_end(bytes).map(|_| ())
}

enum Looks {
    Json,
    Std,
    Other(String),
}

fn looks_like(start: &[u8]) -> Looks {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = &line[..line.len().min(200)];
    if start[0] == b'{' {
        return Looks::Json;
    }
    let other = |text: &str| Looks::Other(text.to_owned());
    let Ok(text) = std::str::from_utf8(line).or_else(|error| std::str::from_utf8(&line[..error.valid_up_to()])) else {
        return other("binary data");
    };
    if text.split('|').nth(1).is_some_and(|op| op.contains('(')) {
        return Looks::Std;
    }
    if start.starts_with(b"\x7fELF") || start.starts_with(b"MZ") {
        return other("an executable: run it with `conccheck run -- PROGRAM`");
    }
    if start.starts_with(&LIVE_MAGIC) {
        return other("the live part of a log: name the file without `.live`");
    }
    if text.is_empty() || text.chars().any(|c| c.is_control() && c != '\t') {
        return other("binary data");
    }
    if start[0] == b'[' || start[0] == b'"' {
        return other("JSON of another kind");
    }
    let text: String = text.trim_end().chars().take(40).collect();
    Looks::Other(format!("text that begins with `{text}`"))
}
