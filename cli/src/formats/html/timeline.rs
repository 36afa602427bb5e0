//! The timeline's data: coarse for all of the run, in detail around the findings and where threads held or waited longest.
//!
//! Two passes over the events of the threads that are shown: the first one finds where the findings' steps are, the second one
//! picks. So the size of the page and of the memory does not follow from the number of events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fmt::{self, Write};

use conccheck_analyzer::{Finding, Model};
use conccheck_trace::{Mode, Nanos, SiteId, ThreadId, Ticks};
use serde::Serialize;

use crate::formats::place;
use crate::report::Report;
use crate::timeline::{Doing, Stretch, end, hand_overs, stretches};

/// Threads that are shown: those of findings first, then those that did most.
const MAX_LANES: usize = 100;
/// Stretches in detail, over all threads: so many around findings, and so many of the longest.
const MAX_NEAR: usize = 8_000;
const MAX_LONGEST: usize = 8_000;
/// Parts of the run from which the longest ones are taken, so that there is detail everywhere.
const SLOTS: usize = 20;
/// Parts of the run for which is said how much of them a thread held locks or waited for one.
const BINS: usize = 400;
/// Nested sections below this are drawn on top of each other.
const MAX_DEPTH: usize = 3;

/// What the part of the page consists of before its script runs.
pub(super) fn part(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    if report.recorded.models().is_empty() {
        return writeln!(out, "<p>No trace is at hand.</p>");
    }
    writeln!(out, "<noscript><p>The timeline needs a browser that runs this page's script.</p></noscript>")?;
    writeln!(out, "<div class=\"scripted tools\"><span class=\"key hold\"></span> holds <span class=\"key read\"></span> reads")?;
    writeln!(
        out,
        "<span class=\"key wait\"></span> waits for a lock <span class=\"key other\"></span> waits otherwise <span class=\"key message\"></span> message"
    )?;
    super::zoom_buttons("timeline", out)?;
    writeln!(out, "<span class=\"hint\">Drag or arrow keys move, Ctrl and wheel or + and − zoom, 0 shows all.</span></div>")?;
    writeln!(
        out,
        "<div id=\"timeline-details\" class=\"scripted\" aria-live=\"polite\">Point at a stretch to see what it is.</div>"
    )?;
    writeln!(
        out,
        "<div id=\"timeline-view\" class=\"scripted\" tabindex=\"0\" role=\"img\" aria-label=\"Timeline\"><canvas></canvas></div>"
    )
}

/// The data, for the script. A block of data is not run, whatever stands in it; `<` can't end it.
pub(super) fn data(report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
    let text = serde_json::to_string(&Data::new(report)).map_err(|_| fmt::Error)?;
    writeln!(out, "<script type=\"application/json\" id=\"timeline-data\">{}</script>", text.replace('<', "\\u003c"))
}

/// Times are nanoseconds since the start of each process.
#[derive(Serialize, Default)]
struct Data {
    end: u64,
    lanes: Vec<Lane>,
    /// Descriptions and places, to which stretches refer by their index.
    texts: Vec<String>,
    places: Vec<String>,
    /// Lane, kind, description, place, start, length, depth.
    stretches: Vec<[u64; 7]>,
    /// From one stretch's end to another one's begin.
    arrows: Vec<(usize, usize)>,
    /// For each finding where it is to be seen.
    findings: BTreeMap<String, Focus>,
    /// Stretches that are not among these.
    left_out: u64,
}

#[derive(Serialize)]
struct Lane {
    name: String,
    /// Index of the process, where there are several.
    process: Option<usize>,
    /// For each part of the run a digit: how much of it the thread held a lock, and waited for one.
    held: String,
    waited: String,
}

#[derive(Serialize)]
struct Focus {
    from: u64,
    to: u64,
    stretches: Vec<usize>,
}

/// A thread that is shown.
struct Shown {
    process: usize,
    thread: ThreadId,
    name: String,
}

/// Where steps of findings are: by process and thread, the stretch with the indices of its findings.
type Found = HashMap<(usize, ThreadId), Vec<(Stretch, Vec<usize>)>>;

impl Data {
    fn new(report: &Report<'_>) -> Data {
        let models = report.recorded.models();
        // A pass over all events each.
        let ends: Vec<Ticks> = models.iter().map(|model| end(model.trace)).collect();
        let last = models.iter().zip(&ends).map(|(model, end)| model.trace.header.nanos(*end).0).max().unwrap_or(0).max(1);
        let shown = shown(report);
        let mut data = Data { end: last, ..Data::default() };
        let mut found = Found::new();
        for lane in &shown {
            let model = &models[lane.process];
            let mut search = Search::new(&report.findings, model, &lane.name);
            let (mut held, mut waited) = (vec![0; BINS], vec![0; BINS]);
            stretches(model.trace, lane.thread, ends[lane.process], |stretch| {
                match stretch.doing {
                    Doing::Hold { .. } => fill(&mut held, &stretch, last),
                    Doing::Wait { .. } => fill(&mut waited, &stretch, last),
                    _ => {}
                }
                search.look_at(&stretch);
            });
            found.insert((lane.process, lane.thread), search.found);
            let process = (models.len() > 1).then_some(lane.process);
            data.lanes.push(Lane { name: lane.name.clone(), process, held: digits(&held, last), waited: digits(&waited, last) });
        }
        data.pick(report, &shown, &found, &ends);
        data
    }

    /// Picks the stretches that are shown in detail.
    fn pick(&mut self, report: &Report<'_>, shown: &[Shown], found: &Found, ends: &[Ticks]) {
        let models = report.recorded.models();
        let windows = windows(models.len(), found);
        let each = |most: usize| most / shown.len().max(1);
        let mut texts = Texts::default();
        let mut places = Texts::default();
        for (process, model) in models.iter().enumerate() {
            let mut all: Vec<(ThreadId, Stretch)> = Vec::new();
            for lane in shown.iter().filter(|lane| lane.process == process) {
                let mut near = Longest::new(each(MAX_NEAR));
                let mut long: Vec<Longest> = (0..SLOTS).map(|_| Longest::new(each(MAX_LONGEST).div_ceil(SLOTS))).collect();
                stretches(model.trace, lane.thread, ends[process], |stretch| {
                    let at = windows[process].partition_point(|(_, to)| *to < stretch.start.0);
                    let is_near = windows[process].get(at).is_some_and(|(from, _)| *from <= stretch.end.0);
                    let slot = u128::from(stretch.start.0.min(self.end - 1)) * SLOTS as u128 / u128::from(self.end);
                    if is_near { near.add(stretch) } else { long[slot as usize].add(stretch) }
                });
                self.left_out += near.left_out + long.iter().map(|long| long.left_out).sum::<u64>();
                let steps = found.get(&(process, lane.thread)).into_iter().flatten().map(|(stretch, _)| *stretch);
                let picked = near.stretches.into_iter().chain(long.into_iter().flat_map(|long| long.stretches)).chain(steps);
                all.extend(picked.map(|stretch| (lane.thread, stretch)));
            }
            // Of stretches that begin together the longer one is the outer one.
            all.sort_by_key(|(thread, stretch)| (*thread, stretch.start, Reverse(stretch.end), stretch.site));
            all.dedup();
            let first = self.stretches.len();
            self.arrows.extend(hand_overs(&all).into_iter().map(|(from, to)| (first + from, first + to)));
            let names = model.names();
            let object = |id| crate::terminal::one_line(names.class(id));
            let thread_name = |id| model.thread_index(id).map_or_else(String::new, |index| names.thread(index).to_owned());
            let mut open: Vec<(ThreadId, u64)> = Vec::new();
            for (thread, stretch) in &all {
                let lane = shown.iter().position(|lane| lane.process == process && lane.thread == *thread).unwrap_or(0);
                open.retain(|(other, end)| other == thread && *end > stretch.start.0);
                let depth = open.len().min(MAX_DEPTH);
                open.push((*thread, stretch.end.0));
                let text = texts.index(stretch.doing.describe(&object, &thread_name));
                let place = places.index(model.site(stretch.site).map_or_else(String::new, place));
                let numbers = [lane as u64, kind(stretch.doing), text, place, stretch.start.0, stretch.length().0, depth as u64];
                for (_, findings) in found.get(&(process, *thread)).into_iter().flatten().filter(|(step, _)| step == stretch) {
                    self.focus(report, findings, self.stretches.len(), stretch);
                }
                self.stretches.push(numbers);
            }
        }
        (self.texts, self.places) = (texts.list, places.list);
    }

    fn focus(&mut self, report: &Report<'_>, findings: &[usize], index: usize, stretch: &Stretch) {
        for finding in findings {
            let fingerprint = report.findings[*finding].fingerprint.clone();
            let focus = self.findings.entry(fingerprint).or_insert(Focus { from: u64::MAX, to: 0, stretches: Vec::new() });
            (focus.from, focus.to) = (focus.from.min(stretch.start.0), focus.to.max(stretch.end.0));
            focus.stretches.push(index);
        }
    }
}

/// The threads to show: those of findings first, then those with most events; in order of process and thread.
fn shown(report: &Report<'_>) -> Vec<Shown> {
    let in_finding = |name: &str| report.findings.iter().any(|finding| finding.parties.iter().any(|party| party.thread == name));
    let mut all = Vec::new();
    for (process, model) in report.recorded.models().iter().enumerate() {
        let threads = model.threads.iter().enumerate().filter(|(_, thread)| thread.events > 0);
        all.extend(threads.map(|(index, thread)| {
            let name = model.names().thread(index).to_owned();
            (!in_finding(&name), Reverse(thread.events), process, thread.id, name)
        }));
    }
    all.sort();
    all.truncate(MAX_LANES);
    all.sort_by_key(|(_, _, process, thread, _)| (*process, *thread));
    all.into_iter().map(|(_, _, process, thread, name)| Shown { process, thread, name }).collect()
}

/// Looks for the steps of findings among a thread's stretches.
struct Search<'a> {
    findings: &'a [Finding],
    model: &'a Model<'a>,
    name: &'a str,
    /// For each site the findings with a step of this thread there, once it was looked up; empty once it was found.
    wanted: HashMap<SiteId, Vec<usize>>,
    found: Vec<(Stretch, Vec<usize>)>,
}

impl<'a> Search<'a> {
    fn new(findings: &'a [Finding], model: &'a Model<'a>, name: &'a str) -> Search<'a> {
        Search { findings, model, name, wanted: HashMap::new(), found: Vec::new() }
    }

    fn look_at(&mut self, stretch: &Stretch) {
        let (findings, model, name) = (self.findings, self.model, self.name);
        let wanted = self.wanted.entry(stretch.site).or_insert_with(|| {
            let site = model.site(stretch.site);
            let is_step = |finding: &Finding| {
                let parties = finding.parties.iter().filter(|party| party.thread == name);
                site.is_some() && parties.flat_map(|party| &party.steps).any(|step| step.site.as_ref() == site)
            };
            let findings = findings.iter().enumerate().filter(|(_, finding)| is_step(finding));
            findings.map(|(index, _)| index).collect()
        });
        if !wanted.is_empty() {
            self.found.push((*stretch, std::mem::take(wanted)));
        }
    }
}

/// For each process the times around steps of findings.
fn windows(processes: usize, found: &Found) -> Vec<Vec<(u64, u64)>> {
    let mut windows = vec![Vec::new(); processes];
    let mut steps: Vec<_> =
        found.iter().flat_map(|((process, _), steps)| steps.iter().map(move |(stretch, _)| (*process, stretch))).collect();
    steps.sort_by_key(|(process, stretch)| (*process, stretch.start, stretch.end));
    for (process, stretch) in steps {
        let around = (2 * stretch.length().0).clamp(20_000, 10_000_000);
        let (from, to) = (stretch.start.0.saturating_sub(around), stretch.end.0 + around);
        let list: &mut Vec<(u64, u64)> = &mut windows[process];
        match list.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => list.push((from, to)),
        }
    }
    windows
}

/// Adds a stretch's time to the parts of the run that it lies in.
fn fill(bins: &mut [u64], stretch: &Stretch, end: u64) {
    let bin = |time: u64| (u128::from(time) * BINS as u128 / u128::from(end)) as usize;
    let start_of = |bin: usize| (bin as u128 * u128::from(end)).div_ceil(BINS as u128) as u64;
    let (from, to) = (stretch.start.0.min(end), stretch.end.0.min(end));
    for at in bin(from)..=bin(to).min(BINS - 1) {
        bins[at.min(BINS - 1)] += to.min(start_of(at + 1)).saturating_sub(from.max(start_of(at)));
    }
}

/// For each part a digit from 0, nothing, to 9, all of it.
fn digits(bins: &[u64], end: u64) -> String {
    let length = (end / BINS as u64).max(1);
    let digit = |time: &u64| if *time == 0 { '0' } else { char::from(b'1' + (time * 8 / length).min(8) as u8) };
    bins.iter().map(digit).collect()
}

fn kind(doing: Doing) -> u64 {
    match doing {
        Doing::Hold { mode: Mode::Shared | Mode::RecursiveShared, .. } => 1,
        Doing::Hold { .. } => 0,
        Doing::Wait { .. } => 2,
        Doing::Sleep | Doing::Park => 4,
        Doing::Send { .. } | Doing::Receive { .. } => 5,
        _ => 3,
    }
}

/// The longest of many stretches; of equal ones the first.
struct Longest {
    most: usize,
    stretches: Vec<Stretch>,
    /// Lengths and indices, the shortest on top.
    order: BinaryHeap<Reverse<(Nanos, usize)>>,
    left_out: u64,
}

impl Longest {
    fn new(most: usize) -> Longest {
        Longest { most, stretches: Vec::new(), order: BinaryHeap::new(), left_out: 0 }
    }

    fn add(&mut self, stretch: Stretch) {
        if self.stretches.len() < self.most {
            self.order.push(Reverse((stretch.length(), self.stretches.len())));
            self.stretches.push(stretch);
            return;
        }
        self.left_out += 1;
        if let Some(mut shortest) = self.order.peek_mut()
            && shortest.0.0 < stretch.length()
        {
            self.stretches[shortest.0.1] = stretch;
            shortest.0.0 = stretch.length();
        }
    }
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    known: HashMap<String, u64>,
}

impl Texts {
    fn index(&mut self, text: String) -> u64 {
        *self.known.entry(text).or_insert_with_key(|text| {
            self.list.push(text.clone());
            self.list.len() as u64 - 1
        })
    }
}
