//! Threads: start, end, tests, and the locks that a parent holds around its children.

use conccheck_trace::{Event, ObjectId, SiteId, StringId, ThreadId, Ticks};

use super::super::context::BlockingOp;
use super::super::lock::{Blocked, Operation};
use super::super::mixed::{ENDS, Mixed, MixedKind};
use super::super::thread::Spawn;
use super::contexts::Way;
use super::{Builder, number, ticks};
use crate::clock::Moment;

impl Builder<'_> {
    pub(super) fn start(&mut self, t: usize, time: Ticks, parent: ThreadId, name: StringId) {
        let name = self.model.trace.tables.string(name).map(str::to_owned);
        let parent = parent.is_some().then(|| self.thread(parent));
        let thread = &mut self.model.threads[t];
        thread.has_started = true;
        thread.started = time;
        thread.name = name;
        thread.parent = parent.or(thread.parent);
        if thread.parent.is_none()
            && let Some(name) = thread.name.clone()
            && (name.contains("::") || is_test_binary(&self.model.trace.header.program))
            && is_test_path(&name)
        {
            let next = self.tests.len();
            thread.test = Some(*self.tests.entry(name).or_insert(next));
        }
    }

    pub(super) fn spawn(&mut self, t: usize, index: u32, time: Ticks, child: ThreadId, site: SiteId, is_scoped: bool) {
        let child = self.thread(child);
        let moment = self.publish(t, index);
        let parent_test = self.model.threads[t].test;
        let in_static = !self.model.threads[t].initialising.is_empty();
        let held = self.model.threads[t].held.clone();
        if !held.is_empty() {
            self.tracks[t].children.push((child, held));
        }
        let thread = &mut self.model.threads[child];
        thread.parent = Some(t);
        thread.in_static = in_static;
        thread.spawn = Some(Spawn { site, time, index, is_scoped });
        thread.test = parent_test;
        self.hand_down(t, index, child);
        self.learn(child, &moment);
    }

    pub(super) fn end(&mut self, t: usize, index: u32, time: Ticks, panicked: bool) {
        self.tracks[t].version += 1;
        let thread = &mut self.model.threads[t];
        thread.ended = Some(time);
        thread.panicked = panicked;
        thread.end_index = index;
    }

    pub(super) fn join(&mut self, t: usize, index: u32, time: Ticks, event: Event, child: ThreadId, took: bool) {
        if self.tracks[t].op.is_none() {
            self.begin_op(t, time, event);
        }
        self.end_op(t, time);
        let child = self.thread(child);
        let thread = &mut self.model.threads[child];
        thread.joined_by = Some(t);
        thread.result_taken |= took;
        let moment = Moment { thread: child, index: thread.events.saturating_sub(1), clock: thread.clock.clone() };
        if let Event::Join { site, .. } = event {
            self.model.threads[child].joined_at = Some((time, site));
            self.mixed_with(t, index, MixedKind::Join, (event, site), &moment, 0);
        }
        self.learn(t, &moment);
        if let Some(at) = self.tracks[t].children.iter().position(|(other, _)| *other == child) {
            let (_, held) = self.tracks[t].children.swap_remove(at);
            let still = &self.model.threads[t].held;
            let around = held.into_iter().filter(|then| still.iter().any(|now| now.lock == then.lock && now.index == then.index));
            let inherited: Vec<_> = around.map(|held| (t, held)).collect();
            self.model.threads[child].inherited = inherited;
        }
    }

    pub(super) fn unpark(&mut self, t: usize, index: u32, thread: ThreadId) {
        let moment = self.publish(t, index);
        if thread == ThreadId::NONE {
            self.early.join_moment(&moment);
            return;
        }
        let other = self.thread(thread);
        self.tracks[other].unparked.join_moment(&moment);
        self.tracks[other].token.get_or_insert(moment);
        let parked = &mut self.model.threads[other];
        parked.has_token = true;
        if !parked.unparkers.contains(&t) {
            parked.unparkers.push(t);
        }
    }

    /// Notes that a thread begins to block on something that is no lock.
    pub(super) fn begin_op(&mut self, t: usize, time: Ticks, event: Event) {
        let thread = &self.model.threads[t];
        let Some(innermost) = thread.held.last() else { return };
        let (object, kind, site) = match event {
            Event::Sleep { site, .. } => (0, 0, site),
            Event::JoinRequest { child, site } | Event::Join { child, site, .. } => (child.0, 1, site),
            Event::Park { site, .. } => (0, 2, site),
            Event::Wait { condvar, site, .. } => (condvar.0, 3, site),
            Event::RecvRequest { channel, site, .. } => (channel.0, 4, site),
            Event::SendRequest { channel, site, .. } => (channel.0, 5, site),
            Event::BarrierWait { barrier, site, .. } => (barrier.0, 6, site),
            Event::SelectRequest { site, .. } => (0, 8, site),
            Event::CancelWait { token, site, .. } => (token.0, 7, site),
            _ => return,
        };
        if event.is_timed() {
            self.model.gives_up.insert(site);
        }
        let (chain, slept) = (innermost.chain, kind == 0);
        let ops = &mut self.model.ops;
        let key = (number(t), chain, site, kind, object);
        let id = *self.op_ids.entry(key).or_insert_with(|| {
            ops.push(BlockingOp { thread: t, chain, event, site, count: 0, others_waited: 0, waiter: None });
            u32::try_from(ops.len() - 1).unwrap_or(u32::MAX)
        });
        // No event shows that a sleep is over: what its thread does then is no part of it.
        let limit = if let Event::Sleep { nanos, .. } = event { ticks(self.model.trace, nanos.0) } else { u64::MAX };
        let operation = Operation { id, begun: time, ended: Ticks(time.0.saturating_add(limit)) };
        let thread = &mut self.model.threads[t];
        let op = &mut self.model.ops[id as usize];
        op.count += 1;
        self.tracks[t].op = Some(id);
        for holding in &mut thread.held {
            holding.inside.slept |= slept;
            holding.inside.waited |= !slept;
            Blocked::begin(&mut self.model.locks.at(holding.lock.0).blocked, (number(t), holding.index), operation);
        }
    }

    /// Notes that the thread no longer blocks.
    pub(super) fn end_op(&mut self, t: usize, time: Ticks) {
        let Some(id) = self.tracks[t].op.take() else { return };
        for holding in &self.model.threads[t].held {
            if let Some(blocked) = &mut self.model.locks.at(holding.lock.0).blocked {
                blocked.end(id, time);
            }
        }
    }

    /// Whether what `until` stands for, which the thread waited for with locks held up to its event `index`, needed one of these locks
    /// before, but after the event `since` of whoever did it.
    pub(super) fn mixed_with(
        &mut self,
        t: usize,
        index: u32,
        kind: MixedKind,
        (event, site): (Event, SiteId),
        until: &Moment,
        since: u32,
    ) {
        if self.model.threads[t].held.is_empty() || until.thread == t {
            return;
        }
        let mut found = Vec::new();
        for holding in &self.model.threads[t].held {
            let Some(lock) = self.model.locks.get(holding.lock.0) else { continue };
            let needs = lock.contexts.iter().map(|id| &self.model.contexts[*id as usize]).find(|context| {
                context.thread() == until.thread
                    && context.can_wait()
                    && crate::modes::blocks(holding.mode, context.mode)
                    && context
                        .moments()
                        .any(|taken| (since..until.index).contains(&taken.index) && taken.is_concurrent(&holding.moment))
            });
            if let Some(context) = needs {
                found.push((holding.lock, holding.site, holding.mode, context.site));
            }
        }
        for (lock, hold_site, hold_mode, other_site) in found {
            let mixed = Mixed {
                kind,
                lock,
                holder: t,
                hold_site,
                hold_mode,
                event,
                wait_site: site,
                other: until.thread,
                other_site,
                count: 1,
                ends: vec![index],
            };
            self.add_mixed(mixed);
        }
    }

    pub(super) fn add_mixed(&mut self, mixed: Mixed) {
        let key: (usize, ObjectId, SiteId, usize) = (mixed.holder, mixed.lock, mixed.wait_site, mixed.other);
        let all = &mut self.model.mixed;
        if let Some(id) = self.mixed_ids.get(&key) {
            all[*id].count += 1;
            all[*id].ends.extend(mixed.ends);
            all[*id].ends.truncate(ENDS);
        } else {
            self.mixed_ids.insert(key, all.len());
            all.push(mixed);
        }
    }

    /// Numbers the tests by name.
    pub(super) fn number_tests(&mut self) {
        let mut new = vec![0; self.tests.len()];
        for (rank, (name, old)) in self.tests.iter().enumerate() {
            new[*old] = rank;
            self.model.tests.push(name.clone());
        }
        for thread in &mut self.model.threads {
            thread.test = thread.test.map(|old| new[old]);
        }
        for site in self.model.sites.iter_mut() {
            for test in &mut site.long_tests {
                *test = new[*test];
            }
        }
    }

    /// Looks at how the threads stood when the trace ended.
    pub(super) fn close_threads(&mut self) {
        let main = self
            .model
            .threads
            .iter()
            .position(|thread| thread.has_started && thread.parent.is_none() && thread.name.as_deref() == Some("main"));
        let first =
            self.model.threads.iter().position(|thread| thread.has_started && thread.parent.is_none() && thread.name.is_none());
        if let Some(main) = main.or(first) {
            self.model.threads[main].is_main = true;
        }
        for t in 0..self.model.threads.len() {
            self.name_last_to_end(t);
            let site = match &self.model.threads[t].pending {
                Some(pending) => pending.event.site().unwrap_or_default(),
                None => self.tracks[t].slept,
            };
            self.model.threads[t].earlier_waits = self.tracks[t].waits.get(&site).copied().unwrap_or(0);
            // A request that never ended is a way of asking for the lock as well.
            if let Some(pending) = self.model.threads[t].pending.clone()
                && let Event::Request { lock, site, mode, how } = pending.event
            {
                self.context(t, pending.index, Way { lock, site, mode, how });
            }
        }
        self.find_full_sends();
    }

    /// Of the threads that the end of a scope waits for, those that have ended are no reason to wait.
    fn name_last_to_end(&mut self, t: usize) {
        let Some(pending) = &self.model.threads[t].pending else { return };
        let Event::JoinRequest { site, .. } = pending.event else { return };
        let runs =
            |child: &ThreadId| self.model.thread_index(*child).is_some_and(|child| self.model.threads[child].ended.is_none());
        let joins: Vec<ThreadId> = pending.joins.iter().copied().filter(runs).collect();
        let pending = self.model.threads[t].pending.as_mut().expect("looked at above");
        if let Some(child) = joins.first() {
            pending.event = Event::JoinRequest { child: *child, site };
        }
        pending.joins = joins;
    }
}

/// Whether a thread's name is that of a test: libtest names threads by the path of the test function.
fn is_test_path(name: &str) -> bool {
    name != "main"
        && !name.is_empty()
        && name.split("::").all(|part| {
            let mut chars = part.chars();
            chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
        })
}

/// Whether an executable lies where cargo puts test binaries.
fn is_test_binary(program: &str) -> bool {
    program.rsplit(['/', '\\']).nth(1) == Some("deps")
}
