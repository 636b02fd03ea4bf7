//! Looks at the fleet, as clients get them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::core::answer::Settled as How;
use crate::core::blocked::Open;
use crate::core::fleet::Fleet;
use crate::core::ids::{ChildId, JobId};
use crate::core::journal::{Changed, Revision};
use crate::core::select::{Picked, Selector, Unknown, What};
use crate::core::state::State;
use crate::core::time::{Moment, Wall};
use crate::engine::{child_view, job_view, question_view};
use crate::targets::folded;
use crate::wire::look::Question;
use crate::wire::reply::{ChildView, JobView, Jobs, News, Settled};
use crate::wire::request::Children;

/// What was asked for and is not there, in words.
pub(super) fn missing(unknown: &Unknown) -> String {
    match unknown.what {
        What::Removed(Wall(at)) => {
            let at = Timestamp::from_millisecond(at).unwrap_or_default();
            let at = at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M");
            format!(
                "{unknown} ({at}); `regatta history` still shows it, `regatta rerun --all` runs it again"
            )
        }
        What::Id | What::Name | What::HostOrState => unknown.to_string(),
    }
}

/// Jobs, and their children if wanted.  Children selected by themselves come with their job.
pub(super) fn list(
    fleet: &Fleet,
    select: Option<&[Selector]>,
    children: Children,
    now: Moment,
) -> Jobs {
    let picked = match select {
        Some(select) => fleet.resolve(select),
        None => Picked {
            jobs: fleet.jobs().map(|job| job.id).collect(),
            ..Picked::default()
        },
    };
    let mut jobs = Jobs {
        unknown: picked.unknown.iter().map(missing).collect(),
        ..Jobs::default()
    };
    let touched = picked.touched(fleet);
    let whole = match children {
        Children::With => true,
        Children::Without => false,
        Children::OfOneJob => touched.len() == 1,
    };
    for job in touched {
        jobs.jobs.push(job_view(job, now));
        if whole || !picked.jobs.contains(&job.id) {
            jobs.children.extend(
                picked
                    .indexes(job)
                    .into_iter()
                    .map(|index| child_view(job, index, now)),
            );
        }
    }
    jobs
}

/// What changed of the selected jobs since `seen`; nothing if nothing did.
pub(super) fn news(
    fleet: &Fleet,
    select: Option<&[Selector]>,
    children: Children,
    seen: Revision,
    now: Moment,
) -> Option<News> {
    let Some(changes) = fleet.changes_since(seen) else {
        // Too long away to say what went: everything is news.
        let Jobs { jobs, children, .. } = list(fleet, select, children, now);
        return Some(News {
            jobs,
            children,
            removed: Vec::new(),
            questions: select.is_none().then(|| questions(fleet)),
        });
    };
    let picked = select.map(|select| fleet.resolve(select));
    let wanted = |id: JobId| {
        picked
            .as_ref()
            .is_none_or(|picked| picked.jobs.contains(&id))
    };
    let (mut job_views, mut child_views, mut removed): (Vec<JobView>, Vec<ChildView>, Vec<u64>) =
        Default::default();
    for change in changes {
        match change {
            Changed::Job(id) if wanted(id) => {
                job_views.extend(fleet.job(id).map(|job| job_view(job, now)));
            }
            Changed::Child(child) if children == Children::With => {
                if let Some((job, index)) = fleet.find_child(child)
                    && picked
                        .as_ref()
                        .is_none_or(|picked| picked.contains(job.id, child))
                {
                    child_views.push(child_view(job, index, now));
                }
            }
            Changed::Removed(id) => removed.push(id.0),
            Changed::Job(_) | Changed::Child(_) => {}
        }
    }
    let news = News {
        jobs: job_views,
        children: child_views,
        removed,
        questions: (select.is_none() && fleet.questions_changed() > seen).then(|| questions(fleet)),
    };
    (!news.is_empty()).then_some(news)
}

/// The open questions, oldest first.
pub(super) fn questions(fleet: &Fleet) -> Vec<Question> {
    let view = |open: &Open| question_view(open, waiting(fleet, open));
    fleet.questions().map(view).collect()
}

/// The hosts of those who wait with a question, in the shortest form.
pub(super) fn waiting(fleet: &Fleet, open: &Open) -> String {
    let found = open.children.iter().filter_map(|id| fleet.find_child(*id));
    folded(found.map(|(job, index)| job.spec.hosts[index].name.as_str()))
}

/// What was waited for, as it is now.
/// These children, as they are now; what is gone is left out.
pub(super) fn these(fleet: &Fleet, children: &BTreeSet<ChildId>, now: Moment) -> Vec<ChildView> {
    let found = children.iter().filter_map(|id| fleet.find_child(*id));
    found
        .map(|(job, index)| child_view(job, index, now))
        .collect()
}

pub(super) fn settled(fleet: &Fleet, picked: &Picked, how: How, now: Moment) -> Settled {
    let mut settled = Settled {
        jobs: Vec::new(),
        children: Vec::new(),
        unknown: picked.unknown.iter().map(missing).collect(),
        timed_out: how == How::TimedOut,
    };
    for job in picked.touched(fleet) {
        let whole = picked.jobs.contains(&job.id);
        if whole {
            settled.jobs.push(job_view(job, now));
        }
        for index in picked.indexes(job) {
            if !whole || job.children[index].state.word() != State::Completed {
                settled.children.push(child_view(job, index, now));
            }
        }
    }
    settled
}

/// How the output of each of these jobs is read as rows; jobs that are not there are left out.
pub(super) fn shapes(fleet: &Fleet, jobs: &[u64]) -> Vec<(u64, Option<String>)> {
    let found = jobs.iter().filter_map(|id| fleet.job(JobId(*id)));
    found
        .map(|job| (job.id.0, job.spec.shape.clone()))
        .collect()
}
