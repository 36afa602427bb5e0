//! The words of a source text that have to do with atomics, conditions and calls.

use std::collections::BTreeSet;

use crate::receiver::last_word;

/// Methods that look at an atomic.
pub(super) const LOOKS: [&str; 5] = [".load(", ".compare_exchange", ".swap(", ".fetch_", ".test_and_set("];
/// Methods that set one.
pub(super) const SETS: [&str; 5] = [".store(", ".compare_exchange", ".swap(", ".fetch_", ".test_and_set("];
/// Those by which one takes what only one can have.
pub(super) const TAKES: [&str; 3] = [".compare_exchange", ".swap(", ".test_and_set("];
/// Those that tell whether others still own what is shared: they end that without setting anything.
pub(super) const OWNERS: [&str; 3] = ["strong_count(", "try_unwrap(", ".upgrade()"];
/// Calls of which the body of a loop consists that only waits.
pub(super) const IDLES: [&str; 7] = ["spin_loop()", "yield_now()", "sleep(", ".snooze()", ".spin()", "park()", "park_timeout("];

/// Attempts that are recorded, with what came of them.
pub(super) const ATTEMPTS: [&str; 6] = [".try_recv(", ".try_send(", ".try_lock(", ".try_read(", ".try_write(", "_timeout("];
/// Functions that look at nothing but the time.
pub(super) const CLOCKS: [&str; 7] = ["elapsed", "now", "from_secs", "from_secs_f64", "from_millis", "from_micros", "from_nanos"];
/// Methods that take a lock.
pub(super) const TAKES_LOCKS: [&str; 3] = [".lock()", ".read()", ".write()"];
/// Methods of a condition variable by which a thread waits for a notification.
pub(super) const AWAITS: [&str; 5] = [".wait(", ".wait_timeout(", ".wait_timeout_ms(", ".wait_for(", ".wait_until("];
/// Those by which it waits until a condition holds.
pub(super) const AWAITS_WHILE: [&str; 4] = [".wait_while(", ".wait_timeout_while(", ".wait_while_for(", ".wait_while_until("];
/// Those that notify.
pub(super) const NOTIFIES: [&str; 2] = [".notify_one(", ".notify_all("];
/// Words by which a block is left.
pub(super) const ENDS: [&str; 3] = ["break", "continue", "return"];

/// What atomics and condition variables are called: the last word of each path, without a number at its end, as a clone has.
pub(super) type Names = BTreeSet<String>;

/// What these methods are called on, as far as a text names it.
pub(super) fn names<'t>(text: &'t str, methods: &'t [&str]) -> impl Iterator<Item = String> + 't {
    let at = methods.iter().flat_map(|method| text.match_indices(method)).map(|(at, _)| at);
    at.filter_map(|at| {
        let path = text[..at].trim_end();
        let indexed = path.strip_suffix(']').and_then(|path| path.rfind('['));
        let name = last_word(&path[..indexed.unwrap_or(path.len())]);
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let name = if stem.is_empty() { name } else { stem };
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// Whether one of these words stands in a text.
pub(super) fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Whether a text only idles, or a part of it.
pub(super) fn idles(text: &str) -> bool {
    has(text, &IDLES)
}

/// The name of the function whose declaration a line begins.
pub(super) fn declared(text: &str) -> Option<&str> {
    let at = text.find("fn ").filter(|at| text[..*at].trim_end().is_empty() || text[..*at].ends_with(' '))?;
    let name = &text[at + "fn ".len()..];
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
    (end > 0).then(|| &name[..end])
}

/// The names of what a text calls.
pub(super) fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('(').map(|(at, _)| last_word(&text[..at])).filter(|name| !name.is_empty())
}

/// A line without its comment, and with blanks for what stands in quotes: braces there open no block.
pub(super) fn code(text: &str) -> String {
    let mut code = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '/' && chars.peek() == Some(&'/') {
            break;
        }
        code.push(c);
        // A quote within which a single character stands, else it begins a lifetime.
        let is_character = || {
            c == '\'' && {
                let mut ahead = chars.clone();
                ahead.next() == Some('\\') || ahead.next() == Some('\'')
            }
        };
        if c == '"' || is_character() {
            while let Some(inner) = chars.next() {
                if inner == c {
                    code.push(c);
                    break;
                }
                code.push(' ');
                if inner == '\\' && chars.next().is_some() {
                    code.push(' ');
                }
            }
        }
    }
    code.truncate(code.trim_end().len());
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_or_commented_is_no_code() {
        assert_eq!(code(r#"println!("{n} // done"); // {"#), r#"println!("           ");"#);
        assert_eq!(code(r#"f("a\"{", '{', '\'', x);"#), r#"f("    ", ' ', '  ', x);"#);
        assert_eq!(code("fn f<'a>(x: &'a str) {  "), "fn f<'a>(x: &'a str) {");
    }
}
