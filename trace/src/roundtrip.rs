//! What is written is what is read: for any events, in every format, and as serde would have written it.

use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::convert::{self, Format};
use crate::event::{Event, How, Mode, ObjectKind, Record, SiteDef};
use crate::ids::{FrameId, ObjectId, Order, SiteId, StringId, ThreadId, Ticks};
use crate::json_write;
use crate::read::{self, FrameDef, Header, ObjectDef, ProcessTrace, Tables};
use crate::step::Step;
use crate::wire::field::Field;
use crate::wire::table::event_table;

/// A field's value made from any number.
fn value<F: Field>(number: u64) -> F {
    let smaller = [number, number & u64::from(u32::MAX), number % 8, number % 5, number % 3, number % 2];
    smaller.into_iter().find_map(F::from_wire).expect("one of them fits every field")
}

macro_rules! any_table {
    ($($tag:literal $name:ident $json:literal { $($field:ident)* })*) => {
        /// The events of the table that have these numbers for fields.
        fn events_of_the_table(numbers: &[u64; 8]) -> Vec<Event> {
            vec![$({
                #[allow(unused_mut, unused_variables, reason = "some events have no field")]
                let mut numbers = numbers.iter().copied();
                Event::$name { $($field: value(numbers.next().expect("no event has so many fields"))),* }
            }),*]
        }
    };
}
event_table!(any_table);

/// One event of every kind.
fn every_event(numbers: &[u64; 8]) -> Vec<Event> {
    let mut events = events_of_the_table(numbers);
    let [lock, site, mode, how, order, ..] = *numbers;
    events.push(Event::Acquire { lock: value(lock), site: value(site), mode: value(mode), how: value(how), order: Order(order) });
    events.push(Event::Release { lock: value(lock), wrote: value(site), unwinding: value(mode) });
    events
}

/// Numbers of all sizes.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..4_u64, 0..1000_u64, any::<u32>().prop_map(u64::from), any::<u64>(), Just(u64::MAX)]
}

fn event() -> impl Strategy<Value = Event> {
    let numbers = proptest::array::uniform8(number());
    let kind = (numbers, any::<prop::sample::Index>()).prop_map(|(numbers, kind)| *kind.get(&every_event(&numbers)));
    // Sections of few locks, so that orders follow from one another and releases from acquisitions.
    let lock = (0..3_u32).prop_map(ObjectId);
    let section = (lock, any::<bool>(), 0..5_u64, any::<bool>()).prop_map(|(lock, acquires, order, flag)| {
        if acquires {
            let mode = if flag { Mode::Shared } else { Mode::Exclusive };
            Event::Acquire { lock, site: SiteId(1), mode, how: How::Blocking, order: Order(order) }
        } else {
            Event::Release { lock, wrote: flag, unwinding: false }
        }
    });
    prop_oneof![kind, section]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    // Times may go back: a trace says what it says.
    let time = prop_oneof![3 => 1_000_000..1_001_000_u64, 1 => any::<u64>()];
    vec((time, event()).prop_map(|(time, event)| Record { time: Ticks(time), event }), 1..60)
}

fn header() -> impl Strategy<Value = Header> {
    let text = || "\\PC{0,12}|[a-z\\\\\n\"=\t]{0,12}";
    let numbers = (any::<u32>(), any::<u64>(), 1e-3..1e12_f64, 0..u64::MAX / 2);
    let facts = vec(("x-[a-z]{1,8}", text()), 0..3);
    let lost = proptest::option::of((any::<u64>(), text()));
    (numbers, (text(), vec(text(), 0..3), text(), text()), (any::<bool>(), any::<bool>()), facts, lost).prop_map(
        |(
            (pid, started_unix, ticks_per_second, start),
            (program, args, working_dir, rustc),
            (clean_end, deadlock_end),
            facts,
            lost,
        )| Header {
            program,
            args,
            pid,
            working_dir,
            rustc,
            started_unix,
            ticks_per_second,
            start_ticks: Ticks(start),
            end_ticks: Ticks(started_unix / 2),
            clean_end,
            deadlock_end,
            facts,
            lost,
        },
    )
}

prop_compose! {
    fn tables()(
        sites in vec(("\\PC{0,20}", any::<u32>(), any::<u32>()), 0..4),
        strings in vec("\\PC{0,20}|[\\x00-\\x7f]{0,9}", 0..4),
        objects in vec((any::<u32>(), 0..8_u64, any::<u32>(), any::<u32>()), 0..4),
        frames in vec((any::<u32>(), any::<u32>(), any::<u64>()), 0..4),
    ) -> Tables {
        let mut tables = Tables::default();
        for ((file, line, column), id) in sites.into_iter().zip(1..) {
            tables.define_site(SiteId(id), SiteDef { file, line, column });
        }
        for (text, id) in strings.into_iter().zip(1..) {
            tables.define_string(StringId(id), text);
        }
        for (id, kind, created, type_name) in objects {
            let kind: ObjectKind = value(kind);
            tables.define_object(ObjectId(id), ObjectDef { kind, created: SiteId(created), type_name: StringId(type_name) });
        }
        for ((caller, module, address), id) in frames.into_iter().zip(1..) {
            tables.define_frame(FrameId(id), FrameDef { caller: FrameId(caller), module: StringId(module), address });
        }
        tables
    }
}

prop_compose! {
    fn trace()(header in header(), tables in tables(), threads in vec((1..5_u32, records()), 1..4)) -> ProcessTrace {
        let mut by_id = std::collections::BTreeMap::new();
        for (id, records) in threads {
            by_id.insert(ThreadId(id), records);
        }
        ProcessTrace::from_records(PathBuf::from("memory"), header, tables, by_id.into_iter().collect())
    }
}

fn events(trace: &ProcessTrace) -> Vec<(ThreadId, Vec<Record>)> {
    trace.threads().into_iter().map(|thread| (thread, trace.events(thread).collect())).collect()
}

fn written(trace: &ProcessTrace, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    convert::write(trace, format, &mut bytes).expect("memory does not fail");
    bytes
}

fn reread(bytes: &[u8]) -> ProcessTrace {
    let mut file = tempfile::NamedTempFile::new().expect("there is room");
    file.write_all(bytes).expect("there is room");
    open_one(file.path())
}

fn open_one(path: &Path) -> ProcessTrace {
    read::open(path).unwrap_or_else(|error| panic!("{error}")).pop().expect("one file is one trace")
}

type ByThread<T> = Vec<(ThreadId, Vec<T>)>;

/// The larger steps of all threads, and the events that they stand for.
fn steps(trace: &ProcessTrace) -> (ByThread<Step>, ByThread<Record>) {
    let read = |id| {
        let (mut steps, mut all, mut block) = (trace.steps(id), Vec::new(), Vec::new());
        for most in 1.. {
            steps.read(&mut block, most);
            if block.is_empty() {
                break;
            }
            all.append(&mut block);
        }
        all
    };
    let steps: ByThread<Step> = trace.threads().into_iter().map(|id| (id, read(id))).collect();
    let records = |step: &Step| match step {
        Step::Event(record) => vec![*record],
        Step::Section(section) => vec![section.acquisition(), section.release()],
    };
    let events = steps.iter().map(|(id, steps)| (*id, steps.iter().flat_map(records).collect())).collect();
    (steps, events)
}

fn assert_same(a: &ProcessTrace, b: &ProcessTrace) {
    assert_eq!(b.warnings, Vec::<String>::new());
    assert_eq!((&a.header, &a.tables), (&b.header, &b.tables));
    assert_eq!(events(a), events(b));
    // A section is one step whether it was recorded as one or not.
    assert!(steps(a) == steps(b) && steps(b).1 == events(b));
    assert_eq!(a.census, b.census);
    assert_eq!(b.event_count(), events(b).iter().map(|(_, records)| records.len() as u64).sum::<u64>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_log_holds_what_was_written(trace in trace()) {
        assert_same(&trace, &reread(&written(&trace, Format::Binary)));
    }

    #[test]
    fn json_holds_what_was_written(trace in trace()) {
        assert_same(&trace, &reread(&written(&trace, Format::Json)));
    }

    #[test]
    fn the_recorders_converter_writes_what_the_readers_does(trace in trace()) {
        let mut bytes = Vec::new();
        json_write::convert(&written(&trace, Format::Binary), &[], &mut bytes).expect("memory does not fail");
        prop_assert_eq!(String::from_utf8(bytes), String::from_utf8(written(&trace, Format::Json)));
    }
}

#[test]
fn json_names_every_event_and_field_as_serde_does() {
    for numbers in [[0; 8], [1; 8], [2; 8], [3, 5, 4, 2, 6, 1, 7, 9], [u64::MAX; 8]] {
        for (event, index) in every_event(&numbers).into_iter().zip(0..) {
            let record = Record { time: Ticks(77), event };
            let threads = vec![(ThreadId(12), vec![record])];
            let trace = ProcessTrace::from_records(PathBuf::new(), Header::default(), Tables::default(), threads);
            let json = String::from_utf8(written(&trace, Format::Json)).expect("JSON is text");
            let line = json.lines().nth(1).expect("the event has a line of its own");
            let mut line: serde_json::Value = serde_json::from_str(line).expect("the line is JSON");
            let thread = line.as_object_mut().and_then(|line| line.remove("thread"));
            assert_eq!(thread, Some(12.into()), "{index}: {event:?}");
            assert_eq!(line, serde_json::to_value(record).expect("serde writes it"), "{index}: {event:?}");
        }
    }
}

#[test]
fn a_long_thread_spans_chunks_and_comes_back_whole() {
    let lock = |i: u64| ObjectId(1 + (i % 900) as u32);
    let record = |i: u64| {
        let event = if i.is_multiple_of(2) {
            let (mode, how, order) = (Mode::Exclusive, How::Blocking, Order(1 + i / 1800));
            Event::Acquire { lock: lock(i / 2), site: SiteId(7), mode, how, order }
        } else {
            Event::Release { lock: lock(i / 2), wrote: true, unwinding: false }
        };
        Record { time: Ticks(1_000 + i * 30), event }
    };
    let threads = vec![(ThreadId(1), (0..200_000).map(record).collect()), (ThreadId(2), (0..50_000).map(record).collect())];
    let header = Header { ticks_per_second: 2.5e9, start_ticks: Ticks(900), ..Header::default() };
    let trace = ProcessTrace::from_records(PathBuf::new(), header, Tables::default(), threads);
    let bytes = written(&trace, Format::Binary);
    assert!(bytes.len() > 10 * crate::layout::SLOT_SIZE, "it is long");
    assert!(bytes.len() < 250_000 * 5, "sections are folded and orders left out");
    assert_same(&trace, &reread(&bytes));
}
