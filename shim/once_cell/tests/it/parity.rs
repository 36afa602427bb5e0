//! Every body here runs twice, against the original and against the facade, and what both print must be the same text.

both! { conccheck_once_cell, once_cell_orig:
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::thread;

    use subject::sync::{Lazy, OnceCell};

    static NUMBER: Lazy<u32> = Lazy::new(|| 7);
    static CELL: OnceCell<u32> = OnceCell::new();

    fn panics<R>(work: impl FnOnce() -> R) -> String {
        let payload = catch_unwind(AssertUnwindSafe(|| drop(work()))).expect_err("it panics");
        payload.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| payload.downcast_ref::<String>().cloned()).expect("a text")
    }

    #[test]
    fn threads_that_race_for_an_initialisation_get_one_value() {
        let values = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|number| scope.spawn(move || *CELL.get_or_init(|| number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(values.iter().all(|value| *value == values[0]));
        assert_eq!((*NUMBER, *CELL.wait()), (7, values[0]));
    }

    #[test]
    fn a_failed_or_panicked_initialisation_leaves_the_cell_empty() {
        let mut cell = OnceCell::new();
        assert_eq!(cell.get_or_try_init(|| Err(1)), Err::<&u32, i32>(1));
        panics(|| cell.get_or_init(|| panic!("first")));
        assert_eq!((cell.get(), cell.set(3), cell.set(4), cell.try_insert(5)), (None, Ok(()), Err(4), Err((&3, 5))));
        *cell.get_mut().unwrap() += 1;
        assert_eq!(cell.take(), Some(4));
        assert_eq!(cell.get(), None);
        assert_eq!(cell.into_inner(), None);
    }

    #[test]
    fn a_lazy_value_gives_its_initialiser_or_its_value_back() {
        assert_eq!(Lazy::into_value(Lazy::<u8, u16>::new(5)), Err(5));
        let mut lazy = Lazy::new(|| 1);
        assert_eq!(Lazy::get(&lazy), None);
        assert_eq!(*Lazy::force_mut(&mut lazy), 1);
        *lazy += 1;
        assert_eq!(Lazy::get(&lazy), Some(&2));
        assert_eq!(Lazy::get_mut(&mut lazy), Some(&mut 2));
        assert!(matches!(Lazy::into_value(lazy), Ok(2)));
    }

    pub(super) fn texts() -> Vec<String> {
        let cell = OnceCell::new();
        let lazy = Lazy::new(|| 1);
        let mut texts = vec![format!("{cell:?} {lazy:?} {:?}", OnceCell::<u8>::default())];
        cell.set("a").unwrap();
        assert_eq!(*lazy, 1);
        texts.push(format!("{cell:?} {cell:#?} {lazy:?} {:?} {}", cell.clone(), cell == OnceCell::from("a")));
        let poisoned: Lazy<u8> = Lazy::new(|| panic!("once"));
        texts.extend([panics(|| *poisoned), panics(|| *poisoned), format!("{poisoned:?}")]);
        texts
    }
}

#[test]
fn all_of_this_holds_while_recording() {
    if std::env::var_os("CONCCHECK_TRACE").is_none() {
        crate::support::parity_holds_while_recording();
    }
}
