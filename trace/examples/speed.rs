//! Measures how fast a log is written, opened and read: `cargo run --release --features read --example speed -- [MILLIONS]`.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::fs::File;
use std::io::{self, BufWriter};
use std::time::{Duration, Instant};

use conccheck_trace::header::Header;
use conccheck_trace::write::LogWriter;
use conccheck_trace::{Event, How, Mode, ObjectId, Order, Record, SiteId, ThreadId, Ticks, read};

fn main() -> io::Result<()> {
    let millions: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20);
    let count = millions * 1_000_000;
    let path = std::env::temp_dir().join(format!("conccheck-speed-{}.cct", std::process::id()));
    let rate = |begin: Duration| count as f64 / (now() - begin).as_secs_f64() / 1e6;

    let begin = now();
    generate(count, &path)?;
    let size = path.metadata()?.len();
    println!("{count} events of 8 threads, {:.1} bytes an event", size as f64 / count as f64);
    println!("write  {:6.1} M events/s", rate(begin));

    let begin = now();
    let traces = read::open(&path).map_err(io::Error::other)?;
    println!("open   {:6.1} M events/s", rate(begin));

    let begin = now();
    let mut sum = 0;
    for thread in traces[0].threads() {
        for record in traces[0].events(thread) {
            sum += record.time.0 ^ u64::from(matches!(record.event, Event::Release { wrote: true, .. }));
        }
    }
    println!("read   {:6.1} M events/s (check sum {sum:x})", rate(begin));
    std::fs::remove_file(path)
}

/// Processor time where the system says it, so that a busy machine does not count; otherwise time.
fn now() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| Instant::now().duration_since(*START), Duration::from_nanos)
}

static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

/// Nested and plain sections, some of which wait, as a busy program has them.
fn generate(count: u64, path: &std::path::Path) -> io::Result<()> {
    let header = Header { ticks_per_second: 2.5e9, ..Header::default() };
    let mut log = LogWriter::new(BufWriter::new(File::create(path)?), &header)?;
    let mut orders = [0_u64; 64];
    let mut random = 1_u64;
    let mut written = 0;
    while written < count {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let thread = ThreadId(1 + (random >> 60) as u32 % 8);
        let mut time = written * 50;
        let mut put = |event| {
            time += 20;
            written += 1;
            log.record(thread, Record { time: Ticks(time), event })
        };
        let (outer, inner) = ((random >> 40) as u32 % 60 + 1, (random >> 30) as u32 % 4 + 60);
        let mut acquire = |lock: u32| {
            orders[lock as usize] += 1;
            let order = Order(orders[lock as usize]);
            Event::Acquire { lock: ObjectId(lock), site: SiteId(lock * 3), mode: Mode::Exclusive, how: How::Blocking, order }
        };
        let release = |lock: u32| Event::Release { lock: ObjectId(lock), wrote: lock.is_multiple_of(2), unwinding: false };
        if random >> 50 & 7 == 0 {
            put(acquire(outer))?;
            put(Event::Request { lock: ObjectId(inner), site: SiteId(9), mode: Mode::Exclusive, how: How::Blocking })?;
            put(acquire(inner))?;
            put(release(inner))?;
            put(release(outer))?;
        } else {
            put(acquire(outer))?;
            put(release(outer))?;
        }
    }
    log.finish().map(|_| ())
}
