//! case: clean_flag_under_lock
//! source: own; a state that a lock protects
//! kind: benign look-alike
//! expect: clean
//! why: The report is written only if the state says that the import is over, and the state is set behind the import's locks.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(PartialEq)]
enum State {
    Importing,
    Imported,
}

struct Store {
    state: Mutex<State>,
    rows: Mutex<Vec<u32>>,
    index: Mutex<Vec<usize>>,
}

impl Store {
    fn import(&self) {
        {
            let mut rows = self.rows.lock().unwrap();
            rows.push(7);
            self.index.lock().unwrap().push(rows.len());
        }
        *self.state.lock().unwrap() = State::Imported;
    }

    fn report(&self) {
        if *self.state.lock().unwrap() == State::Imported {
            let index = self.index.lock().unwrap();
            println!("{} of {}", index.len(), self.rows.lock().unwrap().len());
        }
    }
}

fn main() {
    let store = Arc::new(Store { state: Mutex::new(State::Importing), rows: Mutex::default(), index: Mutex::default() });
    let importer = {
        let store = Arc::clone(&store);
        thread::spawn(move || store.import())
    };
    let reporter = {
        let store = Arc::clone(&store);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            store.report();
        })
    };
    importer.join().unwrap();
    reporter.join().unwrap();
}
