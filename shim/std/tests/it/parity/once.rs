//! `Once`.

super::both! {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use subject::sync::{Once, OnceState};
    use crate::parity::{panic_text, panicking};

    static ONCE: Once = Once::new();
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[test]
    fn the_closure_runs_once_and_everybody_sees_it_done() {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    ONCE.call_once(|| {
                        RUNS.fetch_add(1, Ordering::Relaxed);
                    });
                    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
                });
            }
            ONCE.wait();
            ONCE.wait_force();
        });
        assert!(ONCE.is_completed());
    }

    #[test]
    fn a_panic_poisons_and_force_repairs() {
        let once = Once::new();
        panicking(|| once.call_once(panicking_now));
        assert!(!once.is_completed());
        let mut poisoned = None;
        once.call_once_force(|state: &OnceState| poisoned = Some(state.is_poisoned()));
        assert_eq!(poisoned, Some(true));
        once.call_once_force(|_| unreachable!());
        once.call_once(|| unreachable!());
        assert!(once.is_completed());
    }

    #[test]
    fn wait_force_outlasts_a_panic() {
        let once = Once::new();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| once.wait_force());
            panicking(|| once.call_once(panicking_now));
            once.call_once_force(|_| ());
            waiter.join().unwrap();
        });
    }

    fn panicking_now() {
        std::panic::resume_unwind(Box::new(()));
    }

    #[test]
    #[expect(deprecated, reason = "std still has it")]
    fn the_old_constant_is_a_new_once() {
        static OLD: Once = subject::sync::ONCE_INIT;
        assert!(!OLD.is_completed());
    }

    pub(super) fn texts() -> Vec<String> {
        let once = Once::new();
        let mut texts = vec![format!("{once:?} {once:#?}")];
        panicking(|| once.call_once(panicking_now));
        texts.push(panic_text(|| once.call_once(|| ())));
        texts.push(panic_text(|| once.wait()));
        once.call_once_force(|state| texts.push(format!("{state:?}")));
        texts
    }
}
