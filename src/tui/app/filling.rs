//! Lines that are put into the bar, to be sent on their way or changed first.

use super::App;
use super::acts::folded;
use crate::command::console::Screen;
use crate::targets::HostSet;
use crate::tui::bar::Bar;
use crate::tui::tree::RowId;

impl App {
    /// `run -t HOSTS -- `, with the hosts that are marked, or nothing yet.
    pub(super) fn add(&mut self) {
        let hosts = match self.screen {
            Screen::Hosts => Some(folded(&self.hosts.selected())),
            Screen::Jobs if self.pages.is_empty() => self.hosts_of_rows(),
            Screen::Jobs | Screen::Queries | Screen::Events => None,
        };
        self.fill_run(hosts);
    }

    /// A command that is to be typed for these hosts, or for some that are to be named first.
    pub(super) fn fill_run(&mut self, hosts: Option<String>) {
        let text = match hosts.filter(|hosts| !hosts.is_empty()) {
            Some(hosts) => format!("run -t {hosts} -- "),
            None => "run -t ".to_string(),
        };
        self.open_bar(Bar::command_with(&text));
    }

    /// The hosts of the marked rows of the tree, or else of the group of equal results under the cursor.
    fn hosts_of_rows(&self) -> Option<String> {
        let marks = self.tree.marks();
        if marks.is_empty() {
            return match self.tree.cursor()? {
                RowId::Group { .. } => self.current_hosts(),
                RowId::Job(_) | RowId::Rest(_) | RowId::Child { .. } => None,
            };
        }
        let marked = marks.iter().filter_map(|row| self.hosts_of(*row));
        let all: Vec<String> = marked.collect();
        let all = all.join(",");
        // They were checked when their jobs were made.
        Some(all.parse::<HostSet>().map_or(all, |set| set.fold()))
    }

    /// The job's command line, to be changed and run again.
    pub(super) fn edit(&mut self) {
        let Some(row) = self.tree.cursor() else {
            return self.say("nothing to change");
        };
        let Some(entry) = self.model.job(row.job()) else {
            return;
        };
        let hosts = match row {
            RowId::Child { child, .. } => entry.child(child).map(|child| child.child.host.clone()),
            RowId::Group { first, .. } => {
                let groups = entry
                    .fold()
                    .map(|fold| fold.groups.as_slice())
                    .unwrap_or_default();
                let group = groups
                    .iter()
                    .find(|group| group.children.first() == Some(&first));
                group.map(|group| group.hosts.clone())
            }
            RowId::Job(_) | RowId::Rest(_) => None,
        };
        let line = edited(&entry.job, hosts.as_deref());
        self.open_bar(Bar::command_with(&line));
    }

    /// The query under the cursor in the bar, to be sent on its way or changed.
    pub(super) fn fill_query(&mut self) {
        let Some(query) = self
            .queries
            .cursor()
            .and_then(|name| self.loaded.query(name))
        else {
            return self.say("there are no queries");
        };
        let marked = self.hosts.marks.iter().cloned().collect::<Vec<_>>();
        let targets = match (&query.targets, marked.as_slice()) {
            (_, [_, ..]) => Some(folded(&marked)),
            (Some(targets), []) => Some(targets.clone()),
            // Where it is to run has to be said: Enter twice must not ask the whole fleet.
            (None, []) => None,
        };
        let line = match targets {
            Some(targets) => crate::command::line::shown(&["query", &query.name, "-t", &targets]),
            None => format!(
                "{} -t ",
                crate::command::line::shown(&["query", query.name.as_str()])
            ),
        };
        self.open_bar(Bar::command_with(&line));
    }
}

/// The command line that makes such a job again.
fn edited(job: &crate::wire::JobView, hosts: Option<&str>) -> String {
    let mut words = vec!["run".to_string()];
    if job.runner == "local" {
        words.push("--local".to_string());
    } else {
        words.extend(["-t".to_string(), hosts.unwrap_or(&job.targets).to_string()]);
    }
    if job.name != format!("Job{}", job.id) {
        words.extend(["-n".to_string(), job.name.clone()]);
    }
    words.extend(["--".to_string(), job.command.clone()]);
    crate::command::line::shown(&words)
}
