//! Pages and the preview, drawn.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::pages::{Content, Shown};
use super::{App, Colour};
use crate::config::theme::Role;
use crate::tui::output::styles::{Colours, OutputStyles, Signs};
use crate::tui::tree::RowId;
use crate::tui::view::{Focus, Glyphs, Pane};
use crate::view::count::{Noun, counted};
use crate::view::text::{cut, harmless};

impl App {
    /// Tells views how large they are drawn: below their titles.
    pub(super) fn size_views(&mut self, main: Rect, side: Option<Rect>) {
        let below = |area: Rect, rows: u16| Size::new(area.width, area.height.saturating_sub(rows));
        for page in &mut self.pages {
            match &mut page.content {
                Content::Output(shown) => shown.view.set_size(below(main, 2)),
                Content::Table(tabled) => {
                    let size = below(main, 2);
                    tabled.view.set_size(size.width, size.height);
                }
            }
        }
        if let (Some(preview), Some(side)) = (&mut self.preview, side) {
            preview.shown.view.set_size(below(side, 2));
        }
    }

    pub(super) fn draw_page(&self, area: Rect, buf: &mut Buffer) {
        let Some(page) = self.pages.last() else {
            return;
        };
        match &page.content {
            Content::Output(shown) => {
                self.draw_output(shown, &page.crumbs, Focus::Here, area, buf);
            }
            Content::Table(tabled) => tabled.view.draw(
                area,
                buf,
                &self.styles,
                &self.flags.glyphs,
                &self.standing(page, tabled),
            ),
        }
    }

    /// `─ where ──── state ─`, `─ how much ──── how it is shown ─`, and the text.
    fn draw_output(&self, shown: &Shown, crumbs: &str, focus: Focus, area: Rect, buf: &mut Buffer) {
        let crumbs = harmless(crumbs.as_bytes());
        let state = self.state_of(shown);
        let upper = Pane {
            left: &crumbs,
            right: &state,
            focus,
        };
        let area = upper.draw(area, buf, &self.styles, &self.flags.glyphs);
        let title = shown.view.title();
        let lower = Pane {
            left: &title.left,
            right: &title.right,
            focus: Focus::Elsewhere,
        };
        let area = lower.draw(area, buf, &self.styles, &self.flags.glyphs);
        shown.view.draw(area, buf, &self.output_styles());
    }

    /// How whoever is shown stands: a child, or the job that several are of; several jobs stand in several ways.
    fn state_of(&self, shown: &Shown) -> String {
        let mut children = shown.view.children();
        match (children.next(), children.next()) {
            (Some(child), None) => {
                let entry = self.model.child(child);
                entry.map_or_else(String::new, |(_, entry)| {
                    let child = &entry.child;
                    match &child.reason {
                        Some(reason) => {
                            format!("{}: {}", child.state, harmless(reason.text.as_bytes()))
                        }
                        None => child.state.to_string(),
                    }
                })
            }
            (Some(first), Some(_)) => {
                let entry = self.model.job_of(first);
                let entry = entry.filter(|entry| {
                    let own = |child| self.model.job_of(child).map(|of| of.job.id);
                    let mut all = shown.view.children();
                    all.all(|child| own(child) == Some(entry.job.id))
                });
                entry.map_or_else(String::new, |entry| {
                    let job = &entry.job;
                    if job.count(job.state) == job.children() {
                        return job.state.to_string();
                    }
                    format!("{}: {}", job.state, crate::view::table::counts(job))
                })
            }
            (None, _) => String::new(),
        }
    }

    /// What the row under the cursor has to say: a child's output, a job's command and how it stands.
    pub(super) fn draw_preview(&self, area: Rect, focus: Focus, buf: &mut Buffer) {
        if let Some(preview) = &self.preview {
            let row = self
                .tree
                .cursor()
                .map(RowId::job)
                .and_then(|job| self.model.job(job));
            let host = shown_host(self, &preview.shown);
            let crumbs = row.map_or_else(String::new, |entry| {
                format!("{}.{host}  {}", entry.job.id, entry.job.command)
            });
            return self.draw_output(&preview.shown, &crumbs, focus, area, buf);
        }
        let entry = self.tree.cursor().and_then(|row| self.model.job(row.job()));
        let Some(entry) = entry else {
            Pane {
                left: "",
                right: "",
                focus,
            }
            .draw(area, buf, &self.styles, &self.flags.glyphs);
            return;
        };
        let job = &entry.job;
        let left = format!("{} {}", job.id, harmless(job.name.as_bytes()));
        let pane = Pane {
            left: &left,
            right: job.state.word(),
            focus,
        };
        let area = pane.draw(area, buf, &self.styles, &self.flags.glyphs);
        let mut lines = vec![
            ("command", job.command.clone()),
            ("targets", job.targets.clone()),
            ("children", crate::view::table::counts(job)),
        ];
        if let Some(progress) = crate::tui::jobs::progress(entry, self.now) {
            lines.push(("progress", progress));
        }
        lines.push((
            "fanout",
            format!(
                "{} at once{}",
                job.fanout,
                if job.paused { ", paused" } else { "" }
            ),
        ));
        if job.pinned {
            lines.push(("pinned", "kept until it is removed".to_string()));
        }
        if job.more {
            let size = crate::view::span::bytes(job.waiting.bytes);
            lines.push((
                "unread",
                format!(
                    "{}, {size}; r receives",
                    counted(job.waiting.lines, Noun::Line)
                ),
            ));
        }
        let groups = entry
            .fold()
            .map(|fold| fold.groups.as_slice())
            .unwrap_or_default();
        for group in groups {
            let exit = group
                .exit
                .map_or_else(String::new, |exit| format!(" exit {exit}"));
            let text = format!(
                "{} {}{exit}  {}  {}",
                group.children.len(),
                group.state,
                cut(&group.hosts, 40),
                crate::tui::jobs::said_by(group)
            );
            lines.push(("", text));
        }
        let across = usize::from(area.width);
        for (n, (name, text)) in lines.iter().take(usize::from(area.height)).enumerate() {
            let y = area.y + n as u16;
            let text = harmless(text.as_bytes()).replace('\t', " ");
            buf.set_stringn(
                area.x,
                y,
                format!(" {name:9}"),
                across,
                self.styles.of(Role::Dim),
            );
            if area.width > 11 {
                buf.set_stringn(
                    area.x + 11,
                    y,
                    cut(&text, across - 11),
                    across - 11,
                    self.styles.of(Role::Text),
                );
            }
        }
    }

    fn output_styles(&self) -> OutputStyles {
        let of = |role| self.styles.of(role);
        OutputStyles {
            text: of(Role::Text),
            dim: of(Role::Dim),
            number: of(Role::Dim),
            time: of(Role::Dim),
            host: of(Role::Header),
            out: of(Role::Stdout),
            err: of(Role::Stderr),
            head: of(Role::Header),
            note: of(Role::Cut),
            found: of(Role::Match),
            found_here: of(Role::Match).patch(of(Role::Selection)),
            selected: of(Role::Selection),
            added: of(Role::Notice),
            removed: of(Role::Warning),
            signs: if self.flags.glyphs == Glyphs::ASCII {
                Signs::ASCII
            } else {
                Signs::BOXES
            },
            colours: match self.flags.colour {
                Colour::Allowed => Colours::Kept,
                Colour::None => Colours::Dropped,
            },
        }
    }
}

fn shown_host(app: &App, shown: &Shown) -> String {
    let child = shown
        .view
        .current_child()
        .and_then(|child| app.model.child(child));
    child.map_or_else(String::new, |(_, entry)| {
        harmless(entry.child.host.as_bytes())
    })
}
