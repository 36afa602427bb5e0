//! Where reports go: files, or standard output with the colours it can show.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};

use crate::config::Settings;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::formats::Format;
use crate::options::{Color, Output, ReportOptions};
use crate::progress::Progress;
use crate::report::Report;

impl ReportOptions {
    /// Which formats the command line wants where; `None`: it does not say.
    ///
    /// # Errors
    /// Two formats for one place.
    pub(crate) fn outputs(&self) -> Result<Option<Vec<Place>>, Failure> {
        let rest = self.output.as_deref().filter(|file| *file != Path::new("-"));
        let asked = match (&self.format[..], &self.output) {
            ([], None) => return Ok(None),
            ([], Some(_)) => {
                let format = rest.and_then(|file| Format::of_file_name(file.to_str()?)).unwrap_or(Format::Human);
                vec![Output { format, file: None }]
            }
            (asked, _) => asked.to_vec(),
        };
        if self.output.is_some() && asked.iter().all(|output| output.file.is_some()) {
            return Err(Failure::usage("every format has a file of its own, so there is nothing left for --output"));
        }
        places(asked, rest).map(Some)
    }
}

/// A format and its file. `None` is standard output, which takes one format.
pub(crate) type Place = (Format, Option<PathBuf>);

/// Where to write what; formats without a file go to `rest`.
///
/// # Errors
/// Two formats for one place.
pub(crate) fn places(asked: Vec<Output>, rest: Option<&Path>) -> Result<Vec<Place>, Failure> {
    let mut places: Vec<Place> = Vec::new();
    for Output { format, file } in asked {
        let place = file.or_else(|| rest.map(Path::to_owned));
        if let Some((other, _)) = places.iter().find(|(_, taken)| *taken == place) {
            let place = place.map_or_else(|| "standard output".to_owned(), |file| format!("`{}`", file.display()));
            let message = format!("the formats {} and {} both go to {place}", other.name(), format.name());
            return Err(Failure::usage(message).help(format!("give one its own file: --format {}=FILE", format.name())));
        }
        places.push((format, place));
    }
    Ok(places)
}

/// Where to write what a configuration in `base` asks for: files lie in that folder, those without a name in `target/conccheck`. If
/// nothing is for standard output, the report for people goes there.
///
/// # Errors
/// Two formats for one place.
pub(crate) fn beside(asked: Vec<Output>, base: &Path) -> Result<Vec<Place>, Failure> {
    let place = |Output { format, file }| {
        let unnamed = || format.default_file().map(|name| Path::new("target/conccheck").join(name));
        Output { format, file: file.or_else(unnamed).map(|file| base.join(file)) }
    };
    let mut asked: Vec<Output> = asked.into_iter().map(place).collect();
    if asked.iter().all(|output| output.file.is_some()) {
        asked.insert(0, Output { format: Format::Human, file: None });
    }
    places(asked, None)
}

/// Writes the report in every format that was asked for.
///
/// # Errors
/// A file can't be written.
pub(crate) fn write(report: &Report<'_>, settings: &Settings) -> Result<(), Failure> {
    let outputs = settings.outputs();
    for (format, file) in outputs {
        if format.is_binary() && file.is_none() && io::stdout().is_terminal() {
            let help = format!("give it a file: --format {0}=FILE", format.name());
            return Err(
                Failure::usage(format!("the format {} is no text, and standard output is a terminal", format.name())).help(help)
            );
        }
        let bytes = {
            let _progress = Progress::start(format!("writing {}", format.name()));
            format.render(report)
        };
        match file {
            Some(file) => write_file(file, format.is_for_terminals(), &bytes, settings.color)?,
            None => print_bytes(&bytes, format.is_for_terminals(), settings.color)?,
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
    print_bytes(text.as_bytes(), has_colors, color)
}

fn print_bytes(bytes: &[u8], has_colors: bool, color: Option<Color>) -> Result<(), Failure> {
    let stdout = io::stdout();
    let choice = if has_colors { color_choice(color, &stdout) } else { ColorChoice::AlwaysAnsi };
    let mut stream = AutoStream::new(stdout.lock(), choice);
    match stream.write_all(bytes).and_then(|()| stream.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitCode::Usage, format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn write_file(file: &Path, has_colors: bool, bytes: &[u8], color: Option<Color>) -> Result<(), Failure> {
    if has_colors && color != Some(Color::Always) {
        write_new_file(file, &anstream::adapter::strip_bytes(bytes).into_vec())
    } else {
        write_new_file(file, bytes)
    }
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
