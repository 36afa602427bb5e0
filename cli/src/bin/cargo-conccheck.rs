//! The `cargo conccheck` command, and the wrapper around `rustc` and `rustdoc` that it makes of itself.

fn main() -> std::process::ExitCode {
    conccheck_cli::cargo::cargo_conccheck()
}
