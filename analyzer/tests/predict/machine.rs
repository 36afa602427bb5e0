//! Runs small programs: once, in a random order, as a trace; and in all orders, for all states in which they end.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use conccheck_analyzer::predict::excludes;
use conccheck_trace::Mode;

use crate::programs::{Action, CHANNELS, LOCKS, MEETING, Place, Program, THREADS};
use crate::random_programs::Random;

/// Where a program stands.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct State {
    at: [usize; THREADS],
    /// Within a step: 1 when it waits, 2 when it may go on.
    phase: [u8; THREADS],
    holders: [[Option<Mode>; THREADS]; LOCKS],
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
    fn start(&self) -> State {
        let mut state = State::default();
        for channel in 0..CHANNELS {
            let count = |what: fn(Action, usize) -> bool| {
                self.threads.iter().filter(|thread| thread.iter().any(|action| what(*action, channel))).count()
            };
            state.senders[channel] = count(Action::sends);
            state.receivers[channel] = count(Action::receives);
        }
        state
    }

    /// The trace of one run in a random order, until nobody can go on.
    pub(crate) fn run(&self, random: &mut Random) -> String {
        let mut text = String::new();
        for channel in 0..CHANNELS {
            let _ = writeln!(text, "main channel c{channel}{}", ["", " 1", " 0"][channel]);
            for (thread, actions) in self.threads.iter().enumerate() {
                if actions.iter().any(|action| action.sends(channel)) {
                    let _ = writeln!(text, "main clone-sender c{channel} s-{thread}");
                }
                if actions.iter().any(|action| action.receives(channel)) {
                    let _ = writeln!(text, "main clone-receiver c{channel} r-{thread}");
                }
            }
            let _ = writeln!(text, "main drop-sender c{channel}; main drop-receiver c{channel}");
        }
        if !self.starts_threads() {
            text += "main spawn t1; main spawn t2\n";
        }
        let mut state = self.start();
        let mut thread = 0;
        loop {
            let able: Vec<usize> = (0..THREADS).filter(|t| self.step(&mut state.clone(), *t, 0, &mut String::new())).collect();
            if able.is_empty() {
                return text;
            }
            if !able.contains(&thread) || random.chance(30) {
                thread = able[random.below(able.len() as u64) as usize];
            }
            let pick = random.below(2) as usize;
            let can_pick = self.step(&mut state.clone(), thread, pick, &mut String::new());
            self.step(&mut state, thread, if can_pick { pick } else { 0 }, &mut text);
        }
    }

    fn starts_threads(&self) -> bool {
        self.threads[0].iter().any(|action| matches!(action, Action::Spawn(_)))
    }

    /// Whether a thread was started.
    fn is_there(&self, state: &State, t: usize) -> bool {
        let starts = |(parent, actions): (usize, &Vec<Action>)| {
            actions.iter().position(|action| *action == Action::Spawn(t)).map(|at| state.at[parent] > at)
        };
        !self.starts_threads() || t == 0 || self.threads.iter().enumerate().find_map(starts).unwrap_or(true)
    }

    /// Whether a thread can take a lock. Who wants to read queues behind those who wait to write.
    fn is_free(&self, state: &State, t: usize, lock: usize, mode: Mode) -> bool {
        let is_queued = |other: &usize| {
            state.phase[*other] == 1 && self.threads[*other].get(state.at[*other]) == Some(&Action::Lock(lock, Mode::Exclusive))
        };
        let is_kept = state.holders[lock].iter().flatten().any(|held| excludes(*held, mode));
        !(is_kept || mode == Mode::Shared && (0..THREADS).any(|other| other != t && is_queued(&other)))
    }

    fn word(&self, mode: Mode) -> &'static str {
        match mode {
            Mode::Shared => "read",
            Mode::Upgradable => "upgradable",
            _ if self.for_readers => "write",
            _ => "lock",
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
            for (thread, pick) in (0..THREADS).flat_map(|thread| [(thread, 0), (thread, 1)]) {
                let mut next = state.clone();
                if self.step(&mut next, thread, pick, &mut String::new()) {
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
                let stuck: Vec<_> =
                    (0..THREADS).map(|t| (t, state.at[t])).filter(|(t, at)| *at < self.threads[*t].len()).collect();
                pairs.extend(stuck.iter().flat_map(|a| stuck.iter().map(|b| (*a, *b))).filter(|(a, b)| a != b));
            }
        }
        Some(pairs)
    }

    /// A step that needs another thread to do the opposite. Both go on at once.
    fn meet(&self, state: &mut State, t: usize, action: Action, text: &mut String) -> bool {
        let sends = action == Action::Send(MEETING);
        let opposite = if sends { Action::Recv(MEETING) } else { Action::Send(MEETING) };
        let stands = |other: &usize| state.phase[*other] == 1 && self.threads[*other].get(state.at[*other]) == Some(&opposite);
        let site = |t: usize| format!("@p.rs:{}", t * LINES + state.at[t] + 1);
        let me = name(t);
        if let Some(other) = (0..THREADS).find(stands) {
            let (sender, receiver) = if sends { (t, other) } else { (other, t) };
            let (from, to) = (name(sender), name(receiver));
            if state.phase[t] == 0 {
                let what = if sends { format!("send c2 s-{t}") } else { format!("recv c2 r-{t}") };
                let _ = writeln!(text, "{me} request-{what} {}", site(t));
            }
            let _ = writeln!(text, "{from} send c2 s-{sender} {}; {to} recv c2 r-{receiver} {}", site(sender), site(receiver));
            for both in [t, other] {
                (state.at[both], state.phase[both]) = (state.at[both] + 1, 0);
            }
            return true;
        }
        let (others, what) =
            if sends { (state.receivers, format!("send c2 s-{t}")) } else { (state.senders, format!("recv c2 r-{t}")) };
        if others[MEETING] > 0 {
            let site = site(t);
            return wait(state, t, || _ = writeln!(text, "{me} request-{what} {site}"));
        }
        let failed = if sends { "send-fail c2 s-" } else { "recv-fail c2 r-" };
        let _ = writeln!(text, "{me} {failed}{t} closed {}", site(t));
        (state.at[t], state.phase[t]) = (state.at[t] + 1, 0);
        true
    }

    /// Lets a thread go on, and says what is recorded of it; of several ways to go on, this one. `false`: it can't.
    fn step(&self, state: &mut State, t: usize, pick: usize, text: &mut String) -> bool {
        let Some(action) = self.threads[t].get(state.at[t]).copied().filter(|_| self.is_there(state, t)) else { return false };
        let (me, site) = (name(t), format!("@p.rs:{}", t * LINES + state.at[t] + 1));
        let mut say = |what: String| _ = writeln!(text, "{me} {what}");
        let waits = state.phase[t] == 1;
        let mut next = state.at[t] + 1;
        if pick > 0 && action != Action::Select {
            return false;
        }
        match action {
            Action::Lock(lock, mode) if !self.is_free(state, t, lock, mode) => {
                return wait(state, t, || say(format!("request m{lock} {} {site}", self.word(mode))));
            }
            Action::Lock(lock, mode) => {
                state.holders[lock][t] = Some(mode);
                say(format!("{} m{lock} {site}", self.word(mode)));
            }
            Action::TryLong(lock, mode, _) if !waits && !self.is_free(state, t, lock, mode) => {
                return wait(state, t, || say(format!("request m{lock} {} timed {site}", self.word(mode))));
            }
            Action::Try(lock, mode, length) | Action::TryLong(lock, mode, length) if !self.is_free(state, t, lock, mode) => {
                say(format!("{} m{lock} {} {site}", if waits { "time-out" } else { "try-fail" }, self.word(mode)));
                next += length;
            }
            Action::Try(lock, mode, _) | Action::TryLong(lock, mode, _) => {
                state.holders[lock][t] = Some(mode);
                let how = if matches!(action, Action::Try(..)) { "try" } else { "timed" };
                say(format!("{how}-{} m{lock} {site}", self.word(mode)));
            }
            Action::Unlock(lock) => {
                state.holders[lock][t] = None;
                say(format!("unlock m{lock} read-only"));
            }
            Action::Downgrade(lock) => {
                state.holders[lock][t] = Some(Mode::Shared);
                say(format!("downgrade m{lock} {site}"));
            }
            Action::Send(MEETING) | Action::Recv(MEETING) => return self.meet(state, t, action, text),
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
            Action::TrySend(c) if state.receivers[c] == 0 => say(format!("send-fail c{c} s-{t} closed {site}")),
            Action::TrySend(1) if state.queued[1] > 0 => say(format!("send-fail c1 s-{t} {site}")),
            Action::TrySend(c) => {
                state.queued[c] += 1;
                say(format!("send c{c} s-{t} {site}"));
            }
            Action::TryRecv(c) if state.queued[c] == 0 => {
                say(format!("recv-fail c{c} r-{t} {} {site}", if state.senders[c] == 0 { "closed" } else { "" }));
            }
            Action::TryRecv(c) => {
                state.queued[c] -= 1;
                say(format!("recv c{c} r-{t} {site}"));
            }
            Action::Select => {
                let select = format!("case-recv c0 r-{t}; {me} case-recv c1 r-{t}; {me} request-select {site}");
                let ready: Vec<usize> = (0..MEETING).filter(|c| state.queued[*c] > 0 || state.senders[*c] == 0).collect();
                let Some(ready) = ready.get(pick).copied() else {
                    return pick == 0 && wait(state, t, || say(select));
                };
                if !waits {
                    say(select);
                }
                say("selected others".to_owned());
                if state.queued[ready] > 0 {
                    state.queued[ready] -= 1;
                    say(format!("recv c{ready} r-{t} {site}"));
                } else {
                    say(format!("recv-fail c{ready} r-{t} closed {site}"));
                }
            }
            Action::Spawn(other) => say(format!("spawn {}", name(other))),
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
                    if state.phase[other] == 1 && self.threads[other].get(state.at[other]) == Some(&Action::Wait) {
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
                            if state.phase[other] == 1 && self.threads[other].get(state.at[other]) == Some(&Action::Barrier) {
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
            Action::Join(other) if state.at[other] < self.threads[other].len() => {
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
