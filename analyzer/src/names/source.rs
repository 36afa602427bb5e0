//! What the source calls a value, told from where it is made.

use conccheck_trace::SiteDef;

use crate::Sources;
use crate::receiver::last_word;

/// Lines above a creation site that are looked at for the struct that it belongs to.
const ABOVE: u32 = 200;

/// What the source calls the value that is made at `site`.
pub(super) fn name_at(sources: &dyn Sources, site: &SiteDef) -> Option<String> {
    let line = sources.line(site)?;
    let before: String = line.chars().take((site.column as usize).saturating_sub(1)).collect();
    let above = |up: u32| {
        let line = site.line.checked_sub(up).filter(|line| *line > 0)?;
        sources.line(&SiteDef { line, column: 1, ..site.clone() })
    };
    // A derived `Default` names the field's own line, where the field stands at the column.
    let own = field_at_end(&format!("{before}{}", identifier(&line, before.len()))).filter(|_| before.trim().is_empty());
    let index = tuple_index(&before, line.get(before.len()..).unwrap_or_default());
    let indexed = |name: String| index.map_or(name.clone(), |index| format!("{name}.{index}"));
    let owned = |field: String| match owner(&before, false, above) {
        Some(owner) => indexed(format!("{owner}.{field}")),
        None => indexed(field),
    };
    if let Some(field) = field_at_end(&before).or(own) {
        return Some(owned(field));
    }
    if let Some(name) = binding(&line) {
        let names: Vec<&str> = name.split('/').collect();
        return Some(match index.filter(|_| names.len() > 1).and_then(|index| names.get(index)) {
            Some(one) => (*one).to_owned(),
            None => indexed(name),
        });
    }
    if let Some(name) = tuple_field(&before, above) {
        return Some(name);
    }
    // The expression began on a line above.
    let mut below = line;
    for up in 1..=3 {
        let line = above(up)?;
        let text = line.trim_end();
        let goes_on = text.ends_with(['(', '=', '[', '|', ',']) || text.ends_with("| {");
        if !goes_on && !below.trim_start().starts_with('.') {
            return None;
        }
        if let Some(name) = binding(text) {
            return Some(name);
        }
        if let Some(field) = field_at_end(text) {
            return Some(owned(field));
        }
        below = line;
    }
    None
}

/// As which part of a tuple the value between `before` and `after` is made, where the tuple lies on one line: 1 between
/// `let pair = Arc::new((Mutex::new(0), ` and `Condvar::new()));`.
fn tuple_index(before: &str, after: &str) -> Option<usize> {
    let (mut closed, mut opened, mut commas) = (0, 0, 0);
    for (at, c) in before.char_indices().rev() {
        match c {
            ')' | ']' | '}' => closed += 1,
            '(' | '[' | '{' if closed > 0 => closed -= 1,
            _ if closed > 0 => {}
            ',' => commas += 1,
            '(' if !before[..at].trim_end().ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '>' | '!' | ')')) => {
                return (commas > 0 || has_comma(after, opened)).then_some(commas);
            }
            // Of a call, or of a list: a part of what encloses it.
            '(' | '[' => (opened, commas) = (opened + 1, 0),
            '{' | ';' | '=' | '|' | '<' | '>' => return None,
            _ => {}
        }
    }
    None
}

/// Whether a comma stands in the brackets that enclose the text, `opened` of which are closed before.
fn has_comma(text: &str, mut opened: i32) -> bool {
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => opened += 1,
            ')' | ']' | '}' if opened == 0 => return false,
            ')' | ']' | '}' => opened -= 1,
            ',' if opened == 0 => return true,
            _ => {}
        }
    }
    false
}

fn identifier(line: &str, from: usize) -> String {
    let rest = line.get(from..).unwrap_or_default();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    if rest[end..].trim_start().starts_with(':') && !rest[end..].trim_start().starts_with("::") {
        format!("{}:", &rest[..end])
    } else {
        String::new()
    }
}

/// The field within whose value `before` ends: `Bank { accounts: (0..8).map(|_| Arc::new(` gives `accounts`.
fn field_at_end(before: &str) -> Option<String> {
    let (mut closed, mut in_parameters) = (0, false);
    for (at, c) in before.char_indices().rev() {
        let (head, tail) = (before[..at].trim_end(), &before[at + c.len_utf8()..]);
        match c {
            ')' | ']' | '}' => closed += 1,
            '(' | '[' | '{' if closed > 0 => closed -= 1,
            '|' if closed == 0 => in_parameters = !in_parameters,
            _ if closed > 0 || in_parameters => {}
            // The body of a closure is a part of the value, and so is what calls it.
            '{' if head.ends_with('|') => {}
            '{' | ';' | '=' => return None,
            ':' if !head.ends_with(':') && !tail.starts_with(':') => {
                let name = last_word(head);
                let front = head[..head.len() - name.len()].trim_end();
                let is_field = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
                // A binding, or a label.
                let is_other =
                    front.ends_with('\'') || ["let", "mut", "static", "const"].iter().any(|word| front.ends_with(word));
                return (is_field && !is_other).then(|| name.to_owned());
            }
            _ => {}
        }
    }
    None
}

/// The struct whose braces are open at the end of `before`, looked for upwards; or, if that is what is wanted, whose `impl` is open.
fn owner(before: &str, mut wants_impl: bool, above: impl Fn(u32) -> Option<String>) -> Option<String> {
    let mut depth = 0;
    let mut text = before.to_owned();
    for up in 1..=ABOVE {
        for (at, c) in text.char_indices().rev() {
            match c {
                '}' => depth += 1,
                '{' if depth > 0 => depth -= 1,
                '{' => {
                    // The body of a closure that makes a field's value.
                    if text[..at].trim_end().ends_with('|') {
                        continue;
                    }
                    let head = header(&text[..at], up, &above);
                    let name = type_of(&head);
                    let is_type = name.starts_with(char::is_uppercase) && !head.contains("fn ");
                    if is_type && name != "Self" && (!wants_impl || head.contains("impl")) {
                        return Some(name.to_owned());
                    }
                    if !is_type && !wants_impl {
                        return None;
                    }
                    wants_impl = true;
                }
                _ => {}
            }
        }
        text = above(up)?;
        if text.trim_start().starts_with("//") {
            text.clear();
        }
    }
    None
}

/// The first field of a tuple struct, where its value begins at the end of `before`: `List.0` for `Self(Arc::new(`.
fn tuple_field(before: &str, above: impl Fn(u32) -> Option<String>) -> Option<String> {
    let mut rest = before.trim_end();
    // Calls of wrappers' functions may stand between, and the lock's own path.
    loop {
        let head = rest.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
        let callee = &rest[head.len()..];
        if callee.contains("::") || callee.is_empty() {
            rest = head.strip_suffix('(')?;
            continue;
        }
        let name = if callee == "Self" { owner(head, true, above)? } else { callee.to_owned() };
        // A lock that wraps a lock says no more than the lock's own type.
        let says_nothing = ["Some", "Ok", "Err", "Mutex", "RwLock", "Condvar", "Once"].contains(&name.as_str());
        return (name.starts_with(char::is_uppercase) && !says_nothing).then(|| format!("{name}.0"));
    }
}

/// What stands before a brace: where that is alone on its line, as after a `where`, with the lines above. `up` is the next of these.
fn header(before: &str, up: u32, above: impl Fn(u32) -> Option<String>) -> String {
    let mut head = before.trim().to_owned();
    let mut up = up;
    while head.is_empty() || head.starts_with("where") {
        let Some(line) = above(up).filter(|line| !line.trim().is_empty() && !line.trim_end().ends_with([';', '{', '}'])) else {
            break;
        };
        let line = line.trim();
        // The bounds of a `where` stand a line each.
        head = if line.ends_with(',') { String::new() } else { format!("{line} {head}") };
        up += 1;
    }
    head
}

/// The type that an `impl` or a `struct` is of, or that an expression ends with which a brace follows; empty if there is none.
fn type_of(head: &str) -> &str {
    let head = head.split(" where").next().unwrap_or_default().trim_end();
    let starts = ["struct ", " for ", "impl ", "impl<"]
        .iter()
        .filter_map(|word| Some((head.rfind(word)?, word)))
        .max_by_key(|(at, _)| *at);
    let path = match starts {
        Some((at, &"impl<")) => after_generics(&head[at + "impl".len()..]),
        Some((at, word)) => &head[at + word.len()..],
        // An expression: its end is the type, but for arguments in brackets.
        None => {
            let path = if head.ends_with('>') { head.split_once("::<").map_or("", |(path, _)| path) } else { head };
            return last_word(path);
        }
    };
    let path = path.trim_start();
    let path = &path[..path.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':'))).unwrap_or(path.len())];
    path.rsplit("::").next().unwrap_or_default()
}

/// What follows the brackets with which the text begins.
fn after_generics(text: &str) -> &str {
    let mut open = 0;
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        open += i32::from(c == '<') - i32::from(c == '>' && last != '-');
        if open == 0 {
            return &text[at + c.len_utf8()..];
        }
        last = c;
    }
    ""
}

/// The name that a `let`, `static` or `const` line binds; both names of a pair.
fn binding(line: &str) -> Option<String> {
    let text = line.trim_start();
    let text = match text.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1.trim_start(),
        Some(rest) => rest.trim_start(),
        None => text,
    };
    let rest = ["let ", "static ", "const "].iter().find_map(|word| text.strip_prefix(word))?.trim_start();
    let rest = rest.strip_prefix("mut ").unwrap_or(rest).trim_start();
    if let Some(pair) = rest.strip_prefix('(') {
        let names: Vec<&str> =
            pair.split_once(')')?.0.split(',').map(|name| name.trim().trim_start_matches("mut ").trim()).collect();
        let plain = names.iter().all(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_') && !name.is_empty());
        return (plain && names.len() == 2).then(|| names.join("/"));
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (end > 0 && &rest[..end] != "_").then(|| rest[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Marked;

    /// The name of what is made at a marked place.
    fn name(source: &str) -> Option<String> {
        let source = Marked::new(source);
        name_at(&source, &source.site)
    }

    #[test]
    fn names_come_from_fields_bindings_and_statics() {
        assert_eq!(name("let m = Arc::new(^Mutex::new(0));").as_deref(), Some("m"));
        assert_eq!(name("    let mut cache: Vec<_> = (0..5).map(|_| ^Mutex::new(0)).collect();").as_deref(), Some("cache"));
        assert_eq!(name("static A: Mutex<u32> = ^Mutex::new(0);").as_deref(), Some("A"));
        assert_eq!(name("pub(crate) static B: Mutex<u32> = ^Mutex::new(0);").as_deref(), Some("B"));
        assert_eq!(name("let (tx, rx) = ^channel::<u32>();").as_deref(), Some("tx/rx"));
        assert_eq!(name("let bank = Arc::new(Bank { gate: Mutex::new(()), a: ^Mutex::new(100) });").as_deref(), Some("Bank.a"));
        assert_eq!(name("    Bank {\n        accounts: Arc::new(^Mutex::new(vec![])),\n    }").as_deref(), Some("Bank.accounts"));
        assert_eq!(
            name("impl Bank {\n    fn new() -> Self {\n        Self {\n            accounts: ^Mutex::new(0),\n").as_deref(),
            Some("Bank.accounts")
        );
        assert_eq!(
            name("impl<T: Fn(&str) -> Vec<T>> Shared<T> {\n    fn new() -> Self {\n        Self {\n            chan: ^Mutex::new(0),\n").as_deref(),
            Some("Shared.chan")
        );
        assert_eq!(
            name("impl<T> Default for a::Shared<T>\nwhere\n    T: Default,\n    Vec<T>: From<T>,\n{\n    // }\n    fn default() -> Self {\n        Self { chan: ^Mutex::new(0) }")
                .as_deref(),
            Some("Shared.chan")
        );
        assert_eq!(name("    let shared = Arc::new(Shared::<T> { chan: ^Mutex::new(0) });").as_deref(), Some("Shared.chan"));
        assert_eq!(name("#[derive(Default)]\nstruct Group {\n    ^left: Mutex<usize>,\n}").as_deref(), Some("Group.left"));
        assert_eq!(name("let m = Arc::new(\n    ^Mutex::new(0),\n);").as_deref(), Some("m"));
        assert_eq!(
            name("impl<T> List<T> {\n    fn new() -> Self {\n        Self(sync::^Mutex::new(0))").as_deref(),
            Some("List.0")
        );
        assert_eq!(name("    List(Arc::new(^Mutex::new(0)))").as_deref(), Some("List.0"));
        assert_eq!(name("    Some(^Mutex::new(0))"), None);
        assert_eq!(name("    Mutex(sync::^Mutex::new(0))"), None);
        assert_eq!(name("    f(^Mutex::new(0));"), None);
        let bank = |value: &str| name(String::leak(format!("let bank = Arc::new(Bank {{ gate: Mutex::new(()), {value} }});")));
        for value in [
            "accounts: (0..64).map(|_| ^Mutex::new(0)).collect()",
            "accounts: (0..n()).map(|i: i64| { ^Mutex::new(i) }).collect::<Vec<_>>()",
            "accounts: std::iter::repeat_with(|| ^Mutex::new(0)).take(8).collect()",
            "accounts: [Mutex::new(1), ^Mutex::new(2)]",
            "accounts: Some(Box::new(^Mutex::new(0)))",
        ] {
            assert_eq!(bank(value).as_deref(), Some("Bank.accounts"), "{value}");
        }
        let chain = "    Bank {\n        accounts: (0..64)\n            .map(|_| ^Mutex::new(0))\n            .collect(),";
        assert_eq!(name(chain).as_deref(), Some("Bank.accounts"));
        let block = "    Bank {\n        accounts: (0..64).map(|_| {\n            ^Mutex::new(0)\n";
        assert_eq!(name(block).as_deref(), Some("Bank.accounts"));
        assert_eq!(
            name("let forks: Vec<_> = (0..5)\n    .map(|i: u32| ^Mutex::new(i))\n    .collect();").as_deref(),
            Some("forks")
        );
        assert_eq!(name("let m = make(Bank { a: 1 }, ^Mutex::new(0));").as_deref(), Some("m"));
    }

    #[test]
    fn parts_of_a_tuple_are_called_by_their_number_or_by_what_they_are_bound_to() {
        let named = |text: &'static str| name(text).unwrap_or_default();
        assert_eq!(named("let pair = Arc::new((^Mutex::new(false), Condvar::new()));"), "pair.0");
        assert_eq!(named("let pair = Arc::new((Mutex::new(false), ^Condvar::new()));"), "pair.1");
        assert_eq!(named("let v = vec![(Arc::new(^Mutex::new(f(1, 2))), 1)];"), "v.0");
        assert_eq!(named("let s = S { pair: (Mutex::new(0), ^Condvar::new()) };"), "S.pair.1");
        assert_eq!(named("let (a, b) = (Mutex::new(0), ^Mutex::new(1));"), "b");
        assert_eq!(named("let (a, b) = ^channel();"), "a/b");
        assert_eq!(named("let m = (^Mutex::new(f(0, 1)));"), "m");
        assert_eq!(named("let m = make(1, ^Mutex::new(0));"), "m");
    }
}
