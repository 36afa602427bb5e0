//! Traces of every released version are read for ever, and the description of the format is of this format.
#![cfg(feature = "read")]

mod support;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use conccheck_trace::convert::Format;
use conccheck_trace::read::{self, ProcessTrace};
use support::{bytes, sample};

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden() -> PathBuf {
    crate_folder().join("tests/golden")
}

/// Everything that a reader gives, as text.
fn dump(trace: &ProcessTrace) -> String {
    let mut text = format!("{:#?}\n", trace.header);
    let mut line = |line: std::fmt::Arguments<'_>| writeln!(text, "{line}").expect("memory does not fail");
    trace.tables.strings().for_each(|(id, string)| line(format_args!("{id:?} {string:?}")));
    trace.tables.sites().for_each(|(id, site)| line(format_args!("{id:?} {site:?}")));
    trace.tables.objects().for_each(|(id, object)| line(format_args!("{id:?} {object:?}")));
    trace.tables.frames().for_each(|(id, frame)| line(format_args!("{id:?} {frame:?}")));
    for thread in trace.threads() {
        trace.events(thread).for_each(|record| line(format_args!("{thread:?} {} {:?}", record.time.0, record.event)));
    }
    let folder = format!("{}/", golden().display());
    trace.warnings.iter().for_each(|warning| line(format_args!("warning: {}", warning.replace(&folder, ""))));
    text
}

/// Writes the files of the current version anew when asked to; they are only ever added to.
fn bless(version: &str) {
    let write = |name: &str, bytes: &[u8]| std::fs::write(golden().join(name), bytes).expect("there is room");
    let trace = sample();
    write(&format!("{version}-all.cct"), &bytes(&trace, Format::Binary));
    write(&format!("{version}-all.json"), &bytes(&trace, Format::Json));
    write(&format!("{version}-all.std"), &bytes(&trace, Format::Std));
    let (log, live) = support::killed();
    write(&format!("{version}-killed.cct"), &log);
    write(&format!("{version}-killed.cct.live"), &live);
    for trace in read::open(&golden()).expect("they are good") {
        let name = trace.path.file_name().expect("is a file").to_string_lossy();
        write(&format!("{name}.txt"), dump(&trace).as_bytes());
    }
}

#[test]
fn traces_of_all_versions_are_read_as_they_were() {
    if std::env::var_os("CONCCHECK_BLESS").is_some() {
        bless("1.1");
    }
    let traces = read::open(&golden()).expect("they are good");
    assert!(traces.len() >= 4);
    for trace in traces {
        let name = trace.path.display();
        let expected = std::fs::read_to_string(format!("{name}.txt")).unwrap_or_default();
        assert_eq!(dump(&trace), expected, "{name}");
    }
}

/// FNV-1a, 64 bits, over the sources that say what a byte means, without carriage returns.
fn hash_of_the_format() -> u64 {
    let names =
        ["event.rs", "ids.rs", "layout.rs", "wire/mod.rs", "wire/table.rs", "wire/field.rs", "wire/varint.rs", "wire/decode.rs"];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in names {
        let bytes = std::fs::read(crate_folder().join("src").join(name)).expect("is there");
        for byte in bytes.into_iter().filter(|&byte| byte != b'\r') {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[test]
fn format_md_describes_the_format_of_these_sources() {
    let text = std::fs::read_to_string(crate_folder().join("FORMAT.md")).expect("is there");
    let hash = format!("{:016x}", hash_of_the_format());
    assert!(
        text.contains(&format!("Sources: `{hash}`")),
        "the sources of the format have changed: bring FORMAT.md up to date, raise the version in version.rs if a reader of before \
         would misread (major) or miss something (minor), then write `{hash}` into FORMAT.md"
    );
}

#[test]
fn format_md_names_every_event() {
    let text = std::fs::read_to_string(crate_folder().join("FORMAT.md")).expect("is there");
    let table = std::fs::read_to_string(crate_folder().join("src/wire/table.rs")).expect("is there");
    let rows = table.lines().map(str::trim).filter(|line| line.starts_with("0x"));
    let mut count = 0;
    for row in rows {
        let (head, fields) = row.split_once(" {").expect("has fields");
        let [tag, _, name] = head.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let fields = fields.trim_matches([' ', '}']).replace(' ', ", ");
        let line = format!("| `{tag}` | {} | {fields} |", name.trim_matches('"'));
        assert!(text.contains(&line), "FORMAT.md lacks: {line}");
        count += 1;
    }
    assert!(count > 30);
}
