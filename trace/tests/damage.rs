//! Damaged and cut files are read as far as they are good, and never do harm.
#![cfg(feature = "read")]

mod support;

use conccheck_trace::convert::Format;
use conccheck_trace::layout::{CHUNK_MAGIC, chunk};
use conccheck_trace::read::{Error, ProcessTrace};
use conccheck_trace::{Event, ThreadId, json_write};
use proptest::prelude::*;
use support::{Folder, bytes, events, is_prefix, live_file, one, sample};

/// Looks at all that a reader gives, so that nothing lazy stays unread.
fn exhaust(result: Result<ProcessTrace, Error>) -> Option<ProcessTrace> {
    match result {
        Ok(trace) => {
            assert_eq!(events(&trace).iter().map(|(_, records)| records.len() as u64).sum::<u64>(), trace.event_count());
            Some(trace)
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

#[test]
fn a_log_that_is_cut_anywhere_gives_its_beginning_and_says_so() {
    let (folder, whole) = (Folder::new(), sample());
    let log = bytes(&whole, Format::Binary);
    let header = 16 + u32::from_le_bytes(log[12..16].try_into().expect("four bytes")) as usize;
    for len in 0..log.len() {
        match folder.open("t.cct", &log[..len]) {
            Err(Error::Empty { .. }) => assert_eq!(len, 0),
            Err(Error::CutHeader { offset, .. }) => assert!(offset == len as u64 && len < header),
            Err(error) => panic!("{len}: {error}"),
            Ok(trace) => {
                assert!(len >= header && is_prefix(&trace, &whole), "{len}");
                // Between two chunks, nothing tells that there was another.
                let is_between = len == header || log[len..].starts_with(&CHUNK_MAGIC.to_le_bytes());
                assert_eq!(trace.warnings.is_empty(), is_between, "{len}: {:?}", trace.warnings);
            }
        }
    }
}

#[test]
fn json_that_is_cut_anywhere_gives_its_beginning_and_says_so() {
    let (folder, whole) = (Folder::new(), sample());
    let json = bytes(&whole, Format::Json);
    let text = String::from_utf8(json.clone()).expect("JSON is text");
    let header = text.find("\"entries\":[").expect("is there") + 11;
    for len in 1..json.len() - 2 {
        match folder.open("t.json", &json[..len]) {
            Err(Error::NotATrace { .. } | Error::CutHeader { .. }) => assert!(len < header, "{len}"),
            Err(error) => panic!("{len}: {error}"),
            Ok(trace) => {
                assert!(len >= header && is_prefix(&trace, &whole), "{len}");
                assert_eq!(trace.warnings.len(), 1, "{len}");
                assert!(trace.warnings[0].contains("t.json:"), "{:?}", trace.warnings);
            }
        }
    }
}

#[test]
fn a_damaged_line_of_json_ends_the_trace_there_with_its_number() {
    let (folder, whole) = (Folder::new(), sample());
    let text = String::from_utf8(bytes(&whole, Format::Json)).expect("JSON is text");
    let mut lines: Vec<_> = text.lines().collect();
    let damaged = lines.len() - 5;
    for (line, what) in [
        ("{\"thread\":1,\"time\":3,\"event\":\"dance\"},", "unknown variant `dance`"),
        ("{\"thread\":1,\"event\":\"unparked\"},", "missing field `time`"),
        ("{\"thread\":1,,", ""),
        ("{\"colour\":\"red\"},", "neither an event nor a definition"),
        ("{\"thread\":1,\"time\":3,\"event\":\"sleep\",\"site\":1,\"nanos\":-4},", "a value is neither"),
    ] {
        lines[damaged] = line;
        let trace = folder.open("t.json", lines.join("\n")).expect("the beginning is good");
        assert!(is_prefix(&trace, &whole) && trace.event_count() > 20);
        let warning = &trace.warnings[0];
        assert!(warning.contains(&format!("t.json:{}: ", damaged + 1)) && warning.contains(what), "{warning}");
    }
}

/// A log of two chunks of one thread, with the offset of the second.
fn two_chunks() -> (Vec<u8>, usize, ProcessTrace) {
    let text = "main park timed @a.rs:1; main unparked @a.rs:1; ".repeat(40_000);
    let whole = conccheck_trace::text::parse(&text).expect("is well-formed");
    let log = bytes(&whole, Format::Binary);
    let magic = CHUNK_MAGIC.to_le_bytes();
    let starts: Vec<_> = (0..log.len() - 4).filter(|&at| log[at..].starts_with(&magic)).collect();
    assert!(starts.len() > 2);
    (log, starts[1], whole)
}

#[test]
fn behind_a_damaged_chunk_reading_goes_on_with_the_next() {
    let (log, second, whole) = two_chunks();
    let folder = Folder::new();
    let mut entry = log.clone();
    entry[second + chunk::ENTRIES + 7..][..16].fill(0x7f);
    let mut end = log.clone();
    end[second + chunk::END + 3] = 0x55;
    let mut magic = log;
    magic[second] ^= 1;
    for (damaged, what) in [(entry, "byte"), (end, "header is damaged"), (magic, "belong to no chunk")] {
        let trace = folder.open("t.cct", damaged).expect("most is good");
        let last = |trace: &ProcessTrace| trace.events(ThreadId(1)).last();
        assert_eq!(last(&trace), last(&whole), "{what}");
        assert!(trace.event_count() <= whole.event_count());
        assert!(trace.warnings.iter().any(|warning| warning.contains(what)), "{what}: {:?}", trace.warnings);
        assert!(trace.warnings.iter().all(|warning| warning.contains("t.cct: ")), "{:?}", trace.warnings);
    }
}

#[test]
fn a_chunk_that_is_missing_is_a_warning_that_names_thread_and_number() {
    let (mut log, second, whole) = two_chunks();
    let len = u32::from_le_bytes(log[second + chunk::END..second + chunk::END + 4].try_into().expect("four bytes")) as usize;
    log.drain(second..second + len);
    let trace = Folder::new().open("t.cct", log).expect("the rest is good");
    assert!(trace.event_count() < whole.event_count());
    assert_eq!(trace.warnings.len(), 1);
    assert!(trace.warnings[0].contains("of thread 1, chunks 1 to 1 are missing"), "{:?}", trace.warnings);
}

#[test]
fn what_a_killed_process_had_not_flushed_is_read_from_its_live_file() {
    let (log, second, whole) = two_chunks();
    let folder = Folder::new();
    let chunks_of = |from: usize, to: usize| log[from..to].to_vec();
    let next = |at: usize| at + u32::from_le_bytes(log[at + chunk::END..at + chunk::END + 4].try_into().expect("four")) as usize;
    // The second chunk is in both files, the third in the live file alone, beside a free slot.
    let (third, fourth) = (next(second), next(next(second)));
    let path = folder.file("t.cct", &log[..third]);
    let rest = if fourth > log.len() { log.len() } else { fourth };
    folder.file("t.cct.live", live_file(&[&chunks_of(second, third), &[0; 64], &chunks_of(third, rest)]));
    let trace = one(&path).expect("is good");
    assert_eq!(trace.warnings, Vec::<String>::new());
    assert!(is_prefix(&trace, &whole));
    // Killed while the second chunk was being appended, which is still in its slot.
    let path = folder.file("w.cct", &log[..third - 40]);
    folder.file("w.cct.live", live_file(&[&chunks_of(second, third), &[0; 64], &chunks_of(third, rest)]));
    let cut = one(&path).expect("is good");
    assert_eq!(cut.warnings, Vec::<String>::new());
    assert_eq!(events(&cut), events(&trace));
    let in_log = { one(&folder.file("u.cct", &log[..third])) }.expect("is good").event_count();
    assert!(trace.event_count() > in_log);
    assert!(trace.header.deadlock_end && !trace.header.clean_end);
    let (count, reason) = trace.header.lost.clone().expect("events were lost");
    assert!(count == 3 && reason.contains("space"), "{reason}");

    let mut json = Vec::new();
    let live = std::fs::read(folder.path().join("t.cct.live")).expect("is there");
    json_write::convert(&log[..third], &live, &mut json).expect("memory does not fail");
    let converted = folder.open("v.json", json).expect("is good");
    assert_eq!(events(&converted), events(&trace));
    assert_eq!(converted.header, trace.header);
}

#[test]
fn a_recorders_log_without_its_live_file_is_read_with_a_warning() {
    let trace = Folder::new().open("t.cct", b"conccheK\x01\0\0\0\x06\0\0\0pid=7\n").expect("the header is good");
    assert_eq!((trace.header.pid, trace.header.clean_end, trace.is_empty()), (7, false, true));
    assert!(trace.warnings[0].contains("t.cct.live: is not there"), "{:?}", trace.warnings);
}

#[test]
fn the_clocks_rate_follows_from_the_live_file_where_the_header_does_not_say_it() {
    let mut log = b"conccheK\x01\0\0\0".to_vec();
    let text = b"program=a\nticks_per_second=0\nclock=tsc\narg=x\\ny\\\\\n";
    log.extend_from_slice(&(text.len() as u32).to_le_bytes());
    log.extend_from_slice(text);
    let folder = Folder::new();
    folder.file("t.cct.live", live_file(&[]));
    let header = folder.open("t.cct", log).expect("is good").header;
    assert_eq!((header.ticks_per_second, header.start_ticks.0), (3e9, 1_000));
    assert_eq!((header.program.as_str(), &header.args[..]), ("a", &["x\ny\\".to_owned()][..]));
    assert_eq!(header.facts, []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn flipped_bits_do_no_harm(flips in proptest::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..6), format in 0..3) {
        let format = [Format::Binary, Format::Json, Format::Std][format as usize];
        let mut bytes = bytes(&sample(), format);
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        exhaust(Folder::new().open("t", bytes));
    }

    #[test]
    fn random_bytes_do_no_harm(body in proptest::collection::vec(any::<u8>(), 0..3000), kind in 0..5) {
        let mut bytes: Vec<u8> = match kind {
            0 => b"conccheK".to_vec(),
            1 => b"conccheK\x01\0\0\0\x04\0\0\0pid=CHNK\x01\0\0\0\0\0\0\0\x00\x08\0\0".to_vec(),
            2 => b"{\"conccheck-trace\":\"1.0\",\"entries\":[".to_vec(),
            3 => b"T1|acq(".to_vec(),
            _ => Vec::new(),
        };
        bytes.extend(&body);
        let folder = Folder::new();
        folder.file("t.cct.live", live_file(&[&body]));
        exhaust(folder.open("t.cct", bytes));
    }

    #[test]
    fn random_entries_do_no_harm(body in proptest::collection::vec(prop_oneof![0x60..0x73_u8, 0x80..=0xff_u8, any::<u8>()], 0..2000)) {
        let mut log = b"conccheK\x01\0\0\0\x04\0\0\0pid=CHNK\x01\0\0\0\0\0\0\0".to_vec();
        log.extend(&(32 + body.len() as u32).to_le_bytes());
        log.extend([0; 16]);
        log.extend(&body);
        let trace = exhaust(Folder::new().open("t.cct", log)).expect("the header is good");
        prop_assert!(trace.event_count() <= 2 * body.len() as u64);
        let _ = trace.events(ThreadId(1)).filter(|record| matches!(record.event, Event::Lost { .. })).count();
    }
}
