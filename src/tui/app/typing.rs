//! The bar in the console: what its lines may name, and what is done with them.

use std::sync::Arc;

use super::App;
use crate::command::Verb;
use crate::command::console::Column;
use crate::command::line::{self, Typed};
use crate::command::query::QueryRun;
use crate::config::theme::Role;
use crate::tui::bar::{Bar, JobName, Look, Mode, Named, Names, preview};
use crate::tui::event::Action;
use crate::tui::filter::Filter;

impl App {
    /// Everything that has a name now.
    pub(super) fn names(&self) -> Names {
        let job = |entry: &crate::tui::model::Entry| JobName {
            id: entry.job.id,
            name: entry.job.name.clone(),
            doc: format!("{}  {}", entry.job.state, entry.job.command),
            hosts: entry.hosts(),
        };
        let named = |name: &str, doc: &str| Named {
            name: name.to_string(),
            doc: doc.to_string(),
        };
        let themes = self.loaded.theme_names();
        Names {
            known: Arc::clone(&self.loaded.known),
            jobs: self.model.jobs().rev().map(job).collect(),
            queries: self
                .loaded
                .queries
                .iter()
                .map(|query| named(&query.name, &query.doc))
                .collect(),
            themes: themes
                .iter()
                .map(|(name, origin)| named(name, origin))
                .collect(),
            columns: match self.table() {
                Some(tabled) => {
                    let columns = tabled.view.columns().iter();
                    columns
                        .map(|column| named(&column.name, &column.doc))
                        .collect()
                }
                None => Column::ALL
                    .map(|column| named(column.word(), column.title()))
                    .into(),
            },
            earlier: Arc::clone(&self.earlier.known),
            files: Arc::clone(&self.loaded.disk),
        }
    }

    /// Opens the bar.
    pub(super) fn open_bar(&mut self, mut bar: Bar) {
        bar.refresh(&self.names(), &self.history);
        self.bar = Some(bar);
    }

    /// Filters and searches show what they come to while they are typed.
    pub(super) fn bar_changed(&mut self) {
        let Some((mode, text)) = self
            .bar
            .as_ref()
            .map(|bar| (bar.mode(), bar.text().to_string()))
        else {
            return;
        };
        match mode {
            Mode::Command => {}
            Mode::Filter if self.table().is_some() => self.table_filter_typed(&text),
            Mode::Filter => {
                // A pattern that is not complete yet leaves the list as it is.
                if let Ok(filter) = Filter::parse(&text) {
                    self.set_filter(filter);
                }
            }
            Mode::Search => {
                if let Some(view) = self.view() {
                    view.search(&text);
                }
            }
        }
    }

    /// What was there before the bar was opened is there again.
    pub(super) fn bar_cancelled(&mut self, bar: &Bar) {
        match bar.mode() {
            Mode::Command => {}
            Mode::Filter if self.table().is_some() => {
                if let Some(view) = self.table_view() {
                    view.filter_undone();
                }
            }
            Mode::Filter => {
                let before = self.filter_before.take().unwrap_or_default();
                self.set_filter(before);
            }
            Mode::Search => {
                if let Some(view) = self.view() {
                    view.search_undone();
                }
            }
        }
    }

    /// Enter: the line as it is typed.
    pub(super) fn submitted(&mut self, text: &str) {
        let Some(mode) = self.bar.as_ref().map(Bar::mode) else {
            return;
        };
        match mode {
            Mode::Filter if self.table().is_some() => match self.table_filter_entered(text) {
                Ok(()) => self.bar = None,
                Err(error) => {
                    if let Some(bar) = &mut self.bar {
                        bar.fail(error);
                    }
                }
            },
            Mode::Filter => match Filter::parse(text) {
                Ok(filter) => {
                    self.set_filter(filter);
                    self.bar = None;
                }
                Err(why) => self.bar_fails(text, why),
            },
            Mode::Search => {
                self.bar = None;
                if let Some(view) = self.view() {
                    view.search_done();
                }
            }
            Mode::Command => match self.parsed(text) {
                Ok(typed) => {
                    self.bar = None;
                    self.history.push(text);
                    self.actions.push(Action::Remember(text.to_string()));
                    self.typed(typed);
                }
                Err(error) => {
                    if let Some(bar) = &mut self.bar {
                        bar.fail(error);
                    }
                }
            },
        }
    }

    /// What a line means, if its targets can mean anything, and what it says of a query can be said.
    fn parsed(&self, text: &str) -> Result<Typed, line::LineError> {
        let typed = line::parse(text, &self.selection())?;
        if let Some(mistake) = preview::mistake(text, &self.loaded.known) {
            return Err(mistake);
        }
        if let Typed::Verb { verb, .. } = &typed
            && let Verb::Query(query) = &**verb
        {
            self.check_parameters(query)
                .map_err(|message| whole(text, message))?;
        }
        Ok(typed)
    }

    /// Among what was given may be a secret, which must not come to be in the history, nor in the command line of a
    /// program: only what is known to be none passes.
    fn check_parameters(&self, typed: &QueryRun) -> Result<(), String> {
        if typed.param.is_empty() {
            return Ok(());
        }
        let Some(query) = self.loaded.query(&typed.query) else {
            return Err(format!(
                "there is no query {:?}; 3 lists them, and F5 reads new ones",
                typed.query
            ));
        };
        query.payload(&typed.param).map(drop)
    }

    fn bar_fails(&mut self, text: &str, message: String) {
        if let Some(bar) = &mut self.bar {
            bar.fail(whole(text, message));
        }
    }

    /// Carries out what a line means.
    pub(super) fn typed(&mut self, typed: Typed) {
        match typed {
            Typed::Act(act) => self.act(act),
            Typed::Verb {
                verb,
                global,
                words,
            } => {
                self.last_line = Some(line::shown(&words));
                self.verb(*verb, *global, words);
            }
        }
    }

    pub(super) fn bar_look(&self) -> Look {
        let of = |role| self.styles.of(role);
        Look {
            text: of(Role::Text),
            dim: of(Role::Suggestion),
            title: of(Role::Title),
            border: of(Role::Border),
            chosen: of(Role::Selection),
            error: of(Role::Error),
            rule: self.flags.glyphs.line,
        }
    }
}

/// All of a line is wrong.
fn whole(line: &str, message: String) -> line::LineError {
    line::LineError {
        range: 0..line.len(),
        message,
        hint: None,
    }
}
