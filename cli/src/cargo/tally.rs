//! Runs cargo and counts the tests that pass and fail, from what the test harness prints.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::screen;

/// How many tests passed and failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

/// Who runs the tests: says where the results are printed and how they read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Harness {
    /// rustc's own; on standard output.
    Standard,
    /// cargo-nextest; on standard error.
    Nextest,
}

/// What is left behind may keep the output open; so long it is waited for after the command's own end.
const PATIENCE: Duration = Duration::from_secs(1);

/// So much of the end of a line is looked at. nextest's bar of progress fills whole screens without an end of line.
const MAX_LINE: usize = 1 << 16;

/// Runs a test harness, whose output is passed on as it comes and read on the way. `None`: nothing was counted.
pub(super) fn run(command: &mut Command, harness: Harness) -> io::Result<(ExitStatus, Option<Tally>)> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let both = is_one(&stdout, &stderr);
    match harness {
        Harness::Standard => watch(command, harness, both, stdout),
        Harness::Nextest => watch(command, harness, both, stderr),
    }
}

/// Whether what is printed on the two comes out in one place, as on a terminal or behind `2>&1`: it stays in order only if it takes one
/// way.
fn is_one(stdout: &impl AsFd, stderr: &impl AsFd) -> bool {
    let place = |output: BorrowedFd<'_>| {
        let place = File::from(output.try_clone_to_owned()?).metadata()?;
        io::Result::Ok((place.dev(), place.ino()))
    };
    matches!((place(stdout.as_fd()), place(stderr.as_fd())), (Ok(one), Ok(other)) if one == other)
}

/// Runs a test harness and keeps all that it prints.
pub(super) fn run_quietly(command: &mut Command, harness: Harness) -> io::Result<(ExitStatus, Option<Tally>, Vec<u8>)> {
    let (output, theirs) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(theirs.try_clone()?).stderr(theirs);
    let (status, read) = run_reading(command, move || {
        let mut printed = Vec::new();
        let tally = pass_on(output, &mut printed, harness);
        (tally, printed)
    })?;
    let (tally, printed) = read.unwrap_or_default();
    Ok((status, tally, printed))
}

/// Runs it with the one of its outputs that has the results watched, or with both; `own` is where that would have gone.
fn watch<W>(command: &mut Command, harness: Harness, both: bool, own: W) -> io::Result<(ExitStatus, Option<Tally>)>
where
    W: Write + AsFd + IsTerminal + Send + 'static,
{
    let Ok((output, theirs)) = way_for(&own) else { return Ok((command.status()?, None)) };
    if both || harness == Harness::Nextest {
        command.stderr(theirs.try_clone()?);
    }
    if both || harness == Harness::Standard {
        command.stdout(theirs.try_clone()?);
    }
    drop(theirs);
    let (status, tally) = run_reading(command, move || pass_on(output, own, harness))?;
    Ok((status, tally.flatten()))
}

/// Runs it while `read` reads what it prints, up to the end. `None`: something left behind keeps that open.
fn run_reading<R: Send + 'static>(
    command: &mut Command,
    read: impl FnOnce() -> R + Send + 'static,
) -> io::Result<(ExitStatus, Option<R>)> {
    let mut child = command.spawn()?;
    // The end of what is read is there when nobody can print any more.
    command.stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let (sender, result) = mpsc::channel();
    thread::spawn(move || sender.send(read()));
    let status = child.wait()?;
    Ok((status, result.recv_timeout(PATIENCE).ok()))
}

/// A way of the same kind: what is printed on the second comes out of the first. A terminal, if it is one: a harness shows no colours
/// to a pipe.
fn way_for(own: &(impl AsFd + IsTerminal)) -> io::Result<(Box<dyn Read + Send>, OwnedFd)> {
    if own.is_terminal() {
        let (screen, theirs) = screen::like(own)?;
        Ok((Box::new(screen), theirs))
    } else {
        let (output, theirs) = io::pipe()?;
        Ok((Box::new(output), theirs.into()))
    }
}

/// Copies what is read, and counts. A reader that has gone away does not stop the tests.
fn pass_on(mut output: impl Read, mut own: impl Write, harness: Harness) -> Option<Tally> {
    let (mut tally, mut line, mut buffer) = (None, Vec::new(), [0; 8192]);
    loop {
        let read = match output.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => &buffer[..length],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // A terminal that nobody has open any more ends with an error.
            Err(_) => break,
        };
        let _ = own.write_all(read).and_then(|()| own.flush());
        for piece in read.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            line.drain(..line.len().saturating_sub(MAX_LINE));
            if piece.ends_with(b"\n") {
                add(&mut tally, harness.counted(&line));
                line.clear();
            }
        }
    }
    add(&mut tally, harness.counted(&line));
    tally
}

fn add(sum: &mut Option<Tally>, more: Option<Tally>) {
    if let Some(more) = more {
        let sum: &mut Tally = sum.get_or_insert_default();
        (sum.passed, sum.failed) = (sum.passed + more.passed, sum.failed + more.failed);
    }
}

impl Harness {
    /// What a line counts: "test result: ok. 4 passed; 0 failed; 1 ignored; …", or "Summary [ 0.2s] 5 tests run: 4 passed, 1 failed".
    fn counted(self, line: &[u8]) -> Option<Tally> {
        let line = String::from_utf8_lossy(line);
        let line = anstream::adapter::strip_str(&line).to_string();
        let counts = match self {
            Harness::Standard => line.trim().strip_prefix("test result: ")?.split_once(". ")?.1,
            // Around it may be what the bar of progress wrote, and blanks up to the edge of the screen.
            Harness::Nextest => line.rsplit_once("Summary [")?.1.split_once(" run: ")?.1.split("  ").next()?,
        };
        let count = |part: &str| {
            let (number, what) = part.trim().split_once(' ')?;
            Some((number.parse::<u64>().ok()?, what.split(' ').next()?.to_owned()))
        };
        let counts: Vec<(u64, String)> = counts.split([';', ',']).filter_map(count).collect();
        let sum =
            |words: &[&str]| counts.iter().filter(|(_, what)| words.contains(&what.as_str())).map(|(number, _)| number).sum();
        // "1 timed out" and "1 exec failed" are nextest's.
        (!counts.is_empty()).then(|| Tally { passed: sum(&["passed"]), failed: sum(&["failed", "timed", "exec"]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_test_harness_are_counted() {
        let counted = |line: &str| Harness::Standard.counted(line.as_bytes());
        let line = "test result: \u{1b}[31mFAILED\u{1b}(B\u{1b}[m. 47 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.06s\n";
        assert_eq!(counted(line), Some(Tally { passed: 47, failed: 1 }));
        assert_eq!(counted("test result: nonsense"), None);
        assert_eq!(counted("test bank::tests::transfer ... ok"), None);
    }

    #[test]
    fn the_summary_of_nextest_is_counted() {
        let counted = |line: &str| Harness::Nextest.counted(line.as_bytes());
        let line = "\u{1b}[31;1m     Summary\u{1b}[0m [   0.005s] \u{1b}[1m9\u{1b}[0m tests run: 5 passed (1 slow, 2 flaky), 2 failed, 1 timed out, 3 skipped\n";
        assert_eq!(counted(line), Some(Tally { passed: 5, failed: 3 }));
        assert_eq!(counted("Summary [ 0.1s] 3/5 tests run: 2 passed, 1 exec failed"), Some(Tally { passed: 2, failed: 1 }));
        let bar = "[2K     Running [ 00:00:00] ██ 4/4: 1 running, 7 passed";
        let among = format!("{bar}     Summary [   0.1s] 4 tests run: 3 passed, 1 failed, 0 skipped         {bar}");
        assert_eq!(counted(&among), Some(Tally { passed: 3, failed: 1 }));
        assert_eq!(counted("test result: ok. 3 passed; 0 failed"), None, "of a test that failed: its own output");
    }

    #[test]
    fn all_results_of_a_run_are_summed_and_nothing_is_held_back() {
        let output = "test result: ok. 3 passed; 0 failed; 0 ignored\nrunning 1 test\ntest result: ok. 1 passed; 0 failed";
        let mut passed_on = Vec::new();
        let tally = pass_on(output.as_bytes(), &mut passed_on, Harness::Standard);
        assert_eq!((tally, passed_on.as_slice()), (Some(Tally { passed: 4, failed: 0 }), output.as_bytes()));
        assert_eq!(pass_on(&b"no test"[..], io::sink(), Harness::Standard), None);
    }

    #[test]
    fn what_goes_into_one_pipe_comes_out_in_order() {
        let (mut output, pipe) = io::pipe().expect("a pipe");
        let same = pipe.try_clone().expect("a pipe");
        assert!(is_one(&pipe, &same));
        assert!(!is_one(&pipe, &io::pipe().expect("a pipe").1));
        drop(same);
        let script = "for i in 1 2 3 4 5 6 7 8; do printf a; printf b >&2; done";
        let pipe = File::from(OwnedFd::from(pipe));
        watch(Command::new("sh").args(["-c", script]), Harness::Standard, true, pipe).expect("it runs");
        let mut shown = String::new();
        output.read_to_string(&mut shown).expect("text");
        assert_eq!(shown, "ab".repeat(8));
    }

    #[test]
    fn what_a_quiet_run_prints_is_kept_and_counted() {
        let script = "echo first; echo second >&2; echo 'test result: FAILED. 3 passed; 1 failed'; exit 7";
        let (status, tally, printed) = run_quietly(Command::new("sh").args(["-c", script]), Harness::Standard).expect("it runs");
        assert_eq!((status.code(), tally), (Some(7), Some(Tally { passed: 3, failed: 1 })));
        assert!(printed.starts_with(b"first\nsecond\n"), "{}", String::from_utf8_lossy(&printed));
    }

    /// The user's terminal is one of our own here.
    #[test]
    fn on_a_terminal_the_command_sees_one_of_the_same_size_and_all_comes_out_in_order() {
        let open = || rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY);
        let Ok(window) = open() else {
            println!("not run: no pseudoterminals");
            return;
        };
        rustix::pty::unlockpt(&window).expect("a terminal");
        let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
        let users = rustix::pty::ioctl_tiocgptpeer(&window, flags).expect("a terminal");
        let size = rustix::termios::Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&users, size).expect("a terminal");
        let script = "test -t 1 && test -t 2 && echo first && echo second >&2 && stty size <&1 && printf 'no end of line: '
            echo; echo 'test result: ok. 3 passed; 0 failed'; exit 7";
        let (status, tally) =
            watch(Command::new("sh").args(["-c", script]), Harness::Standard, true, File::from(users)).expect("it runs");
        assert_eq!((status.code(), tally), (Some(7), Some(Tally { passed: 3, failed: 0 })));
        let mut shown = Vec::new();
        let _ = File::from(window).read_to_end(&mut shown);
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert_eq!(shown, "first\r\nsecond\r\n33 77\r\nno end of line: \r\ntest result: ok. 3 passed; 0 failed\r\n");
    }
}
