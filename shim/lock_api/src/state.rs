//! What a raw lock gives to who locks it, and wants back from who unlocks it: nothing in 0.4, a value in 0.5.
//!
//! One text for both: the macros take what 0.5 has, and leave out of it what 0.4 has not.

/// What a raw lock of 0.4 gives, and a `ReentrantMutex` of both.
pub(crate) struct Nothing;

/// The type of the state, or what else differs: `by_version!(in 0.4, in 0.5)`.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! by_version {
    ($old:ty, $new:ty) => {
        $old
    };
}
#[cfg(conccheck_original = "0.5")]
macro_rules! by_version {
    ($old:ty, $new:ty) => {
        $new
    };
}

/// The state that an attempt to lock got, if it did.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! got {
    ($attempt:expr) => {
        $attempt.then_some(Nothing)
    };
}
#[cfg(conccheck_original = "0.5")]
macro_rules! got {
    ($attempt:expr) => {
        $attempt
    };
}

/// The state that a wait for a lock got.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! waited {
    ($wait:expr) => {{
        $wait;
        Nothing
    }};
}
#[cfg(conccheck_original = "0.5")]
macro_rules! waited {
    ($wait:expr) => {
        $wait
    };
}

/// A call that takes a state for good.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! released {
    ($raw:expr, $name:ident, $state:expr) => {{
        let Nothing = $state;
        $raw.$name();
    }};
}
#[cfg(conccheck_original = "0.5")]
macro_rules! released {
    ($raw:expr, $name:ident, $state:expr) => {
        $raw.$name($state)
    };
}

/// A call that takes a state and gives another.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! given {
    ($raw:expr, $name:ident, $state:expr) => {{
        let Nothing = $state;
        $raw.$name();
        Nothing
    }};
}
#[cfg(conccheck_original = "0.5")]
macro_rules! given {
    ($raw:expr, $name:ident, $state:expr) => {
        $raw.$name($state)
    };
}

/// A call that takes a state and gives another, or the same back.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! tried {
    ($raw:expr, $name:ident, $state:expr $(, $limit:expr)?) => {{
        let Nothing = $state;
        if $raw.$name($($limit)?) { Ok(Nothing) } else { Err(Nothing) }
    }};
}
#[cfg(conccheck_original = "0.5")]
macro_rules! tried {
    ($raw:expr, $name:ident, $state:expr $(, $limit:expr)?) => {
        $raw.$name($state $(, $limit)?)
    };
}
