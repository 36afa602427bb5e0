//! case: leak_reply_never_sent
//! source: own
//! kind: communication deadlock
//! expect: leaked-task
//! why: A server puts a request aside with its reply sender in it, so the client waits for ever.

use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Request {
    n: u32,
    reply: mpsc::Sender<u32>,
}
fn main() {
    let (tx, rx) = mpsc::channel::<Request>();
    let pending: Arc<Mutex<Vec<Request>>> = Arc::default();
    let p2 = Arc::clone(&pending);
    let server = thread::spawn(move || {
        for request in rx {
            if request.n % 2 == 0 {
                request.reply.send(request.n * 2).unwrap();
            } else {
                p2.lock().unwrap().push(request);
            }
        }
    });
    for n in [2, 3] {
        let tx = tx.clone();
        thread::spawn(move || {
            let (reply, answer) = mpsc::channel();
            tx.send(Request { n, reply }).unwrap();
            println!("{}", answer.recv().unwrap());
        });
    }
    drop(tx);
    ms(150);
    println!("{}", server.is_finished());
    println!("{}", pending.lock().unwrap().len());
    ms(20);
}
