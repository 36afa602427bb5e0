//! The facade's types implement what the originals implement, whatever is in them.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::MutexGuard;

macro_rules! same_around {
    ($($inner:ty),+) => {$(
        same_traits!(conccheck_once_cell, once_cell_orig: sync::OnceCell<$inner>, sync::Lazy<$inner>, sync::Lazy<u8, $inner>);
    )+};
}

#[test]
fn cells_and_lazy_values_have_the_originals_traits() {
    same_around!(u8, Cell<u8>, Rc<u8>, *const u8, &'static mut u8, MutexGuard<'static, u8>);
}
