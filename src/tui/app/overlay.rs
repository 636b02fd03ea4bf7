//! What lies over the screen and takes all keys: questions, lists to choose from, help.

use super::deeds::Deed;
use super::verbs::deed;
use super::{Acting, App};
use crate::command::console::Column;
use crate::config::keys::{Code, Held, Key, written};
use crate::config::settings::Asked;
use crate::core::fleet::Command;
use crate::core::ladder::Rigour;
use crate::core::select::Selector;
use crate::tui::dialog::{Choice, Decision, Dialog};
use crate::tui::event::Action;
use crate::tui::help::Help;
use crate::tui::pick::{Chosen, Item, Pick, Purpose};
use crate::tui::questions::Answering;
use crate::wire::Request;
use crate::wire::look::QuestionKind;

/// See the module.
#[derive(Debug)]
pub(super) enum Overlay {
    Dialog(Dialog<Answer>),
    Pick(Pick),
    Help(Help),
    Answer(Box<Answering>),
}

/// What an answer leads to.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Do(Deed, Box<Request>),
    /// Leave; jobs go on.
    Leave,
    /// Stop everything, then leave.
    StopAllAndLeave,
}

impl App {
    pub(super) fn key_in_overlay(&mut self, key: Key) {
        let Some(overlay) = self.overlay.take() else {
            return;
        };
        self.overlay = match overlay {
            Overlay::Dialog(dialog) => self.key_in_dialog(dialog, key),
            Overlay::Pick(pick) => self.key_in_pick(pick, key),
            Overlay::Help(help) => self.key_in_help(help, key),
            Overlay::Answer(answering) => self.key_in_answer(answering, key),
        };
    }

    /// Only a letter that is shown decides; Enter, and the key that opened it, do nothing.
    fn key_in_dialog(&mut self, dialog: Dialog<Answer>, key: Key) -> Option<Overlay> {
        let ctrl_c = key.code == Code::Char('c') && key.held == Held::CTRL;
        let decision = match key.code {
            Code::Esc => Decision::Refused,
            Code::Char(_) if ctrl_c => Decision::Refused,
            Code::Char(letter) if key.held == Held::NONE => dialog.letter(letter),
            _ => Decision::Undecided,
        };
        match decision {
            Decision::Chosen(answer) => {
                match answer {
                    Answer::Do(deed, request) => self.do_it(deed, *request),
                    Answer::Leave => self.leave_now(),
                    Answer::StopAllAndLeave => self.stop_all_and_leave(),
                }
                None
            }
            Decision::Refused => {
                self.say("nothing was done");
                None
            }
            Decision::Undecided => Some(Overlay::Dialog(dialog)),
        }
    }

    fn key_in_pick(&mut self, mut pick: Pick, key: Key) -> Option<Overlay> {
        let columns = pick.purpose == Purpose::Columns;
        match key.code {
            Code::Esc | Code::Char('q') => return None,
            Code::Down | Code::Char('j') => pick.step(1),
            Code::Up | Code::Char('k') => pick.step(-1),
            Code::Char(' ') if columns => pick.toggle(),
            Code::Char('J') if columns => pick.carry(1),
            Code::Char('K') if columns => pick.carry(-1),
            Code::Enter => {
                self.picked(&pick);
                return None;
            }
            _ => {}
        }
        Some(Overlay::Pick(pick))
    }

    fn picked(&mut self, pick: &Pick) {
        match pick.purpose {
            Purpose::Sort => {
                if let Some(column) = pick.current().and_then(|item| Column::by_word(&item.word)) {
                    self.tree.sort_by(column);
                }
            }
            Purpose::Theme => {
                if let Some(item) = pick.current() {
                    self.take_theme(&item.word.clone());
                }
            }
            Purpose::Columns => {
                let chosen = pick.items.iter().filter(|item| item.chosen == Chosen::Yes);
                let columns: Vec<Column> = chosen
                    .filter_map(|item| Column::by_word(&item.word))
                    .collect();
                if columns.contains(&Column::Name) {
                    self.columns = columns;
                } else {
                    self.say("the name cannot be hidden: nothing else tells rows apart");
                }
            }
        }
    }

    pub(super) fn pick_sort(&mut self) {
        let sorted = self.tree.sort().column;
        let items = self.columns.iter().map(|column| Item {
            word: column.word().to_string(),
            doc: column.title().to_string(),
            chosen: if *column == sorted {
                Chosen::Yes
            } else {
                Chosen::No
            },
        });
        let items: Vec<Item> = items.collect();
        let cursor = items
            .iter()
            .position(|item| item.chosen == Chosen::Yes)
            .unwrap_or(0);
        self.overlay = Some(Overlay::Pick(Pick {
            title: "Sort by (again turns it round)".to_string(),
            items,
            cursor,
            purpose: Purpose::Sort,
        }));
    }

    pub(super) fn pick_columns(&mut self) {
        let hidden = Column::ALL
            .into_iter()
            .filter(|column| !self.columns.contains(column));
        let items = self
            .columns
            .iter()
            .copied()
            .chain(hidden)
            .map(|column| Item {
                word: column.word().to_string(),
                doc: column.title().to_string(),
                chosen: if self.columns.contains(&column) {
                    Chosen::Yes
                } else {
                    Chosen::No
                },
            });
        self.overlay = Some(Overlay::Pick(Pick {
            title: "Columns".to_string(),
            items: items.collect(),
            cursor: 0,
            purpose: Purpose::Columns,
        }));
    }

    pub(super) fn pick_theme(&mut self) {
        let items: Vec<Item> = self
            .loaded
            .theme_names()
            .into_iter()
            .map(|(word, doc)| Item {
                chosen: if word == self.loaded.theme_name() {
                    Chosen::Yes
                } else {
                    Chosen::No
                },
                word,
                doc,
            })
            .collect();
        let cursor = items
            .iter()
            .position(|item| item.chosen == Chosen::Yes)
            .unwrap_or(0);
        self.overlay = Some(Overlay::Pick(Pick {
            title: "Theme".to_string(),
            items,
            cursor,
            purpose: Purpose::Theme,
        }));
    }

    pub(super) fn help(&mut self) {
        let place = self.place();
        let here = self
            .loaded
            .keymap
            .bindings(place)
            .into_iter()
            .map(|(keys, binding)| {
                (
                    written(&keys.0),
                    binding.line.clone(),
                    binding.doc.clone(),
                    binding.place,
                )
            });
        self.overlay = Some(Overlay::Help(Help::new(place, here.collect())));
    }

    fn key_in_help(&mut self, mut help: Help, key: Key) -> Option<Overlay> {
        match (key.code, key.held) {
            (Code::Esc, _) if help.clear_filter() => {}
            (Code::Esc, _) => return None,
            (Code::Char('q' | '?'), Held::NONE) if !help.is_filtering() => return None,
            (Code::Char('/'), Held::NONE) if !help.is_filtering() => help.begin_filter(),
            (Code::Down, _) => help.step(1),
            (Code::Up, _) => help.step(-1),
            (Code::PageDown, _) => help.step(10),
            (Code::PageUp, _) => help.step(-10),
            (Code::Char('j'), Held::NONE) if !help.is_filtering() => help.step(1),
            (Code::Char('k'), Held::NONE) if !help.is_filtering() => help.step(-1),
            (Code::Backspace, _) => help.erase(),
            (Code::Char(c), Held::NONE) if help.is_filtering() => help.type_char(c),
            (Code::Enter, _) => {
                // What is chosen here is done as if its key had been pressed.
                let line = help.current().map(str::to_string);
                if let Some(line) = line {
                    self.line(&line);
                }
                return self.overlay.take();
            }
            _ => {}
        }
        Some(Overlay::Help(help))
    }

    fn key_in_answer(&mut self, mut answering: Box<Answering>, key: Key) -> Option<Overlay> {
        use crate::secret::{Answer as Said, Secret};
        let choice = answering.is_a_choice();
        let one = vec![answering.question.id];
        match (key.code, key.held) {
            (Code::Esc, _) => {
                self.say("not answered: it still waits");
                return None;
            }
            (Code::Char('c'), Held::CTRL) => return None,
            (Code::Char('y'), Held::NONE) if choice => self.give(one, Said::Accept),
            (Code::Char('a'), Held::NONE) if choice && answering.alike.len() > 1 => {
                self.give(answering.alike.clone(), Said::Accept);
            }
            (Code::Char('n'), Held::NONE) if choice => self.give(one, Said::Refuse),
            (Code::Char('n'), Held::CTRL) if !choice => self.give(one, Said::Refuse),
            // Nothing is no answer: Enter twice is a slip.
            (Code::Enter, _) if !choice && !answering.is_empty() => {
                let typed = answering.take();
                self.give(one, Said::Secret(Secret::new(typed)));
            }
            (Code::Char('u'), Held::CTRL) => {
                answering.erase_all();
                return Some(Overlay::Answer(answering));
            }
            (Code::Backspace, _) => {
                answering.erase();
                return Some(Overlay::Answer(answering));
            }
            (Code::Char(c), Held::NONE) if !choice => {
                answering.type_char(c);
                return Some(Overlay::Answer(answering));
            }
            _ => return Some(Overlay::Answer(answering)),
        }
        None
    }

    fn give(&mut self, questions: Vec<u64>, answer: crate::secret::Answer) {
        let request = Request::Answer { questions, answer };
        self.do_it(deed("answer".to_string(), "answer"), request);
    }

    /// Opens the question that a child waits for.
    pub(super) fn answer_child(&mut self, child: u64) -> bool {
        let Some(question) = self.model.question_of(child).cloned() else {
            return false;
        };
        self.open_question(question);
        true
    }

    /// Opens the oldest question.
    pub(super) fn answer_next(&mut self) {
        match self.model.questions().first().cloned() {
            Some(question) => self.open_question(question),
            None => self.say("nobody waits for an answer"),
        }
    }

    fn open_question(&mut self, question: crate::wire::look::Question) {
        if self.flags.acting == Acting::ReadOnly {
            return self.say("read-only: answering is switched off");
        }
        let is_key = |kind: &QuestionKind| matches!(kind, QuestionKind::HostKey { .. });
        let alike = if is_key(&question.kind) {
            let keys = self
                .model
                .questions()
                .iter()
                .filter(|other| is_key(&other.kind));
            keys.map(|other| other.id).collect()
        } else {
            vec![question.id]
        };
        self.overlay = Some(Overlay::Answer(Box::new(Answering::new(question, alike))));
    }

    /// Leaves, or asks first while something still runs.
    pub(super) fn quit(&mut self) {
        let live: Vec<u64> = self
            .model
            .jobs()
            .filter(|entry| crate::tui::model::is_live(&entry.job))
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
        let jobs = if live.len() == 1 {
            "1 job".to_string()
        } else {
            format!("{} jobs", live.len())
        };
        let mut choices = Vec::new();
        let detaching = if self.flags.leaving == super::Leaving::Detaches {
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
                format!("{children} children of {jobs} still run."),
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
        self.quitting = super::Quitting::WhenRemoved;
    }

    fn stop_all_and_leave(&mut self) {
        let request = Request::Command(Command::Stop {
            select: vec![Selector::new("all")],
            rigour: Rigour::Gentle,
            grace: None,
        });
        let deed = Deed {
            line: "stop all".to_string(),
            verb: "stop",
            then: super::deeds::Then::Leave,
        };
        self.say("stopping everything; the console ends when nothing runs any more");
        self.do_it(deed, request);
    }
}
