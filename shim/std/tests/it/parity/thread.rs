//! Threads: spawn, join, names, park.

super::both! {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use subject::sync::mpsc::channel;
    use subject::thread;
    use crate::parity::panic_text;

    #[test]
    fn a_thread_gives_its_result_to_who_joins_it() {
        let captured = String::from("text");
        let handle = thread::spawn(move || captured.len());
        assert_eq!(handle.join().unwrap(), 4);
    }

    #[test]
    fn a_panic_reaches_who_joins_it() {
        let handle = thread::spawn(|| std::panic::resume_unwind(Box::new(5)));
        let payload: Box<dyn std::any::Any + Send> = handle.join().unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&5));
    }

    #[test]
    fn a_builder_gives_name_and_stack() {
        let handle = thread::Builder::new().name("worker".to_string()).stack_size(256 * 1024).spawn(thread::current).unwrap();
        let (name, id) = (handle.thread().name().map(str::to_string), handle.thread().id());
        let inside = handle.join().unwrap();
        assert_eq!((inside.name(), inside.id()), (name.as_deref(), id));
        assert_eq!(name.as_deref(), Some("worker"));
        assert_ne!(inside.id(), thread::current().id());
    }

    #[test]
    fn is_finished_tells_the_end_without_waiting() {
        let (sender, receiver) = channel::<()>();
        let handle = thread::spawn(move || receiver.recv());
        assert!(!handle.is_finished());
        drop(sender);
        while !handle.is_finished() {
            thread::yield_now();
        }
        assert!(handle.join().unwrap().is_err());
    }

    #[test]
    fn a_detached_thread_runs_on() {
        let (sender, receiver) = channel();
        drop(thread::spawn(move || sender.send(1)));
        assert_eq!(receiver.recv(), Ok(1));
    }

    #[test]
    #[expect(deprecated, reason = "std still has it")]
    fn an_unparked_thread_goes_on() {
        let go = Arc::new(AtomicBool::new(false));
        let handle = thread::spawn({
            let go = go.clone();
            move || {
                while !go.load(Ordering::Acquire) {
                    thread::park();
                }
            }
        });
        go.store(true, Ordering::Release);
        handle.thread().clone().unpark();
        handle.join().unwrap();
        thread::current().unpark();
        thread::park();
        thread::park_timeout(Duration::from_millis(1));
        thread::park_timeout_ms(1);
    }

    #[test]
    #[expect(deprecated, reason = "std still has it")]
    fn a_sleep_lasts_at_least_as_long_as_asked() {
        let start = Instant::now();
        thread::sleep(Duration::from_millis(2));
        thread::sleep_ms(1);
        assert!(start.elapsed() >= Duration::from_millis(3));
    }

    #[test]
    #[expect(unsafe_code, reason = "the function is unsafe")]
    fn a_thread_may_be_started_unchecked() {
        let text = String::from("text");
        // SAFETY: the thread is joined before `text` goes.
        let handle = unsafe { thread::Builder::new().spawn_unchecked(|| text.len()) }.unwrap();
        assert_eq!(handle.join().unwrap(), 4);
    }

    #[test]
    fn what_the_closure_captured_is_gone_when_the_thread_is_joined() {
        let (captured, local) = (Arc::new(()), Arc::new(()));
        thread_local! {
            static KEPT: std::cell::RefCell<Option<Arc<()>>> = const { std::cell::RefCell::new(None) };
        }
        let handle = thread::spawn({
            let (captured, local) = (captured.clone(), local.clone());
            move || {
                let _captured = captured;
                KEPT.set(Some(local));
            }
        });
        handle.join().unwrap();
        assert_eq!((Arc::strong_count(&captured), Arc::strong_count(&local)), (1, 1));
    }

    #[test]
    #[cfg(unix)]
    fn a_handle_has_the_systems_name_of_the_thread() {
        use std::os::unix::thread::JoinHandleExt;
        let handle = thread::spawn(thread::park);
        assert_ne!(handle.as_pthread_t(), 0);
        handle.thread().unpark();
        assert_ne!(handle.into_pthread_t(), 0);
    }

    #[test]
    fn what_passes_through_is_there() {
        assert!(thread::available_parallelism().unwrap().get() > 0);
        assert!(!thread::panicking());
        let _: fn(thread::ThreadId, thread::AccessError) -> thread::Result<()> = |_, _| Ok(());
    }

    pub(super) fn texts() -> Vec<String> {
        let start = |name: &str| thread::Builder::new().name(name.to_string());
        let handle = start("worker").spawn(|| ()).unwrap();
        let without_id = |text: String| text.split_once("), ").unwrap().1.to_string();
        let texts = vec![
            format!("{:?} {:#?}", thread::Builder::new(), start("worker").stack_size(1)),
            format!("{handle:?} {handle:#?}"),
            without_id(format!("{:?}", handle.thread())),
            without_id(format!("{:?}", thread::spawn(|| ()).thread())),
            panic_text(|| start("nul\0").spawn(|| ())),
            format!("{:?}", start("huge").stack_size(usize::MAX / 4).spawn(|| ()).map(drop)),
        ];
        handle.join().unwrap();
        texts
    }
}
