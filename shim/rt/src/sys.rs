//! The few calls of the system's C library that std has no name for.
#![expect(unsafe_code, reason = "C functions are declared by hand, so that the recorder needs no third-party crate")]

use std::ffi::{c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

#[cfg(target_os = "linux")]
mod constants {
    pub(super) const MAP_ANONYMOUS: i32 = 0x20;
    pub(super) const SC_PAGESIZE: i32 = 30;
    pub(super) const SIG_SETMASK: i32 = 2;
    pub(super) type Key = u32;
}
#[cfg(not(target_os = "linux"))]
mod constants {
    pub(super) const MAP_ANONYMOUS: i32 = 0x1000;
    pub(super) const SC_PAGESIZE: i32 = 29;
    pub(super) const SIG_SETMASK: i32 = 3;
    pub(super) type Key = u64;
}
use constants::{Key, MAP_ANONYMOUS, SC_PAGESIZE, SIG_SETMASK};

const PROT_READ_WRITE: c_int = 1 | 2;
const MAP_SHARED: c_int = 1;
const MAP_PRIVATE: c_int = 2;

/// Room for the signal set of any system.
#[repr(C, align(16))]
struct SignalSet([u64; 16]);

unsafe extern "C" {
    fn mmap(addr: *mut c_void, length: usize, prot: c_int, flags: c_int, fd: c_int, offset: isize) -> *mut c_void;
    #[cfg(target_os = "linux")]
    fn posix_fallocate(fd: c_int, offset: isize, length: isize) -> c_int;
    #[cfg(target_os = "linux")]
    fn fallocate(fd: c_int, mode: c_int, offset: isize, length: isize) -> c_int;
    fn sysconf(name: c_int) -> isize;
    fn atexit(handler: extern "C" fn()) -> c_int;
    fn pthread_atfork(prepare: Option<extern "C" fn()>, parent: Option<extern "C" fn()>, child: Option<extern "C" fn()>)
    -> c_int;
    fn pthread_key_create(key: *mut Key, destructor: Option<extern "C" fn(*mut c_void)>) -> c_int;
    fn pthread_setspecific(key: Key, value: *const c_void) -> c_int;
    fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
    fn sigfillset(set: *mut SignalSet) -> c_int;
    fn getitimer(which: c_int, value: *mut [isize; 4]) -> c_int;
    fn write(fd: c_int, bytes: *const c_void, length: usize) -> isize;
    fn _exit(status: c_int) -> !;
}

fn map(length: usize, flags: c_int, fd: c_int, offset: isize) -> io::Result<NonNull<u8>> {
    // SAFETY: no address is asked for, so no existing mapping is replaced; bad arguments make it fail.
    let address = unsafe { mmap(std::ptr::null_mut(), length, PROT_READ_WRITE, flags, fd, offset) };
    match NonNull::new(address.cast()) {
        Some(address) if address.as_ptr() as isize != -1 => Ok(address),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Maps `length` bytes of a file from `offset` on, shared, for good. `offset` need not be a multiple of the page size.
pub(crate) fn map_file(file: &File, offset: u64, length: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: sysconf reads no memory of ours.
    let page = u64::try_from(unsafe { sysconf(SC_PAGESIZE) }).unwrap_or(4096).max(1);
    let slack = usize::try_from(offset % page).unwrap_or(0);
    let from = isize::try_from(offset - slack as u64).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let address = map(length + slack, MAP_SHARED, file.as_raw_fd(), from)?;
    // SAFETY: `slack` is within the mapping just made.
    Ok(unsafe { address.add(slack) })
}

/// Maps `length` fresh zeroed bytes, for good. Unlike an allocation, this runs no code of the program.
pub(crate) fn map_memory(length: usize) -> io::Result<NonNull<u8>> {
    map(length, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
}

/// Makes sure that writing to a mapping of this part of the file will not fail for lack of space.
pub(crate) fn reserve(file: &File, offset: u64, length: usize) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        const EINTR: i32 = 4;
        const EOPNOTSUPP: i32 = 95;
        let (Ok(offset), Ok(length)) = (isize::try_from(offset), isize::try_from(length)) else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        loop {
            // SAFETY: the descriptor is open; the call touches no memory of ours.
            match unsafe { posix_fallocate(file.as_raw_fd(), offset, length) } {
                // A file system that can't reserve space: the write is tried without.
                0 | EOPNOTSUPP => return Ok(()),
                EINTR => {}
                error => return Err(io::Error::from_raw_os_error(error)),
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, offset, length);
        Ok(())
    }
}

/// Gives back the disk behind a part of the file, which reads as zeros from then on.
pub(crate) fn give_back(file: &File, offset: u64, length: usize) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        const KEEP_SIZE: c_int = 1;
        const PUNCH_HOLE: c_int = 2;
        let (Ok(offset), Ok(length)) = (isize::try_from(offset), isize::try_from(length)) else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        // SAFETY: the descriptor is open; the call touches no memory of ours.
        match unsafe { fallocate(file.as_raw_fd(), KEEP_SIZE | PUNCH_HOLE, offset, length) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, offset, length);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Calls `handler` when the process ends in order.
pub(crate) fn at_exit(handler: extern "C" fn()) -> bool {
    // SAFETY: the handler lives as long as the program.
    unsafe { atexit(handler) == 0 }
}

/// Calls `handler` in every child that `fork` makes, on its only thread.
pub(crate) fn at_fork_in_child(handler: extern "C" fn()) -> bool {
    // SAFETY: the handler lives as long as the program.
    unsafe { pthread_atfork(None, None, Some(handler)) == 0 }
}

/// Called for a thread that asked for it, behind the destructors of its thread-locals.
///
/// std runs those before the C library runs the destructors of its own keys; what still runs later asks once more.
pub(crate) struct ThreadEnd {
    key: AtomicU64,
    state: AtomicU32,
}

impl ThreadEnd {
    pub(crate) const fn new() -> ThreadEnd {
        ThreadEnd { key: AtomicU64::new(0), state: AtomicU32::new(0) }
    }

    /// Must be called by one thread, before [`watch`](Self::watch).
    pub(crate) fn create(&self, handler: extern "C" fn(*mut c_void)) {
        if self.state.load(Ordering::Acquire) != 0 {
            return;
        }
        let mut key: Key = 0;
        // SAFETY: `key` is written to; the handler lives as long as the program.
        if unsafe { pthread_key_create(&raw mut key, Some(handler)) } == 0 {
            #[allow(clippy::useless_conversion, reason = "the key's type is the system's")]
            self.key.store(u64::from(key), Ordering::Relaxed);
            self.state.store(1, Ordering::Release);
        }
    }

    /// Asks for the call at the end of the calling thread.
    pub(crate) fn watch(&self) {
        if self.state.load(Ordering::Acquire) == 0 {
            return;
        }
        let Ok(key) = Key::try_from(self.key.load(Ordering::Relaxed)) else { return };
        // SAFETY: the key was made by `create`; the value is never dereferenced, it only must not be null.
        unsafe { pthread_setspecific(key, std::ptr::dangling()) };
    }
}

/// Runs `body` while the calling thread, and so any that it starts, takes no signals.
pub(crate) fn without_signals<R>(body: impl FnOnce() -> R) -> R {
    let mut all = SignalSet([0; 16]);
    let mut old = SignalSet([0; 16]);
    // SAFETY: both sets are ours and larger than the system's.
    let blocked = unsafe { sigfillset(&raw mut all) == 0 && pthread_sigmask(SIG_SETMASK, &raw const all, &raw mut old) == 0 };
    let result = body();
    if blocked {
        // SAFETY: `old` was filled by the call above.
        unsafe { pthread_sigmask(SIG_SETMASK, &raw const old, std::ptr::null_mut()) };
    }
    result
}

/// Whether a timer is set that would send the process a signal.
pub(crate) fn alarm_is_set() -> bool {
    (0..3).any(|which| {
        let mut value = [0; 4];
        // SAFETY: the value is as long as the system's: two times of two words each.
        let known = unsafe { getitimer(which, &raw mut value) } == 0;
        !known || value[2] != 0 || value[3] != 0
    })
}

/// Writes to the standard error, past std: its lock may be held by a thread that waits for good.
pub(crate) fn say(text: &str) {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        // SAFETY: reads `rest` only.
        let written = unsafe { write(2, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

/// Ends the process here and now, without its exit handlers.
pub(crate) fn end(status: c_int) -> ! {
    // SAFETY: touches no memory of ours.
    unsafe { _exit(status) }
}
