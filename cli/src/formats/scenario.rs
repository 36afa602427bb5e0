//! The interleaving that goes wrong, as a table with a column a thread.

use conccheck_analyzer::finding::Finding;

/// Wider tables wrap on ordinary terminals; they become a list.
const MAX_WIDTH: usize = 100;

/// The lines of the table, without ends of lines; none where there is no scenario.
pub(super) fn lines(finding: &Finding) -> Vec<String> {
    if finding.scenario.is_empty() {
        return Vec::new();
    }
    let threads: Vec<&str> = finding.parties.iter().map(|party| party.thread.as_str()).collect();
    let widths: Vec<usize> = threads
        .iter()
        .enumerate()
        .map(|(party, name)| {
            let cells = finding.scenario.iter().filter(|step| step.party == party).map(|step| step.text.chars().count() + 2);
            cells.chain([name.chars().count()]).max().unwrap_or(0) + 2
        })
        .collect();
    let mut lines =
        if widths.iter().sum::<usize>() <= MAX_WIDTH { table(finding, &threads, &widths) } else { list(finding, &threads) };
    if let (Some(verdict), Some(last)) = (verdict(finding), lines.last_mut()) {
        last.push_str("    ");
        last.push_str(verdict);
    }
    lines
}

fn table(finding: &Finding, threads: &[&str], widths: &[usize]) -> Vec<String> {
    let head = threads.iter().zip(widths).map(|(name, &width)| format!("{name:width$}")).collect::<String>();
    let rows = finding.scenario.iter().map(|step| {
        let indent = widths.iter().take(step.party).sum::<usize>();
        format!("{:indent$}{}{}", "", step.text, if step.blocks { " …" } else { "" })
    });
    std::iter::once(head.trim_end().to_owned()).chain(rows).collect()
}

fn list(finding: &Finding, threads: &[&str]) -> Vec<String> {
    let row = |step: &conccheck_analyzer::ScenarioStep| {
        let thread = threads.get(step.party).copied().unwrap_or("?");
        format!("{thread}: {}{}", step.text, if step.blocks { " …" } else { "" })
    };
    finding.scenario.iter().map(row).collect()
}

fn verdict(finding: &Finding) -> Option<&'static str> {
    let mut blocked: Vec<usize> = finding.scenario.iter().filter(|step| step.blocks).map(|step| step.party).collect();
    blocked.sort_unstable();
    blocked.dedup();
    match blocked.len() {
        0 => None,
        1 => Some("*** BLOCKED FOREVER ***"),
        _ => Some("*** DEADLOCK ***"),
    }
}
