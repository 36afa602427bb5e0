//! The facade's types implement what the originals implement, whatever is in them.

use std::cell::Cell;
use std::rc::Rc;

macro_rules! same {
    ($($path:tt)+) => {
        assert_eq!(
            traits_of!(conccheck_crossbeam_channel::$($path)+),
            traits_of!(crossbeam_channel_orig::$($path)+),
            stringify!($($path)+)
        );
    };
}

macro_rules! same_around {
    ($($inner:ty),+) => {$(
        same!(Sender<$inner>);
        same!(Receiver<$inner>);
        same!(Iter<'static, $inner>);
        same!(TryIter<'static, $inner>);
        same!(IntoIter<$inner>);
    )+};
}

#[test]
fn every_type_has_the_traits_of_the_original() {
    same_around!(
        u8,
        String,
        Rc<u8>,
        Cell<u8>,
        *const u8,
        &'static mut u8,
        Box<dyn Fn() + Send>,
        std::sync::MutexGuard<'static, u8>
    );
    same!(Select<'static>);
    same!(SelectedOperation<'static>);
}

#[test]
fn constants_may_refer_to_the_ends_of_channels() {
    use conccheck_crossbeam_channel::{IntoIter, Iter, Receiver, Sender, TryIter};

    constants_refer_to!(
        Sender<Cell<u8>>,
        Receiver<Cell<u8>>,
        Iter<'static, Cell<u8>>,
        TryIter<'static, Cell<u8>>,
        IntoIter<Cell<u8>>
    );
}
