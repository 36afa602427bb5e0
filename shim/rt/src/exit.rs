//! The orderly end of a process: the trace is marked as whole, and turned into JSON where that was asked for.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use conccheck_trace::json_write;

use crate::file::Files;
use crate::session::Session;
use crate::{local, recorder};

/// Runs among the exit handlers of the process. Other threads may still run.
pub(crate) extern "C" fn at_exit() {
    let Some(session) = recorder::session() else { return };
    local::flush();
    session.drain();
    session.slots.give_disk_back();
    session.note_end();
    write_json(session);
}

/// Turns the trace into JSON, where that was asked for. Nothing is recorded any more then.
pub(crate) fn write_json(session: &Session) {
    let Some(json) = &session.files.json else { return };
    recorder::stop();
    match convert(&session.files, json) {
        Ok(()) => session.files.remove(),
        Err(error) => {
            let (json, log) = (json.display(), session.files.log_path.display());
            let _ = writeln!(io::stderr(), "conccheck: cannot write {json}: {error}; the trace stays in {log}");
        }
    }
}

fn convert(files: &Files, json: &Path) -> io::Result<()> {
    let log = fs::read(&files.log_path)?;
    let live = fs::read(&files.live_path)?;
    let mut out = BufWriter::with_capacity(1 << 16, File::create(json)?);
    json_write::convert(&log, &live, &mut out)?;
    out.flush()
}
