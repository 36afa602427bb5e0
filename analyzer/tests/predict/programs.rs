//! Random small straight-line programs with every primitive.

use conccheck_trace::Mode;

use crate::random_programs::Random;

/// Threads: `main`, `t1`, `t2`, all there from the beginning.
pub(crate) const THREADS: usize = 3;
pub(crate) const LOCKS: usize = 2;
/// Of each other kind there is one, and of channels one without a bound, one that holds one message, and one that holds none.
pub(crate) const CHANNELS: usize = 3;
/// The last of these: who sends meets who receives.
pub(crate) const MEETING: usize = 2;

/// One step of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Lock(usize, Mode),
    /// Takes the lock if it is free; else goes on behind so many steps.
    Try(usize, Mode, usize),
    /// The same, and waits a while before.
    TryLong(usize, Mode, usize),
    Unlock(usize),
    /// From writing to reading.
    Downgrade(usize),
    Send(usize),
    Recv(usize),
    /// Sends or receives if that is possible at once.
    TrySend(usize),
    TryRecv(usize),
    /// Receives from the first or the second channel.
    Select,
    DropSender(usize),
    DropReceiver(usize),
    /// Takes a mutex of its own, waits, releases it.
    Wait,
    Notify,
    Park,
    Unpark(usize),
    Barrier,
    /// Runs what follows up to its end, or waits for who does, and goes on behind.
    Once(usize),
    OnceEnd,
    Join(usize),
    /// Before it a thread is not there; where a program has none, it is there from the beginning.
    Spawn(usize),
    End,
}

impl Action {
    pub(crate) fn sends(self, channel: usize) -> bool {
        self == Action::Send(channel) || self == Action::TrySend(channel)
    }

    pub(crate) fn receives(self, channel: usize) -> bool {
        self == Action::Recv(channel) || self == Action::TryRecv(channel) || self == Action::Select && channel < MEETING
    }
}

/// Which kinds of waits a program may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Join,
    Message,
    Room,
    Notification,
    Token,
    Barrier,
    Once,
    /// Messages that two threads pass when they meet.
    Meeting,
    /// Receives from either of two channels.
    Selection,
    /// Attempts, with and without a limit.
    Attempt,
    /// Reader-writer locks, with messages.
    Modes,
    /// Threads that others start.
    Start,
    All,
}

/// A thread and a step of it.
pub(crate) type Place = (usize, usize);

/// A program: the steps of each thread.
pub(crate) struct Program {
    pub(crate) threads: Vec<Vec<Action>>,
    /// Whether the locks are for readers and writers.
    pub(crate) for_readers: bool,
}

impl Program {
    /// A program with waits of one kind, some of them within sections.
    pub(crate) fn random(random: &mut Random, kind: Kind) -> Program {
        let mut threads: Vec<Vec<Action>> = Vec::new();
        for thread in 0..THREADS {
            let mut actions = Vec::new();
            let mut held = Vec::new();
            for _ in 0..3 + random.below(4) {
                let lock = random.below(LOCKS as u64) as usize;
                match random.below(6) {
                    0 | 1 if held.len() < 2 && !held.contains(&lock) => {
                        held.push(lock);
                        let mode = mode(random, kind);
                        actions.push(Action::Lock(lock, mode));
                        if mode == Mode::Exclusive && kind == Kind::Modes && random.chance(20) {
                            actions.extend(step(random, kind, thread));
                            actions.push(Action::Downgrade(lock));
                        }
                    }
                    2 => actions.extend(held.pop().map(Action::Unlock)),
                    3 if kind == Kind::Attempt && !held.contains(&lock) => {
                        let inner = step(random, kind, thread);
                        let (mode, length) = (mode(random, kind), inner.len() + 1);
                        let is_long = random.chance(50);
                        let attempt = if is_long { Action::TryLong } else { Action::Try };
                        actions.push(attempt(lock, mode, length));
                        actions.extend(inner);
                        actions.push(Action::Unlock(lock));
                    }
                    _ => actions.extend(step(random, kind, thread)),
                }
            }
            while let Some(lock) = held.pop() {
                actions.push(Action::Unlock(lock));
            }
            for channel in 0..CHANNELS {
                let has = |what: fn(Action, usize) -> bool| actions.iter().any(|action| what(*action, channel));
                let (sends, receives) = (has(Action::sends), has(Action::receives));
                actions.extend(sends.then_some(Action::DropSender(channel)));
                actions.extend(receives.then_some(Action::DropReceiver(channel)));
            }
            actions.push(Action::End);
            threads.push(actions);
        }
        if kind == Kind::Start {
            let by = random.below(2) as usize;
            let at = random.below(threads[0].len() as u64) as usize;
            threads[0].insert(at, Action::Spawn(1));
            let at = random.below(threads[by].len() as u64) as usize;
            threads[by].insert(at, Action::Spawn(2));
        }
        Program { threads, for_readers: kind == Kind::Modes }
    }
}

/// How a section of such a program asks for its lock.
fn mode(random: &mut Random, kind: Kind) -> Mode {
    match random.below(5) {
        0 | 1 if kind == Kind::Modes => Mode::Shared,
        2 if kind == Kind::Modes => Mode::Upgradable,
        _ => Mode::Exclusive,
    }
}

/// One step, or an initialiser, with what concerns waits of this kind.
fn step(random: &mut Random, kind: Kind, thread: usize) -> Vec<Action> {
    let first = random.chance(50);
    let either = |one: Action, other: Action| vec![if first { one } else { other }];
    match kind {
        Kind::Join if thread == 0 => vec![Action::Join(1 + random.below(2) as usize)],
        Kind::Join => vec![],
        Kind::Message => either(Action::Send(0), Action::Recv(0)),
        Kind::Room => either(Action::Send(1), Action::Recv(1)),
        Kind::Notification => either(Action::Notify, Action::Wait),
        Kind::Token => either(Action::Park, Action::Unpark(random.below(THREADS as u64) as usize)),
        Kind::Barrier => vec![Action::Barrier],
        Kind::Once => {
            let lock = random.below(LOCKS as u64) as usize;
            vec![Action::Once(3), Action::Lock(lock, Mode::Exclusive), Action::Unlock(lock), Action::OnceEnd]
        }
        Kind::Meeting => either(Action::Send(MEETING), Action::Recv(MEETING)),
        Kind::Selection => match random.below(3) {
            0 => vec![Action::Select],
            _ => either(Action::Send(0), Action::Send(1)),
        },
        Kind::Attempt => match random.below(3) {
            0 => either(Action::TrySend(1), Action::TryRecv(1)),
            _ => either(Action::Send(1), Action::Recv(1)),
        },
        Kind::Modes => step(random, if first { Kind::Message } else { Kind::Token }, thread),
        Kind::Start => step(random, if first { Kind::Message } else { Kind::Notification }, thread),
        Kind::All => {
            let kinds = [Kind::Join, Kind::Message, Kind::Room, Kind::Notification, Kind::Token, Kind::Barrier, Kind::Once];
            let kind = kinds[random.below(kinds.len() as u64) as usize];
            step(random, kind, thread)
        }
    }
}
