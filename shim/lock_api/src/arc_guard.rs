//! What the guards that own their lock have in common: the fields `held`, `state`, the lock itself, and `marker`.
//!
//! They are made by the raw lock, as the originals are, since a guard that borrows does not give its state away.

/// A guard that owns its lock.
///
/// - `$guard` in mode `$mode` of the lock `$Lock`, to which `$owner` leads; `$State` is what the raw lock gives
/// - `$try_lock` and `$lock` are how the original is asked for, `$unlock` (and, `fair`ly, `$unlock_fair`) how it is released
macro_rules! arc_guard {
    (
        $guard:ident[$($generic:ident: $bound:path),*] $owner:ident: $Lock:ident, $mode:expr, $State:ty,
        $try_lock:expr, $lock:expr, $unlock:expr,
        fair [$($fair_generic:ident: $fair_bound:path),*] $unlock_fair:expr, $marker:ty
    ) => {
        #[doc = concat!("Instrumented [`lock_api::", stringify!($guard), "`](lock_api_orig::", stringify!($guard), ").")]
        #[must_use = "if unused the lock will immediately unlock"]
        #[clippy::has_significant_drop]
        pub struct $guard<$($generic: $bound,)* T: ?Sized> {
            pub(crate) held: ManuallyDrop<Held<'static>>,
            pub(crate) state: ManuallyDrop<$State>,
            pub(crate) $owner: Arc<$Lock<$($generic,)* T>>,
            pub(crate) marker: PhantomData<$marker>,
        }

        impl<$($generic: $bound,)* T: ?Sized> $guard<$($generic,)* T> {
            /// For a lock that was got just now.
            #[expect(unsafe_code, reason = "the owner replaces the borrow")]
            pub(crate) fn owning($owner: &Arc<$Lock<$($generic,)* T>>, (held, state): (Held<'_>, $State)) -> Self {
                // SAFETY: it is dropped before the lock's owner, which is part of the same guard.
                let held = ManuallyDrop::new(unsafe { held.into_owned() });
                $guard { held, state: ManuallyDrop::new(state), $owner: Arc::clone($owner), marker: PhantomData }
            }

            /// The hold, the state and the lock, which is still locked.
            #[expect(unsafe_code, reason = "moves out of a type with a destructor")]
            pub(crate) fn into_parts(s: Self) -> (Held<'static>, $State, Arc<$Lock<$($generic,)* T>>) {
                let mut s = ManuallyDrop::new(s);
                // SAFETY: none of the fields is used again.
                unsafe {
                    (ManuallyDrop::take(&mut s.held), ManuallyDrop::take(&mut s.state), core::ptr::read(&raw const s.$owner))
                }
            }

            #[doc = concat!("See [`lock_api::", stringify!($guard), "::", stringify!($owner), "`](lock_api_orig::", stringify!($guard), ").")]
            #[inline]
            pub fn $owner(s: &Self) -> &Arc<$Lock<$($generic,)* T>> {
                &s.$owner
            }

            /// See the original.
            #[track_caller]
            pub fn into_arc(s: Self) -> Arc<$Lock<$($generic,)* T>> {
                let (held, state, owner) = Self::into_parts(s);
                drop(held);
                $unlock(&owner.inner, state);
                owner
            }

            /// See the original.
            #[track_caller]
            pub fn unlocked<F, U>(s: &mut Self, f: F) -> U
            where
                F: FnOnce() -> U,
            {
                s.unlocked_by(Location::caller(), |owner, state| $unlock(owner, state), f)
            }

            #[expect(unsafe_code, reason = "the state is away while the lock is free")]
            fn unlocked_by<U>(
                &mut self,
                place: &'static Location<'static>,
                unlock: impl FnOnce(&real::$Lock<$($generic,)* T>, $State),
                f: impl FnOnce() -> U,
            ) -> U {
                self.held.give_up();
                let owner = Arc::clone(&self.$owner);
                // SAFETY: it is replaced before it is used again, or the process aborts.
                let state = unsafe { ManuallyDrop::take(&mut self.state) };
                let _locked_again = Finally::new(|| never_unwinding(|| self.lock_again(place)));
                unlock(&owner.inner, state);
                f()
            }

            #[expect(unsafe_code, reason = "the owner replaces the borrow")]
            fn lock_again(&mut self, place: &'static Location<'static>) {
                let attempt = self.$owner.attempt($mode, place);
                let (held, state) = attempt.blocking(|| $try_lock(&self.$owner.inner), || $lock(&self.$owner.inner));
                self.state = ManuallyDrop::new(state);
                // SAFETY: as in `owning`.
                *self.held = unsafe { held.into_owned() };
            }
        }

        impl<$($fair_generic: $fair_bound,)* T: ?Sized> $guard<$($fair_generic,)* T> {
            /// See the original.
            #[track_caller]
            pub fn unlock_fair(s: Self) {
                drop(Self::into_arc_fair(s));
            }

            /// See the original.
            #[track_caller]
            pub fn into_arc_fair(s: Self) -> Arc<$Lock<$($fair_generic,)* T>> {
                let (held, state, owner) = Self::into_parts(s);
                drop(held);
                $unlock_fair(&owner.inner, state);
                owner
            }

            /// See the original.
            #[track_caller]
            pub fn unlocked_fair<F, U>(s: &mut Self, f: F) -> U
            where
                F: FnOnce() -> U,
            {
                s.unlocked_by(Location::caller(), |owner, state| $unlock_fair(owner, state), f)
            }

            /// See the original.
            #[track_caller]
            pub fn bump(s: &mut Self) {
                Self::unlocked_fair(s, || ());
            }
        }

        impl<$($generic: $bound,)* T: ?Sized> Drop for $guard<$($generic,)* T> {
            #[expect(unsafe_code, reason = "drops in the right order")]
            fn drop(&mut self) {
                // SAFETY: this is the end of it.
                let state = unsafe {
                    ManuallyDrop::drop(&mut self.held);
                    ManuallyDrop::take(&mut self.state)
                };
                $unlock(&self.$owner.inner, state);
            }
        }

        impl<$($generic: $bound,)* T: ?Sized> core::ops::Deref for $guard<$($generic,)* T> {
            type Target = T;

            #[inline]
            #[expect(unsafe_code, reason = "as in the original")]
            fn deref(&self) -> &T {
                // SAFETY: the lock is held for as long as this guard lives.
                unsafe { &*self.$owner.data_ptr() }
            }
        }
    };
    (mut $guard:ident[$($generic:ident: $bound:path),*] $owner:ident) => {
        impl<$($generic: $bound,)* T: ?Sized> core::ops::DerefMut for $guard<$($generic,)* T> {
            #[inline]
            #[expect(unsafe_code, reason = "as in the original")]
            fn deref_mut(&mut self) -> &mut T {
                self.held.wrote();
                // SAFETY: the lock is held exclusively for as long as this guard lives.
                unsafe { &mut *self.$owner.data_ptr() }
            }
        }
    };
    (text $guard:ident[$($generic:ident: $bound:path),*]) => {
        impl<$($generic: $bound,)* T: core::fmt::Debug + ?Sized> core::fmt::Debug for $guard<$($generic,)* T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generic: $bound,)* T: core::fmt::Display + ?Sized> core::fmt::Display for $guard<$($generic,)* T> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(&**self, f)
            }
        }
    };
    // The ways to ask for it, each by functions like `$try_lock` and `$lock` above.
    (lock $guard:ident, $mode:expr, $arc:ident = $try_lock:ident, $lock:ident) => {
        #[doc = concat!("See [`lock_api::", stringify!($guard), "`](lock_api_orig::", stringify!($guard), ").")]
        #[track_caller]
        pub fn $arc(self: &Arc<Self>) -> $guard<R, T> {
            let attempt = self.attempt($mode, Location::caller());
            $guard::owning(self, attempt.blocking(|| $try_lock(&self.inner), || $lock(&self.inner)))
        }
    };
    (try $guard:ident, $mode:expr, $arc:ident = $try_lock:ident) => {
        #[doc = concat!("See [`lock_api::", stringify!($guard), "`](lock_api_orig::", stringify!($guard), ").")]
        #[track_caller]
        pub fn $arc(self: &Arc<Self>) -> Option<$guard<R, T>> {
            let attempt = self.attempt($mode, Location::caller());
            Some($guard::owning(self, attempt.once(|| $try_lock(&self.inner))?))
        }
    };
    (timed $guard:ident, $mode:expr, $arc:ident = $try_lock:ident, $wait:ident $limit:ident) => {
        #[doc = concat!("See [`lock_api::", stringify!($guard), "`](lock_api_orig::", stringify!($guard), ").")]
        #[track_caller]
        #[expect(unsafe_code, reason = "asks the raw lock")]
        pub fn $arc(self: &Arc<Self>, timeout: R::$limit) -> Option<$guard<R, T>> {
            let attempt = self.attempt($mode, Location::caller());
            // SAFETY: nothing is unlocked here.
            let wait = || got!(unsafe { self.inner.raw() }.$wait(timeout));
            Some($guard::owning(self, attempt.timed(|| $try_lock(&self.inner), wait)?))
        }
    };
    (unchecked $guard:ident, $mode:expr, $State:ty, $arc:ident) => {
        #[doc = concat!("See [`lock_api::", stringify!($guard), "`](lock_api_orig::", stringify!($guard), ").")]
        ///
        /// # Safety
        /// As the original's.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub unsafe fn $arc(self: &Arc<Self>, #[cfg(conccheck_original = "0.5")] guard: $State) -> $guard<R, T> {
            #[cfg(not(conccheck_original = "0.5"))]
            let guard = Nothing;
            $guard::owning(self, (self.attempt($mode, Location::caller()).acquired(How::Try), guard))
        }
    };
}

/// Functions that get a lock by the raw lock's methods of their names.
macro_rules! raw_locking {
    ($($try_lock:ident, $lock:ident: $Lock:ident of $bound:ident gives $State:ident),*) => {$(
        #[expect(unsafe_code, reason = "asks the raw lock")]
        fn $try_lock<R: $bound, T: ?Sized>(lock: &real::$Lock<R, T>) -> Option<by_version!(Nothing, R::$State)> {
            // SAFETY: nothing is unlocked here.
            got!(unsafe { lock.raw() }.$try_lock())
        }

        #[expect(unsafe_code, reason = "asks the raw lock")]
        fn $lock<R: $bound, T: ?Sized>(lock: &real::$Lock<R, T>) -> by_version!(Nothing, R::$State) {
            // SAFETY: nothing is unlocked here.
            waited!(unsafe { lock.raw() }.$lock())
        }
    )*};
}

/// Functions that release a lock by the raw lock's methods of their names.
macro_rules! raw_unlocking {
    ($($unlock:ident: $Lock:ident of $bound:ident takes $State:ident),*) => {$(
        #[expect(unsafe_code, reason = "the guards, which hold the lock, are the only callers")]
        fn $unlock<R: $bound, T: ?Sized>(lock: &real::$Lock<R, T>, state: by_version!(Nothing, R::$State)) {
            // SAFETY: called only for a guard that gives its lock up, with what it got for it.
            unsafe { released!(lock.raw(), $unlock, state) }
        }
    )*};
}
