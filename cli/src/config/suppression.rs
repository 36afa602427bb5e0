//! Findings that are not to count, each with the reason.

use conccheck_analyzer::Finding;
use toml::de::DeValue;

use super::date::Date;
use super::document::Item;
use super::selector::Selector;
use crate::Failure;

/// The keys of a `[[suppress]]`.
pub(super) const KEYS: [&str; 8] = ["rule", "locks", "objects", "fingerprint", "site", "test", "reason", "expires"];

/// Findings that are not to count.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    what: Selector,
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
        let reason = section.get("reason").map(|item| item.text().map(str::to_owned)).transpose()?;
        let suppression = Suppression {
            what: Selector::read(&section)?,
            reason: reason.filter(|reason| !reason.trim().is_empty()).ok_or(no_reason)?,
            expires: section.get("expires").map(|item| date(&item)).transpose()?,
            line,
        };
        if suppression.what.is_empty() {
            return Err(nothing_said.help("say what to suppress: rule, locks, fingerprint, site or test"));
        }
        Ok(suppression)
    }

    /// Whether it is about a finding.
    pub(crate) fn covers(&self, finding: &Finding) -> bool {
        self.what.covers(finding)
    }

    /// The day since which it no longer counts.
    pub(crate) fn expired(&self, today: Date) -> Option<Date> {
        self.expires.filter(|last| today > *last)
    }
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
