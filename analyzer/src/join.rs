//! Joins findings that are the same, and puts all into one order.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use conccheck_trace::SiteDef;

use crate::draft::fingerprint;
use crate::finding::Finding;

/// The findings of all processes: the same ones joined; most severe first, then surest, then by fingerprint.
pub(crate) fn join(found: Vec<Finding>) -> Vec<Finding> {
    let mut same: BTreeMap<(&'static str, String, Vec<Option<SiteDef>>), Finding> = BTreeMap::new();
    for finding in found {
        let sites = finding.parties.iter().flat_map(|party| &party.steps).filter(|step| !step.is_call);
        let sites = sites.map(|step| step.site.clone());
        let key = (finding.rule.name, finding.fingerprint.clone(), sites.collect());
        match same.get_mut(&key) {
            None => {
                same.insert(key, finding);
            }
            Some(first) => merge(first, finding),
        }
    }
    // Different places that share a fingerprint are numbered, so that a fingerprint names one finding.
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut findings: Vec<Finding> = same.into_values().collect();
    for finding in &mut findings {
        let number = numbers.entry(finding.fingerprint.clone()).or_insert(0);
        *number += 1;
        if *number > 1 {
            finding.fingerprint = fingerprint(&finding.fingerprint, &[number.to_string()]);
        }
    }
    findings.sort_by(|a, b| {
        (Reverse(a.severity), Reverse(a.confidence), &a.fingerprint).cmp(&(
            Reverse(b.severity),
            Reverse(b.confidence),
            &b.fingerprint,
        ))
    });
    findings
}

fn merge(into: &mut Finding, other: Finding) {
    into.occurrences += other.occurrences;
    into.tests.extend(other.tests);
    into.tests.sort();
    into.tests.dedup();
    if other.confidence > into.confidence {
        into.confidence = other.confidence;
        into.evidence = other.evidence;
        into.scenario = other.scenario;
        into.parties = other.parties;
    }
}
