//! Findings that are not to count, each with the reason.

use conccheck_analyzer::Finding;
use conccheck_analyzer::registry::RULES;
use toml::de::DeValue;

use super::date::Date;
use super::document::{Item, hint};
use crate::Failure;

/// The keys of a `[[suppress]]`.
pub(super) const KEYS: [&str; 8] = ["rule", "locks", "objects", "fingerprint", "site", "test", "reason", "expires"];

/// Fewer digits could name several findings.
const MIN_DIGITS: usize = 6;

/// Findings that are not to count. All that is said must hold.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    rule: Option<String>,
    /// Names of objects that must all be concerned.
    objects: Vec<String>,
    /// How a fingerprint begins.
    fingerprint: Option<String>,
    /// A file, or the end of its path, and the line if that matters.
    site: Option<(String, Option<u32>)>,
    /// A test, or a module of tests.
    test: Option<String>,
    /// Why.
    pub(crate) reason: String,
    /// The last day.
    expires: Option<Date>,
    /// Its line in the configuration.
    pub(crate) line: usize,
}

impl Suppression {
    pub(super) fn read(item: Item<'_>) -> Result<Suppression, Failure> {
        let line = item.line();
        let nothing_said = item.failure("this would suppress everything");
        let no_reason = item.failure("a suppression needs a reason").help("add `reason = \"…\"`: why this is no defect here");
        let section = item.section()?;
        section.check_keys(&KEYS)?;
        let text = |key| section.get(key).map(|item| item.text().map(str::to_owned)).transpose();
        let suppression = Suppression {
            rule: section.get("rule").map(|item| rule(&item)).transpose()?,
            objects: ["locks", "objects"].into_iter().filter_map(|key| section.get(key)).try_fold(
                Vec::new(),
                |mut names, item| {
                    for name in item.list()? {
                        names.push(name.text()?.to_owned());
                    }
                    Ok::<_, Failure>(names)
                },
            )?,
            fingerprint: section.get("fingerprint").map(|item| fingerprint(&item)).transpose()?,
            site: text("site")?.map(|text| match text.rsplit_once(':') {
                Some((file, line)) if line.parse::<u32>().is_ok() => (file.to_owned(), line.parse().ok()),
                _ => (text, None),
            }),
            test: text("test")?,
            reason: text("reason")?.filter(|reason| !reason.trim().is_empty()).ok_or(no_reason)?,
            expires: section.get("expires").map(|item| date(&item)).transpose()?,
            line,
        };
        let Suppression { rule, objects, fingerprint, site, test, .. } = &suppression;
        let says_nothing = rule.is_none() && objects.is_empty() && fingerprint.is_none() && site.is_none() && test.is_none();
        if says_nothing {
            return Err(nothing_said.help("say what to suppress: rule, locks, fingerprint, site or test"));
        }
        Ok(suppression)
    }

    /// Whether it is about a finding.
    pub(crate) fn covers(&self, finding: &Finding) -> bool {
        let is_test = |test: &String| self.test.as_ref().is_some_and(|wanted| is_within(test, wanted));
        self.rule.as_ref().is_none_or(|rule| rule == finding.rule.name)
            && self.objects.iter().all(|name| finding.objects.contains(name))
            && self.fingerprint.as_ref().is_none_or(|digits| finding.fingerprint.starts_with(digits))
            // Seen in another test as well, it is still to be shown.
            && (self.test.is_none() || (!finding.tests.is_empty() && finding.tests.iter().all(is_test)))
            && self.site.as_ref().is_none_or(|site| has_site(finding, site))
    }

    /// The day since which it no longer counts.
    pub(crate) fn expired(&self, today: Date) -> Option<Date> {
        self.expires.filter(|last| today > *last)
    }
}

fn is_within(test: &str, wanted: &str) -> bool {
    test.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn has_site(finding: &Finding, (file, line): &(String, Option<u32>)) -> bool {
    let mut sites = finding.parties.iter().flat_map(|party| &party.steps).filter_map(|step| step.site.as_ref());
    sites.any(|site| {
        let ends = site.file.strip_suffix(file.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with(['/', '\\']));
        ends && line.is_none_or(|line| line == site.line)
    })
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

/// A date of TOML, or a text that looks like one.
fn date(item: &Item<'_>) -> Result<Date, Failure> {
    let date = match item.value() {
        DeValue::Datetime(toml::value::Datetime { date: Some(date), time: None, offset: None }) => {
            Date::new(date.year.into(), date.month, date.day)
        }
        DeValue::String(text) => Date::parse(text),
        _ => None,
    };
    date.ok_or_else(|| item.failure("this is no date such as 2027-03-01"))
}
