//! What may reach a terminal.

use std::fmt::{self, Write as _};

/// Shows a text from outside (names, source lines, paths) without anything that a terminal would obey: control characters and
/// characters that reorder text are shown as escapes. Tabs and line breaks stay.
pub(crate) struct Safe<'a>(pub(crate) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if matches!(c, '\t' | '\n') || is_harmless(c) {
                f.write_char(c)?;
            } else {
                write!(f, "{}", c.escape_unicode())?;
            }
        }
        Ok(())
    }
}

/// Like [`Safe`], and in one line: for names and for texts that contain them.
pub(crate) fn one_line(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmless(c) {
            safe.push(c);
        } else {
            safe.extend(c.escape_default());
        }
    }
    safe
}

fn is_harmless(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !(c.is_control() || reorders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(Safe("a\u{1b}[2Jb\tc\nd").to_string(), "a\\u{1b}[2Jb\tc\nd");
        assert_eq!(one_line("a\u{202e}b\nc\td"), "a\\u{202e}b\\nc\\td");
        assert_eq!(one_line("Bank.über→`x`"), "Bank.über→`x`");
    }
}
