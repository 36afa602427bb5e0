//! Perturbed schedules.

use std::panic::Location;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use conccheck_rt::{Event, How, Lock, Mode, ObjectKind, recorder};

use crate::support::{self, events, run_to};

static LOCK: Lock = Lock::new(ObjectKind::Mutex);
const SECTIONS: usize = 200;

fn sections() {
    for _ in 0..SECTIONS {
        drop(LOCK.acquired(Mode::Exclusive, How::Blocking, Location::caller(), std::any::type_name::<u64>));
        recorder::emit(Event::Unparked);
    }
}

fn with_seed(command: &mut Command, seed: Option<&str>) {
    match seed {
        Some(seed) => command.env("CONCCHECK_PERTURB", seed),
        None => command.env_remove("CONCCHECK_PERTURB"),
    };
}

#[test]
fn a_seed_makes_threads_pause_and_stands_in_the_trace() {
    if support::is_child() {
        return sections();
    }
    let name = "perturb::a_seed_makes_threads_pause_and_stands_in_the_trace";
    let run = |seed: Option<&str>| {
        let start = Instant::now();
        let run = run_to(name, "traces", |command| {
            with_seed(command, seed);
        });
        assert!(run.status.success(), "{}", run.stderr);
        let trace = run.trace();
        let seed = trace.header.facts.iter().find(|(name, _)| name == "perturb_seed").map(|(_, seed)| seed.clone());
        let recorded = events(&trace);
        let acquired = recorded.iter().filter(|(_, event)| matches!(event, Event::Acquire { .. })).count();
        let released = recorded.iter().filter(|(_, event)| matches!(event, Event::Release { .. })).count();
        assert_eq!((acquired, released), (SECTIONS, SECTIONS), "nothing is lost or doubled");
        (seed, start.elapsed())
    };
    assert_eq!(run(None).0, None);
    let (seed, took) = run(Some("3"));
    assert_eq!(seed.as_deref(), Some("3"));
    // A sixteenth of 400 pauses is a sleep of 0.2 ms or so.
    assert!(took > Duration::from_millis(2), "{took:?}");
    assert_eq!(run(Some("none")).0, None, "no number, no perturbation");
}

#[test]
fn other_orders_come_about() {
    if support::is_child() {
        let (sender, receiver) = mpsc::channel();
        for number in 0..4 {
            let sender = sender.clone();
            let id = recorder::new_thread();
            thread::spawn(move || {
                recorder::adopt(id, recorder::thread(), None);
                sections();
                sender.send(number).expect("main receives");
            });
        }
        drop(sender);
        receiver.iter().for_each(drop);
        return;
    }
    // The order in which threads got the lock: how often it went to another one.
    let changes = |seed: Option<&str>| {
        let run = run_to("perturb::other_orders_come_about", "traces", |command| {
            with_seed(command, seed);
        });
        let trace = run.trace();
        let mut order: Vec<_> = events(&trace)
            .into_iter()
            .filter_map(|(thread, event)| match event {
                Event::Acquire { order, .. } => Some((order, thread)),
                _ => None,
            })
            .collect();
        order.sort_unstable();
        order.windows(2).filter(|pair| pair[0].1 != pair[1].1).count()
    };
    assert!(changes(Some("1")) > 50, "four threads with 200 sections each take turns");
}
