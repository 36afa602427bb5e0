//! case: leak_actors_ask_each_other
//! source: own
//! kind: communication deadlock
//! expect: leaked-task
//! why: Two actors ask each other and wait for the answer instead of their inbox.

use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;
use std::time::Duration;

enum Msg {
    Ask(u32, Sender<u32>),
    Start,
}

fn actor(inbox: Receiver<Msg>, other: Sender<Msg>) {
    for m in inbox {
        match m {
            Msg::Ask(v, r) => {
                let _ = r.send(v + 1);
            }
            Msg::Start => {
                thread::sleep(Duration::from_millis(40));
                let (r, a) = channel();
                other.send(Msg::Ask(1, r)).unwrap();
                println!("{:?}", a.recv())
            }
        }
    }
}

fn main() {
    let (a_tx, a_rx) = channel();
    let (b_tx, b_rx) = channel();
    let (a2, b2) = (a_tx.clone(), b_tx.clone());
    thread::Builder::new().name("alice".into()).spawn(move || actor(a_rx, b_tx)).unwrap();
    thread::Builder::new().name("bob".into()).spawn(move || actor(b_rx, a_tx)).unwrap();
    a2.send(Msg::Start).unwrap();
    b2.send(Msg::Start).unwrap();
    thread::sleep(Duration::from_millis(250));
}
