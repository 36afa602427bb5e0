//! case: atom_swap_of_config
//! source: own
//! kind: atomicity violation
//! expect: atomicity-violation
//! why: A configuration is cloned, changed and put back; the other change between is lost.

use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

#[derive(Clone)]
struct Config {
    hosts: Vec<String>,
}
struct Store {
    config: RwLock<Arc<Config>>,
}
impl Store {
    fn add(&self, host: &str) {
        let old = self.config.read().unwrap().clone();
        let mut new = (*old).clone();
        ms(20);
        new.hosts.push(host.to_string());
        *self.config.write().unwrap() = Arc::new(new);
    }
}
fn main() {
    let s = Arc::new(Store { config: RwLock::new(Arc::new(Config { hosts: vec![] })) });
    let hs: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|h| {
            let s = Arc::clone(&s);
            thread::spawn(move || s.add(h))
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", s.config.read().unwrap().hosts.len());
}
