//! What a mistyped name was probably meant to be.

/// Up to three names that are close enough to have been meant, the closest first.
pub(crate) fn nearest<'a>(name: &str, names: &[&'a str]) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names.iter().map(|known| (strsim::jaro_winkler(name, known), *known)).collect();
    scored.retain(|&(score, _)| score > 0.8);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_rule_has_near_names() {
        let names = ["deadlock", "double-lock", "lock-order-cycle", "leaked-task"];
        assert_eq!(nearest("lock-order-cyle", &names)[0], "lock-order-cycle");
        assert_eq!(nearest("dedlock", &names)[0], "deadlock");
        assert!(nearest("xyz", &names).is_empty());
    }
}
