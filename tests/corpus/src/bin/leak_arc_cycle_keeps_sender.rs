//! case: leak_arc_cycle_keeps_sender
//! source: own
//! kind: task leak
//! expect: leaked-task
//! why: A cycle of Arcs keeps the sender alive, so the receiving thread never learns of the end.

use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Node {
    tx: Mutex<Option<mpsc::Sender<u8>>>,
    me: Mutex<Option<Arc<Node>>>,
}
fn main() {
    let (tx, rx) = mpsc::channel();
    let node = Arc::new(Node { tx: Mutex::new(Some(tx)), me: Mutex::new(None) });
    *node.me.lock().unwrap() = Some(Arc::clone(&node));
    thread::spawn(move || {
        for b in rx {
            println!("{b}");
        }
    });
    node.tx.lock().unwrap().as_ref().unwrap().send(1).unwrap();
    drop(node);
    ms(150);
}
