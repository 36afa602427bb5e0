//! Channels of all three kinds.

super::both! {
    use std::rc::Rc;
    use std::thread;
    use std::time::Duration;

    use subject::sync::mpsc::{
        Receiver, RecvError, RecvTimeoutError, SendError, Sender, SyncSender, TryRecvError, TrySendError, channel, sync_channel,
    };

    const LONG: Duration = Duration::from_secs(600);
    const SHORT: Duration = Duration::from_millis(1);

    #[test]
    fn messages_of_one_sender_keep_their_order() {
        let (sender, receiver) = channel();
        thread::scope(|scope| {
            scope.spawn(move || (0..1_000).for_each(|number| sender.send(number).unwrap()));
            assert!(receiver.iter().eq(0..1_000));
        });
    }

    #[test]
    fn a_bounded_channel_blocks_its_senders_and_loses_nothing() {
        for bound in [0, 1, 3] {
            let (sender, receiver) = sync_channel(bound);
            thread::scope(|scope| {
                for _ in 0..3 {
                    let sender: SyncSender<u64> = sender.clone();
                    scope.spawn(move || (0..100).for_each(|number| sender.send(number).unwrap()));
                }
                drop(sender);
                assert_eq!(receiver.into_iter().sum::<u64>(), 3 * 4_950);
            });
        }
    }

    #[test]
    fn a_full_channel_refuses_a_try_and_gives_the_message_back() {
        let (sender, receiver) = sync_channel(1);
        sender.try_send("one").unwrap();
        assert_eq!(sender.try_send("two"), Err(TrySendError::Full("two")));
        assert_eq!(receiver.recv(), Ok("one"));
        drop(receiver);
        assert_eq!(sender.try_send("three"), Err(TrySendError::Disconnected("three")));
        assert_eq!(sender.send("four"), Err(SendError("four")));
        let (rendezvous, _receiver) = sync_channel(0);
        assert_eq!(rendezvous.try_send(1), Err(TrySendError::Full(1)));
    }

    #[test]
    fn a_send_without_receiver_gives_the_message_back() {
        let (sender, receiver) = channel();
        drop(receiver);
        assert_eq!(sender.send(1), Err(SendError(1)));
    }

    #[test]
    fn what_was_sent_before_the_last_sender_went_is_received() {
        let (sender, receiver) = channel();
        let second: Sender<i32> = sender.clone();
        sender.send(1).unwrap();
        drop(sender);
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(receiver.recv_timeout(SHORT), Err(RecvTimeoutError::Timeout));
        second.send(2).unwrap();
        drop(second);
        assert_eq!(receiver.recv_timeout(LONG), Ok(2));
        assert_eq!(receiver.recv(), Err(RecvError));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
        assert_eq!(receiver.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn a_waiting_receiver_learns_of_the_end() {
        let (sender, receiver): (Sender<i32>, Receiver<i32>) = channel();
        thread::scope(|scope| {
            let waiting = scope.spawn(move || (receiver.recv(), receiver));
            drop(sender);
            assert_eq!(waiting.join().unwrap().0, Err(RecvError));
        });
    }

    #[test]
    fn the_iterators_end_where_they_should() {
        let (sender, receiver) = channel();
        (0..4).for_each(|number| sender.send(number).unwrap());
        assert!(receiver.try_iter().eq(0..4));
        assert_eq!(receiver.try_iter().next(), None);
        sender.send(4).unwrap();
        drop(sender);
        let mut seen = Vec::new();
        for number in &receiver {
            seen.push(number);
        }
        assert_eq!(seen, [4]);
        assert_eq!(receiver.into_iter().next(), None);
    }

    #[test]
    fn messages_left_behind_are_dropped_with_the_receiver() {
        let message = Rc::new(());
        let (sender, receiver) = channel();
        sender.send(message.clone()).unwrap();
        assert_eq!(Rc::strong_count(&message), 2);
        drop(receiver);
        assert_eq!(Rc::strong_count(&message), 1);
        let (sender, receiver) = sync_channel(2);
        sender.send(message.clone()).unwrap();
        drop(sender);
        assert_eq!(Rc::strong_count(&message), 2);
        drop(receiver);
        assert_eq!(Rc::strong_count(&message), 1);
    }

    pub(super) fn texts() -> Vec<String> {
        let (sender, receiver) = channel::<u8>();
        let (bounded, other) = sync_channel::<u8>(1);
        let mut texts = vec![format!("{sender:?} {receiver:?} {:?} {:?}", receiver.iter(), receiver.try_iter())];
        texts.push(format!("{bounded:?} {bounded:#?} {:?}", other.into_iter()));
        let error = bounded.try_send(1).unwrap_err();
        texts.push(format!("{error:?} {error} {:?}", bounded.send(1)));
        let error = receiver.try_recv().unwrap_err();
        texts.push(format!("{error:?} {error}"));
        let error = receiver.recv_timeout(SHORT).unwrap_err();
        texts.push(format!("{error:?} {error}"));
        drop(sender);
        let error = receiver.recv().unwrap_err();
        texts.push(format!("{error:?} {error} {:?} {:?}", TryRecvError::from(error), RecvTimeoutError::from(error)));
        let boxed: Box<dyn std::error::Error> = Box::new(TrySendError::from(SendError(1)));
        texts.push(format!("{boxed:?} {boxed}"));
        texts
    }
}
