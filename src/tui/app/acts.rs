//! What the console does by itself: moving about, choosing what is shown.

use super::{Acting, App, Engine, Picture, Zoom};
use crate::command::console::{Act, Copied, Screen, Way};
use crate::tui::bar::Bar;
use crate::tui::event::Action;
use crate::tui::filter::Filter;
use crate::tui::tree::RowId;

impl App {
    /// Carries out what a key or a line of the bar means.
    pub(super) fn act(&mut self, act: Act) {
        if self.act_on_output(&act) {
            return;
        }
        if act.acts() && self.flags.acting == Acting::ReadOnly {
            return self.say("read-only: starting something is switched off");
        }
        if self.act_on_table(&act) {
            return;
        }
        match act {
            Act::Down => self.step(1),
            Act::Up => self.step(-1),
            Act::HalfDown => self.step(self.page() / 2),
            Act::HalfUp => self.step(-(self.page() / 2)),
            Act::PageDown => self.step(self.page()),
            Act::PageUp => self.step(-self.page()),
            Act::Top => self.go(0),
            Act::Bottom => self.go(usize::MAX),
            Act::Open => self.open(),
            Act::Back => _ = self.back(),
            Act::Leave => {
                if !self.back() {
                    self.quit();
                }
            }
            Act::Quit { now } if now => self.leave_now(),
            Act::Quit { .. } => self.quit(),
            Act::View { screen } => self.show(screen),
            Act::Focus { .. } => self.change_pane(),
            Act::Help => self.help(),
            Act::Bar { text } => self.open_bar(Bar::command_with(&spaced(&text))),
            Act::Find => self.find(),
            Act::Redraw => self.actions.push(Action::Redraw),
            Act::Background => self.actions.push(Action::Suspend),
            Act::Mouse => self.toggle_mouse(),
            Act::Freeze => self.freeze(),
            Act::Undo => self.undo(),
            Act::Zoom => {
                self.zoomed = match self.zoomed {
                    Zoom::No => Zoom::Yes,
                    Zoom::Yes => Zoom::No,
                };
            }
            Act::Repeat => self.repeat(),
            Act::Reload => self.actions.push(Action::Reload),
            Act::Theme { name: Some(name) } => self.take_theme(&name),
            Act::Theme { name: None } => self.pick_theme(),
            Act::Set { option } => self.set(option),
            Act::Expand => self.expand(),
            Act::Collapse => self.tree.collapse(self.now),
            Act::ExpandAll => self.tree.expand_all(&self.model),
            Act::CollapseAll => self.tree.collapse_all(),
            Act::Mark => self.mark(),
            Act::Range => match self.screen {
                Screen::Hosts => self.hosts.toggle_range(),
                Screen::Jobs | Screen::Queries | Screen::Events => self.tree.toggle_range(),
            },
            Act::MarkAll => match self.screen {
                Screen::Hosts => self.hosts.mark_all(),
                Screen::Jobs | Screen::Queries | Screen::Events => self.tree.mark_all(),
            },
            Act::Unmark => _ = self.unmark(),
            Act::Problem { way } => self.seek_problem(way),
            Act::Problems => self.toggle_problems(),
            Act::Same => self.tree.toggle_same(),
            Act::Sort { column } => self.sort(column.as_deref()),
            Act::Columns => self.pick_columns(),
            Act::Filter { text } => self.filter(&spaced(&text)),
            Act::Merged => self.open_merged(),
            Act::Table { select } => self.open_table(select),
            Act::Group { .. } => self.say("that works in a table of rows: t opens one"),
            Act::Diff => self.compare(),
            Act::Copy { what } => self.copy(what),
            Act::Add => self.add(),
            Act::Edit => self.edit(),
            Act::Limit => self.limit(),
            Act::Queue => self.turn_queue(),
            Act::Left
            | Act::Right
            | Act::LineStart
            | Act::LineEnd
            | Act::Follow
            | Act::Wrap
            | Act::Times
            | Act::Match { .. }
            | Act::Matching { .. }
            | Act::Sibling { .. }
            | Act::Rule
            | Act::Pager
            | Act::Save { .. }
            | Act::Pipe { .. }
            | Act::Select
            | Act::Prefix => self.say("that works in output: enter opens it"),
        }
    }

    fn open(&mut self) {
        match self.screen {
            Screen::Jobs => match self.tree.cursor() {
                Some(RowId::Job(job)) => self.open_or_answer_job(job),
                Some(RowId::Child { child, .. }) => self.open_or_answer(child),
                Some(RowId::Rest(_) | RowId::Group { .. }) => self.expand(),
                None => {}
            },
            // What ran there last.
            Screen::Hosts => {
                let last = self
                    .hosts
                    .current()
                    .and_then(|host| self.hosts.get(host))
                    .and_then(|host| host.last.clone());
                match last {
                    Some(last) => {
                        self.show(Screen::Jobs);
                        self.tree.open(last.job);
                        self.tree.expect(RowId::Child {
                            job: last.job,
                            child: last.child,
                        });
                        self.look_at(&last.child.to_string());
                    }
                    None => self.say("nothing has run there yet: a starts something"),
                }
            }
            Screen::Queries => self.fill_query(),
            Screen::Events => {
                let job = self.current_event().and_then(|happening| happening.job);
                match job.filter(|job| self.model.job(*job).is_some()) {
                    Some(job) => {
                        self.show(Screen::Jobs);
                        self.tree.expect(RowId::Job(job));
                    }
                    None => self.say("that job is not here any more; :history finds it"),
                }
            }
        }
    }

    fn open_or_answer(&mut self, child: u64) {
        if !self.answer_child(child) {
            self.open_child(child);
        }
    }

    /// Rows that are marked are opened, and what they wait for stays as it is.
    fn open_or_answer_job(&mut self, job: u64) {
        if !self.tree.marks().is_empty() || !self.answer_job(job) {
            self.open_merged();
        }
    }

    fn freeze(&mut self) {
        self.picture = match self.picture {
            Picture::Live => Picture::Still(self.now.wall),
            Picture::Still(_) => {
                // What was missed is not guessed: everything is listed again.
                self.engine = match &self.engine {
                    Engine::Lost(why) => Engine::Lost(why.clone()),
                    Engine::Awaited | Engine::Heard => Engine::Heard,
                };
                self.watched.clear();
                self.actions.push(Action::WatchAnew);
                Picture::Live
            }
        };
    }

    fn repeat(&mut self) {
        match self.last_line.clone() {
            Some(line) => self.line(&line),
            None => self.say("nothing to repeat yet"),
        }
    }

    fn expand(&mut self) {
        if !self.tree.expand() && matches!(self.tree.cursor(), Some(RowId::Child { .. })) {
            self.open();
        }
    }

    fn mark(&mut self) {
        match self.screen {
            Screen::Hosts => self.hosts.mark(),
            Screen::Jobs => self.tree.mark(self.now),
            Screen::Queries | Screen::Events => self.say("nothing can be marked here"),
        }
    }

    pub(super) fn unmark(&mut self) -> bool {
        match self.screen {
            Screen::Hosts => self.hosts.unmark(),
            Screen::Jobs => self.tree.unmark(),
            Screen::Queries | Screen::Events => false,
        }
    }

    fn seek_problem(&mut self, way: Way) {
        let found = match self.screen {
            Screen::Jobs => self.tree.seek_problem(self.now, &self.model, way),
            Screen::Hosts => self.hosts.seek_problem(way),
            Screen::Events => self.seek_bad_event(way),
            Screen::Queries => false,
        };
        if !found {
            self.say("no problem anywhere");
        }
    }

    fn toggle_problems(&mut self) {
        match self.screen {
            Screen::Jobs => self.tree.toggle_problems(),
            Screen::Hosts => self.hosts.toggle_problems(),
            Screen::Queries | Screen::Events => self.say("nothing to hide here"),
        }
    }

    fn sort(&mut self, column: Option<&str>) {
        use crate::command::console::Column;
        match (self.screen, column) {
            (Screen::Hosts, _) => self.hosts.toggle_sort(),
            (_, None) => self.pick_sort(),
            (_, Some(word)) => {
                if let Some(column) = Column::by_word(word) {
                    self.tree.sort_by(column);
                } else {
                    let words = Column::ALL.map(Column::word).join(", ");
                    self.say(format!("{word} is no column; columns are {words}"));
                }
            }
        }
    }

    /// Narrows the list that is shown.
    pub(super) fn filter(&mut self, typed: &str) {
        match Filter::parse(typed) {
            Ok(filter) => self.set_filter(filter),
            Err(why) => self.say(format!("no such filter: {why}")),
        }
    }

    pub(super) fn set_filter(&mut self, filter: Filter) {
        match self.screen {
            Screen::Jobs => self.tree.set_filter(filter),
            Screen::Hosts => {
                self.hosts.list.filter = filter;
                self.hosts.arrange();
            }
            Screen::Queries | Screen::Events => {}
        }
    }

    fn find(&mut self) {
        if self.shows_output() {
            return self.open_bar(Bar::search());
        }
        let current = match self.screen {
            Screen::Jobs => self.tree.filter().clone(),
            Screen::Hosts => self.hosts.list.filter.clone(),
            Screen::Queries | Screen::Events => return self.say("this list is not filtered"),
        };
        self.open_bar(Bar::filter(&current.to_string()));
        self.filter_before = Some(current);
    }

    fn copy(&mut self, what: Copied) {
        let text = match what {
            Copied::Line => self.row_text(),
            Copied::Host => self.current_hosts(),
            Copied::Id => self.tree.cursor().map(|row| match row {
                RowId::Child { child, .. } => child.to_string(),
                RowId::Job(job) | RowId::Rest(job) | RowId::Group { job, .. } => job.to_string(),
            }),
            Copied::Command => {
                let entry = self.tree.cursor().and_then(|row| self.model.job(row.job()));
                entry.map(|entry| entry.job.command.clone())
            }
            Copied::Output => return self.copy_output(),
            Copied::Csv | Copied::Markdown => {
                return self.say("that works in a table of rows: t opens one");
            }
            Copied::Invocation => {
                let mut lines = self
                    .events
                    .newest_first()
                    .filter_map(|happening| happening.line.clone());
                lines.next()
            }
        };
        match text {
            Some(text) => self.copy_text(text),
            None => self.say("nothing there to copy"),
        }
    }

    pub(super) fn copy_text(&mut self, text: String) {
        let ticket = self.asked.ticket(super::asked::Purpose::Local);
        self.actions.push(Action::Copy(ticket, text));
    }
}

fn spaced(words: &[String]) -> String {
    words.join(" ")
}

/// Hosts in the shortest form.
pub(super) fn folded(hosts: &[String]) -> String {
    crate::targets::folded(hosts.iter().map(String::as_str))
}
