//! What several tests need.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::{Path, PathBuf};

use conccheck_trace::convert::{self, Format};
use conccheck_trace::layout::{CHUNK_MAGIC, LIVE_HEADER_SIZE, LIVE_MAGIC, SLOT_SIZE, chunk, live};
use conccheck_trace::read::{self, Error, ProcessTrace};
use conccheck_trace::{Record, ThreadId, text};

/// A folder of files that goes away with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().expect("there is room"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("there is room");
        std::fs::write(&path, bytes).expect("there is room");
        path
    }

    /// Writes and reads a file.
    pub(crate) fn open(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<ProcessTrace, Error> {
        one(&self.file(name, bytes))
    }
}

pub(crate) fn one(path: &Path) -> Result<ProcessTrace, Error> {
    let mut traces = read::open(path)?;
    assert_eq!(traces.len(), 1);
    Ok(traces.remove(0))
}

/// Some of everything.
pub(crate) fn sample() -> ProcessTrace {
    let text = "object queue mutex @src/q\u{fc}eue.rs:3:9 Vec<u8>\nfact runner none\n\
        main spawn w @src/main.rs:7:5; main lock queue @src/main.rs:9:5; main wait full queue @src/main.rs:10:5\n\
        w lock queue @src/main.rs:20:5 +2ms; w notify full; w unlock queue; main wake full; main unlock queue read-only\n\
        main channel c 4; main send c; w recv c; w request-recv c; main drop-sender c; w recv-fail c closed\n\
        main channel d; main clone-sender d s2; object all wait-group; main channel all; w case-recv d; w case-recv c; w request-select timed; w selected others\n\
        w read table; w unlock table; w write table; w downgrade table; w unlock table; w park timed; w unparked\n\
        w end; main request-join w; main join w; main cell-write x\n\
        main scope-begin serve; main token-clone stop; main cancel-look stop; main cancel-wait stop timed; main cancel-look stop\n\
        main cancel stop; main cancel-look stop cancelled; main scope-end serve\n\
        frame f /lib/x.so 4660; frame g /lib/x.so 99999999999 f; main lock queue; main lock outer; main stack g\n\
        main unlock outer; main unlock queue; main exit; main end";
    text::parse(text).expect("is well-formed")
}

pub(crate) fn bytes(trace: &ProcessTrace, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    convert::write(trace, format, &mut bytes).expect("memory does not fail");
    bytes
}

pub(crate) fn events(trace: &ProcessTrace) -> Vec<(ThreadId, Vec<Record>)> {
    trace.threads().into_iter().map(|thread| (thread, trace.events(thread).collect())).collect()
}

/// Whether each thread's events in `part` are the first of that thread in `whole`.
pub(crate) fn is_prefix(part: &ProcessTrace, whole: &ProcessTrace) -> bool {
    events(part).iter().all(|(thread, records)| whole.events(*thread).take(records.len()).eq(records.iter().copied()))
}

/// A live file of these slots.
pub(crate) fn live_file(slots: &[&[u8]]) -> Vec<u8> {
    let mut file = vec![0; LIVE_HEADER_SIZE];
    file[..8].copy_from_slice(&LIVE_MAGIC);
    file[live::VERSION] = 1;
    file[live::CLOCK_FIRST..live::CLOCK_FIRST + 8].copy_from_slice(&1_000_u64.to_le_bytes());
    file[live::CLOCK_LAST..live::CLOCK_LAST + 8].copy_from_slice(&6_001_000_u64.to_le_bytes());
    file[live::CLOCK_LAST + 8..live::CLOCK_LAST + 16].copy_from_slice(&2_000_000_u64.to_le_bytes());
    file[live::LOST_EVENTS] = 3;
    file[live::LOST_REASON] = 28;
    file[live::DEADLOCK] = 1;
    for slot in slots {
        let begin = file.len();
        file.extend_from_slice(slot);
        file.resize(begin + SLOT_SIZE, 0);
    }
    file
}

/// The log and the live file of a process that ended in the middle: its chunks are in slots yet.
pub(crate) fn killed() -> (Vec<u8>, Vec<u8>) {
    let text =
        "main spawn w @src/main.rs:7:5; main lock a @src/main.rs:8:5; w lock b @src/main.rs:20:5; main request b; w request a";
    let log = bytes(&text::parse(text).expect("is well-formed"), Format::Binary);
    let first = (0..log.len()).find(|&at| log[at..].starts_with(&CHUNK_MAGIC.to_le_bytes())).expect("has a chunk");
    let len = u32::from_le_bytes(log[first + chunk::END..][..4].try_into().expect("four bytes")) as usize;
    let mut live = live_file(&[&log[first..first + len], &log[first + len..]]);
    // Nothing behind the last chunk is needed.
    live.truncate(LIVE_HEADER_SIZE + SLOT_SIZE + log.len() - first - len);
    (log[..first].to_vec(), live)
}
