//! The field's text format for traces, as far as these tests need it: `T1|acq(L1)|12`.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use conccheck_analyzer::predict::{Builder, Op, Trace};
use conccheck_trace::Mode;

/// Reads a trace file, gzip-compressed if it is named so.
pub(crate) fn read(path: &Path) -> Parsed {
    let bytes = if path.extension().is_some_and(|extension| extension == "gz") {
        Command::new("gzip").arg("-dc").arg(path).output().expect("gzip runs").stdout
    } else {
        std::fs::read(path).expect("the trace is readable")
    };
    parse(&String::from_utf8(bytes).expect("traces are text"))
}

/// A trace, and the operand of each of its events as it was written.
pub(crate) struct Parsed {
    pub(crate) trace: Trace,
    pub(crate) operands: Vec<String>,
}

fn parse(text: &str) -> Parsed {
    let mut names: HashMap<String, u64> = HashMap::new();
    let mut number = |name: &str| {
        let next = names.len() as u64;
        *names.entry(name.to_owned()).or_insert(next)
    };
    let mut builder = Builder::default();
    let mut operands = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut fields = line.split('|');
        let (thread, call) = (fields.next().unwrap(), fields.next().unwrap());
        let location = number(fields.next().unwrap_or("")) as u32;
        let (name, operand) = call.strip_suffix(')').and_then(|call| call.split_once('(')).expect(line);
        let thread = number(thread.trim_start_matches('T'));
        let op = match name {
            "acq" => Op::Acquire { mode: Mode::Exclusive, waits: true, steady: true },
            "rel" => Op::Release,
            "r" => Op::Read,
            "w" => Op::Write,
            "fork" => Op::Fork,
            "join" => Op::Join { waits: true },
            _ => Op::Mark,
        };
        let operand = if matches!(op, Op::Fork | Op::Join { .. }) { operand.trim_start_matches('T') } else { operand };
        if builder.push(thread, op, number(operand), location).is_some() {
            operands.push(operand.to_owned());
        }
    }
    Parsed { trace: builder.finish(), operands }
}
