//! The table of events: tag on the wire, name, name in JSON, fields in order. Codecs are generated from it, so they can't drift apart.
//!
//! Acquisitions and releases are not in it: their tags carry more than a kind.

/// Calls the macro `$codec` with all rows.
macro_rules! event_table {
    ($codec:ident) => {
        $codec! {
            0x01 Request "request" { lock site mode how }
            0x02 TryFail "try-fail" { lock site mode }
            0x03 TimeOut "time-out" { lock site mode }
            0x04 Convert "convert" { lock site from to order }
            0x05 PoisonSeen "poison-seen" { lock site }
            0x06 PoisonCleared "poison-cleared" { lock site }
            0x08 Wait "wait" { condvar lock site timed order }
            0x09 Wake "wake" { condvar timed_out order }
            0x0a Notify "notify" { condvar site all waiting order }
            0x10 ChannelNew "channel-new" { channel site capacity sender receiver }
            0x11 HandleClone "handle-clone" { channel side from handle }
            0x12 HandleDrop "handle-drop" { channel side handle }
            0x13 SendRequest "send-request" { channel handle site timed }
            0x14 Send "send" { channel handle site stamp }
            0x15 SendFail "send-fail" { channel handle site closed }
            0x16 RecvRequest "recv-request" { channel handle site timed }
            0x17 Recv "recv" { channel handle site stamp }
            0x18 RecvFail "recv-fail" { channel handle site closed }
            0x19 SelectCase "select-case" { channel handle side }
            0x1a SelectRequest "select-request" { site cases timed }
            0x1b Selected "selected" { site others }
            0x1c HandleMade "handle-made" { channel handle site }
            0x20 Start "start" { parent name }
            0x21 Spawn "spawn" { child site scoped }
            0x22 End "end" { panicked }
            0x23 JoinRequest "join-request" { child site }
            0x24 Join "join" { child site took }
            0x25 Detach "detach" { child }
            0x26 Sleep "sleep" { site nanos }
            0x27 Park "park" { site timed }
            0x28 Unparked "unparked" { }
            0x29 Unpark "unpark" { thread site }
            0x2a Yield "yield" { site }
            0x2b Exit "exit" { site }
            0x30 OnceRequest "once-request" { once site }
            0x31 OnceBegin "once-begin" { once site }
            0x32 OnceEnd "once-end" { once panicked }
            0x33 OnceGet "once-get" { once site }
            0x34 BarrierWait "barrier-wait" { barrier site parties order }
            0x35 BarrierPass "barrier-pass" { barrier }
            0x38 TokenClone "token-clone" { token site }
            0x39 Cancel "cancel" { token site }
            0x3a CancelWait "cancel-wait" { token site timed }
            0x3b CancelLook "cancel-look" { token site cancelled }
            0x3c ScopeBegin "scope-begin" { scope site }
            0x3d ScopeEnd "scope-end" { scope }
            0x40 Read "read" { cell site }
            0x41 Write "write" { cell site }
            0x48 Stack "stack" { frame }
            0x50 Summary "summary" { lock site count hold }
            0x51 Lost "lost" { count }
        }
    };
}
pub(crate) use event_table;
