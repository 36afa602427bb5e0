//! Events of channels.

use std::time::Duration;

use conccheck_std::sync::mpsc::{channel, sync_channel};
use conccheck_std::thread;
use conccheck_trace::event::Event;

use super::{recorded, until_recorded};

#[test]
fn a_receive_names_the_send_that_it_got() {
    let Some(trace) = recorded(|| {
        let (sender, receiver) = channel();
        let second = sender.clone();
        sender.send(1).unwrap();
        thread::spawn(move || second.send(2).unwrap()).join().unwrap();
        drop(sender);
        assert_eq!(receiver.iter().sum::<i32>(), 3);
        drop(receiver);
    }) else {
        return;
    };
    let events: Vec<_> = trace.thread(1).into_iter().filter(|event| !event.contains("join")).collect();
    let expected = [
        "start 0",
        "channel 1 None 1 2",
        "clone 1 Sender 1 3",
        "made 1 3",
        "send 1 1 1.1",
        "spawn 2",
        "drop 1 Sender 1",
        "recv 1 2 1.1",
        "recv 1 2 2.1",
        "recv failed 1 2 true",
        "drop 1 Receiver 2",
    ];
    assert_eq!(events, expected);
    assert_eq!(trace.thread(2), ["start 1", "send 1 3 2.1", "drop 1 Sender 3", "end"]);
}

#[test]
fn a_wait_for_room_and_a_wait_for_a_message_are_requests() {
    let Some(trace) = recorded(|| {
        let (sender, receiver) = sync_channel(1);
        sender.send(1).unwrap();
        thread::scope(|scope| {
            scope.spawn(move || {
                sender.send(2).unwrap();
                until_recorded(|event| matches!(event, Event::RecvRequest { .. }));
                sender.send(3).unwrap();
            });
            until_recorded(|event| matches!(event, Event::SendRequest { .. }));
            assert_eq!(receiver.recv(), Ok(1));
            until_recorded(|event| matches!(event, Event::Send { stamp, .. } if stamp.thread().0 == 2));
            assert_eq!(receiver.recv(), Ok(2));
            assert_eq!(receiver.recv(), Ok(3));
        });
    }) else {
        return;
    };
    let main = trace.thread(1);
    assert_eq!(main[..4], ["start 0", "channel 1 Some(1) 1 2", "send 1 1 1.1", "spawn 2 scoped"]);
    assert_eq!(main[4..8], ["recv 1 2 1.1", "recv 1 2 2.1", "recv request 1 2 false", "recv 1 2 2.2"]);
    let other = trace.thread(2);
    assert_eq!(other[..3], ["start 1", "send request 1 1 false", "send 1 1 2.1"]);
    assert_eq!(other[3..], ["send 1 1 2.2", "drop 1 Sender 1", "end"]);
}

#[test]
fn failures_say_whether_the_channel_was_closed() {
    let Some(trace) = recorded(|| {
        let (sender, receiver) = sync_channel(1);
        assert!(receiver.try_recv().is_err());
        assert!(receiver.recv_timeout(Duration::from_millis(1)).is_err());
        sender.send(1).unwrap();
        assert!(sender.try_send(2).is_err());
        drop(receiver);
        assert!(sender.try_send(3).is_err());
        assert!(sender.send(4).is_err());
    }) else {
        return;
    };
    let expected = [
        "start 0",
        "channel 1 Some(1) 1 2",
        "recv failed 1 2 false",
        "recv request 1 2 true",
        "recv failed 1 2 false",
        "send 1 1 1.1",
        "send failed 1 1 false",
        "drop 1 Receiver 2",
        "send failed 1 1 true",
        "send failed 1 1 true",
        "drop 1 Sender 1",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn a_polling_loop_is_recorded_as_one_failure() {
    let Some(trace) = recorded(|| {
        let (sender, receiver) = channel();
        for round in 0..3 {
            for _ in 0..100 {
                assert!(receiver.try_recv().is_err());
            }
            sender.send(round).unwrap();
            assert!(receiver.try_recv().is_ok());
        }
    }) else {
        return;
    };
    assert_eq!(trace.thread(1).iter().filter(|event| event.starts_with("recv failed")).count(), 3);
}

#[test]
fn messages_that_an_adapter_of_std_takes_are_received_where_the_iterator_was_made() {
    let Some(trace) = recorded(|| {
        let (sender, receiver) = channel();
        (0..6).for_each(|number| sender.send(number).unwrap());
        assert_eq!(receiver.iter().take(2).sum::<i32>(), 1);
        for number in receiver.try_iter() {
            if number == 4 {
                break;
            }
        }
        drop(sender);
        assert_eq!(receiver.into_iter().collect::<Vec<_>>(), [5]);
    }) else {
        return;
    };
    let receives = trace.events(1).into_iter().filter(|event| matches!(event, Event::Recv { .. }));
    let places: Vec<_> =
        receives.map(|event| trace.0.tables.site(event.site().expect("it has one")).expect("it is defined")).collect();
    assert!(places.iter().all(|place| place.file.ends_with("channels.rs")), "{places:?}");
    let first = places[0].line;
    assert_eq!(places.iter().map(|place| place.line - first).collect::<Vec<_>>(), [0, 0, 1, 1, 1, 7]);
}
