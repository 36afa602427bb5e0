//! What the source around a site does, as far as its text shows.

use conccheck_trace::{SiteDef, SiteId};

use crate::model::Model;

/// Lines above and below a line that can belong to one statement with it.
const SPREAD: u32 = 8;
/// Lines after a guard is bound that are looked at.
const BODY: u32 = 8;

/// The line `below` lines after `site`, without its comment.
fn line(model: &Model<'_>, site: &SiteDef, below: u32) -> Option<String> {
    numbered(model, site, site.line + below)
}

/// Line `number` of the file of `site`, without its comment. None where the site's own line is not known.
pub(crate) fn numbered(model: &Model<'_>, site: &SiteDef, number: u32) -> Option<String> {
    if site.line == 0 {
        return None;
    }
    let text = model.sources.line(&SiteDef { file: site.file.clone(), line: number, column: 1 })?;
    let code = text.split_once("// ").map_or(text.as_str(), |(code, _)| code);
    Some(code.trim_end().to_owned())
}

/// The lines between those of two sites of one file.
pub(crate) fn between(model: &Model<'_>, first: SiteId, second: SiteId) -> Vec<String> {
    let (Some(first), Some(second)) = (model.site(first), model.site(second)) else { return Vec::new() };
    (first.line + 1..second.line).filter_map(|number| numbered(model, first, number)).collect()
}

/// What is done with the guard that is acquired at `site`: the statement itself, or the lines after it that use the guard which it
/// binds.
pub(crate) fn uses_of_guard(model: &Model<'_>, site: SiteId) -> Vec<String> {
    let Some(text) = at(model, site) else { return Vec::new() };
    let Some(site) = model.site(site) else { return Vec::new() };
    let Some(guard) = bound_guard(&text) else { return vec![text] };
    let indent = |text: &str| text.len() - text.trim_start().len();
    let own = line(model, site, 0).map_or(0, |text| indent(&text));
    // A brace further in closes a block within the guard's.
    let is_inside = |text: &String| !text.trim_start().starts_with('}') || text.contains("else") || indent(text) >= own;
    let is_over = |text: &String| text.contains(&format!("drop({guard})")) || bound_guard(text).as_ref() == Some(&guard);
    let body = (1..=BODY).map_while(|below| line(model, site, below)).take_while(|text| is_inside(text) && !is_over(text));
    body.filter(|text| mentions(text, &guard)).collect()
}

/// The statement of a site in one line: a chain of calls is often one call a line.
pub(crate) fn at(model: &Model<'_>, site: SiteId) -> Option<String> {
    let site = model.site(site)?;
    let mut text = line(model, site, 0)?.trim().to_owned();
    for number in (site.line.saturating_sub(SPREAD).max(1)..site.line).rev() {
        let Some(above) = numbered(model, site, number).filter(|above| goes_on(above)) else { break };
        text.insert_str(0, above.trim());
    }
    for below in 1..=SPREAD {
        let next = line(model, site, below).filter(|next| next.trim_start().starts_with('.'));
        let Some(next) = next.filter(|_| goes_on(&text)) else { break };
        text.push_str(next.trim());
    }
    Some(text)
}

/// Whether a statement goes on behind this line.
pub(crate) fn goes_on(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with("//") && !line.starts_with('#') && !line.ends_with([';', '{', '}', ','])
}

/// The name of the function that is called at `site`, or whatever word begins there.
pub(crate) fn called(model: &Model<'_>, site: SiteId) -> Option<String> {
    let site = model.site(site)?;
    let (text, column) = (line(model, site, 0)?, site.column.checked_sub(1)?);
    Some(text.chars().skip(column as usize).take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

/// Whether a statement makes a decision of what it reads.
pub(crate) fn decides(text: &str) -> bool {
    let text = text.trim_start();
    let branches = ["if ", "while ", "match ", "} else if "].iter().any(|word| text.starts_with(word));
    let compares = ["==", "!=", ">=", "<=", " < ", " > ", "is_empty()", "is_none()", "is_some()", "contains"];
    branches || compares.iter().any(|op| text.contains(op))
}

/// Whether a statement assigns to something that it does not declare.
pub(crate) fn assigns(text: &str) -> bool {
    text.match_indices(" = ").any(|(at, _)| !text[..at].trim_start().starts_with("let") && !text[..at].contains("let "))
}

/// The name of the function whose declaration a line begins.
pub(crate) fn declared_function(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "fn").skip(1);
    Some(words.next()?.split(['(', '<']).next().unwrap_or_default())
}

/// The name that a `let` statement gives to what it reads.
pub(crate) fn bound_name(text: &str) -> Option<String> {
    let text = text.trim_start();
    let text = ["if ", "while "].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    let rest = text.strip_prefix("let ")?.trim_start();
    let rest = ["Ok(", "Some("].iter().find_map(|pattern| rest.strip_prefix(pattern)).unwrap_or(rest);
    let rest = rest.strip_prefix("mut ").unwrap_or(rest);
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// The name of the guard that a statement binds: nothing follows the call that takes the lock but what opens its result.
pub(crate) fn bound_guard(text: &str) -> Option<String> {
    let name = bound_name(text)?;
    let (before, rest) = taken(text)?;
    if before.split_once('=').is_some_and(|(_, value)| value.trim_start().starts_with('*')) {
        return None;
    }
    (rest.is_empty() || rest.starts_with(';') || rest.starts_with("else") || rest.starts_with('{')).then_some(name)
}

/// What stands before the call that takes a lock, and behind what opens its result.
fn taken(text: &str) -> Option<(&str, &str)> {
    let calls = [".lock()", ".write()", ".read()", ".upgradable_read()"];
    let (start, end) = calls.iter().filter_map(|call| text.rfind(call).map(|at| (at, at + call.len()))).max()?;
    let mut rest = text[end..].trim();
    loop {
        let opened = ["?", ".await"].iter().find_map(|opener| rest.strip_prefix(opener));
        rest = match opened {
            Some(rest) => rest,
            None => match [".unwrap(", ".expect(", ".unwrap_or_else("].iter().find_map(|call| rest.strip_prefix(call)) {
                Some(arguments) => behind(arguments)?,
                None => break,
            },
        };
        rest = rest.trim_start();
    }
    Some((&text[..start], rest))
}

/// Whether a lock is taken in a closure with arguments: such a statement may take it many times.
pub(crate) fn is_in_closure(text: &str) -> bool {
    taken(text).is_some_and(|(before, _)| before.replace("||", "").contains('|'))
}

/// The uses of a guard in a statement, each as what stands before and behind it. Without a name it is the guard that the statement
/// itself takes, and what stands before does not say of which lock.
pub(crate) fn uses_in<'a>(text: &'a str, guard: Option<&str>) -> Vec<(&'a str, &'a str)> {
    match guard {
        Some(name) => {
            words(text).filter(|(_, word)| *word == name).map(|(at, word)| (&text[..at], &text[at + word.len()..])).collect()
        }
        None => vec![taken(text).map_or(("", text), |(before, rest)| (&before[..receiver(before)], rest))],
    }
}

/// The expression whose lock a statement takes.
pub(crate) fn locked(text: &str) -> Option<&str> {
    taken(text).map(|(before, _)| &before[receiver(before)..])
}

/// Where the expression begins that a method is called on behind this text.
fn receiver(text: &str) -> usize {
    let mut open = 0;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' => open += 1,
            '(' | '[' if open > 0 => open -= 1,
            _ if open > 0 || c.is_alphanumeric() || matches!(c, '_' | '.' | ':') => {}
            _ => return at + c.len_utf8(),
        }
    }
    0
}

/// What stands behind the parenthesis that closes these arguments.
pub(crate) fn behind(arguments: &str) -> Option<&str> {
    let mut open = 1;
    for (at, c) in arguments.char_indices() {
        open += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if open == 0 {
            return Some(&arguments[at + 1..]);
        }
    }
    None
}

/// Whether a text has this name as a word of its own.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    words(text).any(|(_, word)| word == name)
}

/// The words of a text, and where they begin.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_part)?;
        at = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        Some((start, &text[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_bound_where_nothing_follows_but_what_opens_the_result() {
        for text in [
            "let mut g = self.m.lock().unwrap();",
            "let g = m.lock().expect(\"not (ever) poisoned\");",
            "let g = m.write().unwrap_or_else(|e| e.into_inner());",
            "let g = m.lock();",
            "let g = m.read()?;",
            "if let Ok(mut g) = m.lock() {",
            "let Ok(g) = m.lock() else {",
        ] {
            assert_eq!(bound_guard(text).as_deref(), Some("g"), "{text}");
        }
        for text in
            ["let v = *m.lock().unwrap();", "let v = m.lock().unwrap().len();", "m.lock().unwrap().push(1);", "let v = f();"]
        {
            assert_eq!(bound_guard(text), None, "{text}");
        }
    }
}
