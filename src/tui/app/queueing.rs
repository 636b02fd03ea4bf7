//! How many children of jobs run at once, and whether more are started: as keys, which say it with the shell's verbs.

use super::App;
use crate::command::console::Screen;
use crate::tui::bar::Bar;
use crate::tui::tree::RowId;

impl App {
    /// The bar with the number there is now, to be changed.
    pub(super) fn limit(&mut self) {
        let jobs = self.jobs_in_mind();
        let first = jobs.first().and_then(|job| self.model.job(*job));
        let Some(fanout) = first.map(|entry| entry.job.fanout) else {
            return self
                .say("put the cursor on a job: it is said how many of its children run at once");
        };
        let line = format!("throttle {} --fanout {fanout}", words(&jobs));
        self.open_bar(Bar::command_with(&line));
    }

    /// Pauses the queue of jobs, or lets it go on where it is paused already.
    pub(super) fn turn_queue(&mut self) {
        let jobs = self.jobs_in_mind();
        if jobs.is_empty() {
            return self.say("put the cursor on a job whose queue is to be paused or resumed");
        }
        let flows = |job: &u64| {
            let entry = self.model.job(*job);
            entry.is_some_and(|entry| !entry.job.paused)
        };
        let verb = if jobs.iter().any(flows) {
            "pause"
        } else {
            "resume"
        };
        self.line(&format!("{verb} {}", words(&jobs)));
    }

    /// The jobs of the output that is open, of what is marked, or of the row under the cursor.
    fn jobs_in_mind(&self) -> Vec<u64> {
        let mut jobs: Vec<u64> = if let Some(page) = self.pages.last() {
            match page.output() {
                Some(shown) => {
                    let children = shown.view.children();
                    children
                        .filter_map(|child| Some(self.model.job_of(child)?.job.id))
                        .collect()
                }
                None => page.jobs.clone(),
            }
        } else if self.screen != Screen::Jobs {
            Vec::new()
        } else if self.tree.marks().is_empty() {
            self.tree.cursor().map(RowId::job).into_iter().collect()
        } else {
            self.tree.marks().iter().map(|row| row.job()).collect()
        };
        jobs.sort_unstable();
        jobs.dedup();
        jobs
    }
}

fn words(jobs: &[u64]) -> String {
    let words: Vec<String> = jobs.iter().map(ToString::to_string).collect();
    words.join(" ")
}
