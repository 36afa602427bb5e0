//! The name by which an operation reaches its object: `handles` in `self.scope.handles.lock()`.

use conccheck_trace::SiteDef;

use crate::Sources;

/// Methods that reach a lock, a channel or the like.
const METHODS: [&str; 16] = [
    "lock",
    "try_lock",
    "read",
    "try_read",
    "write",
    "try_write",
    "wait",
    "wait_while",
    "wait_timeout",
    "notify_one",
    "notify_all",
    "send",
    "recv",
    "try_recv",
    "iter",
    "call_once",
];

/// The last name before the method that is called at `site`; looks at the line above where the call begins a line.
pub(crate) fn receiver(sources: &dyn Sources, site: &SiteDef) -> Option<String> {
    let line = sources.line(site)?;
    let from = line.char_indices().nth((site.column as usize).saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    // The site is the start of the expression, or of the method's name.
    // The longest: `lock` also ends `try_lock`.
    let called = |before: &str| METHODS.iter().filter(|method| before.ends_with(**method)).map(|method| method.len()).max();
    let call = line[from..].match_indices('(').find_map(|(at, _)| Some(at - called(&line[from..from + at])?))?;
    let before = line[..from + call].trim_end().strip_suffix('.')?.trim_end();
    if !before.is_empty() {
        return last_name(before);
    }
    let above = SiteDef { line: site.line.checked_sub(1)?, column: 1, ..site.clone() };
    last_name(sources.line(&above)?.trim_end())
}

/// The letters, digits and underscores that a text ends with.
pub(crate) fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// The name at the end of a path expression, with or without an index; `None` where it ends in a call or `self`.
fn last_name(text: &str) -> Option<String> {
    let name = last_word(without_index(text)?);
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name != "self";
    is_name.then(|| name.to_owned())
}

/// An expression without the indices at its end: `forks` of `forks[(i + 1) % 5]`.
fn without_index(text: &str) -> Option<&str> {
    let mut text = text.trim_end();
    while text.ends_with(']') {
        let mut open = 0;
        let start = text.char_indices().rev().find_map(|(at, c)| {
            open += i32::from(c == ']') - i32::from(c == '[');
            (open == 0).then_some(at)
        })?;
        text = text[..start].trim_end();
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(&'static str);
    impl Sources for Text {
        fn line(&self, site: &SiteDef) -> Option<String> {
            self.0.lines().nth(site.line as usize - 1).map(str::to_owned)
        }
    }

    fn name(text: &'static str, line: u32, column: u32) -> Option<String> {
        receiver(&Text(text), &SiteDef { file: "a.rs".into(), line, column })
    }

    #[test]
    fn the_last_name_before_the_call_is_taken() {
        assert_eq!(name("let a = self.scope.handles.lock().unwrap();", 1, 9).as_deref(), Some("handles"));
        assert_eq!(name("let a = self.scope.handles.lock().unwrap();", 1, 28).as_deref(), Some("handles"));
        assert_eq!(name("    scope.handles\n        .lock()", 2, 10).as_deref(), Some("handles"));
        assert_eq!(name("f(x).lock()", 1, 1), None);
        assert_eq!(name("self.lock()", 1, 1), None);
        assert_eq!(name("let a = table.forks[left[i] + 1][0].lock();", 1, 9).as_deref(), Some("forks"));
        assert_eq!(name("self[0].lock()", 1, 1), None);
        assert_eq!(name("] x).lock()", 1, 1), None);
        assert_eq!(name("nothing", 1, 40), None);
        assert_eq!(name("é→handles.lock()", 1, 1).as_deref(), Some("handles"));
    }
}
