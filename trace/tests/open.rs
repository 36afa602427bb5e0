//! What a path may name, and what is said where it names no trace.
#![cfg(feature = "read")]

mod support;

use std::io::Write;

use conccheck_trace::convert::Format;
use conccheck_trace::read;
use support::{Folder, bytes, events, one, sample};

#[test]
fn the_content_decides_what_a_file_is() {
    let (folder, whole) = (Folder::new(), sample());
    for format in [Format::Binary, Format::Json] {
        let trace = folder.open("misnamed.txt", bytes(&whole, format)).expect("is good");
        assert_eq!(events(&trace), events(&whole));
    }
    let trace = folder.open("misnamed.json", "\n\n  T1|acq(a)|3\n").expect("is good");
    assert_eq!(trace.event_count(), 2);
}

#[test]
fn compressed_files_are_read_and_a_cut_one_as_far_as_it_goes() {
    let folder = Folder::new();
    let gzip = |text: &[u8]| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        out.write_all(text).expect("memory does not fail");
        out.finish().expect("memory does not fail")
    };
    let text: String = (0..20_000).map(|i| format!("T1|w(v{i})|{i}\n")).collect();
    let compressed = gzip(text.as_bytes());
    assert_eq!(folder.open("t.std.gz", &compressed).expect("is good").event_count(), 20_001);
    let trace = folder.open("t.std.gz", &compressed[..compressed.len() / 2]).expect("the beginning is good");
    assert!((5_000..20_000).contains(&trace.event_count()));
    assert_eq!(trace.warnings.len(), 1);
    let json = gzip(&bytes(&sample(), Format::Json));
    assert_eq!(events(&folder.open("t.json.gz", json).expect("is good")), events(&sample()));
}

#[test]
fn json_may_be_printed_in_any_way() {
    let (folder, whole) = (Folder::new(), sample());
    let value: serde_json::Value = serde_json::from_slice(&bytes(&whole, Format::Json)).expect("is JSON");
    for text in [serde_json::to_string(&value), serde_json::to_string_pretty(&value)] {
        let trace = folder.open("t.json", text.expect("is JSON")).expect("is good");
        assert_eq!(events(&trace), events(&whole));
        assert_eq!((&trace.tables, &trace.header), (&whole.tables, &whole.header));
        assert_eq!(trace.warnings, Vec::<String>::new());
    }
}

#[test]
fn a_folder_gives_its_traces_by_name_and_those_of_its_folders() {
    let (folder, whole) = (Folder::new(), sample());
    let log = bytes(&whole, Format::Binary);
    for name in ["b.cct", "a.cct", "sub/c.cct", "sub/deeper/d.cct"] {
        folder.file(name, &log);
    }
    folder.file("notes.txt", "T1|acq(a)|3");
    folder.file("settings.json", "{\"colour\": 3}");
    folder.file("e.json", bytes(&whole, Format::Json));
    folder.file("empty.cct", "");
    let traces = read::open(folder.path()).expect("there are traces");
    let names: Vec<_> = traces.iter().map(|trace| trace.path.file_name().expect("a file").to_string_lossy()).collect();
    assert_eq!(names, ["a.cct", "b.cct", "e.json", "c.cct"]);
    assert_eq!(traces[0].warnings.len(), 1);
    assert!(traces[0].warnings[0].ends_with("empty.cct: is empty"), "{:?}", traces[0].warnings);
}

#[test]
fn json_that_was_never_written_is_read_from_its_log() {
    let (folder, whole) = (Folder::new(), sample());
    let json = folder.path().join("trace.json");
    folder.file("trace.json.cct", bytes(&whole, Format::Binary));
    let check = || {
        let trace = one(&json).expect("is good");
        assert_eq!(events(&trace), events(&whole));
        assert!(trace.warnings[0].contains("trace.json.cct") && trace.warnings[0].contains("was read instead of"));
    };
    check();
    folder.file("trace.json", "");
    check();
    folder.file("trace.json", &bytes(&whole, Format::Json)[..900]);
    check();
    assert_eq!(read::open(folder.path()).expect("there is one").len(), 1);
    folder.file("trace.json", bytes(&whole, Format::Json));
    assert_eq!(one(&json).expect("is good").warnings, Vec::<String>::new());
}

#[test]
fn what_is_no_trace_is_an_error_that_names_it() {
    let folder = Folder::new();
    let error = |name: &str, bytes: &[u8]| {
        let text = folder.open(name, bytes).expect_err("is no trace").to_string();
        let path = format!("{}: ", folder.path().join(name).display());
        text.strip_prefix(&path).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert_eq!(error("a", b""), "is empty");
    assert_eq!(error("a", b" \n \n"), "is empty");
    assert_eq!(error("a", b"hello there\n"), "not a trace: it looks like text that begins with `hello there`");
    assert_eq!(
        error("a", b"\x7fELF\x02\x01"),
        "not a trace: it looks like an executable: run it with `conccheck run -- PROGRAM`"
    );
    assert_eq!(error("a", &[200, 3, 0, 9]), "not a trace: it looks like binary data");
    assert_eq!(error("a", b"{\"a\": [1, 2]}"), "not a trace: it looks like JSON of another kind: it has no `conccheck-trace`");
    assert_eq!(error("a", b"[1, 2]"), "not a trace: it looks like JSON of another kind");
    assert!(error("a", b"conccheL\x01\0\0\0").contains("name the file without `.live`"));
    assert_eq!(error("a", b"conccheK\x01"), "cut within the header, at byte 9");
    assert!(error("a", b"conccheK\x07\0\0\0\0\0\0\0").contains("trace format 7.0 is newer than this conccheck"));
    assert!(error("a", b"conccheK\0\0\x09\0\0\0\0\0").contains("trace format 0.9 is too old for this conccheck"));
    assert!(error("a", b"{\"conccheck-trace\":\"1.9\",\"header\":{}}").contains("trace format 1.9 is newer"));
    assert!(
        read::open(&folder.path().join("nowhere")).expect_err("is not there").to_string().starts_with("no such file or folder: ")
    );
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("there is room");
    assert_eq!(read::open(&empty).expect_err("is empty").to_string(), format!("no trace in folder {}", empty.display()));
}
