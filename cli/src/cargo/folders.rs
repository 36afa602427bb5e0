//! Folders under `<target-dir>/conccheck`.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use crate::Failure;

/// Makes a folder and those above it.
pub(super) fn create(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

/// What is said about a file or folder that can't be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("can't write {}: {error}", path.display()))
        .help("give another target folder: --target-dir DIR, or CARGO_TARGET_DIR")
}

/// Deletes the oldest folders in `parent` but for `keep` of them. What can't be deleted stays.
pub(super) fn prune(parent: &Path, keep: usize, spared: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && path != spared)
        .map(|path| (fs::metadata(&path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH), path))
        .collect();
    found.sort();
    for (_, old) in found.iter().rev().skip(keep) {
        let _ = fs::remove_dir_all(old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_and_the_spared_folders_stay() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        for (age, name) in ["a", "b", "c", "d"].iter().enumerate() {
            let folder = parent.path().join(name);
            create(&folder).expect("a writable folder");
            let then = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000 + age as u64);
            fs::File::open(&folder).and_then(|folder| folder.set_modified(then)).expect("a settable time");
        }
        prune(parent.path(), 1, &parent.path().join("a"));
        let left = |name: &str| parent.path().join(name).is_dir();
        assert_eq!([left("a"), left("b"), left("c"), left("d")], [true, false, false, true]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let file = parent.path().join("file");
        fs::write(&file, "").expect("a writable folder");
        let failure = create(&file.join("inside")).expect_err("a file is no folder");
        assert!(failure.to_string().contains(&file.display().to_string()), "{failure}");
    }
}
