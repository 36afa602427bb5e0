//! Chrome's trace event format, which ui.perfetto.dev opens: a track a thread with what it held and what it waited for, and arrows
//! from each release to the next acquisition by another thread, and from each message's sending to its receipt.

use std::collections::HashMap;
use std::fmt::{self, Write};

use conccheck_analyzer::model::Model;
use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Nanos, ThreadId};
use serde::Serialize;

use super::Render;
use crate::report::Report;
use crate::timeline::{Doing, Stretch, end, hand_overs, stretches};

/// Viewers get slow with more; then the shortest stretches are left out.
const MAX_STRETCHES: usize = 200_000;

pub(super) struct Chrome;

impl Render for Chrome {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        let mut events = Vec::new();
        let mut left_out = 0;
        for (index, model) in report.recorded.models().iter().enumerate() {
            left_out += process(index, model, &mut events);
        }
        let document =
            Document { display_time_unit: "ns", other_data: Other { stretches_left_out: left_out }, trace_events: events };
        super::write_json(&document, out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    display_time_unit: &'static str,
    other_data: Other,
    trace_events: Vec<TraceEvent>,
}

#[derive(Serialize)]
struct Other {
    stretches_left_out: usize,
}

/// `ts` and `dur` are microseconds.
#[derive(Serialize)]
struct TraceEvent {
    ph: &'static str,
    name: String,
    pid: usize,
    tid: u32,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Says that an arrow ends at the stretch around it, not at the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args>,
}

#[derive(Serialize)]
struct Args {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
}

fn process(pid: usize, model: &Model<'_>, events: &mut Vec<TraceEvent>) -> usize {
    let (trace, names) = (model.trace, model.names());
    let thread_name =
        |id: ThreadId| model.thread_index(id).map_or_else(|| format!("thread {}", id.0), |index| names.thread(index).to_owned());
    events.push(name("process_name", pid, 0, &trace.header.program));
    for thread in trace.threads() {
        events.push(name("thread_name", pid, thread.0, &thread_name(thread)));
    }
    let (all, left_out) = longest(trace);
    let site = |stretch: &Stretch| trace.tables.site(stretch.site).map(super::place);
    let mut open: HashMap<ThreadId, Vec<Nanos>> = HashMap::new();
    for (number, (thread, stretch)) in all.iter().enumerate() {
        let what = stretch.doing.describe(&|object| names.class(object).to_owned(), &thread_name);
        let cat = Some(match stretch.doing {
            Doing::Hold { .. } => "hold",
            Doing::Send { .. } | Doing::Receive { .. } => "message",
            _ => "wait",
        });
        let args = Some(Args { name: None, site: site(stretch) });
        if nests(open.entry(*thread).or_default(), stretch) {
            let dur = Some(micros(stretch.length()));
            events.push(TraceEvent { dur, cat, args, ..at("X", what, pid, *thread, stretch.start) });
        } else {
            let id = Some(format!("{pid}-{number}"));
            events.push(TraceEvent { cat, args, id: id.clone(), ..at("b", what.clone(), pid, *thread, stretch.start) });
            events.push(TraceEvent { cat, id, ..at("e", what, pid, *thread, stretch.end) });
        }
    }
    for (number, (from, to)) in hand_overs(&all).into_iter().enumerate() {
        let ((giver, given), (taker, taken)) = (&all[from], &all[to]);
        let id = Some(format!("{pid}-h{number}"));
        let handed = |ph, thread, time| TraceEvent {
            cat: Some("order"),
            id: id.clone(),
            ..at(ph, "handed over".to_owned(), pid, thread, time)
        };
        // Within the stretch, since its end belongs to what is around it.
        let start = given.start.max(Nanos(given.end.0.saturating_sub(1)));
        events.push(handed("s", *giver, start));
        events.push(TraceEvent { bp: Some("e"), ..handed("f", *taker, taken.start) });
    }
    left_out
}

/// The stretches of all threads by their start, without the shortest if there are too many.
pub(super) fn longest(trace: &ProcessTrace) -> (Vec<(ThreadId, Stretch)>, usize) {
    let end = end(trace);
    let mut all = Vec::new();
    for thread in trace.threads() {
        stretches(trace, thread, end, |stretch| all.push((thread, stretch)));
    }
    let left_out = all.len().saturating_sub(MAX_STRETCHES);
    if left_out > 0 {
        all.sort_by_key(|(thread, stretch)| (std::cmp::Reverse(stretch.length()), stretch.start, *thread));
        all.truncate(MAX_STRETCHES);
    }
    // Of stretches that begin together the longer one is the outer one.
    all.sort_by_key(|(thread, stretch)| (stretch.start, std::cmp::Reverse(stretch.end), *thread));
    (all, left_out)
}

/// Whether a stretch lies within what is open around it, as a thread's track demands; what ends in between gets a track of its own.
fn nests(open: &mut Vec<Nanos>, stretch: &Stretch) -> bool {
    open.retain(|end| *end > stretch.start);
    let nests = open.iter().all(|end| *end >= stretch.end);
    if nests {
        open.push(stretch.end);
    }
    nests
}

fn at(ph: &'static str, name: String, pid: usize, thread: ThreadId, time: Nanos) -> TraceEvent {
    TraceEvent { ph, name, pid, tid: thread.0, ts: micros(time), dur: None, cat: None, id: None, bp: None, args: None }
}

fn name(kind: &str, pid: usize, tid: u32, name: &str) -> TraceEvent {
    let args = Args { name: Some(crate::terminal::one_line(name)), site: None };
    TraceEvent { args: Some(args), ..at("M", kind.to_owned(), pid, ThreadId(tid), Nanos(0)) }
}

fn micros(time: Nanos) -> f64 {
    time.0 as f64 / 1000.0
}
