//! Leaving the console: what is asked first, and what is done before it is gone.

use super::deeds::{Deed, Then};
use super::overlay::{Answer, Overlay};
use super::{Acting, App, Leaving, Quitting};
use crate::config::keys::{Code, Held, Key};
use crate::config::settings::Asked;
use crate::core::fleet::Command;
use crate::core::ladder::Rigour;
use crate::core::select::Selector;
use crate::tui::dialog::{Choice, Dialog};
use crate::tui::event::Action;
use crate::tui::model::is_live;
use crate::view::count::{Noun, agreeing, counted};
use crate::wire::Request;

impl App {
    /// Leaves, or asks first while something still runs.
    pub(super) fn quit(&mut self) {
        let live: Vec<u64> = self
            .model
            .jobs()
            .filter(|entry| is_live(&entry.job))
            .map(|entry| entry.job.id)
            .collect();
        if live.is_empty() || !self.loaded.settings.confirm.asks(Asked::Quit) {
            return self.leave_now();
        }
        let children: u32 = self
            .model
            .jobs()
            .filter(|entry| live.contains(&entry.job.id))
            .map(|entry| entry.job.children() - entry.job.settled)
            .sum();
        let mut choices = Vec::new();
        let detaching = if self.flags.leaving == Leaving::Detaches {
            choices.push(Choice {
                key: 'd',
                label: "detach".to_string(),
                then: Answer::Leave,
            });
            "Detached, they go on; any `regatta` sees them."
        } else {
            choices.push(Choice {
                key: 'l',
                label: "leave, which ends them".to_string(),
                then: Answer::Leave,
            });
            "The engine is in this process: leaving ends them."
        };
        if self.flags.acting == Acting::Allowed {
            choices.push(Choice {
                key: 's',
                label: "stop all, then leave".to_string(),
                then: Answer::StopAllAndLeave,
            });
        }
        self.overlay = Some(Overlay::Dialog(Dialog {
            title: "Leave the console?".to_string(),
            text: vec![
                format!(
                    "{} of {} still {}.",
                    counted(children, Noun::Child),
                    counted(live.len(), Noun::Job),
                    agreeing(children, "runs", "run")
                ),
                detaching.to_string(),
            ],
            choices,
        }));
    }

    /// Removals that were not taken back are done before the console is gone.
    pub(super) fn leave_now(&mut self) {
        let removing = std::mem::take(&mut self.removing);
        if removing.is_empty() {
            return self.actions.push(Action::Quit);
        }
        for removing in removing {
            self.remove_now(&removing);
        }
        self.quitting = Quitting::WhenRemoved;
    }

    pub(super) fn stop_all_and_leave(&mut self) {
        let request = Request::Command(Command::Stop {
            select: vec![Selector::new("all")],
            rigour: Rigour::Gentle,
            grace: None,
        });
        let deed = Deed {
            line: "stop all".to_string(),
            verb: "stop",
            then: Then::Leave,
        };
        self.quitting = Quitting::WhenStopped;
        self.toast = None;
        self.say_what_is_left_for();
        self.do_it(deed, request);
    }

    /// While everything is being stopped nothing else is said for long: it is about to end.
    pub(super) fn say_what_is_left_for(&mut self) {
        match self.quitting {
            Quitting::WhenStopped if self.toast.is_none() => {
                self.say(
                    "stopping everything; the console ends when nothing runs any more; esc stays",
                );
            }
            Quitting::WhenStopped | Quitting::WhenRemoved | Quitting::No => {}
        }
    }

    /// Whether it is decided to leave: then nothing acts any more.
    pub(super) fn is_leaving(&self) -> bool {
        match self.quitting {
            Quitting::No => false,
            Quitting::WhenStopped | Quitting::WhenRemoved => true,
        }
    }

    /// Whoever leaves can only think better of it.
    pub(super) fn key_while_leaving(&mut self, key: Key) {
        self.toast_was_seen();
        let ctrl_c = key.code == Code::Char('c') && key.held == Held::CTRL;
        if key.code == Code::Esc || ctrl_c {
            self.quitting = Quitting::No;
            self.say("the console stays; what was told to end still ends");
        }
    }
}
