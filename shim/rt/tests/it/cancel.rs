//! Cancellation tokens and scopes.

use std::panic::Location;

use conccheck_rt::cancel::Token;
use conccheck_rt::scope::Scope;
use conccheck_trace::{Event, ObjectKind};

use crate::support::{self, events, run};

#[test]
fn looks_are_recorded_when_they_change_and_a_few_times_where_a_thread_goes_on() {
    if support::is_child() {
        let place = Location::caller();
        let token = Token::new();
        let scope = Scope::enter(|| "serve");
        token.cloned(place);
        (0..1000).for_each(|_| token.looked(false, place));
        token.cancel(place);
        (0..1000).for_each(|_| token.looked(true, place));
        token.waiting(true, place);
        token.waited(true, place);
        drop(scope);
        return;
    }
    let run = run("cancel::looks_are_recorded_when_they_change_and_a_few_times_where_a_thread_goes_on");
    assert!(run.status.success(), "{}", run.stderr);
    let trace = run.trace();
    let word = |event: &Event| match event {
        Event::TokenClone { .. } => Some("clone"),
        Event::Cancel { .. } => Some("cancel"),
        Event::CancelWait { timed: true, .. } => Some("wait"),
        Event::CancelLook { cancelled, .. } => Some(if *cancelled { "told" } else { "not told" }),
        Event::ScopeBegin { .. } => Some("begin"),
        Event::ScopeEnd { .. } => Some("end"),
        _ => None,
    };
    let words: Vec<_> = events(&trace).iter().filter_map(|(_, event)| word(event)).collect();
    let expected = [&["begin", "clone", "not told", "cancel"][..], &["told"; 8], &["wait", "told", "end"]].concat();
    assert_eq!(words, expected);
    let named = |kind| {
        let object = trace.tables.objects().find(|(_, object)| object.kind == kind).expect("it was used").1;
        trace.tables.string(object.type_name).unwrap_or_default().to_owned()
    };
    assert_eq!((named(ObjectKind::Scope).as_str(), named(ObjectKind::Token).as_str()), ("serve", ""));
}
