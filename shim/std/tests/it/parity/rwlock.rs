//! `RwLock` and its guards.

super::both! {
    use std::fmt::Debug;
    use std::sync::Arc;
    use std::thread;

    use subject::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
    use crate::parity::panicking;

    static TOTAL: RwLock<i32> = RwLock::new(0);

    #[test]
    fn writers_exclude_each_other() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        *TOTAL.write().unwrap() += 1;
                        assert!(*TOTAL.read().unwrap() > 0);
                    }
                });
            }
        });
        assert_eq!(*TOTAL.read().unwrap(), 2_000);
    }

    #[test]
    fn readers_share_and_exclude_a_writer() {
        let lock = RwLock::new(1);
        let (one, two) = (lock.read().unwrap(), lock.try_read().unwrap());
        assert_eq!(*one + *two, 2);
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        drop((one, two));
        let _writer = lock.try_write().unwrap();
        assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    }

    #[test]
    fn a_downgraded_writer_is_a_reader() {
        let lock = RwLock::new(1);
        let mut writer = lock.write().unwrap();
        *writer = 2;
        let reader = RwLockWriteGuard::downgrade(writer);
        assert_eq!(*reader + *lock.try_read().unwrap(), 4);
        assert!(lock.try_write().is_err());
        drop(reader);
        assert!(lock.try_write().is_ok());
    }

    #[test]
    fn a_panic_of_a_writer_poisons_until_cleared_and_one_of_a_reader_does_not() {
        let mut lock = RwLock::new(1);
        panicking(|| lock.read().unwrap());
        assert!(!lock.is_poisoned());
        panicking(|| lock.write().unwrap());
        assert!(lock.is_poisoned());
        assert_eq!(*lock.read().unwrap_err().into_inner(), 1);
        assert_eq!(*lock.write().unwrap_err().into_inner(), 1);
        assert!(matches!(lock.try_read(), Err(TryLockError::Poisoned(error)) if **error.get_ref() == 1));
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(error)) if **error.get_ref() == 1));
        assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 1);
        lock.clear_poison();
        assert_eq!(*lock.read().unwrap(), 1);
        assert_eq!(lock.into_inner().unwrap(), 1);
    }

    #[test]
    fn a_lock_of_a_sized_type_becomes_one_of_an_unsized_type() {
        let slice: Arc<RwLock<[i32]>> = Arc::new(RwLock::new([1, 2]));
        slice.write().unwrap()[1] = 3;
        let object: Box<RwLock<dyn Debug + Send>> = Box::new(RwLock::new(4));
        assert_eq!(format!("{:?} {:?}", slice.read().unwrap(), object.read().unwrap()), "[1, 3] 4");
    }

    #[test]
    fn a_read_guard_is_covariant() {
        fn shorter<'a>(guard: RwLockReadGuard<'a, &'static str>) -> RwLockReadGuard<'a, &'a str> {
            guard
        }
        assert_eq!(*shorter(RwLock::new("text").read().unwrap()), "text");
    }

    #[test]
    fn conversions_and_defaults() {
        assert_eq!(*RwLock::from(3).read().unwrap(), 3);
        assert_eq!(*RwLock::<String>::default().read().unwrap(), "");
    }

    pub(super) fn texts() -> Vec<String> {
        let lock = RwLock::new("text");
        let mut texts = vec![format!("{lock:?} {lock:#?}")];
        let guard = lock.read().unwrap();
        texts.push(format!("{lock:?} {guard:?} {guard} {guard:>9}"));
        drop(guard);
        let guard = lock.write().unwrap();
        texts.push(format!("{lock:?} {lock:#?} {guard:?} {guard} {guard:>9}"));
        drop(guard);
        panicking(|| lock.write().unwrap());
        texts.push(format!("{lock:?} {:?}", lock.read()));
        texts.push(format!("{:?}", lock.write()));
        texts.push(format!("{}", lock.write().unwrap_err()));
        texts.push(format!("{:?}", lock.try_read()));
        texts.push(format!("{:?}", lock.try_write()));
        texts
    }
}
