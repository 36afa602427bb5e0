//! What the ids of a trace mean.

use std::collections::BTreeMap;

use crate::event::{ObjectKind, SiteDef};
use crate::ids::{FrameId, ObjectId, SiteId, StringId};
use crate::wire::Definition;

/// What an object id means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectDef {
    /// What it is.
    pub kind: ObjectKind,
    /// Where it was created.
    pub created: SiteId,
    /// The type within.
    pub type_name: StringId,
}

/// What a frame's id means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameDef {
    /// The frame that called it; none for a thread's first, and where no more is known.
    pub caller: FrameId,
    /// Path of the file that the code was loaded from; empty for the program itself.
    pub module: StringId,
    /// The address to which the call returns, as the file has it: less where the file was loaded.
    pub address: u64,
}

/// What the ids of a trace mean.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tables {
    sites: Table<SiteDef>,
    strings: Table<String>,
    objects: Table<ObjectDef>,
    frames: Table<FrameDef>,
}

impl Tables {
    /// A site's file, line and column.
    pub fn site(&self, id: SiteId) -> Option<&SiteDef> {
        self.sites.get(id.0)
    }

    /// An interned string.
    pub fn string(&self, id: StringId) -> Option<&str> {
        self.strings.get(id.0).map(String::as_str)
    }

    /// What an object is.
    pub fn object(&self, id: ObjectId) -> Option<ObjectDef> {
        self.objects.get(id.0).copied()
    }

    /// A call.
    pub fn frame(&self, id: FrameId) -> Option<FrameDef> {
        self.frames.get(id.0).copied()
    }

    /// The calls that led to `innermost`, from it outwards. A damaged trace may go round in circles: at most 256.
    pub fn stack(&self, innermost: FrameId) -> impl Iterator<Item = FrameDef> {
        std::iter::successors(self.frame(innermost), |frame| self.frame(frame.caller)).take(256)
    }

    /// All sites that are defined, in order of their number.
    pub fn sites(&self) -> impl Iterator<Item = (SiteId, &SiteDef)> {
        self.sites.iter().map(|(id, def)| (SiteId(id), def))
    }

    /// All strings that are defined, in order of their number.
    pub fn strings(&self) -> impl Iterator<Item = (StringId, &str)> {
        self.strings.iter().map(|(id, text)| (StringId(id), text.as_str()))
    }

    /// All objects that are defined, in order of their number.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectId, ObjectDef)> {
        self.objects.iter().map(|(id, def)| (ObjectId(id), *def))
    }

    /// All frames that are defined, in order of their number.
    pub fn frames(&self) -> impl Iterator<Item = (FrameId, FrameDef)> {
        self.frames.iter().map(|(id, def)| (FrameId(id), *def))
    }

    /// Defines a site.
    pub fn define_site(&mut self, id: SiteId, def: SiteDef) {
        self.sites.set(id.0, def);
    }

    /// Defines a string.
    pub fn define_string(&mut self, id: StringId, text: String) {
        self.strings.set(id.0, text);
    }

    /// Defines an object.
    pub fn define_object(&mut self, id: ObjectId, def: ObjectDef) {
        self.objects.set(id.0, def);
    }

    /// Defines a frame.
    pub fn define_frame(&mut self, id: FrameId, def: FrameDef) {
        self.frames.set(id.0, def);
    }

    /// Takes a definition from a trace, which may repeat one that is known: the first counts.
    pub(crate) fn add(&mut self, definition: Definition<'_>) {
        match definition {
            Definition::Site { id, file, line, column } => {
                self.sites.set_first(id.0, || SiteDef { file: file.to_owned(), line, column });
            }
            Definition::String { id, text } => self.strings.set_first(id.0, || text.to_owned()),
            Definition::Object { id, kind, created, type_name } => {
                self.objects.set_first(id.0, || ObjectDef { kind, created, type_name });
            }
            Definition::Frame { id, caller, module, address } => {
                self.frames.set_first(id.0, || FrameDef { caller, module, address });
            }
        }
    }
}

/// A map from ids, which count up from 1, so that almost all lie in `dense`. Ids of a damaged trace can be anything: those far off
/// go to `sparse`, lest one number make a table of gigabytes. All of `sparse` lies behind the end of `dense`.
#[derive(Clone, PartialEq, Debug)]
struct Table<T> {
    dense: Vec<Option<T>>,
    sparse: BTreeMap<u32, T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { dense: Vec::new(), sparse: BTreeMap::new() }
    }
}

impl<T> Table<T> {
    fn get(&self, id: u32) -> Option<&T> {
        match self.dense.get(id as usize) {
            Some(value) => value.as_ref(),
            None => self.sparse.get(&id),
        }
    }

    fn set(&mut self, id: u32, value: T) {
        let index = id as usize;
        if index >= self.dense.len() {
            if index > self.dense.len() * 2 + 1024 {
                self.sparse.insert(id, value);
                return;
            }
            self.dense.resize_with(index + 1, || None);
            let above = self.sparse.split_off(&(id + 1));
            for (id, value) in std::mem::replace(&mut self.sparse, above) {
                self.dense[id as usize] = Some(value);
            }
        }
        self.dense[index] = Some(value);
    }

    fn set_first(&mut self, id: u32, value: impl FnOnce() -> T) {
        if self.get(id).is_none() {
            self.set(id, value());
        }
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let dense = self.dense.iter().zip(0..).filter_map(|(value, id)| Some((id, value.as_ref()?)));
        dense.chain(self.sparse.iter().map(|(id, value)| (*id, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_far_apart_take_little_memory_and_come_back_in_order() {
        let mut table = Table::default();
        for id in [u32::MAX, 1500, 7, 1_000_000, 1020, 2000] {
            table.set(id, id);
        }
        assert!(table.dense.len() < 10_000);
        assert_eq!(table.iter().map(|(id, _)| id).collect::<Vec<_>>(), [7, 1020, 1500, 2000, 1_000_000, u32::MAX]);
        assert!(table.iter().all(|(id, value)| id == *value && table.get(id) == Some(value)));
    }
}
