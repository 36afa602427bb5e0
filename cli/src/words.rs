//! Numbers and lists as people read them.

/// "1 thread", "2 threads".
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", short_number(number), if number == 1 { "" } else { "s" })
}

/// "950", "12.3 k", "1.9 M".
pub(crate) fn short_number(number: u64) -> String {
    let (unit, name) = match number {
        0..10_000 => return number.to_string(),
        10_000..1_000_000 => (1e3, "k"),
        1_000_000..1_000_000_000 => (1e6, "M"),
        _ => (1e9, "G"),
    };
    format!("{:.1} {name}", number as f64 / unit)
}

/// "850 ns", "1.2 µs", "48 ms", "3.5 s".
pub(crate) fn duration(nanos: u64) -> String {
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let value = nanos as f64 / unit;
    if value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

/// "a", "a and b", "a, b and c", "a, b and 7 more".
pub(crate) fn list<S: AsRef<str>>(items: &[S], at_most: usize) -> String {
    let shown = if items.len() > at_most { at_most.saturating_sub(1).max(1) } else { items.len() };
    let mut parts: Vec<String> = items[..shown].iter().map(|item| item.as_ref().to_owned()).collect();
    if shown < items.len() {
        parts.push(format!("{} more", items.len() - shown));
    }
    let last = parts.pop().unwrap_or_default();
    if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_from_ten_thousand_on() {
        assert_eq!([0, 9_999, 10_000, 1_912_345].map(short_number), ["0", "9999", "10.0 k", "1.9 M"]);
        assert_eq!((count(1, "thread"), count(2, "thread")), ("1 thread".into(), "2 threads".into()));
    }

    #[test]
    fn durations_have_two_digits_or_their_unit() {
        let durations = [0, 999, 1_234, 48_000_000, 999_999_999, 3_500_000_000].map(duration);
        assert_eq!(durations, ["0 ns", "999 ns", "1.2 µs", "48 ms", "1000 ms", "3.5 s"]);
    }

    #[test]
    fn long_lists_end_in_a_number() {
        assert_eq!(list::<&str>(&[], 3), "");
        assert_eq!(list(&["a"], 3), "a");
        assert_eq!(list(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(list(&["a", "b", "c", "d"], 3), "a, b and 2 more");
    }
}
