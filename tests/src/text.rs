//! Reading tables and pages.

/// The rows of a table of tab-separated columns, without its head; each as (column name, cell).
///
/// # Panics
/// If the table is empty.
pub fn rows(table: &str) -> Vec<Vec<(&str, &str)>> {
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next().expect("a table has a head").split('\t').collect();
    lines.map(|line| head.iter().copied().zip(line.split('\t').chain(std::iter::repeat(""))).collect()).collect()
}

/// The text of a Markdown section: from below its heading (`## Example`) to the next heading of that level or above.
pub fn section<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let level = heading.split(' ').next()?;
    let start = page.match_indices(heading).map(|(at, _)| at).find(|&at| {
        let line_starts = at == 0 || page[..at].ends_with('\n');
        line_starts && page[at + heading.len()..].starts_with('\n')
    })?;
    let body = &page[start + heading.len() + 1..];
    let mut inside_code = false;
    let mut length = 0;
    for line in body.split_inclusive('\n') {
        inside_code ^= line.starts_with("```");
        let marks = line.len() - line.trim_start_matches('#').len();
        if !inside_code && (1..=level.len()).contains(&marks) && line[marks..].starts_with(' ') {
            break;
        }
        length += line.len();
    }
    Some(&body[..length])
}

/// The code blocks of this language in a Markdown text.
pub fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(&opening) {
        let (block, behind) = after.split_once("\n```").unwrap_or((after, ""));
        blocks.push(block);
        rest = behind;
    }
    blocks
}

/// The anchor of a heading (`## The run is kept`), as code hosts and mdBook make it.
pub fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "## A\nfirst\n```rust\n# hidden\nfn main() {}\n```\n### deeper\n## Ab\nsecond\n";

    #[test]
    fn a_section_ends_at_the_next_heading_outside_code() {
        assert_eq!(section(PAGE, "## A"), Some("first\n```rust\n# hidden\nfn main() {}\n```\n### deeper\n"));
        assert_eq!(section(PAGE, "## Ab"), Some("second\n"));
        assert_eq!(section(PAGE, "## B"), None);
    }

    #[test]
    fn blocks_are_those_of_the_language() {
        assert_eq!(blocks(PAGE, "rust"), ["# hidden\nfn main() {}"]);
        assert!(blocks(PAGE, "console").is_empty());
    }

    #[test]
    fn missing_cells_of_a_row_are_empty() {
        assert_eq!(rows("a\tb\n1\n"), [[("a", "1"), ("b", "")]]);
    }
}
