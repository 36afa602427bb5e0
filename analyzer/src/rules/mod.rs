//! The rules, one file each, with the page that explains it beside it.

pub(crate) mod deadlock;
pub(crate) mod double_lock;
pub(crate) mod leaked_task;
pub(crate) mod lock_order_cycle;
pub(crate) mod long_critical_section;
mod waits;
