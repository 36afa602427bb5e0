//! Scoped threads.

super::both! {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use subject::thread;
    use crate::parity::panic_text;

    #[test]
    fn scoped_threads_borrow_and_are_over_when_the_scope_is() {
        let ended = AtomicUsize::new(0);
        let mut numbers = vec![1, 2, 3];
        let (first, rest) = numbers.split_first_mut().unwrap();
        let sum = thread::scope(|scope| {
            scope.spawn(|| {
                *first = 10;
                ended.fetch_add(1, Ordering::Relaxed);
            });
            let handle = scope.spawn(|| {
                rest.iter_mut().for_each(|number| *number += 1);
                ended.fetch_add(1, Ordering::Relaxed);
                rest.iter().sum::<i32>()
            });
            handle.join().unwrap()
        });
        assert_eq!((sum, ended.into_inner(), numbers), (7, 2, vec![10, 3, 4]));
    }

    #[test]
    fn threads_of_a_scope_start_others_in_it() {
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let inner = scope.spawn(|| {
                        scope.spawn(|| count.fetch_add(1, Ordering::Relaxed));
                    });
                    assert!(inner.join().is_ok());
                });
            }
            thread::scope(|inner| {
                let handle = inner.spawn(|| scope.spawn(|| count.fetch_add(1, Ordering::Relaxed)).join().unwrap());
                assert!(handle.join().is_ok());
            });
        });
        assert_eq!(count.into_inner(), 4);
    }

    #[test]
    fn a_builder_starts_scoped_threads() {
        let text = String::from("worker");
        thread::scope(|scope| {
            let handle = thread::Builder::new().name(text.clone()).spawn_scoped(scope, || text.len()).unwrap();
            assert_eq!(handle.thread().name(), Some("worker"));
            while !handle.is_finished() {
                thread::yield_now();
            }
            assert_eq!(handle.join().unwrap(), 6);
        });
    }

    #[test]
    fn a_joined_panic_is_the_joiners_and_another_the_scopes() {
        let fails = || resume_unwind(Box::new(1));
        thread::scope(|scope| assert!(scope.spawn(fails).join().is_err()));
        assert_eq!(panic_text(|| thread::scope(|scope| drop(scope.spawn(fails)))), "a scoped thread panicked");
    }

    #[test]
    fn a_panic_of_the_scopes_closure_waits_for_its_threads() {
        let ended = AtomicUsize::new(0);
        let result = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| ended.fetch_add(1, Ordering::Relaxed));
                resume_unwind(Box::new(7));
            })
        }));
        assert_eq!((result.unwrap_err().downcast_ref(), ended.into_inner()), (Some(&7), 1));
    }

    #[test]
    fn a_scope_may_return_what_it_borrows() {
        let text = String::from("text");
        let borrowed: &str = thread::scope(|scope| scope.spawn(|| text.as_str()).join().unwrap());
        assert_eq!(borrowed, "text");
    }

    pub(super) fn texts() -> Vec<String> {
        let without_id = |text: String| text.split_once("ThreadId(").map(|(before, after)| (before.to_string(), after.split_once(')').unwrap().1.to_string()));
        thread::scope(|scope| {
            let before = without_id(format!("{scope:?}"));
            let handle = scope.spawn(|| ());
            vec![format!("{before:?}"), format!("{handle:?}")]
        })
    }
}
