//! Locks that are there to make tests run one after another.

use conccheck_trace::ObjectId;

use crate::model::Model;

/// Whether the lock guards nothing and is taken by tests themselves alone, by several of them or as a static: it is meant to be held
/// for as long as a test takes, and the others are meant to wait.
pub(crate) fn serialises_tests(model: &Model<'_>, lock: ObjectId) -> bool {
    let tables = &model.trace.tables;
    let Some(object) = tables.object(lock).filter(|object| tables.string(object.type_name) == Some("()")) else { return false };
    let Some(state) = model.locks.get(lock.0) else { return false };
    let users = || state.contexts.iter().map(|id| &model.threads[model.contexts[*id as usize].thread()]);
    let is_test = |thread: &crate::model::thread::Thread| thread.test.is_some() && thread.parent.is_none();
    let first = users().next().and_then(|thread| thread.test);
    users().all(is_test) && (users().any(|thread| thread.test != first) || model.is_static(object.created))
}
