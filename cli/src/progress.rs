//! Says what takes long, on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on standard error that goes away when it is dropped. Nothing is shown of what takes less than a moment, nor where standard
/// error is no terminal.
pub(crate) struct Progress(ProgressBar);

/// What takes less is not worth a line.
const MOMENT: Duration = Duration::from_millis(250);

impl Progress {
    /// Begins with what is done now.
    pub(crate) fn start(doing: impl Into<String>) -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("conccheck: {spinner} {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        let progress = Progress(bar);
        progress.now(doing);
        progress.0.enable_steady_tick(MOMENT);
        progress
    }

    /// What is done from now on.
    pub(crate) fn now(&self, doing: impl Into<String>) {
        let doing = doing.into();
        crate::failure::detail(format_args!("{doing}"));
        self.0.set_message(doing);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
