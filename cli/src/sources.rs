//! Source files: where a site's file lies on this machine, and its lines.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use conccheck_analyzer::Sources;
use conccheck_analyzer::calls::{self, Call};
use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{FrameId, SiteDef};

use crate::calls::Resolver;

/// Larger files are generated; nobody wants a snippet of one.
const MAX_SOURCE_BYTES: u64 = 16 << 20;

/// Finds and reads source files, each once. A file that is missing, unreadable or no text is simply not known.
pub(crate) struct SourceCache {
    roots: Vec<PathBuf>,
    /// What paths in machine reports are relative to.
    repository: Option<PathBuf>,
    files: RefCell<HashMap<String, Option<Rc<SourceFile>>>>,
    resolver: Resolver,
}

/// A source file in memory.
pub(crate) struct SourceFile {
    path: PathBuf,
    text: String,
    /// Offset of each line's first byte.
    starts: Vec<usize>,
}

impl SourceCache {
    /// Looks for relative paths in the workspaces of `dirs`, since the compiler writes paths relative to the workspace's root, then in
    /// `dirs` and in every folder above them. Paths in machine reports are made relative to `repository`.
    pub(crate) fn new<'a>(dirs: impl IntoIterator<Item = &'a Path>, repository: Option<PathBuf>) -> SourceCache {
        let dirs: Vec<&Path> = dirs.into_iter().filter(|dir| dir.is_absolute()).collect();
        let workspaces = dirs.iter().filter_map(|dir| dir.ancestors().find(|root| root.join("Cargo.lock").exists()));
        let mut roots: Vec<PathBuf> = Vec::new();
        for root in workspaces.chain(dirs.iter().flat_map(|dir| dir.ancestors())) {
            if !roots.iter().any(|known| known == root) {
                roots.push(root.to_owned());
            }
        }
        SourceCache { roots, repository, files: RefCell::default(), resolver: Resolver::default() }
    }

    /// The file of that name in a trace.
    pub(crate) fn file(&self, name: &str) -> Option<Rc<SourceFile>> {
        if let Some(known) = self.files.borrow().get(name) {
            return known.clone();
        }
        let file = self.roots.iter().map(|root| root.join(name)).find_map(|path| SourceFile::read(&path)).map(Rc::new);
        self.files.borrow_mut().insert(name.to_owned(), file.clone());
        file
    }

    /// The file's path from the root of the repository, with slashes: what code hosts want. A file that is not in the repository,
    /// or not on this machine, keeps the name that the trace has.
    pub(crate) fn repository_path(&self, name: &str) -> String {
        let file = self.file(name);
        let inside = file.as_ref().and_then(|file| file.path.strip_prefix(self.repository.as_ref()?).ok());
        inside.map_or(name.into(), Path::to_string_lossy).replace('\\', "/")
    }
}

impl Sources for SourceCache {
    fn line(&self, site: &SiteDef) -> Option<String> {
        // A place without a line may be no file at all: then none is looked for.
        let line = Some(site.line).filter(|line| *line > 0)?;
        Some(self.file(&site.file)?.line(line)?.to_owned())
    }

    fn calls(&self, trace: &ProcessTrace, innermost: FrameId, site: &SiteDef) -> Vec<Call> {
        calls::of_the_user(self.resolver.stack(trace, innermost, &self.roots), site)
    }
}

impl SourceFile {
    fn read(path: &Path) -> Option<SourceFile> {
        let meta = fs::metadata(path).ok()?;
        if !meta.is_file() || meta.len() > MAX_SOURCE_BYTES {
            return None;
        }
        let text = String::from_utf8_lossy(&fs::read(path).ok()?).into_owned();
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Some(SourceFile { path: path.to_owned(), text, starts })
    }

    /// Where it was found on this machine.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A line, counted from 1, without its end.
    pub(crate) fn line(&self, number: u32) -> Option<&str> {
        let (start, end) = self.bounds(number)?;
        Some(&self.text[start..end])
    }

    /// The lines from `first` to `last`, counted from 1, without the last one's end.
    pub(crate) fn lines(&self, first: u32, last: u32) -> Option<&str> {
        self.text.get(self.bounds(first)?.0..self.bounds(last)?.1)
    }

    fn bounds(&self, number: u32) -> Option<(usize, usize)> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        Some((start, start + self.text[start..end].trim_end_matches('\r').len()))
    }
}

/// The folder of the first source that cargo lists beside a program that it built: a target folder need not lie in its workspace.
pub(crate) fn listed_folder(program: &Path) -> Option<PathBuf> {
    const SPACE: &str = "\0";
    let list = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.lines().next()?.split_once(": ")?;
    let escaped = sources.replace("\\ ", SPACE);
    let first = PathBuf::from(escaped.split(' ').next()?.replace(SPACE, " "));
    first.is_absolute().then(|| first.parent().map(Path::to_owned)).flatten()
}

/// The root of the repository that one of the folders lies in.
pub(crate) fn repository<'a>(folders: impl IntoIterator<Item = &'a Path>) -> Option<PathBuf> {
    let mut roots = folders.into_iter().flat_map(Path::ancestors);
    roots.find(|root| root.is_absolute() && root.join(".git").exists()).map(Path::to_owned)
}

pub(crate) use conccheck_analyzer::names::is_dependency;

#[cfg(test)]
mod tests {
    use super::*;

    fn site(file: &str, line: u32) -> SiteDef {
        SiteDef { file: file.to_owned(), line, column: 1 }
    }

    #[test]
    fn a_place_without_a_line_has_no_source_and_no_file_is_looked_for() {
        let sources = SourceCache::new([Path::new(env!("CARGO_MANIFEST_DIR"))], None);
        assert_eq!(sources.line(&site("src/sources.rs", 0)), None);
        assert!(sources.files.borrow().is_empty());
        assert!(sources.line(&site("src/sources.rs", 1)).is_some_and(|line| line.starts_with("//! Source files")));
    }

    #[test]
    fn a_relative_path_is_found_in_a_folder_above_the_working_directory() {
        let dir = tempfile::tempdir().expect("a folder");
        let member = dir.path().join("crates/bank");
        fs::create_dir_all(member.join("src")).expect("folders");
        fs::write(member.join("src/lib.rs"), "one\r\ntwo\nthree").expect("a file");
        let sources = SourceCache::new([member.as_path()], Some(dir.path().to_owned()));
        let line = |line| sources.line(&site("crates/bank/src/lib.rs", line));
        assert_eq!((line(1), line(2), line(3)), (Some("one".into()), Some("two".into()), Some("three".into())));
        assert_eq!((line(0), line(4)), (None, None), "beyond the file");
        assert_eq!(sources.line(&site("crates/bank/src", 1)), None, "a folder");
        assert_eq!(sources.line(&site("src/lib.rs", 3)), Some("three".into()), "relative to the working directory itself");
        assert_eq!(sources.repository_path("src/lib.rs"), "crates/bank/src/lib.rs");
        assert_eq!(sources.repository_path("src/gone.rs"), "src/gone.rs");
    }

    #[test]
    fn the_workspaces_file_comes_before_its_members_of_the_same_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let member = dir.path().join("member");
        for folder in [dir.path(), &member] {
            fs::create_dir_all(folder.join("src")).expect("a folder");
            fs::write(folder.join("src/lib.rs"), if folder == member { "member" } else { "root" }).expect("a file");
        }
        fs::write(dir.path().join("Cargo.lock"), "").expect("a file");
        let sources = SourceCache::new([member.as_path()], None);
        assert_eq!(sources.line(&site("src/lib.rs", 1)), Some("root".into()));
    }

    #[test]
    fn cargo_says_where_the_sources_of_a_program_lie() {
        let dir = tempfile::tempdir().expect("a folder");
        let program = dir.path().join("bank");
        let list = |text: &str| fs::write(dir.path().join("bank.d"), text).expect("a file");
        assert_eq!(listed_folder(&program), None);
        list("/t/bank: /home/u/my\\ bank/src/main.rs /home/u/my\\ bank/src/lib.rs\n");
        assert_eq!(listed_folder(&program), Some(PathBuf::from("/home/u/my bank/src")));
        list("/t/bank: src/main.rs\n");
        assert_eq!(listed_folder(&program), None, "relative to a folder that is not known");
    }

    #[test]
    fn files_of_dependencies_are_told_from_the_users() {
        assert!(is_dependency("/home/u/.cargo/registry/src/index.crates.io-1/rayon-1.0.0/src/lib.rs"));
        assert!(is_dependency("/rustc/abc/library/std/src/sync/lazy_lock.rs"));
        assert!(!is_dependency("src/registry/mod.rs"));
    }
}
