//! The `conccheck` command.

fn main() -> std::process::ExitCode {
    conccheck_cli::conccheck()
}
