//! Lines about what became of jobs and children: what they look like, and how many of them there are.

use super::context::Context;
use crate::view::{table, text};
use crate::wire::reply::{ChildView, JobView};

pub(super) use crate::view::end::end_line;

/// Children and jobs named one by one in a summary; the rest is counted.
pub(super) const NAMED: usize = 20;

/// Whether a line has to say of which job a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Host,
    JobAndHost,
}

impl Label {
    /// What tells the children of these jobs apart.
    pub(super) fn among(jobs: impl IntoIterator<Item = u64>) -> Self {
        let mut jobs = jobs.into_iter();
        let first = jobs.next();
        if jobs.any(|job| Some(job) != first) {
            Self::JobAndHost
        } else {
            Self::Host
        }
    }
}

/// Says a line for each child, as they come; beyond a screenful they are counted.  A child of which something may still
/// run is always named, however little is to be said.
pub(super) struct Ends<'a> {
    context: &'a Context,
    label: Label,
    plain: usize,
}

impl<'a> Ends<'a> {
    pub(super) fn new(context: &'a Context, label: Label) -> Self {
        Self {
            context,
            label,
            plain: 0,
        }
    }

    pub(super) fn say(&mut self, child: &ChildView) {
        let line = match self.label {
            Label::Host => end_line(child),
            Label::JobAndHost => job_end_line(child),
        };
        if is_unconfirmed(child) {
            return Context::warn(&line);
        }
        self.plain += 1;
        if self.plain <= NAMED {
            self.context.note(&line);
        }
    }

    /// Counts those that were not named.
    pub(super) fn count(&self) {
        if self.plain > NAMED {
            self.context
                .note(&format!("... and {} more", self.plain - NAMED));
        }
    }
}

/// Whether something of the child may still run on its computer.
pub(super) fn is_unconfirmed(child: &ChildView) -> bool {
    child
        .reason
        .as_ref()
        .is_some_and(|reason| reason.unconfirmed)
}

/// `job 7 web03: Failed, exit 3`.
pub(super) fn job_end_line(child: &ChildView) -> String {
    format!("job {} {}", child.job, end_line(child))
}

/// `job 7 (patch): Failed, 1 Completed, 1 Failed`; without a name if none was given.
pub(super) fn job_line(job: &JobView) -> String {
    let name = if job.name == format!("Job{}", job.id) {
        String::new()
    } else {
        format!(" ({})", text::harmless(job.name.as_bytes()))
    };
    format!(
        "job {}{name}: {}, {}",
        job.id,
        job.state,
        table::counts(job)
    )
}
