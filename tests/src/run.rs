//! Runs a command with a time limit.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if it was ended, by the time limit or by a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it printed besides.
    pub stderr: String,
}

/// Runs a command, with all that it starts, for at most `limit`.
///
/// # Panics
/// If it can't be started.
pub fn run(command: &mut Command, limit: Duration) -> Ended {
    // Files, not pipes: nobody has to read them for the command to go on, and a program that is left behind does not hold them up.
    let mut outputs = [(); 2].map(|()| tempfile::tempfile().expect("a temporary file"));
    let [stdout, stderr] = outputs.each_ref().map(|file| Stdio::from(file.try_clone().expect("a file can be cloned")));
    let name = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("can't start {}: {error}", name.display()));
    let start = Instant::now();
    let code = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status.code(),
            None if start.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
            None => {
                let group = format!("-{}", child.id());
                let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
                let _ = child.wait();
                break None;
            }
        }
    };
    let [stdout, stderr] = outputs.each_mut().map(text);
    Ended { code, stdout, stderr }
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("a readable temporary file");
    String::from_utf8_lossy(&bytes).into_owned()
}
