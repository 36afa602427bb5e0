//! What a raw lock gives to who locks it, and wants back from who unlocks it: nothing in 0.4, a value in 0.5.
//!
//! One text for both: the macros take what 0.5 has, and leave out of it what 0.4 has not.

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
        $attempt.then_some(())
    };
}
#[cfg(conccheck_original = "0.5")]
macro_rules! got {
    ($attempt:expr) => {
        $attempt
    };
}

/// A call that takes a state and gives none or another.
#[cfg(not(conccheck_original = "0.5"))]
macro_rules! given {
    ($raw:expr, $name:ident, $state:expr) => {{
        let () = $state;
        $raw.$name()
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
        let () = $state;
        if $raw.$name($($limit)?) { Ok(()) } else { Err(()) }
    }};
}
#[cfg(conccheck_original = "0.5")]
macro_rules! tried {
    ($raw:expr, $name:ident, $state:expr $(, $limit:expr)?) => { $raw.$name($state $(, $limit)?) };
}
