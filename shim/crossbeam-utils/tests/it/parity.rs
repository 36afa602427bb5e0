//! Every body here runs twice, against the original and against the facade, and what both print must be the same text.

both! { conccheck_crossbeam_utils, crossbeam_utils_orig:
    use std::panic::resume_unwind;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, TryLockError};
    use std::thread as std_thread;
    use std::time::{Duration, Instant};

    use subject::sync::{Parker, ShardedLock, Unparker, WaitGroup};
    use subject::{Backoff, thread};

    #[test]
    fn a_group_is_complete_when_all_members_are_gone() {
        let (group, done) = (WaitGroup::new(), AtomicU32::new(0));
        std_thread::scope(|scope| {
            for _ in 0..3 {
                let member = group.clone();
                scope.spawn(|| {
                    done.fetch_add(1, Ordering::SeqCst);
                    drop(member);
                });
            }
            let other = group.clone();
            scope.spawn(|| other.wait());
            group.wait();
            assert_eq!(done.load(Ordering::SeqCst), 3);
        });
        WaitGroup::default().wait();
    }

    #[test]
    fn a_token_is_kept_for_the_next_park_and_survives_as_a_pointer() {
        let parker = Parker::new();
        let unparker = Unparker::into_raw(parker.unparker().clone());
        let parker = Parker::into_raw(parker);
        #[expect(unsafe_code, reason = "the originals are unsafe")]
        // SAFETY: both are from `into_raw`, and are made into what they were, once.
        let (parker, unparker) = unsafe { (Parker::from_raw(parker), Unparker::from_raw(unparker)) };
        unparker.unpark();
        parker.park();
        parker.park_timeout(Duration::from_millis(1));
        parker.park_deadline(Instant::now());
        let thread = std_thread::spawn(move || unparker.unpark());
        parker.park();
        thread.join().unwrap();
    }

    #[test]
    fn a_sharded_lock_shares_reads_and_is_poisoned_by_a_writers_panic() {
        let mut lock = ShardedLock::new(1);
        {
            let (one, two) = (lock.read().unwrap(), lock.try_read().unwrap());
            assert_eq!(*one + *two, 2);
            assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
        }
        *lock.write().unwrap() += 1;
        {
            let _writer = lock.try_write().unwrap();
            assert!(matches!(lock.try_read(), Err(TryLockError::WouldBlock)));
        }
        let shared = Arc::new(ShardedLock::new(1));
        let of_writer = Arc::clone(&shared);
        let writer = std_thread::spawn(move || {
            let _writer = of_writer.write();
            resume_unwind(Box::new(()));
        });
        assert!(writer.join().is_err() && shared.is_poisoned());
        assert_eq!(*shared.read().unwrap_err().into_inner(), 1);
        assert!(matches!(shared.try_write(), Err(TryLockError::Poisoned(_))));
        assert_eq!((lock.get_mut().copied().unwrap(), lock.into_inner().unwrap()), (2, 2));
    }

    #[test]
    fn scoped_threads_borrow_and_start_others() {
        let numbers = [1, 2, 3];
        let sum = thread::scope(|scope| {
            let outer = scope.builder().name("outer".to_owned()).spawn(|scope| {
                let inner = scope.spawn(|_| numbers.len());
                inner.join().unwrap() + usize::from(std_thread::current().name() == Some("outer"))
            });
            let outer = outer.unwrap();
            assert_eq!(outer.thread().name(), Some("outer"));
            outer.join().unwrap()
        });
        assert_eq!(sum.unwrap(), 4);
        let failed = thread::scope(|scope| {
            scope.spawn(|_| resume_unwind(Box::new("left")));
            scope.spawn::<_, ()>(|_| resume_unwind(Box::new("joined"))).join().unwrap_err();
        });
        let panics = failed.unwrap_err().downcast::<Vec<Box<dyn std::any::Any + Send>>>().unwrap();
        assert_eq!(panics.len(), 1);
        assert_eq!(panics[0].downcast_ref::<&str>(), Some(&"left"));
    }

    pub(super) fn texts() -> Vec<String> {
        let (group, parker, lock, backoff) = (WaitGroup::new(), Parker::new(), ShardedLock::new("a"), Backoff::default());
        let member = group.clone();
        let mut texts = vec![format!("{group:?} {parker:?} {:?} {lock:?} {backoff:?}", parker.unparker())];
        drop(member);
        while !backoff.is_completed() {
            backoff.snooze();
        }
        let read = lock.read().unwrap();
        texts.push(format!("{group:?} {backoff:?} {read:?} {read} {lock:?}"));
        drop(read);
        let write = lock.write().unwrap();
        texts.push(format!("{write:?} {write} {lock:?}"));
        thread::scope(|scope| {
            let handle = scope.spawn(|_| ());
            texts.push(format!("{scope:?} {handle:?} {:?}", scope.builder()).replace(char::is_numeric, "0"));
        })
        .unwrap();
        texts
    }
}

#[test]
fn all_of_this_holds_while_recording() {
    if std::env::var_os("CONCCHECK_TRACE").is_none() {
        crate::support::parity_holds_while_recording();
    }
}
