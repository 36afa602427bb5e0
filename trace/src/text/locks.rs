//! Operations on locks and condition variables: who holds what, and the orders that follow.

use super::Parser;
use crate::event::{Event, How, Mode, ObjectKind};
use crate::ids::{Nanos, ObjectId, Order, ThreadId};

/// The history of a lock so far.
#[derive(Default)]
pub(super) struct Lock {
    /// Exclusive acquisitions so far.
    exclusive: u64,
    holders: Vec<(ThreadId, Mode)>,
}

impl Lock {
    fn take(&mut self, thread: ThreadId, mode: Mode) -> Result<Order, String> {
        let conflict = self.holders.iter().find(|&&(holder, held)| match (held, mode) {
            (Mode::Reentrant, Mode::Reentrant) => holder != thread,
            (Mode::Exclusive | Mode::Reentrant, _) | (_, Mode::Exclusive | Mode::Reentrant) => true,
            (Mode::Upgradable, Mode::Upgradable) => true,
            _ => false,
        });
        match conflict {
            Some((holder, _)) if *holder == thread => {
                return Err("the thread holds this lock already: an acquisition that waits for ever is a `request`".to_owned());
            }
            Some(_) => return Err("another thread holds this lock".to_owned()),
            None => {}
        }
        self.holders.push((thread, mode));
        Ok(self.order(mode))
    }

    fn order(&mut self, mode: Mode) -> Order {
        self.exclusive += u64::from(!is_read(mode));
        Order(self.exclusive)
    }

    fn release(&mut self, thread: ThreadId) -> Result<Mode, String> {
        let held = self.holders.iter().rposition(|&(holder, _)| holder == thread);
        held.map(|i| self.holders.remove(i).1).ok_or_else(|| "the thread does not hold this lock".to_owned())
    }

    fn convert(&mut self, thread: ThreadId, from: Mode, to: Mode) -> Result<Order, String> {
        if to == Mode::Exclusive && self.holders.len() > 1 {
            return Err("other threads read this lock".to_owned());
        }
        let held = self.holders.iter_mut().find(|held| **held == (thread, from));
        held.ok_or_else(|| "the thread does not hold this lock in that mode".to_owned())?.1 = to;
        Ok(self.order(to))
    }
}

fn is_read(mode: Mode) -> bool {
    matches!(mode, Mode::Shared | Mode::RecursiveShared)
}

/// The mode that an operation's name says, and the kind of lock that has it.
fn mode_of(word: &str) -> Option<(Mode, ObjectKind)> {
    Some(match word {
        "lock" => (Mode::Exclusive, ObjectKind::Mutex),
        "write" => (Mode::Exclusive, ObjectKind::RwLock),
        "read" => (Mode::Shared, ObjectKind::RwLock),
        "read-recursive" => (Mode::RecursiveShared, ObjectKind::RwLock),
        "upgradable" => (Mode::Upgradable, ObjectKind::RwLock),
        "reentrant" => (Mode::Reentrant, ObjectKind::ReentrantMutex),
        _ => return None,
    })
}

impl Parser {
    /// Does an operation on a lock; `None` if this is not one.
    pub(super) fn lock_operation(&mut self, operation: &str, operands: &[&str]) -> Option<Result<(), String>> {
        let (how, plain) = match operation.split_once('-') {
            Some(("try", plain)) => (How::Try, plain),
            Some(("timed", plain)) => (How::Timed, plain),
            _ => (How::Blocking, operation),
        };
        if let (Some((mode, kind)), &[name]) = (mode_of(plain), operands) {
            return Some(self.acquire(name, kind, mode, how));
        }
        let site = self.site;
        let event = match (operation, operands) {
            ("unlock", [name, flags @ ..]) => return Some(self.unlock(name, flags)),
            ("downgrade", [name]) => return Some(self.convert(name, Mode::Exclusive, Mode::Shared)),
            ("upgrade", [name]) => return Some(self.convert(name, Mode::Upgradable, Mode::Exclusive)),
            ("wait", [condvar, lock, timed @ ..]) if matches!(timed, [] | ["timed"]) => {
                return Some(self.wait(condvar, lock, !timed.is_empty()));
            }
            ("wake", [condvar, flags @ ..]) if matches!(flags, [] | ["timed-out"]) => {
                return Some(self.wake(condvar, !flags.is_empty()));
            }
            ("notify" | "notify-all", [condvar]) => {
                let all = operation == "notify-all";
                let object = self.object(condvar, ObjectKind::Condvar);
                object.notified += 1;
                let (condvar, waiting, order) = (object.id, object.waiting, Order(object.notified));
                object.waiting = if all { 0 } else { waiting.saturating_sub(1) };
                Event::Notify { condvar, site, all, waiting, order }
            }
            ("request" | "try-fail" | "time-out", [name, rest @ ..]) => {
                let (rest, timed) = match rest {
                    [rest @ .., "timed"] => (rest, true),
                    rest => (rest, false),
                };
                let mode = match rest {
                    [] => Some((Mode::Exclusive, ObjectKind::Mutex)),
                    [mode] => mode_of(mode),
                    _ => None,
                };
                let (mode, kind) = mode?;
                let lock = self.object(name, kind).id;
                match operation {
                    "request" => Event::Request { lock, site, mode, how: if timed { How::Timed } else { How::Blocking } },
                    "try-fail" => Event::TryFail { lock, site, mode },
                    _ => Event::TimeOut { lock, site, mode },
                }
            }
            ("poison-seen", [name]) => Event::PoisonSeen { lock: self.object(name, ObjectKind::Mutex).id, site },
            ("poison-cleared", [name]) => Event::PoisonCleared { lock: self.object(name, ObjectKind::Mutex).id, site },
            ("summary", [name, count, hold]) => {
                let lock = self.object(name, ObjectKind::Mutex).id;
                let (count, hold) = (count.parse().ok()?, Nanos(super::duration(hold).ok()?));
                Event::Summary { lock, site, count, hold }
            }
            _ => return None,
        };
        self.push(event);
        Some(Ok(()))
    }

    fn acquire(&mut self, name: &str, kind: ObjectKind, mode: Mode, how: How) -> Result<(), String> {
        let (thread, site) = (self.thread, self.site);
        let object = self.object(name, kind);
        let order = object.lock.take(thread, mode)?;
        let lock = object.id;
        self.push(Event::Acquire { lock, site, mode, how, order });
        Ok(())
    }

    fn unlock(&mut self, name: &str, flags: &[&str]) -> Result<(), String> {
        if let Some(flag) = flags.iter().find(|flag| !["read-only", "panicking"].contains(flag)) {
            return Err(format!("`{flag}` is neither `read-only` nor `panicking`"));
        }
        let thread = self.thread;
        let object = self.object(name, ObjectKind::Mutex);
        let mode = object.lock.release(thread)?;
        let wrote = matches!(mode, Mode::Exclusive) && !flags.contains(&"read-only");
        let lock = object.id;
        self.push(Event::Release { lock, wrote, unwinding: flags.contains(&"panicking") });
        Ok(())
    }

    fn convert(&mut self, name: &str, from: Mode, to: Mode) -> Result<(), String> {
        let (thread, site) = (self.thread, self.site);
        let object = self.object(name, ObjectKind::RwLock);
        let order = object.lock.convert(thread, from, to)?;
        let lock = object.id;
        self.push(Event::Convert { lock, site, from, to, order });
        Ok(())
    }

    fn wait(&mut self, condvar: &str, lock: &str, timed: bool) -> Result<(), String> {
        self.unlock(lock, &[])?;
        let lock = self.object(lock, ObjectKind::Mutex).id;
        let site = self.site;
        let object = self.object(condvar, ObjectKind::Condvar);
        object.waiting += 1;
        let (condvar, order) = (object.id, Order(object.notified));
        self.push(Event::Wait { condvar, lock, site, timed, order });
        Ok(())
    }

    fn wake(&mut self, condvar: &str, timed_out: bool) -> Result<(), String> {
        let object = self.object(condvar, ObjectKind::Condvar);
        let (condvar, order) = (object.id, Order(object.notified));
        let Some(Event::Wait { condvar: waited, lock, site, order: before, .. }) = self.builder.last(self.thread) else {
            return Err("the thread does not wait".to_owned());
        };
        if waited != condvar {
            return Err("the thread waits for another condition variable".to_owned());
        }
        if timed_out || before == order {
            // Nobody notified it, so it still counted as waiting.
            let waiting = &mut self.by_id(condvar).waiting;
            *waiting = waiting.saturating_sub(1);
        }
        self.push(Event::Wake { condvar, timed_out, order });
        let thread = self.thread;
        let order = self.by_id(lock).lock.take(thread, Mode::Exclusive)?;
        self.push(Event::Acquire { lock, site, mode: Mode::Exclusive, how: How::Blocking, order });
        Ok(())
    }

    fn by_id(&mut self, id: ObjectId) -> &mut super::Object {
        self.objects.values_mut().find(|object| object.id == id).expect("an event names it")
    }
}
