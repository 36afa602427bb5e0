//! The modules of other crates: the crates themselves where nothing is recorded, else their facades.

use std::any::TypeId;

/// For each crate, a test by one of its types.
macro_rules! modules {
    ($($test:ident: $feature:literal, $original:ident or $facade:ident, $($name:ident)::+ <$($parameter:ty),+>;)+) => {$(
        #[test]
        #[cfg(feature = $feature)]
        fn $test() {
            let module = TypeId::of::<conccheck::$original::$($name)::+<$($parameter),+>>();
            let original = TypeId::of::<$original::$($name)::+<$($parameter),+>>();
            #[cfg(not(feature = "record"))]
            assert_eq!(module, original);
            #[cfg(feature = "record")]
            assert_eq!(module, TypeId::of::<$facade::$($name)::+<$($parameter),+>>());
            assert_eq!(module == original, cfg!(not(feature = "record")));
        }
    )+};
}

modules! {
    lock_api_is_the_crate_or_its_facade: "lock_api", lock_api or conccheck_lock_api, Mutex<(), u8>;
    parking_lot_is_the_crate_or_its_facade: "parking_lot", parking_lot or conccheck_parking_lot, Mutex<u8>;
    crossbeam_channel_is_the_crate_or_its_facade:
        "crossbeam-channel", crossbeam_channel or conccheck_crossbeam_channel, Sender<u8>;
    crossbeam_utils_is_the_crate_or_its_facade:
        "crossbeam-utils", crossbeam_utils or conccheck_crossbeam_utils, sync::ShardedLock<u8>;
    once_cell_is_the_crate_or_its_facade: "once_cell", once_cell or conccheck_once_cell, sync::OnceCell<u8>;
}
