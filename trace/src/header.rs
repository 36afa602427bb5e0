//! What a trace says about its process, as text in the log and as fields in memory.

use crate::chunk::Files;
use crate::ids::{Nanos, Ticks};

/// What the recorder said about its process.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Header {
    /// Path of the executable.
    pub program: String,
    /// Its arguments, without the program.
    pub args: Vec<String>,
    /// Process id.
    pub pid: u32,
    /// Working directory at the start: relative site paths may be relative to it or to a folder above it.
    pub working_dir: String,
    /// Version of the compiler that built the runtime.
    pub rustc: String,
    /// Seconds since 1970 at the start.
    pub started_unix: u64,
    /// Ticks of the recorder's clock a second; 1e9 where ticks are nanoseconds.
    pub ticks_per_second: f64,
    /// The clock at the start of the recording.
    pub start_ticks: Ticks,
    /// The clock at the end, as far as known: the recorder's newest reading. 0: not known.
    pub end_ticks: Ticks,
    /// Whether the process ended in order. `false`: it was killed, aborted, or still ran.
    pub clean_end: bool,
    /// Whether the watchdog ended the process because of a deadlock.
    pub deadlock_end: bool,
    /// Further facts by name (what was instrumented, test runner, …).
    pub facts: Vec<(String, String)>,
    /// Events that could not be recorded, and why.
    pub lost: Option<(u64, String)>,
}

impl Header {
    /// Converts a clock reading to nanoseconds since the start of the recording.
    pub fn nanos(&self, time: Ticks) -> Nanos {
        let ticks = time.0.saturating_sub(self.start_ticks.0);
        if self.ticks_per_second <= 0.0 {
            return Nanos(ticks);
        }
        Nanos((ticks as f64 * (1e9 / self.ticks_per_second)) as u64)
    }

    /// The header of a log and its live file.
    pub fn of(files: &Files<'_>) -> Header {
        let mut header = Header::default();
        let mut nanos_clock = false;
        for (key, value) in lines(&String::from_utf8_lossy(files.text)) {
            match key.as_str() {
                "program" => header.program = value,
                "arg" => header.args.push(value),
                "pid" => header.pid = value.parse().unwrap_or(0),
                "cwd" => header.working_dir = value,
                "rustc" => header.rustc = value,
                "started_unix" => header.started_unix = value.parse().unwrap_or(0),
                "ticks_per_second" => header.ticks_per_second = value.parse().unwrap_or(0.0),
                "clock" => nanos_clock = value == "nanos",
                "end_ticks" => header.end_ticks = Ticks(value.parse().unwrap_or(0)),
                "clean_end" => header.clean_end = value == "1",
                "deadlock_end" => header.deadlock_end = value == "1",
                "lost_events" => header.lost.get_or_insert_default().0 = value.parse().unwrap_or(0),
                "lost_reason" => header.lost.get_or_insert_default().1 = value,
                _ => header.facts.push((key, value)),
            }
        }
        if let Some(page) = files.live {
            header.clean_end = page.clean_end;
            header.deadlock_end = page.deadlock;
            header.end_ticks = Ticks(page.clock_last.0);
            if page.lost_events > 0 {
                header.lost = Some((page.lost_events, reason(page.lost_reason)));
            }
        }
        header.calibrate(files, nanos_clock);
        header
    }

    /// Fills in the clock's rate, where the text does not say it, and its start.
    fn calibrate(&mut self, files: &Files<'_>, nanos_clock: bool) {
        let rate_known = self.ticks_per_second.is_finite() && self.ticks_per_second > 0.0;
        // Pairs of ticks and nanoseconds, wide apart: the live file's, or the first and last chunk's.
        let mut readings = files.live.iter().flat_map(|page| [page.clock_first, page.clock_last]).collect::<Vec<_>>();
        readings.retain(|&reading| reading != (0, 0));
        readings.extend(files.chunks.iter().map(|chunk| (chunk.start.0, chunk.start_nanos)));
        let first = readings.iter().copied().min_by_key(|&(_, nanos)| nanos);
        let last = readings.iter().copied().max_by_key(|&(_, nanos)| nanos);
        let (Some((first_ticks, first_nanos)), Some((last_ticks, last_nanos))) = (first, last) else {
            if !rate_known {
                self.ticks_per_second = 1e9;
            }
            return;
        };
        if !rate_known {
            let (ticks, nanos) = (last_ticks.saturating_sub(first_ticks), last_nanos - first_nanos);
            self.ticks_per_second = if nanos_clock || ticks == 0 || nanos == 0 { 1e9 } else { ticks as f64 * 1e9 / nanos as f64 };
        }
        let before = first_nanos as f64 * (self.ticks_per_second / 1e9);
        self.start_ticks = Ticks(first_ticks.saturating_sub(before as u64));
    }

    /// The text of this header in a log.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            text.push_str(key);
            text.push('=');
            for c in value.chars() {
                match c {
                    '\\' => text.push_str("\\\\"),
                    '\n' => text.push_str("\\n"),
                    c => text.push(c),
                }
            }
            text.push('\n');
        };
        line("program", &self.program);
        self.args.iter().for_each(|arg| line("arg", arg));
        line("pid", &self.pid.to_string());
        line("cwd", &self.working_dir);
        line("rustc", &self.rustc);
        line("started_unix", &self.started_unix.to_string());
        line("ticks_per_second", &self.ticks_per_second.to_string());
        line("end_ticks", &self.end_ticks.0.to_string());
        line("clean_end", if self.clean_end { "1" } else { "0" });
        line("deadlock_end", if self.deadlock_end { "1" } else { "0" });
        if let Some((count, reason)) = &self.lost {
            line("lost_events", &count.to_string());
            line("lost_reason", reason);
        }
        self.facts.iter().for_each(|(key, value)| line(key, value));
        text
    }
}

fn reason(os_error: u32) -> String {
    match i32::try_from(os_error) {
        Ok(code) if code != 0 => std::io::Error::from_raw_os_error(code).to_string(),
        _ => "reason not known".to_owned(),
    }
}

/// The pairs of a header's text, unescaped. A line without `=` is a key without value.
fn lines(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('\n').filter(|line| !line.is_empty()).map(|line| {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        (unescape(key), unescape(value))
    })
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some(c) => plain.push(c),
                None => plain.push('\\'),
            },
            c => plain.push(c),
        }
    }
    plain
}
