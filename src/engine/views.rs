//! Jobs and children as clients see them.

use std::time::Duration;

use crate::core::blocked::Open;
use crate::core::ids::JobId;
use crate::core::job::{Job, Pin, Queue};
use crate::core::output::{Count, Streams};
use crate::core::question::{About, Need};
use crate::core::reason::Reason;
use crate::core::state::{ChildState, State};
use crate::core::time::Moment;
use crate::wire::look::{Question, QuestionKind};
use crate::wire::reply::{ChildView, JobView, NeedView, ReasonView};

/// A job as it is now.
pub fn job_view(job: &Job, now: Moment) -> JobView {
    let waiting = job
        .unread()
        .map(|index| job.children[index].output.waiting(Streams::Both))
        .fold(Count::default(), |sum, count| sum + count);
    JobView {
        id: job.id.0,
        name: job.name(),
        runner: job.spec.runner.clone(),
        command: job.spec.payload.title().to_string(),
        targets: job.spec.targets.clone(),
        state: job.state(),
        fanout: job.fanout.get(),
        paused: job.queue == Queue::Paused,
        pinned: job.pin == Pin::On,
        ask_above: job.spec.ask_above,
        created: job.created.wall.0,
        began: job.began.map(|at| at.wall.0),
        ended: job.ended.map(|at| at.wall.0),
        elapsed: seconds(job.ended.unwrap_or(now).since(job.created)),
        more: job.has_more(),
        waiting,
        counts: State::ALL.map(|state| job.tally().count(state)),
        settled: job.tally().total() - job.tally().unsettled(),
    }
}

/// A child as it is now.
pub fn child_view(job: &Job, index: usize, now: Moment) -> ChildView {
    let child = &job.children[index];
    let JobId(id) = job.id;
    ChildView {
        id: job.id.child(index).0,
        job: id,
        host: job.spec.hosts[index].name.clone(),
        state: child.state.word(),
        reason: child.state.reason().as_ref().map(reason_view),
        need: need_view(&child.state),
        exit: child.exit,
        signal: child.signal.clone(),
        pid: child.trace.as_ref().map(|trace| trace.pid),
        began: child.began.map(|at| at.wall.0),
        ended: child.ended.map(|at| at.wall.0),
        elapsed: child
            .began
            .map(|began| seconds(child.ended.unwrap_or(now).since(began))),
        more: child.output.has_more(Streams::Both),
        waiting: child.output.waiting(Streams::Both),
        out: child.output.end.out,
        err: child.output.end.err,
        dropped: child.output.dropped(),
    }
}

fn need_view(state: &ChildState) -> Option<NeedView> {
    let ChildState::Blocked(need) = state else {
        return None;
    };
    Some(NeedView {
        question: match need {
            Need::Answer { id, .. } => Some(id.0),
            Need::Receiver => None,
        },
        kind: need.kind().to_string(),
        text: need.to_string(),
    })
}

/// A question as it is now; `hosts` are those of its children in the shortest form.
pub fn question_view(open: &Open, hosts: String) -> Question {
    Question {
        id: open.id.0,
        kind: match open.question.about.clone() {
            About::HostKey {
                host,
                algorithm,
                fingerprint,
                file,
            } => QuestionKind::HostKey {
                host,
                algorithm,
                fingerprint,
                file,
            },
            About::Passphrase { file } => QuestionKind::Passphrase { file },
            About::Password { account } => QuestionKind::Password { account },
            About::Sudo { account } => QuestionKind::Sudo { account },
            About::Secret { name, doc } => QuestionKind::Secret { name, doc },
            About::Prompt {
                account,
                prompt,
                echo,
            } => QuestionKind::Prompt {
                account,
                prompt,
                echo,
            },
        },
        children: open.children.iter().map(|child| child.0).collect(),
        hosts,
        asked: open.asked.wall.0,
        wrong: open.question.wrong,
    }
}

/// In seconds, to the millisecond: more is not known of what an earlier process saw.
fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

/// A reason as clients see it.
pub fn reason_view(reason: &Reason) -> ReasonView {
    ReasonView {
        kind: reason.kind().to_string(),
        text: reason.to_string(),
        unconfirmed: reason.unconfirmed(),
    }
}
