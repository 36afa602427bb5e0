//! case: clean_request_in_flight_at_exit
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A client waits for an answer at exit that the server still works at.

use std::sync::mpsc::{channel, Sender};
use std::thread;
use std::time::Duration;

fn main() {
    let (tx, rx) = channel::<(u32, Sender<u32>)>();
    thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            for (v, reply) in rx {
                thread::sleep(Duration::from_millis(500));
                let _ = reply.send(v);
            }
        })
        .unwrap();
    thread::Builder::new()
        .name("client".into())
        .spawn(move || {
            let (r, a) = channel();
            tx.send((1, r)).unwrap();
            println!("{:?}", a.recv())
        })
        .unwrap();
    thread::sleep(Duration::from_millis(80));
}
