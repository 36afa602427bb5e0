//! Reads the STD format of the field: one event a line, `THREAD|OPERATION(OPERAND)|LOCATION`, in the order in which they happened.
//!
//! | operation | becomes |
//! |---|---|
//! | `acq`, `rel` | `Acquire` and `Release` of the outermost section: inner ones of a re-entrant lock are dropped |
//! | `req` | `Request` where the thread recorded nothing behind it, otherwise nothing |
//! | `r`, `w` | `Read`, `Write` |
//! | `fork`, `join`, `begin`, `end` | `Spawn`, `Join`, `Start`, `End` |
//! | `wait` | `Release` and `Wait`, and before the thread's next event `Wake` and `Acquire` |
//! | `notify`, `notifyAll` | `Notify` |
//!
//! Threads, operands and locations are free words; `T` before a thread's number may be left out. The clock of such a trace counts
//! events, so that merging its threads by time gives the order of the file. A section's `wrote` is false: what a section touched
//! stands in the trace itself. A location that is a number is a line of the file itself, `FILE:LINE` one of that file.
//!
//! What can't have happened is an error: a release by a thread that does not hold the lock, an acquisition of a lock that another
//! thread holds. The exception are monitors whose `wait` was not recorded: there another thread's section lies within. So an
//! acquisition while the lock is held is a warning if the section that it begins also ends.

mod emit;
mod line;

use std::io::BufRead;
use std::path::Path;

use super::{Error, ProcessTrace};
use emit::Emitter;

/// Reads a trace; `lines_before` blank lines stand before what `input` still has.
pub(super) fn read(path: &Path, mut input: impl BufRead, lines_before: usize) -> Result<ProcessTrace, Error> {
    let mut emitter = Emitter::new(path);
    let mut warnings = Vec::new();
    let mut bytes = Vec::new();
    let mut number = lines_before;
    loop {
        bytes.clear();
        number += 1;
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => break,
            Ok(_) => {}
            // What was decompressed before is good.
            Err(error) if !emitter.is_empty() => {
                warnings.push(format!("{}:{number}: the file is damaged here, all before was read: {error}", path.display()));
                break;
            }
            Err(error) => return Err(Error::io(path, error)),
        }
        let is_whole = bytes.last() == Some(&b'\n');
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::malformed(path, number, "is not text"))?.trim();
        if text.is_empty() {
            continue;
        }
        match line::parse(text) {
            Ok(parsed) => emitter.push(number, &parsed)?,
            Err(_) if !is_whole && !text.contains(')') && !emitter.is_empty() => {
                warnings.push(format!("{}:{number}: the file ends within a line, all before was read", path.display()));
            }
            Err(what) => return Err(Error::malformed(path, number, what)),
        }
    }
    let mut trace = emitter.finish()?;
    warnings.append(&mut trace.warnings);
    trace.warnings = warnings;
    Ok(trace)
}
