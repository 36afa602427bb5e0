//! What the guards have in common. A guard has the fields `held` and `inner` in this order, so that its release is recorded before
//! the real unlock, and a third that leads to its lock unless it was narrowed down to a part of what the lock protects.

/// What a guard can do because it leads to something. `mut`: mutable access too, which is noted.
macro_rules! guard_traits {
    ([$($generics:tt)*] $guard:ty) => {
        impl<$($generics)*, T: ?Sized + 'a> core::ops::Deref for $guard {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.inner
            }
        }

        impl<$($generics)*, T: core::fmt::Debug + ?Sized + 'a> core::fmt::Debug for $guard {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generics)*, T: core::fmt::Display + ?Sized + 'a> core::fmt::Display for $guard {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&**self, f)
            }
        }

        #[cfg(feature = "owning_ref")]
        #[expect(unsafe_code, reason = "promised by the original guard, which gives the address")]
        // SAFETY: the address is the original guard's, and does not change when the guard is moved.
        unsafe impl<$($generics)*, T: ?Sized + 'a> owning_ref::StableAddress for $guard {}
    };
    (mut [$($generics:tt)*] $guard:ty) => {
        guard_traits!([$($generics)*] $guard);

        impl<$($generics)*, T: ?Sized + 'a> core::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut T {
                self.held.wrote();
                &mut self.inner
            }
        }
    };
}

/// Lets a guard go to other threads where the original may go. By itself it would ask for more, because of the way to its lock.
macro_rules! crosses_threads {
    ([$($generics:tt)*] $guard:ident<$($parameter:tt),*>) => {
        #[expect(unsafe_code, reason = "as in the original")]
        // SAFETY: what this guard has beside the original may be sent, and leads to the lock as the original does.
        unsafe impl<$($generics)*, T: ?Sized + 'a> Send for $guard<$($parameter),*> where real::$guard<$($parameter),*>: Send {}
        #[expect(unsafe_code, reason = "as in the original")]
        // SAFETY: what this guard has beside the original may be shared, and leads to the lock as the original does.
        unsafe impl<$($generics)*, T: ?Sized + 'a> Sync for $guard<$($parameter),*> where real::$guard<$($parameter),*>: Sync {}
    };
}

/// The ways to narrow a guard down to a part of what it leads to, by a closure that gets such a reference; then, by one that may fail.
/// `wrote`: the part is reached mutably, which may be a write.
macro_rules! narrowing {
    ($guard:ident => $narrow:ident<$($generic:ident),*>, [$($reference:tt)+] [$($fallible:tt)+], {$($owner:ident)?} $($wrote:ident)?) => {
        /// See the original.
        #[inline]
        pub fn map<U: ?Sized, F>(s: Self, f: F) -> $narrow<'a, $($generic,)* U>
        where
            F: FnOnce($($reference)+ T) -> $($reference)+ U,
        {
            #[allow(unused_mut, reason = "some note a write")]
            let Self { mut held, inner, .. } = s;
            $(held.$wrote();)?
            $narrow { held, inner: real::$guard::map(inner, f) }
        }

        /// See the original.
        #[inline]
        pub fn try_map<U: ?Sized, F>(s: Self, f: F) -> Result<$narrow<'a, $($generic,)* U>, Self>
        where
            F: FnOnce($($fallible)+ T) -> Option<$($fallible)+ U>,
        {
            #[allow(unused_mut, reason = "some note a write")]
            let Self { mut held, inner, $($owner)? } = s;
            $(held.$wrote();)?
            match real::$guard::try_map(inner, f) {
                Ok(inner) => Ok($narrow { held, inner }),
                Err(inner) => Err(Self { held, inner, $($owner)? }),
            }
        }

        /// See the original.
        #[inline]
        pub fn try_map_or_err<U: ?Sized, F, E>(s: Self, f: F) -> Result<$narrow<'a, $($generic,)* U>, (Self, E)>
        where
            F: FnOnce($($fallible)+ T) -> Result<$($fallible)+ U, E>,
        {
            let mut failure = None;
            match Self::try_map(s, |whole| f(whole).map_err(|error| failure = Some(error)).ok()) {
                Ok(narrow) => Ok(narrow),
                Err(s) => Err((s, failure.expect("there is no part"))),
            }
        }
    };
}

/// The ways to let go of a lock for a while. `$taken`: whether another than this guard has it.
macro_rules! unlocking {
    ($guard:ident $owner:ident, $mode:expr, $taken:ident, $unlocked:ident) => {
        /// See the original.
        #[track_caller]
        pub fn $unlocked<F, U>(s: &mut Self, f: F) -> U
        where
            F: FnOnce() -> U,
        {
            let owner = s.$owner;
            let attempt = owner.attempt($mode, Location::caller());
            s.held.give_up();
            let result = real::$guard::$unlocked(&mut s.inner, || {
                let result = f();
                if owner.$taken() {
                    attempt.request(How::Blocking);
                }
                result
            });
            s.held = attempt.acquired(How::Blocking);
            result
        }
    };
    (fair $guard:ident $owner:ident, $mode:expr, $taken:ident) => {
        fair_unlock!($guard);

        unlocking!($guard $owner, $mode, $taken, unlocked_fair);

        /// See the original.
        #[track_caller]
        pub fn bump(s: &mut Self) {
            let attempt = s.$owner.attempt($mode, Location::caller());
            s.held.give_up();
            real::$guard::bump(&mut s.inner);
            s.held = attempt.acquired(How::Blocking);
        }
    };
}

macro_rules! fair_unlock {
    ($guard:ident) => {
        /// See the original.
        #[track_caller]
        pub fn unlock_fair(s: Self) {
            let Self { held, inner, .. } = s;
            drop(held);
            real::$guard::unlock_fair(inner);
        }
    };
}
