//! How the chunks of a process lie in its files.
//!
//! A process writes two files. `NAME.cct` begins with [`MAGIC`], the version, and the header's text; then chunks follow, each
//! appended whole by one `write`. `NAME.cct.live` is a shared mapping: one page of [`LiveHeader`] fields, then slots of
//! [`SLOT_SIZE`] bytes, each the chunk that a live thread is filling right now. A thread whose slot is full appends it to the log
//! and begins the next chunk in the same slot. So after a kill every event is in one of the two files, and nothing needs flushing.
//! All numbers are little-endian.

/// First bytes of a log.
pub const MAGIC: [u8; 8] = *b"conccheK";
/// First bytes of the file of live slots.
pub const LIVE_MAGIC: [u8; 8] = *b"conccheL";
/// First bytes of every chunk, in the log and in a slot. A slot without it is free.
pub const CHUNK_MAGIC: u32 = 0x4b4e_4843; // "CHNK"

/// Bytes before the header text: magic, version major and minor (u16 each), length of the text (u32).
pub const PREAMBLE: usize = 16;

/// Bytes of a slot.
pub const SLOT_SIZE: usize = 64 * 1024;
/// Bytes of the page before the first slot.
pub const LIVE_HEADER_SIZE: usize = 4096;

/// The exit status of a process that the recorder's watchdog ended because of a deadlock.
pub const DEADLOCK_STATUS: i32 = 86;

/// Offsets within a chunk's header; the entries follow at [`chunk::ENTRIES`].
pub mod chunk {
    /// [`CHUNK_MAGIC`](super::CHUNK_MAGIC), u32.
    pub const MAGIC: usize = 0;
    /// The thread, u32.
    pub const THREAD: usize = 4;
    /// The chunk's number within the thread, u32, from 0. A chunk that is both in the log and in a slot is the same one.
    pub const NUMBER: usize = 8;
    /// Position behind the last whole entry, u32, counted from the chunk's start: at least [`ENTRIES`].
    pub const END: usize = 12;
    /// Time of the chunk's start in ticks, u64.
    pub const START: usize = 16;
    /// Nanoseconds since the recording's start at the same moment, u64: calibrates the clock.
    pub const START_NANOS: usize = 24;
    /// First entry.
    pub const ENTRIES: usize = 32;
}

/// Offsets within the page before the first slot.
pub mod live {
    /// [`LIVE_MAGIC`](super::LIVE_MAGIC).
    pub const MAGIC: usize = 0;
    /// Version major and minor, u16 each.
    pub const VERSION: usize = 8;
    /// 1 when the process ended in order (its exit handlers ran), u32.
    pub const CLEAN_END: usize = 12;
    /// A pair of clock readings at the start: ticks, nanoseconds, u64 each.
    pub const CLOCK_FIRST: usize = 16;
    /// The newest pair of clock readings: ticks, nanoseconds, u64 each.
    pub const CLOCK_LAST: usize = 32;
    /// Events that could not be recorded in any chunk, u64.
    pub const LOST_EVENTS: usize = 48;
    /// Why, as an `io::Error` raw OS error code of the first failure, u32; 0: none.
    pub const LOST_REASON: usize = 56;
    /// 1 when the watchdog ended the process because of a deadlock, u32.
    pub const DEADLOCK: usize = 60;
}
