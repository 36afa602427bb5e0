//! How fast traces are analysed, and in how much memory: a table over generated logs.
//!
//! `cargo run --release -p conccheck-analyzer --example throughput -- [MILLIONS [THREADS [LOCKS]]]...`, by default 1, 10 and 100
//! million events. A row is measured in a process of its own, so that its peak memory is its own. Rates are per second of processor time,
//! which other work on the machine disturbs less. `--write FILE MILLIONS THREADS LOCKS` only writes a log, `--one FILE` only reads it.
//! `--inversion FILE MILLIONS THREADS LOCKS` writes one in which two threads take two further locks in both orders, halfway: a deadlock to prove.
//! `--tangle FILE LOCKS PAIRS` writes one whose lock-order graph is one component of so many locks, nested in so many pairs by 50
//! threads: a worst case for the search for deadlocks.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use conccheck_analyzer::{Config, NoSources, analyze};
use conccheck_trace::header::Header;
use conccheck_trace::wire::Definition;
use conccheck_trace::write::LogWriter;
use conccheck_trace::{Event, How, Mode, ObjectId, ObjectKind, Order, Record, SiteId, StringId, ThreadId, Ticks};

/// Events, threads and locks of a log.
type Size = (u64, u32, u32);

const DEFAULT: [Size; 9] = [
    (1_000_000, 2, 10),
    (1_000_000, 50, 1_000),
    (1_000_000, 1_000, 100_000),
    (10_000_000, 2, 10),
    (10_000_000, 50, 1_000),
    (10_000_000, 1_000, 100_000),
    (100_000_000, 2, 10),
    (100_000_000, 50, 1_000),
    (100_000_000, 1_000, 100_000),
];

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, log] = &args[..]
        && flag == "--one"
    {
        return one(Path::new(log));
    }
    if let [flag, log, size @ ..] = &args[..]
        && (flag == "--write" || flag == "--inversion")
    {
        let size: Vec<u32> = size.iter().filter_map(|arg| arg.parse().ok()).collect();
        let [millions, threads, locks] = size[..] else { return Err(io::Error::other("MILLIONS THREADS LOCKS")) };
        return generate(Path::new(log), (u64::from(millions) * 1_000_000, threads, locks), flag == "--inversion");
    }
    if let [flag, log, size @ ..] = &args[..]
        && flag == "--tangle"
    {
        let size: Vec<u32> = size.iter().filter_map(|arg| arg.parse().ok()).collect();
        let [locks, pairs] = size[..] else { return Err(io::Error::other("LOCKS PAIRS")) };
        return tangle(Path::new(log), locks, pairs);
    }
    let numbers: Vec<u64> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let given = numbers.chunks(3).map(|row| {
        let at = |i: usize, default: u32| row.get(i).and_then(|n| u32::try_from(*n).ok()).unwrap_or(default);
        (row[0] * 1_000_000, at(1, 50), at(2, 1_000))
    });
    let sizes: Vec<Size> = if numbers.is_empty() { DEFAULT.to_vec() } else { given.collect() };
    println!(
        "| events | threads | locks | log, bytes per event | seconds | processor seconds | million events per processor second | peak memory, MB |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for size in sizes {
        let path = std::env::temp_dir().join(format!("conccheck-throughput-{}.cct", std::process::id()));
        generate(&path, size, false)?;
        let bytes = path.metadata()?.len();
        let output = Command::new(std::env::current_exe()?).arg("--one").arg(&path).output()?;
        std::fs::remove_file(&path)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (events, threads, locks) = size;
        print!("| {events} | {threads} | {locks} | {:.1} | {text}", bytes as f64 / events as f64);
    }
    Ok(())
}

/// Analyses a log and prints the last three columns.
fn one(path: &Path) -> io::Result<()> {
    let start = Instant::now();
    let traces = conccheck_trace::read::open(path).map_err(io::Error::other)?;
    let opened = processor_seconds();
    let analysis = analyze(&traces, &NoSources, &Config::default());
    let seconds = start.elapsed().as_secs_f64();
    assert!(analysis.stats.events > 0, "a trace of nothing");
    analysis.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    eprintln!("{} contexts, {} findings", analysis.stats.contexts, analysis.findings.len());
    let used = processor_seconds();
    println!(
        "{seconds:.2} | {used:.2} ({opened:.2} to open) | {:.1} | {} |",
        analysis.stats.events as f64 / used / 1e6,
        peak_megabytes()
    );
    Ok(())
}

/// Processor time of this process so far; the system counts it in hundredths of a second.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// What of memory was in use at most, and at the end: of the process's own, and of the log, which is let go as it is read.
fn peak_megabytes() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    match (field("VmHWM:"), field("RssFile:"), field("RssAnon:")) {
        (Some(all), Some(file), Some(own)) => format!("{} (own {}, of the log {})", all / 1024, own / 1024, file / 1024),
        _ => "?".to_owned(),
    }
}

/// A generator of numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Writes a log: threads that take turns of a few sections each, some sections within another, always in the order of the locks.
/// Every hundredth section is of any lock; the others are of the few that a thread works with.
fn generate(path: &Path, (events, threads, locks): Size, is_inverted: bool) -> io::Result<()> {
    let mut log = Log::begin(path, threads, locks + 2, 64)?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut left = events.saturating_sub(4 * u64::from(threads));
    let mut inversions = u64::from(is_inverted);
    while left > 0 {
        if inversions > 0 && left < events / 2 {
            inversions -= 1;
            let locks = u64::from(locks);
            for (thread, outer, inner) in [(1, locks, locks + 1), (2, locks + 1, locks)] {
                log.acquire(thread, outer, 60 + thread)?;
                log.acquire(thread, inner, 62 + thread)?;
                log.release(thread, inner, false)?;
                log.release(thread, outer, false)?;
            }
        }
        let thread = random.below(u64::from(threads)) as u32 + 1;
        for _ in 0..8 {
            let lock = |random: &mut Random| {
                let any = random.below(100) == 0;
                if any { random.below(u64::from(locks)) } else { (u64::from(thread) * 7 + random.below(8)) % u64::from(locks) }
            };
            let (outer, inner) = (lock(&mut random), lock(&mut random));
            let nests = random.below(4) == 0 && outer < inner;
            let wrote = random.below(2) == 0;
            let site = 1 + (outer % 16) as u32;
            log.acquire(thread, outer, site)?;
            if nests {
                log.acquire(thread, inner, 32 + site)?;
                log.release(thread, inner, wrote)?;
            }
            log.release(thread, outer, wrote)?;
            left = left.saturating_sub(if nests { 4 } else { 2 });
        }
    }
    log.end()
}

/// Writes a log in which locks are nested in pairs at random, after each was nested in the one before it.
fn tangle(path: &Path, locks: u32, pairs: u32) -> io::Result<()> {
    const THREADS: u32 = 50;
    const SITES: u32 = 100;
    let mut log = Log::begin(path, THREADS, locks, 2 * SITES)?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for pair in 0..u64::from(pairs) {
        let (locks, outer) = (u64::from(locks), pair % u64::from(locks));
        let inner = if pair < locks { (outer + 1) % locks } else { random.below(locks) };
        if inner == outer {
            continue;
        }
        let thread = random.below(u64::from(THREADS)) as u32 + 1;
        let site = random.below(u64::from(SITES)) as u32 + 1;
        log.acquire(thread, outer, site)?;
        log.acquire(thread, inner, SITES + site)?;
        log.release(thread, inner, true)?;
        log.release(thread, outer, true)?;
    }
    log.end()
}

/// A log in the making: its threads, started by the first of them, and its locks, counted from 0.
struct Log {
    out: LogWriter<BufWriter<File>>,
    threads: u32,
    time: u64,
    orders: Vec<u64>,
}

impl Log {
    fn begin(path: &Path, threads: u32, locks: u32, sites: u32) -> io::Result<Log> {
        let out = LogWriter::new(BufWriter::new(File::create(path)?), &header())?;
        let mut log = Log { out, threads, time: 1, orders: vec![0; locks as usize] };
        let main = ThreadId(1);
        for site in 1..=sites {
            log.out.define(main, Definition::Site { id: SiteId(site), file: "src/lib.rs", line: site, column: 5 })?;
        }
        for lock in 1..=locks {
            let (id, kind, created, type_name) = (ObjectId(lock), ObjectKind::Mutex, SiteId(1), StringId::NONE);
            log.out.define(main, Definition::Object { id, kind, created, type_name })?;
        }
        log.put(1, Event::Start { parent: ThreadId::NONE, name: StringId::NONE })?;
        for thread in 2..=threads {
            log.put(1, Event::Spawn { child: ThreadId(thread), site: SiteId(1), scoped: false })?;
            log.put(thread, Event::Start { parent: main, name: StringId::NONE })?;
        }
        Ok(log)
    }

    fn put(&mut self, thread: u32, event: Event) -> io::Result<()> {
        self.time += 20;
        self.out.record(ThreadId(thread), Record { time: Ticks(self.time), event })
    }

    fn acquire(&mut self, thread: u32, lock: u64, site: u32) -> io::Result<()> {
        self.orders[lock as usize] += 1;
        let (id, order) = (ObjectId(lock as u32 + 1), Order(self.orders[lock as usize]));
        self.put(thread, Event::Acquire { lock: id, site: SiteId(site), mode: Mode::Exclusive, how: How::Blocking, order })
    }

    fn release(&mut self, thread: u32, lock: u64, wrote: bool) -> io::Result<()> {
        self.put(thread, Event::Release { lock: ObjectId(lock as u32 + 1), wrote, unwinding: false })
    }

    fn end(mut self) -> io::Result<()> {
        for thread in (2..=self.threads).chain([1]) {
            self.put(thread, Event::End { panicked: false })?;
        }
        self.out.finish().map(|_| ())
    }
}

fn header() -> Header {
    Header { program: "throughput".to_owned(), ticks_per_second: 1e9, clean_end: true, ..Header::default() }
}
