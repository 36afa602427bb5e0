//! `Mutex` and its guard.

super::both! {
    use std::fmt::Debug;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use subject::sync::{Mutex, MutexGuard, TryLockError};
    use crate::parity::panicking;

    static TOTAL: Mutex<i32> = Mutex::new(0);
    #[expect(clippy::declare_interior_mutable_const, reason = "the point of the test")]
    const FRESH: Mutex<i32> = Mutex::new(7);

    #[test]
    fn threads_exclude_each_other() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        *TOTAL.lock().unwrap() += 1;
                    }
                });
            }
        });
        assert_eq!(*TOTAL.lock().unwrap(), 2_000);
    }

    #[test]
    fn a_const_gives_a_new_mutex_each_time() {
        let locks = [FRESH; 2];
        *locks[0].lock().unwrap() = 8;
        assert_eq!(*locks[1].lock().unwrap(), 7);
    }

    #[test]
    fn try_lock_does_not_wait() {
        let lock = Mutex::new(1);
        let guard = lock.try_lock().unwrap();
        assert!(matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        drop(guard);
        assert_eq!(*lock.try_lock().unwrap(), 1);
    }

    #[test]
    fn a_panic_while_held_poisons_until_cleared() {
        let mut lock = Mutex::new(1);
        panicking(|| {
            let mut guard = lock.lock().unwrap();
            *guard = 2;
            guard
        });
        assert!(lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap_err().into_inner(), 2);
        assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(error)) if **error.get_ref() == 2));
        assert_eq!(*lock.get_mut().unwrap_err().into_inner(), 2);
        lock.clear_poison();
        assert!(!lock.is_poisoned());
        assert_eq!(*lock.lock().unwrap(), 2);
    }

    #[test]
    fn into_inner_gives_the_value_and_tells_of_poison() {
        assert_eq!(Mutex::new(1).into_inner().unwrap(), 1);
        let lock = Mutex::new(1);
        panicking(|| lock.lock().unwrap());
        assert_eq!(lock.into_inner().unwrap_err().into_inner(), 1);
    }

    #[test]
    fn a_lock_taken_during_a_panic_is_not_poisoned() {
        struct LocksWhenDropped<'a>(&'a Mutex<i32>);
        impl Drop for LocksWhenDropped<'_> {
            fn drop(&mut self) {
                *self.0.lock().unwrap() += 1;
            }
        }
        let lock = Mutex::new(1);
        panicking(|| LocksWhenDropped(&lock));
        assert_eq!(*lock.lock().unwrap(), 2);
    }

    #[test]
    fn the_value_is_dropped_with_the_mutex() {
        struct Tells<'a>(&'a AtomicBool);
        impl Drop for Tells<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let dropped = AtomicBool::new(false);
        let lock = Mutex::new(Tells(&dropped));
        drop(lock.lock().unwrap());
        assert!(!dropped.load(Ordering::Relaxed));
        drop(lock);
        assert!(dropped.load(Ordering::Relaxed));
    }

    #[test]
    fn a_mutex_of_a_sized_type_becomes_one_of_an_unsized_type() {
        let slice: Arc<Mutex<[i32]>> = Arc::new(Mutex::new([1, 2]));
        slice.lock().unwrap()[1] = 3;
        assert_eq!(slice.lock().unwrap()[1], 3);
        let object: Box<Mutex<dyn Debug + Send>> = Box::new(Mutex::new(4));
        assert_eq!(format!("{:?}", object.lock().unwrap()), "4");
    }

    #[test]
    fn conversions_and_defaults() {
        assert_eq!(*Mutex::from(3).lock().unwrap(), 3);
        assert_eq!(*Mutex::<String>::default().lock().unwrap(), "");
    }

    #[test]
    fn the_guard_of_a_temporary_lives_to_the_end_of_its_statement() {
        let lock = Mutex::new(vec![1]);
        let len = lock.lock().unwrap().len();
        assert_eq!(len, 1);
        assert!(lock.try_lock().is_ok());
    }

    pub(super) fn texts() -> Vec<String> {
        let lock = Mutex::new(vec![1, 2]);
        let mut texts = vec![format!("{lock:?} {lock:#?}")];
        let guard = lock.lock().unwrap();
        texts.push(format!("{lock:?} {lock:#?} {guard:?} {guard:#?}"));
        drop(guard);
        panicking(|| lock.lock().unwrap());
        texts.push(format!("{lock:?} {:?}", lock.lock()));
        texts.push(format!("{}", lock.lock().unwrap_err()));
        texts.push(format!("{:?}", lock.try_lock()));
        texts.push(format!("{}", lock.try_lock().unwrap_err()));
        let text = Mutex::new("text");
        let guard: MutexGuard<'_, &str> = text.lock().unwrap();
        texts.push(format!("{guard:?} {guard} {guard:>9}"));
        texts
    }
}
