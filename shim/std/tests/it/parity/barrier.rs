//! `Barrier`.

super::both! {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use subject::sync::Barrier;

    static BARRIER: Barrier = Barrier::new(3);

    #[test]
    fn each_generation_meets_and_has_one_leader() {
        let (arrived, leaders) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for generation in 1..=50 {
                        arrived.fetch_add(1, Ordering::Relaxed);
                        if BARRIER.wait().is_leader() {
                            leaders.fetch_add(1, Ordering::Relaxed);
                        }
                        assert!(arrived.load(Ordering::Relaxed) >= 3 * generation);
                    }
                });
            }
        });
        assert_eq!(leaders.load(Ordering::Relaxed), 50);
    }

    #[test]
    fn nobody_waits_alone() {
        assert!(Barrier::new(0).wait().is_leader());
        assert!(Barrier::new(1).wait().is_leader());
    }

    pub(super) fn texts() -> Vec<String> {
        let barrier = Barrier::new(1);
        vec![format!("{barrier:?} {:?} {:#?}", barrier.wait(), barrier.wait())]
    }
}
