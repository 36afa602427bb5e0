//! The lock-order graph of a run: which locks were taken while which were held, by whom and where.
//!
//! Its nodes are lock classes, so that a thousand accounts are one node. Drawn by `conccheck graph` and on the HTML page.

pub(crate) mod dot;
mod layout;
pub(crate) mod svg;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use conccheck_analyzer::finding::Finding;
use conccheck_analyzer::model::Model;
use conccheck_trace::SiteDef;

use crate::formats::cycle_edges;

/// More nodes and edges than this are no picture any more; what belongs to a finding stays.
const MAX_NODES: usize = 200;
const MAX_EDGES: usize = 600;
/// Places that are named for an edge.
const MAX_USES: usize = 5;

/// The graph.
#[derive(Default)]
pub(crate) struct LockGraph {
    /// Sorted by name.
    pub(crate) nodes: Vec<Node>,
    /// Sorted by the nodes.
    pub(crate) edges: Vec<Edge>,
    /// How many nodes and edges there are beside these.
    pub(crate) left_out: (usize, usize),
}

/// A lock class.
pub(crate) struct Node {
    pub(crate) name: String,
    /// Fingerprints of the findings that concern it.
    pub(crate) findings: Vec<String>,
}

/// One lock was asked for while another one was held.
pub(crate) struct Edge {
    /// Index of the held lock.
    pub(crate) from: usize,
    /// Index of the wanted lock.
    pub(crate) to: usize,
    /// How often.
    pub(crate) count: u64,
    /// The most frequent ones.
    pub(crate) uses: Vec<Use>,
    /// Fingerprints of the findings whose cycle it is part of.
    pub(crate) findings: Vec<String>,
}

/// One thread's way to take an edge.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Use {
    pub(crate) thread: String,
    pub(crate) held: Option<SiteDef>,
    pub(crate) wanted: Option<SiteDef>,
}

type Uses = BTreeMap<(String, String), BTreeMap<Use, u64>>;

impl LockGraph {
    /// The graph of all processes, with the cycles of these findings.
    pub(crate) fn new<'m, 't: 'm>(models: impl IntoIterator<Item = &'m Model<'t>>, findings: &[Finding]) -> LockGraph {
        let mut uses = Uses::new();
        models.into_iter().for_each(|model| collect(model, &mut uses));
        let mut in_cycles: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut concerned: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for finding in findings {
            for edge in cycle_edges(finding) {
                let pair = (class(edge.held).to_owned(), class(edge.wanted).to_owned());
                // Cycles of other things than locks have no edge of their own; those that happened may lack one.
                uses.entry(pair.clone()).or_default();
                push_new(in_cycles.entry(pair).or_default(), &finding.fingerprint);
            }
            for object in &finding.objects {
                push_new(concerned.entry(class(object).to_owned()).or_default(), &finding.fingerprint);
            }
        }
        build(uses, &in_cycles, &concerned)
    }

    /// Leaves out what is part of no finding's cycle.
    pub(crate) fn keep_cycles(&mut self) {
        self.edges.retain(|edge| !edge.findings.is_empty());
        let mut kept: Vec<usize> = self.edges.iter().flat_map(|edge| [edge.from, edge.to]).collect();
        kept.sort_unstable();
        kept.dedup();
        let index = |node: usize| kept.binary_search(&node).unwrap_or(0);
        for edge in &mut self.edges {
            (edge.from, edge.to) = (index(edge.from), index(edge.to));
        }
        let mut at = 0..;
        self.nodes.retain(|_| at.next().is_some_and(|node| kept.binary_search(&node).is_ok()));
    }
}

/// The name without the number that tells instances of a class apart.
fn class(name: &str) -> &str {
    name.rsplit_once("[#").filter(|(_, number)| number.ends_with(']')).map_or(name, |(class, _)| class)
}

fn push_new(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

fn collect(model: &Model<'_>, uses: &mut Uses) {
    let names = model.names();
    for context in model.contexts.iter().filter(|context| context.can_wait()) {
        for held in model.held(context.chain).into_iter().filter(|held| held.lock != context.lock) {
            let edge = (names.class(held.lock).to_owned(), names.class(context.lock).to_owned());
            let taken = Use {
                thread: names.thread(context.thread()).to_owned(),
                held: model.site(held.site).cloned(),
                wanted: model.site(context.site).cloned(),
            };
            *uses.entry(edge).or_default().entry(taken).or_default() += context.count();
        }
    }
}

fn build(
    uses: Uses,
    in_cycles: &BTreeMap<(String, String), Vec<String>>,
    concerned: &BTreeMap<String, Vec<String>>,
) -> LockGraph {
    let findings = |pair: &(String, String)| in_cycles.get(pair).cloned().unwrap_or_default();
    let mut edges: Vec<((String, String), BTreeMap<Use, u64>)> = uses.into_iter().collect();
    // What belongs to a finding first, then the most used.
    edges.sort_by_key(|(pair, uses)| (!in_cycles.contains_key(pair), Reverse(uses.values().sum::<u64>()), pair.clone()));
    let (all_edges, all_nodes) = (edges.len(), edges.iter().flat_map(|((a, b), _)| [a, b]).collect::<BTreeSet<_>>().len());
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut kept = Vec::new();
    for (pair, uses) in edges {
        let new = [&pair.0, &pair.1].into_iter().filter(|name| !names.contains(*name)).count();
        if kept.len() < MAX_EDGES && names.len() + new <= MAX_NODES {
            names.extend([pair.0.clone(), pair.1.clone()]);
            kept.push((pair, uses));
        }
    }
    let left_out = (all_nodes - names.len(), all_edges - kept.len());
    let nodes: Vec<Node> =
        names.into_iter().map(|name| Node { findings: concerned.get(&name).cloned().unwrap_or_default(), name }).collect();
    let index = |name: &str| nodes.binary_search_by(|node| node.name.as_str().cmp(name)).unwrap_or(0);
    let mut edges: Vec<Edge> = kept
        .into_iter()
        .map(|(pair, uses)| Edge {
            from: index(&pair.0),
            to: index(&pair.1),
            count: uses.values().sum(),
            findings: findings(&pair),
            uses: most_frequent(uses),
        })
        .collect();
    edges.sort_by_key(|edge| (edge.from, edge.to));
    LockGraph { nodes, edges, left_out }
}

fn most_frequent(uses: BTreeMap<Use, u64>) -> Vec<Use> {
    let mut uses: Vec<(Use, u64)> = uses.into_iter().collect();
    uses.sort_by_key(|(_, count)| Reverse(*count));
    uses.into_iter().take(MAX_USES).map(|(taken, _)| taken).collect()
}

impl Edge {
    /// What it stands for, one line a use.
    pub(crate) fn description(&self, nodes: &[Node]) -> String {
        let (held, wanted) = (&nodes[self.from].name, &nodes[self.to].name);
        let mut text = format!("{held} is held, {wanted} is taken");
        if self.count > 0 {
            text += &format!(" ({})", if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) });
        }
        let place = |site: &Option<SiteDef>| site.as_ref().map_or_else(|| "an unknown place".to_owned(), crate::formats::place);
        for Use { thread, held, wanted } in &self.uses {
            text += &format!("\n{}: holds since {}, takes at {}", crate::terminal::one_line(thread), place(held), place(wanted));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use conccheck_analyzer::{Config, NoSources, analyze};

    use super::*;

    fn graph(text: &str) -> LockGraph {
        let trace = conccheck_trace::text::parse(text).expect("a trace");
        let (traces, config) = ([trace], Config::default());
        let analysis = analyze(&traces, &NoSources, &config);
        LockGraph::new(&[Model::new(&traces[0], &NoSources, &config)], &analysis.findings)
    }

    #[test]
    fn an_edge_knows_its_places_and_the_cycles_that_it_is_part_of() {
        let mut graph = graph(
            "object a mutex @m.rs:1 A\nobject b mutex @m.rs:2 B\nobject c mutex @m.rs:3 C
             main spawn t1; main spawn t2
             t1 lock a @m.rs:10; t1 lock b @m.rs:11; t1 unlock b; t1 lock c @m.rs:12; t1 unlock c; t1 unlock a
             t2 lock b @m.rs:20; t2 lock a @m.rs:21; t2 unlock a; t2 unlock b",
        );
        let shown =
            |edge: &Edge| format!("{} -> {}: {}", graph.nodes[edge.from].name, graph.nodes[edge.to].name, edge.findings.len());
        let (a, b, c) = ("Mutex<A> (m.rs:1)", "Mutex<B> (m.rs:2)", "Mutex<C> (m.rs:3)");
        let expected = [format!("{a} -> {b}: 1"), format!("{a} -> {c}: 0"), format!("{b} -> {a}: 1")];
        assert_eq!(graph.edges.iter().map(shown).collect::<Vec<_>>(), expected);
        let description = graph.edges[0].description(&graph.nodes);
        assert!(description.ends_with("(once)\nt1: holds since m.rs:10, takes at m.rs:11"), "{description}");
        graph.keep_cycles();
        assert_eq!((graph.nodes.len(), graph.edges.len()), (2, 2));
    }

    #[test]
    fn many_locks_are_cut_to_a_picture_that_has_the_cycle() {
        let mut text = "main spawn t1; main spawn t2\n".to_owned();
        for lock in 0..600 {
            text += &format!("object x{lock} mutex @m.rs:{} X\n", 100 + lock);
            text += &format!("t1 lock g @m.rs:1; t1 lock x{lock} @m.rs:2; t1 unlock x{lock}; t1 unlock g\n");
        }
        text += "object y mutex @m.rs:50 Y\nobject z mutex @m.rs:51 Z\n";
        text += "t1 lock y; t1 lock z; t1 unlock z; t1 unlock y\nt2 lock z; t2 lock y; t2 unlock y; t2 unlock z\n";
        let graph = graph(&text);
        assert_eq!((graph.nodes.len(), graph.left_out.0), (MAX_NODES, 603 - MAX_NODES));
        assert_eq!(graph.edges.iter().filter(|edge| !edge.findings.is_empty()).count(), 2);
    }
}
