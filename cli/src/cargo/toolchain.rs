//! The compiler that cargo will use, and what it says about itself.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::Command;

use crate::{ExitCode, Failure};

/// The first release whose std the facade can stand for.
const OLDEST: (u32, u32) = (1, 95);
/// Its name.
pub(super) const OLDEST_NAME: &str = "1.95";

/// A compiler.
#[derive(Clone, Debug)]
pub(super) struct Toolchain {
    /// The program.
    pub(super) rustc: OsString,
    /// Its answer to `-vV`: tells every build of the compiler from every other.
    pub(super) verbose_version: String,
    /// The triple it runs on.
    pub(super) host: String,
}

impl Toolchain {
    /// Asks a compiler what it is.
    ///
    /// # Errors
    /// It does not start, does not answer, or is too old for the facades.
    pub(super) fn ask(rustc: &OsStr) -> Result<Toolchain, Failure> {
        let shown = rustc.display();
        let output = Command::new(rustc)
            .arg("-vV")
            .output()
            .map_err(|error| Failure::new(ExitCode::BuildFailed, format!("can't start the compiler `{shown}`: {error}")))?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = |key: &str| answer.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned());
        let (Some(host), Some(release)) = (line("host:"), line("release:")) else {
            let said = String::from_utf8_lossy(&output.stderr);
            let message = format!("`{shown} -vV` does not tell a version\n{said}");
            return Err(Failure::new(ExitCode::BuildFailed, message.trim_end()));
        };
        if version(&release).is_some_and(|version| version < OLDEST) {
            return Err(Failure::usage(format!("this toolchain is Rust {release}; conccheck needs {OLDEST_NAME} or newer"))
                .help("choose another toolchain: cargo +stable conccheck …"));
        }
        Ok(Toolchain { rustc: rustc.to_owned(), verbose_version: answer, host })
    }

    /// Its version, such as `1.97.0-nightly`.
    pub(super) fn release(&self) -> &str {
        self.verbose_version.lines().find_map(|line| line.strip_prefix("release:")).unwrap_or_default().trim()
    }

    /// What `rustc -V` says of it.
    pub(super) fn name(&self) -> &str {
        self.verbose_version.lines().next().unwrap_or_default()
    }

    /// Whether the std of a target is installed.
    pub(super) fn has_std(&self, target: &str) -> bool {
        let libraries = Command::new(&self.rustc).args(["--print", "target-libdir", "--target", target]).output();
        let Ok(output) = libraries else { return false };
        let entries = fs::read_dir(String::from_utf8_lossy(&output.stdout).trim()).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("libstd-")))
    }
}

/// Major and minor of a release such as `1.97.0-nightly`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_by_number() {
        assert_eq!(version("1.95.0"), Some((1, 95)));
        assert_eq!(version("1.100.0-nightly"), Some((1, 100)));
        assert!(version("1.100.0-nightly") > Some(OLDEST));
        assert_eq!(version(OLDEST_NAME), Some(OLDEST));
        assert_eq!(version("unknown"), None);
    }

    #[test]
    fn a_missing_compiler_is_named() {
        let failure = Toolchain::ask(OsStr::new("/nowhere/rustc")).expect_err("no such program");
        assert_eq!(failure.code(), ExitCode::BuildFailed);
        assert!(failure.to_string().contains("/nowhere/rustc"), "{failure}");
    }
}
