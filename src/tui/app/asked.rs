//! What was asked, and for whom.

use std::collections::HashMap;

use super::deeds::Deed;
use super::pages::ViewId;
use crate::core::alike::Ignored;
use crate::tui::event::Ticket;
use crate::tui::output::Kind;

/// What an answer is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A deed, to be told of.
    Deed(Deed),
    /// What a selection comes to, before something is done with it.
    Selection(Box<super::asking::Selected>),
    Tails,
    /// How a job folds, but for what is ignored.
    Fold(u64, Ignored),
    Hosts,
    Questions,
    /// Rows, hits and the like for a view.
    View(ViewId, Kind),
    /// Output of the two children that are compared.
    Difference(Box<super::comparing::Difference>),
    /// What they came to, for a page with this title.
    Compared {
        job: u64,
        title: String,
    },
    /// What a program says, to be shown under this title; what silence means.
    Program {
        title: String,
        silence: Silence,
    },
    /// What happened before the console began.
    Past,
    /// How the output of jobs is read, for a table of their rows.
    Shapes,
    /// Rows for a table.
    Gather(ViewId),
    /// The order of a table's rows.
    Arrange(ViewId),
    /// The hosts that a target on the line names by earlier jobs.
    Earlier(String),
    /// Something on this computer: it says itself what it did.
    Local,
}

/// What it means that a program says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// That it is done, if it ends with 0.
    Done,
    /// That what was looked for is not there, even if it ends with 1.
    NothingMatches,
}

/// Tickets that are out.
#[derive(Debug, Default)]
pub(super) struct Asked {
    next: u64,
    out: HashMap<Ticket, Purpose>,
}

impl Asked {
    pub(super) fn ticket(&mut self, purpose: Purpose) -> Ticket {
        self.next += 1;
        let ticket = Ticket(self.next);
        self.out.insert(ticket, purpose);
        ticket
    }

    /// What a ticket is for, while more answers may come.
    pub(super) fn purpose(&self, ticket: Ticket) -> Option<&Purpose> {
        self.out.get(&ticket)
    }

    /// What a ticket was for; no more answers are expected.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Purpose> {
        self.out.remove(&ticket)
    }

    /// Lets go of all that is of this kind; false if nothing is.
    pub(super) fn let_go(&mut self, is: impl Fn(&Purpose) -> bool) -> bool {
        let before = self.out.len();
        self.out.retain(|_, purpose| !is(purpose));
        self.out.len() < before
    }

    /// More answers are to come after all.
    pub(super) fn put_back(&mut self, ticket: Ticket, purpose: Purpose) {
        self.out.insert(ticket, purpose);
    }

    /// Whether something of this kind is under way.
    pub(super) fn any(&self, is: impl Fn(&Purpose) -> bool) -> bool {
        self.out.values().any(is)
    }
}
