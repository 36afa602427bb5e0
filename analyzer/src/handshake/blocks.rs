//! The blocks and statements of a source text, and which of them only wait.

use super::words::{ENDS, LOOKS, Names, OWNERS, TAKES, declared, has, idles, names};
use crate::receiver::last_word;
use crate::rules::statement::mentions;

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    /// What stands in its braces, if it has any.
    pub(super) inner: String,
    /// The line that it ends in, or that its braces open in.
    pub(super) line: u32,
    /// Whether it is a loop that does nothing but wait, and for what.
    pub(super) waits: Option<Waits>,
    /// Whether it is what the block begins with that the place stands in: a call, perhaps, that runs it.
    pub(super) runs: bool,
}

impl Statement {
    /// The atomics that a loop takes for its thread.
    pub(super) fn takes(&self) -> impl Iterator<Item = String> {
        names(&self.text, &TAKES).chain(names(&self.inner, &TAKES)).filter(|_| self.waits.is_some())
    }
}

/// What a loop waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Waits {
    /// That somebody sets one of these atomics.
    Atomic(Names),
    /// That others give up what they share.
    Owners,
    /// For nothing: it goes on only if one of these atomics is set.
    Test(Names),
}

/// A block that is open.
#[derive(Default)]
pub(super) struct Block {
    /// What stands before its brace.
    pub(super) head: String,
    line: u32,
    pub(super) statements: Vec<Statement>,
}

/// Blocks and statements of a text, as far as it has been read.
#[derive(Default)]
pub(super) struct Blocks {
    pub(super) open: Vec<Block>,
    /// What stands outside of all.
    rest: Vec<Statement>,
    /// What the text ends with: a statement's beginning.
    pub(super) unfinished: String,
    line: u32,
}

impl Blocks {
    pub(super) fn open_at_the_end(lines: &[(u32, String)]) -> Blocks {
        let mut blocks = Blocks::default();
        let mut text = String::new();
        for (line, code) in lines {
            for c in code.chars().chain(['\n']) {
                match c {
                    '{' => blocks.open.push(Block { head: std::mem::take(&mut text), line: *line, statements: Vec::new() }),
                    '}' => {
                        blocks.add(std::mem::take(&mut text), *line);
                        let Some(Block { head, line, statements }) = blocks.open.pop() else { continue };
                        let waits = is_wait(&head, &statements);
                        let inner = statements.iter().map(|inner| format!("{}\n{}\n", inner.text, inner.inner)).collect();
                        blocks.innermost().push(Statement { text: head, inner, line, waits, runs: false });
                    }
                    ';' => blocks.add(std::mem::take(&mut text), *line),
                    _ => text.push(c),
                }
            }
        }
        blocks.line = lines.last().map_or(0, |(line, _)| *line);
        blocks.unfinished = text;
        blocks
    }

    /// The statements of all blocks of a text, whose lines are counted from 0.
    pub(super) fn closed(text: &str) -> Vec<Statement> {
        let lines: Vec<(u32, String)> = (0..).zip(text.lines()).map(|(number, line)| (number, line.to_owned())).collect();
        Blocks::open_at_the_end(&lines).into_statements()
    }

    fn add(&mut self, text: String, line: u32) {
        if !text.trim().is_empty() {
            self.innermost().push(Statement { text, inner: String::new(), line, waits: None, runs: false });
        }
    }

    /// The statements of the innermost block that is open.
    fn innermost(&mut self) -> &mut Vec<Statement> {
        self.open.last_mut().map_or(&mut self.rest, |block| &mut block.statements)
    }

    pub(super) fn into_statements(mut self) -> Vec<Statement> {
        let unfinished = std::mem::take(&mut self.unfinished);
        self.add(unfinished, self.line);
        let Blocks { open, rest, .. } = self;
        let block = |Block { head, line, statements }| {
            // The function itself is not called here.
            let text = if declared(&head).is_some() { String::new() } else { head };
            [Statement { text, inner: String::new(), line, waits: None, runs: true }].into_iter().chain(statements)
        };
        rest.into_iter().chain(open.into_iter().flat_map(block)).collect()
    }
}

/// What a loop waits for, if it does nothing else.
pub(super) fn is_wait(head: &str, statements: &[Statement]) -> Option<Waits> {
    let waits_for = |text: &str| {
        let looks: Names = names(text, &LOOKS).collect();
        let of_owners = || has(text, &OWNERS).then_some(Waits::Owners);
        if looks.is_empty() { of_owners() } else { Some(Waits::Atomic(looks)) }
    };
    let head = head.trim().rsplit(": ").next().unwrap_or_default();
    if head.starts_with("while ") {
        return waits_for(head).filter(|_| statements.iter().all(|statement| idles(&statement.text)));
    }
    let pauses = |statement: &Statement| statement.waits.is_some() || idles(&statement.text) || idles(&statement.inner);
    let is_loop = head.ends_with("loop") && statements.iter().any(pauses);
    statements.iter().filter(|_| is_loop).find_map(|statement| waits_for(&statement.text))
}

/// The variables that hold what was looked at, with the names of the atomics.
pub(super) type Looked = Vec<(String, Names)>;

/// Those that these statements bind.
pub(super) fn looked(statements: &[Statement]) -> Looked {
    let looked = |statement: &Statement| {
        let looks: Names = names(&statement.text, &LOOKS).collect();
        Some((bound(&statement.text)?.to_owned(), looks)).filter(|(_, looks)| !looks.is_empty())
    };
    statements.iter().filter_map(looked).collect()
}

/// The variable that a statement binds.
pub(super) fn bound(text: &str) -> Option<&str> {
    let pattern = text.trim_start().strip_prefix("let ")?.split(['=', ':']).next()?;
    Some(last_word(pattern.trim_end())).filter(|name| !name.is_empty())
}

/// The atomics of which one has to be set for what a statement's braces hold (`runs`), or for what follows it.
pub(super) fn is_test(statement: &Statement, looked: &Looked) -> Option<Waits> {
    let Statement { text, inner, runs, .. } = statement;
    let head = text.trim_start();
    let goes_on_if = if *runs { !is_negated(head) } else { is_negated(head) && ends_by_leaving(inner) };
    let is_test = goes_on_if && (head.starts_with("if ") || head.starts_with("match "));
    let of_variables = looked.iter().filter(|(name, _)| mentions(head, name)).flat_map(|(_, looks)| looks.iter().cloned());
    let looks: Names = names(head, &LOOKS).chain(of_variables).filter(|_| is_test).collect();
    (!looks.is_empty()).then_some(Waits::Test(looks))
}

/// Whether a condition holds where something else does not.
pub(super) fn is_negated(head: &str) -> bool {
    head.contains('!') || head.contains("== false")
}

/// Whether the last thing in a block is to leave what the block is in.
pub(super) fn ends_by_leaving(inner: &str) -> bool {
    inner.lines().rev().find(|line| !line.trim().is_empty()).is_some_and(leaves)
}

/// Whether a text begins with leaving the block that it is in.
pub(super) fn leaves(text: &str) -> bool {
    ENDS.iter().any(|word| text.trim_start().starts_with(word))
}

/// The beginning of a text, until so many blocks are closed.
pub(super) fn within(lines: &[impl AsRef<str>], mut inside: usize) -> String {
    let mut text = String::new();
    for line in lines.iter().map(AsRef::as_ref) {
        for c in line.chars().chain(['\n']) {
            match c {
                '{' => inside += 1,
                '}' if inside <= 1 => return text,
                '}' => inside -= 1,
                _ => {}
            }
            text.push(c);
        }
    }
    text
}
