//! The text form of traces, as tests of rules write it.
#![cfg(feature = "read")]

use conccheck_trace::event::{Event, How, Mode, ObjectKind};
use conccheck_trace::ids::{HandleId, ObjectId, Order, SiteId, Stamp, ThreadId, Ticks};
use conccheck_trace::read::ProcessTrace;
use conccheck_trace::text;

fn parse(text: &str) -> ProcessTrace {
    text::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn events(trace: &ProcessTrace, thread: u32) -> Vec<Event> {
    trace.events(ThreadId(thread)).map(|record| record.event).collect()
}

fn error(text: &str) -> String {
    text::parse(text).expect_err("is not a trace").to_string()
}

#[test]
fn threads_locks_and_sites_get_numbers_by_their_first_mention() {
    let trace = parse("main spawn t1 @a.rs:3\nmain lock a @a.rs:10:7 +5ms; main unlock a\n# nothing\nt1 lock a # again");
    let (lock, mode, how) = (ObjectId(1), Mode::Exclusive, How::Blocking);
    let main = events(&trace, 1);
    assert!(matches!(main[..2], [Event::Start { parent: ThreadId::NONE, .. }, Event::Spawn { child: ThreadId(2), .. }]));
    let Event::Acquire { site, .. } = main[2] else { panic!("{main:?}") };
    assert_eq!(main[2], Event::Acquire { lock, site, mode, how, order: Order(1) });
    assert_eq!(main[3], Event::Release { lock, wrote: true, unwinding: false });
    let place = trace.tables.site(site).expect("is defined");
    assert_eq!((place.file.as_str(), place.line, place.column), ("a.rs", 10, 7));
    assert_eq!(trace.events(ThreadId(1)).map(|r| r.time.0).collect::<Vec<_>>(), [0, 0, 5_000_000, 5_001_000]);

    let other = events(&trace, 2);
    let Event::Start { parent: ThreadId(1), name } = other[0] else { panic!("{other:?}") };
    assert_eq!(trace.tables.string(name), Some("t1"));
    assert!(matches!(other[1], Event::Acquire { order: Order(2), .. }));
    let def = trace.tables.object(lock).expect("is defined");
    assert_eq!((def.kind, trace.tables.string(def.type_name)), (ObjectKind::Mutex, Some("a")));
}

#[test]
fn readers_carry_the_order_of_the_writer_before_them() {
    let trace =
        parse("a write r; a unlock r; a read r; b read r; a unlock r; b unlock r; b upgradable r; b upgrade r; b downgrade r");
    let orders = |thread| {
        let order = |event| match event {
            Event::Acquire { mode, order, .. } => Some((mode, order.0)),
            Event::Convert { to, order, .. } => Some((to, order.0)),
            _ => None,
        };
        events(&trace, thread).into_iter().filter_map(order).collect::<Vec<_>>()
    };
    assert_eq!(orders(1), [(Mode::Exclusive, 1), (Mode::Shared, 1)]);
    assert_eq!(orders(2), [(Mode::Shared, 1), (Mode::Upgradable, 2), (Mode::Exclusive, 3), (Mode::Shared, 3)]);
}

#[test]
fn a_wait_releases_its_lock_and_a_wake_takes_it_again() {
    let trace = parse("a lock m; a wait cv m; b lock m; b notify cv; b notify cv; b unlock m; a wake cv; a unlock m");
    let (a, b) = (events(&trace, 1), events(&trace, 2));
    assert!(matches!(
        a[2..4],
        [Event::Release { lock: ObjectId(1), .. }, Event::Wait { lock: ObjectId(1), order: Order(0), .. }]
    ));
    assert!(matches!(a[4..6], [Event::Wake { order: Order(2), timed_out: false, .. }, Event::Acquire { order: Order(3), .. }]));
    let waiting = b.iter().filter_map(|event| match event {
        Event::Notify { waiting, order, .. } => Some((*waiting, order.0)),
        _ => None,
    });
    assert_eq!(waiting.collect::<Vec<_>>(), [(1, 1), (0, 2)]);
}

#[test]
fn messages_come_out_in_the_order_in_which_they_went_in() {
    let trace = parse(
        "main channel c 1; main send c; main clone-sender c s2; t send c s2; t recv c; t recv c; main drop-sender c; \
         main request-recv c timed; main recv-fail c closed",
    );
    let stamps = events(&trace, 2).into_iter().filter_map(|event| match event {
        Event::Recv { stamp, handle: HandleId(2), .. } => Some(stamp),
        _ => None,
    });
    assert_eq!(stamps.collect::<Vec<_>>(), [Stamp::new(ThreadId(1), 1), Stamp::new(ThreadId(2), 1)]);
    let main = events(&trace, 1);
    assert!(matches!(main[1], Event::ChannelNew { capacity: Some(1), sender: HandleId(1), receiver: HandleId(2), .. }));
    assert!(matches!(main[6], Event::RecvFail { closed: true, .. }) || matches!(main[7], Event::RecvFail { closed: true, .. }));
}

#[test]
fn every_operation_of_the_table_is_understood() {
    let trace = parse(
        "object a mutex @lib.rs:7 u32\nobject big rw-lock\nfact test-runner libtest\n\
         main once-request o; main once-begin o; main once-end o; main once-get o\n\
         main barrier-wait b 3; main barrier-pass b; main cell-read x; main cell-write x\n\
         main spawn t; main spawn u scoped; main sleep 10ms; main park timed; main unparked; main unpark t\n\
         t try-lock a; u try-fail a; u request a timed; u time-out a; t unlock a panicking; u poison-seen a; u poison-cleared a\n\
         u timed-read big; u unlock big; u read-recursive big; u unlock big; u reentrant re; u reentrant re; u unlock re; u unlock re\n\
         main channel c; main request-send c; main send-fail c closed; main clone-receiver c r2; main drop-receiver c r2\n\
         t end panicked; u end; main request-join t; main join t; main join u untaken; main summary a 100 5ms; main lost 3; main detach t\n\
         process killed",
    );
    assert!(!trace.header.clean_end);
    assert_eq!(trace.header.facts, [("test-runner".to_owned(), "libtest".to_owned())]);
    let created = trace.tables.object(ObjectId(1)).and_then(|def| trace.tables.site(def.created));
    assert_eq!(created.map(|place| (place.file.as_str(), place.line)), Some(("lib.rs", 7)));
    assert_eq!(trace.thread_count(), 3);
    assert!(trace.events(ThreadId(1)).all(|record| record.event.site() != Some(SiteId::NONE)));
    assert!(trace.events(ThreadId(1)).map(|record| record.time).is_sorted());
    assert_eq!(trace.events(ThreadId(1)).next().map(|record| record.time), Some(Ticks(0)));
}

#[test]
fn what_cannot_happen_or_is_not_understood_is_an_error_with_its_line() {
    assert_eq!(error("main lock a\nt1 lock a"), "<text>:2: another thread holds this lock");
    assert_eq!(error("main unlock a"), "<text>:1: the thread does not hold this lock");
    assert!(error("main lock a; main lock a").contains("is a `request`"));
    assert!(error("\n\nmain dance a").starts_with("<text>:3: `dance a` is not understood"));
    assert!(error("main channel c\nmain recv c").starts_with("<text>:2: channel `c` is empty"));
    assert!(error("main sleep 10").contains("not a duration"));
    assert!(error("main join nobody").contains("no thread `nobody`"));
    assert!(error("main").contains("THREAD OPERATION"));
    assert!(error("main wake cv").contains("does not wait"));
}
