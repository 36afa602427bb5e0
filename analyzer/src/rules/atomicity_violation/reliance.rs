//! Whether a write under a lock relies on an earlier read under it, as far as the source shows. The trace shows only that both happened.

use conccheck_trace::{ObjectId, SiteDef};

use super::flow::Flow;
use crate::finding::Confidence;
use crate::model::Model;
use crate::model::lock::Stale;
use crate::rules::statement;

/// Sections further apart in the source hardly belong to one decision.
const NEAR: u32 = 30;

/// How a write relies on a read.
pub(super) struct Reliance {
    pub(super) confidence: Confidence,
    /// Whether what was read is gone once the thread reads another lock at the same place.
    pub(super) is_replaced: bool,
}

/// Whether and how the write relies on the read.
pub(super) fn reliance(model: &Model<'_>, stale: &Stale) -> Option<Reliance> {
    let (read, write) = (model.site(stale.read)?, model.site(stale.write)?);
    let (reads, writes) = (statement::at(model, stale.read)?, statement::at(model, stale.write)?);
    if read.file != write.file {
        return None;
    }
    let sure = |is_replaced| Reliance { confidence: Confidence::Manifest, is_replaced };
    let is_near = write.line >= read.line && write.line - read.line <= NEAR;
    let between = if is_near { statement::between(model, stale.read, stale.write) } else { Vec::new() };
    // A function may stand in one line.
    let is_own = |line: &String| declares_function(line) && read.line != write.line;
    if is_near && !between.iter().chain([&writes]).any(is_own) {
        // A closure runs many times in one statement, and a function that calls itself has a value for each call.
        let calls_itself =
            || function_of(model, read).is_some_and(|name| between.iter().any(|line| line.contains(&format!("{name}("))));
        let is_replaced = !statement::is_in_closure(&reads) && !calls_itself();
        return relies(model, stale, read.line).then_some(sure(is_replaced));
    }
    let call = function_of(model, read).filter(|_| gives_back(&reads)).and_then(|name| call_of(&name, &reads, &writes));
    let is_call = |text: &str| call.as_ref().is_some_and(|call| has_call(text, call));
    let is_whole = call.is_none() || declares_function(&writes);
    let mut own = above(model, write).take_while(|(_, text)| !is_whole && !declares_function(text));
    if own.any(|(number, text)| is_call(&text) && relies(model, stale, number)) {
        return Some(sure(false));
    }
    let sets = || is_setter(model, stale, &writes) && is_computed_with(model, stale.lock);
    let likely = is_getter(&reads) && sets() || is_near && is_lookup(&reads) && adds(model, stale);
    likely.then_some(Reliance { confidence: Confidence::Possible, is_replaced: false })
}

/// Whether what the statement at line `from` reads reaches the write, or a decision around it.
fn relies(model: &Model<'_>, stale: &Stale, from: u32) -> bool {
    let (Some(site), Some(writes)) = (model.site(stale.write), statement::at(model, stale.write)) else { return false };
    let guard = statement::bound_guard(&writes);
    let uses = statement::uses_of_guard(model, stale.write);
    // A condition on the guard is the check again.
    if guard.is_some() && uses.iter().any(|text| statement::decides(text)) {
        return false;
    }
    let flow = Flow::from_read(model, site, from, guard.as_deref());
    let read_fields = fields(model, stale);
    uses.iter().any(|text| {
        let Some(&(place, rest)) = statement::uses_in(text, guard.as_deref()).first() else { return false };
        let reaches = flow.reaches(place) || flow.reaches(rest);
        let is_other = || matches!((&read_fields, field(rest)), (Some(read), Some(written)) if is_apart(read, &written));
        if !reaches && (!flow.decides || is_other()) {
            return false;
        }
        overwrites(text, flow.decides) && !tells(model, stale.lock, place, rest) && !looks_again(text, &flow)
    })
}

/// How the function `name`, which reads a lock, is called where it reads the one that is written: on the value that has the lock, if it is
/// a method.
fn call_of(name: &str, reads: &str, writes: &str) -> Option<String> {
    match statement::locked(reads)?.strip_prefix("self") {
        Some(part) => Some(format!("{}.{name}(", statement::locked(writes)?.strip_suffix(part)?)),
        None => Some(format!("{name}(")),
    }
}

/// Whether a line has this call.
fn has_call(line: &str, call: &str) -> bool {
    let is_within = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    line.match_indices(call).any(|(at, _)| !line[..at].ends_with(is_within))
}

/// The name of the function that a site is in.
fn function_of(model: &Model<'_>, site: &SiteDef) -> Option<String> {
    let own = statement::numbered(model, site, site.line);
    let mut lines = own.into_iter().chain(above(model, site).map(|(_, text)| text));
    lines.find_map(|text| statement::declared_function(&text).map(str::to_owned))
}

/// The lines above a site with their numbers, from the nearest up.
fn above<'a>(model: &'a Model<'_>, site: &'a SiteDef) -> impl Iterator<Item = (u32, String)> + 'a {
    let numbers = (site.line.saturating_sub(NEAR).max(1)..site.line).rev();
    numbers.map_while(move |number| Some((number, statement::numbered(model, site, number)?)))
}

fn declares_function(line: &str) -> bool {
    statement::declared_function(line).is_some()
}

/// What stands in the innermost braces that a line opens and closes.
fn body(text: &str) -> &str {
    text.rsplit_once("{ ").map_or(text, |(_, body)| body).trim_end_matches('}').trim()
}

/// Whether a statement gives back what the lock guards, as it is.
fn is_getter(text: &str) -> bool {
    let body = body(text);
    !body.ends_with(';') && (body.starts_with('*') || body.ends_with(".clone()")) && !body.contains(" = ")
}

/// Whether a statement gives back anything that it reads.
fn gives_back(text: &str) -> bool {
    let body = body(text);
    body.starts_with("return ") || !body.ends_with([';', '{']) && !body.contains(" = ")
}

/// Whether a statement gives back whether something is among what the lock guards.
fn is_lookup(text: &str) -> bool {
    let body = body(text);
    let looks = [".contains(", ".contains_key(", ".any("].iter().any(|call| body.contains(call));
    looks && !body.ends_with(';') && !body.starts_with("if ") && !body.contains(" = ")
}

/// Whether something is added to what the lock guards, and is not looked for before under the same guard.
fn adds(model: &Model<'_>, stale: &Stale) -> bool {
    let body = statement::uses_of_guard(model, stale.write);
    let adds = |text: &String| [".push(", ".push_back(", ".insert("].iter().any(|call| text.contains(call));
    body.iter().any(adds) && !body.iter().any(|text| statement::decides(text))
}

/// Whether what the lock guards is replaced as a whole.
fn is_setter(model: &Model<'_>, stale: &Stale, text: &str) -> bool {
    let replaces = |text: &str| body(text).starts_with('*') && statement::assigns(body(text));
    let body = || statement::uses_of_guard(model, stale.write);
    replaces(text) || statement::bound_guard(text).is_some() && body().iter().any(|text| replaces(text))
}

/// The type of what a lock guards, as far as it is known.
fn guarded_type<'a>(model: &'a Model<'_>, lock: ObjectId) -> &'a str {
    let tables = &model.trace.tables;
    tables.object(lock).and_then(|object| tables.string(object.type_name)).unwrap_or_default()
}

/// Whether the lock guards a number or a collection: what is written there is mostly made of what was read.
fn is_computed_with(model: &Model<'_>, lock: ObjectId) -> bool {
    let name = guarded_type(model, lock);
    let is_number = name.strip_prefix(['i', 'u', 'f']).is_some_and(|rest| rest == "size" || rest.parse::<u32>().is_ok());
    is_number || ["alloc::vec::Vec<", "alloc::string::String", "std::collections::"].iter().any(|prefix| name.starts_with(prefix))
}

/// The field that what follows a guard names, as a path that ends with a dot; none where it is about the whole.
fn field(rest: &str) -> Option<String> {
    let mut path = String::new();
    let mut rest = rest;
    while let Some(next) = rest.strip_prefix('.') {
        let end = next.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(next.len());
        if end == 0 || next[end..].starts_with(['(', ':']) {
            break;
        }
        path = path + &next[..end] + ".";
        rest = &next[end..];
    }
    (!path.is_empty()).then_some(path)
}

/// The fields of what the lock guards that are read; none where it may be the whole.
fn fields(model: &Model<'_>, stale: &Stale) -> Option<Vec<String>> {
    let guard = statement::bound_guard(&statement::at(model, stale.read)?);
    let uses = statement::uses_of_guard(model, stale.read);
    uses.iter().flat_map(|text| statement::uses_in(text, guard.as_deref())).map(|(_, rest)| field(rest)).collect()
}

/// Whether none of the fields is the other one, a part of it, or what it is a part of.
fn is_apart(fields: &[String], other: &str) -> bool {
    fields.iter().all(|field| !field.starts_with(other) && !other.starts_with(field.as_str()))
}

/// Whether a statement writes what it has not read under the same guard.
fn overwrites(text: &str, decided: bool) -> bool {
    // These look and write in one.
    if [".entry(", "get_or_insert", "or_insert", ".replace(", ".take()", "compare"].iter().any(|call| text.contains(call)) {
        return false;
    }
    let updates = ["+=", "-=", "*=", "|=", "&=", "^=", ".push", ".pop", ".insert(", ".remove(", ".extend(", ".clear("];
    statement::assigns(text) || decided && updates.iter().any(|update| text.contains(update))
}

/// Whether what is assigned is the outcome of a call on what the guard gives now, such as the larger of it and another.
fn looks_again(text: &str, flow: &Flow) -> bool {
    let Some((_, value)) = text.split_once(" = ") else { return false };
    let is_called = |rest: &str| {
        let rest = rest.trim_start_matches(')');
        rest[field(rest).map_or(0, |path| path.len())..].starts_with('.')
    };
    flow.fresh.iter().any(|name| statement::uses_in(value, Some(name)).into_iter().any(|(_, rest)| is_called(rest)))
}

/// Whether a write's own outcome says what was there, and is made use of: then it relies on nothing that was read before.
fn tells(model: &Model<'_>, lock: ObjectId, place: &str, rest: &str) -> bool {
    let names = ["pop", "pop_front", "pop_back", "pop_first", "pop_last", "remove", "remove_entry", "insert", "take", "replace"];
    let call = &rest[field(rest).map_or(0, |path| path.len())..];
    let Some((name, arguments)) = call.strip_prefix('.').and_then(|call| call.split_once('(')) else { return false };
    let panics = guarded_type(model, lock).starts_with("alloc::vec::Vec<") && !name.starts_with("pop");
    if !names.contains(&name) || panics {
        return false;
    }
    let Some(outcome) = statement::behind(arguments).map(str::trim_start) else { return false };
    if outcome.starts_with(".unwrap()") || outcome.starts_with(".expect(") {
        return false;
    }
    let before = place.trim_end();
    let is_dropped =
        ["", "{", "=>", ";", "let _ =", "drop("].iter().any(|end| before == *end || !end.is_empty() && before.ends_with(end));
    !(is_dropped && outcome.starts_with([';', ')']))
}
