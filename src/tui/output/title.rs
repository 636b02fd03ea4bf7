//! What is said about the document and how it is shown, for the line above it.

use std::fmt::Write as _;

use super::part::Reading;
use super::{Content, OutputView, Times, Wrap};
use crate::core::output::Count;
use crate::view::count::{Noun, counted};
use crate::view::span;

/// The two ends of the title line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// What there is.
    pub left: String,
    /// How it is shown.
    pub right: String,
}

impl OutputView {
    /// Nothing is hidden, cut, or held without a word here.
    pub fn title(&self) -> Title {
        let left = match &self.content {
            Content::Text { title } => title.clone(),
            Content::Output => self.amount(),
        };
        let mut right = self.search_words();
        if self.selection.is_some() {
            right.push("select".to_string());
        }
        if matches!(self.content, Content::Output) {
            let held = self.parts.iter().any(|part| part.held.is_some());
            if held {
                right.push("more above".to_string());
            }
            let follow = if self.is_following() {
                "follow"
            } else {
                "still"
            };
            right.push(follow.to_string());
        }
        let wrap = match self.settings.wrap {
            Wrap::Cut if self.settings.left > 0 => {
                format!("from column {}", self.settings.left + 1)
            }
            Wrap::Cut => "nowrap".to_string(),
            Wrap::Wrapped => "wrap".to_string(),
        };
        right.push(wrap);
        match self.settings.times {
            Times::Off => {}
            Times::Clock => right.push("time: clock".to_string()),
            Times::SinceStart => right.push("time: since start".to_string()),
        }
        Title {
            left,
            right: right.join(" · "),
        }
    }

    fn amount(&self) -> String {
        let bytes: u64 = self.parts.iter().map(|part| part.child.end.offset).sum();
        let lines = self.lines();
        let mut words = format!("{}, {}", counted(lines, Noun::Line), span::bytes(bytes));
        let dropped = self
            .parts
            .iter()
            .fold(Count::default(), |sum, part| sum + part.dropped);
        if dropped.bytes > 0 {
            _ = write!(words, ", {} of that cut", span::bytes(dropped.bytes));
        }
        if self
            .parts
            .iter()
            .any(|part| part.reading == Reading::Failed)
        {
            words += ", some of it could not be read";
        }
        words
    }
}
