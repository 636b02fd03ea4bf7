//! Tables of rows: opened for jobs of one query, filled as their hosts end, and what their keys ask for.

use std::time::Duration;

use super::App;
use super::asked::Purpose;
use super::asking::With;
use super::pages::{Content, Page, ViewId};
use crate::command::console::{Act, Copied, Screen};
use crate::command::line::LineError;
use crate::core::select::Selector;
use crate::plan::gather;
use crate::tui::bar::Bar;
use crate::tui::event::{Action, Failure, Ticket};
use crate::tui::gather::{Gather, Gathered};
use crate::tui::pick::{self, Chosen, Item, Pick};
use crate::tui::table::arrange::Arranged;
use crate::tui::table::{Came, Shown, Standing, TableView};
use crate::tui::whole::Whole;
use crate::view::count::{Noun, counted};
use crate::wire::Request;
use crate::wire::reply::{ChildView, Jobs};

/// Children that are read at a time.
const AT_A_TIME: usize = 256;

/// Between two looks at what has ended, so that hosts that end one by one are not read one by one.
const PAUSE: Duration = Duration::from_millis(100);

/// After reading failed it is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// A table, and what was asked for it.
#[derive(Debug)]
pub(super) struct Tabled {
    id: ViewId,
    pub(super) view: TableView,
    gathering: Option<Ticket>,
    arranging: Option<Ticket>,
    /// Before that, nothing is read.
    not_before: Duration,
    /// What the model was like when nothing was left to be read.
    seen: Option<u64>,
    failed: Option<String>,
}

impl App {
    /// The table that has the keys.
    pub(super) fn table(&self) -> Option<&Tabled> {
        self.pages.last().and_then(|page| match &page.content {
            Content::Table(tabled) => Some(&**tabled),
            Content::Output(_) => None,
        })
    }

    pub(super) fn table_view(&mut self) -> Option<&mut TableView> {
        self.pages
            .last_mut()
            .and_then(|page| match &mut page.content {
                Content::Table(tabled) => Some(&mut tabled.view),
                Content::Output(_) => None,
            })
    }

    fn tabled(&mut self, id: ViewId) -> Option<&mut Tabled> {
        let tables = self
            .pages
            .iter_mut()
            .filter_map(|page| match &mut page.content {
                Content::Table(tabled) => Some(&mut **tabled),
                Content::Output(_) => None,
            });
        let mut tables = tables;
        tables.find(|tabled| tabled.id == id)
    }

    /// The rows of these jobs, of what is marked, of the job under the cursor, or of the last run of a query.
    pub(super) fn open_table(&mut self, select: Vec<Selector>) {
        let select = match (select.is_empty(), self.screen) {
            (false, _) => select,
            (true, Screen::Queries) => {
                let Some(query) = self.queries.cursor().cloned() else {
                    return self.say("there are no queries");
                };
                let jobs = self.model.jobs().filter(|entry| entry.job.name == query);
                let Some(last) = jobs.map(|entry| entry.job.id).max() else {
                    return self.say(format!("no job is named {query} here: enter starts one"));
                };
                vec![Selector::new(last.to_string())]
            }
            (true, Screen::Jobs | Screen::Hosts | Screen::Events) => {
                self.selection().into_iter().map(Selector::new).collect()
            }
        };
        if select.is_empty() {
            return self.say("which job? put the cursor on one, or name it");
        }
        self.select("table".to_string(), select, With::Table);
    }

    /// The jobs are known: how is their output read?
    pub(super) fn table_selected(&mut self, found: &Jobs) {
        let jobs: Vec<u64> = found.jobs.iter().map(|job| job.id).collect();
        let request = Request::Shapes { jobs };
        self.ask(Purpose::Shapes, request);
    }

    pub(super) fn shapes_told(&mut self, shapes: Vec<(u64, Option<String>)>) {
        let sources = match gather::sources(shapes) {
            Ok(sources) => sources,
            Err(error) => return self.complain(super::answers::sentence(error.into())),
        };
        let shape = match gather::shape_of(&sources) {
            Ok(Some(shape)) => shape.clone(),
            Ok(None) => return self.say("those jobs are not here any more"),
            Err(error) => return self.complain(super::answers::sentence(error.into())),
        };
        let jobs: Vec<u64> = sources.keys().copied().collect();
        let crumb = self.flags.glyphs.crumb;
        let of = match jobs.as_slice() {
            [job] => {
                let name = self.model.job(*job).map(|entry| entry.job.name.as_str());
                format!("{job} {}", name.unwrap_or(&shape.query))
            }
            jobs => format!("{} of {}", counted(jobs.len(), Noun::Job), shape.query),
        };
        let crumbs = format!("{} {crumb} {of} {crumb} table", self.screen.word());
        let tabled = Tabled {
            id: self.next_view(),
            view: TableView::new(shape, sources),
            gathering: None,
            arranging: None,
            not_before: Duration::ZERO,
            seen: None,
            failed: None,
        };
        self.pages.push(Page {
            jobs,
            content: Content::Table(Box::new(tabled)),
            crumbs,
        });
    }

    /// Does it if it is about the table that has the keys.
    pub(super) fn act_on_table(&mut self, act: &Act) -> bool {
        let Some(view) = self.table_view() else {
            return false;
        };
        match view.act(act) {
            Came::NotMine => return self.act_on_job_of_table(act),
            Came::Done => {}
            Came::Say(text) => self.say(text),
            Came::Open(child) => self.open_child(child),
            // Where there are no rows yet, a question may be why.
            Came::OpenNothing => {
                if !self.answer_table() {
                    self.say("no row is there to open");
                }
            }
            Came::AskFilter => {
                let text = view.filter_text().to_string();
                view.begin_filter();
                self.open_bar(Bar::filter(&text));
            }
            Came::AskColumns => self.pick_table_columns(),
            Came::AskHosts(hosts) => self.fill_run(Some(super::acts::folded(&hosts))),
            Came::Copy(text) => self.copy_text(text),
            Came::CopyOutput(child) => {
                let whole = Whole::Children(vec![(child, String::new())]);
                let ticket = self.asked.ticket(Purpose::Local);
                self.actions.push(Action::Fetch(ticket, whole));
            }
            Came::Export(export, what) => {
                self.with_whole(Whole::Rows(export), "rows.csv".into(), what);
            }
        }
        true
    }

    /// What is not about rows, and not about what lies below the table either.
    fn act_on_job_of_table(&mut self, act: &Act) -> bool {
        let job = self
            .pages
            .last()
            .and_then(|page| page.jobs.first().copied());
        let Some(job) = job else { return false };
        match act {
            Act::Copy {
                what: Copied::Command,
            } => match self.model.job(job).map(|entry| entry.job.command.clone()) {
                Some(command) => self.copy_text(command),
                None => self.say("that job is not here any more"),
            },
            Act::Merged => self.open_job(job),
            Act::Expand
            | Act::Collapse
            | Act::ExpandAll
            | Act::CollapseAll
            | Act::Same
            | Act::Diff
            | Act::Edit
            | Act::Limit
            | Act::Queue => self.say("that works in the tree of jobs: esc goes back"),
            // Those that are about nothing below the table.
            _ => return false,
        }
        true
    }

    fn pick_table_columns(&mut self) {
        let Some(tabled) = self.table() else { return };
        let items = tabled
            .view
            .choices()
            .into_iter()
            .map(|(column, shown)| Item {
                word: column.name.clone(),
                doc: column.doc.clone(),
                chosen: match shown {
                    Shown::Yes => Chosen::Yes,
                    Shown::No => Chosen::No,
                },
            });
        self.overlay = Some(super::overlay::Overlay::Pick(Pick {
            title: "Columns beside the host".to_string(),
            items: items.collect(),
            cursor: 0,
            purpose: pick::Purpose::TableColumns,
        }));
    }

    pub(super) fn table_columns_picked(&mut self, pick: &Pick) {
        let chosen = pick.items.iter().filter(|item| item.chosen == Chosen::Yes);
        let names: Vec<String> = chosen.map(|item| item.word.clone()).collect();
        if let Some(view) = self.table_view() {
            view.choose(&names);
        }
    }

    /// A filter that is typed shows what it comes to; one with a mistake leaves the table as it is.
    pub(super) fn table_filter_typed(&mut self, text: &str) {
        if let Some(view) = self.table_view() {
            view.filter_typed(text);
        }
    }

    /// A filter holds from now on; what is wrong with it, at its place in the bar.
    pub(super) fn table_filter_entered(&mut self, text: &str) -> Result<(), LineError> {
        let Some(view) = self.table_view() else {
            return Ok(());
        };
        let Err(error) = view.filter(text) else {
            return Ok(());
        };
        let hint = view.filter_hint(text);
        let mut places = text.char_indices().skip(error.at).map(|(at, _)| at);
        let start = places.next().unwrap_or(text.len());
        let end = places.next().unwrap_or(text.len());
        Err(LineError {
            range: start..end,
            message: error.what,
            hint,
        })
    }

    /// Has rows put in order that are too many for the loop.
    pub(super) fn want_order(&mut self) {
        let Some(Page {
            content: Content::Table(tabled),
            ..
        }) = self.pages.last_mut()
        else {
            return;
        };
        if tabled.arranging.is_none()
            && let Some(arranging) = tabled.view.wanted()
        {
            let ticket = self.asked.ticket(Purpose::Arrange(tabled.id));
            tabled.arranging = Some(ticket);
            self.actions
                .push(Action::Arrange(ticket, Box::new(arranging)));
        }
    }

    /// Asks for the rows of children that have ended since.
    pub(super) fn want_rows(&mut self) {
        let revision = self.model.revision();
        let Some(Page {
            content: Content::Table(tabled),
            ..
        }) = self.pages.last_mut()
        else {
            return;
        };
        if tabled.gathering.is_some() || tabled.seen == Some(revision) {
            return;
        }
        let jobs = tabled.view.jobs().filter_map(|job| self.model.job(job));
        let children = jobs.flat_map(|entry| entry.children().map(|child| &child.child));
        let lacking = children.filter(|child| tabled.view.lacks(child));
        let children: Vec<ChildView> = lacking.take(AT_A_TIME).cloned().collect();
        if children.is_empty() {
            tabled.seen = Some(revision);
            return;
        }
        let due = tabled.not_before;
        if due > self.now.mono {
            return self.put_off(due);
        }
        if children.len() < AT_A_TIME {
            tabled.not_before = self.now.mono + PAUSE;
        }
        let ticket = self.asked.ticket(Purpose::Gather(tabled.id));
        tabled.gathering = Some(ticket);
        let sources = tabled.view.sources();
        self.actions
            .push(Action::Gather(ticket, Gather { children, sources }));
    }

    pub(super) fn gathered(&mut self, ticket: Ticket, gathered: Result<Gathered, Failure>) {
        let Some(Purpose::Gather(id)) = self.asked.purpose(ticket).cloned() else {
            return;
        };
        let last = !matches!(&gathered, Ok(Gathered { last: false, .. }));
        if last {
            self.asked.take(ticket);
        }
        let retry = self.now.mono + RETRY;
        let Some(tabled) = self.tabled(id) else {
            // Nobody looks at it any more.
            if !last {
                self.asked.take(ticket);
                self.actions.push(Action::Forget(ticket));
            }
            return;
        };
        if last {
            tabled.gathering = None;
        }
        match gathered {
            Ok(gathered) => {
                tabled.failed = None;
                tabled.view.take(gathered.parts);
            }
            Err(failure) => {
                tabled.failed = Some(failure.message);
                tabled.not_before = retry;
            }
        }
    }

    pub(super) fn arranged(&mut self, ticket: Ticket, arranged: Arranged) {
        let Some(Purpose::Arrange(id)) = self.asked.take(ticket) else {
            return;
        };
        if let Some(tabled) = self.tabled(id) {
            tabled.arranging = None;
            tabled.view.arranged(arranged);
        }
    }

    /// A page goes: what is still being read for it is not wanted any more.
    pub(super) fn page_goes(&mut self, page: &Page) {
        if let Content::Table(tabled) = &page.content
            && let Some(ticket) = tabled.gathering
            && self.asked.take(ticket).is_some()
        {
            self.actions.push(Action::Forget(ticket));
        }
    }

    /// How the jobs of a table stand.
    pub(super) fn standing(&self, page: &Page, tabled: &Tabled) -> Standing {
        let jobs = page.jobs.iter().filter_map(|job| self.model.job(*job));
        Standing {
            crumbs: page.crumbs.clone(),
            children: jobs.map(|entry| entry.job.children() as usize).sum(),
            failed: tabled.failed.clone(),
        }
    }
}
