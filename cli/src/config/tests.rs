//! Tests of the configuration.

use std::collections::HashMap;
use std::fs;

use conccheck_analyzer::finding::{Finding, Party, Step};
use conccheck_analyzer::registry::rule;
use conccheck_analyzer::{Confidence, Severity};
use conccheck_trace::{Nanos, SiteDef};

use super::*;
use crate::options::{ConfigOptions, JudgingOptions};

/// The settings that a configuration, the command line and the environment make together.
fn settings_with(text: &str, options: &ReportOptions, variables: &[(&str, &str)]) -> Result<Settings, Failure> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("conccheck.toml"), text).expect("a file");
    let variables: HashMap<&str, OsString> = variables.iter().map(|(name, value)| (*name, value.into())).collect();
    let mut options = options.clone();
    options.judging.config.project = Some(folder.path().to_owned());
    options.settings_in(&|name| variables.get(name).cloned())
}

fn settings(text: &str) -> Settings {
    settings_with(text, &ReportOptions::default(), &[]).unwrap_or_else(|failure| panic!("{failure}"))
}

fn refusal(text: &str) -> String {
    match settings_with(text, &ReportOptions::default(), &[]) {
        Ok(_) => panic!("accepted: {text}"),
        Err(failure) => failure.to_string(),
    }
}

const PROFILES: &str = r#"
    [profile.default]
    fail-on = "medium"
    [profile.ci]
    outputs = ["sarif", "junit=j.xml"]
    [profile.nightly]
    inherits = "ci"
    fail-on = "low"
    [profile.nightly.rules]
    deadlock = "low"
    [rules]
    deadlock = "high"
    double-lock = "off"
    long-critical-section = { level = "low", hold = "50ms" }
    undersized-buffer.share = 0.25
"#;

#[test]
fn the_command_line_beats_the_environment_beats_the_profile_beats_the_default() {
    let cli = ReportOptions::from(JudgingOptions { fail_on: Some(FailOn::Never), ..JudgingOptions::default() });
    let variable = [("CONCCHECK_FAIL_ON", "critical")];
    let fail_on =
        |options: &ReportOptions, variables: &[_]| settings_with(PROFILES, options, variables).expect("settings").fail_on();
    assert_eq!(fail_on(&cli, &variable), FailOn::Never);
    assert_eq!(fail_on(&ReportOptions::default(), &variable), FailOn::Critical);
    assert_eq!(fail_on(&ReportOptions::default(), &[]), FailOn::Medium);
    assert_eq!(settings("").fail_on(), FailOn::High);
    let wrong = settings_with("", &ReportOptions::default(), &[("CONCCHECK_FAIL_ON", "hihg")]).err().expect("a refusal");
    assert!(wrong.to_string().contains("did you mean `high`?"), "{wrong}");
}

#[test]
fn which_calls_are_recorded_is_said_by_the_environment_or_the_configuration() {
    let stacks = |text: &str, variables: &[_]| {
        let settings = settings_with(text, &ReportOptions::default(), variables).expect("settings");
        show(&settings).lines().next().expect("a line").split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(stacks("", &[]), "stacks = \"edges\" # default");
    assert_eq!(stacks("stacks = \"all\"", &[]), "stacks = \"all\" # conccheck.toml");
    assert_eq!(stacks("stacks = \"all\"", &[("CONCCHECK_STACKS", "none")]), "stacks = \"none\" # CONCCHECK_STACKS");
    assert!(refusal("stacks = \"al\"").contains("did you mean `all`?"));
    let wrong = settings_with("", &ReportOptions::default(), &[("CONCCHECK_STACKS", "edge")]).err().expect("a refusal");
    assert!(wrong.to_string().contains("did you mean `edges`?"), "{wrong}");
}

#[test]
fn a_profile_inherits_what_it_does_not_say() {
    let nightly = settings_with(PROFILES, &ReportOptions::default(), &[("CONCCHECK_PROFILE", "nightly")]).expect("settings");
    assert_eq!(nightly.fail_on(), FailOn::Low);
    let files: Vec<_> = nightly.outputs().iter().map(|(format, file)| (*format, file.is_some())).collect();
    assert_eq!(files, [(Format::Human, false), (Format::Sarif, true), (Format::Junit, true)]);
    let levels = ["deadlock", "double-lock", "lost-wakeup"].map(|name| nightly.rules.level(rule(name).expect("a rule").meta()));
    assert_eq!(levels, [Some(Severity::Low), None, Some(Severity::High)]);

    let config = ConfigOptions { config_profile: Some("ci".to_owned()), ..ConfigOptions::default() };
    let ci = JudgingOptions { config, ..JudgingOptions::default() };
    let ci = settings_with(PROFILES, &ci.into(), &[]).expect("settings");
    assert_eq!(ci.fail_on(), FailOn::Medium);
}

#[test]
fn rules_have_levels_and_thresholds() {
    let config = settings(PROFILES).rules.config();
    assert_eq!(config.disabled, ["double-lock"]);
    assert_eq!((config.long_hold, config.blocked_sends), (Nanos(50_000_000), 0.25));
}

#[test]
fn a_mistake_is_shown_in_its_place_with_what_was_meant() {
    for (text, place, words) in [
        ("[rules]\nlock-order-cyle = \"off\"", "conccheck.toml:2:1", "did you mean `lock-order-cycle`?"),
        ("\n[profile.ci]\n  fail_on = \"high\"", "conccheck.toml:3:3", "did you mean `fail-on`?"),
        ("[profile.ci]\nfail-on = \"hihg\"", "conccheck.toml:2:11", "did you mean `high`?"),
        ("[rule]", "conccheck.toml:1:2", "did you mean `rules`?"),
        ("[rules]\ndeadlock = \"of\"", "conccheck.toml:2:12", "did you mean `off`?"),
        ("[rules]\ndeadlock = 3", "conccheck.toml:2:12", "must be a level"),
        ("[rules]\ndeadlock = { hold = \"5ms\" }", "conccheck.toml:2:14", "no key `hold`"),
        ("[rules]\nlong-critical-section.hold = \"50\"", "conccheck.toml:2:30", "no duration"),
        ("[rules]\nundersized-buffer.share = 1.5", "conccheck.toml:2:27", "from 0 to 1"),
        ("[rules]\noversized-buffer.times = 0", "conccheck.toml:2:26", "whole number"),
        ("[profile.x]\ninherits = \"y\"", "conccheck.toml:2:12", "no profile `y`"),
        ("[profile.x]\ninherits = \"x\"", "conccheck.toml:2:12", "inherits from itself"),
        ("[profile.x]\noutputs = [\"sarif\", \"srif\"]", "conccheck.toml:2:21", "the formats are"),
        ("[profile.x]\noutputs = \"sarif\"", "conccheck.toml:2:11", "must be a list, not string"),
        ("[[suppress]]\nrule = \"deadlock\"", "conccheck.toml:1:1", "needs a reason"),
        ("[[suppress]]\nrule = \"deadlock\"\nreason = \" \"", "conccheck.toml:1:1", "needs a reason"),
        ("[[suppress]]\nreason = \"x\"", "conccheck.toml:1:1", "suppress everything"),
        ("[[suppress]]\nreason = \"x\"\nrule = \"dedlock\"", "conccheck.toml:3:8", "did you mean `deadlock`?"),
        ("[[suppress]]\nreason = \"x\"\nfingerprint = \"xyz\"", "conccheck.toml:3:15", "6 to 16 digits"),
        ("[[suppress]]\nreason = \"x\"\nfingerprint = \"abcdef\"\nexpires = \"soon\"", "conccheck.toml:4:11", "no date"),
        ("[[suppress]]\nresaon = \"x\"", "conccheck.toml:2:1", "did you mean `reason`?"),
        ("[[override]]\nsite = \"src/\"", "conccheck.toml:1:1", "needs `rules`"),
        ("[[override]]\nrules.deadlock = \"low\"", "conccheck.toml:1:1", "for every finding"),
        ("[[override]]\nsite = \"src/\"\nrules.spawn-burst.threads = 3", "conccheck.toml:3:1", "no thresholds"),
        ("[[override]]\nrule = \"deadlock\"", "conccheck.toml:2:1", "did you mean `rules`?"),
        ("a = ", "conccheck.toml:1:", "-->"),
    ] {
        let said = refusal(text);
        assert!(said.contains(place) && said.contains(words), "{text}\n{said}");
    }
    assert!(
        refusal("[profile.ci]\n\tfail_on = 1").ends_with(" 2 | \tfail_on = 1\n   | \t^^^^^^^\n  help: did you mean `fail-on`?")
    );
}

#[test]
fn no_text_makes_the_reader_panic() {
    let text =
        "[profile.ä]\nfail-on=\"hi\u{1b}\"\n[[suppress]]\nreason='''\n\n'''\nlocks=[1,{}]\r\nexpires=1979-05-27T07:32:00Z\n";
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        for part in [&text[..cut], &text[cut..]] {
            let _ = settings_with(part, &ReportOptions::default(), &[]);
        }
    }
}

#[test]
fn it_is_found_in_the_folder_above_in_dot_config_and_in_the_manifest() {
    let root = tempfile::tempdir().expect("a folder");
    let member = root.path().join("crates/store");
    fs::create_dir_all(&member).expect("folders");
    let config = || ConfigOptions { project: Some(member.clone()), ..ConfigOptions::default() };
    let options = || ReportOptions::from(JudgingOptions { config: config(), ..JudgingOptions::default() });
    let fail_on =
        || options().settings_in(&|_| None).map(|settings| (settings.fail_on(), settings.baseline().map(Path::to_owned)));
    let write = |name: &str, text: &str| {
        let file = root.path().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    };
    write("Cargo.toml", "[workspace]\n[workspace.metadata.conccheck.profile.default]\nfail-on = \"low\"");
    assert_eq!(fail_on().expect("settings").0, FailOn::Low);
    write("Cargo.toml", "[workspace]\n[workspace.metadata.conccheck.profil]");
    let failure = fail_on().expect_err("a wrong key").to_string();
    assert!(failure.contains("Cargo.toml:2:31") && failure.contains("`workspace.metadata.conccheck`"), "{failure}");
    write("Cargo.toml", "[workspace]");
    write(".config/conccheck.toml", "profile.default = { fail-on = \"never\", baseline = \"known.json\" }");
    assert_eq!(fail_on().expect("settings"), (FailOn::Never, Some(root.path().join("known.json"))));
    fs::create_dir(root.path().join("crates/.git")).expect("a folder");
    assert_eq!(fail_on().expect("settings"), (FailOn::High, None), "of another repository");
    fs::remove_dir(root.path().join("crates/.git")).expect("a folder");
    write("conccheck.toml", "");
    assert!(fail_on().expect_err("two of them").to_string().contains("two configurations"));
}

fn finding() -> Finding {
    let step = |file: &str, line| Step {
        site: Some(SiteDef { file: file.to_owned(), line, column: 1 }),
        text: String::new(),
        primary: true,
        is_call: false,
    };
    let meta = rule("lock-order-cycle").expect("a rule").meta();
    Finding {
        rule: meta,
        severity: meta.severity,
        confidence: Confidence::Possible,
        message: String::new(),
        objects: vec!["Bank.accounts".to_owned(), "Bank.audit".to_owned()],
        parties: vec![Party { thread: "t".to_owned(), steps: vec![step("src/bank.rs", 44)] }],
        scenario: Vec::new(),
        evidence: Vec::new(),
        help: String::new(),
        tests: vec!["bank::tests::flush".to_owned()],
        occurrences: 1,
        fingerprint: "9f3ab20011223344".to_owned(),
    }
}

#[test]
fn a_suppression_covers_what_fits_all_that_it_says() {
    for (says, covers) in [
        ("rule = \"lock-order-cycle\"", true),
        ("rule = \"deadlock\"", false),
        ("locks = [\"Bank.audit\", \"Bank.accounts\"]", true),
        ("objects = [\"Bank.audit\", \"Other\"]", false),
        ("fingerprint = \"9f3ab2\"", true),
        ("fingerprint = \"9f3ab3\"", false),
        ("site = \"bank.rs\"", true),
        ("site = \"src/bank.rs:44\"", true),
        ("site = \"bank.rs:45\"", false),
        ("site = \"ank.rs\"", false),
        ("site = \"src/\"", true),
        ("site = \"ank.rs/\"", false),
        ("site = \"rc/\"", false),
        ("test = \"bank::tests::flush\"", true),
        ("test = \"bank::tests\"", true),
        ("test = \"bank::tests::flu\"", false),
        ("rule = \"lock-order-cycle\"\ntest = \"other\"", false),
    ] {
        let settings = settings(&format!("[[suppress]]\nreason = \"x\"\n{says}"));
        assert_eq!(settings.suppressions[0].covers(&finding()), covers, "{says}");
    }
}

#[test]
fn a_suppression_counts_to_the_end_of_its_last_day() {
    for expires in ["2027-03-01", "\"2027-03-01\""] {
        let text = format!("[[suppress]]\nreason = \"x\"\nfingerprint = \"9f3ab2\"\nexpires = {expires}");
        let suppression = settings(&text).suppressions.remove(0);
        let expired = |day| suppression.expired(Date::parse(day).expect("a day")).is_some();
        assert_eq!(["2026-12-31", "2027-03-01", "2027-03-02"].map(expired), [false, false, true]);
    }
}

#[test]
fn a_level_replaces_the_severity_but_does_not_raise_what_the_rule_holds_for_less() {
    let rules = settings("[rules]\nlock-order-cycle = \"high\"").rules;
    let graded = |severity| {
        let mut finding = Finding { severity, ..finding() };
        rules.grade(&mut finding);
        finding.severity
    };
    assert_eq!([Severity::Critical, Severity::Medium].map(graded), [Severity::High, Severity::Medium]);
}

#[test]
fn an_override_goes_before_the_level_for_all_and_the_profiles_before_the_common_one() {
    let text = "[rules]\nlock-order-cycle = \"off\"\ndouble-lock = \"off\"
        [[override]]\nsite = \"src/\"\nrules = { lock-order-cycle = \"medium\" }
        [[override]]\ntest = \"other\"\nrules = { lock-order-cycle = \"low\" }
        [[profile.ci.override]]\nlocks = [\"Bank.audit\"]\nrules = { lock-order-cycle = \"high\" }
        [[profile.quiet.override]]\ntest = \"bank\"\nrules = { lock-order-cycle = \"off\" }";
    let graded = |profile: &str, file: &str| {
        let settings = settings_with(text, &ReportOptions::default(), &[("CONCCHECK_PROFILE", profile)]).expect("settings");
        assert_eq!(settings.rules.config().disabled, ["double-lock"], "it is on somewhere");
        let mut finding = finding();
        finding.parties[0].steps[0].site.as_mut().expect("a site").file = file.to_owned();
        finding.tests = vec!["bank::tests".to_owned()];
        settings.rules.grade(&mut finding).then_some(finding.severity)
    };
    let here = ["default", "ci", "quiet"].map(|profile| graded(profile, "bank/src/bank.rs"));
    assert_eq!(here, [Some(Severity::Medium), Some(Severity::High), None]);
    assert_eq!(graded("default", "benches/bank.rs"), None, "off, where no override says something");
}

#[test]
fn a_suppression_is_added_and_all_else_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let add = |name: &str, old: &str| {
        let file = folder.path().join(name);
        fs::write(&file, old).expect("a file");
        let done = append_suppression(&file, "9f3ab2", "a \"quoted\" reason\nin two lines", Date::parse("2027-03-01"));
        let new = fs::read_to_string(&file).expect("a file");
        done.map(|()| {
            assert!(new.starts_with(old), "{new}");
            assert_eq!(ConfigFile::read(&file).expect("a configuration").suppressions.len(), 1, "{new}");
        })
    };
    add("conccheck.toml", "").expect("room");
    add("conccheck.toml", "# why\n[rules] # these\ndeadlock = \"low\"").expect("room");
    add("Cargo.toml", "[workspace.metadata.conccheck.rules]\ndeadlock = \"low\"\n").expect("room");
    let refused = add("conccheck.toml", "suppress = [{ rule = \"deadlock\", reason = \"x\" }]").expect_err("a list");
    assert!(refused.to_string().contains("not as a list in brackets"), "{refused}");
}

#[test]
fn what_is_shown_is_a_configuration_that_says_the_same() {
    let overridden = "ignore-tasks = [\"name=x\"]\n[[override]]\ntest = \"slow\"\nrules = { deadlock = \"low\" }";
    let before = settings(&format!("{overridden}{PROFILES}"));
    let shown = show(&before);
    assert!(shown.contains("fail-on = \"medium\"") && shown.contains("# profile `default`"), "{shown}");
    let after = settings(&shown);
    assert_eq!(show(&after).split("[rules]").nth(1), shown.split("[rules]").nth(1));
    assert_eq!(after.rules.config(), before.rules.config());
}
