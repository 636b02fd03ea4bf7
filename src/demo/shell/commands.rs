//! The commands simulated computers have.  Names, options, output and exit codes are those of the real ones (coreutils,
//! procps, systemctl(1)); options that are not here are refused.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use jiff::fmt::strtime;

use super::super::computer::{Computer, Distribution, KERNEL_BUILD};
use super::super::process::Signal;
use super::super::service::{State, services};
use super::{Block, Done, NOT_FOUND, Output, Redirected, SIMULATED, Shell, Unread};

/// What has no end is not longer than this.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

pub(super) async fn run<O: Output>(
    shell: &Shell<'_, O>,
    to: &Redirected<'_, O>,
    name: &str,
    args: &[String],
    last: u8,
) -> Result<Done, Unread> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match (name, args.as_slice()) {
        ("exit", []) => return Ok(Done::Exit(last)),
        ("exit", [code]) => return Ok(Done::Exit(exit_code(code))),
        ("true" | ":", _) => 0,
        ("false", _) => 1,
        ("sleep", [time]) => match duration(time) {
            Some(time) => {
                tokio::time::sleep(time).await;
                0
            }
            None => refuse(to, format!("sleep: invalid time interval '{time}'"), 1).await?,
        },
        ("yes", words) => {
            let line = if words.is_empty() {
                "y".to_owned()
            } else {
                words.join(" ")
            };
            talk(to, std::iter::repeat(format!("{line}\n"))).await?;
            0
        }
        ("seq", [first, rest @ ..]) => match sequence(first, rest) {
            Some(numbers) => {
                talk(to, numbers.map(|number| format!("{number}\n"))).await?;
                0
            }
            None => {
                refuse(
                    to,
                    format!("seq: only whole numbers: FIRST or FIRST LAST {SIMULATED}"),
                    1,
                )
                .await?
            }
        },
        ("head", ["-c", count, "/dev/zero"]) => match count.parse::<u64>() {
            Ok(count) => {
                zeros(to, count).await?;
                0
            }
            Err(_) => refuse(to, format!("head: invalid number of bytes: '{count}'"), 1).await?,
        },
        ("trap", ["", names @ ..]) => {
            for signal in names.iter().filter_map(|name| Signal::named(name)) {
                shell.process.ignore(signal);
            }
            0
        }
        ("setsid", ["-f", "sleep", time]) => match duration(time) {
            Some(time) => {
                shell.process.leave_behind(time);
                0
            }
            None => refuse(to, format!("sleep: invalid time interval '{time}'"), 1).await?,
        },
        (name, args) => match answer(shell, name, args) {
            Answer::Text(text) => {
                to.out(text).await?;
                0
            }
            Answer::TextAndCode(text, code) => {
                to.out(text).await?;
                code
            }
            Answer::Error(text, code) => refuse(to, text, code).await?,
            Answer::NotFound => {
                refuse(to, format!("sh: {name}: not found {SIMULATED}"), NOT_FOUND).await?
            }
        },
    };
    Ok(Done::Code(done))
}

/// What a command says at once.
enum Answer {
    Text(String),
    TextAndCode(String, u8),
    Error(String, u8),
    NotFound,
}

fn answer<O: Output>(shell: &Shell<'_, O>, name: &str, args: &[&str]) -> Answer {
    let computer = shell.computer;
    let text = match (name, args) {
        ("echo", ["-n", words @ ..]) => words.join(" "),
        ("echo", words) => format!("{}\n", words.join(" ")),
        ("hostname", [] | ["-s" | "-f"]) | ("cat", ["/etc/hostname"]) => {
            format!("{}\n", computer.name())
        }
        ("whoami", []) | ("id", ["-un" | "-gn"]) => "ops\n".to_owned(),
        ("id", []) => "uid=1000(ops) gid=1000(ops) groups=1000(ops)\n".to_owned(),
        ("id", ["-u" | "-g"]) => "1000\n".to_owned(),
        ("pwd", []) => "/home/ops\n".to_owned(),
        ("uptime", []) => uptime(shell),
        ("uname", []) => "Linux\n".to_owned(),
        ("uname", [options]) => match uname(shell, options) {
            Some(text) => text,
            None => return unknown_option("uname", options),
        },
        ("date", []) => date(shell, "%a %b %e %H:%M:%S UTC %Y").unwrap_or_default(),
        ("date", [format]) if format.starts_with('+') => match date(shell, &format[1..]) {
            Some(text) => text,
            None => {
                return Answer::Error(
                    format!("date: {format} is not a format here {SIMULATED}"),
                    1,
                );
            }
        },
        ("df", ["-h"]) => df(shell, |kib| human(kib, 0)),
        ("df", []) => df(shell, |kib| kib.to_string()),
        ("free", ["-h"]) => free(shell, |kib| format!("{}i", human(kib, 1))),
        ("free", ["-m"]) => free(shell, |kib| (kib / 1024).to_string()),
        ("free", []) => free(shell, |kib| kib.to_string()),
        ("cat", ["/etc/os-release"]) => computer.os_release(),
        ("cat", ["/dev/null"]) => String::new(),
        ("cat", [path]) => {
            return Answer::Error(format!("cat: {path}: No such file or directory"), 1);
        }
        ("systemctl", ["is-active", unit]) => {
            let (word, code) = is_active(computer, unit);
            return Answer::TextAndCode(format!("{word}\n"), code);
        }
        (
            "hostname" | "whoami" | "id" | "pwd" | "uptime" | "uname" | "date" | "df" | "free"
            | "cat" | "systemctl" | "sleep" | "seq" | "head" | "trap" | "setsid",
            args,
        ) => return unknown_option(name, &args.join(" ")),
        _ => return Answer::NotFound,
    };
    Answer::Text(text)
}

fn unknown_option(name: &str, args: &str) -> Answer {
    Answer::Error(
        format!("{name}: not with these arguments: {args:?} {SIMULATED}"),
        1,
    )
}

/// Says what is wrong, and returns `code`.
async fn refuse<O: Output>(to: &Redirected<'_, O>, text: String, code: u8) -> Result<u8, Unread> {
    to.err(text + "\n").await?;
    Ok(code)
}

/// Writes many lines in large pieces.
async fn talk<O: Output>(
    to: &Redirected<'_, O>,
    lines: impl Iterator<Item = String>,
) -> Result<(), Unread> {
    let mut block = Block::new();
    for line in lines {
        block.push(line.as_bytes());
        if let Some(data) = block.full() {
            to.out(data).await?;
        }
    }
    to.out(block.rest()).await
}

async fn zeros<O: Output>(to: &Redirected<'_, O>, count: u64) -> Result<(), Unread> {
    let zeros = Bytes::from(vec![0; Block::SIZE]);
    let mut left = count;
    while left > 0 {
        let length = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
        to.out(zeros.slice(..length)).await?;
        left -= length as u64;
    }
    Ok(())
}

/// A shell takes a number modulo 256, and 2 for what is none.
fn exit_code(text: &str) -> u8 {
    text.parse::<i64>()
        .map_or(2, |code| code.rem_euclid(256) as u8)
}

/// As sleep(1) takes it: seconds with fractions, or a suffix.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3_600.0),
        (at, 'd') => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    if number == "infinity" {
        return Some(FOR_EVER);
    }
    let number: f64 = number.parse().ok().filter(|number| *number >= 0.0)?;
    Some(Duration::try_from_secs_f64(number * unit).map_or(FOR_EVER, |time| time.min(FOR_EVER)))
}

fn sequence(first: &str, rest: &[&str]) -> Option<std::ops::RangeInclusive<i64>> {
    let first: i64 = first.parse().ok()?;
    match rest {
        [] => Some(1..=first),
        [last] => Some(first..=last.parse().ok()?),
        _ => None,
    }
}

fn date<O: Output>(shell: &Shell<'_, O>, format: &str) -> Option<String> {
    let now = shell.computer.clock().to_zoned(jiff::tz::TimeZone::UTC);
    strtime::format(format, &now).ok().map(|text| text + "\n")
}

fn uptime<O: Output>(shell: &Shell<'_, O>) -> String {
    let up = shell.computer.uptime().as_secs();
    let (days, hours, minutes) = (up / 86_400, up / 3_600 % 24, up / 60 % 60);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    let now = date(shell, "%H:%M:%S").unwrap_or_default();
    let [one, five, fifteen] = shell
        .computer
        .load()
        .map(|load| format!("{}.{:02}", load / 100, load % 100));
    format!(
        " {} up {days}{hours:2}:{minutes:02},  0 users,  load average: {one}, {five}, {fifteen}\n",
        now.trim_end()
    )
}

/// What `systemctl is-active` says of a unit, and its exit code (systemctl(1)).
fn is_active(computer: &Computer, unit: &str) -> (&'static str, u8) {
    let unit = unit.strip_suffix(".service").unwrap_or(unit);
    // Either distribution's name of these two is known on the other.
    let unit = match (unit, computer.os().distribution) {
        ("sshd", Distribution::Debian | Distribution::Ubuntu) => "ssh",
        ("ssh", Distribution::Rocky) => "sshd",
        ("cron", Distribution::Rocky) => "crond",
        (unit, _) => unit,
    };
    let known = services(computer)
        .into_iter()
        .find(|service| service.name == unit);
    match known.map(|service| service.state) {
        Some(State::Running) => ("active", 0),
        Some(State::Dead) => ("inactive", 3),
        Some(State::Failed) => ("failed", 3),
        None => ("inactive", 4),
    }
}

fn uname<O: Output>(shell: &Shell<'_, O>, options: &str) -> Option<String> {
    let (name, kernel) = (shell.computer.name(), shell.computer.kernel());
    Some(match options {
        "-s" => "Linux\n".to_owned(),
        "-n" => format!("{name}\n"),
        "-r" => format!("{kernel}\n"),
        "-m" => "x86_64\n".to_owned(),
        "-a" => format!("Linux {name} {kernel} {KERNEL_BUILD} x86_64 GNU/Linux\n"),
        _ => return None,
    })
}

fn df<O: Output>(shell: &Shell<'_, O>, size: impl Fn(u64) -> String) -> String {
    let mut text = format!(
        "{:<12} {:>9} {:>9} {:>9} Use% Mounted on\n",
        "Filesystem", "Size", "Used", "Avail"
    );
    for disk in shell.computer.disks() {
        writeln!(
            text,
            "{:<12} {:>9} {:>9} {:>9} {:>3}% {}",
            disk.device,
            size(disk.size),
            size(disk.used),
            size(disk.size - disk.used),
            disk.percent(),
            disk.mounted
        )
        .expect("a String takes everything");
    }
    text
}

fn free<O: Output>(shell: &Shell<'_, O>, size: impl Fn(u64) -> String) -> String {
    let memory = shell.computer.memory();
    let free = memory.total - memory.used - memory.cache;
    let cells = [
        memory.total,
        memory.used,
        free,
        0,
        memory.cache,
        free + memory.cache,
    ]
    .map(|kib| format!(" {:>11}", size(kib)));
    let swap = [
        memory.swap,
        memory.swap_used,
        memory.swap - memory.swap_used,
    ]
    .map(|kib| format!(" {:>11}", size(kib)));
    format!(
        "{:5} {:>11} {:>11} {:>11} {:>11} {:>11} {:>11}\nMem: {}\nSwap:{}\n",
        "",
        "total",
        "used",
        "free",
        "shared",
        "buff/cache",
        "available",
        cells.concat(),
        swap.concat()
    )
}

/// A size from KiB with a unit, rounded up as df does.
fn human(kib: u64, decimals: usize) -> String {
    let (unit, divisor) = match kib {
        0 => return "0B".to_owned(),
        1..1_024 => ("K", 1),
        1_024..1_048_576 => ("M", 1_024),
        _ => ("G", 1_048_576),
    };
    if decimals == 0 {
        format!("{}{unit}", kib.div_ceil(divisor))
    } else {
        format!("{:.decimals$}{unit}", kib as f64 / divisor as f64)
    }
}
