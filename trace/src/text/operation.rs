//! Operations on channels, threads, once, barriers and cells.

use std::collections::{HashMap, VecDeque};

use super::{Parser, duration};
use crate::event::{Event, ObjectKind, Side};
use crate::ids::{HandleId, Nanos, ObjectId, Order, SiteId, Stamp, ThreadId};

/// The history of a channel so far.
#[derive(Default)]
pub(super) struct Channel {
    handles: HashMap<String, HandleId>,
    queue: VecDeque<Stamp>,
}

impl Parser {
    pub(super) fn operation(&mut self, operation: &str, operands: &[&str]) -> Result<(), String> {
        if let Some(done) = self.lock_operation(operation, operands) {
            return done;
        }
        if let Some(done) = self.channel_operation(operation, operands) {
            return done;
        }
        let site = self.site;
        let event = match (operation, operands) {
            ("spawn", [child, scoped @ ..]) if matches!(scoped, [] | ["scoped"]) => {
                if self.threads.contains_key(*child) {
                    return Err(format!("thread `{child}` exists already"));
                }
                let child = self.thread(child, self.thread);
                Event::Spawn { child, site, scoped: !scoped.is_empty() }
            }
            ("end", []) => Event::End { panicked: false },
            ("end", ["panicked"]) => Event::End { panicked: true },
            ("request-join", [child]) => Event::JoinRequest { child: self.known(child)?, site },
            ("join", [child]) => Event::Join { child: self.known(child)?, site, took: true },
            ("join", [child, "untaken"]) => Event::Join { child: self.known(child)?, site, took: false },
            ("detach", [child]) => Event::Detach { child: self.known(child)? },
            ("yield", []) => Event::Yield { site },
            ("exit", []) => Event::Exit { site },
            ("sleep", [time]) => Event::Sleep { site, nanos: Nanos(duration(time)?) },
            ("park", []) => Event::Park { site, timed: false },
            ("park", ["timed"]) => Event::Park { site, timed: true },
            ("unparked", []) => Event::Unparked,
            ("unpark", []) => Event::Unpark { thread: ThreadId::NONE, site },
            ("unpark", [thread]) => Event::Unpark { thread: self.known(thread)?, site },
            ("once-request", [once]) => Event::OnceRequest { once: self.object(once, ObjectKind::Once).id, site },
            ("once-begin", [once]) => Event::OnceBegin { once: self.object(once, ObjectKind::Once).id, site },
            ("once-end", [once]) => Event::OnceEnd { once: self.object(once, ObjectKind::Once).id, panicked: false },
            ("once-end", [once, "panicked"]) => Event::OnceEnd { once: self.object(once, ObjectKind::Once).id, panicked: true },
            ("once-get", [once]) => Event::OnceGet { once: self.object(once, ObjectKind::Once).id, site },
            ("barrier-wait", [barrier, parties]) => {
                let parties = parties.parse().map_err(|_| format!("`{parties}` is not a number of parties"))?;
                let object = self.object(barrier, ObjectKind::Barrier);
                object.arrived += 1;
                Event::BarrierWait { barrier: object.id, site, parties, order: Order(object.arrived) }
            }
            ("request-select", rest @ ([] | ["timed"])) => {
                let cases = self.cases.get(&self.thread).copied().unwrap_or(0);
                Event::SelectRequest { site, cases, timed: !rest.is_empty() }
            }
            ("selected", rest @ ([] | ["others"])) => Event::Selected { site, others: !rest.is_empty() },
            ("barrier-pass", [barrier]) => Event::BarrierPass { barrier: self.object(barrier, ObjectKind::Barrier).id },
            ("token-clone", [token]) => Event::TokenClone { token: self.token(token), site },
            ("cancel", [token]) => Event::Cancel { token: self.token(token), site },
            ("cancel-wait", [token]) => Event::CancelWait { token: self.token(token), site, timed: false },
            ("cancel-wait", [token, "timed"]) => Event::CancelWait { token: self.token(token), site, timed: true },
            ("cancel-look", [token]) => Event::CancelLook { token: self.token(token), site, cancelled: false },
            ("cancel-look", [token, "cancelled"]) => Event::CancelLook { token: self.token(token), site, cancelled: true },
            ("scope-begin", [scope]) => Event::ScopeBegin { scope: self.object(scope, ObjectKind::Scope).id, site },
            ("scope-end", [scope]) => Event::ScopeEnd { scope: self.object(scope, ObjectKind::Scope).id },
            ("stack", [frame]) => Event::Stack { frame: self.frame(frame)? },
            ("cell-read", [cell]) => Event::Read { cell: self.object(cell, ObjectKind::Cell).id, site },
            ("cell-write", [cell]) => Event::Write { cell: self.object(cell, ObjectKind::Cell).id, site },
            ("lost", [count]) => Event::Lost { count: count.parse().map_err(|_| format!("`{count}` is not a count"))? },
            _ => return Err(format!("`{operation} {}` is not understood", operands.join(" "))),
        };
        self.push(event);
        Ok(())
    }

    fn token(&mut self, name: &str) -> ObjectId {
        self.object(name, ObjectKind::Token).id
    }

    fn known(&self, thread: &str) -> Result<crate::ids::ThreadId, String> {
        self.threads.get(thread).copied().ok_or_else(|| format!("there is no thread `{thread}` yet"))
    }

    /// Does an operation on a channel; `None` if this is not one.
    fn channel_operation(&mut self, operation: &str, operands: &[&str]) -> Option<Result<(), String>> {
        let (&name, operands) = operands.split_first()?;
        let (flag, operands) = match operands {
            [rest @ .., "timed" | "closed"] => (true, rest),
            rest => (false, rest),
        };
        let default = if operation.contains("send") { "s1" } else { "r1" };
        Some(match (operation, operands) {
            ("channel", [] | [_]) => self.new_channel(name, operands.first().copied()),
            ("clone-sender" | "drop-sender", rest) => self.handle(operation, name, Side::Sender, "s1", rest),
            ("clone-receiver" | "drop-receiver", rest) => self.handle(operation, name, Side::Receiver, "r1", rest),
            (
                "send" | "send-fail" | "request-send" | "case-send" | "recv" | "recv-fail" | "request-recv" | "case-recv",
                [] | [_],
            ) => {
                let handle = operands.first().copied().unwrap_or(default);
                self.message(operation, name, handle, flag)
            }
            _ => return None,
        })
    }

    fn new_channel(&mut self, name: &str, capacity: Option<&str>) -> Result<(), String> {
        let capacity = capacity.map(str::parse).transpose().map_err(|_| "the capacity is not a number".to_owned())?;
        let site = self.site;
        if !self.objects.contains_key(name) {
            let place = self.builder.place(site);
            self.create(name, ObjectKind::Channel, Some(place), None);
        }
        let (sender, receiver) = (self.new_handle(name, "s1")?, self.new_handle(name, "r1")?);
        let channel = self.object(name, ObjectKind::Channel).id;
        self.push(Event::ChannelNew { channel, site, capacity, sender, receiver });
        Ok(())
    }

    fn new_handle(&mut self, channel: &str, handle: &str) -> Result<HandleId, String> {
        self.handles += 1;
        let id = HandleId(self.handles);
        match self.object(channel, ObjectKind::Channel).channel.handles.insert(handle.to_owned(), id) {
            Some(_) => Err(format!("channel `{channel}` has a handle `{handle}` already")),
            None => Ok(id),
        }
    }

    fn find_handle(&mut self, channel: &str, handle: &str) -> Result<(ObjectId, HandleId), String> {
        let object = self.objects.get(channel).ok_or_else(|| format!("there is no channel `{channel}` yet"))?;
        let id = object.channel.handles.get(handle).copied();
        Ok((object.id, id.ok_or_else(|| format!("channel `{channel}` has no handle `{handle}`"))?))
    }

    fn handle(&mut self, operation: &str, name: &str, side: Side, first: &str, operands: &[&str]) -> Result<(), String> {
        let event = match operands {
            [new, rest @ ..] if operation.starts_with("clone") && rest.len() < 2 => {
                let (channel, from) = self.find_handle(name, rest.first().unwrap_or(&first))?;
                let handle = self.new_handle(name, new)?;
                self.push(Event::HandleClone { channel, side, from, handle });
                Event::HandleMade { channel, handle, site: self.site }
            }
            [] | [_] if operation.starts_with("drop") => {
                let handle = operands.first().unwrap_or(&first);
                let (channel, id) = self.find_handle(name, handle)?;
                self.object(name, ObjectKind::Channel).channel.handles.remove(*handle);
                Event::HandleDrop { channel, side, handle: id }
            }
            _ => return Err(format!("`{operation}` has other operands")),
        };
        self.push(event);
        Ok(())
    }

    fn message(&mut self, operation: &str, name: &str, handle: &str, flag: bool) -> Result<(), String> {
        let (channel, handle) = self.find_handle(name, handle)?;
        let site: SiteId = self.site;
        let event = match operation {
            "request-send" => Event::SendRequest { channel, handle, site, timed: flag },
            "request-recv" => Event::RecvRequest { channel, handle, site, timed: flag },
            "case-send" => Event::SelectCase { channel, handle, side: Side::Sender },
            "case-recv" => Event::SelectCase { channel, handle, side: Side::Receiver },
            "send-fail" => Event::SendFail { channel, handle, site, closed: flag },
            "recv-fail" => Event::RecvFail { channel, handle, site, closed: flag },
            "send" => {
                let sent = self.sent.entry(self.thread).or_default();
                *sent += 1;
                let stamp = Stamp::new(self.thread, *sent);
                self.object(name, ObjectKind::Channel).channel.queue.push_back(stamp);
                Event::Send { channel, handle, site, stamp }
            }
            _ => {
                let stamp = self.object(name, ObjectKind::Channel).channel.queue.pop_front();
                let stamp =
                    stamp.ok_or_else(|| format!("channel `{name}` is empty: a receive that waits is a `request-recv`"))?;
                Event::Recv { channel, handle, site, stamp }
            }
        };
        self.push(event);
        Ok(())
    }
}
