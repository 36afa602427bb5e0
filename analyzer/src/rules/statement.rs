//! What a source line does, as far as its text shows.

use conccheck_trace::{SiteDef, SiteId};

use crate::model::Model;

/// Lines after a guard is bound that are looked at.
const BODY: u32 = 4;

/// The line `below` lines after `site`.
fn line(model: &Model<'_>, site: &SiteDef, below: u32) -> Option<String> {
    model.sources.line(&SiteDef { line: site.line + below, column: 1, ..site.clone() })
}

/// What is done with the guard that is acquired at `site`: the line itself, or the lines after it that use the guard which it binds.
pub(crate) fn uses_of_guard(model: &Model<'_>, site: SiteId) -> Vec<String> {
    let Some(site) = model.site(site) else { return Vec::new() };
    let Some(text) = line(model, site, 0) else { return Vec::new() };
    match bound_guard(&text) {
        None => vec![text],
        Some(guard) => (1..=BODY).map_while(|below| line(model, site, below)).filter(|text| mentions(text, &guard)).collect(),
    }
}

/// The line of a site.
pub(crate) fn at(model: &Model<'_>, site: SiteId) -> Option<String> {
    line(model, model.site(site)?, 0)
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

/// Whether the line binds a guard that lives on.
pub(crate) fn binds_guard(text: &str) -> bool {
    bound_guard(text).is_some()
}

/// The name of the guard that a statement binds.
fn bound_guard(text: &str) -> Option<String> {
    let rest = text.trim_start().strip_prefix("let ")?.trim_start();
    let rest = rest.strip_prefix("mut ").unwrap_or(rest);
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let end = text.trim_end();
    let is_guard = ["lock().unwrap();", "write().unwrap();", "lock();", "write();"].iter().any(|call| end.ends_with(call));
    (is_guard && !name.is_empty()).then_some(name)
}

fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}
