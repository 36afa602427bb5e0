//! Perfetto's own trace format, for ui.perfetto.dev and its SQL: a track a thread with what it held and waited for, flows from each
//! release to the next acquisition and from each message's sending to its receipt, and counters of queues and of waiting threads.

mod proto;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use conccheck_analyzer::Model;
use conccheck_trace::{Nanos, ObjectId, ThreadId};
use prost::Message as _;

use super::chrome::longest;
use crate::formats::place;
use crate::report::Report;
use crate::terminal::one_line;
use crate::timeline::{Doing, Stretch, end, hand_overs, stretches};
use proto::{
    CounterDescriptor, DebugAnnotation, InternedData, Name, ProcessDescriptor, ThreadDescriptor, Trace, TracePacket,
    TrackDescriptor, TrackEvent,
};

/// All packets are of one writer.
const SEQUENCE: u32 = 1;
/// `UNIT_COUNT` of `CounterDescriptor`.
const UNIT_COUNT: i32 = 2;
/// More changes of a counter than this, over the whole run, can't be told apart on a screen.
const MAX_STEPS: usize = 4_000;
/// Each process has a range of track numbers.
const TRACKS: u64 = 1 << 40;

/// The whole trace in bytes.
pub(super) fn render(report: &Report<'_>) -> Vec<u8> {
    let mut writer = Writer::default();
    for (index, model) in report.recorded.models().iter().enumerate() {
        writer.process(index as u64, model);
    }
    writer.finish()
}

/// What happens when; equal times are put into the order in which slices nest.
struct Event {
    time: u64,
    /// Ends before begins; inner ends before outer ones, outer begins before inner ones.
    rank: (u8, Reverse<u64>, u64),
    event: TrackEvent,
}

#[derive(Default)]
struct Writer {
    descriptors: Vec<TrackDescriptor>,
    events: Vec<Event>,
    names: Interned,
    places: Interned,
    flows: u64,
    /// Tracks for what does not nest.
    overlapping: u64,
}

impl Writer {
    fn process(&mut self, index: u64, model: &Model<'_>) {
        let base = (index + 1) * TRACKS;
        let pid = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let process = ProcessDescriptor { pid, process_name: one_line(&model.trace.header.program) };
        self.descriptors.push(TrackDescriptor { uuid: base, process: Some(process), ..TrackDescriptor::default() });
        let names = model.names();
        let thread_name = |id: ThreadId| {
            model.thread_index(id).map_or_else(|| format!("thread {}", id.0), |index| names.thread(index).to_owned())
        };
        let track = |thread: ThreadId| base + 2 * u64::from(thread.0) + 2;
        for id in model.trace.threads() {
            let thread = ThreadDescriptor { pid, tid: i64::from(id.0), thread_name: thread_name(id) };
            let (uuid, parent_uuid) = (track(id), Some(base));
            self.descriptors.push(TrackDescriptor { uuid, parent_uuid, thread: Some(thread), ..TrackDescriptor::default() });
        }
        let (all, _) = longest(model.trace);
        let mut flows: HashMap<usize, (Vec<u64>, Vec<u64>)> = HashMap::new();
        for (from, to) in hand_overs(&all) {
            self.flows += 1;
            flows.entry(from).or_default().0.push(self.flows);
            flows.entry(to).or_default().1.push(self.flows);
        }
        let mut open: HashMap<ThreadId, Vec<(Nanos, u64)>> = HashMap::new();
        for (number, (thread, stretch)) in all.iter().enumerate() {
            let text = stretch.doing.describe(&|object| names.class(object).to_owned(), &thread_name);
            let (flow_ids, terminating_flow_ids) = flows.remove(&number).unwrap_or_default();
            let (category, is_moment) = match stretch.doing {
                Doing::Hold { .. } => (HOLD, false),
                Doing::Send { .. } | Doing::Receive { .. } => (MESSAGE, true),
                _ => (WAIT, false),
            };
            let place = model.site(stretch.site).map(|site| self.places.number(&place(site)));
            let annotation = place.map(|string_value_iid| DebugAnnotation { name_iid: 1, string_value_iid });
            let open = open.entry(*thread).or_default();
            let uuid = self.track(track(*thread), open, stretch, is_moment);
            let event = TrackEvent {
                category_iids: vec![category],
                debug_annotations: annotation.into_iter().collect(),
                r#type: Some(if is_moment { proto::INSTANT } else { proto::SLICE_BEGIN }),
                name_iid: Some(self.names.number(&text)),
                track_uuid: Some(uuid),
                flow_ids,
                terminating_flow_ids,
                ..TrackEvent::default()
            };
            self.events.push(Event { time: stretch.start.0, rank: (1, Reverse(stretch.end.0), number as u64), event });
            if !is_moment {
                let event = TrackEvent { r#type: Some(proto::SLICE_END), track_uuid: Some(uuid), ..TrackEvent::default() };
                self.events.push(Event {
                    time: stretch.end.0,
                    rank: (0, Reverse(stretch.start.0), u64::MAX - number as u64),
                    event,
                });
            }
        }
        self.counters(base, model);
    }

    /// The track for a stretch: the thread's own, or, where it would overlap what is there instead of nesting, one beside it.
    fn track(&mut self, own: u64, open: &mut Vec<(Nanos, u64)>, stretch: &Stretch, is_moment: bool) -> u64 {
        open.retain(|(end, _)| *end > stretch.start);
        if is_moment {
            return own;
        }
        if open.iter().all(|(end, track)| *track != own || *end >= stretch.end) {
            open.push((stretch.end, own));
            return own;
        }
        // A track of its own for each: who holds locks hand over hand is rare.
        self.overlapping += 1;
        let uuid = own - own % TRACKS + TRACKS / 2 + self.overlapping;
        let name = Some("overlapping".to_owned());
        self.descriptors.push(TrackDescriptor { uuid, name, parent_uuid: Some(own), ..TrackDescriptor::default() });
        uuid
    }

    /// How many messages are in each channel, and how many threads wait for each lock: of all that was recorded, not only of what is
    /// shown of it.
    fn counters(&mut self, base: u64, model: &Model<'_>) {
        let mut changes: BTreeMap<(&str, ObjectId), Steps> = BTreeMap::new();
        let end = end(model.trace);
        let grain = model.trace.header.nanos(end).0 / MAX_STEPS as u64 + 1;
        for thread in model.trace.threads() {
            stretches(model.trace, thread, end, |stretch| match stretch.doing {
                Doing::Send { channel, .. } => changes.entry((MESSAGES, channel)).or_default().add(stretch.start.0, 1, grain),
                Doing::Receive { channel, .. } => changes.entry((MESSAGES, channel)).or_default().add(stretch.start.0, -1, grain),
                Doing::Wait { lock } => {
                    let steps = changes.entry((WAITING, lock)).or_default();
                    steps.add(stretch.start.0, 1, grain);
                    steps.add(stretch.end.0, -1, grain);
                }
                _ => {}
            });
        }
        let mut changes: Vec<_> = changes
            .into_iter()
            .map(|((what, object), steps)| (format!("{what} {}", model.names().class(object)), object, steps.0))
            .collect();
        changes.sort();
        for (number, (name, _, mut steps)) in changes.into_iter().enumerate() {
            let uuid = base + TRACKS / 4 + number as u64;
            let counter = Some(CounterDescriptor { unit: UNIT_COUNT });
            self.descriptors.push(TrackDescriptor {
                uuid,
                name: Some(name),
                parent_uuid: Some(base),
                counter,
                ..TrackDescriptor::default()
            });
            steps.sort_by_key(|(time, change)| (*time, Reverse(*change)));
            let mut value = 0;
            for (time, change) in steps {
                // A receive may have been recorded before its send.
                value += change;
                let event = TrackEvent {
                    r#type: Some(proto::COUNTER),
                    track_uuid: Some(uuid),
                    counter_value: Some(value.max(0)),
                    ..TrackEvent::default()
                };
                self.events.push(Event { time, rank: (2, Reverse(0), 0), event });
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let packet = || TracePacket { trusted_packet_sequence_id: SEQUENCE, ..TracePacket::default() };
        let names = |list: &[&str]| list.iter().zip(1..).map(|(name, iid)| Name { iid, name: (*name).to_owned() }).collect();
        let interned = InternedData {
            event_categories: names(&["hold", "wait", "message"]),
            event_names: self.names.list(),
            debug_annotation_names: names(&["at"]),
            debug_annotation_string_values: self.places.list(),
        };
        let sequence_flags = proto::INCREMENTAL_STATE_CLEARED;
        let mut trace = Trace { packet: vec![TracePacket { interned_data: Some(interned), sequence_flags, ..packet() }] };
        let described = self.descriptors.into_iter().map(|track| TracePacket { track_descriptor: Some(track), ..packet() });
        trace.packet.extend(described);
        self.events.sort_by_key(|event| (event.time, event.rank));
        trace.packet.extend(self.events.into_iter().map(|Event { time, event, .. }| TracePacket {
            timestamp: Some(time),
            track_event: Some(event),
            sequence_flags: proto::NEEDS_INCREMENTAL_STATE,
            ..packet()
        }));
        trace.encode_to_vec()
    }
}

const MESSAGES: &str = "messages in";
const WAITING: &str = "threads waiting for";

/// By how much a counter changes when. Where there is much of it, what happens within a grain of time is one change at its end.
#[derive(Default)]
struct Steps(Vec<(u64, i64)>);

impl Steps {
    fn add(&mut self, time: u64, change: i64, grain: u64) {
        self.0.push((time, change));
        if self.0.len() > 4 * MAX_STEPS {
            let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
            for (time, change) in self.0.drain(..) {
                *sums.entry(time.next_multiple_of(grain)).or_default() += change;
            }
            self.0.extend(sums);
        }
    }
}

/// Numbers of the categories, in the order in which they are written.
const HOLD: u64 = 1;
const WAIT: u64 = 2;
const MESSAGE: u64 = 3;

/// Texts with their numbers, from 1.
#[derive(Default)]
struct Interned(HashMap<String, u64>);

impl Interned {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(known) = self.0.get(text) {
            return *known;
        }
        let number = self.0.len() as u64 + 1;
        self.0.insert(text.to_owned(), number);
        number
    }

    fn list(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.0.iter().map(|(name, iid)| Name { iid: *iid, name: name.clone() }).collect();
        names.sort_by_key(|name| name.iid);
        names
    }
}

/// A trace as a text: a line a packet, with names in place of numbers.
#[cfg(test)]
pub(super) fn as_text(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let trace = Trace::decode(bytes).expect("a message");
    let interned = trace.packet[0].interned_data.clone().expect("texts come first");
    let named = |list: &[Name], iid: u64| list.iter().find(|name| name.iid == iid).expect("a known number").name.clone();
    let (mut text, mut tracks) = (String::new(), HashMap::new());
    for packet in &trace.packet {
        if let Some(track) = &packet.track_descriptor {
            let process = track.process.as_ref().map(|process| format!("process {} {}", process.pid, process.process_name));
            let thread = track.thread.as_ref().map(|thread| format!("thread {} {}", thread.tid, thread.thread_name));
            let counter = track.counter.as_ref().map(|_| "counter ".to_owned());
            let name = format!("{}{}", counter.unwrap_or_default(), track.name.clone().unwrap_or_default());
            let name = process.or(thread).unwrap_or(name);
            let parent = track.parent_uuid.map_or_else(String::new, |parent| format!(" of {}", tracks[&parent]));
            let _ = writeln!(text, "track: {name}{parent}");
            tracks.insert(track.uuid, name);
        }
        let (Some(event), Some(time)) = (&packet.track_event, packet.timestamp) else { continue };
        let kind = match event.r#type {
            Some(proto::SLICE_BEGIN) => "begin",
            Some(proto::SLICE_END) => "end",
            Some(proto::INSTANT) => "moment",
            _ => "count",
        };
        let track = &tracks[&event.track_uuid.expect("a track")];
        let _ = write!(text, "{time:>9} {track}: {kind}");
        for category in &event.category_iids {
            let _ = write!(text, " {}", named(&interned.event_categories, *category));
        }
        if let Some(iid) = event.name_iid {
            let _ = write!(text, " \"{}\"", named(&interned.event_names, iid));
        }
        for annotation in &event.debug_annotations {
            let _ = write!(text, " at {}", named(&interned.debug_annotation_string_values, annotation.string_value_iid));
        }
        if let Some(value) = event.counter_value {
            let _ = write!(text, " {value}");
        }
        for (arrow, flows) in [("gives", &event.flow_ids), ("takes", &event.terminating_flow_ids)] {
            if !flows.is_empty() {
                let _ = write!(text, " {arrow} {flows:?}");
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use conccheck_analyzer::{Analysis, Config};

    use super::super::tests::with_recorded;
    use super::*;

    #[test]
    fn a_trace_has_tracks_nested_slices_flows_and_counters() {
        let processes = [conccheck_trace::text::parse(
            "main channel c; main spawn worker @bank.rs:3; main lock a @bank.rs:5; worker request a @bank.rs:9; main lock b @bank.rs:6
             main unlock b +1ms; main unlock a +1ms; worker lock a; main send c @bank.rs:7
             worker lock b @bank.rs:10; worker unlock a +1ms; worker unlock b +1us; worker recv c @bank.rs:12",
        )
        .expect("a trace")];
        let bytes = with_recorded(&processes, Analysis::default(), &Config::default(), render);
        let trace = Trace::decode(&bytes[..]).expect("a message");
        let interned = trace.packet[0].interned_data.as_ref().expect("texts");
        let name = |iid: u64| interned.event_names.iter().find(|name| name.iid == iid).map_or("", |name| name.name.as_str());
        let tracks: BTreeSet<u64> =
            trace.packet.iter().filter_map(|packet| Some(packet.track_descriptor.as_ref()?.uuid)).collect();
        let mut open: HashMap<u64, Vec<&str>> = HashMap::new();
        let (mut from, mut to): (Vec<u64>, Vec<u64>) = Default::default();
        let (mut ended, mut counted) = (Vec::new(), Vec::new());
        let mut last = 0;
        for packet in &trace.packet {
            let Some(event) = &packet.track_event else { continue };
            let time = packet.timestamp.expect("a time");
            assert!(time >= last, "in order");
            last = time;
            let track = event.track_uuid.expect("a track");
            assert!(tracks.contains(&track), "described");
            match event.r#type {
                Some(proto::SLICE_BEGIN) => open.entry(track).or_default().push(name(event.name_iid.expect("a name"))),
                Some(proto::SLICE_END) => ended.push(open.get_mut(&track).and_then(Vec::pop).expect("one is open")),
                Some(proto::COUNTER) => counted.push(event.counter_value.expect("a value")),
                _ => {}
            }
            from.extend(&event.flow_ids);
            to.extend(&event.terminating_flow_ids);
        }
        ended.sort_unstable();
        let kinds: Vec<&str> = ended.iter().filter_map(|text| text.split(" Mutex").next()).collect();
        assert_eq!(kinds, ["holds", "holds", "holds", "holds", "waits for"]);
        assert!(open.values().all(Vec::is_empty), "{open:?}");
        to.sort_unstable();
        from.sort_unstable();
        assert_eq!((from.len(), &from), (3, &to), "both locks and the message");
        assert_eq!(counted, [1, 0, 1, 0], "one thread waited, one message was queued");
    }

    #[test]
    fn a_counter_of_many_changes_ends_where_they_end() {
        let mut steps = Steps::default();
        for time in 0..100_000 {
            steps.add(time, if time % 3 == 2 { -1 } else { 1 }, 25);
        }
        assert_eq!(steps.0.iter().map(|(_, change)| change).sum::<i64>(), 33_334);
        assert!(steps.0.len() <= 5 * MAX_STEPS, "{}", steps.0.len());
    }
}
