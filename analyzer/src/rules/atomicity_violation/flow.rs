//! Where a value that is read goes in the lines that follow, as far as their text shows.

use std::collections::BTreeSet;

use conccheck_trace::SiteDef;

use crate::model::Model;
use crate::rules::statement;

/// Lines before a read in which the statement can begin whose block it stands in.
const ABOVE: u32 = 8;
/// Lines after a write's acquisition in which its guard is used.
const BELOW: u32 = 8;
/// What leaves the statements that follow.
const EXITS: [&str; 9] = ["return", "break", "continue", "panic", "unreachable", "exit", "assert", "assert_eq", "assert_ne"];

/// What a read reaches.
#[derive(Default)]
pub(super) struct Flow {
    /// Names of what is made of the value.
    names: BTreeSet<String>,
    /// Whether a decision on it stands around the write: the write is in one of its branches, or another one leaves before it.
    pub(super) decides: bool,
    /// The write's guard and the names of what is made of it.
    pub(super) fresh: BTreeSet<String>,
    /// For each block that is open: the names of its value.
    blocks: Vec<BTreeSet<String>>,
    /// Before these lines end what is run on a decision, and the arms of one.
    decided_until: usize,
    arms_until: usize,
}

impl Flow {
    /// From the statement at line `from` to the write at the later site `write`, whose guard has the name `guard` if it has one.
    pub(super) fn from_read(model: &Model<'_>, write: &SiteDef, from: u32, guard: Option<&str>) -> Self {
        let first = from.saturating_sub(ABOVE).max(1);
        let lines: Vec<_> = (first..=write.line + BELOW).map_while(|number| statement::numbered(model, write, number)).collect();
        let (read, write) = ((from - first) as usize, (write.line - first) as usize);
        let mut flow = Flow { fresh: guard.map(str::to_owned).into_iter().collect(), ..Flow::default() };
        let (mut was_read, mut text, mut open) = (false, String::new(), 0);
        for (at, line) in lines.iter().enumerate() {
            open += if at > write { braces(line) } else { 0 };
            if at > write && guard.is_none() || open < 0 {
                break;
            }
            text = format!("{text} {}", line.trim()).trim().to_owned();
            // The write's statement is looked at by itself.
            if at == write || at + 1 == write || is_whole(&text) {
                let is_read = !was_read && at >= read;
                let is_tainted = is_read || flow.reaches(binding(&text).map_or(&text, |(_, value)| value));
                if is_tainted && (at < write || is_read) {
                    flow.decide(&lines, at, write, &text, is_read);
                    flow.names.extend(flow.blocks.iter().flatten().cloned());
                }
                if was_read || is_read && binding(&text).is_some() {
                    flow.pass(at, &text, is_tainted && (at != write || is_read));
                }
                flow.track(&text);
                was_read |= is_read;
                text.clear();
            }
        }
        flow
    }

    /// A statement that mentions the value: whether it is a decision on which the write hangs.
    fn decide(&mut self, lines: &[String], at: usize, write: usize, text: &str, is_read: bool) {
        let branches = branches(text);
        if !branches && (binding(text).is_some() || !statement::decides(text)) {
            return;
        }
        let end = block_end(lines, at);
        let is_exit = |line: &String| EXITS.iter().any(|exit| statement::mentions(line, exit));
        let leaves = || lines[at..].iter().take(end + 1 - at).any(is_exit);
        // A loop waits until it is so; what is compared as it is read decides, whatever comes of it.
        let lasts = text.starts_with("while ") || is_read && !branches;
        self.decides |= end >= write || lasts || leaves();
        self.decided_until = self.decided_until.max(end + 1);
        if text.contains("match ") {
            self.arms_until = self.arms_until.max(end + 1);
        }
    }

    /// A statement: what it makes of the value has its names from here on.
    fn pass(&mut self, at: usize, text: &str, is_tainted: bool) {
        if let Some((pattern, value)) = binding(text) {
            if self.fresh.iter().any(|name| statement::mentions(value, name)) {
                self.fresh.extend(names(pattern));
            }
            if is_tainted {
                self.names.extend(names(pattern));
            } else {
                names(pattern).for_each(|name| _ = self.names.remove(&name));
            }
        } else if at < self.arms_until
            && let Some((pattern, _)) = text.split_once("=>")
        {
            self.names.extend(names(pattern.split(" if ").next().unwrap_or_default()));
        } else if is_tainted || at < self.decided_until {
            self.names.extend(changed(text));
        }
    }

    /// Opens and closes the blocks that a statement opens and closes.
    fn track(&mut self, text: &str) {
        let value_of = binding(text).filter(|_| text.starts_with("let "));
        for c in text.chars() {
            match c {
                '{' => self.blocks.push(value_of.iter().flat_map(|(pattern, _)| names(pattern)).collect()),
                '}' => _ = self.blocks.pop(),
                _ => {}
            }
        }
    }

    /// Whether a text mentions what is made of the value.
    pub(super) fn reaches(&self, text: &str) -> bool {
        statement::words(text).any(|(_, word)| self.names.contains(word))
    }
}

/// Whether a statement, or the head of one with a block, ends with this text.
fn is_whole(text: &str) -> bool {
    let open = |c| text.matches(c).count();
    text.ends_with([';', '{', '}']) || !statement::goes_on(text) && open(['(', '[']) <= open([')', ']'])
}

/// Whether a statement is a choice between others.
fn branches(text: &str) -> bool {
    let text = text.trim_start_matches("} else ");
    let begins = ["if ", "while ", "match "].iter().any(|word| text.starts_with(word));
    begins || ["=> if ", "=> match "].iter().any(|word| text.contains(word))
}

/// The pattern and the value of a statement or a condition that binds.
fn binding(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches("} else ");
    let (pattern, value) = match text.strip_prefix("for ") {
        Some(text) => text.split_once(" in ")?,
        None => {
            let text = ["if ", "while "].iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
            text.strip_prefix("let ")?.split_once('=')?
        }
    };
    Some((pattern.split(": ").next().unwrap_or_default(), value))
}

/// The names that a pattern binds.
fn names(pattern: &str) -> impl Iterator<Item = String> {
    let is_name = |word: &&str| {
        word.starts_with(|c: char| c.is_lowercase() || c == '_') && !["_", "mut", "ref", "box", "true", "false"].contains(word)
    };
    statement::words(pattern).map(|(_, word)| word).filter(is_name).map(str::to_owned)
}

/// The variables that a statement without a binding assigns to, calls a method of or lends to a call.
fn changed(text: &str) -> impl Iterator<Item = String> {
    let own = text.trim_start_matches(['*', '&', '(']);
    let first = statement::words(own).next().filter(|(at, word)| {
        let rest = &own[at + word.len()..];
        let assigns = [" = ", " += ", " -= ", " *= ", " /= ", " |= ", " &= ", " ^= "].iter().any(|sign| rest.contains(sign));
        *at == 0 && (assigns || rest.starts_with(['.', '['])) && !rest.starts_with(['!', ':', '('])
    });
    let lent = text.split("&mut ").skip(1).filter_map(|rest| statement::words(rest).next());
    lent.chain(first).map(|(_, word)| word.to_owned()).filter(|name| name != "self")
}

/// The line at which the block ends that begins at line `from`, with those that go on with `else`; that line itself where none does.
fn block_end(lines: &[String], from: usize) -> usize {
    let mut open = 0;
    let mut closes = |(at, line): (usize, &String)| {
        open += braces(if at == from { line.trim_start().trim_start_matches('}') } else { line });
        open <= 0
    };
    let end = lines.iter().enumerate().skip(from).find(|line| closes(*line));
    end.map_or(lines.len(), |(at, _)| at)
}

/// How many more braces a line opens than it closes.
fn braces(line: &str) -> isize {
    line.chars().map(|c| isize::from(c == '{') - isize::from(c == '}')).sum()
}
