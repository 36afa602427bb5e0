//! The exact events of small programs, each run in a process of its own.

use std::thread;
use std::time::Duration;

use conccheck_crossbeam_channel::{Select, after, bounded, never, select, unbounded};
use conccheck_trace::event::Event;

use crate::recorded;

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(600);

/// Runs `program`, which a test calls first, in a process of its own and gives the events of its main thread as text, without places.
/// `None` in that process.
fn recorded<F: FnOnce()>(program: F) -> Option<Vec<String>> {
    let trace = recorded::recorded(program)?;
    let main = trace.threads()[0];
    Some(trace.events(main).filter_map(|record| text(&record.event)).collect())
}

/// What happens to channels; no life of handles.
fn text(event: &Event) -> Option<String> {
    Some(match *event {
        Event::SendRequest { channel, timed, .. } => format!("send request {} {timed}", channel.0),
        Event::Send { channel, .. } => format!("send {}", channel.0),
        Event::SendFail { channel, closed, .. } => format!("send failed {} {closed}", channel.0),
        Event::RecvRequest { channel, timed, .. } => format!("recv request {} {timed}", channel.0),
        Event::Recv { channel, .. } => format!("recv {}", channel.0),
        Event::RecvFail { channel, closed, .. } => format!("recv failed {} {closed}", channel.0),
        Event::SelectCase { channel, side, .. } => format!("case {} {side:?}", channel.0),
        Event::SelectRequest { cases, timed, .. } => format!("select request {cases} {timed}"),
        Event::Selected { others, .. } => format!("selected {others}"),
        _ => return None,
    })
}

#[test]
fn a_send_and_a_receive_are_recorded_with_their_waits() {
    let Some(events) = recorded(|| {
        let (sender, receiver) = bounded(1);
        sender.send(1).unwrap();
        assert!(sender.send_timeout(2, SHORT).is_err() && sender.try_send(3).is_err());
        assert_eq!(receiver.recv(), Ok(1));
        assert!(receiver.recv_timeout(SHORT).is_err());
        drop(receiver);
        assert!(sender.send(4).is_err());
    }) else {
        return;
    };
    let expected =
        ["send 1", "send request 1 true", "send failed 1 false", "recv 1", "recv request 1 true", "recv failed 1 false"];
    assert_eq!(events[..6], expected);
    assert_eq!(events[6..], ["send failed 1 true"]);
}

#[test]
fn a_selection_that_waits_names_all_its_operations() {
    let Some(events) = recorded(|| {
        let (sender, receiver) = unbounded::<u8>();
        let (full, _from_full) = bounded(0);
        let later = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            sender.send(1)
        });
        select! {
            recv(receiver) -> message => assert_eq!(message, Ok(1)),
            recv(never::<u8>()) -> message => assert_eq!(message, Ok(2)),
            send(full, 2) -> sent => sent.unwrap(),
        }
        later.join().unwrap().unwrap();
    }) else {
        return;
    };
    assert_eq!(events, ["case 1 Receiver", "case 2 Sender", "select request 2 false", "selected true", "recv 1"]);
}

#[test]
fn a_selection_that_need_not_wait_is_one_entry_before_what_was_selected() {
    let Some(events) = recorded(|| {
        let (sender, receiver) = unbounded::<u8>();
        select! {
            send(sender, 1) -> sent => sent.unwrap(),
            recv(receiver) -> _ => {},
        }
        select!(recv(receiver) -> message => assert_eq!(message, Ok(1)));
        let mut select = Select::new();
        assert_eq!(select.send(&sender), 0);
        select.select().send(&sender, 2).unwrap();
        select.try_select().unwrap().send(&sender, 3).unwrap();
    }) else {
        return;
    };
    assert_eq!(events, ["selected true", "send 1", "recv 1", "send 1", "selected true", "send 1"]);
}

#[test]
fn a_wait_for_a_timer_has_a_limit_until_it_fired() {
    let Some(events) = recorded(|| {
        let (_sender, receiver) = unbounded::<u8>();
        select! {
            recv(receiver) -> _ => {},
            recv(after(SHORT)) -> _ => {},
        }
        select! {
            recv(receiver) -> _ => {},
            default(SHORT) => {},
        }
        let once = after(SHORT);
        assert!(once.recv().is_ok());
        thread::sleep(SHORT);
        let mut select = Select::new();
        select.recv(&once);
        select.recv(&receiver);
        thread::spawn(move || drop((thread::sleep(Duration::from_millis(50)), _sender)));
        assert_eq!(select.ready(), 1);
        assert!(after(LONG).recv_timeout(SHORT).is_err());
    }) else {
        return;
    };
    let timed = ["case 1 Receiver", "select request 1 true", "selected true"];
    assert_eq!(events[..3], timed, "the timer came");
    assert_eq!((&events[3..6], &*events[6]), (&timed.map(String::from)[..], "recv failed 1 false"), "nothing came");
    assert_eq!(events[7..9], ["select request 0 true", "selected false"]);
    assert_eq!(events[9..12], ["case 1 Receiver", "select request 1 false", "selected false"]);
    assert_eq!(events[12..], ["select request 0 true", "selected false"]);
}
