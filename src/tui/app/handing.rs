//! What becomes of output elsewhere: copied, saved, read by another program.

use std::path::PathBuf;

use bytes::Bytes;

use super::App;
use super::asked::Purpose;
use crate::tui::bar::Bar;
use crate::tui::event::{Action, Through};
use crate::tui::output::action::{OutputAction, Whole as What};
use crate::tui::tree::RowId;
use crate::tui::whole::Whole;

impl App {
    pub(super) fn output_action(&mut self, action: OutputAction) {
        match action {
            OutputAction::Copy { text, .. } => self.copy_text(text),
            OutputAction::Say(text) => self.say(text),
            OutputAction::AskSearch => self.open_bar(Bar::search()),
            OutputAction::AskMatching => self.open_bar(Bar::command_with("matching ")),
            OutputAction::Whole { children, what } => {
                let whole = self.whole(&children);
                self.with_whole(whole, self.usual_file(&children), what);
            }
            OutputAction::Text { text, what } => {
                self.with_whole(Whole::Text(Bytes::from(text)), "regatta.txt".into(), what);
            }
        }
    }

    pub(super) fn with_whole(&mut self, whole: Whole, usual: PathBuf, what: What) {
        let ticket = self.asked.ticket(Purpose::Local);
        self.actions.push(match what {
            What::Copy => Action::Fetch(ticket, whole),
            What::Save(file) => Action::Save(ticket, whole, file.unwrap_or(usual)),
            What::Pager => Action::Through(ticket, whole, Through::Pager),
            What::Pipe(words) if words.is_empty() => {
                self.asked.take(ticket);
                self.open_bar(Bar::command_with("pipe "));
                return;
            }
            What::Pipe(words) => Action::Through(ticket, whole, Through::Command(words.join(" "))),
        });
    }

    pub(super) fn copy_output(&mut self) {
        let children = match self.tree.cursor() {
            Some(RowId::Child { child, .. }) => vec![child],
            Some(RowId::Job(_) | RowId::Rest(_) | RowId::Group { .. }) | None => {
                return self.say("open the output first: enter, then y o");
            }
        };
        let whole = self.whole(&children);
        let ticket = self.asked.ticket(Purpose::Local);
        self.actions.push(Action::Fetch(ticket, whole));
    }

    /// Children with what stands before their lines: nothing if there is only one.
    fn whole(&self, children: &[u64]) -> Whole {
        let prefix = |child: &u64| match children.len() {
            1 => String::new(),
            _ => self
                .model
                .child(*child)
                .map_or_else(String::new, |(_, entry)| format!("{}: ", entry.child.host)),
        };
        Whole::Children(
            children
                .iter()
                .map(|child| (*child, prefix(child)))
                .collect(),
        )
    }

    /// `JOB.HOST.txt`, or `JOB.txt` for several.
    fn usual_file(&self, children: &[u64]) -> PathBuf {
        let plain =
            |text: &str| text.replace(|c: char| !c.is_alphanumeric() && !"-._@".contains(c), "_");
        let name = match children {
            [child] => self
                .model
                .child(*child)
                .map(|(entry, child)| format!("{}.{}", entry.job.id, plain(&child.child.host))),
            _ => children
                .first()
                .and_then(|child| self.model.job_of(*child))
                .map(|entry| entry.job.id.to_string()),
        };
        format!("{}.txt", name.unwrap_or_else(|| "output".to_string())).into()
    }
}
