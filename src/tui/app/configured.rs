//! Taking the configuration over: at the beginning, when it was read again, when a theme is chosen.

use super::App;
use crate::tui::config::Loaded;
use crate::tui::event::Action;
use crate::tui::remembered::{Chosen, Remembered};
use crate::tui::styles::Styles;

impl App {
    pub(super) fn take_configuration(&mut self) {
        self.styles = Styles::new(self.loaded.theme(self.flags.colour));
        let columns = &self.loaded.settings.console.columns;
        if self.usual_columns != *columns {
            self.usual_columns.clone_from(columns);
            self.columns.clone_from(columns);
        }
        self.hosts.set_inventory(self.loaded.hosts());
        let names = self.loaded.queries.iter().map(|query| query.name.clone());
        self.queries.set(names.collect());
        for mistake in self.loaded.mistakes.clone() {
            self.complain(mistake);
        }
    }

    /// Lists are as they were when a console was last left.
    pub(super) fn begin_as_left(&mut self, remembered: Remembered) {
        if let Some(chosen) = &remembered.columns
            && chosen.instead_of == self.usual_columns
        {
            self.columns.clone_from(&chosen.columns);
        }
        self.tree.set_sort(remembered.sort);
        self.tree.set_scope(remembered.jobs);
        self.hosts
            .set_order(remembered.hosts_sort, remembered.hosts);
        self.remembered = remembered;
    }

    /// Has it remembered how lists are, once that is not how the next console would begin.
    pub(super) fn remember(&mut self) {
        let (hosts_sort, hosts) = self.hosts.order();
        let chosen = || Chosen {
            columns: self.columns.clone(),
            instead_of: self.usual_columns.clone(),
        };
        let now = Remembered {
            columns: (self.columns != self.usual_columns).then(chosen),
            sort: self.tree.sort(),
            jobs: self.tree.scope(),
            hosts_sort,
            hosts,
        };
        if now != self.remembered {
            self.remembered = now.clone();
            self.actions.push(Action::RememberLists(Box::new(now)));
        }
    }

    pub(super) fn take_theme(&mut self, name: &str) {
        if self.loaded.choose_theme(name) {
            self.styles = Styles::new(self.loaded.theme(self.flags.colour));
            self.say(format!(
                "theme {name}; console.theme in config.toml keeps it"
            ));
        } else {
            let names: Vec<String> = self
                .loaded
                .theme_names()
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            self.say(format!(
                "there is no theme {name}; themes are {}",
                names.join(", ")
            ));
        }
    }

    /// The configuration was read again; what is wrong leaves everything as it was.
    pub(super) fn reloaded(&mut self, read: Result<Box<Loaded>, String>) {
        match read {
            Ok(loaded) => {
                self.loaded = *loaded;
                self.take_configuration();
                self.say("read the configuration again");
            }
            Err(why) => self.complain(format!("the configuration stays as it was: {why}")),
        }
    }
}
