//! case: leak_beside_a_daemon
//! source: own
//! kind: task leak
//! expect: leaked-task
//! why: A sender was leaked, and a periodic thread that has nothing to do with it still runs at exit.

use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let beats = Arc::new(Mutex::new(0));
    let b = beats.clone();
    thread::Builder::new()
        .name("heart".into())
        .spawn(move || loop {
            *b.lock().unwrap() += 1;
            thread::sleep(Duration::from_millis(5))
        })
        .unwrap();
    let (tx, rx) = channel::<u32>();
    thread::spawn(move || {
        for v in rx {
            println!("{v}")
        }
    });
    tx.send(1).unwrap();
    let kept: &'static Sender<u32> = Box::leak(Box::new(tx));
    let _ = kept;
    thread::sleep(Duration::from_millis(80));
    println!("{}", *beats.lock().unwrap() > 0);
}
