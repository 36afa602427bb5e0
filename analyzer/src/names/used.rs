//! What the source calls a value where it is used.

use conccheck_trace::{Event, ObjectId, ObjectKind, SiteId, StringId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::is_of_standard_library;
use crate::model::Model;
use crate::receiver::receiver;

/// The objects that are to have one name: those made in one place, of one kind and for one type; or one alone, where the standard
/// library made it and the place tells nothing.
type Group = (SiteId, StringId, ObjectKind, ObjectId);

/// The names by which the source reaches objects.
pub(super) struct Used<'m, 'a> {
    model: &'m Model<'a>,
    /// The sites in the standard library.
    of_library: FxHashSet<SiteId>,
    /// The name by which all acquisitions of a group's locks reach them, or by which a condition variable's notifications and what waits
    /// for it at the end do; `None` where they differ.
    names: FxHashMap<Group, Option<String>>,
}

impl<'m, 'a> Used<'m, 'a> {
    pub(super) fn new(model: &'m Model<'a>) -> Used<'m, 'a> {
        let sites: FxHashSet<SiteId> = model.trace.tables.objects().map(|(_, object)| object.created).collect();
        let is_of_library = |site: &SiteId| model.site(*site).is_some_and(|site| is_of_standard_library(&site.file));
        let of_library = sites.into_iter().filter(is_of_library).collect();
        let mut used = Used { model, of_library, names: FxHashMap::default() };
        used.collect();
        used
    }

    /// Whether this is a site in the user's code or a dependency's.
    pub(super) fn tells_place(&self, created: SiteId) -> bool {
        !self.of_library.contains(&created)
    }

    pub(super) fn name(&self, id: ObjectId) -> Option<&str> {
        self.names.get(&self.group(id)?)?.as_deref()
    }

    fn group(&self, id: ObjectId) -> Option<Group> {
        let object = self.model.trace.tables.object(id)?;
        let alone = if self.tells_place(object.created) { ObjectId::NONE } else { id };
        Some((object.created, object.type_name, object.kind, alone))
    }

    fn collect(&mut self) {
        let model = self.model;
        let mut seen: FxHashSet<(Group, SiteId)> = FxHashSet::default();
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
            let Some(group) = self.group(object) else { continue };
            if !seen.insert((group, site)) {
                continue;
            }
            let Some(name) = model.site(site).and_then(|site| receiver(model.sources, site)) else { continue };
            let known = self.names.entry(group).or_insert_with(|| Some(name.clone()));
            if known.as_ref() != Some(&name) {
                *known = None;
            }
        }
    }
}
