//! Plain tables: a head, aligned columns.

/// How a column is aligned.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows as text, each with an end of line; trailing blanks are left out.
pub(crate) fn render(head: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].0.chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for ((cell, width), (_, align)) in cells.zip(&widths).zip(head) {
            line += &match align {
                Align::Left => format!("{cell:<width$}  "),
                Align::Right => format!("{cell:>width$}  "),
            };
        }
        format!("{}\n", line.trim_end())
    };
    let mut text = line(&mut head.iter().map(|(name, _)| *name));
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["Bank.audit".to_owned(), "7".to_owned()], vec!["ü".to_owned(), "1000".to_owned()]];
        let text = render(&[("lock", Align::Left), ("waits", Align::Right)], &rows);
        assert_eq!(text, "lock        waits\nBank.audit      7\nü            1000\n");
    }
}
