//! What a stuck thread waits for, in words.

use conccheck_trace::{Event, HandleId, Mode, ObjectId, ObjectKind, Side, SiteId};

use crate::draft::Draft;
use crate::model::Model;
use crate::model::thread::Pending;

/// The object that an event waits for, if it is one with a name.
pub(crate) fn object(event: Event) -> Option<ObjectId> {
    match event {
        Event::Request { lock, .. } => Some(lock),
        Event::Wait { condvar, .. } | Event::Wake { condvar, .. } => Some(condvar),
        Event::SendRequest { channel, .. } | Event::Send { channel, .. } => Some(channel),
        Event::RecvRequest { channel, .. } | Event::Recv { channel, .. } => Some(channel),
        Event::OnceRequest { once, .. } => Some(once),
        Event::BarrierWait { barrier, .. } => Some(barrier),
        Event::CancelWait { token, .. } => Some(token),
        _ => None,
    }
}

/// Whether what is waited for are members' ends, not messages.
pub(crate) fn is_group(model: &Model<'_>, channel: ObjectId) -> bool {
    model.kind(channel) == Some(ObjectKind::WaitGroup)
}

/// What the thread does there, to stand behind its name: "waits for `a` here".
pub(crate) fn text(model: &Model<'_>, draft: &Draft<'_, '_>, event: Event) -> String {
    let name = object(event).map(|id| draft.quoted(id)).unwrap_or_default();
    match event {
        Event::Request { mode, .. } => format!("waits for {name}{} here", mode_words(mode)),
        Event::Wait { .. } | Event::Wake { .. } => format!("waits for a notification of {name} here"),
        Event::SendRequest { .. } | Event::Send { .. } => format!("waits for room in channel {name} here"),
        Event::RecvRequest { channel, .. } if is_group(model, channel) => format!("waits for the members of {name} here"),
        Event::RecvRequest { .. } | Event::Recv { .. } => format!("waits for a message from channel {name} here"),
        Event::JoinRequest { child, .. } | Event::Join { child, .. } => {
            let child = model.thread_index(child).map_or_else(|| "a thread".to_owned(), |child| model.names().called(child));
            format!("waits for {child} to end here")
        }
        Event::Park { .. } => "is parked here".to_owned(),
        Event::OnceRequest { .. } => format!("waits for the initialisation of {name} here"),
        Event::BarrierWait { parties, .. } => format!("waits at barrier {name} for {parties} threads here"),
        Event::CancelWait { .. } => format!("waits for the cancellation of {name} here"),
        Event::Sleep { .. } => "sleeps here".to_owned(),
        Event::SelectRequest { .. } => "selects from channels here".to_owned(),
        _ => "waits here".to_owned(),
    }
}

/// The same without a thread, to stand behind "before": "waiting for `a`".
pub(crate) fn doing(model: &Model<'_>, draft: &Draft<'_, '_>, event: Event) -> String {
    let name = object(event).map(|id| draft.quoted(id)).unwrap_or_default();
    match event {
        Event::Wait { .. } | Event::Wake { .. } => format!("waiting for a notification of {name}"),
        Event::SendRequest { .. } => format!("sending into {name}"),
        Event::RecvRequest { channel, .. } if is_group(model, channel) => format!("waiting for the members of {name}"),
        Event::RecvRequest { .. } => format!("receiving from {name}"),
        Event::JoinRequest { child, .. } => {
            let child = model.thread_index(child).map_or_else(|| "a thread".to_owned(), |child| model.names().called(child));
            format!("waiting for {child} to end")
        }
        Event::Park { .. } => "parking".to_owned(),
        Event::OnceRequest { .. } => format!("using {name}"),
        Event::SelectRequest { .. } => "selecting from channels".to_owned(),
        _ => format!("waiting for {name}"),
    }
}

/// The call in a scenario: "lock(a)".
pub(crate) fn call(model: &Model<'_>, draft: &Draft<'_, '_>, event: Event) -> String {
    let name = object(event).map(|id| draft.name(id).to_owned()).unwrap_or_default();
    match event {
        Event::Request { mode, .. } => lock_call(mode, &name),
        Event::Wait { .. } | Event::Wake { .. } => format!("wait({name})"),
        Event::SendRequest { .. } | Event::Send { .. } => format!("send({name})"),
        Event::RecvRequest { channel, .. } if is_group(model, channel) => format!("wait({name})"),
        Event::RecvRequest { .. } | Event::Recv { .. } => format!("recv({name})"),
        Event::JoinRequest { child, .. } | Event::Join { child, .. } => {
            format!("join({})", model.thread_index(child).map_or("a thread", |child| model.names().thread(child)))
        }
        Event::Park { .. } => "park()".to_owned(),
        Event::OnceRequest { .. } => format!("init({name})"),
        Event::BarrierWait { .. } => format!("barrier({name})"),
        Event::CancelWait { .. } => format!("wait({name})"),
        _ => "wait".to_owned(),
    }
}

/// What a thread did, as a call, outside of what the finding is about.
pub(crate) fn done(model: &Model<'_>, event: Event) -> String {
    let class = |id: ObjectId| model.names().class(id);
    let thread = |id| model.thread_index(id).map_or("a thread", |thread| model.names().thread(thread));
    match event {
        Event::Spawn { child, .. } => format!("spawn({})", thread(child)),
        Event::Join { child, .. } => format!("join({})", thread(child)),
        Event::Start { .. } => "starts".to_owned(),
        Event::End { .. } => "ends".to_owned(),
        Event::Unpark { thread: other, .. } => format!("unpark({})", thread(other)),
        Event::Park { .. } | Event::Unparked => "park()".to_owned(),
        Event::Send { channel, .. } | Event::SendFail { channel, .. } => format!("send({})", class(channel)),
        Event::RecvFail { channel, .. } if is_group(model, channel) => format!("wait({})", class(channel)),
        Event::Recv { channel, .. } | Event::RecvFail { channel, .. } => format!("recv({})", class(channel)),
        Event::HandleDrop { channel, .. } => format!("drop({})", class(channel)),
        Event::Notify { condvar, all: false, .. } => format!("notify_one({})", class(condvar)),
        Event::Notify { condvar, .. } => format!("notify_all({})", class(condvar)),
        Event::Wait { condvar, .. } | Event::Wake { condvar, .. } => format!("wait({})", class(condvar)),
        Event::OnceBegin { once, .. } | Event::OnceEnd { once, .. } | Event::OnceGet { once, .. } => {
            format!("init({})", class(once))
        }
        Event::BarrierWait { barrier, .. } | Event::BarrierPass { barrier } => format!("barrier({})", class(barrier)),
        Event::TryFail { lock, .. } | Event::TimeOut { lock, .. } => format!("try_lock({})", class(lock)),
        Event::Cancel { token, .. } => format!("cancel({})", class(token)),
        Event::CancelLook { token, .. } => format!("is_cancelled({})", class(token)),
        _ => "goes on".to_owned(),
    }
}

/// The call that takes a lock.
pub(crate) fn lock_call(mode: Mode, name: &str) -> String {
    match mode {
        Mode::Exclusive | Mode::Reentrant => format!("lock({name})"),
        Mode::Shared | Mode::RecursiveShared => format!("read({name})"),
        Mode::Upgradable => format!("upgradable_read({name})"),
    }
}

/// How a lock is asked for, where that is worth saying.
pub(crate) fn mode_words(mode: Mode) -> &'static str {
    match mode {
        Mode::Exclusive | Mode::Reentrant => "",
        Mode::Shared | Mode::RecursiveShared => " (to read)",
        Mode::Upgradable => " (to read and upgrade)",
    }
}

/// The pending wait of a thread and its site. A selection from one operation is that operation.
pub(crate) fn pending(model: &Model<'_>, thread: usize) -> Option<(Event, SiteId)> {
    let pending = model.threads[thread].pending.as_ref()?;
    let site = pending.event.site().unwrap_or_default();
    let event = match (pending.event, pending.operations().as_deref()) {
        (Event::SelectRequest { .. }, Some(&[(channel, Side::Receiver)])) => {
            Event::RecvRequest { channel, handle: HandleId::NONE, site, timed: false }
        }
        (Event::SelectRequest { .. }, Some(&[(channel, Side::Sender)])) => {
            Event::SendRequest { channel, handle: HandleId::NONE, site, timed: false }
        }
        (event, _) => event,
    };
    Some((event, site))
}

/// The objects that a thread waits for: for a selection, the channels of all its operations.
pub(crate) fn objects(model: &Model<'_>, thread: usize) -> Vec<ObjectId> {
    let Some(pending) = &model.threads[thread].pending else { return Vec::new() };
    let mut objects: Vec<ObjectId> = object(pending.event).into_iter().collect();
    if let Event::SelectRequest { .. } = pending.event {
        let operations = pending.operations().unwrap_or_default();
        operations.into_iter().for_each(|(channel, _)| {
            if !objects.contains(&channel) {
                objects.push(channel);
            }
        });
    }
    objects
}

/// As [`text`], for the pending wait of a thread.
pub(crate) fn pending_text(model: &Model<'_>, draft: &Draft<'_, '_>, thread: usize) -> String {
    match pending(model, thread) {
        Some((Event::SelectRequest { cases: 0, .. }, _)) => "waits for nothing that could come, here".to_owned(),
        Some((Event::SelectRequest { .. }, _)) => {
            let operation = |(channel, side)| match side {
                Side::Receiver => format!("a message from channel {}", draft.quoted(channel)),
                Side::Sender => format!("room in channel {}", draft.quoted(channel)),
            };
            let pending = model.threads[thread].pending.as_ref();
            let operations = pending.and_then(Pending::operations).unwrap_or_default();
            format!("waits for {} here", operations.into_iter().map(operation).collect::<Vec<_>>().join(", or "))
        }
        Some((event, _)) => text(model, draft, event),
        None => String::new(),
    }
}

/// As [`call`], for the pending wait of a thread.
pub(crate) fn pending_call(model: &Model<'_>, draft: &Draft<'_, '_>, thread: usize) -> Option<String> {
    let (event, _) = pending(model, thread)?;
    Some(match event {
        Event::SelectRequest { .. } => {
            let names: Vec<&str> = objects(model, thread).into_iter().map(|id| draft.name(id)).collect();
            format!("select({})", names.join(", "))
        }
        event => call(model, draft, event),
    })
}
