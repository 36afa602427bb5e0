//! case: clean_crossbeam_select_told_to_quit
//! source: own; harmless twin of crossbeam_select_never_fires
//! kind: benign look-alike
//! expect: clean
//! why: One worker is told to quit, the other one's jobs end, and a third one has a timer that goes on firing.

use crossbeam_channel::{after, never, select, tick, unbounded, Receiver};
use std::thread;
use std::time::Duration;

fn work(jobs: Receiver<u32>, quit: Receiver<()>, updates: Receiver<String>) -> u32 {
    let mut sum = 0;
    loop {
        select! {
            recv(jobs) -> job => match job {
                Ok(job) => sum += job,
                Err(_) => return sum,
            },
            recv(updates) -> update => println!("{update:?}"),
            recv(quit) -> _ => return sum,
            recv(after(Duration::from_secs(60))) -> _ => panic!("too late"),
        }
    }
}

fn main() {
    let (jobs, all_jobs) = unbounded();
    let (quit, quitting) = unbounded();
    let same_jobs = all_jobs.clone();
    let first = thread::spawn(move || work(all_jobs, quitting, never()));
    jobs.send(1).unwrap();
    thread::sleep(Duration::from_millis(20));
    quit.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 1);
    let second = thread::spawn(move || work(same_jobs, never(), never()));
    jobs.send(2).unwrap();
    drop(jobs);
    assert_eq!(second.join().unwrap(), 2);
    // Still there at the end, by design: it does something regularly.
    thread::spawn(|| {
        let (beats, idle) = (tick(Duration::from_millis(5)), never::<u8>());
        loop {
            select! {
                recv(beats) -> _ => {}
                recv(idle) -> _ => {}
            }
        }
    });
    thread::sleep(Duration::from_millis(20));
}
