//! What is said to the operator in passing: toasts, notifications, the window's title.

use std::time::Duration;

use super::{App, Engine};
use crate::core::state::State;
use crate::tui::event::{Action, Focus};
use crate::tui::events::{Happening, Weight};
use crate::tui::model::Change;

/// How long an ordinary toast stays.
const TOAST: Duration = Duration::from_secs(6);

/// Which pane the keys go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The list or tree of the screen.
    List,
    /// What is beside or below it.
    Side,
}

/// One line at the bottom of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toast {
    pub(super) text: String,
    pub(super) weight: Weight,
    /// `None` stays until a key is pressed.
    until: Option<Duration>,
}

impl Toast {
    pub(super) fn until(&self) -> Option<Duration> {
        self.until
    }
}

impl App {
    /// Says something in passing.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast {
            text: text.into(),
            weight: Weight::Ordinary,
            until: Some(self.now.mono + TOAST),
        });
    }

    /// Says something that has to be seen: it stays until a key is pressed, and is among the events.
    pub(super) fn complain(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.events.push(Happening {
            at: self.now.wall,
            job: None,
            text: text.clone(),
            line: None,
            weight: Weight::Problem,
        });
        self.toast = Some(Toast {
            text,
            weight: Weight::Problem,
            until: None,
        });
    }

    /// A key was pressed: what had to be seen has been.
    pub(super) fn toast_was_seen(&mut self) {
        if self
            .toast
            .as_ref()
            .is_some_and(|toast| toast.until.is_none())
        {
            self.toast = None;
        }
    }

    /// Tells who looks elsewhere that a job has come to its end, or waits for an answer; the operator's command is run for
    /// the end, whoever looks.
    pub(super) fn notify(&mut self, change: &Change) {
        let Change::State { job, .. } = change else {
            return;
        };
        let console = &self.loaded.settings.console;
        let told = match job.state {
            State::Completed | State::Failed | State::Stopped | State::Disconnected => {
                let told = job.elapsed >= console.notify_after.as_secs_f64();
                if told && console.notify_command.is_some() {
                    self.actions.push(Action::Hook(Box::new(job.clone())));
                }
                told
            }
            State::Blocked => true,
            State::NotStarted
            | State::Connecting
            | State::Running
            | State::Suspended
            | State::Stopping => false,
        };
        if told && self.focus == Focus::Elsewhere {
            let counts = crate::view::table::counts(job);
            let text = format!("{} {} {}: {counts}", job.id, job.name, job.state);
            let how = self.loaded.settings.console.notify;
            self.actions.push(Action::Notify(how, text));
        }
    }

    /// Names the window when that has changed.
    pub(super) fn name_window(&mut self) {
        let states = self.model.states();
        let count = |state| states.get(&state).copied().unwrap_or(0);
        let parts = [
            (count(State::Blocked), "waiting"),
            (count(State::Running) + count(State::Stopping), "running"),
            (count(State::Failed) + count(State::Disconnected), "failed"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let title = match (&self.engine, parts.is_empty()) {
            (Engine::Lost(_), _) => format!("{}: daemon lost", self.flags.name),
            (_, true) => self.flags.name.to_string(),
            (_, false) => format!("{}: {}", self.flags.name, parts.join(", ")),
        };
        if title != self.title {
            self.title.clone_from(&title);
            self.actions.push(Action::Title(title));
        }
    }
}
