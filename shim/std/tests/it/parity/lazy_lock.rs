//! `LazyLock`.

super::both! {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use subject::sync::LazyLock;
    use crate::parity::{panic_text, panicking};

    static RUNS: AtomicU32 = AtomicU32::new(0);
    static LAZY: LazyLock<String> = LazyLock::new(|| {
        RUNS.fetch_add(1, Ordering::Relaxed);
        "text".to_string()
    });

    #[test]
    fn the_initialiser_runs_once_at_first_use() {
        assert_eq!(RUNS.load(Ordering::Relaxed), 0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(LAZY.len(), 4));
            }
        });
        assert_eq!((RUNS.load(Ordering::Relaxed), LazyLock::force(&LAZY).as_str()), (1, "text"));
    }

    #[test]
    fn mutable_access_initialises_too() {
        let mut lazy = LazyLock::new(|| vec![1]);
        assert_eq!(LazyLock::get(&lazy), None);
        assert_eq!(LazyLock::get_mut(&mut lazy), None);
        lazy.push(2);
        LazyLock::force_mut(&mut lazy).push(3);
        assert_eq!(LazyLock::get(&lazy), Some(&vec![1, 2, 3]));
        assert_eq!(LazyLock::get_mut(&mut lazy), Some(&mut vec![1, 2, 3]));
    }

    #[test]
    fn an_initialiser_may_be_any_closure_and_is_dropped_unused() {
        let owned = std::sync::Arc::new(1);
        let clone = owned.clone();
        let lazy = LazyLock::new(move || *clone);
        drop(lazy);
        assert_eq!(std::sync::Arc::strong_count(&owned), 1);
        assert_eq!(*LazyLock::<String>::default(), "");
    }

    pub(super) fn texts() -> Vec<String> {
        let lazy: LazyLock<&str> = LazyLock::new(|| "text");
        let mut texts = vec![format!("{lazy:?}")];
        LazyLock::force(&lazy);
        texts.push(format!("{lazy:?} {lazy:#?} {}", *lazy));
        let mut broken: LazyLock<i32> = LazyLock::new(|| std::panic::resume_unwind(Box::new(())));
        panicking(|| *broken);
        texts.push(panic_text(|| *broken));
        texts.push(panic_text(|| *LazyLock::force_mut(&mut broken)));
        texts.push(format!("{broken:?} {:?} {:?}", LazyLock::get(&broken), broken));
        let mut broken: LazyLock<i32> = LazyLock::new(|| std::panic::resume_unwind(Box::new(())));
        panicking(|| *LazyLock::force_mut(&mut broken));
        texts.push(panic_text(|| *broken));
        texts
    }
}
