//! Displayed names: what the source calls a lock or channel, and threads by name.

mod source;
mod types;

use conccheck_trace::{Event, ObjectId, ObjectKind, SiteDef, SiteId, StringId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::Model;
use crate::receiver::receiver;
use crate::table::Table;
use source::name_at;
use types::{short_type, without_paths};

/// Names of the objects and threads of a process, without control characters.
#[derive(Default, Debug)]
pub struct Names {
    /// Of each class, the name, and the same without line numbers.
    classes: Vec<(String, String)>,
    /// The class of each object: where it stands in `classes`, from 1; 0 for an object that is not known.
    by_object: Table<u32>,
    threads: Vec<String>,
}

/// What objects share that were made in one place to hold one type, and are of one kind: a derived `Default` makes several.
type Class = (SiteId, StringId, ObjectKind);

impl Names {
    pub(crate) fn new(model: &Model<'_>) -> Names {
        let mut by_class: FxHashMap<Class, u32> = FxHashMap::default();
        let called = names_of_use(model);
        let (mut classes, mut by_object) = (Vec::new(), Table::default());
        for (id, object) in model.trace.tables.objects() {
            let class = (object.created, object.type_name, object.kind);
            *by_object.at(id.0) = *by_class.entry(class).or_insert_with(|| {
                let type_name = model.trace.tables.string(object.type_name).unwrap_or_default();
                let created = model.site(object.created);
                let found = match object.kind {
                    ObjectKind::Scope => Some(short_type(type_name)),
                    _ => created.and_then(|site| name_at(model.sources, site)).or_else(|| called.get(&class).cloned().flatten()),
                };
                classes.push(match found {
                    Some(name) => (clean(&name), clean(&name)),
                    None => (
                        clean(&describe(object.kind, &short_type(type_name), created, true)),
                        // In full, since fingerprints tell locks apart by it.
                        clean(&describe(object.kind, &without_paths(type_name), created, false)),
                    ),
                });
                u32::try_from(classes.len()).unwrap_or(u32::MAX)
            });
        }
        let threads = model.threads.iter().map(|thread| match &thread.name {
            Some(name) => clean(name),
            None if thread.is_main => "main".to_owned(),
            None => format!("thread {}", thread.id.0),
        });
        let threads = threads.collect();
        Names { classes, by_object, threads }
    }

    /// The name that an object shares with the others of its creation site.
    pub fn class(&self, id: ObjectId) -> &str {
        self.both(id).map_or("an unknown object", |(name, _)| name)
    }

    /// The same, but without a line number in it.
    pub(crate) fn stable(&self, id: ObjectId) -> &str {
        self.both(id).map_or("", |(_, stable)| stable)
    }

    fn both(&self, id: ObjectId) -> Option<&(String, String)> {
        let class = self.by_object.get(id.0)?.checked_sub(1)?;
        self.classes.get(class as usize)
    }

    /// A thread's name, or `thread 7`.
    pub fn thread(&self, thread: usize) -> &str {
        self.threads.get(thread).map_or("an unknown thread", String::as_str)
    }

    /// A thread within a sentence: "thread `worker`", or "thread 7".
    pub(crate) fn called(&self, thread: usize) -> String {
        let name = self.thread(thread);
        if name.starts_with("thread ") { name.to_owned() } else { format!("thread `{name}`") }
    }

    /// A thread in a list: "`worker`", or "thread 7".
    pub(crate) fn quoted(&self, thread: usize) -> String {
        let name = self.thread(thread);
        if name.starts_with("thread ") { name.to_owned() } else { format!("`{name}`") }
    }

    /// Names for objects that are shown together: those that share one get numbers, in order of the objects' ids.
    pub fn labels(&self, objects: impl IntoIterator<Item = ObjectId>) -> Labels {
        let mut ids: Vec<ObjectId> = objects.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let labels = ids.iter().map(|id| {
            let class = self.class(*id);
            let same: Vec<ObjectId> = ids.iter().copied().filter(|other| self.class(*other) == class).collect();
            let number = same.iter().position(|other| other == id).unwrap_or(0) + 1;
            (*id, if same.len() > 1 { format!("{class}[#{number}]") } else { class.to_owned() })
        });
        Labels(labels.collect())
    }
}

/// For each class of locks the name by which all its acquisitions reach it, and for one of condition variables that by which its
/// notifications and what waits for it at the end do; `None` where they differ.
fn names_of_use(model: &Model<'_>) -> FxHashMap<Class, Option<String>> {
    let mut names: FxHashMap<Class, Option<String>> = FxHashMap::default();
    let mut seen: FxHashSet<(Class, SiteId)> = FxHashSet::default();
    let locked = model.contexts.iter().map(|context| (context.lock, context.site));
    let notified = model
        .condvars
        .iter()
        .flat_map(|(id, condvar)| condvar.notifications.iter().map(move |notification| (ObjectId(id), notification.site)));
    let waits = model.threads.iter().filter_map(|thread| match thread.pending.as_ref()?.event {
        Event::Wait { condvar, site, .. } => Some((condvar, site)),
        _ => None,
    });
    for (object, site) in locked.chain(notified).chain(waits) {
        let Some(object) = model.trace.tables.object(object) else { continue };
        let class = (object.created, object.type_name, object.kind);
        if !seen.insert((class, site)) {
            continue;
        }
        let Some(name) = model.site(site).and_then(|site| receiver(model.sources, site)) else { continue };
        let known = names.entry(class).or_insert_with(|| Some(name.clone()));
        if known.as_ref() != Some(&name) {
            *known = None;
        }
    }
    names
}

/// Names of the objects of one finding.
#[derive(Clone, Debug)]
pub struct Labels(Vec<(ObjectId, String)>);

impl Labels {
    /// An object's name.
    pub fn get(&self, id: ObjectId) -> &str {
        self.0.iter().find(|(other, _)| *other == id).map_or("an unknown object", |(_, name)| name)
    }
}

/// Text without control characters, so that a name can't move the cursor or change colours.
pub fn clean(text: &str) -> String {
    let is_harmful =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect()
}

fn describe(kind: ObjectKind, type_name: &str, site: Option<&SiteDef>, with_line: bool) -> String {
    // The type says what is guarded or passed on, which these don't.
    let guards = !matches!(kind, ObjectKind::Condvar | ObjectKind::Barrier | ObjectKind::Token | ObjectKind::WaitGroup);
    let type_name = if guards { type_name } else { "" };
    let kind = kind.noun();
    let of = if type_name.is_empty() { String::new() } else { format!("<{type_name}>") };
    match site {
        // Where nothing but a name is known, as in traces in the STD format, it stands for the place as well.
        Some(site) if site.line == 0 && site.file == type_name => type_name.to_owned(),
        Some(site) if with_line => format!("{kind}{of} ({}:{})", file_name(&site.file), site.line),
        Some(site) => format!("{kind}{of} ({})", file_name(&site.file)),
        None => format!("{kind}{of}"),
    }
}

/// A path's last part.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether a file belongs to a dependency or to the standard library, not to the user's own code.
pub fn is_dependency(file: &str) -> bool {
    let file = file.replace('\\', "/");
    file.starts_with("/rustc/")
        || ["/registry/src/", "/git/checkouts/", "/rustlib/src/"].iter().any(|folder| file.contains(folder))
}

/// Whether a source line declares a static.
pub fn declares_static(line: &str) -> bool {
    let mut words = line.split_whitespace().filter(|word| !word.starts_with("pub"));
    words.next() == Some("static") || line.contains("thread_local!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
    }
}
