//! Where reports go: files, or standard output with the colours it can show.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::formats::Format;
use crate::options::{Color, Output, ReportOptions};
use crate::report::Report;

impl ReportOptions {
    /// Which formats to write where. `None` is standard output, which takes one format.
    ///
    /// # Errors
    /// Two formats for one place.
    pub fn outputs(&self) -> Result<Vec<(Format, Option<PathBuf>)>, Failure> {
        let rest = self.output.as_deref().filter(|file| *file != Path::new("-"));
        let asked = if self.format.is_empty() {
            let format = rest.and_then(|file| Format::of_file_name(file.to_str()?)).unwrap_or(Format::Human);
            vec![Output { format, file: None }]
        } else {
            self.format.clone()
        };
        if self.output.is_some() && asked.iter().all(|output| output.file.is_some()) {
            return Err(Failure::usage("every format has a file of its own, so there is nothing left for --output"));
        }
        let mut outputs: Vec<(Format, Option<PathBuf>)> = Vec::new();
        for Output { format, file } in asked {
            let place = file.or_else(|| rest.map(Path::to_owned));
            if let Some((other, _)) = outputs.iter().find(|(_, taken)| *taken == place) {
                let place = place.map_or_else(|| "standard output".to_owned(), |file| format!("`{}`", file.display()));
                let message = format!("the formats {} and {} both go to {place}", other.name(), format.name());
                return Err(Failure::usage(message).help(format!("give one its own file: --format {}=FILE", format.name())));
            }
            outputs.push((format, place));
        }
        Ok(outputs)
    }
}

/// Writes the report in every format that was asked for.
///
/// # Errors
/// A file can't be written.
pub(crate) fn write(report: &Report<'_>, options: &ReportOptions) -> Result<(), Failure> {
    let outputs = options.outputs()?;
    for (format, file) in &outputs {
        let mut text = String::new();
        format.renderer().render(report, &mut text).expect("a String takes every text");
        match file {
            Some(file) => write_file(file, format.is_for_terminals(), &text, options)?,
            None => print(&text, format.is_for_terminals(), options.color)?,
        }
    }
    let files: Vec<String> = outputs.iter().filter_map(|(_, file)| Some(file.as_ref()?.display().to_string())).collect();
    if files.len() == outputs.len() {
        crate::diagnostic(format_args!("{}: see {}", crate::formats::counts(report), files.join(", ")));
    }
    Ok(())
}

/// Prints to standard output. A reader that has gone away is none of our business; the verdict stands.
///
/// # Errors
/// Standard output can't be written, a full disk for instance.
pub(crate) fn print(text: &str, has_colors: bool, color: Option<Color>) -> Result<(), Failure> {
    let stdout = io::stdout();
    let choice = if has_colors { color_choice(color, &stdout) } else { ColorChoice::AlwaysAnsi };
    let mut stream = AutoStream::new(stdout.lock(), choice);
    match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitCode::Usage, format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn write_file(file: &Path, has_colors: bool, text: &str, options: &ReportOptions) -> Result<(), Failure> {
    let plain = has_colors && options.color != Some(Color::Always);
    let stripped;
    let text = if plain {
        stripped = anstream::adapter::strip_str(text).to_string();
        &stripped
    } else {
        text
    };
    write_new_file(file, text.as_bytes())
}

/// Writes a file, and its folder if there is none.
///
/// # Errors
/// It can't be written.
pub(crate) fn write_new_file(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(file, bytes))
        .map_err(|error| Failure::usage(format!("can't write `{}`: {error}", file.display())))
}

/// `--color` decides, then `NO_COLOR` and `CLICOLOR_FORCE`, then `CARGO_TERM_COLOR`, then whether it is a terminal.
fn color_choice(color: Option<Color>, stdout: &io::Stdout) -> ColorChoice {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match color {
        Some(Color::Always) => ColorChoice::Always,
        Some(Color::Never) => ColorChoice::Never,
        Some(Color::Auto) => AutoStream::choice(stdout),
        None if is_set("NO_COLOR") || is_set("CLICOLOR_FORCE") => AutoStream::choice(stdout),
        None => match std::env::var("CARGO_TERM_COLOR").as_deref() {
            Ok("always") => ColorChoice::Always,
            Ok("never") => ColorChoice::Never,
            _ => AutoStream::choice(stdout),
        },
    }
}
