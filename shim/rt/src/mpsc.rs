//! What channels record: messages, waits, failures, and the life of each handle.

use std::panic::Location;

use conccheck_trace::{Event, HandleId, ObjectId, ObjectKind, Side, Stamp};

use crate::object::{self, Object};
use crate::{entry, local, polling, recorder, site};

/// The recorded side of one sender or receiver. Its drop is recorded, so it must be dropped before the real handle is.
///
/// As the originals it has no interior mutability, so that constants may refer to it.
#[derive(Debug)]
pub struct Handle {
    /// `NONE` where the channel was made while nothing was recorded.
    channel: ObjectId,
    id: HandleId,
    side: Side,
}

/// Records a new channel and gives its sender's and receiver's side. `capacity`: `None` for unbounded, 0 for rendezvous.
#[track_caller]
pub fn new_channel(capacity: Option<usize>, type_name: fn() -> &'static str) -> (Handle, Handle) {
    new(ObjectKind::Channel, capacity, type_name)
}

/// Records a new group of members that can be waited for, and gives its first member's side and that of who waits.
#[track_caller]
pub fn new_wait_group() -> (Handle, Handle) {
    new(ObjectKind::WaitGroup, None, || "")
}

#[track_caller]
fn new(kind: ObjectKind, capacity: Option<usize>, type_name: fn() -> &'static str) -> (Handle, Handle) {
    if !recorder::is_on() {
        return (
            Handle::new(ObjectId::NONE, HandleId::NONE, Side::Sender),
            Handle::new(ObjectId::NONE, HandleId::NONE, Side::Receiver),
        );
    }
    let channel = Object::new(kind).id(type_name);
    let (sender, receiver) = (recorder::new_handle(), recorder::new_handle());
    let site = recorder::site(Location::caller());
    recorder::emit(Event::ChannelNew { channel, site, capacity: capacity.map(|n| n as u64), sender, receiver });
    (Handle::new(channel, sender, Side::Sender), Handle::new(channel, receiver, Side::Receiver))
}

impl Handle {
    fn new(channel: ObjectId, id: HandleId, side: Side) -> Handle {
        Handle { channel, id, side }
    }

    /// Whether this channel is recorded: not one that was made while nothing was, nor, in a forked child, one of the parent's.
    #[inline]
    fn is_recorded(&self) -> bool {
        self.channel.is_some() && object::is_ours(self.channel.0)
    }

    /// A stamp for the message that the calling thread is about to send.
    #[inline]
    pub fn stamp(&self) -> Stamp {
        if !self.is_recorded() {
            return Stamp::NONE;
        }
        recorder::new_stamp()
    }

    /// Records that the thread is about to wait for room.
    pub fn send_request(&self, timed: bool, place: &'static Location<'static>) {
        if self.is_recorded() {
            let site = recorder::site(place);
            recorder::emit(Event::SendRequest { channel: self.channel, handle: self.id, site, timed });
        }
    }

    /// Records that a message was put in.
    #[inline]
    pub fn sent(&self, stamp: Stamp, place: &'static Location<'static>) {
        self.message(entry::SEND, stamp, place);
    }

    /// Records a send that put nothing in: the receiver is gone (`closed`), or there was no room.
    pub fn send_failed(&self, closed: bool, place: &'static Location<'static>) {
        if self.is_recorded() && !self.repeats_poll(closed) {
            let site = recorder::site(place);
            recorder::emit(Event::SendFail { channel: self.channel, handle: self.id, site, closed });
        }
    }

    /// Records that the thread is about to wait for a message.
    pub fn recv_request(&self, timed: bool, place: &'static Location<'static>) {
        if self.is_recorded() {
            let site = recorder::site(place);
            polling::ends(self.id);
            recorder::emit(Event::RecvRequest { channel: self.channel, handle: self.id, site, timed });
        }
    }

    /// Records that this handle is one of those that the thread is about to select from.
    pub(crate) fn select_case(&self) {
        if self.is_recorded() {
            polling::ends(self.id);
            recorder::emit(Event::SelectCase { channel: self.channel, handle: self.id, side: self.side });
        }
    }

    /// Records that the limit of a selection ended this handle's part in it.
    pub(crate) fn gave_up(&self, place: &'static Location<'static>) {
        match self.side {
            Side::Sender => self.send_failed(false, place),
            Side::Receiver => self.recv_failed(false, place),
        }
    }

    /// Records that a message was taken out.
    #[inline]
    pub fn received(&self, stamp: Stamp, place: &'static Location<'static>) {
        self.message(entry::RECV, stamp, place);
    }

    /// Records a receive that got nothing: all senders are gone (`closed`), or there was no message.
    pub fn recv_failed(&self, closed: bool, place: &'static Location<'static>) {
        if self.is_recorded() && !self.repeats_poll(closed) {
            let site = recorder::site(place);
            recorder::emit(Event::RecvFail { channel: self.channel, handle: self.id, site, closed });
        }
    }

    /// Records that a message was put in or taken out.
    #[inline(never)]
    fn message(&self, tag: u8, stamp: Stamp, place: &'static Location<'static>) {
        polling::ends(self.id);
        let recorded = site::first_seen(place).and_then(|site| entry::ends(self.channel, self.id, site)).is_some_and(|ends| {
            local::with(|local| {
                local.is_ours(self.channel)
                    && local.write_frequent(|place, elapsed| place.message(tag, elapsed, ends, stamp)).is_some()
            })
        });
        if !recorded {
            self.message_slowly(tag == entry::SEND, stamp, place);
        }
    }

    #[cold]
    #[inline(never)]
    fn message_slowly(&self, sent: bool, stamp: Stamp, place: &'static Location<'static>) {
        if self.is_recorded() {
            let (channel, handle, site) = (self.channel, self.id, recorder::site(place));
            recorder::emit(if sent {
                Event::Send { channel, handle, site, stamp }
            } else {
                Event::Recv { channel, handle, site, stamp }
            });
        }
    }

    /// Whether this failure only repeats the one before it. A channel that was found closed is no longer polled.
    fn repeats_poll(&self, closed: bool) -> bool {
        if closed {
            polling::ends(self.id);
            return false;
        }
        polling::repeats(self.id)
    }
}

impl Clone for Handle {
    #[track_caller]
    fn clone(&self) -> Handle {
        if !self.is_recorded() {
            return Handle::new(ObjectId::NONE, HandleId::NONE, self.side);
        }
        let handle = recorder::new_handle();
        recorder::emit(Event::HandleClone { channel: self.channel, side: self.side, from: self.id, handle });
        recorder::emit(Event::HandleMade { channel: self.channel, handle, site: recorder::site(Location::caller()) });
        Handle::new(self.channel, handle, self.side)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.is_recorded() {
            recorder::emit(Event::HandleDrop { channel: self.channel, side: self.side, handle: self.id });
        }
    }
}
