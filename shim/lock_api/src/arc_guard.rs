//! What the guards that own their lock have in common: the fields `held`, the lock itself, and `marker`.

/// A guard that owns its lock.
///
/// - `$guard` in mode `$mode` of the lock `$Lock`, to which `$owner` leads; `$Borrowed` is the guard of the same kind that borrows it
/// - `$real_lock` and `$real_try` are how the original asks for it, `$unlock` (and, `fair`ly, `$unlock_fair`) how it is released
macro_rules! arc_guard {
    (
        $guard:ident[$($generic:ident: $bound:path),*] $owner:ident: $Lock:ident, $Borrowed:ident, $mode:expr,
        $real_try:ident, $real_lock:ident, $unlock:expr,
        fair [$($fair_generic:ident: $fair_bound:path),*] $unlock_fair:expr, $marker:ty
    ) => {
        #[doc = concat!("Instrumented [`lock_api::", stringify!($guard), "`](lock_api_orig::", stringify!($guard), ").")]
        #[must_use = "if unused the lock will immediately unlock"]
        #[clippy::has_significant_drop]
        pub struct $guard<$($generic: $bound,)* T: ?Sized> {
            pub(crate) held: ManuallyDrop<Held<'static>>,
            pub(crate) $owner: Arc<$Lock<$($generic,)* T>>,
            pub(crate) marker: PhantomData<$marker>,
        }

        impl<$($generic: $bound,)* T: ?Sized> $guard<$($generic,)* T> {
            /// From one that borrows the same lock.
            #[expect(unsafe_code, reason = "the owner replaces the borrow")]
            pub(crate) fn owning($owner: &Arc<$Lock<$($generic,)* T>>, guard: $Borrowed<'_, $($generic,)* T>) -> Self {
                let $Borrowed { held, inner, .. } = guard;
                core::mem::forget(inner);
                // SAFETY: it is dropped before the lock's owner, which is part of the same guard.
                let held = ManuallyDrop::new(unsafe { held.into_owned() });
                $guard { held, $owner: Arc::clone($owner), marker: PhantomData }
            }

            /// The hold and the lock, which is still locked.
            #[expect(unsafe_code, reason = "moves out of a type with a destructor")]
            pub(crate) fn into_parts(s: Self) -> (Held<'static>, Arc<$Lock<$($generic,)* T>>) {
                let mut s = ManuallyDrop::new(s);
                // SAFETY: neither field is used again.
                unsafe { (ManuallyDrop::take(&mut s.held), core::ptr::read(&raw const s.$owner)) }
            }

            #[doc = concat!("See [`lock_api::", stringify!($guard), "::", stringify!($owner), "`](lock_api_orig::", stringify!($guard), ").")]
            #[inline]
            pub fn $owner(s: &Self) -> &Arc<$Lock<$($generic,)* T>> {
                &s.$owner
            }

            /// See the original.
            #[track_caller]
            pub fn into_arc(s: Self) -> Arc<$Lock<$($generic,)* T>> {
                let (held, owner) = Self::into_parts(s);
                drop(held);
                $unlock(&owner.inner);
                owner
            }

            /// See the original.
            #[track_caller]
            pub fn unlocked<F, U>(s: &mut Self, f: F) -> U
            where
                F: FnOnce() -> U,
            {
                s.held.give_up();
                $unlock(&s.$owner.inner);
                let place = Location::caller();
                let _locked_again = Finally::new(|| s.lock_again(place));
                f()
            }

            #[expect(unsafe_code, reason = "the owner replaces the borrow")]
            fn lock_again(&mut self, place: &'static Location<'static>) {
                let attempt = self.$owner.attempt($mode, place);
                let (held, inner) = attempt.blocking(|| self.$owner.inner.$real_try(), || self.$owner.inner.$real_lock());
                core::mem::forget(inner);
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
                let (held, owner) = Self::into_parts(s);
                drop(held);
                $unlock_fair(&owner.inner);
                owner
            }

            /// See the original.
            #[track_caller]
            pub fn unlocked_fair<F, U>(s: &mut Self, f: F) -> U
            where
                F: FnOnce() -> U,
            {
                s.held.give_up();
                $unlock_fair(&s.$owner.inner);
                let place = Location::caller();
                let _locked_again = Finally::new(|| s.lock_again(place));
                f()
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
                unsafe { ManuallyDrop::drop(&mut self.held) };
                $unlock(&self.$owner.inner);
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
    // The ways to ask for it; `$borrowed` is the method that gives the guard that borrows.
    (try $Owned:ident, $arc:ident = $borrowed:ident($($timeout:ident: $limit:ident)?)) => {
        #[doc = concat!("See [`lock_api::", stringify!($Owned), "`](lock_api_orig::", stringify!($Owned), ").")]
        #[track_caller]
        pub fn $arc(self: &Arc<Self> $(, $timeout: R::$limit)?) -> Option<$Owned<R, T>> {
            Some($Owned::owning(self, self.$borrowed($($timeout)?)?))
        }
    };
    (lock $Owned:ident, $arc:ident = $borrowed:ident) => {
        #[doc = concat!("See [`lock_api::", stringify!($Owned), "`](lock_api_orig::", stringify!($Owned), ").")]
        #[track_caller]
        pub fn $arc(self: &Arc<Self>) -> $Owned<R, T> {
            $Owned::owning(self, self.$borrowed())
        }
    };
    (unchecked $Owned:ident, $arc:ident = $borrowed:ident) => {
        #[doc = concat!("See [`lock_api::", stringify!($Owned), "`](lock_api_orig::", stringify!($Owned), ").")]
        ///
        /// # Safety
        /// As the original's.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub unsafe fn $arc(self: &Arc<Self>) -> $Owned<R, T> {
            // SAFETY: as the caller promises.
            $Owned::owning(self, unsafe { self.$borrowed() })
        }
    };
}
