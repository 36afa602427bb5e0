//! The orderly end of a process: the trace is marked as whole, and turned into JSON where that was asked for.

use crate::recorder;

/// Runs among the exit handlers of the process.
pub(crate) extern "C" fn at_exit() {
    if let Some(session) = recorder::session() {
        session.note_end();
    }
}
