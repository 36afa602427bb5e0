//! A TOML file whose every mistake is shown in its place: file, line, column, the line itself.

use std::fmt::Display;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;
use crate::{Failure, words};

/// A file of configuration, as text.
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn read(path: &Path) -> Result<Document, Failure> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Failure::usage(format!("can't read `{}`: {error}", path.display())))?;
        Ok(Document { path: path.to_owned(), text })
    }

    /// Its tables.
    ///
    /// # Errors
    /// It is no TOML.
    pub(super) fn parse(&self) -> Result<Section<'_>, Failure> {
        match DeTable::parse(&self.text) {
            Ok(table) => Ok(Section { document: self, name: String::new(), table: table.into_inner() }),
            Err(error) => Err(self.failure(&error.span().unwrap_or_default(), error.message())),
        }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub(super) fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }

    /// What is wrong at a place.
    #[track_caller]
    pub(super) fn failure(&self, span: &Range<usize>, message: impl Display) -> Failure {
        let (line, column) = self.position(span.start);
        let text = self.text.lines().nth(line - 1).unwrap_or_default();
        let rest = text.chars().count().saturating_sub(column - 1);
        let marked = self.text.get(span.clone()).map_or(1, |marked| marked.chars().count()).clamp(1, rest.max(1));
        // A tab is as wide in the line of marks as in the text.
        let indent: String = text.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let gutter = " ".repeat(line.to_string().len());
        Failure::usage(format!(
            "{message}\n  --> {}:{line}:{column}\n {gutter} |\n {line} | {text}\n {gutter} | {indent}{}",
            self.path.display(),
            "^".repeat(marked),
        ))
    }
}

/// A table of a document.
pub(super) struct Section<'d> {
    document: &'d Document,
    /// Its keys from the top, with dots; empty: the whole file.
    name: String,
    table: DeTable<'d>,
}

impl<'d> Section<'d> {
    /// Refuses keys that don't exist.
    pub(super) fn check_keys(&self, known: &[&str]) -> Result<(), Failure> {
        for key in self.table.keys() {
            let word = key.get_ref().as_ref();
            if !known.contains(&word) {
                let place = if self.name.is_empty() { String::new() } else { format!(" in `{}`", self.name) };
                let failure = self.document.failure(&key.span(), format_args!("there is no key `{word}`{place}"));
                return Err(failure.help(hint(word, known, "keys")));
            }
        }
        Ok(())
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Item<'d>> {
        let value = self.table.iter().find(|(known, _)| known.get_ref() == key)?.1;
        Some(self.item(key, value))
    }

    /// All keys, with their places, and their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, Range<usize>, Item<'d>)> {
        self.table.iter().map(|(key, value)| (key.get_ref().to_string(), key.span(), self.item(key.get_ref(), value)))
    }

    /// What is wrong at a place of this document.
    #[track_caller]
    pub(super) fn failure(&self, span: &Range<usize>, message: impl Display) -> Failure {
        self.document.failure(span, message)
    }

    fn item(&self, key: &str, value: &Spanned<DeValue<'d>>) -> Item<'d> {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Item { document: self.document, name, value: value.clone() }
    }
}

/// A value of a document.
pub(super) struct Item<'d> {
    document: &'d Document,
    name: String,
    value: Spanned<DeValue<'d>>,
}

impl<'d> Item<'d> {
    /// What is wrong with this value.
    #[track_caller]
    pub(super) fn failure(&self, message: impl Display) -> Failure {
        self.document.failure(&self.value.span(), message)
    }

    /// Its line, from 1.
    pub(super) fn line(&self) -> usize {
        self.document.position(self.value.span().start).0
    }

    /// The value as it was parsed.
    pub(super) fn value(&self) -> &DeValue<'d> {
        self.value.get_ref()
    }

    pub(super) fn text(&self) -> Result<&str, Failure> {
        self.value().as_str().ok_or_else(|| self.wrong_type("a text"))
    }

    pub(super) fn section(self) -> Result<Section<'d>, Failure> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(Section { document: self.document, name: self.name, table: table.clone() }),
            _ => Err(self.wrong_type("a table")),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Item<'d>>, Failure> {
        let array = self.value().as_array().ok_or_else(|| self.wrong_type("a list"))?;
        Ok(array.iter().map(|value| Item { document: self.document, name: self.name.clone(), value: value.clone() }).collect())
    }

    /// A whole number or a fraction.
    pub(super) fn number(&self) -> Result<f64, Failure> {
        let number = match self.value() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number as f64),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong_type("a number"))
    }

    /// One of some words, by what each stands for.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Failure> {
        let text = self.text()?;
        words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.failure(format_args!("`{}` can't be `{text}`", self.name)).help(hint(text, &known, "values"))
        })
    }

    #[track_caller]
    pub(super) fn wrong_type(&self, wanted: &str) -> Failure {
        self.failure(format_args!("`{}` must be {wanted}, not {}", self.name, self.value().type_str()))
    }
}

/// What was probably meant, or all there is.
pub(super) fn hint(word: &str, known: &[&str], what: &str) -> String {
    match nearest(word, known)[..] {
        [] => format!("the {what} are {}", known.join(", ")),
        ref near => format!("did you mean {}?", words::list(&near.iter().map(|near| format!("`{near}`")).collect::<Vec<_>>(), 3)),
    }
}
