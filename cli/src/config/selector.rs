//! Which findings a suppression or an override is about.

use std::fmt::Write as _;

use conccheck_analyzer::Finding;
use conccheck_analyzer::registry::RULES;
use toml::Value;

use super::document::{Item, Section, hint};
use crate::Failure;

/// Fewer digits could name several findings.
const MIN_DIGITS: usize = 6;

/// Findings. All that is said must hold.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    rule: Option<String>,
    /// Names of objects that must all be concerned.
    objects: Vec<String>,
    /// How a fingerprint begins.
    fingerprint: Option<String>,
    /// A file, the end of its path, or a folder of it (`benches/`); and the line if that matters.
    site: Option<(String, Option<u32>)>,
    /// A test, or a module of tests.
    test: Option<String>,
}

impl Selector {
    /// Reads the keys of a table that say it.
    pub(super) fn read(section: &Section<'_>) -> Result<Selector, Failure> {
        let text = |key| section.get(key).map(|item| item.text().map(str::to_owned)).transpose();
        let mut objects = Vec::new();
        for item in ["locks", "objects"].into_iter().filter_map(|key| section.get(key)) {
            for name in item.list()? {
                objects.push(name.text()?.to_owned());
            }
        }
        Ok(Selector {
            rule: section.get("rule").map(|item| rule(&item)).transpose()?,
            objects,
            fingerprint: section.get("fingerprint").map(|item| fingerprint(&item)).transpose()?,
            site: text("site")?.map(|text| match text.rsplit_once(':') {
                Some((file, line)) if line.parse::<u32>().is_ok() => (file.to_owned(), line.parse().ok()),
                _ => (text, None),
            }),
            test: text("test")?,
        })
    }

    /// Whether it says nothing, and so means everything.
    pub(super) fn is_empty(&self) -> bool {
        let Selector { rule, objects, fingerprint, site, test } = self;
        rule.is_none() && objects.is_empty() && fingerprint.is_none() && site.is_none() && test.is_none()
    }

    /// Whether it is about a finding.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let is_test = |test: &String| self.test.as_ref().is_some_and(|wanted| is_within(test, wanted));
        self.rule.as_ref().is_none_or(|rule| rule == finding.rule.name)
            && self.objects.iter().all(|name| finding.objects.contains(name))
            && self.fingerprint.as_ref().is_none_or(|digits| finding.fingerprint.starts_with(digits))
            // Seen in another test as well, it is still to be shown.
            && (self.test.is_none() || (!finding.tests.is_empty() && finding.tests.iter().all(is_test)))
            && self.site.as_ref().is_none_or(|site| has_site(finding, site))
    }

    /// The keys and their values, a line each.
    pub(super) fn written(&self) -> String {
        let Selector { rule, objects, fingerprint, site, test } = self;
        let site = site.as_ref().map(|(file, line)| match line {
            Some(line) => format!("{file}:{line}"),
            None => file.clone(),
        });
        let texts = [("rule", rule), ("fingerprint", fingerprint), ("site", &site), ("test", test)];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, Value::from(text.as_deref()?))));
        let objects = Some(("objects", Value::from(objects.clone()))).filter(|_| !objects.is_empty());
        texts.chain(objects).fold(String::new(), |mut lines, (key, value)| {
            let _ = writeln!(lines, "{key} = {value}");
            lines
        })
    }
}

fn is_within(test: &str, wanted: &str) -> bool {
    test.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn has_site(finding: &Finding, (file, line): &(String, Option<u32>)) -> bool {
    let mut sites = finding.parties.iter().flat_map(|party| &party.steps).filter_map(|step| step.site.as_ref());
    sites.any(|site| lies_at(&site.file, file) && line.is_none_or(|line| line == site.line))
}

/// Whether a path ends in a file's, or has a folder whose name ends in a slash.
fn lies_at(path: &str, wanted: &str) -> bool {
    let inner = path.match_indices(['/', '\\']).map(|(at, _)| &path[at + 1..]);
    [path].into_iter().chain(inner).any(|end| end == wanted || (wanted.ends_with('/') && end.starts_with(wanted)))
}

fn rule(item: &Item<'_>) -> Result<String, Failure> {
    let name = item.text()?;
    let names: Vec<&str> = RULES.iter().map(|rule| rule.meta().name).collect();
    if names.contains(&name) {
        Ok(name.to_owned())
    } else {
        Err(item.failure(format_args!("there is no rule `{name}`")).help(hint(name, &names, "rules")))
    }
}

fn fingerprint(item: &Item<'_>) -> Result<String, Failure> {
    let digits = item.text()?;
    is_fingerprint(digits)
        .then(|| digits.to_owned())
        .ok_or_else(|| item.failure(format_args!("a fingerprint has {MIN_DIGITS} to 16 digits from 0 to 9 and a to f")))
}

/// Whether this can be the beginning of a finding's fingerprint.
pub(crate) fn is_fingerprint(digits: &str) -> bool {
    let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (MIN_DIGITS..=16).contains(&digits.len()) && digits.bytes().all(is_hexadecimal)
}
