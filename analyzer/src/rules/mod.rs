//! The rules, one file each, with the page that explains it beside it.

pub(crate) mod atomicity_violation;
pub(crate) mod deadlock;
pub(crate) mod double_lock;
pub(crate) mod dropped_messages;
pub(crate) mod guard_leak;
pub(crate) mod held_across_blocking;
pub(crate) mod hold_and_wait_cycle;
pub(crate) mod initialization_cycle;
pub(crate) mod leaked_task;
pub(crate) mod lock_contention;
pub(crate) mod lock_order_cycle;
pub(crate) mod long_critical_section;
pub(crate) mod lost_wakeup;
pub(crate) mod oversized_buffer;
pub(crate) mod poisoned_lock;
pub(crate) mod racy_initialization;
pub(crate) mod recursive_read;
pub(crate) mod send_after_close;
pub(crate) mod spawn_burst;
pub(crate) mod timeout_fallback;
pub(crate) mod unbounded_backlog;
pub(crate) mod undersized_buffer;
pub(crate) mod unjoined_task;
pub(crate) mod unobserved_panic;
mod statement;
mod waits;
