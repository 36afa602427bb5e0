//! `conccheck rules`: the list of rules.

use conccheck_analyzer::registry::RULES;
use serde::Serialize;

use super::Form;
use crate::table::{self, Align};
use crate::{ExitCode, Failure};

/// List the rules
#[derive(clap::Args)]
pub(super) struct Args {
    /// Form of the list
    #[arg(long, value_enum, default_value = "human")]
    format: Form,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    severity: &'static str,
    summary: &'static str,
    since: &'static str,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let metas = RULES.iter().map(|rule| rule.meta());
        let row = |meta: &'static conccheck_analyzer::RuleMeta| Row {
            name: meta.name,
            severity: meta.severity.word(),
            summary: meta.summary,
            since: meta.since,
        };
        super::print_rows(self.format, &metas.map(row).collect::<Vec<_>>(), human)
    }
}

fn human(rows: &[Row]) -> String {
    let head = [("rule", Align::Left), ("severity", Align::Left), ("finds", Align::Left)];
    let cells = |row: &Row| vec![row.name.to_owned(), row.severity.to_owned(), row.summary.to_owned()];
    table::render(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}
