//! The selection macros, over the instrumented [`Select`](crate::Select).
//!
//! The cases are taken one by one. Each operand is evaluated once, in order, and lives until the end of the selection; a message to
//! send is evaluated only when its case is selected.

/// See [`crossbeam_channel::select!`](crossbeam_channel_orig::select).
#[macro_export]
macro_rules! select {
    ($($tokens:tt)*) => {{
        const _IS_BIASED: bool = false;
        $crate::crossbeam_channel_internal!($($tokens)*)
    }};
}

/// See [`crossbeam_channel::select_biased!`](crossbeam_channel_orig::select_biased).
#[macro_export]
macro_rules! select_biased {
    ($($tokens:tt)*) => {{
        const _IS_BIASED: bool = true;
        $crate::crossbeam_channel_internal!($($tokens)*)
    }};
}

/// What both macros expand to, where `_IS_BIASED` is in scope.
#[doc(hidden)]
#[macro_export]
macro_rules! crossbeam_channel_internal {
    // A receive: with a block, whose comma may be missing, or another expression, whose comma may be missing at the end.
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] recv($r:expr $(,)?) -> $res:pat => $body:block, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@recv $sel [$($cases)*] [$($default)*] $r, $res, $body, $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] recv($r:expr $(,)?) -> $res:pat => $body:block $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@recv $sel [$($cases)*] [$($default)*] $r, $res, $body, $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] recv($r:expr $(,)?) -> $res:pat => $body:expr, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@recv $sel [$($cases)*] [$($default)*] $r, $res, $body, $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] recv($r:expr $(,)?) -> $res:pat => $body:expr) => {
        $crate::crossbeam_channel_internal!(@recv $sel [$($cases)*] [$($default)*] $r, $res, $body,)
    };
    (@recv $sel:ident [$($cases:tt)*] [$($default:tt)*] $r:expr, $res:pat, $body:expr, $($rest:tt)*) => {
        match $r {
            ref _r => {
                let _r: &$crate::Receiver<_> = _r;
                let _index = $sel.recv(_r);
                $crate::crossbeam_channel_internal!(@case $sel [$($cases)* (recv _index, _r, $res, $body)] [$($default)*] $($rest)*)
            }
        }
    };

    // A send, likewise.
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] send($s:expr, $m:expr $(,)?) -> $res:pat => $body:block, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@send $sel [$($cases)*] [$($default)*] $s, $m, $res, $body, $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] send($s:expr, $m:expr $(,)?) -> $res:pat => $body:block $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@send $sel [$($cases)*] [$($default)*] $s, $m, $res, $body, $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] send($s:expr, $m:expr $(,)?) -> $res:pat => $body:expr, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@send $sel [$($cases)*] [$($default)*] $s, $m, $res, $body, $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] send($s:expr, $m:expr $(,)?) -> $res:pat => $body:expr) => {
        $crate::crossbeam_channel_internal!(@send $sel [$($cases)*] [$($default)*] $s, $m, $res, $body,)
    };
    (@send $sel:ident [$($cases:tt)*] [$($default:tt)*] $s:expr, $m:expr, $res:pat, $body:expr, $($rest:tt)*) => {
        match $s {
            ref _s => {
                let _s: &$crate::Sender<_> = _s;
                let _index = $sel.send(_s);
                $crate::crossbeam_channel_internal!(@case $sel [$($cases)* (send _index, _s, $m, $res, $body)] [$($default)*] $($rest)*)
            }
        }
    };

    // What to do if nothing is ready, at once or for a while.
    (@case $sel:ident [$($cases:tt)*] [] default $(($($limit:expr)? $(,)?))? => $body:block, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@case $sel [$($cases)*] [($($($limit)?)?) $body] $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [] default $(($($limit:expr)? $(,)?))? => $body:block $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@case $sel [$($cases)*] [($($($limit)?)?) $body] $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [] default $(($($limit:expr)? $(,)?))? => $body:expr, $($rest:tt)*) => {
        $crate::crossbeam_channel_internal!(@case $sel [$($cases)*] [($($($limit)?)?) $body] $($rest)*)
    };
    (@case $sel:ident [$($cases:tt)*] [] default $(($($limit:expr)? $(,)?))? => $body:expr) => {
        $crate::crossbeam_channel_internal!(@case $sel [$($cases)*] [($($($limit)?)?) $body])
    };

    // All cases are known.
    (@case $sel:ident [$($cases:tt)*] []) => {{
        let _oper = $sel.select();
        $crate::crossbeam_channel_internal!(@complete _oper $($cases)*)
    }};
    (@case $sel:ident [$($cases:tt)*] [() $body:expr]) => {
        match $sel.try_select() {
            ::std::result::Result::Err(_) => $body,
            ::std::result::Result::Ok(_oper) => $crate::crossbeam_channel_internal!(@complete _oper $($cases)*),
        }
    };
    (@case $sel:ident [$($cases:tt)*] [($limit:expr) $body:expr]) => {
        match $sel.select_timeout($limit) {
            ::std::result::Result::Err(_) => $body,
            ::std::result::Result::Ok(_oper) => $crate::crossbeam_channel_internal!(@complete _oper $($cases)*),
        }
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)+] default $($rest:tt)*) => {
        ::std::compile_error!("there can be only one `default` case in a `select!` block")
    };
    (@case $sel:ident [$($cases:tt)*] [$($default:tt)*] $($rest:tt)+) => {
        ::std::compile_error!(::std::concat!(
            "expected `recv(…) -> … => …`, `send(…, …) -> … => …` or `default(…) => …` in a `select!` block, found `",
            ::std::stringify!($($rest)+),
            "`"
        ))
    };

    (@complete $oper:ident (recv $index:ident, $r:ident, $res:pat, $body:expr) $($cases:tt)*) => {
        if $oper.index() == $index {
            let $res = $oper.recv($r);
            $body
        } else {
            $crate::crossbeam_channel_internal!(@complete $oper $($cases)*)
        }
    };
    (@complete $oper:ident (send $index:ident, $s:ident, $m:expr, $res:pat, $body:expr) $($cases:tt)*) => {
        if $oper.index() == $index {
            let $res = $oper.send($s, $m);
            $body
        } else {
            $crate::crossbeam_channel_internal!(@complete $oper $($cases)*)
        }
    };
    (@complete $oper:ident) => {
        $oper.conccheck_unknown()
    };

    // Nothing to select from.
    (recv($r:expr $(,)?) -> $res:pat => $body:expr $(,)?) => {
        match $r {
            ref _r => {
                let _r: &$crate::Receiver<_> = _r;
                let $res = _r.recv();
                $body
            }
        }
    };

    ($($tokens:tt)*) => {{
        #[allow(unused_mut)]
        let mut _sel = if _IS_BIASED { $crate::Select::new_biased() } else { $crate::Select::new() };
        $crate::crossbeam_channel_internal!(@case _sel [] [] $($tokens)*)
    }};
}
