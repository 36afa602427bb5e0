//! Contexts and held stacks, each found by what it is.

use conccheck_trace::{FrameId, How, Mode, ObjectId, SiteId};

use super::super::context::{Context, Held, Moments};
use super::{Builder, number};

/// Numbers of contexts by a hash of what they are: open-addressed, and next to nothing beside the contexts, which say themselves what
/// they are. Traces have millions of them, and each acquisition looks one up.
#[derive(Default)]
pub(super) struct ContextIds {
    /// Hash and number; [`FREE`] where there is none. A power of two of them, at most two thirds in use.
    slots: Vec<(u32, u32)>,
    used: usize,
}

/// No context's number.
const FREE: u32 = u32::MAX;

impl ContextIds {
    /// The number with this hash of which `is_it` holds; else a free slot's place.
    #[inline]
    fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Result<u32, usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        loop {
            match self.slots.get(at) {
                Some(&(known, id)) if id != FREE => {
                    if known == hash && is_it(id) {
                        return Ok(id);
                    }
                }
                _ => return Err(at),
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts a number into a free slot.
    fn insert(&mut self, at: usize, hash: u32, id: u32) {
        if (self.used + 1) * 3 > self.slots.len() * 2 {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![(0, FREE); (old.len() * 2).max(64)];
            for (hash, id) in old.into_iter().filter(|(_, id)| *id != FREE).chain([(hash, id)]) {
                if let Err(at) = self.find(hash, |_| false) {
                    self.slots[at] = (hash, id);
                }
            }
        } else {
            self.slots[at] = (hash, id);
        }
        self.used += 1;
    }
}

/// What makes a context the one that it is.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) lock: ObjectId,
    pub(super) site: SiteId,
    pub(super) mode: Mode,
    pub(super) how: How,
}

fn hash(thread: usize, chain: u32, Way { lock, site, mode, how }: Way) -> u32 {
    let halves = |high: u64, low: u32| high << 32 | u64::from(low);
    let who = halves(thread as u64, chain) ^ 0x9e37_79b9_7f4a_7c15;
    let what = halves(u64::from(site.0) << 5 ^ (mode as u64) << 2 ^ how as u64, lock.0) ^ 0xc2b2_ae3d_27d4_eb4f;
    let product = u128::from(who) * u128::from(what);
    let folded = product as u64 ^ (product >> 64) as u64;
    (folded >> 32) as u32 ^ folded as u32
}

impl Builder<'_> {
    /// The context of an acquisition, counted.
    #[inline]
    pub(super) fn context(&mut self, t: usize, index: u32, way: Way) -> u32 {
        let thread = &self.model.threads[t];
        let chain = thread.held.last().map_or(0, |held| held.chain);
        let contexts = &mut self.model.contexts;
        let Way { lock, site, mode, how } = way;
        let is_it = |id: u32| {
            let Context { thread, chain: under, lock: taken, mode: in_mode, how: in_way, site: at, .. } = contexts[id as usize];
            (thread, under, taken, at) == (number(t), chain, lock, site) && (in_mode, in_way) == (mode, how)
        };
        let version = self.tracks[t].version.wrapping_add(self.told);
        let hash = hash(t, chain, way);
        match self.context_ids.find(hash, is_it) {
            Ok(id) => {
                let context = &mut contexts[id as usize];
                context.moments.add(version, index, &thread.clock);
                id
            }
            Err(at) => {
                let moments = Moments::new(version, index, &thread.clock);
                let id = u32::try_from(contexts.len()).unwrap_or(u32::MAX);
                contexts.push(Context {
                    thread: number(t),
                    chain,
                    lock,
                    mode,
                    how,
                    site,
                    moments,
                    stack: FrameId::NONE,
                    after: 0,
                });
                self.context_ids.insert(at, hash, id);
                self.model.locks.at(lock.0).contexts.push(id);
                id
            }
        }
    }

    /// Number of a held stack.
    pub(super) fn chain(&mut self, held: Held) -> u32 {
        let chains = &mut self.model.chains;
        *self.chain_ids.entry(held).or_insert_with(|| {
            chains.push(held);
            u32::try_from(chains.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// The held stack after an acquisition in this context.
    pub(super) fn chain_after(&mut self, context: u32) -> u32 {
        let Context { chain: parent, lock, mode, how, site, after, .. } = self.model.contexts[context as usize];
        if after != 0 {
            return after;
        }
        let after = self.chain(Held { parent, lock, mode, how, site });
        self.model.contexts[context as usize].after = after;
        after
    }
}
