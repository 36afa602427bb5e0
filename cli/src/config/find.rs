//! Where the configuration lies.

use std::path::{Path, PathBuf};

use super::document::{Document, Section};
use crate::Failure;

/// Its places in a folder. In a manifest it is a table among others.
const NAMES: [&str; 2] = ["conccheck.toml", ".config/conccheck.toml"];
const MANIFEST: &str = "Cargo.toml";

/// Finds the file for a folder: in it, or in the nearest folder above that has one, up to the repository's root. What lies beyond is
/// somebody else's.
///
/// # Errors
/// A folder has two; a manifest can't be read.
pub(super) fn find(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    for folder in folder.ancestors() {
        let mut found: Vec<PathBuf> = NAMES.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
        let manifest = folder.join(MANIFEST);
        if manifest.is_file() && has_table(&manifest)? {
            found.push(manifest);
        }
        match &found[..] {
            [] if folder.join(".git").exists() => return Ok(None),
            [] => {}
            [one] => return Ok(Some(one.clone())),
            [one, other, ..] => {
                let message = format!("there are two configurations: `{}` and `{}`", one.display(), other.display());
                return Err(Failure::usage(message).help("put all into one of them"));
            }
        }
    }
    Ok(None)
}

/// The folder that a configuration is about.
pub(super) fn base(file: &Path) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    let above = folder.parent().filter(|_| folder.ends_with(".config"));
    above.unwrap_or(folder).to_owned()
}

/// The tables above the configuration in a file: none, but for a manifest.
pub(super) fn tables(file: &Path) -> &'static [&'static str] {
    if file.ends_with(MANIFEST) { &["workspace", "metadata", "conccheck"] } else { &[] }
}

/// The table of the configuration.
pub(super) fn table(document: &Document) -> Result<Option<Section<'_>>, Failure> {
    let mut section = document.parse()?;
    for key in tables(&document.path) {
        match section.get(key) {
            Some(item) => section = item.section()?,
            None => return Ok(None),
        }
    }
    Ok(Some(section))
}

/// Whether a manifest has the table. One that is broken is cargo's to complain about.
fn has_table(manifest: &Path) -> Result<bool, Failure> {
    let document = Document::read(manifest)?;
    Ok(document.text.contains("conccheck") && table(&document).is_ok_and(|table| table.is_some()))
}
