//! The merge of the threads' events.

use conccheck_trace::read::{Header, ProcessTrace, Tables};
use conccheck_trace::{Event, Nanos, Record, ThreadId, Ticks};
use proptest::prelude::*;

use crate::merge::{merge, merge_steps};

/// The events of a trace by thread, with their places in the order in which they happened.
fn threads(text: &str) -> Vec<(ThreadId, Vec<Record>)> {
    let trace = conccheck_trace::text::parse(text).expect("a well-formed trace");
    trace.threads().into_iter().map(|thread| (thread, trace.events(thread).collect())).collect()
}

fn merged(threads: Vec<(ThreadId, Vec<Record>)>) -> (Vec<(usize, u32, Record)>, u64) {
    let trace = ProcessTrace::from_records("x".into(), Header::default(), Tables::default(), threads);
    let mut order = Vec::new();
    let merged = merge(&trace, |thread, index, record| {
        order.push((thread, index, *record));
        true
    });
    (order, merged.forced)
}

/// Whether the order could have been: program order, one holder, receives after sends, and so on.
fn check(order: &[(usize, u32, Record)], ids: &[ThreadId]) -> Result<(), String> {
    let mut next = vec![0; ids.len()];
    let mut holders = std::collections::BTreeMap::new();
    let mut sent = std::collections::BTreeSet::new();
    let mut room = std::collections::BTreeMap::new();
    let (mut spawned, mut ended) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for (thread, index, record) in order {
        if *index != next[*thread] {
            return Err(format!("program order of {thread}"));
        }
        next[*thread] += 1;
        let good = match record.event {
            Event::Acquire { lock, .. } => holders.insert(lock, *thread).is_none(),
            Event::Release { lock, .. } => holders.remove(&lock) == Some(*thread),
            Event::ChannelNew { channel, capacity: Some(capacity), .. } => room.insert(channel, capacity).is_none(),
            Event::Send { stamp, channel, .. } => {
                let left = room.entry(channel).or_insert(u64::MAX);
                let has_room = *left > 0;
                *left = left.saturating_sub(1);
                sent.insert(stamp) && has_room
            }
            Event::Recv { stamp, channel, .. } => {
                room.entry(channel).and_modify(|left| *left += 1);
                sent.contains(&stamp)
            }
            Event::Spawn { child, .. } => spawned.insert(child),
            Event::Start { parent, .. } => !parent.is_some() || spawned.contains(&ids[*thread]),
            Event::End { .. } => ended.insert(ids[*thread]),
            Event::Join { child, .. } => ended.contains(&child),
            _ => true,
        };
        if !good {
            return Err(format!("{:?} of thread {thread} comes too early", record.event));
        }
    }
    Ok(())
}

#[test]
fn events_wait_for_what_they_depend_on_whatever_their_times() {
    let text =
        "main channel c; main spawn t1; main spawn t2; t1 lock a; t1 unlock a; t2 lock a; t2 unlock a; t1 send c; main recv c
        t1 end; main join t1; t2 end; main join t2";
    let mut threads = threads(text);
    let ids: Vec<_> = threads.iter().map(|(id, _)| *id).collect();
    // The main thread's clock is far behind, the last thread's far ahead.
    for (i, (_, records)) in threads.iter_mut().enumerate() {
        for (number, record) in records.iter_mut().enumerate() {
            record.time = Ticks([5_000, 900, 0][i] + number as u64);
        }
    }
    let (order, forced) = merged(threads);
    assert_eq!(forced, 0);
    check(&order, &ids).expect("an order that could have been");
}

#[test]
fn what_waits_for_a_lost_event_goes_on_and_is_counted() {
    let mut threads = threads("main spawn t1; main spawn t2; t1 lock a; t1 unlock a; t2 lock a; t2 unlock a; t2 end");
    // The first section is lost.
    threads[1].1.retain(|record| matches!(record.event, Event::Start { .. }));
    let (order, forced) = merged(threads);
    assert_eq!((order.len(), forced), (8, 1));
}

/// These threads, where the sections of the thread with this number were only counted, which it says behind its other events.
fn counted(mut threads: Vec<(ThreadId, Vec<Record>)>, thread: usize, count: u64) -> Vec<(ThreadId, Vec<Record>)> {
    let records = &mut threads[thread].1;
    let is_section = |record: &Record| matches!(record.event, Event::Acquire { .. } | Event::Release { .. });
    let Some(Event::Acquire { lock, site, .. }) = records.iter().find(|record| is_section(record)).map(|record| record.event)
    else {
        panic!("the thread acquires nothing");
    };
    records.retain(|record| !is_section(record));
    let (time, event) = (records[records.len() - 1].time, Event::Summary { lock, site, count, hold: Nanos(1) });
    records.push(Record { time, event });
    threads
}

#[test]
fn nothing_waits_for_a_count_that_stands_behind_what_waits_itself() {
    let text =
        "main channel c; main spawn t1; main spawn t2; t1 lock a; t1 unlock a; t2 lock a; t2 unlock a; t2 lock a; t2 unlock a
        t1 lock a; t1 unlock a; t1 send c; t2 recv c; t1 lock a; t1 unlock a";
    // Where the thread was killed, its last count is not in the trace.
    for count in [2, 1] {
        let (order, forced) = merged(counted(threads(text), 2, count));
        assert_eq!((order.len(), forced), (15, 0), "{count} counted");
    }
}

#[test]
fn acquisitions_come_in_the_order_of_their_numbers_although_others_were_counted() {
    let text =
        "main spawn t1; main spawn t2; main spawn t3; t3 lock a; t3 unlock a; t3 lock a; t3 unlock a; t3 lock a; t3 unlock a
        t1 lock a; t1 unlock a; t2 lock a; t2 unlock a; t1 lock a; t1 unlock a; t2 lock a; t2 unlock a";
    let mut threads = counted(threads(text), 3, 3);
    // By its clock the first thread did all at once.
    threads[1].1.iter_mut().skip(1).for_each(|record| record.time = Ticks(100));
    let (order, forced) = merged(threads);
    let numbers: Vec<_> = order
        .iter()
        .filter_map(|(.., record)| match record.event {
            Event::Acquire { order, .. } => Some(order.0),
            _ => None,
        })
        .collect();
    assert_eq!((numbers, forced), (vec![4, 5, 6, 7], 0));
}

#[test]
fn a_guessed_order_is_said_with_its_reason() {
    let warned = |threads| {
        let trace = ProcessTrace::from_records("x".into(), Header::default(), Tables::default(), threads);
        crate::analyze(&[trace], &crate::NoSources, &crate::Config::default()).warnings
    };
    let mut threads =
        threads("main spawn t1; main spawn t2; t1 lock a; t1 unlock a; t2 lock a; t2 unlock a; main lock b; main unlock b");
    threads[1].1.retain(|record| matches!(record.event, Event::Start { .. }));
    let reason = "x: the order of one event had to be guessed, since";
    assert_eq!(warned(threads.clone()), [format!("{reason} others are missing")]);
    assert_eq!(warned(counted(threads, 0, 1)), [format!("{reason} acquisitions were only counted (CONCCHECK_MAX_TRACE)")]);
}

#[test]
fn a_send_waits_for_the_receive_that_made_its_room() {
    let text = "main channel c 1; main spawn t1; main send c; t1 recv c; t1 lock a; t1 unlock a; main send c; t1 recv c; t1 end";
    let threads = threads(text);
    let ids: Vec<_> = threads.iter().map(|(id, _)| *id).collect();
    let early = |mut threads: Vec<(ThreadId, Vec<Record>)>| {
        // The sender's clock is behind: by it both messages were sent at once.
        threads[0].1.iter_mut().for_each(|record| record.time = Ticks(record.time.0 / 100));
        merged(threads)
    };
    let (order, forced) = early(threads.clone());
    assert_eq!(forced, 0);
    check(&order, &ids).expect("the channel is never fuller than it can be");
    // Where the receives are lost, nothing waits for them, and nothing is counted.
    let mut lost = threads;
    lost[1].1.retain(|record| !matches!(record.event, Event::Recv { .. }));
    let (order, forced) = early(lost);
    assert_eq!((order.len(), forced), (9, 0));
}

#[test]
fn a_message_that_is_received_first_was_sent_first_whatever_the_times() {
    let text = "main channel c 1; main clone-sender c s2; main spawn t1; main spawn t2
        t1 send c; main recv c; t2 send c s2; main recv c; t1 end; t2 end";
    let mut threads = threads(text);
    let late = |record: &mut Record| record.time = Ticks(record.time.0 + 100);
    threads[1].1.iter_mut().for_each(late);
    let (order, forced) = merged(threads);
    assert_eq!((order.len(), forced), (14, 0));
}

/// A random program of four threads that never blocks for ever, as text.
fn program(steps: &[(u8, u8)]) -> String {
    let mut text = String::from("main channel c; main channel d 2\n");
    for t in 0..4 {
        text += &format!("main spawn t{t}\n");
    }
    let mut holder: [Option<u8>; 3] = [None; 3];
    let (mut queued, mut bounded) = (0, 0);
    for (thread, what) in steps {
        let t = thread % 4;
        let lock = usize::from(what % 3);
        match (what / 3) % 4 {
            0 | 1 => match holder[lock] {
                None => {
                    holder[lock] = Some(t);
                    text += &format!("t{t} lock l{lock}\n");
                }
                Some(owner) => {
                    holder[lock] = None;
                    text += &format!("t{owner} unlock l{lock}\n");
                }
            },
            // One thread sends there: then the order of the messages is known.
            2 if t == 0 && bounded < 2 => {
                bounded += 1;
                text += "t0 send d\n";
            }
            2 => {
                queued += 1;
                text += &format!("t{t} send c\n");
            }
            _ if bounded > 0 && what % 2 == 0 => {
                bounded -= 1;
                text += &format!("t{t} recv d\n");
            }
            _ if queued > 0 => {
                queued -= 1;
                text += &format!("t{t} recv c\n");
            }
            _ => {}
        }
    }
    for (lock, owner) in holder.iter().enumerate() {
        if let Some(owner) = owner {
            text += &format!("t{owner} unlock l{lock}\n");
        }
    }
    for t in 0..4 {
        text += &format!("t{t} end\nmain join t{t}\n");
    }
    text
}

proptest! {
    #[test]
    fn merging_keeps_every_order_that_matters(
        steps in prop::collection::vec((any::<u8>(), any::<u8>()), 0..120),
        times in prop::collection::vec(0..500_u64, 600),
    ) {
        let mut threads = threads(&program(&steps));
        let ids: Vec<_> = threads.iter().map(|(id, _)| *id).collect();
        let total: usize = threads.iter().map(|(_, records)| records.len()).sum();
        let mut times = times.into_iter().cycle();
        for (_, records) in &mut threads {
            // Clocks go forward in each thread, and at odds with the others.
            let mut now = times.next().unwrap_or(0) * 10;
            for record in records {
                now += times.next().unwrap_or(0);
                record.time = Ticks(now);
            }
        }
        let (order, forced) = merged(threads);
        prop_assert_eq!(forced, 0);
        prop_assert_eq!(order.len(), total);
        prop_assert_eq!(check(&order, &ids), Ok(()));
    }
}

#[test]
fn events_merged_on_another_thread_come_in_the_same_order() {
    let mut text = String::new();
    for i in 0..3000 {
        text += &format!("t{} lock l{}; t{} unlock l{}\n", i % 7, i % 5, i % 7, i % 5);
    }
    let trace = conccheck_trace::text::parse(&text).expect("a well-formed trace");
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let merged = merge_steps(&trace, |thread, index, step| here.push((thread, index, *step)));
    assert_eq!(crate::beside::beside(&trace, |thread, index, step| there.push((thread, index, *step))), merged);
    assert!(here == there && here.len() > 3000, "{} and {} steps", here.len(), there.len());
}
