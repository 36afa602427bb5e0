//! Locks that their thread has to itself: those in a value that is borrowed mutably. Nobody else can hold one, or wait for it.

use conccheck_trace::{SiteDef, SiteId};

use super::blocks::Blocks;
use super::source::{Around, FILE};
use super::words::code;
use crate::Sources;
use crate::model::Model;
use crate::model::context::Context;

/// Where a side of a ring takes a lock that it has to itself, of those that it waits for or that others wait for.
pub(super) fn owned(model: &Model<'_>, ring: &[u32], context: &Context) -> Option<SiteId> {
    let awaited = |lock| ring.iter().any(|id| model.contexts[*id as usize].lock == lock);
    let held = model.held(context.chain).into_iter().filter(|held| awaited(held.lock)).map(|held| held.site);
    [context.site].into_iter().chain(held).find(|site| model.site(*site).is_some_and(|place| is_owned(model.sources, place)))
}

/// Whether `self.field.lock()` stands here in a function that has `self` to itself, and the field is the lock, not a way to it.
fn is_owned(sources: &dyn Sources, site: &SiteDef) -> bool {
    let Some(Around { above, .. }) = Around::new(sources, site) else { return false };
    let head: String = above.iter().flat_map(|(_, text)| text.chars().chain([' '])).take_while(|c| *c != '{').collect();
    let borrows = head.split_once("fn ").is_some_and(|(_, head)| head.contains("(&mut self") || head.contains("(mut self"));
    let blocks = Blocks::open_at_the_end(&above);
    let before = blocks.unfinished.trim_end().trim_end_matches('.');
    let Some((path, field)) = before.rsplit_once('.') else { return false };
    let is_own =
        path.ends_with("self") && !blocks.open.iter().any(|block| block.head.contains("spawn") || block.head.contains('|'));
    borrows && is_own && is_plain(sources, site, field)
}

/// Whether all fields of this name in the file are locks.
fn is_plain(sources: &dyn Sources, site: &SiteDef, field: &str) -> bool {
    let line = |line: u32| sources.line(&SiteDef { file: site.file.clone(), line, column: 1 });
    let mut types = (1..=FILE).map_while(line).filter_map(|text| {
        let text = code(&text);
        let (declared, of) = text.trim().trim_end_matches(',').rsplit_once(&format!("{field}: "))?;
        let is_field = (declared.is_empty() || declared.starts_with("pub")) && !of.contains('(');
        is_field.then(|| of.rsplit_once("::").filter(|(path, _)| !path.contains('<')).map_or(of, |(_, name)| name).to_owned())
    });
    let is_lock = |of: &String| of.starts_with("Mutex<") || of.starts_with("RwLock<");
    types.next().is_some_and(|first| is_lock(&first)) && types.all(|other| is_lock(&other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Marked;

    fn at(field: &str, function: &str) -> bool {
        let source = Marked::new(&format!("struct S {{\n{field}\n}}\nimpl S {{\n{function}\n}}"));
        is_owned(&source, &source.site)
    }

    #[test]
    fn a_lock_in_a_value_that_is_borrowed_mutably_has_no_other_user() {
        let dropped = "fn drop(&mut self) {\n let a = self.a.^lock().unwrap();\n}";
        assert!(at("a: Mutex<u32>,", &format!("{dropped}\nfn new() -> S {{\n S {{\n a: Mutex::new(0),\n }}\n}}")));
        assert!(at("pub(crate) a: parking_lot::Mutex<Vec<u32>>,", dropped));
        assert!(!at("a: Arc<Mutex<u32>>,", dropped), "others may have it");
        assert!(!at("a: &'static Mutex<u32>,", dropped));
        assert!(!at("a: Mutex<u32>,", "fn look(&self) {\n let a = self.a.^lock().unwrap();\n}"));
        assert!(!at("a: Mutex<u32>,", "fn drop(&mut self) {\n let a = self.b.a.^lock().unwrap();\n}"));
        assert!(!at("a: Mutex<u32>,", "fn run(&mut self) {\n spawn(|| {\n let a = self.a.^lock().unwrap(); });\n}"));
    }
}
