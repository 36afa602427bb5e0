//! Every body here runs twice, against the original and against the facade, and what both print must be the same text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

/// The text of the panic in `work`.
fn panic_text<R>(work: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(|| drop(work()))).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => payload.downcast_ref::<&str>().expect("a text").to_string(),
    }
}

macro_rules! bodies {
    ($($body:tt)*) => {
        mod real {
            use crossbeam_channel_orig as subject;
            $($body)*
        }
        mod facade {
            use conccheck_crossbeam_channel as subject;
            $($body)*
        }
    };
}

bodies! {
    use std::thread;
    use std::time::{Duration, Instant};

    use subject::{
        Receiver, RecvError, RecvTimeoutError, Select, SendError, SendTimeoutError, Sender, TryRecvError, TrySendError, after, at,
        bounded, never, select, select_biased, tick, unbounded,
    };

    const LONG: Duration = Duration::from_secs(600);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn messages_pass_in_order_with_any_capacity() {
        for capacity in [None, Some(0), Some(1), Some(3)] {
            let (sender, receiver) = capacity.map_or_else(unbounded, bounded);
            assert_eq!((sender.capacity(), receiver.capacity()), (capacity, capacity));
            thread::scope(|scope| {
                scope.spawn(move || (0..500).for_each(|number| sender.send(number).unwrap()));
                assert!(receiver.iter().eq(0..500));
            });
        }
    }

    #[test]
    fn many_senders_and_receivers_lose_nothing() {
        let (sender, receiver) = bounded(2);
        let sum: u64 = thread::scope(|scope| {
            for _ in 0..3 {
                let sender = sender.clone();
                scope.spawn(move || (0..100).for_each(|number| sender.send(number).unwrap()));
            }
            drop(sender);
            let take = || scope.spawn({ let receiver = receiver.clone(); move || receiver.into_iter().sum::<u64>() });
            [take(), take()].into_iter().map(|taker| taker.join().unwrap()).sum()
        });
        assert_eq!(sum, 3 * 4_950);
    }

    #[test]
    fn what_fails_gives_the_message_back() {
        let (sender, receiver) = bounded(1);
        sender.try_send("one").unwrap();
        assert!(sender.is_full() && receiver.is_full() && !sender.is_empty() && receiver.len() == 1);
        assert_eq!(sender.try_send("two"), Err(TrySendError::Full("two")));
        assert_eq!(sender.send_timeout("two", SHORT), Err(SendTimeoutError::Timeout("two")));
        assert_eq!(sender.send_deadline("two", Instant::now()), Err(SendTimeoutError::Timeout("two")));
        assert_eq!(receiver.recv_timeout(LONG), Ok("one"));
        assert_eq!(receiver.recv_deadline(Instant::now()), Err(RecvTimeoutError::Timeout));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        drop(receiver);
        assert_eq!(sender.try_send("three"), Err(TrySendError::Disconnected("three")));
        assert_eq!(sender.send_timeout("three", LONG), Err(SendTimeoutError::Disconnected("three")));
        assert_eq!(sender.send("four"), Err(SendError("four")));
    }

    #[test]
    fn the_last_sender_closes_the_channel() {
        let (sender, receiver): (Sender<u8>, Receiver<u8>) = unbounded();
        let second = sender.clone();
        assert!(sender.same_channel(&second) && receiver.same_channel(&receiver.clone()));
        assert!(!receiver.same_channel(&unbounded().1) && never::<u8>().same_channel(&never()));
        drop(sender);
        second.send(1).unwrap();
        drop(second);
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1]);
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn timers_fire_and_never_does_not() {
        let once = after(SHORT);
        let same = once.clone();
        assert!(once.recv().is_ok() && once.same_channel(&same));
        assert_eq!(same.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert!(at(Instant::now()).recv().is_ok());
        assert_eq!(tick(SHORT).iter().take(3).count(), 3);
        assert_eq!(never::<u8>().recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        assert_eq!((never::<u8>().try_recv(), never::<u8>().len()), (Err(TryRecvError::Empty), 0));
        assert_eq!((after(LONG).capacity(), tick(LONG).capacity(), never::<u8>().capacity()), (Some(1), Some(1), Some(0)));
    }

    #[test]
    fn a_selection_takes_what_is_ready_and_waits_for_what_is_not() {
        let (ready, from_ready) = unbounded();
        let (full, from_full) = bounded(1);
        let (quiet, from_quiet) = unbounded::<u8>();
        ready.send(1).unwrap();
        full.send(2).unwrap();
        let chosen = select! {
            recv(from_quiet) -> _ => 0,
            send(full, 3) -> _ => { 1 }
            recv(from_ready) -> message => { message.unwrap() + 10 }
            default(LONG) => 3,
        };
        assert_eq!(chosen, 11);
        let none = select_biased! {
            recv(from_quiet) -> _ => false,
            recv(from_ready) -> _ => false,
            default => true,
        };
        assert!(none);
        let later = thread::spawn(move || quiet.send(7));
        let got = select! {
            recv(from_quiet) -> message => message,
            recv(never()) -> message => message,
            recv(after(LONG)) -> _ => Err(RecvError),
        };
        assert_eq!(got, Ok(7));
        later.join().unwrap().unwrap();
        select!(recv(from_quiet) -> message => assert_eq!(message, Err(RecvError)));
        assert_eq!(from_full.len(), 1);
    }

    #[test]
    fn a_list_of_operations_is_selected_from_by_index() {
        let (sender, receiver) = bounded(1);
        let (other, from_other) = unbounded::<u8>();
        let nowhere = never::<u8>();
        let mut select = Select::new();
        assert_eq!((select.recv(&from_other), select.send(&sender), select.recv(&nowhere)), (0, 1, 2));
        let chosen = select.select();
        assert_eq!(chosen.index(), 1);
        chosen.send(&sender, 5).unwrap();
        assert!(select.try_select().is_err() && select.try_ready().is_err() && select.select_timeout(SHORT).is_err());
        assert!(select.ready_deadline(Instant::now()).is_err() && select.clone().ready_timeout(SHORT).is_err());
        select.remove(0);
        assert_eq!(select.recv(&receiver), 3);
        assert_eq!(select.ready(), 3);
        assert_eq!(select.select_deadline(Instant::now() + LONG).unwrap().recv(&receiver), Ok(5));
        assert_eq!(Select::new_biased().recv(&from_other), 0);
        drop(other);
    }

    pub(super) fn texts() -> Vec<String> {
        let (sender, receiver) = bounded::<u8>(1);
        let (_other, from_other) = unbounded::<u8>();
        let nowhere = never::<u8>();
        let mut texts = vec![format!("{sender:?} {receiver:?} {:?} {:?}", receiver.iter(), receiver.try_iter())];
        texts.push(format!("{:?} {:?} {:?} {:>40?}", after(LONG), nowhere, from_other.clone().into_iter(), sender));
        let mut select = Select::new();
        texts.push(format!("{select:?}"));
        texts.push(super::panic_text(|| Select::new().select()));
        texts.push(super::panic_text(|| Select::new().ready()));
        let at = select.send(&sender);
        let chosen = select.select();
        texts.push(format!("{chosen:?} {}", chosen.index() == at));
        chosen.send(&sender, 1).unwrap();
        texts.push(super::panic_text(|| select.remove(7)));
        texts.push(format!("{:?} {:?}", select.try_select().unwrap_err(), select.try_ready().unwrap_err()));
        texts.push(format!("{:?} {}", sender.try_send(2), sender.send_timeout(2, SHORT).unwrap_err()));
        texts
    }
}

#[test]
fn the_texts_are_the_same() {
    assert_eq!(real::texts(), facade::texts());
}

#[test]
fn all_of_this_holds_while_recording() {
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["parity::", "--skip", "while_recording"])
        .env("CONCCHECK_TRACE", folder.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_some(), "a trace was written");
}
