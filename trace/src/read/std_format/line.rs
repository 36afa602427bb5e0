//! The lines of a STD trace, with numbers for the words in them.

use rustc_hash::FxHashMap;

/// What a line says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Op {
    Read,
    Write,
    Acquire,
    Release,
    Request,
    Fork,
    Join,
    Begin,
    End,
    Wait,
    Notify,
    NotifyAll,
}

/// The operations by their names.
const OPS: [(&str, Op); 12] = [
    ("r", Op::Read),
    ("w", Op::Write),
    ("acq", Op::Acquire),
    ("rel", Op::Release),
    ("req", Op::Request),
    ("fork", Op::Fork),
    ("join", Op::Join),
    ("begin", Op::Begin),
    ("end", Op::End),
    ("wait", Op::Wait),
    ("notify", Op::Notify),
    ("notifyAll", Op::NotifyAll),
];

/// A line taken apart.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    thread: &'a str,
    op: Op,
    operand: &'a str,
    location: &'a str,
}

/// Takes a line apart.
pub(super) fn parse(text: &str) -> Result<Parsed<'_>, String> {
    let shape = || "is not `THREAD|OPERATION(OPERAND)|LOCATION`".to_owned();
    let (thread, rest) = split(text, b'|').ok_or_else(shape)?;
    let (op, rest) = split(rest, b'(').ok_or_else(shape)?;
    let (operand, rest) = split(rest, b')').ok_or_else(shape)?;
    let location = if rest.is_empty() { "" } else { rest.strip_prefix('|').ok_or_else(shape)?.trim() };
    let (thread, op, operand) = (thread.trim(), op.trim(), operand.trim());
    if thread.is_empty() || thread.contains(['(', ')']) {
        return Err(shape());
    }
    let Some(&(_, op)) = OPS.iter().find(|(name, _)| *name == op) else {
        let names: Vec<_> = OPS.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{op}` is not an operation: expected one of {}", names.join(", ")));
    };
    if operand.is_empty() && !matches!(op, Op::Begin | Op::End) {
        return Err("an operand is missing".to_owned());
    }
    Ok(Parsed { thread, op, operand, location })
}

/// What stands before and behind the first of these ASCII characters. The parts of a line are too short for a search by many bytes.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == at)?;
    Some((&text[..at], &text[at + 1..]))
}

/// A line with numbers instead of words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) thread: u32,
    pub(super) op: Op,
    /// A thread for `fork` and `join`, otherwise among the operands.
    pub(super) operand: u32,
    pub(super) location: u32,
}

/// Words by number, in order of their first mention.
#[derive(Default)]
pub(super) struct Words {
    short: FxHashMap<u128, u32>,
    long: FxHashMap<String, u32>,
    pub(super) words: Vec<String>,
}

/// A word of less than 16 bytes as a number, which takes no look at memory to compare. Nearly all words are that short.
fn short(word: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    let (length, text) = bytes.split_last_mut()?;
    text.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
    *length = u8::try_from(word.len()).ok()?;
    Some(u128::from_le_bytes(bytes))
}

impl Words {
    fn number(&mut self, key: &str, word: impl FnOnce() -> String) -> u32 {
        let new = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        let number = match (short(key), self.long.get(key)) {
            (Some(short), _) => *self.short.entry(short).or_insert(new),
            (None, Some(known)) => *known,
            (None, None) => *self.long.entry(key.to_owned()).or_insert(new),
        };
        if number == new {
            self.words.push(word());
        }
        number
    }
}

/// Numbers for the words of a trace.
#[derive(Default)]
pub(super) struct Vocabulary {
    pub(super) threads: Words,
    pub(super) operands: Words,
    pub(super) locations: Words,
}

impl Vocabulary {
    /// The line with numbers instead of words.
    pub(super) fn line(&mut self, number: usize, parsed: &Parsed<'_>) -> Line {
        let Parsed { thread, op, operand, location } = *parsed;
        let thread = self.thread(thread);
        let operand = match op {
            Op::Fork | Op::Join => self.thread(operand),
            Op::Begin | Op::End => 0,
            _ => self.operands.number(operand, || operand.to_owned()),
        };
        let location = self.locations.number(location, || location.to_owned());
        Line { number: u32::try_from(number).unwrap_or(u32::MAX), thread, op, operand, location }
    }

    /// `T7` and `7` are the same thread.
    fn thread(&mut self, word: &str) -> u32 {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let key = word.strip_prefix('T').filter(|rest| is_number(rest)).unwrap_or(word);
        self.threads.number(key, || if is_number(key) { format!("T{key}") } else { key.to_owned() })
    }
}
