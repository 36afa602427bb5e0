//! Files of the repository, or parts of them, that are made from the code: checked, or written with `CONCCHECK_BLESS=1`.

use std::env;
use std::fs;

use crate::tool::repository;

/// A whole file.
///
/// # Panics
/// If it says something else, and is not to be written.
pub fn file(path: &str, text: &str) {
    let found = fs::read_to_string(repository().join(path)).unwrap_or_default();
    if found == text {
        return;
    }
    assert!(
        env::var_os("CONCCHECK_BLESS").is_some(),
        "{path} is not up to date; CONCCHECK_BLESS=1 writes it; it should be:\n{text}"
    );
    fs::write(repository().join(path), text).unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// A part of a file: from the line that is the text's first one on, the lines that begin with `prefix`.
///
/// # Panics
/// If there is no such line, or the part says something else and is not to be written.
pub fn part(path: &str, prefix: &str, text: &str) {
    let whole = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    file(path, &replaced(&whole, prefix, text).unwrap_or_else(|| panic!("{path} has no place for:\n{text}")));
}

fn replaced(whole: &str, prefix: &str, text: &str) -> Option<String> {
    let first = text.split_inclusive('\n').next()?;
    let start = if whole.starts_with(first) { 0 } else { whole.find(&format!("\n{first}"))? + 1 };
    let rest = &whole[start + first.len()..];
    let old: usize = rest.split_inclusive('\n').take_while(|line| line.starts_with(prefix)).map(str::len).sum();
    Some(format!("{}{text}{}", &whole[..start], &rest[old..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_where_its_lines_do() {
        let whole = "# A\n| x |\n|---|\n| old |\n\n| y |\n";
        assert_eq!(
            replaced(whole, "|", "| x |\n|---|\n| new |\n| er |\n").as_deref(),
            Some("# A\n| x |\n|---|\n| new |\n| er |\n\n| y |\n")
        );
        assert_eq!(replaced(whole, "|", "| z |\n"), None);
    }
}
