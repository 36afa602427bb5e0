//! case: crossbeam_select_under_lock
//! source: own; as the mixed deadlocks of select and a mutex in GoBench
//! kind: mixed deadlock
//! expect: actual-deadlock
//! why: Who selects holds the lock that every sender takes before it sends.

use crossbeam_channel::{bounded, select, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn report(state: Arc<Mutex<u32>>, to: Sender<u32>) {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        let state = state.lock().unwrap();
        to.send(*state).unwrap();
    });
}

fn main() {
    let state = Arc::new(Mutex::new(0));
    let (results, all_results) = bounded(1);
    let (errors, all_errors) = bounded(1);
    report(state.clone(), results);
    report(state.clone(), errors);
    thread::spawn(move || {
        let mut state = state.lock().unwrap();
        select! {
            recv(all_results) -> result => *state = result.unwrap(),
            recv(all_errors) -> error => *state = error.unwrap(),
        }
    });
    thread::sleep(Duration::from_millis(250));
}
