//! The facade's types implement what the originals implement, whatever is in them.

use std::cell::Cell;
use std::fmt::Debug;
use std::iter::FusedIterator;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

/// Whether a type implements a trait. The type must be concrete.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "unused where the type has the trait")]
        trait Otherwise {
            const YES: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "unused where the type lacks the trait")]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const YES: bool = true;
        }
        <Probe<$type>>::YES
    }};
}

macro_rules! traits_of {
    ($type:ty) => {
        [
            ("Send", implements!($type: Send)),
            ("Sync", implements!($type: Sync)),
            ("Unpin", implements!($type: Unpin)),
            ("UnwindSafe", implements!($type: UnwindSafe)),
            ("RefUnwindSafe", implements!($type: RefUnwindSafe)),
            ("Clone", implements!($type: Clone)),
            ("Debug", implements!($type: Debug)),
            ("Default", implements!($type: Default)),
            ("PartialEq", implements!($type: PartialEq)),
            ("Iterator", implements!($type: Iterator)),
            ("FusedIterator", implements!($type: FusedIterator)),
            ("IntoIterator", implements!($type: IntoIterator)),
        ]
    };
}

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
