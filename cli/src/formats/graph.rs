//! The cycle within a finding, as a graph: what was waited for by whom while what was held. Rendered as Mermaid, as DOT and as SVG.

use conccheck_analyzer::finding::{Finding, Party};

/// One thread holds one object and goes for another.
pub(crate) struct Edge<'a> {
    pub(crate) held: &'a str,
    pub(crate) wanted: &'a str,
    pub(crate) party: &'a Party,
}

/// The edges that the scenario shows, thread by thread. A thread that gets all that it asks for has none.
pub(crate) fn edges(finding: &Finding) -> Vec<Edge<'_>> {
    let mut edges = Vec::new();
    for (index, party) in finding.parties.iter().enumerate() {
        let steps = || finding.scenario.iter().filter(|step| step.party == index);
        if !steps().any(|step| step.blocks) {
            continue;
        }
        let first = edges.len();
        let mut held = None;
        for object in steps().filter_map(|step| object_of(&step.text, &finding.objects)) {
            if let Some(held) = held {
                let is_known = |edge: &Edge<'_>| (edge.held, edge.wanted) == (held, object);
                if !edges[first..].iter().any(is_known) {
                    edges.push(Edge { held, wanted: object, party });
                }
            }
            held = Some(object);
        }
    }
    edges
}

/// The object in the brackets of a step, as in "lock(Bank.accounts)".
fn object_of<'a>(step: &str, objects: &'a [String]) -> Option<&'a str> {
    objects.iter().map(String::as_str).find(|object| step.contains(&format!("({object})")))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn a_cycle_has_an_edge_a_thread() {
        let finding = samples::cycle();
        let edges: Vec<_> = edges(&finding).iter().map(|edge| (edge.held, edge.wanted, edge.party.thread.as_str())).collect();
        assert_eq!(edges, [("Bank.accounts", "Bank.audit", "worker-1"), ("Bank.audit", "Bank.accounts", "flusher")]);
    }

    #[test]
    fn where_nobody_waits_for_ever_there_is_no_cycle() {
        let mut finding = samples::cycle();
        finding.scenario.iter_mut().for_each(|step| step.blocks = false);
        assert!(edges(&finding).is_empty());
    }
}
