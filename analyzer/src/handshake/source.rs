//! What the source says about atomics around a place: whether a thread waits for one before it, and sets one behind it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use conccheck_trace::SiteDef;
use rustc_hash::FxHashMap;

use crate::Sources;

/// Lines of a function above a place, and below it, that are looked at.
const LINES: u32 = 80;
/// Lines of a file that are looked through for a function that is called.
const FILE: u32 = 3_000;
/// Lines of a function that is called.
const BODY: usize = 60;

const LOOKS: [&str; 5] = [".load(", ".compare_exchange", ".swap(", ".fetch_", ".test_and_set("];
const SETS: [&str; 5] = [".store(", ".compare_exchange", ".swap(", ".fetch_", ".test_and_set("];
/// Those by which one takes what only one can have.
const TAKES: [&str; 3] = [".compare_exchange", ".swap(", ".test_and_set("];
/// Those that tell whether others still own what is shared: they end that without setting anything.
const OWNERS: [&str; 2] = ["strong_count(", "try_unwrap("];
/// Calls of which the body of a loop consists that only waits.
const IDLES: [&str; 7] = ["spin_loop()", "yield_now()", "sleep(", ".snooze()", ".spin()", "park()", "park_timeout("];

/// What was found in each file: places lie in few of them.
#[derive(Default, Debug)]
pub(crate) struct Files(RefCell<FxHashMap<String, Rc<File>>>);

/// What a file has to do with atomics.
#[derive(Default, Debug)]
struct File {
    /// The functions that have to do with them: name and body.
    helpers: Vec<(String, String)>,
    /// Those that are set anywhere in it.
    set: Names,
}

impl Files {
    fn get(&self, name: &str, line: impl Fn(u32) -> Option<String>) -> Rc<File> {
        if let Some(known) = self.0.borrow().get(name) {
            return Rc::clone(known);
        }
        let lines: Vec<String> = (1..=FILE).map_while(line).collect();
        let set = lines.iter().flat_map(|line| names(line, &SETS)).collect();
        let file = Rc::new(File { helpers: helpers(&lines), set });
        self.0.borrow_mut().insert(name.to_owned(), Rc::clone(&file));
        file
    }
}

/// What a place stands in.
#[derive(Default, Debug)]
pub(super) struct Place {
    /// The statements that came before it, of all blocks that it stands in, and what these blocks begin with.
    before: Vec<Statement>,
    /// What follows, to the end of the function or of what its thread runs.
    behind: String,
    file: Rc<File>,
}

/// What atomics are called: the last word of each path, without a number at its end, as a clone has.
pub(super) type Names = BTreeSet<String>;

#[derive(Clone, Debug)]
struct Statement {
    text: String,
    /// What stands in its braces, if it has any.
    inner: String,
    /// The line that it ends in, or that its braces open in.
    line: u32,
    /// Whether it is a loop that does nothing but wait, and for what.
    waits: Option<Waits>,
    /// Whether it is what the block begins with that the place stands in: a call, perhaps, that runs it.
    runs: bool,
}

impl Place {
    pub(super) fn new(sources: &dyn Sources, files: &Files, site: &SiteDef) -> Place {
        let line =
            |number: u32| sources.line(&SiteDef { file: site.file.clone(), line: number, column: 1 }).map(|text| code(&text));
        let Some(own) = line(site.line) else { return Place::default() };
        let at = own.char_indices().nth(site.column.saturating_sub(1) as usize).map_or(own.len(), |(at, _)| at);
        let mut above: Vec<(u32, String)> = vec![(site.line, own[..at].to_owned())];
        for number in (site.line.saturating_sub(LINES).max(1)..site.line).rev() {
            let Some(text) = line(number) else { break };
            let begins = declared(&text).is_some();
            above.push((number, text));
            if begins {
                break;
            }
        }
        above.reverse();
        let blocks = Blocks::open_at_the_end(&above);
        // What a closure for another thread does not do itself is done by others.
        let spawned = blocks.open.iter().rev().position(|block| block.head.contains("spawn"));
        let inside = spawned.map_or(blocks.open.len(), |at| at + 1);
        let behind = behind(&own[at..], (site.line + 1..=site.line + LINES).map_while(line), inside);
        let before = blocks.into_statements();
        Place { before, behind, file: files.get(&site.file, line) }
    }

    /// The wait that came before the place, and its line.
    pub(super) fn waits(&self) -> Option<(Waits, u32)> {
        let called = |statement: &Statement| {
            self.called(&statement.text).find_map(|body| Blocks::closed(body).into_iter().find_map(|inner| inner.waits))
        };
        let waits = |statement: &Statement| Some((statement.waits.clone().or_else(|| called(statement))?, statement.line));
        self.before.iter().rev().find_map(waits)
    }

    /// The atomics that are set behind the place, by what runs the place, or at the end of a guard that was taken by one.
    pub(super) fn sets(&self) -> Names {
        let mut set: Names =
            names(&self.behind, &SETS).chain(self.called(&self.behind).flat_map(|body| names(body, &SETS))).collect();
        for statement in &self.before {
            set.extend(statement.takes());
            for body in self.called(&statement.text) {
                set.extend(Blocks::closed(body).iter().flat_map(Statement::takes));
                set.extend(names(body, &SETS).filter(|_| statement.runs));
            }
        }
        set
    }

    /// The atomics that are set anywhere in its file.
    pub(super) fn set_in_file(&self) -> &Names {
        &self.file.set
    }

    /// The bodies of the functions that a text calls.
    fn called(&self, text: &str) -> impl Iterator<Item = &str> {
        let names: Vec<&str> = calls(text).collect();
        self.file.helpers.iter().filter(move |(name, _)| names.contains(&name.as_str())).map(|(_, body)| body.as_str())
    }
}

impl Statement {
    /// The atomics that a loop takes for its thread.
    fn takes(&self) -> impl Iterator<Item = String> {
        names(&self.text, &TAKES).filter(|_| self.waits.is_some())
    }
}

/// What a loop waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Waits {
    /// That somebody sets one of these atomics.
    Atomic(Names),
    /// That others give up what they share.
    Owners,
}

/// A block that is open.
#[derive(Default)]
struct Block {
    /// What stands before its brace.
    head: String,
    line: u32,
    statements: Vec<Statement>,
}

/// Blocks and statements of a text, as far as it has been read.
#[derive(Default)]
struct Blocks {
    open: Vec<Block>,
    /// What stands outside of all.
    rest: Vec<Statement>,
}

impl Blocks {
    fn open_at_the_end(lines: &[(u32, String)]) -> Blocks {
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
        let line = lines.last().map_or(0, |(line, _)| *line);
        blocks.add(text, line);
        blocks
    }

    /// The statements of all blocks of a text.
    fn closed(text: &str) -> Vec<Statement> {
        let lines: Vec<(u32, String)> = text.lines().map(|line| (0, line.to_owned())).collect();
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

    fn into_statements(self) -> Vec<Statement> {
        let Blocks { open, rest } = self;
        let block = |Block { head, line, statements }| {
            // The function itself is not called here.
            let text = if declared(&head).is_some() { String::new() } else { head };
            [Statement { text, inner: String::new(), line, waits: None, runs: true }].into_iter().chain(statements)
        };
        rest.into_iter().chain(open.into_iter().flat_map(block)).collect()
    }
}

/// What a loop waits for, if it does nothing else.
fn is_wait(head: &str, statements: &[Statement]) -> Option<Waits> {
    let idles = |text: &str| IDLES.iter().any(|call| text.contains(call));
    let waits_for = |text: &str| {
        let looks: Names = names(text, &LOOKS).collect();
        let of_owners = || OWNERS.iter().any(|call| text.contains(call)).then_some(Waits::Owners);
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

/// The text behind a place, until so many blocks are closed.
fn behind(first: &str, lines: impl Iterator<Item = String>, mut inside: usize) -> String {
    let mut text = String::new();
    for line in [first.to_owned()].into_iter().chain(lines) {
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

/// The functions of a file whose bodies have to do with atomics.
fn helpers(lines: &[String]) -> Vec<(String, String)> {
    let mut helpers = Vec::new();
    for (at, text) in lines.iter().enumerate() {
        let Some(name) = declared(text) else { continue };
        let mut whole = lines[at..].iter().take(BODY).fold(String::new(), |whole, line| whole + line + "\n");
        let start = whole.find('{').map_or(whole.len(), |at| at + 1);
        whole.drain(..start);
        let body = behind(&whole, std::iter::empty(), 1);
        if SETS.iter().chain(&LOOKS).any(|call| body.contains(call)) {
            helpers.push((name.to_owned(), body));
        }
    }
    helpers
}

/// The name of the function whose declaration a line begins.
fn declared(text: &str) -> Option<&str> {
    let at = text.find("fn ").filter(|at| text[..*at].trim_end().is_empty() || text[..*at].ends_with(' '))?;
    let name = &text[at + "fn ".len()..];
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
    (end > 0).then(|| &name[..end])
}

/// What these methods are called on, as far as a text names it.
fn names<'t>(text: &'t str, methods: &'t [&str]) -> impl Iterator<Item = String> + 't {
    let at = methods.iter().flat_map(|method| text.match_indices(method)).map(|(at, _)| at);
    at.filter_map(|at| {
        let path = text[..at].trim_end();
        let indexed = path.strip_suffix(']').and_then(|path| path.rfind('['));
        let name = last_word(&path[..indexed.unwrap_or(path.len())]);
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let name = if stem.is_empty() { name } else { stem };
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// The name that a text ends with.
fn last_word(text: &str) -> &str {
    let start = text.rfind(|c: char| !(c.is_alphanumeric() || c == '_'));
    &text[start.map_or(0, |at| at + text[at..].chars().next().map_or(0, char::len_utf8))..]
}

/// The names of what a text calls.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('(').map(|(at, _)| last_word(&text[..at])).filter(|name| !name.is_empty())
}

/// A line without its comment.
fn code(text: &str) -> String {
    text.split("//").next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(String);
    impl Sources for Text {
        fn line(&self, site: &SiteDef) -> Option<String> {
            self.0.lines().nth(site.line as usize - 1).map(str::to_owned)
        }
    }

    /// What is said of the place marked by `^`: whether there is a wait before it, and whether an atomic is set behind it.
    fn at(source: &str) -> (bool, bool) {
        let at = source.find('^').expect("a mark");
        let line = source[..at].matches('\n').count() + 1;
        let column = at - source[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
        let site = SiteDef { file: "a.rs".to_owned(), line: line as u32, column: column as u32 };
        let place = Place::new(&Text(source.replace('^', "")), &Files::default(), &site);
        (place.waits().is_some(), !place.sets().is_empty())
    }

    #[test]
    fn a_loop_that_only_waits_for_an_atomic_orders_what_follows_in_its_blocks() {
        let waits = |text: &str| at(&format!("fn f() {{\n{text}\n}}")).0;
        assert!(waits("while !done.load(SeqCst) {\n thread::yield_now();\n}\n let a = ^a.lock();"));
        assert!(waits("while turn.load(SeqCst) == 0 {}\n spawn(move || { let a = ^a.lock(); });"));
        assert!(waits("loop {\n if done.load(Acquire) { break; }\n spin_loop();\n}\n if x { ^a.lock(); }"));
        assert!(waits(
            "let p = loop {\n match Arc::try_unwrap(p) {\n Ok(p) => break p,\n Err(q) => { p = q; yield_now() }\n }\n};\n let a = ^p.a.lock();"
        ));
        assert!(!waits("while running.load(SeqCst) {\n let a = ^a.lock();\n}"), "it works meanwhile");
        assert!(!waits("while todo.load(SeqCst) > 0 {\n work();\n}\n ^a.lock();"));
        assert!(!waits("spawn(|| { while !done.load(SeqCst) {} });\n spawn(|| { let a = ^a.lock(); });"), "another thread waits");
        assert!(!waits("let a = ^a.lock();\n while !done.load(SeqCst) {}"), "it waits later");
        assert!(!waits("if done.load(SeqCst) { ^a.lock(); }"));
    }

    #[test]
    fn an_atomic_is_set_behind_a_place_by_its_own_thread() {
        let sets = |text: &str| at(&format!("fn f() {{\n{text}\n}}")).1;
        assert!(sets("{ let a = ^a.lock();\n *b.lock() += 1; }\n done.store(true, SeqCst);"));
        assert!(sets("spawn(|| {\n { let a = ^a.lock(); }\n done.store(true, SeqCst);\n});"));
        assert!(!sets("spawn(|| { let a = ^a.lock(); });\n start.store(true, SeqCst);"), "another thread does");
        assert!(!sets("start.store(true, SeqCst);\n let a = ^a.lock();"));
    }

    #[test]
    fn an_atomic_is_known_by_the_last_word_of_its_path() {
        let of = |text: &str| names(text, &SETS).collect::<Vec<_>>();
        assert_eq!(of("self.state.done2.store(true, SeqCst); x.0.swap(1, SeqCst)"), ["done", "0"]);
        assert_eq!(of("cells[i].store(1, SeqCst); done_.store(1, SeqCst)"), ["cells", "done"]);
        let place = Place::new(
            &Text("fn f() {\n while !go.load(SeqCst) {}\n let a = a.lock();\n}\nfn g() { go.store(true, SeqCst); }".to_owned()),
            &Files::default(),
            &SiteDef { file: "a.rs".to_owned(), line: 3, column: 10 },
        );
        assert_eq!(place.waits(), Some((Waits::Atomic(Names::from(["go".to_owned()])), 2)));
        assert_eq!((place.sets(), place.set_in_file().len()), (Names::new(), 1));
    }

    #[test]
    fn functions_of_the_same_file_are_looked_into() {
        let turn = "fn with(&self, f: F) {\n let t = self.next.fetch_add(1, SeqCst);\n while self.now.load(SeqCst) != t { spin_loop() }\n f();\n self.now.fetch_add(1, SeqCst);\n}\n";
        assert_eq!(at(&format!("{turn}fn main() {{\n t.with(|| {{ let a = ^a.lock(); }});\n}}")), (true, true));
        let lock = "fn lock(&self) -> Guard {\n while self.0.compare_exchange(false, true, Acquire, Relaxed).is_err() {}\n Guard(self)\n}\n";
        assert_eq!(at(&format!("{lock}fn main() {{\n let g = gate.lock();\n let a = ^a.lock();\n}}")), (true, true));
        let gate = "fn start(&self) {\n self.0.fetch_add(1, SeqCst);\n while self.0.load(SeqCst) < 2 {}\n}\n";
        assert_eq!(
            at(&format!("{gate}fn main() {{\n gate.start();\n let a = ^a.lock();\n}}")),
            (true, false),
            "all start at once"
        );
        assert_eq!(at(&format!("{gate}fn main() {{\n {{ let a = ^a.lock(); }}\n gate.start();\n}}")), (false, true));
    }
}
