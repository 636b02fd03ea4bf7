//! What a selection comes to is asked of the engine first, so that what is then asked of the operator names numbers that
//! are so.

use std::time::Duration;

use super::App;
use super::asked::Purpose;
use super::deeds::{Deed, Then, capped};
use super::overlay::{Answer, Overlay};
use super::pages::member;
use super::verbs::deed;
use super::{Removing, UNDO};
use crate::command::{Remove, Rerun, Stop};
use crate::config::settings::Asked;
use crate::core::select::Selector;
use crate::core::spec::Asking;
use crate::core::state::State;
use crate::plan::request as asks;
use crate::tui::dialog::Dialog;
use crate::tui::event::Action;
use crate::tui::output::document::Child;
use crate::view::count::{Noun, agreeing, counted};
use crate::wire::reply::{ChildView, Jobs};
use crate::wire::request::{self, Children, Wanted};
use crate::wire::{JobView, Request};

/// What is to be done with a selection once it is known what that comes to.
#[derive(Clone, Debug)]
pub(super) struct Selected {
    pub(super) line: String,
    pub(super) what: With,
    /// What has been heard of it so far.
    pub(super) found: Jobs,
}

/// See [`Selected`].
#[derive(Clone, Debug)]
pub(super) enum With {
    Stop(Stop),
    Remove(Remove),
    Rerun(Rerun, Asking),
    /// Hand over, then look.
    Receive(request::Receive),
    /// Answer the oldest of its questions.
    Answer,
    /// Only look.
    Look,
    /// Show its rows.
    Table,
}

/// What is to be stopped, while that is asked about.
#[derive(Clone, Debug)]
pub(super) struct Stopping {
    line: String,
    stop: Stop,
    found: Jobs,
}

impl Stopping {
    fn word(&self) -> &'static str {
        if self.stop.kill { "kill" } else { "stop" }
    }

    fn nothing(&self) -> String {
        format!("nothing to {}: {} ended", self.word(), whose(&self.found))
    }

    /// `grace` is what the settings say.
    fn dialog(self, grace: Duration) -> Dialog<Answer> {
        let (live, all) = live(&self.found);
        let how = if self.stop.kill {
            "KILL at once, without TERM.".to_string()
        } else {
            let grace = self.stop.grace.unwrap_or(grace);
            format!("TERM now, KILL after {} s.", grace.as_secs_f64())
        };
        let ended = match all - live {
            0 => String::new(),
            ended => format!(" {ended} already ended."),
        };
        let text = vec![
            format!("{live} of {all} still to end.{ended}"),
            format!("{how} Output so far is kept."),
            "This cannot be undone.".to_string(),
        ];
        let word = self.word();
        let title = format!("{} {}?", capital(word), of(&self.found));
        let then = Answer::Stop(Box::new(self));
        Dialog::yes_no(title, text, format!("{word} {live}"), then)
    }
}

impl App {
    /// Asks what a selection comes to.
    pub(super) fn select(&mut self, line: String, select: Vec<Selector>, what: With) {
        let children = match &what {
            With::Stop(_) | With::Remove(_) | With::Rerun(..) | With::Answer | With::Table => {
                Children::Without
            }
            With::Receive(_) | With::Look => Children::With,
        };
        let request = Request::Jobs {
            select: Some(Wanted(select)),
            children,
        };
        let selected = Selected {
            line,
            what,
            found: Jobs::default(),
        };
        let ticket = self.asked.ticket(Purpose::Selection(Box::new(selected)));
        self.actions.push(Action::Ask(ticket, Box::new(request)));
    }

    /// The selection is known.
    pub(super) fn selected(&mut self, selected: Selected) {
        let Selected { line, what, found } = selected;
        if self.is_leaving() {
            return self.complain(format!("{line} was not done: the console is being left"));
        }
        if !found.unknown.is_empty() {
            self.complain(capped(&found.unknown));
        }
        if found.jobs.is_empty() {
            if found.unknown.is_empty() {
                self.say("nothing is selected");
            }
            return;
        }
        match what {
            With::Stop(stop) => self.ask_stop(line, stop, found),
            With::Remove(remove) => self.ask_remove(line, remove, &found),
            With::Rerun(rerun, asking) => self.ask_rerun(line, &rerun, asking, &found),
            With::Receive(receive) => {
                let jobs = found.jobs.clone();
                self.hand_over(line, receive, &jobs, members(&found));
            }
            With::Answer => self.answer_selected(&found),
            With::Table => self.table_selected(&found),
            With::Look => self.open_members(&found.jobs, members(&found)),
        }
    }

    fn ask_stop(&mut self, line: String, stop: Stop, found: Jobs) {
        let stopping = Stopping { line, stop, found };
        if live(&stopping.found).0 == 0 {
            // What was to be stopped before, and may run on, is looked at again: nothing else is stopped by that.
            if self.is_unproved(&stopping.found) {
                return self.stop(&stopping);
            }
            return self.say(stopping.nothing());
        }
        let asked = if stopping.stop.kill {
            Asked::Kill
        } else {
            Asked::Stop
        };
        if !self.loaded.settings.confirm.asks(asked) {
            return self.stop(&stopping);
        }
        let grace = self.loaded.settings.grace;
        self.overlay = Some(Overlay::Dialog(stopping.dialog(grace)));
    }

    /// Whether something of this ended without a proof.
    fn is_unproved(&self, found: &Jobs) -> bool {
        let unproved = |child: &ChildView| {
            let reason = child.reason.as_ref();
            reason.is_some_and(|reason| reason.unconfirmed)
        };
        let chosen = |job: u64| found.children.iter().any(|child| child.job == job);
        let whole = found.jobs.iter().filter(|job| !chosen(job.id));
        let whole = whole.filter_map(|job| self.model.job(job.id));
        found.children.iter().any(unproved)
            || whole
                .flat_map(crate::tui::model::Entry::children)
                .any(|entry| unproved(&entry.child))
    }

    pub(super) fn stop(&mut self, stopping: &Stopping) {
        let request = asks::stop(&stopping.stop);
        self.do_it(deed(stopping.line.clone(), stopping.word()), request);
    }

    /// What is asked about may end before it is answered: the question then has other numbers, or is none any more.
    pub(super) fn ask_anew(&mut self) {
        let Some(Overlay::Dialog(dialog)) = &self.overlay else {
            return;
        };
        let Some(Answer::Stop(before)) = dialog.choices.first().map(|choice| &choice.then) else {
            return;
        };
        let mut stopping = (**before).clone();
        let Jobs { jobs, children, .. } = &mut stopping.found;
        for job in &mut *jobs {
            match self.model.job(job.id) {
                Some(entry) => job.clone_from(&entry.job),
                None => return self.ask_no_more(job.id),
            }
        }
        for child in &mut *children {
            if let Some((_, entry)) = self.model.child(child.id) {
                child.clone_from(&entry.child);
            }
        }
        // Children that nobody watches have ended with their job.
        let over = |id| jobs.iter().any(|job| job.id == id && live_of(job) == 0);
        children.retain(|child| !over(child.job));
        if live(&stopping.found) == live(&before.found) {
            return;
        }
        self.overlay = None;
        if live(&stopping.found).0 == 0 {
            return self.say(stopping.nothing());
        }
        let grace = self.loaded.settings.grace;
        self.overlay = Some(Overlay::Dialog(stopping.dialog(grace)));
    }

    fn ask_no_more(&mut self, job: u64) {
        self.overlay = None;
        self.say(format!("job {job} is not there any more: nothing was done"));
    }

    fn ask_remove(&mut self, line: String, remove: Remove, found: &Jobs) {
        if !found.children.is_empty() {
            return self.say("a child cannot be removed alone; select its job");
        }
        let jobs: Vec<u64> = found.jobs.iter().map(|job| job.id).collect();
        let (unsettled, all) = live(found);
        if unsettled == 0 {
            self.say(format!(
                "{} removed in {} s; u brings {} back",
                of(found),
                UNDO.as_secs(),
                agreeing(jobs.len() as u64, "it", "them")
            ));
            self.removing.push(Removing {
                jobs,
                until: self.now.mono + UNDO,
                line,
            });
            return;
        }
        let mut forced = remove;
        forced.force = true;
        let request = asks::remove(&forced);
        if !self.loaded.settings.confirm.asks(Asked::Remove) {
            return self.do_it(deed(with_force(&line), "remove"), request);
        }
        let text = vec![
            format!(
                "{unsettled} of {} {} not ended.",
                counted(all, Noun::Child),
                agreeing(unsettled, "has", "have")
            ),
            "They are stopped first, then job and output are removed.".to_string(),
            "This cannot be undone.".to_string(),
        ];
        let then = Answer::Do(deed(with_force(&line), "remove"), Box::new(request));
        let title = format!("Stop and remove {}?", of(found));
        self.overlay = Some(Overlay::Dialog(Dialog::yes_no(
            title,
            text,
            "stop and remove".to_string(),
            then,
        )));
    }

    fn ask_rerun(&mut self, line: String, rerun: &Rerun, asking: Asking, found: &Jobs) {
        let jobs = found.jobs.iter();
        let again: usize = jobs.map(|job| asks::runs_again(rerun, found, job)).sum();
        if again == 0 {
            return self.say(format!(
                "nothing to run again: everything of {} completed; `rerun --all` runs it on all",
                of(found)
            ));
        }
        let deed = Deed {
            line,
            verb: "rerun",
            then: if rerun.wait {
                Then::OpenJob
            } else {
                Then::GoToJob
            },
        };
        let request = asks::rerun(rerun, asking);
        let quiet = |job: &JobView| job.ask_above.quiet(self.loaded.settings.confirm_above);
        let running = || {
            let jobs = found.jobs.iter();
            jobs.filter(|job| asks::runs_again(rerun, found, job) > 0)
        };
        if again <= running().map(quiet).min().unwrap_or(0) {
            return self.do_it(deed, request);
        }
        let hosts = counted(again, Noun::Host);
        let text = vec![
            found
                .jobs
                .iter()
                .map(|job| job.command.as_str())
                .collect::<Vec<_>>()
                .join("; "),
            String::new(),
            format!("This runs on {hosts}."),
        ];
        let then = Answer::Do(deed, Box::new(request));
        let dialog = Dialog::yes_no(
            format!("Run again on {hosts}?"),
            text,
            format!("run on {again}"),
            then,
        );
        self.overlay = Some(Overlay::Dialog(dialog));
    }
}

/// Children that have not ended.
fn live_of(job: &crate::wire::JobView) -> u32 {
    let finals = [State::Completed, State::Failed, State::Stopped].map(|state| job.count(state));
    job.children() - finals.iter().sum::<u32>()
}

/// How many of what was selected have not ended, and how many there are.
fn live(found: &Jobs) -> (u32, u32) {
    found.jobs.iter().fold((0, 0), |(live, all), job| {
        let chosen: Vec<_> = found
            .children
            .iter()
            .filter(|child| child.job == job.id)
            .collect();
        if chosen.is_empty() {
            (live + live_of(job), all + job.children())
        } else {
            let going = chosen
                .iter()
                .filter(|child| !child.state.is_final())
                .count();
            (live + going as u32, all + chosen.len() as u32)
        }
    })
}

/// `job 13 uptime`, `7.web03`, `3 jobs`.
pub(super) fn of(found: &Jobs) -> String {
    match (found.jobs.as_slice(), found.children.as_slice()) {
        ([job], []) => format!("job {} {}", job.id, job.name),
        (_, [child]) => format!("{}.{}", child.job, child.host),
        ([job], children) => format!("{} of job {}", counted(children.len(), Noun::Child), job.id),
        (jobs, _) => counted(jobs.len(), Noun::Job),
    }
}

fn whose(found: &Jobs) -> String {
    let verb = match (found.jobs.len(), found.children.len()) {
        (1, 0 | 1) => "has",
        _ => "have",
    };
    format!("{} {verb}", of(found))
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn with_force(line: &str) -> String {
    if line.contains(" --force") || line.contains(" -f") {
        line.to_string()
    } else {
        format!("{line} --force")
    }
}

/// The children of what was selected, in order.
fn members(found: &Jobs) -> Vec<Child> {
    found.children.iter().map(member).collect()
}
