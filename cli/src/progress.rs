//! Says what takes long, on a terminal only.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on standard error that goes away when it is dropped. Nothing is shown of what takes less than a moment, nor where standard
/// error is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Waits until it is worth a line; ends when the other half is gone.
    patience: Option<(Sender<()>, JoinHandle<()>)>,
}

/// What takes less is not worth a line.
const MOMENT: Duration = Duration::from_millis(250);

impl Progress {
    /// Begins with what is done now.
    pub(crate) fn start(doing: impl Into<String>) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("conccheck: {spinner} {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        let (done, is_done) = mpsc::channel();
        let shown = bar.clone();
        let patience = thread::spawn(move || {
            if is_done.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(MOMENT);
            }
        });
        let progress = Progress { bar, patience: Some((done, patience)) };
        progress.now(doing);
        progress
    }

    /// What is done from now on.
    pub(crate) fn now(&self, doing: impl Into<String>) {
        let doing = doing.into();
        crate::failure::detail(format_args!("{doing}"));
        self.bar.set_message(doing);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, patience)) = self.patience.take() {
            drop(done);
            let _ = patience.join();
        }
        self.bar.finish_and_clear();
    }
}
