//! Small straight-line programs with every primitive, run once in a random order, and searched for all states in which they end.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use crate::random_programs::Random;

/// Threads: `main`, `t1`, `t2`, all there from the beginning.
pub(crate) const THREADS: usize = 3;
const LOCKS: usize = 2;
/// Of each other kind there is one, and of channels one without and one with a bound of one message.
const CHANNELS: usize = 2;

/// One step of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Lock(usize),
    Unlock(usize),
    Send(usize),
    Recv(usize),
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
    End,
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
    All,
}

/// A thread and a step of it.
pub(crate) type Place = (usize, usize);

/// A program: the steps of each thread.
pub(crate) struct Program(Vec<Vec<Action>>);

/// Where a program stands.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct State {
    at: [usize; THREADS],
    /// Within a step: 1 when it waits, 2 when it may go on.
    phase: [u8; THREADS],
    holder: [Option<usize>; LOCKS],
    queued: [usize; CHANNELS],
    senders: [usize; CHANNELS],
    receivers: [usize; CHANNELS],
    token: [bool; THREADS],
    arrived: usize,
    /// 0: not begun, 1: running, 2: done.
    once: u8,
}

fn name(thread: usize) -> &'static str {
    ["main", "t1", "t2"][thread]
}

/// Lines of each thread: a step's is the next after its number.
pub(crate) const LINES: usize = 1000;

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
                        actions.push(Action::Lock(lock));
                    }
                    2 => actions.extend(held.pop().map(Action::Unlock)),
                    _ => actions.extend(step(random, kind, thread)),
                }
            }
            while let Some(lock) = held.pop() {
                actions.push(Action::Unlock(lock));
            }
            for channel in 0..CHANNELS {
                actions.extend(actions.contains(&Action::Send(channel)).then_some(Action::DropSender(channel)));
                actions.extend(actions.contains(&Action::Recv(channel)).then_some(Action::DropReceiver(channel)));
            }
            actions.push(Action::End);
            threads.push(actions);
        }
        Program(threads)
    }

    fn start(&self) -> State {
        let mut state = State::default();
        for channel in 0..CHANNELS {
            state.senders[channel] = self.0.iter().filter(|thread| thread.contains(&Action::Send(channel))).count();
            state.receivers[channel] = self.0.iter().filter(|thread| thread.contains(&Action::Recv(channel))).count();
        }
        state
    }

    /// The trace of one run in a random order, until nobody can go on.
    pub(crate) fn run(&self, random: &mut Random) -> String {
        let mut text = String::new();
        for channel in 0..CHANNELS {
            let _ = writeln!(text, "main channel c{channel}{}", if channel == 1 { " 1" } else { "" });
            for (thread, actions) in self.0.iter().enumerate() {
                if actions.contains(&Action::Send(channel)) {
                    let _ = writeln!(text, "main clone-sender c{channel} s-{thread}");
                }
                if actions.contains(&Action::Recv(channel)) {
                    let _ = writeln!(text, "main clone-receiver c{channel} r-{thread}");
                }
            }
            let _ = writeln!(text, "main drop-sender c{channel}; main drop-receiver c{channel}");
        }
        text += "main spawn t1; main spawn t2\n";
        let mut state = self.start();
        let mut thread = 0;
        loop {
            let able: Vec<usize> = (0..THREADS).filter(|t| self.step(&mut state.clone(), *t, &mut String::new())).collect();
            if able.is_empty() {
                return text;
            }
            if !able.contains(&thread) || random.chance(30) {
                thread = able[random.below(able.len() as u64) as usize];
            }
            self.step(&mut state, thread, &mut text);
        }
    }

    /// Where threads stand for ever, pairwise, by thread and step, over all orders. `None`: there are too many states.
    pub(crate) fn stuck(&self, most: usize) -> Option<BTreeSet<(Place, Place)>> {
        let start = self.start();
        let mut seen = HashSet::from([start.clone()]);
        let mut todo = vec![start];
        let mut pairs = BTreeSet::new();
        while let Some(state) = todo.pop() {
            let mut is_terminal = true;
            for thread in 0..THREADS {
                let mut next = state.clone();
                if self.step(&mut next, thread, &mut String::new()) {
                    is_terminal = false;
                    if seen.insert(next.clone()) {
                        if seen.len() > most {
                            return None;
                        }
                        todo.push(next);
                    }
                }
            }
            if is_terminal {
                let stuck: Vec<_> = (0..THREADS).map(|t| (t, state.at[t])).filter(|(t, at)| *at < self.0[*t].len()).collect();
                pairs.extend(stuck.iter().flat_map(|a| stuck.iter().map(|b| (*a, *b))).filter(|(a, b)| a != b));
            }
        }
        Some(pairs)
    }

    /// Lets a thread go on, and says what is recorded of it. `false`: it can't.
    fn step(&self, state: &mut State, t: usize, text: &mut String) -> bool {
        let Some(action) = self.0[t].get(state.at[t]).copied() else { return false };
        let (me, site) = (name(t), format!("@p.rs:{}", t * LINES + state.at[t] + 1));
        let mut say = |what: String| _ = writeln!(text, "{me} {what}");
        let waits = state.phase[t] == 1;
        let mut next = state.at[t] + 1;
        match action {
            Action::Lock(lock) => {
                if state.holder[lock].is_some() {
                    return false;
                }
                state.holder[lock] = Some(t);
                say(format!("lock m{lock} {site}"));
            }
            Action::Unlock(lock) => {
                state.holder[lock] = None;
                say(format!("unlock m{lock} read-only"));
            }
            Action::Send(c) if state.receivers[c] == 0 => say(format!("send-fail c{c} s-{t} closed {site}")),
            Action::Send(1) if state.queued[1] > 0 => return wait(state, t, || say(format!("request-send c1 s-{t} {site}"))),
            Action::Send(c) => {
                if c == 1 && !waits {
                    say(format!("request-send c{c} s-{t} {site}"));
                }
                state.queued[c] += 1;
                say(format!("send c{c} s-{t} {site}"));
            }
            Action::Recv(c) if state.queued[c] == 0 && state.senders[c] == 0 => {
                say(format!("recv-fail c{c} r-{t} closed {site}"));
            }
            Action::Recv(c) if state.queued[c] == 0 => return wait(state, t, || say(format!("request-recv c{c} r-{t} {site}"))),
            Action::Recv(c) => {
                if !waits {
                    say(format!("request-recv c{c} r-{t} {site}"));
                }
                state.queued[c] -= 1;
                say(format!("recv c{c} r-{t} {site}"));
            }
            Action::DropSender(c) => {
                state.senders[c] -= 1;
                say(format!("drop-sender c{c} s-{t}"));
            }
            Action::DropReceiver(c) => {
                state.receivers[c] -= 1;
                say(format!("drop-receiver c{c} r-{t}"));
            }
            Action::Wait => match state.phase[t] {
                0 => {
                    state.phase[t] = 1;
                    say(format!("lock n {site}; {me} wait v n {site}"));
                    return true;
                }
                1 => return false,
                _ => say(format!("wake v; {me} unlock n read-only")),
            },
            Action::Notify => {
                for other in 0..THREADS {
                    if state.phase[other] == 1 && self.0[other].get(state.at[other]) == Some(&Action::Wait) {
                        state.phase[other] = 2;
                    }
                }
                say(format!("notify-all v {site}"));
            }
            Action::Park if !state.token[t] => return wait(state, t, || say(format!("park {site}"))),
            Action::Park => {
                if !waits {
                    say(format!("park {site}"));
                }
                state.token[t] = false;
                say("unparked".to_owned());
            }
            Action::Unpark(other) => {
                state.token[other] = true;
                say(format!("unpark {} {site}", name(other)));
            }
            Action::Barrier => match state.phase[t] {
                0 => {
                    say(format!("barrier-wait b 2 {site}"));
                    state.arrived += 1;
                    state.phase[t] = 1;
                    if state.arrived.is_multiple_of(2) {
                        for other in 0..THREADS {
                            if state.phase[other] == 1 && self.0[other].get(state.at[other]) == Some(&Action::Barrier) {
                                state.phase[other] = 2;
                            }
                        }
                    }
                    return true;
                }
                1 => return false,
                _ => say("barrier-pass b".to_owned()),
            },
            Action::Once(length) => match state.once {
                0 => {
                    state.once = 1;
                    say(format!("once-request o {site}; {me} once-begin o {site}"));
                }
                1 => return wait(state, t, || say(format!("once-request o {site}"))),
                _ => {
                    if !waits {
                        say(format!("once-request o {site}"));
                    }
                    say(format!("once-get o {site}"));
                    next += length;
                }
            },
            Action::OnceEnd => {
                state.once = 2;
                say("once-end o".to_owned());
            }
            Action::Join(other) if state.at[other] < self.0[other].len() => {
                return wait(state, t, || say(format!("request-join {} {site}", name(other))));
            }
            Action::Join(other) => {
                if !waits {
                    say(format!("request-join {} {site}", name(other)));
                }
                say(format!("join {} {site}", name(other)));
            }
            Action::End => say("end".to_owned()),
        }
        (state.at[t], state.phase[t]) = (next, 0);
        true
    }
}

/// Begins to wait, if the thread does not wait yet.
fn wait(state: &mut State, t: usize, say: impl FnOnce()) -> bool {
    if state.phase[t] != 0 {
        return false;
    }
    state.phase[t] = 1;
    say();
    true
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
            vec![Action::Once(3), Action::Lock(lock), Action::Unlock(lock), Action::OnceEnd]
        }
        Kind::All => {
            let kinds = [Kind::Join, Kind::Message, Kind::Room, Kind::Notification, Kind::Token, Kind::Barrier];
            let kind = kinds[random.below(kinds.len() as u64) as usize];
            step(random, kind, thread)
        }
    }
}
