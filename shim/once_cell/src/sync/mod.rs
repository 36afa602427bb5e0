//! Instrumented [`once_cell::sync`](once_cell_orig::sync): initialisation that runs once among all threads.

mod lazy;
mod once_cell;

pub use self::lazy::Lazy;
pub use self::once_cell::OnceCell;
