//! case: atom_reserve_seat_by_index
//! source: own
//! kind: atomicity violation
//! expect: atomicity-violation
//! why: The index of a free seat is found in one critical section and taken in another.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Plane {
    seats: Mutex<Vec<Option<u32>>>,
}
impl Plane {
    fn book(&self, who: u32) -> Option<usize> {
        let free = self.seats.lock().unwrap().iter().position(|s| s.is_none())?;
        ms(25);
        self.seats.lock().unwrap()[free] = Some(who);
        Some(free)
    }
}
fn main() {
    let p = Arc::new(Plane { seats: Mutex::new(vec![None; 2]) });
    let hs: Vec<_> = (0..2)
        .map(|i| {
            let p = Arc::clone(&p);
            thread::spawn(move || p.book(i))
        })
        .collect();
    for h in hs {
        println!("{:?}", h.join().unwrap());
    }
}
