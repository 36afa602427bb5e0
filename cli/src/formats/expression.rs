//! Which part of a source line to underline: the expression around a site's column.
//!
//! A site is where a call was made. For a method the compiler names the column of the method's name; people look for the whole
//! `self.accounts.lock()`. This is a guess from one line's text: it need not be right, but it never leaves the line.

use std::ops::Range;

/// The bytes of `line` to underline for `column` (in characters, from 1). `None` where the line has no such column.
pub(super) fn around(line: &str, column: u32) -> Option<Range<usize>> {
    let chars: Vec<(usize, char)> = line.char_indices().collect();
    let at = usize::try_from(column).ok()?.checked_sub(1)?;
    if at >= chars.len() {
        return None;
    }
    let text: Vec<char> = chars.iter().map(|&(_, c)| c).collect();
    let byte = |index: usize| chars.get(index).map_or(line.len(), |&(offset, _)| offset);
    Some(byte(start(&text, at))..byte(end(&text, at)))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Over a path (`thread::spawn`) and its arguments, where they end on the same line.
fn end(text: &[char], at: usize) -> usize {
    let mut end = at;
    while text.get(end).is_some_and(|&c| is_word(c) || c == '!') || (text[end..].starts_with(&[':', ':'])) {
        end += if text[end] == ':' { 2 } else { 1 };
    }
    if end == at {
        return at + 1;
    }
    if text.get(end) == Some(&'(') { closing(text, end).map_or(end, |close| close + 1) } else { end }
}

fn closing(text: &[char], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, c) in text.iter().enumerate().skip(open) {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

/// Back over the receiver: fields, paths, calls and indexes in a row.
fn start(text: &[char], at: usize) -> usize {
    let mut start = at;
    while start > 0 && text[start - 1] == '.' {
        let Some(before) = postfix_start(text, start - 1) else { break };
        start = before;
    }
    start
}

/// Where the operand that ends before `end` begins: a path, with calls, indexes and `?` behind it. `None`: there is none.
fn postfix_start(text: &[char], end: usize) -> Option<usize> {
    let mut start = end;
    while let Some(&c) = start.checked_sub(1).map(|index| &text[index]) {
        match c {
            '?' => start -= 1,
            ')' | ']' => start = opening(text, start - 1)?,
            _ => break,
        }
    }
    while start > 0 && (is_word(text[start - 1]) || text[..start].ends_with(&[':', ':'])) {
        start -= if text[start - 1] == ':' { 2 } else { 1 };
    }
    (start < end).then_some(start)
}

fn opening(text: &[char], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in (0..=close).rev() {
        match text[index] {
            ')' | ']' => depth += 1,
            '(' | '[' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(line: &str, column: u32) -> Option<&str> {
        around(line, column).map(|range| &line[range])
    }

    #[test]
    fn a_method_call_is_underlined_with_its_receiver() {
        assert_eq!(underlined("let a = self.accounts.lock().unwrap();", 23), Some("self.accounts.lock()"));
        assert_eq!(underlined("f(map[&key(1)].get(2)?.lock())", 24), Some("map[&key(1)].get(2)?.lock()"));
        assert_eq!(underlined("    .lock()", 6), Some("lock()"), "a chain that begins on an earlier line");
        assert_eq!(underlined("let h = thread::spawn(move || {", 9), Some("thread::spawn"), "a call that ends on a later line");
        assert_eq!(underlined("self.größe.lock()", 12), Some("self.größe.lock()"));
    }

    #[test]
    fn no_line_and_column_is_left() {
        for line in ["", "x", "))).((", "a.", ".", "::", "ü.ß()", "\u{1b}[", "(((", "]].lock()"] {
            for column in 0..12 {
                if let Some(range) = around(line, column) {
                    assert!(!range.is_empty() && line.get(range.clone()).is_some(), "{line:?} {column} {range:?}");
                }
            }
        }
        assert_eq!(around("abc", 4), None);
        assert_eq!(around("abc", 0), None);
    }
}
