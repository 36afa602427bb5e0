//! `conccheck graph`: the lock-order graph of a run.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::lock_graph::{LockGraph, dot, svg};
use crate::options::ConfigOptions;
use crate::{ExitCode, Failure, JudgingOptions, ReportOptions, RunFacts, output, reporting};

/// Draw the lock-order graph, with the cycles that were found in red
#[derive(clap::Args)]
pub(super) struct Args {
    /// Traces, or folders with the traces of a run; several are joined
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,

    /// Form of the graph (default: the one that the file's name ends in, else dot)
    #[arg(long, value_enum)]
    format: Option<Form>,

    /// File for the graph (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only what is part of a cycle that was found
    #[arg(long)]
    cycles: bool,

    #[command(flatten)]
    config: ConfigOptions,
}

/// What the graph looks like.
#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// For Graphviz
    Dot,
    /// A picture
    Svg,
}

impl Args {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let Args { traces, format, output, cycles, config } = self;
        // In a graph of what was recorded, dependencies are as good as the user's own code.
        let judging = JudgingOptions { all: true, config, ..JudgingOptions::default() };
        let settings = ReportOptions::from(judging).settings()?;
        let facts = RunFacts::default();
        reporting::judge(&traces, &facts, &settings, None, |report| {
            reporting::verdict(report, &traces, &facts)?;
            let mut graph = LockGraph::new(report.recorded.models(), &report.findings);
            if cycles {
                graph.keep_cycles();
            }
            let file = output.filter(|file| file != Path::new("-"));
            let by_name = file.as_ref().and_then(|file| Form::from_str(file.extension()?.to_str()?, true).ok());
            let text = match format.or(by_name).unwrap_or(Form::Dot) {
                Form::Dot => dot::file(&graph),
                Form::Svg => svg::file(&graph),
            };
            match file {
                Some(file) => output::write_new_file(&file, text.as_bytes())?,
                None => output::print(&text, false, None)?,
            }
            // The picture is what was asked for, whatever it shows.
            Ok(ExitCode::Clean)
        })
    }
}
