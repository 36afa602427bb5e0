//! case: crossbeam_select_never_fires
//! source: own; as goleak's tests of a blocked select
//! kind: task leak
//! expect: leaked-task
//! why: Nobody sends any more, and the senders are leaked, so that none of the channels that the worker selects from closes.

use crossbeam_channel::{never, select, unbounded, Receiver, Sender};
use std::mem;
use std::thread;
use std::time::Duration;

struct Server {
    jobs: Sender<u32>,
    quit: Sender<()>,
}

fn work(jobs: Receiver<u32>, quit: Receiver<()>, updates: Receiver<String>) {
    loop {
        select! {
            recv(jobs) -> job => if job.is_err() { return },
            recv(updates) -> update => println!("{update:?}"),
            recv(quit) -> _ => return,
        }
    }
}

fn main() {
    let (jobs, all_jobs) = unbounded();
    let (quit, quitting) = unbounded();
    let server = Server { jobs, quit };
    thread::spawn(move || work(all_jobs, quitting, never()));
    server.jobs.send(1).unwrap();
    thread::sleep(Duration::from_millis(250));
    assert!(server.quit.is_empty());
    mem::forget(server);
}
