//! Every body here runs twice, against the original and against the facade, and what both print must be the same text.

both! { conccheck_parking_lot, parking_lot_orig:
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use subject::{
        Condvar, FairMutex, MappedMutexGuard, Mutex, MutexGuard, Once, OnceState, ReentrantMutex, RwLock, RwLockReadGuard,
        RwLockUpgradableReadGuard, RwLockWriteGuard, const_mutex,
    };

    static TOTAL: Mutex<i32> = const_mutex(0);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn mutexes_exclude_each_other_and_narrow_down() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| *TOTAL.lock() += 1));
            }
        });
        assert_eq!(*TOTAL.lock(), 2_000);
        let pair = Mutex::new((1, "b"));
        let guard = pair.lock();
        assert!(pair.try_lock().is_none() && pair.try_lock_for(SHORT).is_none() && pair.is_locked());
        let mut first = MappedMutexGuard::map(MutexGuard::map(guard, |pair| &mut pair.0), |first| first);
        *first += 1;
        drop(first);
        let unmapped = MutexGuard::try_map(pair.lock(), |_| None::<&mut i32>).unwrap_err();
        assert_eq!(*unmapped, (2, "b"));
        MutexGuard::unlock_fair(unmapped);
        assert_eq!(pair.into_inner(), (2, "b"));
    }

    #[test]
    fn a_lock_is_free_while_it_is_given_up() {
        let (mutex, fair, rwlock) = (Mutex::new(0), FairMutex::new(0), RwLock::new(0));
        let mut guard = mutex.lock();
        MutexGuard::unlocked(&mut guard, || *mutex.try_lock().unwrap() += 1);
        MutexGuard::bump(&mut guard);
        assert_eq!((*guard, *fair.lock()), (1, 0));
        let mut reader = rwlock.read();
        RwLockReadGuard::unlocked_fair(&mut reader, || *rwlock.try_write().unwrap() += 1);
        assert_eq!(*reader, 1);
    }

    #[test]
    fn a_reentrant_mutex_lets_its_holder_in_again() {
        let mutex = Arc::new(ReentrantMutex::new(1));
        let outer = mutex.lock();
        assert_eq!(*outer + *mutex.lock() + *mutex.try_lock_arc().unwrap(), 3);
        thread::scope(|scope| scope.spawn(|| assert!(mutex.try_lock().is_none())).join().unwrap());
        assert!(mutex.is_owned_by_current_thread());
    }

    #[test]
    fn reads_share_and_an_upgradable_one_becomes_a_write() {
        let lock = Arc::new(RwLock::new(1));
        let (reader, recursive) = (lock.read(), lock.read_recursive());
        let upgradable = lock.upgradable_read();
        assert!(lock.try_upgradable_read().is_none() && lock.try_write().is_none());
        let upgradable = RwLockUpgradableReadGuard::try_upgrade(upgradable).unwrap_err();
        drop((reader, recursive));
        let mut writer = RwLockUpgradableReadGuard::upgrade(upgradable);
        *writer += 1;
        let mut upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
        assert_eq!(upgradable.with_upgraded(|value| { *value += 1; *value }), 3);
        assert_eq!(upgradable.try_with_upgraded_for(SHORT, |value| *value), Some(3));
        let reader = RwLockUpgradableReadGuard::downgrade(upgradable);
        assert_eq!(*reader + *lock.read_arc(), 6);
        drop(reader);
        let owned = RwLockWriteGuard::downgrade(lock.write());
        assert!(lock.try_write_arc_for(SHORT).is_none());
        drop(owned);
        let owned = subject::lock_api::ArcRwLockUpgradableReadGuard::upgrade(lock.upgradable_read_arc());
        assert_eq!(*owned, 3);
        let lock = subject::lock_api::ArcRwLockWriteGuard::into_arc(owned);
        assert!(!lock.is_locked());
    }

    #[test]
    fn a_condition_variable_wakes_and_times_out() {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                *ready.lock() = true;
                changed.notify_all();
            });
            changed.wait_while(&mut ready.lock(), |ready| !*ready);
        });
        let mut guard = ready.lock();
        assert!(changed.wait_for(&mut guard, SHORT).timed_out());
        assert!(!changed.wait_while_for(&mut guard, |ready| !*ready, SHORT).timed_out());
        assert!(changed.wait_while_for(&mut guard, |ready| *ready, SHORT).timed_out());
        assert!(!changed.notify_one());
    }

    #[test]
    fn a_once_runs_once_and_can_be_forced_after_a_panic() {
        let (once, mut times) = (Once::new(), 0);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            once.call_once(|| std::panic::resume_unwind(Box::new(())));
        }));
        assert!(panicked.is_err() && once.state().poisoned());
        once.call_once_force(|state| times += u32::from(state == OnceState::Poisoned));
        once.call_once(|| times += 1);
        assert_eq!((times, once.state()), (1, OnceState::Done));
    }

    pub(super) fn texts() -> Vec<String> {
        let (mutex, rwlock, reentrant) = (Mutex::new("a"), RwLock::new("b"), ReentrantMutex::new("c"));
        let (condvar, once) = (Condvar::new(), Once::new());
        let mut texts = vec![format!("{mutex:?} {mutex:#?} {rwlock:?} {reentrant:?} {condvar:?} {once:?}")];
        let (locked, read, owned) = (mutex.lock(), rwlock.upgradable_read(), reentrant.lock());
        texts.push(format!("{mutex:?} {locked:?} {locked:>3} {rwlock:?} {read:?} {read} {owned:?} {reentrant:?}"));
        texts.push(format!("{:?} {:?}", RwLock::<u8>::default(), Mutex::from(3)));
        texts
    }
}

#[test]
fn all_of_this_holds_while_recording() {
    if std::env::var_os("CONCCHECK_TRACE").is_none() {
        crate::support::parity_holds_while_recording();
    }
}
