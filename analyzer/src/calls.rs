//! Who called: where the place of an acquisition lies in a helper that several callers share, the caller says more than the place.

use conccheck_trace::{FrameId, SiteDef, SiteId};

use crate::model::Model;
use crate::model::context::Context;
use crate::names::is_dependency;

/// A call in the user's own code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The function that called, by its path.
    pub function: String,
    /// Where in it.
    pub site: SiteDef,
}

/// The nearest call that led to an acquisition in this context, where its place does not say enough: others came there by another
/// way, or it is not in the user's own code.
pub(crate) fn caller(model: &Model<'_>, context: &Context) -> Option<Call> {
    let frame = stack(model, context)?;
    let site = model.site(context.site)?;
    if !is_dependency(&site.file) && !is_shared(model, context.site) {
        return None;
    }
    first_call(model, frame, site)
}

/// All calls in the user's own code that led to an acquisition in this context, as far as they were recorded.
pub(crate) fn all(model: &Model<'_>, context: &Context) -> Vec<Call> {
    let frame = stack(model, context).zip(model.site(context.site));
    frame.map(|(frame, site)| model.sources.calls(model.trace, frame, site)).unwrap_or_default()
}

/// What was recorded for this context, or for another thread's that is the same.
fn stack(model: &Model<'_>, context: &Context) -> Option<FrameId> {
    let innermost = |context: &Context| model.chains[context.chain as usize].lock;
    let is_same =
        |other: &&Context| other.stack.is_some() && other.site == context.site && innermost(other) == innermost(context);
    let same = || model.contexts_of(context.lock).find(is_same).map(|other| other.stack);
    Some(context.stack).filter(|stack| stack.is_some()).or_else(same)
}

/// Whether the acquisitions at a site were reached by more than one call. Who comes there without a lock is mostly not recorded, so
/// that some do and others hold one is told from the contexts.
fn is_shared(model: &Model<'_>, site: SiteId) -> bool {
    let Some(place) = model.site(site) else { return false };
    let contexts = || model.contexts.iter().filter(|context| context.site == site);
    let mut calls =
        contexts().filter(|context| context.stack.is_some()).filter_map(|context| first_call(model, context.stack, place));
    let Some(first) = calls.next() else { return false };
    let holds_nothing = |context: &Context| context.chain == 0;
    let is_reached_with_and_without = contexts().any(holds_nothing) && !contexts().all(holds_nothing);
    is_reached_with_and_without || calls.any(|call| call != first)
}

fn first_call(model: &Model<'_>, innermost: FrameId, site: &SiteDef) -> Option<Call> {
    model.sources.calls(model.trace, innermost, site).into_iter().next()
}

/// Of a whole stack, the calls in the user's own code that led to `site`, from the nearest outwards. `stack` is from the innermost
/// call outwards.
pub fn of_the_user(stack: Vec<Call>, site: &SiteDef) -> Vec<Call> {
    let is_at_site = |call: &Call| call.site.line == site.line && ends_alike(&call.site.file, &site.file);
    // A call in several lines has the line of one of them: then nothing is cut, and the function itself is the nearest.
    let behind = stack.iter().position(is_at_site).map_or(0, |at| at + 1);
    let is_users = |call: &Call| !is_foreign(&call.function) && !is_dependency(&call.site.file);
    stack.into_iter().skip(behind).filter(is_users).collect()
}

/// Whether one path is the end of the other.
fn ends_alike(a: &str, b: &str) -> bool {
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|before| before.is_empty() || before.ends_with(['/', '\\']))
    };
    ends(a, b) || ends(b, a)
}

/// Whether a function is one of std's, of the test harness's or of conccheck's own.
fn is_foreign(function: &str) -> bool {
    let path = function.trim_start_matches(['<', '&', '(', '*']);
    let path = path.strip_prefix("dyn ").unwrap_or(path);
    let first = path.split("::").next().unwrap_or_default();
    matches!(
        first,
        "std" | "core" | "alloc" | "test" | "real_std" | "" | "main" | "_start" | "_main" | "clone" | "__libc_start_main"
    ) || first.starts_with("conccheck_")
        || first.starts_with("__rust")
        || first.starts_with("_rust")
        || first.starts_with("__libc")
        || !path.contains("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: &str, file: &str, line: u32) -> Call {
        Call { function: function.to_owned(), site: SiteDef { file: file.to_owned(), line, column: 1 } }
    }

    #[test]
    fn what_lies_below_the_site_and_what_is_not_the_users_is_left_out() {
        let stack = vec![
            call("conccheck_rt::stack::capture", "rt/src/stack.rs", 1),
            call("conccheck_std::sync::mutex::Mutex<T>::lock", "std/src/sync/mutex.rs", 2),
            call("bank::Account::with_lock", "/home/u/bank/src/lib.rs", 10),
            call(
                "<alloc::boxed::Box<F> as core::ops::function::FnOnce<()>>::call_once",
                "/rustc/a/library/alloc/src/boxed.rs",
                3,
            ),
            call("rayon::join", "/home/u/.cargo/registry/src/index/rayon-1.0.0/src/lib.rs", 4),
            call("<bank::Bank as bank::Transfer>::transfer", "src/transfer.rs", 30),
            call("bank::main", "src/main.rs", 5),
            call("std::rt::lang_start", "/rustc/a/library/std/src/rt.rs", 6),
            call("main", "", 0),
        ];
        let site = SiteDef { file: "src/lib.rs".to_owned(), line: 10, column: 9 };
        let lines: Vec<u32> = of_the_user(stack, &site).iter().map(|call| call.site.line).collect();
        assert_eq!(lines, [30, 5]);
    }
}
