//! Places where a thread gives up its turn or sleeps: whether it may wait there for something that is not recorded.

use conccheck_trace::SiteDef;

use super::blocks::{Block, Blocks, leaves, within};
use super::source::Around;
use super::words::{ATTEMPTS, CLOCKS, LOOKS, OWNERS, TAKES_LOCKS, calls, declared, has};
use crate::Sources;

/// Whether a thread that idles at this place may look again and again at what others do. Where the source is not at hand, it may.
pub(crate) fn may_poll(sources: &dyn Sources, site: &SiteDef) -> bool {
    let Some(Around { above, below }) = Around::new(sources, site) else { return true };
    let blocks = Blocks::open_at_the_end(&above);
    let is_function = |block: &Block| declared(&block.head).is_some() || block.head.contains("spawn");
    for (inside, block) in (1..).zip(blocks.open.iter().rev()) {
        if is_loop(&block.head) {
            let rest = within(&below, inside);
            return looks(block, &rest);
        }
        if is_function(block) {
            // One that only idles is called by who polls. One that takes locks has work of its own.
            let rest = within(&below, inside);
            return !text_of(block).lines().chain(rest.lines()).any(|line| has(line, &TAKES_LOCKS));
        }
    }
    true
}

/// The head of a loop, without what it may stand in.
fn is_loop(head: &str) -> bool {
    let head = head.trim();
    let last = head.rsplit([';', '|', '=', ':']).next().unwrap_or_default().trim();
    last == "loop"
        || head.starts_with("while ")
        || head.starts_with("for ")
        || [": while ", ": for "].iter().any(|label| head.contains(label))
}

/// What stands in a block before the place.
fn text_of(block: &Block) -> String {
    block.statements.iter().map(|statement| format!("{}\n{}\n", statement.text, statement.inner)).collect()
}

/// Whether a loop looks at something of which nothing is recorded. `rest` is its text from the place on.
fn looks(block: &Block, rest: &str) -> bool {
    let head = block.head.trim();
    let text = format!("{head}\n{}\n{rest}", text_of(block));
    if has(&text, &LOOKS) || has(&text, &OWNERS) {
        return true;
    }
    if has(&text, &ATTEMPTS) {
        return false;
    }
    match head.split_once("while ") {
        Some((_, condition)) => calls(condition).any(|call| !CLOCKS.contains(&call)) || !condition.contains('('),
        None => text.lines().any(leaves) || text.contains("{ break") || text.contains("{ return"),
    }
}
