//! From one host of a job to the next in output: another view, or further down in one that shows several.

use std::collections::HashSet;

use super::App;
use super::pages::{Shown, crumbs, member};
use crate::command::console::Way;
use crate::tui::output::document::Document;
use crate::tui::tree::RowId;
use crate::wire::reply::ChildView;

impl App {
    /// The next child of the same job that `wanted` wants: in the same view, or further down in it where it shows several.
    pub(super) fn go_to_sibling(&mut self, way: Way, wanted: impl Fn(&ChildView) -> bool) {
        let shown = self.shown_children();
        let at = match shown.as_slice() {
            [] => return self.say("this is no output of a job"),
            [at] => at,
            several => return self.go_to_one_of(way, several, wanted),
        };
        let Some(entry) = self.model.job_of(*at) else {
            return;
        };
        let fits = |child: &&crate::tui::model::ChildEntry| wanted(&child.child);
        let found = match way {
            Way::Next => entry
                .children()
                .filter(|child| child.child.id > *at)
                .find(fits),
            Way::Previous => entry
                .children()
                .rev()
                .filter(|child| child.child.id < *at)
                .find(fits),
        };
        let Some(child) = found.map(|found| found.child.clone()) else {
            return self.say(no_further(way));
        };
        let crumbs = crumbs(&entry.job, Some(&child), self.flags.glyphs);
        let document = Document::Child(member(&child));
        let row = RowId::Child {
            job: child.job,
            child: child.id,
        };
        // Answers to what the view asked before are not for what it shows now.
        let id = self.next_view();
        if let Some(page) = self.pages.last_mut() {
            if let Some(shown) = page.output_mut() {
                *shown = Shown::new(id, shown.view.for_other(document));
            }
            page.crumbs = crumbs;
        }
        self.tree.go_to(self.now, row);
    }

    fn go_to_one_of(&mut self, way: Way, shown: &[u64], wanted: impl Fn(&ChildView) -> bool) {
        let fits = |child: &&u64| {
            let found = self.model.child(**child);
            found.is_some_and(|(_, entry)| wanted(&entry.child))
        };
        let fitting: HashSet<u64> = shown.iter().filter(fits).copied().collect();
        let went = self
            .view()
            .is_some_and(|view| view.go_to_child(way, |child| fitting.contains(&child)));
        if !went {
            self.say(no_further(way));
        }
    }
}

fn no_further(way: Way) -> &'static str {
    match way {
        Way::Next => "that was the last one",
        Way::Previous => "that was the first one",
    }
}
