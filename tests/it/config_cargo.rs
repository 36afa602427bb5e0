//! The configuration of a cargo project, read by `cargo conccheck` from wherever it is started.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use conccheck_tests::{Ended, HandMade, Tool, repository, run};

const LIMIT: Duration = Duration::from_secs(300);

/// A copy of the small bank, with its known faults.
fn bank() -> HandMade {
    let project = HandMade::default();
    copy(&repository().join("fixtures/bank/before"), Path::new("bank"), &project);
    project
}

fn copy(from: &Path, to: &Path, project: &HandMade) {
    for entry in fs::read_dir(from).expect("a readable fixture").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() && entry.file_name() != "target" {
            copy(&entry.path(), &to, project);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            project.write(to.to_str().expect("UTF-8"), &text);
        }
    }
}

/// `cargo conccheck test`, started beside the project.
fn test(project: &HandMade, args: &[&str]) -> Ended {
    let tool = Tool::get();
    let mut command = tool.cargo_conccheck();
    command.args(["test", "--manifest-path"]).arg(project.path("bank/Cargo.toml")).arg("--target-dir").arg(tool.projects());
    run(command.args(args).env_remove("CONCCHECK_PROFILE").current_dir(project.path(".")), LIMIT)
}

#[test]
fn a_project_has_its_suppressions_and_baseline_in_its_own_configuration() {
    let project = bank();
    let own = "[[suppress]]\nlocks = [\"Bank.accounts\", \"Bank.audit\"]\nreason = \"the auditor comes alone\"\n";
    project.write("bank/conccheck.toml", own);
    let ended = test(&project, &["--format", "json=first.json", "--format", "short"]);
    assert_eq!(ended.code, Some(66), "{ended:?}");
    assert!(ended.stdout.contains("1 critical, 1 high (1 suppressed, 0 in the baseline)"), "{ended:?}");
    assert!(!ended.stdout.contains("Bank.audit"), "{}", ended.stdout);

    // What was found is now known: the same run again passes.
    let known = project.path("bank/known.json");
    let written =
        run(&mut project.conccheck(&["baseline", "write", "first.json", "--baseline", &known.display().to_string()]), LIMIT);
    assert_eq!(written.code, Some(0), "{written:?}");
    project.write("bank/conccheck.toml", &format!("{own}[profile.ci]\nbaseline = \"known.json\"\n"));
    let ended = test(&project, &["--config-profile", "ci", "--format", "short"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("no findings (1 suppressed, 2 in the baseline)"), "{ended:?}");
}

#[test]
fn a_broken_configuration_or_baseline_is_said_before_anything_is_built() {
    let project = bank();
    project.write("bank/conccheck.toml", "[profile.default]\nbaseline = \"none.json\"\n[profile.x]\nfail-on = \"all\"\n");
    let ended = test(&project, &[]);
    assert!(ended.code == Some(2) && ended.stderr.contains("conccheck.toml:4:11"), "{ended:?}");
    project.write("bank/conccheck.toml", "[profile.default]\nbaseline = \"none.json\"\n");
    let ended = test(&project, &[]);
    assert!(ended.code == Some(2) && ended.stderr.contains("none.json"), "{ended:?}");
    assert!(!ended.stderr.contains("Compiling") && !ended.stderr.contains("Running"), "{}", ended.stderr);
}

/// The commands and variables of a pipeline's recipe, without what installs the tool.
fn steps(recipe: &str) -> (Vec<&str>, Vec<(&str, &str)>) {
    let lines = || recipe.lines().map(str::trim);
    let commands = lines().filter_map(|line| {
        let line = line.strip_prefix("- ").unwrap_or(line);
        let command = line.strip_prefix("run: ").or_else(|| line.starts_with("cargo ").then_some(line))?;
        (!["rustup ", "cargo install "].iter().any(|install| command.starts_with(install))).then_some(command)
    });
    let variables = lines().filter_map(|line| line.split_once(": ")).filter(|(name, _)| name.starts_with("CONCCHECK_"));
    (commands.collect(), variables.collect())
}

#[test]
fn the_recipes_for_pipelines_leave_what_the_pipelines_read() {
    let tool = Tool::get();
    let project = bank();
    let path = format!("{}:{}", tool.binaries().display(), std::env::var("PATH").unwrap_or_default());
    let summary = project.path("summary.md");
    for (kind, recipe, left) in [
        ("github", ".github/workflows/conccheck.yml", ["summary.md", "bank/target/conccheck/report.sarif"]),
        (
            "gitlab",
            ".gitlab/conccheck.yml",
            ["bank/target/conccheck/report.gitlab.json", "bank/target/conccheck/report.junit.xml"],
        ),
    ] {
        let init = run(tool.conccheck().args(["init", "--ci", kind]).current_dir(project.path("bank")), LIMIT);
        assert_eq!(init.code, Some(0), "{init:?}");
        let recipe = project.read(&format!("bank/{recipe}"));
        let (commands, variables) = steps(&recipe);
        assert!(commands.contains(&"cargo conccheck test") && !variables.is_empty(), "{recipe}");
        for command in commands {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]).current_dir(project.path("bank")).env("PATH", &path).envs(variables.iter().copied());
            shell.env("CARGO_TARGET_DIR", tool.projects()).env("GITHUB_STEP_SUMMARY", &summary);
            let ended = run(&mut shell, LIMIT);
            assert!(matches!(ended.code, Some(0 | 66)), "{kind}: {command}: {ended:?}");
        }
        for file in left {
            assert!(project.read(file).contains("lock-order-cycle"), "{kind}: {file}");
        }
    }
}
