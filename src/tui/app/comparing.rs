//! Where a child's output differs from what most children wrote.

use bytes::Bytes;

use super::App;
use super::asked::Purpose;
use crate::core::alike::Ignored;
use crate::tui::event::{Action, Ticket};
use crate::tui::output::diff::{Comparing, Written};
use crate::tui::output::document::Document;
use crate::tui::tree::RowId;
use crate::wire::look::{Look, Place, RowKind};
use crate::wire::reply::ChildView;
use crate::wire::{Reply, Request};

/// Two children that are compared.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) one: ChildView,
    /// Who wrote what most wrote, on which hosts; known once the fold is.
    pub(super) other: Option<(u64, String)>,
    pub(super) ignored: Ignored,
    pub(super) texts: Vec<Vec<Bytes>>,
    /// Whether more was written than is compared.
    pub(super) cut: bool,
}

/// So much of each child is compared.
const COMPARED: u32 = 1 << 20;

impl App {
    /// Where the child's output differs from what most children wrote.
    pub(super) fn compare(&mut self) {
        let shown: Vec<u64> = self
            .view()
            .and_then(|view| view.current_child())
            .into_iter()
            .collect();
        let under_cursor = match self.tree.cursor() {
            Some(RowId::Child { child, .. }) => Some(child),
            Some(RowId::Group { first, .. }) => Some(first),
            Some(RowId::Job(_) | RowId::Rest(_)) | None => None,
        };
        let child = match shown.as_slice() {
            [child] => Some(*child),
            [] => under_cursor,
            _ => None,
        };
        let Some((entry, child)) = child.and_then(|child| self.model.child(child)) else {
            return self
                .say("put the cursor on a child: it is compared with what most children wrote");
        };
        let difference = Difference {
            one: child.child.clone(),
            other: None,
            ignored: self.ignored,
            texts: Vec::new(),
            cut: false,
        };
        let request = Request::Fold {
            job: entry.job.id,
            ignored: self.ignored,
        };
        self.ask(Purpose::Difference(Box::new(difference)), request);
    }

    pub(super) fn difference_answered(&mut self, mut difference: Difference, reply: Reply) {
        match reply {
            Reply::Folded(folded) => {
                let own = difference.one.id;
                let others = folded.groups.iter().filter(|group| group.state.is_final());
                let largest = others
                    .filter(|group| !group.children.contains(&own))
                    .max_by_key(|group| group.children.len());
                let Some((group, first)) =
                    largest.and_then(|group| Some((group, *group.children.first()?)))
                else {
                    return self.say("nothing to compare with: all that ended came to the same");
                };
                let hosts = format!("{} ({})", group.hosts, group.children.len());
                difference.other = Some((first, hosts));
                self.ask_for_text(own, difference);
            }
            Reply::Seen(seen) => {
                difference.cut |= seen.to.offset < seen.end.offset || seen.dropped.bytes > 0;
                let text = seen.rows.into_iter().filter_map(|row| match row.what {
                    RowKind::Text { data, .. } => Some(data),
                    RowKind::Cut(_) => None,
                });
                difference.texts.push(text.collect());
                match (difference.texts.len(), difference.other.clone()) {
                    (1, Some((other, _))) => self.ask_for_text(other, difference),
                    _ => self.show_difference(difference),
                }
            }
            _ => self.complain("the engine answered out of turn"),
        }
    }

    fn ask_for_text(&mut self, child: u64, difference: Difference) {
        let request = Request::Look(Look {
            child,
            at: Place::Offset(0),
            before: 0,
            behind: COMPARED,
        });
        self.ask(Purpose::Difference(Box::new(difference)), request);
    }

    /// Has the two compared: they may be long, and alike in a way that takes seconds to see through.
    fn show_difference(&mut self, difference: Difference) {
        let other = (difference.other.as_ref()).and_then(|(child, _)| self.model.child(*child));
        let other_host = other.map(|(_, child)| child.child.host.clone());
        let title = difference.title();
        let job = difference.one.job;
        let Difference {
            one,
            ignored,
            texts,
            ..
        } = difference;
        let Ok([ours, theirs]) = <[Vec<Bytes>; 2]>::try_from(texts) else {
            return;
        };
        let comparing = Comparing {
            title: title.clone(),
            ignored,
            ours: Written {
                host: one.host,
                lines: ours,
            },
            theirs: Written {
                host: other_host.unwrap_or_default(),
                lines: theirs,
            },
        };
        let ticket = self.asked.ticket(Purpose::Compared { job, title });
        let action = Action::Compare(ticket, Box::new(comparing));
        self.actions.push(action);
    }

    pub(super) fn compared(&mut self, ticket: Ticket, document: Document) {
        if let Some(Purpose::Compared { job, title }) = self.asked.take(ticket) {
            self.push_page(vec![job], &title, document);
        }
    }
}

impl Difference {
    fn title(&self) -> String {
        let hosts = (self.other.as_ref()).map_or("", |(_, hosts)| hosts.as_str());
        let part = if self.cut {
            ", of the first MiB of each"
        } else {
            ""
        };
        let but_for = match self.ignored {
            Ignored::NOTHING => String::new(),
            ignored => format!(", ignoring {ignored}"),
        };
        format!("{} against {hosts}{part}{but_for}", self.one.host)
    }
}
