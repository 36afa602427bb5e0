//! What the source says of a place where a lock is taken: whether its thread goes on only if a condition holds that the lock protects.

use std::ops::RangeInclusive;

use conccheck_trace::SiteDef;

use super::blocks::{Block, Blocks, Statement, bound, ends_by_leaving, is_negated, leaves, within};
use super::source::Around;
use super::words::{AWAITS, AWAITS_WHILE, ENDS, Names, calls, declared, idles, names};
use crate::Sources;
use crate::receiver::last_word;
use crate::rules::statement::mentions;

/// When a thread goes on that takes a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    /// It waits until it is notified by one of these condition variables.
    Notified(Names),
    /// It looks again and again.
    Polled,
    /// It looks once; what stands in these lines of the file is done if the condition holds.
    Tested(RangeInclusive<u32>),
    /// It is this function that looks: who calls it may wait for a condition, or test it.
    Got(String),
}

/// Whether a thread that takes a lock at this place may wait there until a condition holds. Where the source is not at hand, it may.
pub(crate) fn may_wait(sources: &dyn Sources, site: &SiteDef) -> bool {
    let Some(around) = Around::new(sources, site) else { return true };
    match Condition::of(&around, site) {
        Some(Condition::Notified(_) | Condition::Polled) => true,
        Some(Condition::Tested(_) | Condition::Got(_)) | None => is_passed_on(&around),
    }
}

/// Whether the guard goes to who called, or to a function that is called.
fn is_passed_on(Around { above, below }: &Around) -> bool {
    let text = Blocks::open_at_the_end(above).unfinished + &within(below, 1);
    let Some((own, later)) = text.split_once(';') else { return true };
    let Some(guard) = bound(own) else { return own.trim_start().starts_with("return") };
    [format!("({guard})"), format!("({guard},")].iter().any(|argument| {
        let mut calls = later.match_indices(argument.as_str()).map(|(at, _)| last_word(&later[..at]));
        calls.any(|call| !call.is_empty() && !matches!(call, "drop" | "Some" | "Ok"))
    })
}

impl Condition {
    /// That of a thread that takes a lock here.
    pub(super) fn at(sources: &dyn Sources, site: &SiteDef) -> Option<Condition> {
        Condition::of(&Around::new(sources, site)?, site)
    }

    fn of(Around { above, below }: &Around, site: &SiteDef) -> Option<Condition> {
        let mut blocks = Blocks::open_at_the_end(above);
        let begun = std::mem::take(&mut blocks.unfinished);
        let mut statements = Blocks::closed(&(begun.clone() + &within(below, 1)));
        // Lines count from the place on.
        let above = u32::try_from(begun.matches('\n').count()).unwrap_or(u32::MAX);
        statements.iter_mut().for_each(|statement| statement.line = statement.line.saturating_sub(above));
        let (own, later) = statements.split_first()?;
        let by_guard = || bound(&own.text).and_then(|guard| later.iter().find_map(|statement| passes(statement, guard)));
        let again = || blocks.open.last().is_some_and(|block| looks_again(block, &statements));
        Condition::of_call(&own.text)
            .or_else(|| polls(own).then_some(Condition::Polled))
            .or_else(by_guard)
            .or_else(|| again().then_some(Condition::Polled))
            .or_else(|| getter(&blocks, &statements).map(Condition::Got))
            .or_else(|| {
                let by_variable = || {
                    let name = bound(&own.text)?;
                    later
                        .iter()
                        .filter(|statement| mentions(&statement.text, name))
                        .find_map(|statement| tested(statement, below))
                };
                let (first, last) = tested(own, below).or_else(by_variable)?;
                Some(Condition::Tested(site.line + first..=site.line + last))
            })
    }

    /// `wait_while` with the lock taken for it.
    fn of_call(text: &str) -> Option<Condition> {
        let condvars: Names = names(text, &AWAITS_WHILE).collect();
        (!condvars.is_empty()).then_some(Condition::Notified(condvars))
    }
}

/// The function that does nothing but look here.
fn getter(blocks: &Blocks, statements: &[Statement]) -> Option<String> {
    let body = blocks.open.last()?;
    let name = declared(&body.head).filter(|_| body.head.contains("->"))?;
    (body.statements.is_empty() && statements.len() == 1).then(|| name.to_owned())
}

/// Whether what stands at a place is done only if what a function of this name gives says so.
pub(super) fn depends_on(sources: &dyn Sources, place: &SiteDef, getter: &str) -> bool {
    let Some(Around { above, .. }) = Around::new(sources, place) else { return false };
    Blocks::open_at_the_end(&above)
        .into_statements()
        .iter()
        .filter(|statement| calls(&statement.text).any(|call| call == getter))
        .any(|statement| {
            let head = statement.text.trim_start();
            let tests = ["if ", "match ", "while "].iter().any(|word| head.starts_with(word));
            let is_within = statement.runs && !is_negated(head);
            polls(statement) || tests && (is_within || is_negated(head) && ends_by_leaving(&statement.inner))
        })
}

/// What a statement waits for that passes this guard on to a condition variable.
fn passes(statement: &Statement, guard: &str) -> Option<Condition> {
    let passes = |text: &str, call: &str| {
        text.match_indices(call).any(|(at, _)| {
            let argument = text[at + call.len()..].trim_start().trim_start_matches("&mut ");
            argument.strip_prefix(guard).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    };
    let text = format!("{}\n{}", statement.text, statement.inner);
    let calls: Vec<&str> = AWAITS.iter().chain(&AWAITS_WHILE).copied().filter(|call| passes(&text, call)).collect();
    let condvars: Names = names(&text, &calls).collect();
    (!condvars.is_empty()).then_some(Condition::Notified(condvars))
}

/// The lines, counted from the place on, of what is done only if a condition holds that the statement tests, if it tests one.
fn tested(statement: &Statement, below: &[String]) -> Option<(u32, u32)> {
    let head = statement.text.trim();
    let branches = ["if ", "match ", "while let "].iter().any(|word| head.starts_with(word));
    let binds = head.starts_with("let ") && [" else", " match ", " if "].iter().any(|word| head.contains(word));
    let (from, text) = if branches && !is_negated(head) {
        let from = statement.line as usize;
        (from, Some(within(below.get(from..)?, 0)).filter(|braces| braces.contains('{'))?)
    } else if branches && ends_by_leaving(&statement.inner) || binds && ENDS.iter().any(|word| mentions(&statement.inner, word)) {
        (0, within(below, 1))
    } else {
        return None;
    };
    Some((statement.line, u32::try_from(from + text.matches('\n').count()).ok()?))
}

/// Whether it is a loop that looks at what the lock protects, and does nothing else.
fn polls(statement: &Statement) -> bool {
    let mut inner = statement.inner.lines().filter(|line| !line.trim().is_empty()).peekable();
    statement.text.trim_start().starts_with("while ") && inner.peek().is_some() && inner.all(idles)
}

/// Whether it is such a loop that is left from within. The statements are those of the block from the place on.
fn looks_again(block: &Block, statements: &[Statement]) -> bool {
    let all = || block.statements.iter().chain(statements);
    let lines = || all().flat_map(|statement| statement.text.lines().chain(statement.inner.lines()));
    let is_look = |statement: &Statement| {
        let text = statement.text.trim_start();
        let prints = text.contains("!(");
        ["let ", "if ", "match ", "drop("].iter().any(|word| text.starts_with(word)) || idles(text) || leaves(text) || prints
    };
    block.head.trim_end().ends_with("loop") && all().all(is_look) && lines().any(idles) && lines().any(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Marked;

    /// What is waited for at the place marked by `^`.
    fn at(text: &str) -> Option<Condition> {
        let source = Marked::new(&format!("fn f() {{\n{text}\n}}"));
        Condition::at(&source, &source.site)
    }

    fn notified(name: &str) -> Option<Condition> {
        Some(Condition::Notified(Names::from([name.to_owned()])))
    }

    #[test]
    fn a_lock_is_taken_to_wait_for_a_condition_where_its_guard_goes_to_a_condvar() {
        assert_eq!(at("drop(y.cv.wait_while(^y.done.lock().unwrap(), |d| !*d).unwrap());"), notified("cv"));
        assert_eq!(at("let g = ^done.lock().unwrap();\n let _g = cv2.wait_while(g, |d| !*d).unwrap();"), notified("cv"));
        assert_eq!(
            at("let mut n = ^self.n.lock().unwrap();\n while *n == 0 {\n n = self.more.wait(n).unwrap();\n }\n *n -= 1;"),
            notified("more")
        );
        assert_eq!(at("let mut open = ^lock.lock();\n while !*open { cvar.wait(&mut open); }"), notified("cvar"));
        assert_eq!(
            at("let mut g = ^a.lock().unwrap();\n loop {\n if *g { break; }\n g = cv.wait_timeout(g, tick).unwrap().0;\n }"),
            notified("cv")
        );
        assert_eq!(
            at(
                "let mut g = match ^a.lock() {\n Ok(g) => g,\n Err(e) => e.into_inner(),\n };\n while !*g { g = cv.wait(g).unwrap(); }"
            ),
            notified("cv")
        );
        assert_eq!(at("{ let g = ^a.lock().unwrap(); }\n let h = b.lock().unwrap();\n let h = cv.wait(h).unwrap();"), None);
        assert_eq!(at("let go = ^a.lock().unwrap();\n let h = cv.wait(gone).unwrap();"), None);
        assert_eq!(at("*^done.lock().unwrap() = true;\n cv.notify_all();"), None);
    }

    #[test]
    fn a_lock_is_taken_to_wait_for_a_condition_in_a_loop_that_does_nothing_else() {
        assert_eq!(at("while !*^done.lock().unwrap() {\n thread::yield_now();\n }"), Some(Condition::Polled));
        assert_eq!(at("loop {\n if *^done.lock().unwrap() { break; }\n sleep(tick);\n }"), Some(Condition::Polled));
        assert_eq!(
            at("loop {\n let g = ^done.read();\n if *g { return; }\n drop(g);\n spin_loop();\n }"),
            Some(Condition::Polled)
        );
        assert_eq!(at("while !*^done.lock().unwrap() {\n work();\n }"), None);
        assert_eq!(at("while running(*^done.lock().unwrap()) {\n work();\n }"), None);
        assert_ne!(at("loop {\n if *^done.lock().unwrap() { break; }\n work();\n sleep(tick);\n }"), Some(Condition::Polled));
    }

    #[test]
    fn what_is_done_only_if_a_condition_holds_are_lines_of_the_file() {
        let lines = |text: &str| match at(text) {
            Some(Condition::Tested(lines)) => Some(lines),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(lines("if *^done.lock().unwrap() {\n work();\n }\n more();"), Some(2..=4));
        assert_eq!(lines("if let Some(job) = ^slot.lock().unwrap().take() {\n job.run();\n }"), Some(2..=4));
        assert_eq!(lines("let Some(job) = ^jobs.lock().unwrap().pop() else {\n return;\n };\n job.run();"), Some(2..=6));
        assert_eq!(lines("if !*^done.lock().unwrap() { return; }\n work();"), Some(2..=4));
        assert_eq!(lines("if !*^stop.lock().unwrap() {\n work();\n }"), None);
        assert_eq!(lines("let n = *^n.lock().unwrap();\n if n > 0 {\n work();\n }"), Some(3..=5));
        assert_eq!(lines("let state = match &*^s.lock().unwrap() {\n Fresh => return,\n x => x.n,\n };\n work();"), Some(2..=7));
        assert_eq!(lines("let n = *^n.lock().unwrap();\n if m > 0 {\n work();\n }"), None);
    }
}
