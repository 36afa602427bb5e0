//! Runs cargo and counts the tests that pass and fail, from what the test harness prints.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How many tests passed and failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

/// What is left behind may keep the output open; so long it is waited for after the command's own end.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs a test harness, whose output is passed on as it comes. It is read on the way only where it is no terminal's: a harness shows
/// no colours to a pipe. `None`: nothing was counted.
pub(super) fn run(command: &mut Command) -> io::Result<(ExitStatus, Option<Tally>)> {
    if io::stdout().is_terminal() {
        return Ok((command.status()?, None));
    }
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().expect("a pipe");
    let (sender, tally) = mpsc::channel();
    thread::spawn(move || sender.send(pass_on(output)));
    let status = child.wait()?;
    Ok((status, tally.recv_timeout(PATIENCE).ok().flatten()))
}

/// Copies to standard output what is read, and counts. A reader that has gone away does not stop the tests.
fn pass_on(output: impl Read) -> Option<Tally> {
    let mut output = BufReader::new(output);
    let (mut tally, mut line) = (None, Vec::new());
    while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
        if let Some(more) = counted(&String::from_utf8_lossy(&line)) {
            let sum: &mut Tally = tally.get_or_insert_default();
            (sum.passed, sum.failed) = (sum.passed + more.passed, sum.failed + more.failed);
        }
        line.clear();
    }
    tally
}

/// What a line such as "test result: ok. 4 passed; 0 failed; 1 ignored; …" counts.
fn counted(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| {
        let part = counts.split(';').find_map(|part| part.trim().strip_suffix(what))?;
        part.trim().parse().ok()
    };
    Some(Tally { passed: number("passed")?, failed: number("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_test_harness_are_counted() {
        let line = "test result: FAILED. 47 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.06s\n";
        assert_eq!(counted(line), Some(Tally { passed: 47, failed: 1 }));
        assert_eq!(counted("test result: nonsense"), None);
        assert_eq!(counted("test bank::tests::transfer ... ok"), None);
    }

    #[test]
    fn all_results_of_a_run_are_summed() {
        let output = "test result: ok. 3 passed; 0 failed; 0 ignored\nrunning 1 test\ntest result: ok. 1 passed; 0 failed";
        assert_eq!(pass_on(output.as_bytes()), Some(Tally { passed: 4, failed: 0 }));
        assert_eq!(pass_on(&b"no test"[..]), None);
    }
}
