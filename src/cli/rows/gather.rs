//! From stored output to rows, host by host, and what has to be said of hosts that gave none or not all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::context::{Context, unexpected};
use super::super::ends::end_line;
use super::super::error::CliError;
use super::super::picked::Picked;
use crate::core::output::{Stream, Streams};
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::state::State;
use crate::daemon::client::Absent;
use crate::results::parse::Row;
use crate::results::{Reading, Shape, Value};
use crate::targets::HostSet;
use crate::view::span;
use crate::wire::reply::{ChildView, JobView};
use crate::wire::request::{Ack, Purpose, Receive, ReceiveUntil};
use crate::wire::{Reply, Request};

/// As much of standard error as tells why a host failed.
const WORDS: usize = 200;

/// How the output of one job is read.
pub(super) struct Source {
    pub(super) shape: Shape,
    reading: Reading,
}

/// How the output of each of these jobs is read; by the line where its query said nothing.
pub(super) async fn sources(
    context: &Context,
    jobs: &[JobView],
) -> Result<BTreeMap<u64, Source>, CliError> {
    let request = Request::Shapes {
        jobs: jobs.iter().map(|job| job.id).collect(),
    };
    let shapes = match context.ask(&request, Absent::Recall).await? {
        Reply::Shapes(shapes) => shapes,
        reply => return Err(unexpected(&reply)),
    };
    let source = |(job, written): (u64, Option<String>)| {
        let stale = |why: &str| {
            let message = format!("the rows of job {job} cannot be read by this version: {why}");
            CliError::failed(message).hint(format!(
                "`regatta receive --all {job}` hands over its output"
            ))
        };
        let shape = match written {
            Some(written) => {
                Shape::kept(&written).ok_or_else(|| stale("its query has an unknown form"))?
            }
            None => Shape::lines(),
        };
        let reading = Reading::new(&shape).map_err(|error| stale(&error))?;
        Ok((job, Source { shape, reading }))
    };
    shapes.into_iter().map(source).collect()
}

/// What has to be said of hosts, and of which.
#[derive(Debug, Default)]
pub(super) struct Report {
    said: BTreeMap<(u64, String), Vec<String>>,
    /// Children all of whose rows are there.
    pub(super) whole: BTreeSet<u64>,
    missing: usize,
    jobs: BTreeSet<u64>,
}

impl Report {
    fn note(&mut self, child: &ChildView, what: String) {
        self.said
            .entry((child.job, what))
            .or_default()
            .push(child.host.clone());
    }

    /// Whether every host gave its rows.
    pub(super) fn is_sound(&self) -> bool {
        self.missing == 0
    }

    /// Says it on standard error: hosts with the same to say together.
    pub(super) fn say(&self, context: &Context) {
        for ((job, what), hosts) in &self.said {
            let names = hosts.iter().map(String::as_str);
            let names =
                HostSet::from_names(names).map_or_else(|_| hosts.join(","), |set| set.fold());
            let job = if self.jobs.len() > 1 {
                format!("job {job}, ")
            } else {
                String::new()
            };
            Context::warn(&format!("{job}{names}: {what}"));
        }
        if self.missing > 0 {
            context.note(&format!(
                "{} of the hosts gave no rows, or not all",
                self.missing
            ));
        }
    }
}

/// What one child wrote.
#[derive(Default)]
struct Written {
    out: Vec<u8>,
    err: Vec<u8>,
    cut: u64,
}

/// Reads the output of what is selected from its beginning, and hands each child's rows to `take`.  Nothing is received.
pub(super) async fn gather(
    context: &Context,
    select: &[Selector],
    picked: &Picked,
    sources: &BTreeMap<u64, Source>,
    mut take: impl FnMut(u64, Vec<Row>),
) -> Result<Report, CliError> {
    let request = Request::Receive(Receive {
        select: select.to_vec(),
        hosts: None,
        streams: Streams::Both,
        mode: Mode::All,
        until: ReceiveUntil::Now,
        purpose: Purpose::Rows,
    });
    let children = picked.by_id();
    let mut report = Report {
        jobs: picked.jobs.iter().map(|job| job.id).collect(),
        ..Report::default()
    };
    let mut read = |child: u64, written: Written, report: &mut Report| {
        if let Some(child) = children.get(&child)
            && let Some(source) = sources.get(&child.job)
        {
            take(child.job, rows_of(child, &written, source, report));
        }
    };
    let mut connection = context.open(&request, Absent::Recall).await?;
    let mut at = None;
    let mut written = Written::default();
    let mut seen = BTreeSet::new();
    let unreadable = loop {
        let (child, piece) = match connection.first().await? {
            Reply::Output {
                child,
                stream,
                data,
                ..
            } => (child, Ok((stream, data))),
            Reply::Cut { child, dropped, .. } => (child, Err(dropped.bytes)),
            Reply::End(_) => continue,
            Reply::Checkpoint => {
                connection.ack(&Ack::default()).await?;
                continue;
            }
            Reply::Received {
                unreadable, busy, ..
            } => break unreadable.into_iter().chain(busy),
            reply => return Err(unexpected(&reply)),
        };
        if let Some(before) = at.replace(child).filter(|before| *before != child) {
            seen.insert(before);
            read(before, std::mem::take(&mut written), &mut report);
        }
        match piece {
            Ok((Stream::Out, data)) => written.out.extend_from_slice(&data),
            Ok((Stream::Err, data)) => {
                let room = WORDS.saturating_sub(written.err.len());
                written.err.extend_from_slice(&data[..data.len().min(room)]);
            }
            Err(bytes) => written.cut += bytes,
        }
    };
    if let Some(last) = at {
        seen.insert(last);
        read(last, written, &mut report);
    }
    for child in &picked.children {
        if !seen.contains(&child.id) {
            read(child.id, Written::default(), &mut report);
        }
    }
    for trouble in unreadable {
        report.missing += 1;
        Context::warn(&trouble);
    }
    Ok(report)
}

/// The rows of one child; what is not as it should be goes into the report.
fn rows_of(child: &ChildView, written: &Written, source: &Source, report: &mut Report) -> Vec<Row> {
    let completed = child.state == State::Completed;
    if !completed {
        let words = String::from_utf8_lossy(&written.err);
        let line = end_line(child);
        let line = line
            .strip_prefix(&format!("{}: ", child.host))
            .unwrap_or(&line);
        report.note(
            child,
            match words.lines().find(|line| !line.trim().is_empty()) {
                Some(words) => format!("{line}: {words}"),
                None => line.to_string(),
            },
        );
    }
    if written.cut > 0 {
        let cut = span::bytes(written.cut);
        report.note(
            child,
            format!("{cut} of its output were cut out, and their rows with them"),
        );
    }
    let given = [
        Value::text(&child.host),
        Value::Integer(child.job as i64),
        child
            .ended
            .or(child.began)
            .map_or(Value::Empty, Value::Timestamp),
    ];
    // A host that failed before it wrote anything has said enough.
    if !completed && written.out.is_empty() {
        report.missing += 1;
        return Vec::new();
    }
    match source.reading.parse(&written.out, &given) {
        Ok(parsed) => {
            if !parsed.flaws.is_none() {
                let first = parsed.loose.first().map_or_else(String::new, |loose| {
                    format!(
                        "; the first is line {}: {}",
                        loose.line,
                        crate::view::text::cut(&loose.text, 80)
                    )
                });
                report.note(child, format!("{}{first}", parsed.flaws));
            }
            if completed && written.cut == 0 && parsed.flaws.beyond == 0 {
                report.whole.insert(child.id);
            } else {
                report.missing += 1;
            }
            parsed.rows
        }
        Err(unreadable) => {
            report.missing += 1;
            report.note(
                child,
                format!(
                    "its output cannot be read as {}: {unreadable}",
                    source.shape.query
                ),
            );
            Vec::new()
        }
    }
}
