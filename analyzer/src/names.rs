//! Displayed names: what the source calls a lock or channel, and threads by name.

mod apart;
mod source;
mod types;
mod used;

use conccheck_trace::{ObjectId, ObjectKind, SiteDef, SiteId, StringId};
use rustc_hash::FxHashMap;

use crate::model::Model;
use crate::table::Table;
use source::name_at;
use types::{short_type, without_paths};
use used::Used;

/// Names of the objects and threads of a process, without control characters.
#[derive(Default, Debug)]
pub struct Names {
    classes: Vec<Class>,
    /// The class of each object: where it stands in `classes`, from 1; 0 for an object that is not known.
    by_object: Table<u32>,
    threads: Vec<String>,
}

/// What is said of the objects of a class.
#[derive(Debug)]
struct Class {
    name: String,
    /// The name without the place, if it tells one.
    base: String,
    /// The name without a line number, and in full, since fingerprints tell locks apart by it.
    stable: String,
    kind: ObjectKind,
    /// What they hold, in short.
    type_name: String,
    /// Where they are made, if that is known and not in the standard library.
    created: Option<SiteDef>,
}

/// What objects share that were made in one place to hold one type, and are of one kind: a derived `Default` makes several. Of what the
/// standard library made, as for `map(Mutex::new)`, the place tells nothing: those share the name by which they are used.
type Key = (SiteId, StringId, ObjectKind, Option<String>);

impl Names {
    pub(crate) fn new(model: &Model<'_>) -> Names {
        let mut by_key: FxHashMap<Key, u32> = FxHashMap::default();
        let used = Used::new(model);
        let (mut classes, mut by_object) = (Vec::new(), Table::default());
        for (id, object) in model.trace.tables.objects() {
            let called = used.name(id);
            let tells_place = used.tells_place(object.created);
            let key = (object.created, object.type_name, object.kind, called.filter(|_| !tells_place).map(str::to_owned));
            *by_object.at(id.0) = *by_key.entry(key).or_insert_with(|| {
                let type_name = model.trace.tables.string(object.type_name).unwrap_or_default();
                let created = model.site(object.created).filter(|_| tells_place);
                let found = match object.kind {
                    ObjectKind::Scope => Some(short_type(type_name)),
                    _ => created.and_then(|site| name_at(model.sources, site)).or_else(|| called.map(str::to_owned)),
                };
                let short = short_type(type_name);
                let full = without_paths(type_name);
                let or_else = |describe: &dyn Fn() -> String| clean(&found.clone().unwrap_or_else(describe));
                classes.push(Class {
                    name: or_else(&|| describe(object.kind, &short, created, true)),
                    base: or_else(&|| describe(object.kind, &short, None, true)),
                    stable: or_else(&|| describe(object.kind, &full, created, false)),
                    kind: object.kind,
                    type_name: clean(&short),
                    created: created.cloned(),
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

    /// The name that an object shares with the others of its class.
    pub fn class(&self, id: ObjectId) -> &str {
        self.class_of(id).map_or("an unknown object", |class| &class.name)
    }

    /// The same, but without a line number in it.
    pub(crate) fn stable(&self, id: ObjectId) -> &str {
        self.class_of(id).map_or("", |class| &class.stable)
    }

    /// Whether two objects are of one class; two classes may have the same name.
    pub(crate) fn are_of_one_class(&self, a: ObjectId, b: ObjectId) -> bool {
        self.by_object.get(a.0) == self.by_object.get(b.0)
    }

    fn class_of(&self, id: ObjectId) -> Option<&Class> {
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

    /// Names for objects that are shown together: classes that share a name get what tells them apart, and of one class each object
    /// gets a number, in order of the objects' ids.
    pub fn labels(&self, objects: impl IntoIterator<Item = ObjectId>) -> Labels {
        let mut ids: Vec<ObjectId> = objects.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let names: Vec<String> = ids.iter().map(|id| self.name_among(*id, &ids)).collect();
        let labels = ids.iter().enumerate().map(|(at, id)| {
            let own = &names[at];
            let same = |names: &[String]| names.iter().filter(|name| *name == own).count();
            (*id, if same(&names) > 1 { format!("{own}[#{}]", same(&names[..=at])) } else { own.clone() })
        });
        Labels(labels.collect())
    }

    /// The name of an object's class, such that no other class of these objects has it, if that can be.
    fn name_among(&self, id: ObjectId, ids: &[ObjectId]) -> String {
        let mut namesakes: Vec<ObjectId> = Vec::new();
        for other in ids.iter().filter(|other| self.class(**other) == self.class(id)) {
            if !namesakes.iter().any(|known| self.are_of_one_class(*known, *other)) {
                namesakes.push(*other);
            }
        }
        let classes: Vec<&Class> = namesakes.iter().filter_map(|other| self.class_of(*other)).collect();
        let own = namesakes.iter().position(|other| self.are_of_one_class(*other, id));
        match (apart::words(&classes).filter(|_| classes.len() > 1), self.class_of(id), own) {
            (Some(words), Some(class), Some(own)) => format!("{} ({})", class.base, words[own]),
            _ => self.class(id).to_owned(),
        }
    }
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
    is_of_standard_library(&file) || ["/registry/src/", "/git/checkouts/"].iter().any(|folder| file.contains(folder))
}

/// Whether a file belongs to the standard library.
pub(crate) fn is_of_standard_library(file: &str) -> bool {
    let file = file.replace('\\', "/");
    file.starts_with("/rustc/") || file.contains("/rustlib/src/")
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
