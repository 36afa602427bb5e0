//! `Condvar` and all its waits.

super::both! {
    use std::thread;
    use std::time::Duration;

    use subject::sync::{Condvar, Mutex};
    use crate::parity::panicking;

    static READY: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn a_notified_thread_wakes() {
        let (lock, changed) = &READY;
        thread::scope(|scope| {
            scope.spawn(|| {
                *lock.lock().unwrap() = true;
                changed.notify_one();
            });
            let mut ready = lock.lock().unwrap();
            while !*ready {
                ready = changed.wait(ready).unwrap();
            }
            assert!(*ready);
        });
    }

    #[test]
    fn waiting_while_a_condition_holds_ends_when_it_does_not() {
        let (lock, changed) = (Mutex::new(0), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    *lock.lock().unwrap() += 1;
                    changed.notify_all();
                });
            }
            assert_eq!(*changed.wait_while(lock.lock().unwrap(), |count| *count < 3).unwrap(), 3);
            let (count, result) = changed.wait_timeout_while(lock.lock().unwrap(), LONG, |count| *count < 3).unwrap();
            assert_eq!((*count, result.timed_out()), (3, false));
        });
    }

    #[test]
    #[expect(deprecated, reason = "std still has it")]
    fn waits_with_a_limit_end_there() {
        let (lock, changed) = (Mutex::new(1), Condvar::new());
        let short = Duration::from_millis(1);
        let (mut guard, mut result) = changed.wait_timeout(lock.lock().unwrap(), short).unwrap();
        while !result.timed_out() {
            (guard, result) = changed.wait_timeout(guard, short).unwrap();
        }
        let (guard, result) = changed.wait_timeout_while(guard, short, |_| true).unwrap();
        assert!(result.timed_out());
        let (mut guard, mut notified) = changed.wait_timeout_ms(guard, 1).unwrap();
        while notified {
            (guard, notified) = changed.wait_timeout_ms(guard, 1).unwrap();
        }
        assert_eq!(*guard, 1);
    }

    #[test]
    #[expect(deprecated, reason = "std still has it")]
    fn a_wait_tells_of_poison() {
        let (lock, changed) = (Mutex::new(1), Condvar::new());
        panicking(|| lock.lock().unwrap());
        let held = || lock.lock().unwrap_err().into_inner();
        let short = Duration::from_millis(1);
        assert_eq!(*changed.wait_timeout(held(), short).unwrap_err().into_inner().0, 1);
        assert_eq!(*changed.wait_timeout_ms(held(), 1).unwrap_err().into_inner().0, 1);
        assert_eq!(*changed.wait_timeout_while(held(), short, |_| true).unwrap_err().into_inner().0, 1);
        assert_eq!(*changed.wait_while(held(), |_| false).unwrap(), 1);
        thread::scope(|scope| {
            scope.spawn(|| {
                *held() = 2;
                changed.notify_one();
            });
            let mut guard = held();
            while *guard != 2 {
                guard = changed.wait(guard).unwrap_err().into_inner();
            }
        });
    }

    #[test]
    fn a_mutex_is_free_while_its_holder_waits() {
        let (lock, changed) = (Mutex::new(false), Condvar::default());
        thread::scope(|scope| {
            let guard = lock.lock().unwrap();
            scope.spawn(|| {
                *lock.lock().unwrap() = true;
                changed.notify_all();
            });
            assert!(*changed.wait_while(guard, |done| !*done).unwrap());
        });
        assert!(lock.try_lock().is_ok());
    }

    pub(super) fn texts() -> Vec<String> {
        let (lock, changed) = (Mutex::new(1), Condvar::new());
        let wait = |limit| changed.wait_timeout_while(lock.lock().unwrap(), limit, |_| limit == Duration::ZERO).unwrap().1;
        let (over, done) = (wait(Duration::ZERO), wait(LONG));
        vec![format!("{changed:?} {changed:#?}"), format!("{over:?} {done:?} {}", over == done)]
    }
}
