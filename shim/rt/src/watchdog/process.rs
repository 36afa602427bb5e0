//! What the system says about the threads of this process, recorded or not.

use std::fs::{self, File};
use std::io::Read;

use crate::sys;

/// A wait of a thread that only another thread can end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Still {
    thread: u32,
    /// The system call with its arguments and the thread's stack pointer.
    call: String,
    /// How often the thread has waited so far.
    switches: String,
    /// Who may end it: only threads of this process, or others too.
    is_private: bool,
}

/// All threads of a process that stands still, but for the calling one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Standstill(Vec<Still>);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const FUTEX: &str = "202";
#[cfg(all(target_os = "linux", any(target_arch = "aarch64", target_arch = "riscv64")))]
const FUTEX: &str = "98";
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
const FUTEX: &str = "not known";

impl Standstill {
    /// Looks at every thread of the process but the calling one; `None` if one of them may go on by itself, or if the system does
    /// not tell. Two equal results say that between them every thread stood still.
    pub(super) fn now(waits_of_harness: impl FnOnce() -> bool) -> Option<Standstill> {
        let own = fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse::<u32>().ok()?;
        let mut threads = Vec::new();
        for entry in fs::read_dir("/proc/self/task").ok()? {
            threads.push(entry.ok()?.file_name().to_str()?.parse::<u32>().ok()?);
        }
        threads.sort_unstable();
        let main = std::process::id();
        let mut waits_of_harness = Some(waits_of_harness);
        let mut still = Vec::new();
        for thread in threads.into_iter().filter(|&thread| thread != own) {
            let mut timed_is_still = || thread == main && waits_of_harness.take().is_some_and(|is_harness| is_harness());
            still.push(Still::of(thread, &mut timed_is_still)?);
        }
        Some(Standstill(still))
    }

    /// How many threads.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many of them may be woken by another process, for all that the system says. A join of a thread looks so.
    pub(super) fn shared(&self) -> usize {
        self.0.iter().filter(|still| !still.is_private).count()
    }
}

impl Still {
    fn of(thread: u32, timed_is_still: &mut dyn FnMut() -> bool) -> Option<Still> {
        let call = fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).ok()?;
        let is_private = futex_wait(&call, timed_is_still)?;
        let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).ok()?;
        let switches = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:"))?.to_owned();
        Some(Still { thread, call, switches, is_private })
    }
}

/// Whether a system call, as the system shows it, is a wait on memory without a limit; and then, whether on this process's own.
fn futex_wait(call: &str, timed_is_still: &mut dyn FnMut() -> bool) -> Option<bool> {
    const WAITS: [u64; 4] = [0, 6, 9, 13]; // plain, for a lock, by bits, for a lock by either clock
    const PRIVATE: u64 = 0x80;
    let mut fields = call.split_ascii_whitespace();
    if fields.next()? != FUTEX {
        return None;
    }
    let numbers: Vec<u64> = fields.map_while(|field| u64::from_str_radix(field.strip_prefix("0x")?, 16).ok()).collect();
    let (operation, limit) = (*numbers.get(1)?, *numbers.get(3)?);
    (WAITS.contains(&(operation & 0x7f)) && (limit == 0 || timed_is_still())).then_some(operation & PRIVATE != 0)
}

/// Whether nothing is set up by which the process would be called from outside: handlers of signals, a running timer.
pub(super) fn only_threads_act(own_handler: Option<u32>) -> bool {
    // Of faults (illegal instruction, trap, abort, bus, arithmetic, segment), and those of the C library.
    const HARMLESS: [u32; 8] = [4, 5, 6, 7, 8, 11, 32, 33];
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return false };
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let Some(mut caught) = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()) else { return false };
    for signal in HARMLESS.into_iter().chain(own_handler) {
        caught &= !(1 << (signal - 1));
    }
    caught == 0 && no_timer_runs()
}

/// Whether no timer of the process is set that would end it, or call a handler.
fn no_timer_runs() -> bool {
    let posix = fs::read_to_string("/proc/self/timers").unwrap_or_default();
    posix.trim().is_empty() && !sys::alarm_is_set()
}

/// Whether the program is a test binary with the standard harness: its main thread waits for its tests, and from time to time says
/// how long that has taken.
pub(super) fn has_standard_harness() -> bool {
    // What the harness says then, backwards: or it would stand in every recorded program.
    const WORDS: &[u8] = b" revo rof gninnur neeb sah ";
    let words: Vec<u8> = WORDS.iter().rev().copied().collect();
    let Ok(mut program) = File::open("/proc/self/exe") else { return false };
    let mut bytes = vec![0; 1 << 20];
    let mut kept = 0;
    loop {
        let read = match program.read(&mut bytes[kept..]) {
            Ok(0) | Err(_) => return false,
            Ok(read) => kept + read,
        };
        let block = &bytes[..read];
        let mut from = 0;
        // `position` on one byte is a fast scan; `v` is rare.
        while let Some(at) = block[from..].iter().position(|&byte| byte == b'v') {
            let start = (from + at).saturating_sub(words.len() - 4);
            if block[start..].starts_with(&words) {
                return true;
            }
            from += at + 1;
        }
        kept = read.min(words.len());
        bytes.copy_within(read - kept..read, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(arguments: &str) -> Option<bool> {
        futex_wait(&format!("{FUTEX} {arguments} 0x0 0xffffffff 0x7ffd0 0x7fa43\n"), &mut || false)
    }

    #[test]
    fn only_an_endless_wait_on_memory_is_a_standstill() {
        assert_eq!(wait("0x555 0x189 0x0 0x0"), Some(true));
        assert_eq!(wait("0x555 0x109 0x0 0x0"), Some(false));
        assert_eq!(wait("0x555 0x189 0x0 0x7ffe"), None, "it has a limit");
        assert_eq!(wait("0x555 0x81 0x0 0x0"), None, "it wakes");
        assert_eq!(futex_wait("running\n", &mut || true), None);
        assert_eq!(futex_wait("-1 0x0 0x0\n", &mut || true), None);
        assert_eq!(futex_wait("0 0x3 0x0 0x0 0x0\n", &mut || true), None);
    }

    #[test]
    fn this_very_test_binary_has_the_standard_harness() {
        assert!(has_standard_harness());
    }
}
