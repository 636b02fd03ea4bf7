//! What was drilled into: output of children and jobs, texts; and the preview beside the list.

use super::asked::Purpose;
use super::asking::With;
use super::tabling::Tabled;
use super::{App, Pane};
use crate::command::console::{Act, Copied, Screen};
use crate::core::select::Selector;
use crate::tui::event::{Action, Ticket};
use crate::tui::model::is_problem;
use crate::tui::output::document::{Child, Document, Ending};
use crate::tui::output::{Kind, OutputView, Want};
use crate::tui::tree::RowId;
use crate::tui::view::Glyphs;
use crate::view::count::{Noun, counted};
use crate::wire::look::Point;
use crate::wire::reply::{ChildView, JobView};
use crate::wire::{Reply, Request};

/// Names a view, so that answers find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ViewId(u64);

/// Something that has the whole screen until one goes back.
#[derive(Debug)]
pub(super) struct Page {
    /// The jobs it belongs to, which are watched for it.
    pub(super) jobs: Vec<u64>,
    pub(super) content: Content,
    /// Where it is in what was drilled into.
    pub(super) crumbs: String,
}

/// What a page shows.
#[derive(Debug)]
pub(super) enum Content {
    Output(Box<Shown>),
    /// Rows of its jobs.
    Table(Box<Tabled>),
}

impl Page {
    pub(super) fn output(&self) -> Option<&Shown> {
        match &self.content {
            Content::Output(shown) => Some(shown),
            Content::Table(_) => None,
        }
    }

    pub(super) fn output_mut(&mut self) -> Option<&mut Shown> {
        match &mut self.content {
            Content::Output(shown) => Some(shown),
            Content::Table(_) => None,
        }
    }
}

/// The output beside the list.
#[derive(Debug)]
pub(super) struct Preview {
    row: RowId,
    pub(super) shown: Shown,
}

/// A view, and what was asked for it.
#[derive(Debug)]
pub(super) struct Shown {
    id: ViewId,
    pub(super) view: OutputView,
    /// A search and rows are asked for anew before the last answer has come: that one is not wanted any more.
    search: Option<Ticket>,
    rows: Option<Ticket>,
}

impl Shown {
    pub(super) fn new(id: ViewId, view: OutputView) -> Self {
        Self {
            id,
            view,
            search: None,
            rows: None,
        }
    }
}

/// A child as output views take it.
pub(super) fn member(child: &ChildView) -> Child {
    Child {
        id: child.id,
        host: child.host.clone(),
        began: child.began,
        end: end_of(child),
        ending: ending(child),
    }
}

fn end_of(child: &ChildView) -> Point {
    Point {
        offset: child.out.bytes + child.err.bytes,
        line: child.out.lines + child.err.lines,
    }
}

fn ending(child: &ChildView) -> Option<Ending> {
    use crate::core::state::State;
    let settled = child.state.is_final() || child.state == State::Disconnected;
    settled.then(|| Ending {
        what: match &child.reason {
            Some(reason) if reason.kind == "exit" => reason.text.clone(),
            Some(reason) => format!("{}: {}", child.state, reason.text),
            None => child
                .exit
                .map_or_else(|| child.state.to_string(), |exit| format!("exit {exit}")),
        },
        at: child.ended,
    })
}

impl App {
    /// Whether keys for output have an output.
    pub(super) fn shows_output(&self) -> bool {
        match self.pages.last() {
            Some(page) => page.output().is_some(),
            None => self.pane == Pane::Side && self.preview.is_some(),
        }
    }

    /// The view that has the keys.
    pub(super) fn view(&mut self) -> Option<&mut OutputView> {
        match (self.pages.last_mut(), self.pane) {
            (Some(page), _) => page.output_mut().map(|shown| &mut shown.view),
            (None, Pane::Side) => self.preview.as_mut().map(|preview| &mut preview.shown.view),
            (None, Pane::List) => None,
        }
    }

    /// Does it if it is about the output that has the keys.
    pub(super) fn act_on_output(&mut self, act: &Act) -> bool {
        if !self.shows_output() {
            return false;
        }
        match act {
            Act::Sibling { way } => self.go_to_sibling(*way, |_| true),
            Act::Problem { way } => self.go_to_sibling(*way, is_problem),
            Act::Open => {
                let child = self.view().and_then(|view| view.current_child());
                if !child.is_some_and(|child| self.answer_child(child)) {
                    return self.pass_on(act);
                }
            }
            Act::Merged => self.open_job_of_page(),
            Act::Diff => self.compare(),
            Act::Copy {
                what: Copied::Host | Copied::Id | Copied::Command,
            } => return false,
            _ => return self.pass_on(act),
        }
        true
    }

    fn pass_on(&mut self, act: &Act) -> bool {
        let now = self.now.wall;
        let Some(view) = self.view() else {
            return false;
        };
        match view.act(now, act) {
            Some(actions) => {
                for action in actions {
                    self.output_action(action);
                }
                true
            }
            None => false,
        }
    }

    /// The children whose output has the keys.
    pub(super) fn shown_children(&mut self) -> Vec<u64> {
        self.view()
            .map(|view| view.children().collect())
            .unwrap_or_default()
    }

    pub(super) fn open_child(&mut self, child: u64) {
        let Some((entry, child)) = self.model.child(child) else {
            return self.look_at(&child.to_string());
        };
        let (job, crumbs) = (
            entry.job.id,
            crumbs(&entry.job, Some(&child.child), self.flags.glyphs),
        );
        let document = Document::Child(member(&child.child));
        self.push_page(vec![job], &crumbs, document);
    }

    /// The output of the job under the cursor, or of what is marked.
    pub(super) fn open_merged(&mut self) {
        let selection = self.selection();
        if selection.is_empty() {
            return self.say("nothing is there to open");
        }
        let select = selection.into_iter().map(Selector::new).collect();
        self.select("receive --keep".to_string(), select, With::Look);
    }

    pub(super) fn look_at(&mut self, selection: &str) {
        self.select(
            "receive --keep".to_string(),
            vec![Selector::new(selection)],
            With::Look,
        );
    }

    pub(super) fn open_job(&mut self, job: u64) {
        self.look_at(&job.to_string());
    }

    fn open_job_of_page(&mut self) {
        let child = self.shown_children().first().copied();
        match child
            .and_then(|child| self.model.job_of(child))
            .map(|entry| entry.job.id)
        {
            Some(job) => self.open_job(job),
            None => self.say("this is no output of a job"),
        }
    }

    /// Opens the output of some children.
    pub(super) fn open_members(&mut self, jobs: &[JobView], members: Vec<Child>) {
        let crumbs = match (jobs, members.as_slice()) {
            ([job], [member]) => format!("{} {}.{}", job.name, job.id, member.host),
            ([job], members) => format!(
                "{} {} on {}",
                job.id,
                job.name,
                counted(members.len(), Noun::Host)
            ),
            (jobs, members) => format!(
                "{}, {}",
                counted(jobs.len(), Noun::Job),
                counted(members.len(), Noun::Child)
            ),
        };
        let watched = match jobs {
            [job] => vec![job.id],
            _ => Vec::new(),
        };
        let mut members = members;
        let document = match members.len() {
            0 => return self.say("nothing is there to open"),
            1 => Document::Child(members.remove(0)),
            _ => Document::Children(members),
        };
        self.push_page(watched, &crumbs, document);
    }

    pub(super) fn open_text(&mut self, title: &str, text: &[u8]) {
        let document = Document::text(title, text);
        self.push_page(Vec::new(), title, document);
    }

    pub(super) fn push_page(&mut self, jobs: Vec<u64>, crumbs: &str, document: Document) {
        let id = self.next_view();
        let crumbs = format!(
            "{} {} {crumbs}",
            self.screen.word(),
            self.flags.glyphs.crumb
        );
        let view = self.new_view(document);
        self.pages.push(Page {
            jobs,
            content: Content::Output(Box::new(Shown::new(id, view))),
            crumbs,
        });
    }

    fn new_view(&self, document: Document) -> OutputView {
        OutputView::new(document, self.now.zone.time_zone()).shown_as(self.output)
    }

    /// All there are.
    pub(super) fn views(&mut self) -> impl Iterator<Item = &mut OutputView> {
        self.all_shown().map(|shown| &mut shown.view)
    }

    fn all_shown(&mut self) -> impl Iterator<Item = &mut Shown> {
        let pages = self.pages.iter_mut().filter_map(Page::output_mut);
        pages.chain(self.preview.as_mut().map(|preview| &mut preview.shown))
    }

    pub(super) fn next_view(&mut self) -> ViewId {
        self.views += 1;
        ViewId(self.views)
    }

    /// The preview shows what the cursor is on.
    pub(super) fn keep_preview(&mut self) {
        let wanted = (self.screen == Screen::Jobs && self.pages.is_empty() && self.has_side())
            .then(|| self.tree.cursor())
            .flatten();
        let Some(row @ RowId::Child { child, .. }) = wanted else {
            self.preview = None;
            return;
        };
        if self
            .preview
            .as_ref()
            .is_some_and(|preview| preview.row == row)
        {
            return;
        }
        let Some((_, entry)) = self.model.child(child) else {
            return;
        };
        let document = Document::Child(member(&entry.child));
        let id = self.next_view();
        let view = self.new_view(document);
        self.preview = Some(Preview {
            row,
            shown: Shown::new(id, view),
        });
        self.lay_out();
    }

    /// Asks for what the views lack.
    pub(super) fn want_output(&mut self) {
        let shown = match (self.pages.last_mut(), &mut self.preview) {
            (Some(page), _) => match page.output_mut() {
                Some(shown) => shown,
                None => return,
            },
            (None, Some(preview)) => &mut preview.shown,
            (None, None) => return,
        };
        while let Some(want) = shown.view.wants() {
            let (kind, request) = match want {
                Want::Look(look) => (Kind::Look, Request::Look(look)),
                Want::Search(search) => (Kind::Search, Request::Search(search)),
                Want::Rows(rows) => (Kind::Rows, Request::Rows(rows)),
            };
            let ticket = self.asked.ticket(Purpose::View(shown.id, kind));
            let before = match kind {
                Kind::Look => None,
                Kind::Search => shown.search.replace(ticket),
                Kind::Rows => shown.rows.replace(ticket),
            };
            if let Some(before) = before
                && self.asked.take(before).is_some()
            {
                self.actions.push(Action::Forget(before));
            }
            self.actions.push(Action::Ask(ticket, Box::new(request)));
        }
    }

    fn view_by_id(&mut self, id: ViewId) -> Option<&mut OutputView> {
        let shown = self.all_shown().find(|shown| shown.id == id);
        shown.map(|shown| &mut shown.view)
    }

    pub(super) fn view_answered(&mut self, ticket: Ticket, id: ViewId, kind: Kind, reply: Reply) {
        let more = matches!(&reply, Reply::Found(found) if !found.last);
        if !more {
            self.asked.take(ticket);
        }
        let Some(view) = self.view_by_id(id) else {
            // Nobody looks at it any more.
            if more {
                self.asked.take(ticket);
                self.actions.push(Action::Forget(ticket));
            }
            return;
        };
        match reply {
            Reply::Seen(seen) => view.seen(seen),
            Reply::Found(found) => view.found(found),
            Reply::Rows(rows) => view.rows(rows),
            _ => view.refused(kind),
        }
    }

    pub(super) fn view_failed(&mut self, id: ViewId, kind: Kind, why: &str) {
        if let Some(view) = self.view_by_id(id) {
            view.refused(kind);
            self.complain(why.to_string());
        }
    }

    /// The engine is there again after it was not.
    pub(super) fn ask_views_again(&mut self) {
        for view in self.views() {
            view.ask_again();
        }
    }

    /// A child has written more, or ended.
    pub(super) fn output_grew(&mut self, child: &ChildView) {
        let (end, ending) = (end_of(child), ending(child));
        for view in self.views() {
            view.grew(child.id, end);
            view.ended(child.id, ending.clone());
        }
    }
}

/// `12 patch-check › 12.web03`.
pub(super) fn crumbs(job: &JobView, child: Option<&ChildView>, glyphs: Glyphs) -> String {
    match child {
        Some(child) => format!(
            "{} {} {} {}.{}",
            job.id, job.name, glyphs.crumb, job.id, child.host
        ),
        None => format!("{} {}", job.id, job.name),
    }
}
