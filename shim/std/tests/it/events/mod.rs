//! The exact events of small programs, each run in a process of its own.

mod channels;
mod locks;
mod once_barrier;
mod threads;
mod waits;

use conccheck_trace::event::Event;
use conccheck_trace::ids::ThreadId;
use conccheck_trace::read::ProcessTrace;

use crate::recorded;
use crate::until_recorded::until_recorded;

/// Runs `program`, which a test calls first, in a process of its own and gives its trace. `None` in that process.
fn recorded<F: FnOnce()>(program: F) -> Option<Trace> {
    recorded::recorded(program).map(Trace)
}

/// What a program recorded.
struct Trace(ProcessTrace);

impl Trace {
    /// The events of the `number`-th thread as text, without places; numbers count in the order of first use.
    fn thread(&self, number: u32) -> Vec<String> {
        self.events(number).iter().map(text).collect()
    }

    fn events(&self, number: u32) -> Vec<Event> {
        self.0.events(ThreadId(number)).map(|record| record.event).collect()
    }

    /// The source lines of the events that have one.
    fn lines(&self, number: u32) -> Vec<u32> {
        let sites = self.events(number).into_iter().filter_map(|event| event.site());
        sites.map(|site| self.0.tables.site(site).expect("it is defined").line).collect()
    }
}

fn text(event: &Event) -> String {
    match *event {
        Event::Request { lock, mode, how, .. } => format!("request {} {mode:?} {how:?}", lock.0),
        Event::Acquire { lock, mode, how, order, .. } => format!("acquire {} {mode:?} {how:?} {}", lock.0, order.0),
        Event::Release { lock, wrote, unwinding } => {
            format!("release {}{}{}", lock.0, if wrote { " wrote" } else { "" }, if unwinding { " unwinding" } else { "" })
        }
        Event::TryFail { lock, mode, .. } => format!("try failed {} {mode:?}", lock.0),
        Event::Convert { lock, from, to, order, .. } => format!("convert {} {from:?} {to:?} {}", lock.0, order.0),
        Event::PoisonSeen { lock, .. } => format!("poison seen {}", lock.0),
        Event::PoisonCleared { lock, .. } => format!("poison cleared {}", lock.0),
        Event::Wait { condvar, lock, timed, order, .. } => {
            format!("wait {} of {}{} {}", condvar.0, lock.0, if timed { " timed" } else { "" }, order.0)
        }
        Event::Wake { condvar, timed_out, order } => {
            format!("wake {}{} {}", condvar.0, if timed_out { " timed out" } else { "" }, order.0)
        }
        Event::Notify { condvar, all, waiting, order, .. } => {
            format!("notify {} {} {waiting} {}", condvar.0, if all { "all" } else { "one" }, order.0)
        }
        Event::ChannelNew { channel, capacity, sender, receiver, .. } => {
            format!("channel {} {capacity:?} {} {}", channel.0, sender.0, receiver.0)
        }
        Event::HandleClone { channel, side, from, handle } => format!("clone {} {side:?} {} {}", channel.0, from.0, handle.0),
        Event::HandleMade { channel, handle, .. } => format!("made {} {}", channel.0, handle.0),
        Event::HandleDrop { channel, side, handle } => format!("drop {} {side:?} {}", channel.0, handle.0),
        Event::SendRequest { channel, handle, timed, .. } => format!("send request {} {} {timed}", channel.0, handle.0),
        Event::Send { channel, handle, stamp, .. } => {
            format!("send {} {} {}.{}", channel.0, handle.0, stamp.thread().0, stamp.number())
        }
        Event::SendFail { channel, handle, closed, .. } => format!("send failed {} {} {closed}", channel.0, handle.0),
        Event::RecvRequest { channel, handle, timed, .. } => format!("recv request {} {} {timed}", channel.0, handle.0),
        Event::Recv { channel, handle, stamp, .. } => {
            format!("recv {} {} {}.{}", channel.0, handle.0, stamp.thread().0, stamp.number())
        }
        Event::RecvFail { channel, handle, closed, .. } => format!("recv failed {} {} {closed}", channel.0, handle.0),
        Event::Start { parent, .. } => format!("start {}", parent.0),
        Event::Spawn { child, scoped, .. } => format!("spawn {}{}", child.0, if scoped { " scoped" } else { "" }),
        Event::End { panicked } => format!("end{}", if panicked { " panicked" } else { "" }),
        Event::JoinRequest { child, .. } => format!("join request {}", child.0),
        Event::Join { child, took, .. } => format!("join {}{}", child.0, if took { " took" } else { "" }),
        Event::Detach { child } => format!("detach {}", child.0),
        Event::Sleep { nanos, .. } => format!("sleep {}", nanos.0),
        Event::Park { timed, .. } => format!("park{}", if timed { " timed" } else { "" }),
        Event::Unparked => "unparked".to_string(),
        Event::Unpark { thread, .. } => format!("unpark {}", thread.0),
        Event::OnceRequest { once, .. } => format!("once request {}", once.0),
        Event::OnceBegin { once, .. } => format!("once begin {}", once.0),
        Event::OnceEnd { once, panicked } => format!("once end {}{}", once.0, if panicked { " panicked" } else { "" }),
        Event::OnceGet { once, .. } => format!("once get {}", once.0),
        Event::BarrierWait { barrier, parties, order, .. } => format!("barrier wait {} {parties} {}", barrier.0, order.0),
        Event::BarrierPass { barrier } => format!("barrier pass {}", barrier.0),
        other => format!("{other:?}"),
    }
}
