//! Targets on the line that are hosts of earlier jobs: looked up once nobody types any more, for the preview only.  When the
//! line is run they are looked up again.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::asked::Purpose;
use crate::tui::bar::{Earlier, Mode, preview};
use crate::tui::event::{Action, Failure, Ticket};

/// How long a line stands as it is before the engine is asked about it.
const PATIENCE: Duration = Duration::from_millis(150);

/// What was looked up while the bar is open.
#[derive(Debug, Default)]
pub(super) struct LookedUp {
    pub(super) known: Arc<Earlier>,
    /// The line as it was last seen, and since when.
    line: String,
    since: Duration,
}

impl App {
    /// Looks up what the line names and is not known.
    pub(super) fn want_earlier(&mut self) {
        let Some(bar) = self.bar.as_ref().filter(|bar| bar.mode() == Mode::Command) else {
            self.earlier = LookedUp::default();
            return;
        };
        let mut names = preview::earlier(bar.text());
        names.retain(|name| {
            let asked = |purpose: &Purpose| matches!(purpose, Purpose::Earlier(of) if of == name);
            !self.earlier.known.contains_key(name) && !self.asked.any(asked)
        });
        if names.is_empty() {
            return;
        }
        if bar.text() != self.earlier.line {
            self.earlier.line = bar.text().to_string();
            self.earlier.since = self.now.mono;
        }
        let due = self.earlier.since + PATIENCE;
        if due > self.now.mono {
            return self.put_off(due);
        }
        for name in names {
            let ticket = self.asked.ticket(Purpose::Earlier(name.clone()));
            self.actions.push(Action::Expand(ticket, name));
        }
    }

    pub(super) fn expanded(&mut self, ticket: Ticket, hosts: Result<String, Failure>) {
        let Some(Purpose::Earlier(name)) = self.asked.take(ticket) else {
            return;
        };
        let hosts = hosts.map_err(super::answers::sentence);
        Arc::make_mut(&mut self.earlier.known).insert(name, hosts);
        let names = self.names();
        if let Some(bar) = &mut self.bar {
            bar.refresh(&names, &self.history);
        }
    }
}
