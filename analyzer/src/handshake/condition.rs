//! Conditions that a lock protects: a thread that waits for one does not have to where another has made it true before, and then nothing
//! in the trace says that it would have waited.

use conccheck_trace::{Event, Mode, ObjectId, SiteDef, SiteId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::blocks::{Block, Blocks, Statement, within};
use super::source::Around;
use super::words::{AWAITS, AWAITS_WHILE, ENDS, IDLES, NOTIFIES, Names, names};
use crate::Sources;
use crate::model::Model;
use crate::model::context::Context;
use crate::receiver::last_word;

/// How a thread that takes a lock waits for what the lock protects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    /// Until it is notified by one of these condition variables.
    Notified(Names),
    /// It looks again and again.
    Polled,
}

/// The contexts whose threads wait for a condition, by thread (dense index).
pub(super) type Conditions = FxHashMap<usize, Vec<(u32, Condition)>>;

/// Those of all threads.
pub(super) fn all(model: &Model<'_>) -> Conditions {
    let mut by_site: FxHashMap<SiteId, Option<Condition>> = FxHashMap::default();
    let mut conditions = Conditions::default();
    for (id, context) in (0..).zip(&model.contexts) {
        let of_site = || Condition::at(model.sources, model.site(context.site)?);
        if let Some(condition) = by_site.entry(context.site).or_insert_with(of_site) {
            conditions.entry(context.thread()).or_default().push((id, condition.clone()));
        }
    }
    conditions
}

/// Where the first waited for a condition before all that is kept of it, if what others did after all of the second made that true.
pub(super) fn met(model: &Model<'_>, late: &Context, early: &Context) -> Option<SiteId> {
    let joiner = model.threads[early.thread()].joined_by;
    let takes = |lock: ObjectId, thread: usize| {
        let contexts = model.locks.get(lock.0).into_iter().flat_map(|lock| &lock.contexts);
        contexts.map(|id| &model.contexts[*id as usize]).any(|context| context.thread() == thread)
    };
    let conditions = model.files.conditions(model).get(&late.thread())?.iter().filter(|(id, _)| {
        let lock = model.contexts[*id as usize].lock;
        takes(lock, early.thread()) || joiner.is_some_and(|joiner| takes(lock, joiner))
    });
    let conditions: Vec<&(u32, Condition)> = conditions.collect();
    let first = late.moments.kept().map(|(index, _)| index).min()?;
    let last = early.moments.kept().map(|(index, _)| index).max()?;
    let asked = if conditions.is_empty() { Vec::new() } else { asked(model, late.thread(), first, &conditions)? };
    if asked.is_empty() {
        return None;
    }
    let mut told = vec![Told::by(model, early.thread(), &asked, Behind::Event(last))?];
    if let Some(joiner) = joiner {
        told.push(Told::by(model, joiner, &asked, Behind::Join(early.thread()))?);
    }
    asked.iter().find(|asked| told.iter().any(|told| told.made_true(asked))).map(|asked| asked.site)
}

/// A thread's latest look at a condition.
struct Asked {
    lock: ObjectId,
    order: u64,
    is_read: bool,
    site: SiteId,
    condition: Condition,
}

/// What a thread looked at before its event `first`; `None` if that is too much to look through.
fn asked(model: &Model<'_>, thread: usize, first: u32, conditions: &[&(u32, Condition)]) -> Option<Vec<Asked>> {
    let mut asked: Vec<Asked> = Vec::new();
    for record in model.files.events(model, thread)?.take(first as usize) {
        let Event::Acquire { lock, site, mode, order, .. } = record.event else { continue };
        let is_meant = |(id, _): &&&(u32, Condition)| {
            let context = &model.contexts[*id as usize];
            context.lock == lock && context.site == site
        };
        let Some((_, condition)) = conditions.iter().find(is_meant) else { continue };
        asked.retain(|other| other.lock != lock);
        let is_read = matches!(mode, Mode::Shared | Mode::RecursiveShared);
        asked.push(Asked { lock, order: order.0, is_read, site, condition: condition.clone() });
    }
    Some(asked)
}

/// Behind which of a thread's events.
#[derive(Clone, Copy)]
enum Behind {
    Event(u32),
    /// That by which it learnt that the other (dense index) had ended.
    Join(usize),
}

/// What a thread changed before others looked, and whom it told.
#[derive(Default)]
struct Told {
    written: FxHashSet<ObjectId>,
    notified: Names,
}

impl Told {
    /// `None` if that is too much to look through.
    fn by(model: &Model<'_>, thread: usize, asked: &[Asked], behind: Behind) -> Option<Told> {
        let mut told = Told::default();
        let mut held: FxHashMap<ObjectId, u64> = FxHashMap::default();
        let mut is_behind = false;
        for (index, record) in (0..).zip(model.files.events(model, thread)?) {
            is_behind |= match behind {
                Behind::Event(last) => index > last,
                Behind::Join(joined) => matches!(record.event, Event::Join { child, .. } if child == model.threads[joined].id),
            };
            match record.event {
                Event::Acquire { lock, order, .. } => _ = held.insert(lock, order.0),
                Event::Release { lock, wrote, .. } => {
                    let order = held.remove(&lock).filter(|_| wrote && is_behind);
                    let is_seen = |asked: &Asked| {
                        let is_before = |order: u64| order < asked.order + u64::from(asked.is_read);
                        asked.lock == lock && order.is_some_and(is_before)
                    };
                    if asked.iter().any(is_seen) {
                        told.written.insert(lock);
                    }
                }
                Event::Notify { site, .. } if is_behind => told.notified.extend(notified(model, site)),
                _ => {}
            }
        }
        Some(told)
    }

    /// Whether that may be why who asked does not have to wait.
    fn made_true(&self, asked: &Asked) -> bool {
        // A place in a tuple is no name.
        let is_name = |name: &String| !name.starts_with(|c: char| c.is_ascii_digit());
        let is_told = |condvars: &Names| {
            let both = || condvars.iter().chain(&self.notified);
            !self.notified.is_empty() && (!both().all(is_name) || !condvars.is_disjoint(&self.notified))
        };
        self.written.contains(&asked.lock)
            && match &asked.condition {
                Condition::Notified(condvars) => is_told(condvars),
                Condition::Polled => true,
            }
    }
}

/// What the condition variables are called that are notified at a place, whose call may begin on the line above.
fn notified(model: &Model<'_>, site: SiteId) -> Names {
    let Some(site) = model.site(site) else { return Names::new() };
    let line = |line: u32| model.sources.line(&SiteDef { line, ..site.clone() }).unwrap_or_default();
    let text = line(site.line.saturating_sub(1)) + "\n" + &line(site.line) + "\n" + &line(site.line + 1);
    names(&text, &NOTIFIES).collect()
}

impl Condition {
    /// What the thread waits for that takes a lock here.
    fn at(sources: &dyn Sources, site: &SiteDef) -> Option<Condition> {
        let Around { above, below } = Around::new(sources, site)?;
        let mut blocks = Blocks::open_at_the_end(&above);
        let text = std::mem::take(&mut blocks.unfinished) + &within(&below, 1);
        let statements = Blocks::closed(&text);
        let (own, later) = statements.split_first()?;
        let by_guard = || guard(&own.text).and_then(|guard| later.iter().find_map(|statement| passes(statement, guard)));
        Condition::of_call(&own.text)
            .or_else(|| polls(own).then_some(Condition::Polled))
            .or_else(by_guard)
            .or_else(|| blocks.open.last().is_some_and(|block| looks_again(block, &statements)).then_some(Condition::Polled))
    }

    /// `wait_while` with the lock taken for it.
    fn of_call(text: &str) -> Option<Condition> {
        let condvars: Names = names(text, &AWAITS_WHILE).collect();
        (!condvars.is_empty()).then_some(Condition::Notified(condvars))
    }
}

/// The variable that a statement makes.
fn guard(text: &str) -> Option<&str> {
    let pattern = text.trim_start().strip_prefix("let ")?.split(['=', ':']).next()?;
    Some(last_word(pattern.trim_end())).filter(|name| !name.is_empty())
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

fn idles(text: &str) -> bool {
    IDLES.iter().any(|call| text.contains(call))
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
    let leaves = |line: &str| ENDS.iter().any(|word| line.trim_start().starts_with(word));
    let is_look = |statement: &Statement| {
        let text = statement.text.trim_start();
        ["let ", "if ", "match ", "drop("].iter().any(|word| text.starts_with(word)) || idles(text) || leaves(text)
    };
    block.head.trim_end().ends_with("loop") && all().all(is_look) && lines().any(idles) && lines().any(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Text(String);
    impl Sources for Text {
        fn line(&self, site: &SiteDef) -> Option<String> {
            self.0.lines().nth((site.line as usize).checked_sub(1)?).map(str::to_owned)
        }
    }

    /// What is waited for at the place marked by `^`.
    fn at(text: &str) -> Option<Condition> {
        let source = format!("fn f() {{\n{text}\n}}");
        let at = source.find('^').expect("a mark");
        let line = source[..at].matches('\n').count() + 1;
        let column = at - source[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
        let site = SiteDef { file: "a.rs".to_owned(), line: line as u32, column: column as u32 };
        Condition::at(&Text(source.replace('^', "")), &site)
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
        assert_eq!(at("loop {\n if *^done.lock().unwrap() { break; }\n work();\n sleep(tick);\n }"), None);
        assert_eq!(at("if *^done.lock().unwrap() { thread::yield_now(); }"), None);
    }
}
