//! Tables of jobs and children.

use std::borrow::Cow;

use super::span;
use super::text::{cut, harmless, width};
use crate::core::state::State;
use crate::wire::connection::{Carries, ConnectionView};
use crate::wire::reply::{ChildView, JobView, PastView};

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A table: a header, rows, and how each column is set.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(Cow<'static, str>, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        let named = columns
            .iter()
            .map(|(name, align)| (Cow::Borrowed(*name), *align));
        Self {
            columns: named.collect(),
            rows: Vec::new(),
        }
    }

    /// A table whose columns are known only when it is made.
    pub fn named(columns: Vec<(String, Align)>) -> Self {
        let named = columns
            .into_iter()
            .map(|(name, align)| (Cow::Owned(name), align));
        Self {
            columns: named.collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.  Cells are made harmless here, whatever they hold.
    pub fn push(&mut self, cells: &[String]) {
        self.rows.push(
            cells
                .iter()
                .map(|cell| harmless(cell.as_bytes()).replace('\t', " "))
                .collect(),
        );
    }

    /// The lines of the table.  Only the last column is cut to make them fit `cells`.
    pub fn lines(&self, cells: Option<usize>) -> Vec<String> {
        let header: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| name.to_string())
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|n| {
                std::iter::once(&header)
                    .chain(&self.rows)
                    .map(|row| width(&row[n]))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        std::iter::once(&header)
            .chain(&self.rows)
            .map(|row| self.line(row, &widths, cells))
            .collect()
    }

    fn line(&self, row: &[String], widths: &[usize], cells: Option<usize>) -> String {
        let mut line = String::new();
        let last = row.len() - 1;
        for (n, (cell, (_, align))) in row.iter().zip(&self.columns).enumerate() {
            let room = cells.map_or(usize::MAX, |cells| cells.saturating_sub(width(&line)));
            let cell = if n == last {
                cut(cell, room)
            } else {
                cell.clone()
            };
            let pad = " ".repeat(widths[n].saturating_sub(width(&cell)));
            match align {
                Align::Right => line.extend([pad.as_str(), &cell]),
                Align::Left if n == last => line.push_str(&cell),
                Align::Left => line.extend([cell.as_str(), &pad]),
            }
            if n != last {
                line.push_str("  ");
            }
        }
        line.trim_end().to_string()
    }
}

/// Jobs, one a line.  That one is pinned takes a column where any is.
pub fn jobs(jobs: &[JobView]) -> Table {
    use Align::{Left, Right};
    let mut columns = vec![
        ("ID", Right),
        ("NAME", Left),
        ("STATE", Left),
        ("DONE", Right),
        ("CHILDREN", Left),
        ("ELAPSED", Right),
        ("UNREAD", Right),
        ("TARGETS", Left),
        ("COMMAND", Left),
    ];
    let any_pinned = jobs.iter().any(|job| job.pinned);
    if any_pinned {
        columns.insert(1, ("PIN", Left));
    }
    let mut table = Table::new(&columns);
    for job in jobs {
        let mut cells = vec![
            job.id.to_string(),
            cut(&job.name, 24),
            state_of(job),
            format!("{}/{}", job.settled, job.children()),
            counts(job),
            span::seconds(job.elapsed),
            if job.more {
                span::bytes(job.waiting.bytes)
            } else {
                "-".into()
            },
            cut(&job.targets, 40),
            job.command.clone(),
        ];
        if any_pinned {
            cells.insert(1, if job.pinned { "*" } else { "" }.to_string());
        }
        table.push(&cells);
    }
    table
}

/// Connections, one a line.
pub fn connections(connections: &[ConnectionView]) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("HOST", Left),
        ("CARRIES", Left),
        ("IDLE", Right),
        ("AGE", Right),
        ("IN", Right),
        ("OUT", Right),
        ("LOGIN", Left),
        ("VIA", Left),
    ]);
    for connection in connections {
        let ConnectionView {
            user,
            address,
            port,
            ..
        } = connection;
        table.push(&[
            cut(&connection.hosts.join(","), 32),
            carried(connection),
            connection.idle.map_or_else(|| "-".into(), span::seconds),
            span::seconds(connection.age),
            span::bytes(connection.received),
            span::bytes(connection.sent),
            if *port == 22 {
                format!("{user}@{address}")
            } else {
                format!("{user}@{address}:{port}")
            },
            match &connection.command {
                Some(command) => format!("ProxyCommand {command}"),
                None => connection.via.join(","),
            },
        ]);
    }
    table
}

/// What a connection carries now.
pub fn carried(connection: &ConnectionView) -> String {
    let what = match connection.carries {
        Carries::Commands => "command",
        Carries::Connections => "connection",
    };
    match connection.channels {
        0 => "-".into(),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// Jobs of the history, one a line.
pub fn history(jobs: &[PastView]) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("ID", Right),
        ("CREATED", Left),
        ("STATE", Left),
        ("HOSTS", Right),
        ("NAME", Left),
        ("COMMAND", Left),
    ]);
    for job in jobs {
        let removed = if job.removed.is_some() {
            " (removed)"
        } else {
            ""
        };
        table.push(&[
            job.id.to_string(),
            span::minute(job.created),
            format!("{}{removed}", job.state),
            job.hosts.to_string(),
            cut(&job.name, 24),
            job.command.clone(),
        ]);
    }
    table
}

/// Children, one a line.
pub fn children(children: &[ChildView]) -> Table {
    use Align::{Left, Right};
    let columns = [
        ("ID", Right),
        ("JOB", Right),
        ("HOST", Left),
        ("STATE", Left),
        ("ELAPSED", Right),
        ("OUT", Right),
        ("ERR", Right),
        ("UNREAD", Right),
        ("REASON", Left),
    ];
    let mut table = Table::new(&columns);
    for child in children {
        let size = |bytes| {
            if bytes == 0 {
                "-".to_string()
            } else {
                span::bytes(bytes)
            }
        };
        let mut reason = child
            .reason
            .as_ref()
            .map_or_else(|| needed(child), |reason| reason.text.clone());
        if child.dropped.bytes > 0 {
            let cut = format!("{} of output cut", span::bytes(child.dropped.bytes));
            reason = if reason.is_empty() {
                cut
            } else {
                format!("{reason}; {cut}")
            };
        }
        table.push(&[
            child.id.to_string(),
            child.job.to_string(),
            child.host.clone(),
            child.state.word().to_string(),
            child.elapsed.map_or_else(|| "-".into(), span::seconds),
            size(child.out.bytes),
            size(child.err.bytes),
            size(child.waiting.bytes),
            reason,
        ]);
    }
    table
}

/// What a Blocked child waits for, and how it gets it.
pub fn needed(child: &ChildView) -> String {
    match &child.need {
        None => String::new(),
        Some(need) if need.question.is_some() => {
            format!("{} (`regatta answer {}`)", need.text, child.job)
        }
        Some(need) => need.text.clone(),
    }
}

/// The state, and whether the queue stands still.
fn state_of(job: &JobView) -> String {
    let queued = job.count(State::NotStarted);
    if job.paused && queued > 0 {
        format!("{} (paused)", job.state)
    } else {
        job.state.to_string()
    }
}

/// `3 Running, 9 Completed`: the states there are, in the order of a child's life.
pub fn counts(job: &JobView) -> String {
    let parts: Vec<String> = State::ALL
        .into_iter()
        .filter(|state| job.count(*state) > 0)
        .map(|state| format!("{} {state}", job.count(state)))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_only_the_last_is_cut() {
        let mut table = Table::new(&[
            ("ID", Align::Right),
            ("NAME", Align::Left),
            ("COMMAND", Align::Left),
        ]);
        table.push(&["7".into(), "日本".into(), "uptime -p".into()]);
        table.push(&[
            "123".into(),
            "a\x1bb".into(),
            "echo a very long command".into(),
        ]);
        assert_eq!(
            table.lines(None),
            [
                " ID  NAME  COMMAND",
                "  7  日本  uptime -p",
                "123  a^[b  echo a very long command"
            ]
        );
        assert_eq!(table.lines(Some(20))[2], "123  a^[b  echo a v…");
    }
}
