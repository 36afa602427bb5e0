//! What happened in one process, as the rules see it.

/// Threads, locks, channels and how they were used.
#[derive(Debug)]
pub struct Model;
