//! Which traits a type implements.

/// Whether a type implements a trait. The type must be concrete.
macro_rules! implements {
    ($type:ty: $($bound:tt)+) => {{
        struct Probe<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "unused where the type has the trait")]
        trait Otherwise {
            const YES: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}
        #[allow(dead_code, reason = "unused where the type lacks the trait")]
        impl<T: ?Sized + $($bound)+> Probe<T> {
            const YES: bool = true;
        }
        <Probe<$type>>::YES
    }};
}

/// Which of the usual traits a type implements.
macro_rules! traits_of {
    ($type:ty) => {
        [
            ("Send", implements!($type: Send)),
            ("Sync", implements!($type: Sync)),
            ("Unpin", implements!($type: Unpin)),
            ("UnwindSafe", implements!($type: std::panic::UnwindSafe)),
            ("RefUnwindSafe", implements!($type: std::panic::RefUnwindSafe)),
            ("Clone", implements!($type: Clone)),
            ("Copy", implements!($type: Copy)),
            ("Debug", implements!($type: std::fmt::Debug)),
            ("Display", implements!($type: std::fmt::Display)),
            ("Default", implements!($type: Default)),
            ("PartialEq", implements!($type: PartialEq)),
            ("Eq", implements!($type: Eq)),
            ("Hash", implements!($type: std::hash::Hash)),
            ("Iterator", implements!($type: Iterator)),
            ("FusedIterator", implements!($type: std::iter::FusedIterator)),
            ("IntoIterator", implements!($type: IntoIterator)),
            ("Deref", implements!($type: std::ops::Deref)),
            ("DerefMut", implements!($type: std::ops::DerefMut)),
        ]
    };
}

/// Makes constants that refer to a value of each type, which compiles only where the types have no interior mutability.
#[allow(unused_macros, reason = "not every facade has such types")]
macro_rules! constants_refer_to {
    ($($type:ty),+ $(,)?) => {
        const fn none<T>() -> Option<T> {
            None
        }
        $(const _: &Option<$type> = &none();)+
    };
}
