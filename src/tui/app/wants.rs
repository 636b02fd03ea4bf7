//! What the picture lacks is asked for: children of open jobs, last lines of rows on the screen, folds, output.  Each kind
//! at most so often, and never twice at a time.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::asked::Purpose;
use super::{App, Engine, Picture};
use crate::command::console::Screen;
use crate::tui::event::Action;
use crate::tui::tree::RowId;
use crate::wire::Request;

/// Between two looks at last lines, at folds, and at hosts.
const TAILS: Duration = Duration::from_millis(250);
const FOLDS: Duration = Duration::from_secs(1);
const HOSTS: Duration = Duration::from_secs(2);

/// Last lines asked for at a time (the engine takes no more).
const MOST_TAILS: usize = 500;

/// What was asked for when, so that only what has changed is asked for again.
#[derive(Debug, Default)]
pub(super) struct Wants {
    /// How much each child had written when its last line was asked for.
    tails: HashMap<u64, u64>,
    tails_at: Option<Duration>,
    /// What a job was like when its fold was asked for, and when that was.
    folds: HashMap<u64, (u64, Duration)>,
    hosts: Option<(u64, Duration)>,
    /// When something is due that was put off.
    later: Option<Duration>,
}

impl Wants {
    /// What is known of folds does not hold any more.
    pub(super) fn fold_anew(&mut self) {
        self.folds.clear();
    }
}

impl App {
    pub(super) fn want(&mut self) {
        self.wants.later = None;
        self.name_window();
        if self.engine != Engine::Heard || self.picture != Picture::Live {
            return;
        }
        self.want_children();
        self.want_tails();
        self.want_folds();
        if self.screen == Screen::Hosts {
            self.want_hosts();
        }
        self.keep_preview();
        self.want_output();
    }

    /// When what was put off is due.
    pub(super) fn wants_at(&self) -> Option<Duration> {
        self.wants.later
    }

    fn put_off(&mut self, until: Duration) {
        let sooner = self.wants.later.map_or(until, |later| later.min(until));
        self.wants.later = Some(sooner);
    }

    fn want_children(&mut self) {
        let mut wanted: BTreeSet<u64> = self.tree.watched().collect();
        wanted.extend(self.pages.iter().filter_map(|page| page.job));
        wanted.retain(|job| self.model.job(*job).is_some());
        for job in self.watched.difference(&wanted) {
            self.actions.push(Action::Unwatch(*job));
            self.model.forget_children(*job);
        }
        for job in wanted.difference(&self.watched) {
            self.actions.push(Action::Watch(*job));
        }
        self.watched = wanted;
    }

    fn want_tails(&mut self) {
        if self.asked.any(|purpose| matches!(purpose, Purpose::Tails)) {
            return;
        }
        let mut lacking = Vec::new();
        for row in self.tree.visible() {
            let RowId::Child { child, .. } = row else {
                continue;
            };
            let Some((_, entry)) = self.model.child(*child) else {
                continue;
            };
            let written = entry.child.out.bytes + entry.child.err.bytes;
            if written > 0 && self.wants.tails.get(child) != Some(&written) {
                lacking.push((*child, written));
            }
        }
        lacking.truncate(MOST_TAILS);
        if lacking.is_empty() {
            return;
        }
        let due = self.wants.tails_at.map_or(Duration::ZERO, |at| at + TAILS);
        if due > self.now.mono {
            return self.put_off(due);
        }
        self.wants.tails_at = Some(self.now.mono);
        // Children that are gone need no place.
        if self.wants.tails.len() > 4 * MOST_TAILS {
            self.wants.tails.clear();
        }
        self.wants.tails.extend(lacking.iter().copied());
        let children = lacking.into_iter().map(|(child, _)| child).collect();
        self.ask(Purpose::Tails, Request::Tails { children });
    }

    fn want_folds(&mut self) {
        let mut jobs: BTreeSet<u64> = self.tree.folded().collect();
        // What is shown beside the list of the job under the cursor.
        if self.screen == Screen::Jobs && self.pages.is_empty() {
            jobs.extend(self.tree.cursor().map(RowId::job));
        }
        self.wants.folds.retain(|job, _| jobs.contains(job));
        for job in jobs {
            let Some(entry) = self.model.job(job) else {
                continue;
            };
            // States and output tell whether it can have changed; a quiet job is asked for once.
            let like = fingerprint(&entry.job);
            let asked = self.wants.folds.get(&job).copied();
            let known = entry.fold().is_some();
            if asked.is_some_and(|(before, _)| before == like && known) {
                continue;
            }
            if self
                .asked
                .any(|purpose| matches!(purpose, Purpose::Fold(of, _) if *of == job))
            {
                continue;
            }
            let due = asked.map_or(Duration::ZERO, |(_, at)| at + FOLDS);
            if due > self.now.mono {
                self.put_off(due);
                continue;
            }
            self.wants.folds.insert(job, (like, self.now.mono));
            let ignored = self.ignored;
            self.ask(Purpose::Fold(job, ignored), Request::Fold { job, ignored });
        }
    }

    fn want_hosts(&mut self) {
        let revision = self.model.revision();
        if self.wants.hosts.is_some_and(|(seen, _)| seen == revision)
            || self.asked.any(|purpose| matches!(purpose, Purpose::Hosts))
        {
            return;
        }
        let due = self
            .wants
            .hosts
            .map_or(Duration::ZERO, |(_, at)| at + HOSTS);
        if due > self.now.mono {
            return self.put_off(due);
        }
        self.wants.hosts = Some((revision, self.now.mono));
        self.ask(Purpose::Hosts, Request::Hosts);
    }

    pub(super) fn ask(&mut self, purpose: Purpose, request: Request) {
        let ticket = self.asked.ticket(purpose);
        self.actions.push(Action::Ask(ticket, Box::new(request)));
    }
}

/// What of a job bears on how its children fold.
fn fingerprint(job: &crate::wire::JobView) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    (job.counts, job.settled, job.ended).hash(&mut hasher);
    hasher.finish()
}
