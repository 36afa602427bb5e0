//! case: guard_in_rc_cycle
//! source: own
//! kind: resource deadlock
//! expect: guard-leak
//! why: A guard lies in a cycle of Rcs and is never dropped.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::thread;

static M: Mutex<u32> = Mutex::new(0);
struct N {
    _g: MutexGuard<'static, u32>,
    next: RefCell<Option<Rc<N>>>,
}
fn main() {
    thread::spawn(|| {
        let n = Rc::new(N { _g: M.lock().unwrap(), next: RefCell::new(None) });
        *n.next.borrow_mut() = Some(n.clone());
    })
    .join()
    .unwrap();
    println!("{}", M.try_lock().is_err());
}
