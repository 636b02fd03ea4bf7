//! Taking the configuration over: at the beginning, when it was read again, when a theme is chosen.

use super::App;
use crate::tui::config::Loaded;
use crate::tui::styles::Styles;

impl App {
    pub(super) fn take_configuration(&mut self) {
        self.styles = Styles::new(self.loaded.theme(self.flags.colour));
        self.columns = self.loaded.settings.console.columns.clone();
        self.hosts.set_inventory(self.loaded.hosts());
        let names = self.loaded.queries.iter().map(|query| query.name.clone());
        self.queries.set(names.collect());
        for mistake in self.loaded.mistakes.clone() {
            self.complain(mistake);
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
