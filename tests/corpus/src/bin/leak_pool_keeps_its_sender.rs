//! case: leak_pool_keeps_its_sender
//! source: own
//! kind: task leak
//! expect: leaked-task
//! why: A pool is forgotten with the sender in it, so its workers wait for jobs for ever, one of them for its turn to wait.

use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Pool {
    jobs: mpsc::Sender<u32>,
    workers: Vec<thread::JoinHandle<()>>,
}
impl Pool {
    fn new(n: usize) -> Pool {
        let (jobs, inbox) = mpsc::channel::<u32>();
        let inbox = Arc::new(Mutex::new(inbox));
        let workers = (0..n)
            .map(|_| {
                let inbox = Arc::clone(&inbox);
                thread::spawn(move || loop {
                    let job = inbox.lock().unwrap().recv();
                    match job {
                        Ok(n) => println!("job {n}"),
                        Err(_) => break,
                    }
                })
            })
            .collect();
        Pool { jobs, workers }
    }
}
fn main() {
    let pool = Pool::new(2);
    pool.jobs.send(1).unwrap();
    ms(100);
    println!("{}", pool.workers.len());
    std::mem::forget(pool);
}
