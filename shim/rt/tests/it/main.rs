//! The recorder in real processes: each scenario runs in a child, and what it recorded is read back.

mod support;

mod cancel;
mod ends;
mod failures;
mod fork;
mod perturb;
mod stacks;
mod threads;
mod watchdog;
