//! What the console costs, and how long an operator waits for it: the real program on a terminal of 160x50, its daemon
//! simulated in this process.
//!
//! Budgets (DESIGN 7 and the console's own): 10,000 children that change 5,000 times a second: a key is on the screen
//! within 33 ms (99th percentile), a third of a core, 100 MB; a frame under 1 ms; first frame within 50 ms with 100,000
//! children stored; keys in a table of 100,000 rows as in the tree, also while it is sorted, filtered or grouped; 1 GB opened at its end within 50 ms, 100 MB searched within 1 s while keys work; nothing while idle.
//! Repeat with `cargo bench --bench console`; a part of it with its name behind `--`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]
#![allow(clippy::disallowed_methods, reason = "a bench is about time")]

use std::time::{Duration, Instant};

mod daemon;
mod terminal;

use daemon::Daemon;
use terminal::{Process, Terminal, until};

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let parts: [(&str, fn()); 5] = [
        ("changes", changes),
        ("output", output),
        ("table", table),
        ("start", start),
        ("idle", idle),
    ];
    for (name, part) in parts {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            println!("-- {name}");
            part();
        }
    }
}

/// Keys while 10,000 children in the tree change, five times over.
fn changes() {
    const ROUNDS: u32 = 5;
    const FRAMES: u32 = 500;
    let daemon = Daemon::start();
    let mut terminal = Terminal::open(&daemon);
    terminal.until("no jobs", |screen| {
        screen.contents().contains("no jobs yet")
    });
    let mut keys = Vec::new();
    let (mut wall, mut spent) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        // Three changes each: connecting, running, completed.
        let job = daemon.submit(10_000, "sleep 300", 500);
        terminal.until("the job", |screen| screen.contents().contains("300"));
        unfold(&mut terminal);
        let (begun, before) = (Instant::now(), terminal.process().cpu());
        for n in 0.. {
            if daemon.is_over(job) {
                break;
            }
            keys.push(terminal.cursor(if n % 20 < 10 { "j" } else { "k" }));
            // Keys at no fixed place in the rhythm of frames.
            std::thread::sleep(Duration::from_millis(40 + n * 7 % 50));
        }
        wall += begun.elapsed();
        spent += terminal.process().cpu().saturating_sub(before);
        daemon.remove(job);
        terminal.until("no children", |screen| {
            !screen.contents().contains("n00007")
        });
    }
    let changes = f64::from(ROUNDS) * 3.0 * 10_000.0 / wall.as_secs_f64();
    println!(
        "{changes:.0} changes/s: {} to the screen; {:.2} of a core; {:.0} MB at most",
        spread(&mut keys),
        spent.as_secs_f64() / wall.as_secs_f64(),
        terminal.process().peak_mb()
    );

    // The same tree at rest: all that a key and its frame cost.
    let job = daemon.submit(10_000, "sleep 1", 500);
    daemon.wait(job);
    terminal.until("a finished job", |screen| {
        screen.contents().contains("Completed")
    });
    unfold(&mut terminal);
    let before = terminal.process().cpu();
    let mut keys: Vec<Duration> = (0..FRAMES)
        .map(|n| terminal.cursor(if n % 20 < 10 { "j" } else { "k" }))
        .collect();
    let cpu = (terminal.process().cpu().saturating_sub(before)) / FRAMES;
    println!(
        "at rest: {} to the screen; a key and its frame {cpu:.1?} of CPU",
        spread(&mut keys)
    );
}

/// All children of the only job, and the cursor on it.
fn unfold(terminal: &mut Terminal) {
    terminal.key("zR", "the first children", |screen| {
        screen.contents().contains("n00007")
    });
    terminal.key("G", "the row of the others", |screen| {
        screen
            .contents()
            .lines()
            .any(|line| line.starts_with('>') && line.contains('…'))
    });
    terminal.key("l", "all children", |screen| {
        screen.contents().contains("n00012")
    });
    terminal.key("gg", "the job", |screen| {
        screen
            .contents()
            .lines()
            .any(|line| line.starts_with('>') && line.contains("Job"))
    });
}

/// To the only child of the only job.
fn to_child(terminal: &mut Terminal, job: u64) {
    let row = format!("    {} ", job + 1);
    terminal.key("ggl", "its child", |screen| {
        screen.contents().lines().any(|line| line.starts_with(&row))
    });
    terminal.cursor("j");
}

fn output() {
    let daemon = Daemon::start();
    let large = daemon.submit(1, &format!("write {}", 1_u64 << 30), 1);
    daemon.wait(large);
    let mut terminal = Terminal::open(&daemon);
    terminal.until("its child", |screen| screen.contents().contains("n00001"));
    to_child(&mut terminal, large);
    let last = daemon::line((1 << 30) / daemon::line(0).len() as u64 - 1);
    let mut opened: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        opened.push(terminal.key("\r", "the last line", |screen| {
            let contents = screen.contents();
            contents.contains("Jobs ›") && contents.contains(last.trim_end())
        }));
        terminal.key("q", "the list", |screen| {
            !screen.contents().contains("Jobs ›")
        });
    }
    println!("1 GiB opened at its end: {}", spread(&mut opened));
    daemon.remove(large);

    let searched = daemon.submit(1, "write 100000000", 1);
    daemon.wait(searched);
    terminal.until("its child", |screen| screen.contents().contains("n00001"));
    to_child(&mut terminal, searched);
    terminal.key("\r", "its output", |screen| {
        screen.contents().contains("Jobs ›")
    });
    for pattern in ["4999 the", "QUICK.*absent"] {
        let begun = Instant::now();
        terminal.write(&format!("/{pattern}\r"));
        let mut keys = Vec::new();
        while !is_searched(&terminal.contents(), pattern) {
            keys.push(terminal.anything("k"));
        }
        println!(
            "100 MB searched for {pattern:?}: {:.2?}; keys meanwhile: {}",
            begun.elapsed(),
            spread(&mut keys)
        );
    }
}

/// A table of 100,000 rows: keys, and keys while it is sorted, filtered and grouped.
fn table() {
    const HOSTS: usize = 100;
    const KEYS: u32 = 500;
    let daemon = Daemon::start();
    let bytes = 1000 * daemon::line(0).len();
    let job = daemon.submit(HOSTS, &format!("write {bytes}"), HOSTS as u32);
    daemon.wait(job);
    let mut terminal = Terminal::open(&daemon);
    terminal.until("the job", |screen| screen.contents().contains("Completed"));
    let opened = terminal.key("t", "all rows", |screen| {
        let contents = screen.contents();
        contents.contains(" 100 hosts ") && contents.contains("100,000 rows")
    });
    println!("100,000 rows of {HOSTS} hosts opened: {opened:.1?}");
    let before = terminal.process().cpu();
    let mut keys: Vec<Duration> = (0..KEYS)
        .map(|n| terminal.cursor(if n % 20 < 10 { "j" } else { "k" }))
        .collect();
    let cpu = (terminal.process().cpu().saturating_sub(before)) / KEYS;
    println!(
        "keys: {} to the screen; a key and its frame {cpu:.1?} of CPU",
        spread(&mut keys)
    );
    terminal.key("l", "the other column", |_| true);
    let deeds: [(&str, &[&str]); 3] = [
        ("sorted", &["sort -line", "sort line"]),
        ("filtered", &["filter line ~ 9 ", "filter line ~ 8 "]),
        ("grouped", &["group line", "group host"]),
    ];
    for (name, lines) in deeds {
        let (mut whole, mut keys) = (Vec::new(), Vec::new());
        for n in 0..10 {
            let line = lines[n % lines.len()];
            let begun = Instant::now();
            terminal.write(&format!(":{line}\r"));
            let words = line.trim_end().replace("filter", "where");
            let is_done =
                |contents: &str| contents.contains(&words) && !contents.contains("arranging");
            loop {
                keys.push(terminal.anything("j"));
                if is_done(&terminal.contents()) {
                    break;
                }
            }
            whole.push(begun.elapsed());
        }
        println!(
            "{name}: {}; keys meanwhile: {}",
            spread(&mut whole),
            spread(&mut keys)
        );
    }
    println!("{:.0} MB at most", terminal.process().peak_mb());
}

/// Whether the title has the number of hits, without the plus of a search that goes on.
fn is_searched(contents: &str, pattern: &str) -> bool {
    let title = format!("/{pattern} ");
    contents.split(&title).skip(1).any(|behind| {
        let count = behind.split_whitespace().next().unwrap_or_default();
        count.starts_with(|first: char| first.is_ascii_digit()) && !count.ends_with('+')
    })
}

fn start() {
    let daemon = Daemon::start();
    for _ in 0..100 {
        let job = daemon.submit(1000, "sleep 0", 1000);
        daemon.wait(job);
    }
    let mut first: Vec<Duration> = Vec::new();
    let mut full: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let mut terminal = Terminal::open(&daemon);
        terminal.until("a first frame", |screen| {
            !screen.contents().trim().is_empty()
        });
        first.push(begun.elapsed());
        terminal.until("the jobs", |screen| screen.contents().contains("Completed"));
        full.push(begun.elapsed());
    }
    println!(
        "100,000 children stored: first frame {}; with the jobs {}",
        spread(&mut first),
        spread(&mut full)
    );
}

fn idle() {
    let daemon = Daemon::start();
    let job = daemon.submit(10_000, "sleep 1", 1000);
    daemon.wait(job);
    let mut terminal = Terminal::open(&daemon);
    terminal.until("the jobs", |screen| screen.contents().contains("Completed"));
    let process = terminal.process();
    until("nothing more to do", || {
        let before = process.switches();
        std::thread::sleep(Duration::from_secs(1));
        process.switches() == before
    });
    let (before, cpu) = (process.switches(), process.cpu());
    std::thread::sleep(Duration::from_secs(10));
    println!(
        "10 s of a console with 10,000 children that nobody uses: woken {} times, {:?} of CPU",
        process.switches() - before,
        process.cpu().saturating_sub(cpu)
    );
}

fn spread(times: &mut [Duration]) -> String {
    if times.is_empty() {
        return "none".to_owned();
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!(
        "median {:.1?}, 99th percentile {:.1?} of {}",
        at(50),
        at(99),
        times.len()
    )
}

impl Process {
    /// How often its threads were woken.
    fn switches(self) -> u64 {
        self.threads()
            .map(|status| status.number("voluntary_ctxt_switches:"))
            .sum()
    }
}
