//! Tells classes of one name apart, where a finding shows several.

use conccheck_trace::SiteDef;

use super::Class;

/// For each of several classes of one name a word that none of the others has: what it is, where it is made, or what it holds. `None`
/// where nothing tells them all apart.
pub(super) fn words(classes: &[&Class]) -> Option<Vec<String>> {
    let all = |word: &dyn Fn(&Class) -> Option<String>| {
        let words: Vec<String> = classes.iter().filter_map(|class| word(class)).collect();
        let mut different = words.clone();
        different.sort_unstable();
        different.dedup();
        (different.len() == classes.len()).then_some(words)
    };
    let depth = |site: &SiteDef| site.file.matches(['/', '\\']).count();
    let folders = classes.iter().filter_map(|class| class.created.as_ref()).map(depth).max().unwrap_or(0);
    all(&|class| Some(class.kind.noun().to_owned()))
        // With as many folders as it takes.
        .or_else(|| (0..=folders).find_map(|folders| all(&|class| class.created.as_ref().map(|site| place(site, folders)))))
        .or_else(|| all(&|class| class.created.as_ref().map(|site| format!("{}:{}", place(site, 0), site.column))))
        .or_else(|| all(&|class| Some(class.type_name.clone()).filter(|name| !name.is_empty())))
}

/// File and line, with the innermost of its folders.
fn place(site: &SiteDef, folders: usize) -> String {
    let start = site.file.rmatch_indices(['/', '\\']).nth(folders).map_or(0, |(at, _)| at + 1);
    format!("{}:{}", &site.file[start..], site.line)
}

#[cfg(test)]
mod tests {
    use conccheck_trace::ObjectKind;

    use super::*;

    fn class(kind: ObjectKind, type_name: &str, (file, line, column): (&str, u32, u32)) -> Class {
        let created = Some(SiteDef { file: file.into(), line, column });
        let name = String::from("LOCK");
        Class { base: name.clone(), stable: name.clone(), name, kind, type_name: type_name.into(), created }
    }

    #[test]
    fn classes_of_one_name_are_told_apart_by_the_first_thing_that_differs() {
        let mutex = |at| class(ObjectKind::Mutex, "u32", at);
        let told = |classes: &[Class]| words(&classes.iter().collect::<Vec<_>>());
        let condvar = class(ObjectKind::Condvar, "", ("src/a.rs", 1, 1));
        assert_eq!(told(&[mutex(("src/a.rs", 1, 1)), condvar]).expect("words"), ["Mutex", "Condvar"]);
        assert_eq!(told(&[mutex(("src/a.rs", 1, 1)), mutex(("src/b.rs", 1, 1))]).expect("words"), ["a.rs:1", "b.rs:1"]);
        let folders = [mutex(("src/a/mod.rs", 1, 1)), mutex(("src/b/mod.rs", 1, 1))];
        assert_eq!(told(&folders).expect("words"), ["a/mod.rs:1", "b/mod.rs:1"]);
        assert_eq!(told(&[mutex(("a.rs", 1, 1)), mutex(("a.rs", 1, 9))]).expect("words"), ["a.rs:1:1", "a.rs:1:9"]);
        let generic = [mutex(("a.rs", 1, 1)), class(ObjectKind::Mutex, "u64", ("a.rs", 1, 1))];
        assert_eq!(told(&generic).expect("words"), ["u32", "u64"]);
    }
}
