//! Places as links that terminals open (OSC 8).

use std::fmt::Write as _;

use conccheck_trace::SiteDef;

use super::place;
use crate::report::Report;

/// A place, as a link where the terminal takes them and the file is at hand.
pub(super) fn linked_place(site: &SiteDef, report: &Report<'_>) -> String {
    let place = place(site);
    match uri(site, report) {
        Some(uri) => link(&uri, &place),
        None => place,
    }
}

/// Makes links of the places in snippets: what follows `--> ` and `::: ` up to the end of the line.
pub(super) fn link_origins(text: &str, sites: &[&SiteDef], report: &Report<'_>) -> String {
    if !report.has_links {
        return text.to_owned();
    }
    let mut linked = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_origin = line.contains("--> ") || line.contains("::: ");
        // The column is that of what is underlined, not the site's own.
        let start = |site: &SiteDef| line.rfind(&format!("{}:{}", site.file, site.line));
        let found = sites.iter().filter(|_| is_origin).find_map(|site| Some((start(site)?, uri(site, report)?)));
        match found {
            Some((at, uri)) => {
                let shown = line[at..].trim_end();
                linked += &line[..at];
                linked += &link(&uri, shown);
                linked += &line[at + shown.len()..];
            }
            None => linked += line,
        }
    }
    linked
}

fn link(uri: &str, text: &str) -> String {
    format!("\u{1b}]8;;{uri}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
}

/// `file://` and the path, in which all but the plainest characters are escaped.
fn uri(site: &SiteDef, report: &Report<'_>) -> Option<String> {
    let file = report.has_links.then(|| report.sources.file(&site.file))??;
    let mut uri = "file://".to_owned();
    for byte in file.path().to_str()?.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    Some(uri)
}
