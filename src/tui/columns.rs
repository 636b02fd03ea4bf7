//! The columns of the tree: what they are called, how wide they are, how they sort, and what stands in them.

use std::cmp::Ordering;

use super::event::Now;
use super::model::{ChildEntry, Entry};
use crate::command::console::Column;
use crate::core::state::State;
use crate::view::span;
use crate::view::table::Align;

impl Column {
    pub fn by_word(word: &str) -> Option<Self> {
        let same = |column: &Self| column.word().eq_ignore_ascii_case(word);
        Self::ALL.into_iter().find(same)
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Name => "NAME / HOST",
            Self::State => "STATE",
            Self::Done => "DONE",
            Self::Exit => "EXIT",
            Self::New => "NEW",
            Self::Time => "TIME",
            Self::Started => "STARTED",
            Self::Out => "OUT",
            Self::Err => "ERR",
            Self::Pid => "PID",
            Self::Targets => "TARGETS",
            Self::Last => "LAST LINE",
        }
    }

    pub fn align(self) -> Align {
        match self {
            Self::Done
            | Self::Exit
            | Self::New
            | Self::Time
            | Self::Out
            | Self::Err
            | Self::Pid => Align::Right,
            Self::Id | Self::Name | Self::State | Self::Started | Self::Targets | Self::Last => {
                Align::Left
            }
        }
    }

    /// Cells it needs, and cells it takes if there are enough.
    pub fn width(self) -> (u16, u16) {
        match self {
            Self::Id | Self::New => (5, 7),
            Self::Name => (12, 24),
            Self::State => (12, 12),
            Self::Done => (7, 11),
            Self::Exit => (4, 6),
            Self::Time => (6, 6),
            Self::Started => (8, 8),
            Self::Out | Self::Err => (6, 7),
            Self::Pid => (7, 7),
            Self::Targets => (10, 24),
            Self::Last => (10, u16::MAX),
        }
    }

    /// In which order columns go where there is no room for all: the first goes first.
    pub fn dispensability(self) -> u8 {
        match self {
            Self::Pid => 0,
            Self::Targets => 1,
            Self::Started => 2,
            Self::Err => 3,
            Self::Out => 4,
            Self::Last => 5,
            Self::Time => 6,
            Self::New => 7,
            Self::Exit => 8,
            Self::Done => 9,
            Self::Id => 10,
            Self::Name | Self::State => u8::MAX,
        }
    }

    /// Whether its values change by themselves.
    pub fn is_live(self) -> bool {
        match self {
            Self::State
            | Self::Done
            | Self::Exit
            | Self::New
            | Self::Time
            | Self::Out
            | Self::Err
            | Self::Last => true,
            Self::Id | Self::Name | Self::Started | Self::Pid | Self::Targets => false,
        }
    }

    /// The direction somebody who sorts by it means first.
    pub fn natural(self) -> super::tree::Direction {
        use super::tree::Direction;
        match self {
            Self::Name | Self::State | Self::Targets | Self::Last | Self::Pid => Direction::Up,
            Self::Id
            | Self::Done
            | Self::Exit
            | Self::New
            | Self::Time
            | Self::Started
            | Self::Out
            | Self::Err => Direction::Down,
        }
    }

    pub fn compare_jobs(self, a: &Entry, b: &Entry, now: Now) -> Ordering {
        let (one, other) = (&a.job, &b.job);
        let order = match self {
            Self::Id | Self::Pid => Ordering::Equal,
            Self::Name => natural(&one.name, &other.name),
            Self::State | Self::Exit => urgency(one.state).cmp(&urgency(other.state)),
            Self::Done => share(a).total_cmp(&share(b)),
            Self::New | Self::Out | Self::Err => one.waiting.lines.cmp(&other.waiting.lines),
            Self::Time => a.elapsed(now).total_cmp(&b.elapsed(now)),
            Self::Started => one.created.cmp(&other.created),
            Self::Targets => natural(&one.targets, &other.targets),
            Self::Last => one.command.cmp(&other.command),
        };
        order.then(one.id.cmp(&other.id))
    }

    pub fn compare_children(self, a: &ChildEntry, b: &ChildEntry, now: Now) -> Ordering {
        let (one, other) = (&a.child, &b.child);
        let order = match self {
            Self::Id | Self::Targets | Self::Done => Ordering::Equal,
            Self::Name => natural(&one.host, &other.host),
            Self::State => urgency(one.state).cmp(&urgency(other.state)),
            Self::Exit => one.exit.cmp(&other.exit),
            Self::New => one.waiting.lines.cmp(&other.waiting.lines),
            Self::Time => {
                let time = |child: &ChildEntry| child.elapsed(now).unwrap_or(-1.0);
                time(a).total_cmp(&time(b))
            }
            Self::Started => one.began.cmp(&other.began),
            Self::Out => one.out.bytes.cmp(&other.out.bytes),
            Self::Err => one.err.bytes.cmp(&other.err.bytes),
            Self::Pid => one.pid.cmp(&other.pid),
            Self::Last => a.last_text().cmp(&b.last_text()),
        };
        order.then(one.id.cmp(&other.id))
    }

    /// What stands in a job's row.
    pub fn of_job(self, entry: &Entry, now: Now) -> String {
        let job = &entry.job;
        match self {
            Self::Id => job.id.to_string(),
            Self::Name => job.name.clone(),
            Self::State => state_of(entry),
            Self::Done => format!("{}/{}", job.settled, job.children()),
            Self::Exit | Self::Pid | Self::Out | Self::Err => String::new(),
            Self::New => lines(job.waiting.lines, job.waiting.bytes),
            Self::Time => clock(entry.elapsed(now)),
            Self::Started => job
                .began
                .map_or_else(dash, |at| span::clock(at, &now.zone.time_zone())),
            Self::Targets => job.targets.clone(),
            Self::Last => job.command.clone(),
        }
    }

    /// What stands in a child's row.
    pub fn of_child(self, entry: &ChildEntry, now: Now) -> String {
        let child = &entry.child;
        match self {
            Self::Id => child.id.to_string(),
            Self::Name => child.host.clone(),
            Self::State => child.state.word().to_string(),
            Self::Done | Self::Targets => String::new(),
            Self::Exit => match (&child.signal, child.exit) {
                (Some(signal), _) => signal.clone(),
                (None, Some(exit)) => exit.to_string(),
                (None, None) => dash(),
            },
            Self::New => lines(child.waiting.lines, child.waiting.bytes),
            Self::Time => entry.elapsed(now).map_or_else(dash, clock),
            Self::Started => child
                .began
                .map_or_else(dash, |at| span::clock(at, &now.zone.time_zone())),
            Self::Out => size(child.out.bytes),
            Self::Err => size(child.err.bytes),
            Self::Pid => child.pid.map_or_else(dash, |pid| pid.to_string()),
            Self::Last => last(entry),
        }
    }
}

/// The job's state, and whether its queue stands still.
fn state_of(entry: &Entry) -> String {
    let job = &entry.job;
    if job.paused && job.count(State::NotStarted) > 0 {
        "paused".to_string()
    } else {
        job.state.word().to_string()
    }
}

/// What became of it where that says more than the state and the exit code do, and else what it said last.
fn last(entry: &ChildEntry) -> String {
    let child = &entry.child;
    let said = || entry.last_text().unwrap_or_default().to_string();
    match &child.reason {
        Some(reason) if reason.kind != "exit" => reason.text.clone(),
        Some(reason) => {
            let said = said();
            if said.is_empty() {
                reason.text.clone()
            } else {
                said
            }
        }
        None => said(),
    }
}

/// Lines that wait; output without a newline is a line, too.
fn lines(lines: u64, bytes: u64) -> String {
    match (lines, bytes) {
        (0, 0) => "0".to_string(),
        (0, _) => "1".to_string(),
        (lines, _) => compact(lines),
    }
}

/// `812`, `120k`, `13M`: not more than five cells.
fn compact(count: u64) -> String {
    match count {
        0..100_000 => count.to_string(),
        100_000..10_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0 => dash(),
        bytes => span::bytes(bytes).replace(' ', ""),
    }
}

fn dash() -> String {
    "-".to_string()
}

/// `00:09`, `02:14`, `1h02m`, `4d07h`: never wider than six cells for a hundred days.
pub fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole {
        0..3600 => format!("{:02}:{:02}", whole / 60, whole % 60),
        3600..86400 => format!("{}h{:02}m", whole / 3600, whole % 3600 / 60),
        _ => format!("{}d{:02}h", whole / 86400, whole % 86400 / 3600),
    }
}

/// Which part of the children has settled.
fn share(entry: &Entry) -> f64 {
    f64::from(entry.job.settled) / f64::from(entry.job.children().max(1))
}

/// What has to be looked at first sorts first.
fn urgency(state: State) -> u8 {
    match state {
        State::Blocked => 0,
        State::Disconnected => 1,
        State::Failed => 2,
        State::Stopping => 3,
        State::Stopped => 4,
        State::Suspended => 5,
        State::Running => 6,
        State::Connecting => 7,
        State::NotStarted => 8,
        State::Completed => 9,
    }
}

/// As people sort names: `web2` before `web10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (one, rest_a) = number(a);
                let (other, rest_b) = number(b);
                let order = one.len().cmp(&other.len()).then(one.cmp(other));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// The number at the beginning, without leading zeros, and what follows it.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (&digits[zeros.min(digits.len() - 1)..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_people_sort_them() {
        let mut names = ["web10", "web2", "db1", "web02", "web1a", "web"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["db1", "web", "web1a", "web2", "web02", "web10"]);
    }

    #[test]
    fn times_stay_narrow() {
        let cases = [
            (9.7, "00:09"),
            (134.0, "02:14"),
            (3720.0, "1h02m"),
            (372_000.0, "4d07h"),
        ];
        for (seconds, want) in cases {
            assert_eq!(clock(seconds), want);
        }
    }

    #[test]
    fn every_column_has_a_word_of_its_own() {
        for column in Column::ALL {
            assert_eq!(Column::by_word(column.word()), Some(column));
        }
    }
}
