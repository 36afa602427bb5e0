//! case: scope_waits_for_own_channel
//! source: own
//! kind: communication deadlock
//! expect: actual-deadlock
//! why: The scope waits for a thread that receives until all senders are gone, and one of them is dropped after the scope only.

use std::sync::mpsc;
use std::thread;

fn main() {
    let (words, spoken) = mpsc::channel::<&str>();
    thread::scope(|scope| {
        scope.spawn(move || spoken.iter().for_each(|word| println!("{word}")));
        let more = words.clone();
        scope.spawn(move || more.send("hello").unwrap());
    });
    drop(words);
}
