//! The two files of a recording: where they are, and the log's header.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use conccheck_trace::layout::{LIVE_HEADER_SIZE, LIVE_MAGIC, MAGIC, PREAMBLE, live};
use conccheck_trace::version::CURRENT;

use crate::{clock, perturb};

/// The open files of a recording.
pub(crate) struct Files {
    /// The log, opened for appending and locked while this process lives.
    pub(crate) log: File,
    /// The file of live slots.
    pub(crate) live: File,
    pub(crate) log_path: PathBuf,
    pub(crate) live_path: PathBuf,
    /// Where to write JSON when the process ends, if that is asked for.
    pub(crate) json: Option<PathBuf>,
    /// Bytes that are in the log already.
    pub(crate) log_len: u64,
}

/// What the environment says about where to record to; `None` if nothing is to be recorded.
pub(crate) fn target() -> Option<PathBuf> {
    std::env::var_os("CONCCHECK_TRACE").filter(|path| !path.is_empty()).map(PathBuf::from)
}

impl Files {
    /// Creates the files that `target` asks for.
    pub(crate) fn create(target: &Path) -> io::Result<Files> {
        let extension = target.extension();
        let (log_path, log) = if extension == Some(OsStr::new("json")) || extension == Some(OsStr::new("cct")) {
            if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder)?;
            }
            own(target)?
        } else {
            fs::create_dir_all(target)?;
            fresh(target)?
        };
        let json = (log_path.extension() == Some(OsStr::new("json"))).then(|| log_path.clone());
        let log_path = if json.is_some() { with_suffix(&log_path, ".cct") } else { log_path };
        // A relative path must still name the file after the program changed its working directory.
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let live_path = with_suffix(&log_path, ".live");
        let live = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&live_path)?;
        let mut files = Files {
            log,
            live,
            log_path: absolute(log_path),
            live_path: absolute(live_path),
            json: json.map(absolute),
            log_len: 0,
        };
        let written = files.write_headers();
        if written.is_err() {
            files.remove();
        }
        written.map(|()| files)
    }

    fn write_headers(&mut self) -> io::Result<()> {
        let header = log_header();
        self.log.write_all(&header)?;
        self.log_len = header.len() as u64;
        self.live.write_all(&live_header())?;
        crate::sys::reserve(&self.live, 0, LIVE_HEADER_SIZE)
    }

    /// Removes both files.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.log_path);
        let _ = fs::remove_file(&self.live_path);
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn appending() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).append(true);
    options
}

/// The log of a file that the user named, or one with the process's number in its name where the named one is another's.
fn own(target: &Path) -> io::Result<(PathBuf, File)> {
    let pid = std::process::id();
    let stem = target.file_stem().unwrap_or_default();
    let extension = target.extension().unwrap_or_default();
    let mut name = target.to_owned();
    for attempt in 0..1000 {
        let log = if extension == "json" { with_suffix(&name, ".cct") } else { name.clone() };
        let file = appending().create(true).open(&log)?;
        match file.try_lock() {
            // A process that replaced itself by another program keeps its number: what it recorded before stays.
            Ok(()) if recorded_by(&file) == Some(pid) => {}
            Ok(()) => {
                file.set_len(0)?;
                return Ok((name, file));
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let mut other = OsString::from(stem);
        other.push(format!("-{pid}"));
        if attempt > 0 {
            other.push(format!("-{attempt}"));
        }
        other.push(".");
        other.push(extension);
        name.set_file_name(other);
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// The process whose log this is, if it is one.
fn recorded_by(mut file: &File) -> Option<u32> {
    let mut preamble = [0; PREAMBLE];
    file.read_exact(&mut preamble).ok()?;
    if preamble[..8] != MAGIC {
        return None;
    }
    let mut text = Vec::new();
    let length = u32::from_le_bytes([preamble[12], preamble[13], preamble[14], preamble[15]]);
    file.take(u64::from(length)).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().find_map(|line| line.strip_prefix("pid="))?.parse().ok()
}

/// A new log in a folder that holds one file a process.
fn fresh(folder: &Path) -> io::Result<(PathBuf, File)> {
    let exe = std::env::current_exe().unwrap_or_default();
    let program = exe.file_name().unwrap_or(OsStr::new("program")).to_owned();
    let started = since_epoch().as_nanos();
    for attempt in 0..1000 {
        let mut name = program.clone();
        name.push(format!("-{}-{:x}.cct", std::process::id(), started + attempt));
        let path = folder.join(name);
        match appending().create_new(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => {
                let file = file?;
                // Nobody else knows this file; the lock only says that its process lives.
                let _ = file.try_lock();
                return Ok((path, file));
            }
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn since_epoch() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn live_header() -> Vec<u8> {
    let mut page = vec![0; LIVE_HEADER_SIZE];
    page[live::MAGIC..live::MAGIC + 8].copy_from_slice(&LIVE_MAGIC);
    page[live::VERSION..live::VERSION + 4].copy_from_slice(&version());
    page
}

fn version() -> [u8; 4] {
    let [a, b] = CURRENT.major.to_le_bytes();
    let [c, d] = CURRENT.minor.to_le_bytes();
    [a, b, c, d]
}

/// Variables of test runners that tell runs, tests and attempts apart.
const RUNNER_VARIABLES: [&str; 6] =
    ["NEXTEST", "NEXTEST_RUN_ID", "NEXTEST_TEST_NAME", "NEXTEST_BINARY_ID", "NEXTEST_ATTEMPT", "NEXTEST_EXECUTION_MODE"];

fn log_header() -> Vec<u8> {
    let mut text = Vec::new();
    let mut arguments = std::env::args_os();
    let first = arguments.next();
    let program = std::env::current_exe().map(PathBuf::into_os_string).ok().or(first).unwrap_or_default();
    line(&mut text, "program", program.as_bytes());
    for argument in arguments {
        line(&mut text, "arg", argument.as_bytes());
    }
    line(&mut text, "pid", std::process::id().to_string().as_bytes());
    line(&mut text, "cwd", std::env::current_dir().unwrap_or_default().as_os_str().as_bytes());
    line(&mut text, "rustc", option_env!("RUSTC_VERSION").unwrap_or_default().as_bytes());
    line(&mut text, "started_unix", since_epoch().as_secs().to_string().as_bytes());
    line(&mut text, "ticks_per_second", if clock::NAME == "nanos" { b"1000000000" } else { b"0" });
    line(&mut text, "clock", clock::NAME.as_bytes());
    if let Ok(cores) = std::thread::available_parallelism() {
        line(&mut text, "cores", cores.to_string().as_bytes());
    }
    if let Some(seed) = perturb::seed() {
        line(&mut text, perturb::FACT, seed.to_string().as_bytes());
    }
    if let Some(facts) = std::env::var_os("CONCCHECK_FACTS") {
        for fact in facts.as_bytes().split(|&byte| byte == b'\n') {
            if let Some(equals) = fact.iter().position(|&byte| byte == b'=') {
                line(&mut text, &String::from_utf8_lossy(&fact[..equals]), &fact[equals + 1..]);
            }
        }
    }
    for name in RUNNER_VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            line(&mut text, name, value.as_bytes());
        }
    }
    let mut header = Vec::with_capacity(PREAMBLE + text.len());
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(&version());
    header.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
    header.extend_from_slice(&text);
    header
}

/// One `key=value` line. What is not UTF-8 is replaced, so that the text can be read as such.
fn line(text: &mut Vec<u8>, key: &str, value: &[u8]) {
    text.extend_from_slice(key.as_bytes());
    text.push(b'=');
    for byte in String::from_utf8_lossy(value).bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'\n' => text.extend_from_slice(b"\\n"),
            byte => text.push(byte),
        }
    }
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_line_ends_and_backslashes_stays_on_one_line() {
        let mut text = Vec::new();
        line(&mut text, "arg", b"a\\b\nc\xff");
        assert_eq!(String::from_utf8(text).unwrap(), "arg=a\\\\b\\nc\u{fffd}\n");
    }
}
