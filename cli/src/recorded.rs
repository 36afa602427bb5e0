//! What was recorded, beside what was found: for pictures and tables.

use std::cell::OnceCell;

use conccheck_analyzer::{Config, Model};
use conccheck_trace::read::ProcessTrace;

use crate::sources::SourceCache;

/// The traces of a run and, once they are asked for, their models.
#[derive(Default)]
pub(crate) struct Recorded<'a> {
    processes: &'a [ProcessTrace],
    /// What models need; `None`: there is nothing to make one of.
    context: Option<(&'a SourceCache, &'a Config)>,
    models: OnceCell<Vec<Model<'a>>>,
}

impl<'a> Recorded<'a> {
    pub(crate) fn new(processes: &'a [ProcessTrace], sources: &'a SourceCache, config: &'a Config) -> Recorded<'a> {
        Recorded { processes, context: Some((sources, config)), models: OnceCell::new() }
    }

    /// The model of each process. Takes a pass over all events when it is first called.
    pub(crate) fn models(&self) -> &[Model<'a>] {
        self.models.get_or_init(|| {
            let Some((sources, config)) = self.context else { return Vec::new() };
            self.processes.iter().map(|process| Model::new(process, sources, config)).collect()
        })
    }
}
