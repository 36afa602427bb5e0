//! Lock orders of several processes of one program, put together by lock class.
//!
//! A test runner that gives each test a process of its own never shows both sides of an inconsistent order in one trace. Locks of two
//! processes can't be the same instance, so they are compared by where they are created and what they hold, and only classes of which
//! no process has more than one instance count: two locks of such a class in one process would be the same lock. What is found is
//! `possible` at most.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use conccheck_trace::{Mode, ObjectId, SiteDef};

use crate::draft::{fingerprint, list, times};
use crate::finding::{Confidence, Finding, Party, ScenarioStep, Step};
use crate::model::Model;
use crate::model::context::Context;
use crate::modes;
use crate::names::file_name;
use crate::registry;
use crate::rules::waits;

/// What locks of several processes share: where they are created, and what they hold.
type Class = (SiteDef, String);
/// A held class and a wanted one.
type Edge = (usize, usize);

/// The rule that such findings belong to.
pub(crate) const RULE: &str = "lock-order-cycle";
/// Longest ring that is looked for.
const LONGEST: usize = 4;
/// Ways of taking an order that are kept of a process, and that are tried in a ring.
const WAYS: usize = 8;

/// An order in which a process takes locks.
#[derive(Clone, Debug)]
struct Way {
    process: usize,
    program: String,
    thread: String,
    test: Option<String>,
    held_mode: Mode,
    mode: Mode,
    held_site: Option<SiteDef>,
    site: Option<SiteDef>,
    /// All classes that are held.
    gates: BTreeSet<usize>,
    count: u64,
}

/// What is known of the processes so far.
#[derive(Default, Debug)]
pub(crate) struct Across {
    classes: Vec<ClassFacts>,
    numbers: BTreeMap<Class, usize>,
    edges: BTreeMap<Edge, Vec<Way>>,
    processes: usize,
}

#[derive(Debug)]
struct ClassFacts {
    name: String,
    /// Without line numbers.
    stable: String,
    /// Most instances in a process.
    instances: usize,
}

impl Across {
    /// Takes note of a process.
    pub(crate) fn add(&mut self, model: &Model<'_>) {
        let process = self.processes;
        self.processes += 1;
        let nested = |context: &&Context| context.chain != 0 && context.can_wait();
        if !model.contexts.iter().any(|context| nested(&context)) {
            return;
        }
        let mut instances: BTreeMap<usize, usize> = BTreeMap::new();
        let mut classes: BTreeMap<ObjectId, usize> = BTreeMap::new();
        for (id, object) in model.trace.tables.objects() {
            let Some(created) = model.site(object.created).filter(|site| site.line > 0) else { continue };
            let type_name = model.trace.tables.string(object.type_name).unwrap_or_default().to_owned();
            let class = self.class(model, id, (created.clone(), type_name));
            *instances.entry(class).or_default() += 1;
            classes.insert(id, class);
        }
        for (class, count) in instances {
            self.classes[class].instances = self.classes[class].instances.max(count);
        }
        for context in model.contexts.iter().filter(nested).filter(|context| !is_start(model, context)) {
            self.add_context(model, process, context, &classes);
        }
    }

    fn class(&mut self, model: &Model<'_>, id: ObjectId, class: Class) -> usize {
        *self.numbers.entry(class).or_insert_with(|| {
            let (name, stable) = (model.names().class(id).to_owned(), model.names().stable(id).to_owned());
            self.classes.push(ClassFacts { name, stable, instances: 0 });
            self.classes.len() - 1
        })
    }

    fn add_context(&mut self, model: &Model<'_>, process: usize, context: &Context, classes: &BTreeMap<ObjectId, usize>) {
        let Some(&wanted) = classes.get(&context.lock) else { return };
        let chain = model.held(context.chain);
        let gates: BTreeSet<usize> = chain.iter().filter_map(|held| classes.get(&held.lock).copied()).collect();
        for held in chain.into_iter().filter(|held| held.lock != context.lock) {
            let Some(&class) = classes.get(&held.lock) else { continue };
            let (held_site, site) = (model.site(held.site).cloned(), model.site(context.site).cloned());
            let ways = self.edges.entry((class, wanted)).or_default();
            let same = |way: &&mut Way| way.held_site == held_site && way.site == site && way.gates == gates;
            if let Some(way) = ways.iter_mut().filter(|way| way.process == process).find(same) {
                way.count += context.count();
            } else if ways.iter().filter(|way| way.process == process).count() < WAYS {
                let test = model.threads[context.thread()].test.and_then(|test| model.tests.get(test)).cloned();
                ways.push(Way {
                    process,
                    program: program(&model.trace.header.program).to_owned(),
                    thread: format!("{} of process {}", model.names().thread(context.thread()), model.trace.header.pid),
                    test,
                    held_mode: held.mode,
                    mode: context.mode,
                    held_site,
                    site,
                    gates: gates.clone(),
                    count: context.count(),
                });
            }
        }
    }

    /// What the processes imply together and none does alone.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for &edge in self.edges.keys() {
            let Some(ring) = self.shortest(edge) else { continue };
            let mut classes: Vec<usize> = ring.iter().map(|(held, _)| *held).collect();
            classes.sort_unstable();
            // Of the locks of a ring that one process closes, the rule has judged that already.
            let is_new = seen.insert(classes) && !self.is_in_one_process(&ring);
            if let Some(ways) = is_new.then(|| self.ways(&ring)).flatten() {
                found.extend(self.finding(&ring, &ways));
            }
        }
        found
    }

    /// A shortest ring that begins with the edge, of classes with one instance each.
    fn shortest(&self, (first, second): Edge) -> Option<Vec<Edge>> {
        let is_single = |class: usize| self.classes[class].instances == 1;
        if first == second || !is_single(first) || !is_single(second) {
            return None;
        }
        let mut paths = VecDeque::from([vec![(first, second)]]);
        let mut reached = BTreeSet::from([second]);
        while let Some(path) = paths.pop_front() {
            let end = path.last().map_or(first, |(_, wanted)| *wanted);
            for &(held, wanted) in self.edges.range((end, 0)..=(end, usize::MAX)).map(|(edge, _)| edge) {
                let longer = || path.iter().copied().chain([(held, wanted)]).collect::<Vec<Edge>>();
                if wanted == first {
                    return Some(longer());
                }
                if path.len() + 1 < LONGEST && is_single(wanted) && reached.insert(wanted) {
                    paths.push_back(longer());
                }
            }
        }
        None
    }

    fn is_in_one_process(&self, ring: &[Edge]) -> bool {
        let processes = |edge: &Edge| self.edges[edge].iter().map(|way| way.process).collect::<BTreeSet<_>>();
        let all = ring.iter().map(processes).reduce(|all, some| all.intersection(&some).copied().collect());
        all.is_some_and(|all| !all.is_empty())
    }

    /// A way for each edge, so that each keeps out the one before, under no common lock, all of one program.
    fn ways(&self, ring: &[Edge]) -> Option<Vec<&Way>> {
        let mut chosen: Vec<&Way> = Vec::new();
        self.choose(ring, &mut chosen).then_some(chosen)
    }

    fn choose<'a>(&'a self, ring: &[Edge], chosen: &mut Vec<&'a Way>) -> bool {
        let Some(edge) = ring.get(chosen.len()) else {
            let fits = |i: usize| modes::blocks(chosen[(i + 1) % chosen.len()].held_mode, chosen[i].mode);
            return (0..chosen.len()).all(fits);
        };
        for way in self.edges[edge].iter().take(WAYS) {
            if chosen.iter().all(|other| other.program == way.program && other.gates.is_disjoint(&way.gates)) {
                chosen.push(way);
                if self.choose(ring, chosen) {
                    return true;
                }
                chosen.pop();
            }
        }
        false
    }

    fn finding(&self, ring: &[Edge], ways: &[&Way]) -> Option<Finding> {
        let rule = registry::rule(RULE)?.meta();
        let name = |class: usize| self.classes[class].name.as_str();
        let step =
            |site: &Option<SiteDef>, text: String, primary: bool| Step { site: site.clone(), text, primary, is_call: false };
        let party = |((held, wanted), way): (&Edge, &&Way)| {
            let holds = format!("holds `{}`{} from here", name(*held), waits::mode_words(way.held_mode));
            let waits = format!("and waits for `{}`{} here", name(*wanted), waits::mode_words(way.mode));
            Party { thread: way.thread.clone(), steps: vec![step(&way.held_site, holds, false), step(&way.site, waits, true)] }
        };
        let parties: Vec<Party> = ring.iter().zip(ways).map(party).collect();
        let call = |(party, (edge, way)): (usize, (&Edge, &&Way)), blocks: bool| {
            let (class, mode) = if blocks { (edge.1, way.mode) } else { (edge.0, way.held_mode) };
            ScenarioStep { party, text: waits::lock_call(mode, name(class)), blocks }
        };
        let each = || ring.iter().zip(ways).enumerate();
        let scenario = each().map(|at| call(at, false)).chain(each().map(|at| call(at, true))).collect();
        let classes: Vec<usize> = ring.iter().map(|(held, _)| *held).collect();
        let mut objects: Vec<String> = classes.iter().map(|class| name(*class).to_owned()).collect();
        let quoted: Vec<String> = objects.iter().map(|name| format!("`{name}`")).collect();
        objects.sort();
        let count = ways.iter().map(|way| way.count).min().unwrap_or(0);
        let mut parts: Vec<String> = classes.iter().map(|class| self.classes[*class].stable.clone()).collect();
        parts.extend(
            ring.iter().map(|(held, wanted)| format!("{} -> {}", self.classes[*held].stable, self.classes[*wanted].stable)),
        );
        let sites = ways.iter().flat_map(|way| [&way.held_site, &way.site]).flatten();
        parts.extend(sites.map(|site| file_name(&site.file).to_owned()));
        parts.sort();
        parts.dedup();
        let mut tests: Vec<String> = ways.iter().filter_map(|way| way.test.clone()).collect();
        tests.sort();
        tests.dedup();
        let processes = ways.iter().map(|way| way.process).collect::<BTreeSet<_>>().len();
        Some(Finding {
            rule,
            severity: rule.severity,
            confidence: Confidence::Possible,
            message: format!("potential deadlock between {}, in orders of different processes", list(&quoted)),
            objects,
            parties,
            scenario,
            evidence: vec![
                format!(
                    "{processes} processes of one program take these locks in orders that don't fit together; none does so alone"
                ),
                "locks of different processes are compared by where they are created; each process has one of each".to_owned(),
                format!("seen {}", times(count)),
            ],
            help: format!("take {} before {} everywhere, or release one before taking the other", quoted[0], quoted[1]),
            tests,
            occurrences: count,
            fingerprint: fingerprint(RULE, &parts),
        })
    }
}

/// Whether the thread did this before it started its first thread, as a program does that sets things up: nothing else runs then.
fn is_start(model: &Model<'_>, context: &Context) -> bool {
    let children = model.threads.iter().filter(|thread| thread.parent == Some(context.thread()));
    let first = children.filter_map(|child| Some(child.spawn?.index)).min();
    let last = context.moments.kept().map(|(index, _)| index).max();
    model.threads[context.thread()].parent.is_none() && first.zip(last).is_some_and(|(first, last)| last < first)
}

/// A program's name: its file's, without the hash that cargo puts behind a test's.
fn program(path: &str) -> &str {
    let name = file_name(path);
    match name.rsplit_once('-') {
        Some((stem, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => stem,
        _ => name,
    }
}
