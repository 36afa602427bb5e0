//! What may reach a terminal.

use std::fmt::{self, Write as _};

/// Shows a text from outside (names of threads and locks, source lines, paths) without anything that a terminal would obey:
/// control characters and characters that reorder text are shown as escapes. Tabs and line breaks stay.
pub(crate) struct Safe<'a>(pub(crate) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            if is_harmless(c) {
                f.write_char(c)?;
            } else {
                write!(f, "{}", c.escape_unicode())?;
            }
        }
        Ok(())
    }
}

fn is_harmless(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    matches!(c, '\t' | '\n') || !(c.is_control() || reorders)
}
