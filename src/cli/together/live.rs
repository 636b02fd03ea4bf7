//! Who came to the same so far, on a terminal, while hosts still answer.
//!
//! It is drawn when something has changed, at most four times a second, and never more of the time than a quarter.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::cli::context::{Context, unexpected};
use crate::cli::error::CliError;
use crate::cli::fold;
use crate::cli::jobs;
use crate::core::alike::Ignored;
use crate::core::select::Selector;
use crate::core::state::State;
use crate::daemon::client::Absent;
use crate::view::count::{Noun, counted};
use crate::wire::look::{Folded, Group};
use crate::wire::reply::JobView;
use crate::wire::request::{Children, Wanted};
use crate::wire::{Reply, Request};

/// Between two pictures.
const PAUSE: Duration = Duration::from_millis(250);

/// Of more jobs nobody sees anything.
const MOST_JOBS: usize = 8;

/// Lines that are kept for those under way: one for each state that is likely.
const UNDER_WAY: usize = 4;

/// Shows it until it is dropped; where there is no terminal, or it is not wanted, nothing.
pub(super) async fn show(
    context: &Context,
    select: &[Selector],
    ignored: Ignored,
) -> Result<Infallible, CliError> {
    let wanted = Wanted(select.to_vec());
    let list = jobs::fetch(context, Some(wanted.clone()), Children::With).await?;
    let terminal = context.terminal;
    let is_seen = terminal.out && terminal.err && !context.global.quiet && !context.global.json;
    if !is_seen || list.jobs.len() > MOST_JOBS {
        std::future::pending::<()>().await;
    }
    let children: HashSet<u64> = list.children.iter().map(|child| child.id).collect();
    let hosts: HashMap<u64, &str> = list
        .children
        .iter()
        .map(|child| (child.id, child.host.as_str()))
        .collect();
    let (mut news, _watching) = follow(context, wanted).await?;
    loop {
        news.mark_unchanged();
        let begun = Instant::now();
        let mut lines = Vec::new();
        for job in &list.jobs {
            let mut folded = fold::ask(context, job.id, ignored).await?;
            fold::only(&mut folded, &children, |child| {
                hosts.get(&child).copied().unwrap_or_default()
            });
            let room = terminal
                .size()
                .map_or(0, |(_, rows)| rows.saturating_sub(1));
            lines.extend(picture(&folded, room / list.jobs.len()));
        }
        context.area.draw(terminal, &lines);
        tokio::time::sleep(PAUSE.max(3 * begun.elapsed())).await;
        changed(&mut news).await;
    }
}

/// Returns when there are news.
pub(super) async fn changed(news: &mut News) {
    if news.changed().await.is_err() {
        // Nothing is heard any more; whoever waits beside this says why.
        std::future::pending::<()>().await;
    }
}

/// What is heard of some jobs whenever they have changed: whether children of those that did wait for something.
pub(super) type News = watch::Receiver<Blocked>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocked {
    None,
    Some,
}

impl Blocked {
    fn among(jobs: &[JobView]) -> Self {
        if jobs.iter().any(|job| job.count(State::Blocked) > 0) {
            Self::Some
        } else {
            Self::None
        }
    }
}

/// Lets go of what it heard from when it is dropped.
pub(super) struct Watching(tokio::task::JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Tells of changes to jobs.
pub(super) async fn follow(
    context: &Context,
    select: Wanted,
) -> Result<(News, Watching), CliError> {
    let request = Request::Watch {
        select: Some(select),
        children: Children::Without,
    };
    let mut connection = context.open(&request, Absent::Recall).await?;
    let blocked = |reply| match reply {
        Reply::Jobs(list) => Ok(Blocked::among(&list.jobs)),
        Reply::News(news) => Ok(Blocked::among(&news.jobs)),
        reply => Err(unexpected(&reply)),
    };
    let (tell, news) = watch::channel(blocked(connection.first().await?)?);
    let task = tokio::spawn(async move {
        while let Ok(reply) = connection.first().await
            && let Ok(now) = blocked(reply)
        {
            tell.send_replace(now);
        }
    });
    Ok((news, Watching(task)))
}

/// A job in at most so many lines: how many have answered, the groups of those, and who has not.
fn picture(folded: &Folded, room: usize) -> Vec<String> {
    let (ended, under_way): (Vec<&Group>, Vec<&Group>) =
        (folded.groups.iter()).partition(|group| is_over(group.state));
    let count =
        |groups: &[&Group]| -> usize { groups.iter().map(|group| group.children.len()).sum() };
    let (answered, missing) = (count(&ended), count(&under_way));
    let hosts = counted(answered + missing, Noun::Host);
    let mut lines = vec![format!("job {}: {answered} of {hosts} ended", folded.job)];
    let below = under_way.len().min(UNDER_WAY);
    let room = room.saturating_sub(lines.len() + below);
    let entry = |group: &&Group| {
        let sample = fold::sample(group).map(|sample| format!("    {sample}"));
        std::iter::once(fold::line(group)).chain(sample)
    };
    let all: Vec<String> = ended.iter().flat_map(entry).collect();
    if all.len() <= room {
        lines.extend(all);
    } else {
        // Without samples there is room for twice as many.
        let shown = ended.len().min(room.saturating_sub(1));
        lines.extend(ended[..shown].iter().map(|group| fold::line(group)));
        let left = ended.len() - shown;
        if left > 0 && room > 0 {
            lines.push(format!("... and {left} more"));
        }
    }
    lines.extend(under_way[..below].iter().map(|group| fold::line(group)));
    lines
}

fn is_over(state: State) -> bool {
    state.is_final() || state == State::Disconnected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::output::Count;

    fn group(children: std::ops::Range<u64>, state: State, sample: &'static str) -> Group {
        Group {
            hosts: format!("web[{}-{}]", children.start, children.end - 1),
            children: children.collect(),
            state,
            exit: (state == State::Completed).then_some(0),
            reason: None,
            output: Count::of(sample.as_bytes()),
            cut: false,
            sample: bytes::Bytes::from_static(sample.as_bytes()),
        }
    }

    #[test]
    fn a_picture_shows_who_ended_and_who_has_not_in_the_room_there_is() {
        let mut groups = vec![
            group(10..40, State::Running, ""),
            group(40..49, State::Completed, "up 7"),
            group(49..51, State::Failed, "no such file"),
            group(51..52, State::Blocked, ""),
        ];
        let folded = Folded {
            job: 7,
            groups: groups.clone(),
        };
        let all = [
            "job 7: 11 of 42 hosts ended",
            "9 hosts  exit 0  web[40-48]",
            "    up 7",
            "2 hosts  Failed  web[49-50]",
            "    no such file",
            "30 hosts  Running  web[10-39]",
            "1 host  Blocked  web[51-51]",
        ];
        assert_eq!(picture(&folded, 24), all);
        assert_eq!(picture(&folded, 7), all);
        groups.extend((60..80).map(|n| group(n..n + 1, State::Failed, "x")));
        let folded = Folded { job: 7, groups };
        let few = [
            "job 7: 31 of 62 hosts ended",
            "9 hosts  exit 0  web[40-48]",
            "2 hosts  Failed  web[49-50]",
            "1 host  Failed  web[60-60]",
            "... and 19 more",
            "30 hosts  Running  web[10-39]",
            "1 host  Blocked  web[51-51]",
        ];
        assert_eq!(picture(&folded, 7), few);
        assert_eq!(picture(&folded, 0).len(), 3);
    }
}
