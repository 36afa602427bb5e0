//! JUnit: a failed case a finding, a passed case a rule that found nothing.

use std::fmt::{self, Write};

use conccheck_analyzer::finding::Finding;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::Render;
use crate::exceptions::Suppressed;
use crate::report::{Report, first_look};

pub(super) struct JUnit;

impl Render for JUnit {
    fn render(&self, report: &Report<'_>, out: &mut dyn Write) -> fmt::Result {
        let mut suite = TestSuite::new("conccheck");
        for finding in &report.findings {
            suite.add_test_case(case(finding, report));
        }
        for Suppressed { finding, reason } in &report.suppressed {
            let mut case = case(finding, report);
            case.status = TestCaseStatus::skipped();
            case.status.set_message(reason.as_str());
            suite.add_test_case(case);
        }
        for rule in &report.known_rules {
            if !report.rules().iter().any(|found| found.name == rule.name) {
                let mut case = TestCase::new(rule.summary, TestCaseStatus::success());
                case.set_classname(rule.name);
                suite.add_test_case(case);
            }
        }
        let mut document = quick_junit::Report::new("conccheck");
        document.add_test_suite(suite);
        // Of the serializer's errors only those of its writer can happen, and a string has none.
        writeln!(out, "{}", document.to_string().map_err(|_| fmt::Error)?.trim_end())
    }
}

/// A finding below `--fail-on` passes, with its text as output.
fn case(finding: &Finding, report: &Report<'_>) -> TestCase {
    let text = super::prose(finding);
    let fails = report.fail_on.includes(finding.severity);
    let mut status = if fails { TestCaseStatus::non_success(NonSuccessKind::Failure) } else { TestCaseStatus::success() };
    if fails {
        status.set_message(finding.message.as_str()).set_type(finding.severity.word()).set_description(text.as_str());
    }
    let mut case = TestCase::new(finding.message.as_str(), status);
    case.set_classname(finding.rule.name);
    if !fails {
        case.set_system_out(text);
    }
    case.add_property(Property::new("confidence", finding.confidence.word()));
    case.add_property(Property::new("fingerprint", finding.fingerprint.as_str()));
    if let Some((_, _, site)) = first_look(finding) {
        case.extra.insert("file".into(), report.sources.repository_path(&site.file).into());
        case.extra.insert("line".into(), site.line.to_string().into());
    }
    case
}
