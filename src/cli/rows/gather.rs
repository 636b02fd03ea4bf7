//! Asks for stored output, has it read as rows, and says what has to be said of hosts that gave none or not all.

use std::collections::{BTreeMap, BTreeSet};

use super::super::context::{Context, unexpected};
use super::super::error::CliError;
use super::super::picked::Picked;
use crate::core::select::Selector;
use crate::daemon::client::Absent;
use crate::plan::gather::{self, Gathering, Gave, Next, Source, Written};
use crate::results::parse::Row;
use crate::targets::folded;
use crate::wire::reply::{ChildView, JobView};
use crate::wire::request::Ack;
use crate::wire::{Reply, Request};

/// How the output of each of these jobs is read; by the line where its query said nothing.
pub(super) async fn sources(
    context: &Context,
    jobs: &[JobView],
) -> Result<BTreeMap<u64, Source>, CliError> {
    let request = Request::Shapes {
        jobs: jobs.iter().map(|job| job.id).collect(),
    };
    match context.ask(&request, Absent::Recall).await? {
        Reply::Shapes(shapes) => Ok(gather::sources(shapes)?),
        reply => Err(unexpected(&reply)),
    }
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
    /// Notes what a child gave, and hands its rows out.
    fn note(&mut self, child: &ChildView, source: &Source, written: &Written) -> Vec<Row> {
        let harvest = source.harvest(child, written);
        for what in harvest.said {
            let hosts = self.said.entry((child.job, what)).or_default();
            hosts.push(child.host.clone());
        }
        match harvest.gave {
            Gave::All => _ = self.whole.insert(child.id),
            Gave::NotAll => self.missing += 1,
        }
        harvest.rows
    }

    /// Whether every host gave its rows.
    pub(super) fn is_sound(&self) -> bool {
        self.missing == 0
    }

    /// Says it on standard error: hosts with the same to say together.
    pub(super) fn say(&self, context: &Context) {
        for ((job, what), hosts) in &self.said {
            let names = folded(hosts.iter().map(String::as_str));
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

/// Reads the output of what is selected from its beginning, and hands each child's rows to `take`.  Nothing is received.
pub(super) async fn gather(
    context: &Context,
    select: &[Selector],
    picked: &Picked,
    sources: &BTreeMap<u64, Source>,
    mut take: impl FnMut(u64, Vec<Row>),
) -> Result<Report, CliError> {
    let children = picked.by_id();
    let mut report = Report {
        jobs: picked.jobs.iter().map(|job| job.id).collect(),
        ..Report::default()
    };
    let mut read = |child: u64, written: &Written, report: &mut Report| {
        if let Some(child) = children.get(&child)
            && let Some(source) = sources.get(&child.job)
        {
            take(child.job, report.note(child, source, written));
        }
    };
    let request = gather::request(select.to_vec());
    let mut connection = context.open(&request, Absent::Recall).await?;
    let mut gathering = Gathering::default();
    let mut seen = BTreeSet::new();
    let unreadable = loop {
        let next = gathering.take(connection.first().await?, |child, written| {
            seen.insert(child);
            read(child, &written, &mut report);
        });
        match next.map_err(|reply| unexpected(&reply))? {
            Next::Read => {}
            Next::Ack => connection.ack(&Ack::default()).await?,
            Next::Over(unreadable) => break unreadable,
        }
    };
    for child in &picked.children {
        if !seen.contains(&child.id) {
            read(child.id, &Written::default(), &mut report);
        }
    }
    for trouble in unreadable {
        report.missing += 1;
        Context::warn(&trouble);
    }
    Ok(report)
}
