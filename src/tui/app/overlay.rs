//! What lies over the screen and takes all keys: questions, lists to choose from, help.

use super::App;
use super::asking::Stopping;
use super::deeds::Deed;
use crate::command::console::Column;
use crate::config::keys::{Code, Held, Key, written};
use crate::tui::dialog::{Decision, Dialog};
use crate::tui::help::Help;
use crate::tui::pick::{Chosen, Item, Pick, Purpose};
use crate::tui::questions::Answering;
use crate::wire::Request;

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
    /// Stop these, as far as they have not ended by then.
    Stop(Box<Stopping>),
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
                    Answer::Stop(stopping) => self.stop(&stopping),
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
        let columns = matches!(pick.purpose, Purpose::Columns | Purpose::TableColumns);
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
            Purpose::TableColumns => self.table_columns_picked(pick),
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
}
