//! Names of types, short enough to be read.

/// Longer names of types are cut from the inside.
const LONGEST_TYPE: usize = 32;

/// A type's name without the paths, and without what is nested too deep to be read.
pub(super) fn short_type(name: &str) -> String {
    let full = without_paths(name);
    let cut = (0..4).rev().map(|depth| cut_below(&full, depth));
    [full.clone()].into_iter().chain(cut).find(|name| name.chars().count() <= LONGEST_TYPE).unwrap_or_else(|| cut_below(&full, 0))
}

/// The name with `…` for all that stands in more brackets than `depth`.
fn cut_below(name: &str, depth: usize) -> String {
    let mut cut = String::new();
    let mut open = 0;
    let mut last = ' ';
    for c in name.chars() {
        // The arrow of a function type closes nothing.
        let closes = matches!(c, '>' | ')' | ']') && !(c == '>' && last == '-');
        open -= usize::from(closes && open > 0);
        if open <= depth {
            cut.push(c);
        }
        if matches!(c, '<' | '(' | '[') {
            open += 1;
            if open == depth + 1 {
                cut.push('…');
            }
        }
        last = c;
    }
    cut
}

/// The name without the paths of modules.
pub(super) fn without_paths(name: &str) -> String {
    let mut short = String::new();
    let mut word = 0;
    for c in name.chars() {
        short.push(c);
        if short.ends_with("::") {
            short.truncate(word);
        } else if !(c.is_alphanumeric() || c == '_' || c == ':') {
            word = short.len();
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_lose_their_paths() {
        assert_eq!(short_type("alloc::vec::Vec<(u32, core::option::Option<my::Bank>)>"), "Vec<(u32, Option<Bank>)>");
        let map = "std::collections::HashMap<alloc::string::String, alloc::vec::Vec<(u64, my::Transaction)>>";
        assert_eq!(short_type(map), "HashMap<String, Vec<(…)>>");
        let call = "alloc::boxed::Box<dyn Fn(&my::Request, &my::Context) -> core::result::Result<my::Answer, my::Error> + Send>";
        assert_eq!(short_type(call), "Box<…>");
    }
}
