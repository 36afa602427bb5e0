//! case: clean_request_in_list_at_exit
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: The sender of the answer lies in a list at which a periodic thread looks.

use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let list: Arc<Mutex<Vec<Sender<u32>>>> = Arc::default();
    let l = list.clone();
    thread::spawn(move || loop {
        thread::sleep(Duration::from_millis(300));
        for s in l.lock().unwrap().drain(..) {
            let _ = s.send(1);
        }
    });
    thread::spawn(move || {
        let (r, a) = channel();
        list.lock().unwrap().push(r);
        println!("{:?}", a.recv())
    });
    thread::sleep(Duration::from_millis(80));
}
