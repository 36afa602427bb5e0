//! `OnceLock`.

super::both! {
    use std::thread;

    use subject::sync::OnceLock;
    use crate::parity::panicking;

    static CELL: OnceLock<Vec<i32>> = OnceLock::new();

    #[test]
    fn one_of_many_initialises() {
        thread::scope(|scope| {
            for number in 0..4 {
                scope.spawn(move || assert_eq!(CELL.get_or_init(|| vec![number]).len(), 1));
            }
            assert_eq!(CELL.wait().len(), 1);
        });
        assert!(CELL.get().is_some());
    }

    #[test]
    fn set_fills_an_empty_cell_only() {
        let mut cell = OnceLock::new();
        assert_eq!(cell.get(), None);
        assert_eq!(cell.get_mut(), None);
        assert_eq!(cell.set("one"), Ok(()));
        assert_eq!(cell.set("two"), Err("two"));
        assert_eq!(cell.get(), Some(&"one"));
        *cell.get_mut().unwrap() = "three";
        assert_eq!(cell.clone().into_inner(), Some("three"));
        assert_eq!(cell.take(), Some("three"));
        assert_eq!(cell.take(), None);
        assert_eq!(cell.get_or_init(|| "four"), &"four");
    }

    #[test]
    fn a_panic_leaves_it_empty_and_usable() {
        let cell = OnceLock::new();
        panicking(|| cell.get_or_init(|| std::panic::resume_unwind(Box::new(()))));
        assert_eq!(cell.get(), None::<&i32>);
        assert_eq!(cell.get_or_init(|| 1), &1);
    }

    #[test]
    fn equality_conversion_and_default() {
        assert_eq!(OnceLock::from(1), OnceLock::from(1));
        assert_ne!(OnceLock::from(1), OnceLock::default());
        assert_eq!(OnceLock::<i32>::new().clone(), OnceLock::new());
    }

    #[test]
    fn a_value_may_borrow_what_dies_with_the_cell() {
        let cell = OnceLock::new();
        let text = String::from("text");
        cell.set(&text).unwrap();
        assert_eq!(cell.get(), Some(&&text));
    }

    pub(super) fn texts() -> Vec<String> {
        let cell = OnceLock::new();
        let mut texts = vec![format!("{cell:?}")];
        cell.set("text").unwrap();
        texts.push(format!("{cell:?} {cell:#?}"));
        texts
    }
}
