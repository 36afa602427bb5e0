//! What the source says of atomics around a place: whether a thread waits for one before it, and sets one behind it.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use conccheck_trace::SiteDef;
use conccheck_trace::read::Events;
use rustc_hash::FxHashMap;

use super::blocks::{Blocks, Statement, Waits, is_test, looked, within};
use super::met::{self, Conditions};
use super::words::{LOOKS, Names, SETS, TAKES_LOCKS, calls, code, declared, names};
use crate::Sources;
use crate::model::Model;

/// Lines of a function above a place, and below it, that are looked at.
const LINES: u32 = 80;
/// Lines of a file that are looked through for what is declared in it.
pub(super) const FILE: u32 = 3_000;
/// Events that are looked through: some seconds.
const MOST_EVENTS: u64 = 50_000_000;
/// Lines of a function that does little but look at an atomic.
const LOOK: usize = 8;
/// Lines of a function that is called.
const BODY: usize = 60;

/// What was looked up: what is in each file, since places lie in few of them, where threads wait for conditions, and how many events
/// were looked through.
#[derive(Default, Debug)]
pub(crate) struct Files {
    files: RefCell<FxHashMap<String, Rc<File>>>,
    conditions: OnceCell<Conditions>,
    looked_through: Cell<u64>,
}

/// What a file has to do with atomics.
#[derive(Default, Debug)]
struct File {
    /// The functions that have to do with them.
    helpers: Vec<Helper>,
    /// Those that are set anywhere in it.
    set: Names,
}

impl Files {
    fn get(&self, name: &str, line: impl Fn(u32) -> Option<String>) -> Rc<File> {
        if let Some(known) = self.files.borrow().get(name) {
            return Rc::clone(known);
        }
        let lines: Vec<String> = (1..=FILE).map_while(line).collect();
        let set = lines.iter().flat_map(|line| names(line, &SETS)).collect();
        let file = Rc::new(File { helpers: helpers(&lines), set });
        self.files.borrow_mut().insert(name.to_owned(), Rc::clone(&file));
        file
    }

    /// A thread's events, as long as not too many were looked through.
    pub(super) fn events<'m>(&self, model: &'m Model<'_>, thread: usize) -> Option<Events<'m>> {
        let looked_through = self.looked_through.get();
        self.looked_through.set(looked_through + u64::from(model.threads[thread].events));
        (looked_through < MOST_EVENTS).then(|| model.trace.events(model.threads[thread].id))
    }

    /// Where threads wait for what a lock protects.
    pub(super) fn conditions(&self, model: &Model<'_>) -> &Conditions {
        self.conditions.get_or_init(|| met::all(model))
    }
}

/// The text of the function that a place stands in.
pub(super) struct Around {
    /// What is above the place, by lines, and on its line before it.
    pub(super) above: Vec<(u32, String)>,
    /// What is on its line from it on, and below.
    pub(super) below: Vec<String>,
}

impl Around {
    pub(super) fn new(sources: &dyn Sources, site: &SiteDef) -> Option<Around> {
        let line = |number: u32| line(sources, site, number);
        let own = line(site.line)?;
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
        let below = (site.line + 1..=site.line + LINES).map_while(line);
        Some(Around { above, below: [own[at..].to_owned()].into_iter().chain(below).collect() })
    }
}

/// A line of the file that a site is in.
fn line(sources: &dyn Sources, site: &SiteDef, number: u32) -> Option<String> {
    sources.line(&SiteDef { file: site.file.clone(), line: number, column: 1 }).map(|text| code(&text))
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

impl Place {
    pub(super) fn new(sources: &dyn Sources, files: &Files, site: &SiteDef) -> Place {
        let Some(Around { mut above, below }) = Around::new(sources, site) else { return Place::default() };
        let file = files.get(&site.file, |number| line(sources, site, number));
        above.iter_mut().for_each(|(_, text)| expand(text, &file.helpers));
        let blocks = Blocks::open_at_the_end(&above);
        // What a closure for another thread does not do itself is done by others.
        let spawned = blocks.open.iter().rev().position(|block| block.head.contains("spawn"));
        let inside = spawned.map_or(blocks.open.len(), |at| at + 1);
        Place { before: blocks.into_statements(), behind: within(&below, inside), file }
    }

    /// The wait that came before the place, or else the test that it depends on, and the line.
    pub(super) fn waits(&self) -> Option<(Waits, u32)> {
        let called = |statement: &Statement| {
            self.called(&statement.text).find_map(|body| Blocks::closed(body).into_iter().find_map(|inner| inner.waits))
        };
        let waits = |statement: &Statement| Some((statement.waits.clone().or_else(|| called(statement))?, statement.line));
        let looked = looked(&self.before);
        let test = |statement: &Statement| Some((is_test(statement, &looked)?, statement.line));
        let before = || self.before.iter().rev();
        before().find_map(waits).or_else(|| before().find_map(test))
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
        self.file.helpers.iter().filter(move |helper| names.contains(&helper.name.as_str())).map(|helper| helper.body.as_str())
    }
}

/// A function that has to do with atomics.
#[derive(Clone, Debug)]
struct Helper {
    name: String,
    body: String,
    /// What it looks at, as calls, where it does little else: its caller looks at that.
    looks: Vec<String>,
}

impl Helper {
    fn new(name: &str, body: String) -> Helper {
        let works = TAKES_LOCKS.iter().chain(&["while ", "loop ", "for "]).any(|word| body.contains(word));
        let of = |method: &&str| names(&body, &[*method]).map(|name| format!("{name}{method}")).collect::<Vec<_>>();
        let looks = if works || body.lines().count() > LOOK { Vec::new() } else { LOOKS.iter().flat_map(of).collect() };
        Helper { name: name.to_owned(), body, looks }
    }
}

/// Writes into a text what the functions look at that it calls.
fn expand(text: &mut String, helpers: &[Helper]) {
    for helper in helpers.iter().filter(|helper| !helper.looks.is_empty()) {
        let call = if declared(text) == Some(&helper.name) { None } else { calls(text).find(|word| *word == helper.name) };
        if let Some(at) = call.map(|word| word.as_ptr() as usize - text.as_ptr() as usize) {
            text.insert_str(at, &helper.looks.concat());
        }
    }
}

/// The functions of a file whose bodies have to do with atomics, also by what they call.
fn helpers(lines: &[String]) -> Vec<Helper> {
    let mut all = Vec::new();
    for (at, text) in lines.iter().enumerate() {
        let Some(name) = declared(text) else { continue };
        let mut whole = lines[at..].iter().take(BODY).fold(String::new(), |whole, line| whole + line + "\n");
        let start = whole.find('{').map_or(whole.len(), |at| at + 1);
        whole.drain(..start);
        all.push(Helper::new(name, within(&[whole], 1)));
    }
    let look: Vec<Helper> = all.iter().filter(|helper| !helper.looks.is_empty()).cloned().collect();
    let expanded = all.into_iter().map(|helper| {
        let mut lines: Vec<String> = helper.body.lines().map(str::to_owned).collect();
        lines.iter_mut().for_each(|line| expand(line, &look));
        Helper { body: lines.join("\n"), ..helper }
    });
    expanded.filter(|helper| SETS.iter().chain(&LOOKS).any(|call| helper.body.contains(call))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Marked;

    /// What is said of a marked place: whether there is a wait before it, and whether an atomic is set behind it.
    fn at(source: &str) -> (bool, bool) {
        let source = Marked::new(source);
        let place = Place::new(&source, &Files::default(), &source.site);
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
    }

    #[test]
    fn what_is_done_only_if_an_atomic_is_set_comes_behind_that() {
        let waits = |text: &str| at(&format!("fn f() {{\n{text}\n}}")).0;
        assert!(waits("if done.load(SeqCst) { ^a.lock(); }"));
        assert!(waits("if left.fetch_sub(1, SeqCst) == 1 {\n let a = ^a.lock();\n}"));
        assert!(waits("if !done.load(SeqCst) { return; }\n ^a.lock();"));
        assert!(!waits("if !stop.load(SeqCst) { ^a.lock(); }"));
        assert!(!waits("if done.load(SeqCst) { return; }\n ^a.lock();"));
        assert!(!waits("if done.load(SeqCst) { work(); }\n ^a.lock();"));
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
        let source =
            Marked::new("fn f() {\n while !go.load(SeqCst) {}\n let a = ^a.lock();\n}\nfn g() { go.store(true, SeqCst); }");
        let place = Place::new(&source, &Files::default(), &source.site);
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
