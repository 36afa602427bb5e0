//! Prints what traces hold: `cargo run --features read --example summary -- TRACE…`.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::path::Path;

use conccheck_trace::read;

fn main() -> Result<(), read::Error> {
    for path in std::env::args().skip(1) {
        for trace in read::open(Path::new(&path))? {
            let (threads, events) = (trace.thread_count(), trace.event_count());
            println!("{}: {threads} threads, {events} events, {} objects", trace.path.display(), trace.tables.objects().count());
            trace.warnings.iter().for_each(|warning| println!("  warning: {warning}"));
        }
    }
    Ok(())
}
