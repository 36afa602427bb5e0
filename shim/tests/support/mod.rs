//! What the tests of the facades of other crates have in common.

use std::process::Command;

use conccheck_trace::event::Event;
use conccheck_trace::ids::ThreadId;
use conccheck_trace::read::ProcessTrace;

pub(crate) use until_recorded::until_recorded;

mod recorded;
#[macro_use]
mod traits;
mod until_recorded;

/// Types of `$facade` and `$original` that have the same path in both, and must have the same traits.
macro_rules! same_traits {
    ($facade:ident, $original:ident: $($type:ident $(:: $more:ident)* $(<$($parameter:ty),+>)?),+ $(,)?) => {
        $(
            assert_eq!(
                traits_of!($facade::$type $(:: $more)* $(<$($parameter),+>)?),
                traits_of!($original::$type $(:: $more)* $(<$($parameter),+>)?),
                stringify!($type $(:: $more)* $(<$($parameter),+>)?)
            );
        )+
    };
}

/// Instantiates tests for the original and for the facade, each as `subject`. The body has a function `texts` whose result must not
/// differ.
macro_rules! both {
    ($facade:ident, $original:ident: $($body:tt)*) => {
        mod real {
            use $original as subject;
            $($body)*
        }
        mod facade {
            use $facade as subject;
            $($body)*
        }

        #[test]
        fn the_texts_are_the_same() {
            assert_eq!(real::texts(), facade::texts());
        }
    };
}

/// Runs `program`, which a test calls first, in a process of its own and gives its trace. `None` in that process.
pub(crate) fn recorded<F: FnOnce()>(program: F) -> Option<Trace> {
    recorded::recorded(program).map(Trace)
}

/// Runs the tests of the module `parity` once more, while everything is recorded.
pub(crate) fn parity_holds_while_recording() {
    let folder = tempfile::tempdir().unwrap();
    let mut this = Command::new(std::env::current_exe().unwrap());
    let run = this.arg("parity::").env("CONCCHECK_TRACE", folder.path()).output().unwrap();
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_some(), "a trace was written");
}

/// What a program recorded.
pub(crate) struct Trace(ProcessTrace);

impl Trace {
    /// The events of the `number`-th thread as text, without places and starts; numbers count in the order of first use.
    pub(crate) fn thread(&self, number: u32) -> Vec<String> {
        self.0.events(ThreadId(number)).filter_map(|record| text(&record.event)).collect()
    }
}

fn text(event: &Event) -> Option<String> {
    let flag = |is: bool, name: &'static str| if is { name } else { "" };
    Some(match *event {
        Event::Request { lock, mode, how, .. } => format!("request {} {mode:?} {how:?}", lock.0),
        Event::Acquire { lock, mode, how, .. } => format!("acquire {} {mode:?} {how:?}", lock.0),
        Event::Release { lock, wrote, .. } => format!("release {}{}", lock.0, flag(wrote, " wrote")),
        Event::TryFail { lock, mode, .. } => format!("try failed {} {mode:?}", lock.0),
        Event::TimeOut { lock, mode, .. } => format!("timed out {} {mode:?}", lock.0),
        Event::Convert { lock, from, to, .. } => format!("convert {} {from:?} {to:?}", lock.0),
        Event::PoisonSeen { lock, .. } => format!("poison seen {}", lock.0),
        Event::Wait { condvar, lock, timed, .. } => format!("wait {} of {}{}", condvar.0, lock.0, flag(timed, " timed")),
        Event::Wake { condvar, timed_out, .. } => format!("wake {}{}", condvar.0, flag(timed_out, " timed out")),
        Event::Notify { condvar, all, .. } => format!("notify {}{}", condvar.0, flag(all, " all")),
        Event::ChannelNew { channel, .. } => format!("channel {}", channel.0),
        Event::HandleClone { channel, side, .. } => format!("clone {} {side:?}", channel.0),
        Event::HandleDrop { channel, side, .. } => format!("drop {} {side:?}", channel.0),
        Event::RecvRequest { channel, .. } => format!("recv request {}", channel.0),
        Event::RecvFail { channel, closed, .. } => format!("recv failed {}{}", channel.0, flag(closed, " closed")),
        Event::Spawn { child, scoped, .. } => format!("spawn {}{}", child.0, flag(scoped, " scoped")),
        Event::End { panicked } => format!("end{}", flag(panicked, " panicked")),
        Event::JoinRequest { child, .. } => format!("join request {}", child.0),
        Event::Join { child, took, .. } => format!("join {}{}", child.0, flag(took, " took")),
        Event::Park { timed, .. } => format!("park{}", flag(timed, " timed")),
        Event::Unparked => "unparked".to_owned(),
        Event::Unpark { thread, .. } => format!("unpark {}", thread.0),
        Event::Yield { .. } => "yield".to_owned(),
        Event::OnceRequest { once, .. } => format!("once request {}", once.0),
        Event::OnceBegin { once, .. } => format!("once begin {}", once.0),
        Event::OnceEnd { once, panicked } => format!("once end {}{}", once.0, flag(panicked, " panicked")),
        Event::OnceGet { once, .. } => format!("once get {}", once.0),
        _ => return None,
    })
}
