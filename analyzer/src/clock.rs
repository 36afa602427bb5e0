//! Vector clocks: which event must have come before which.
//!
//! A component counts the events of one thread that are known to have come before. So an event's place is its number within its
//! thread, nothing has to be counted up when something is published, and clocks are shared until they change.
//!
//! A program may start threads by the thousand, and each message carries a clock. So a clock is a tree, of which two clocks share all
//! parts in which they don't differ: one more component costs a few nodes, and what is shared is not looked at when clocks are joined.

use std::rc::Rc;

/// For each thread (by dense index) how many of its events came before.
#[derive(Clone, Default, Debug)]
pub struct Clock(Option<Rc<Node>>);

/// Threads of a leaf, and parts of a node above: so many that both take a cache line.
const COUNTS: usize = 16;
const PARTS: usize = 8;

/// A part of a clock: of `COUNTS` threads, or of `PARTS` times as many as each of its own parts.
#[derive(Clone, Debug)]
enum Node {
    Counts([u32; COUNTS]),
    Parts {
        /// Threads of each part.
        each: u32,
        /// A part that is not there knows of no event.
        parts: [Option<Rc<Node>>; PARTS],
    },
}

impl Node {
    /// How many threads it is for.
    fn threads(&self) -> usize {
        match self {
            Node::Counts(_) => COUNTS,
            Node::Parts { each, .. } => *each as usize * PARTS,
        }
    }

    /// One for so many threads that knows of no event.
    fn empty(threads: usize) -> Node {
        match threads {
            COUNTS => Node::Counts([0; COUNTS]),
            _ => Node::Parts { each: u32::try_from(threads / PARTS).unwrap_or(u32::MAX), parts: Default::default() },
        }
    }

    /// This and parts for later threads.
    fn within(self: Rc<Node>) -> Rc<Node> {
        let mut above = Node::empty(self.threads() * PARTS);
        if let Node::Parts { parts, .. } = &mut above {
            parts[0] = Some(self);
        }
        Rc::new(above)
    }

    fn set(self: &mut Rc<Node>, thread: usize, count: u32) {
        match Rc::make_mut(self) {
            Node::Counts(counts) => counts[thread] = count,
            Node::Parts { each, parts } => {
                let each = *each as usize;
                parts[thread / each].get_or_insert_with(|| Rc::new(Node::empty(each))).set(thread % each, count);
            }
        }
    }

    /// Whether it knows all that the other does. Both are for the same threads.
    fn covers(&self, other: &Node) -> bool {
        match (self, other) {
            // Without a way out of the loop: so it is done in a few instructions.
            (Node::Counts(ours), Node::Counts(theirs)) => ours.iter().zip(theirs).fold(true, |all, (a, b)| all & (a >= b)),
            (Node::Parts { parts: ours, .. }, Node::Parts { parts: theirs, .. }) => {
                ours.iter().zip(theirs).all(|parts| match parts {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(ours), Some(theirs)) => Rc::ptr_eq(ours, theirs) || ours.covers(theirs),
                })
            }
            _ => false,
        }
    }

    /// What either knows: one of the two where it knows all that the other does. Both are for the same threads.
    fn joined(self: &Rc<Node>, other: &Rc<Node>) -> Rc<Node> {
        if Rc::ptr_eq(self, other) || self.covers(other) {
            return Rc::clone(self);
        }
        if other.covers(self) {
            return Rc::clone(other);
        }
        match (&**self, &**other) {
            (Node::Counts(ours), Node::Counts(theirs)) => Rc::new(Node::Counts(std::array::from_fn(|i| ours[i].max(theirs[i])))),
            (Node::Parts { each, parts: ours }, Node::Parts { parts: theirs, .. }) => {
                let parts = std::array::from_fn(|i| match (&ours[i], &theirs[i]) {
                    (Some(ours), Some(theirs)) => Some(ours.joined(theirs)),
                    (ours, theirs) => ours.as_ref().or(theirs.as_ref()).map(Rc::clone),
                });
                Rc::new(Node::Parts { each: *each, parts })
            }
            _ => unreachable!("nodes for the same threads are of one kind"),
        }
    }
}

impl Clock {
    /// How many events of `thread` came before.
    #[inline]
    pub fn get(&self, thread: usize) -> u32 {
        let (mut node, mut thread) = (self.0.as_deref(), thread);
        loop {
            match node {
                None => return 0,
                Some(Node::Counts(counts)) => return counts.get(thread).copied().unwrap_or(0),
                Some(Node::Parts { each, parts }) => {
                    let each = *each as usize;
                    node = parts.get(thread / each).and_then(Option::as_deref);
                    thread %= each;
                }
            }
        }
    }

    /// Whether they are one in memory, and so the same.
    #[inline]
    pub fn is_same(&self, other: &Clock) -> bool {
        match (&self.0, &other.0) {
            (Some(ours), Some(theirs)) => Rc::ptr_eq(ours, theirs),
            (ours, theirs) => ours.is_none() && theirs.is_none(),
        }
    }

    /// The first `count` events of `thread` came before.
    pub fn raise(&mut self, thread: usize, count: u32) {
        if self.get(thread) < count {
            self.root(thread + 1).set(thread, count);
        }
    }

    /// All that came before `other` came before.
    pub fn join(&mut self, other: &Clock) {
        let Some(theirs) = &other.0 else { return };
        if self.0.is_none() {
            self.0 = Some(Rc::clone(theirs));
            return;
        }
        let ours = self.root(theirs.threads());
        let mut theirs = Rc::clone(theirs);
        while theirs.threads() < ours.threads() {
            theirs = theirs.within();
        }
        *ours = ours.joined(&theirs);
    }

    /// The whole tree, made large enough for so many threads.
    fn root(&mut self, threads: usize) -> &mut Rc<Node> {
        let root = self.0.get_or_insert_with(|| Rc::new(Node::empty(COUNTS)));
        while root.threads() < threads {
            *root = Rc::clone(root).within();
        }
        root
    }
}

/// An event with all that came before it.
#[derive(Clone, Default, Debug)]
pub struct Moment {
    /// Dense index of its thread.
    pub thread: usize,
    /// Its number among the events of its thread, from 0.
    pub index: u32,
    /// What came before it in other threads.
    pub clock: Clock,
}

impl Moment {
    /// Whether this came before `other` in every run that passes on the same messages.
    #[inline]
    pub fn is_before(&self, other: &Moment) -> bool {
        if self.thread == other.thread { self.index < other.index } else { other.clock.get(self.thread) > self.index }
    }

    /// Whether neither must come before the other.
    pub fn is_concurrent(&self, other: &Moment) -> bool {
        !self.is_before(other) && !other.is_before(self)
    }
}

impl Clock {
    /// `moment` and all before it came before.
    pub fn join_moment(&mut self, moment: &Moment) {
        // Clocks are transitively closed: who knows the event knows all that it knew.
        if self.get(moment.thread) > moment.index {
            return;
        }
        self.join(&moment.clock);
        self.raise(moment.thread, moment.index.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random (xorshift).
    fn random(state: &mut u64, below: usize) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        usize::try_from(*state % below as u64).expect("small")
    }

    #[test]
    fn a_clock_knows_what_a_vector_would_know() {
        let mut state = 0x9e37_79b9_7f4a_7c15;
        for threads in [1, 16, 17, 200, 3_000] {
            let mut clocks = vec![Clock::default(); 6];
            let mut vectors = vec![vec![0_u32; threads]; 6];
            for step in 0..400 {
                let (one, other, thread) = (random(&mut state, 6), random(&mut state, 6), random(&mut state, threads));
                if step % 3 == 0 {
                    let joined = clocks[other].clone();
                    clocks[one].join(&joined);
                    let theirs = vectors[other].clone();
                    vectors[one].iter_mut().zip(theirs).for_each(|(our, their)| *our = (*our).max(their));
                } else {
                    let count = u32::try_from(random(&mut state, 50)).expect("small");
                    clocks[one].raise(thread, count);
                    vectors[one][thread] = vectors[one][thread].max(count);
                }
                let known: Vec<u32> = (0..threads).map(|thread| clocks[one].get(thread)).collect();
                assert_eq!(known, vectors[one], "of {threads} threads, after step {step}");
                assert_eq!(clocks[one].get(threads + 100_000), 0);
            }
        }
    }

    #[test]
    fn a_join_that_tells_one_side_nothing_new_shares_that_side() {
        let mut little = Clock::default();
        little.raise(2_000, 1);
        let mut much = little.clone();
        much.raise(3, 5);
        let known = much.clone();
        much.join(&little);
        assert!(much.is_same(&known));
        little.join(&much);
        assert!(little.is_same(&much));
    }
}
