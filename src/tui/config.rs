//! What the console takes from files: settings, keys, themes, queries, the inventory; read at the beginning and again when
//! somebody asks for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::app::Colour;
use super::bar::{self, Disk, Known};
use crate::config::inventory::Inventory;
use crate::config::keys::Keymap;
use crate::config::queries::{self, Query, SearchPath};
use crate::config::settings::Settings;
use crate::config::theme::{self, MONO, Theme};
use crate::plan::Planner;
use crate::targets::HostName;

/// See the module.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub keymap: Keymap,
    pub queries: Vec<Query>,
    /// Queries that could not be read, and why.
    pub mistakes: Vec<String>,
    pub inventory: Inventory,
    /// What lines of the bar can name of the inventory.
    pub known: Arc<Known>,
    /// Where names of files are looked up while they are typed.
    pub disk: Arc<dyn bar::Files>,
    /// By name.
    themes: BTreeMap<String, Theme>,
    theme: String,
}

/// Where all that is read from.
#[derive(Clone, Debug)]
pub struct Files {
    /// A config.toml that was named.
    pub config: Option<PathBuf>,
    /// The user's configuration directory.
    pub directory: Option<PathBuf>,
    pub queries: SearchPath,
    /// The directory that relative names are meant from.
    pub working: Option<PathBuf>,
}

impl Loaded {
    /// Reads everything, or says what is wrong.
    pub fn load(
        files: &Files,
        planner: impl Fn(&Settings) -> Result<Inventory, String>,
    ) -> Result<Self, String> {
        let directory = files.directory.as_deref();
        let settings = Settings::load(files.config.as_deref(), directory)
            .map_err(|error| error.to_string())?;
        let keymap = Keymap::load(directory).map_err(|mistakes| said(&mistakes))?;
        let mut themes = BTreeMap::new();
        let listed = theme::list(directory).map_err(|mistake| mistake.to_string())?;
        for (name, _) in listed {
            match Theme::load(&name, directory) {
                Ok(theme) => _ = themes.insert(name, theme),
                // A theme nobody asks for may be wrong: choosing it says so.
                Err(mistakes) if name == settings.console.theme => return Err(said(&mistakes)),
                Err(_) => {}
            }
        }
        let theme = settings.console.theme.clone();
        if !themes.contains_key(&theme) {
            return Err(format!("console.theme: there is no theme {theme:?}"));
        }
        let inventory = planner(&settings)?;
        let (queries, mistakes) = queries::load(&files.queries);
        Ok(Self {
            settings,
            keymap,
            queries,
            // One bad query hides no other.
            mistakes: mistakes.iter().map(ToString::to_string).collect(),
            known: Arc::new(Known::new(inventory.groups().clone())),
            disk: Arc::new(Disk {
                directory: files.working.clone().unwrap_or_default(),
            }),
            inventory,
            themes,
            theme,
        })
    }

    /// What holds without any file, with these computers.
    #[cfg(test)]
    pub(super) fn built_in(inventory: &Inventory) -> Self {
        let nowhere = Files {
            config: None,
            directory: None,
            queries: SearchPath(Vec::new()),
            working: None,
        };
        let loaded = Self::load(&nowhere, |_| Ok(inventory.clone()));
        Self {
            disk: Arc::new(bar::names::NoFiles),
            ..loaded.expect("what is built in is right")
        }
    }

    /// The theme in force; the one without colours where there may be none.
    pub fn theme(&self, colour: Colour) -> &Theme {
        let name = match colour {
            Colour::Allowed => self.theme.as_str(),
            Colour::None => MONO,
        };
        self.themes
            .get(name)
            .or_else(|| self.themes.get(MONO))
            .expect("mono is compiled in")
    }

    pub fn theme_name(&self) -> &str {
        &self.theme
    }

    /// Takes another theme; false if there is none of that name.
    pub fn choose_theme(&mut self, name: &str) -> bool {
        let known = self.themes.contains_key(name);
        if known {
            self.theme = name.to_string();
        }
        known
    }

    /// All themes, and where each comes from.
    pub fn theme_names(&self) -> Vec<(String, String)> {
        let named = |(name, theme): (&String, &Theme)| (name.clone(), theme.origin.to_string());
        self.themes.iter().map(named).collect()
    }

    pub fn query(&self, name: &str) -> Option<&Query> {
        self.queries.iter().find(|query| query.name == name)
    }

    /// The inventory's hosts, each with the groups it is in.
    pub fn hosts(&self) -> BTreeMap<String, Vec<String>> {
        let groups = self.inventory.groups();
        let named = |host: HostName| {
            let name = host.as_str().to_string();
            (name.clone(), groups.containing(&name))
        };
        groups.hosts().iter().map(named).collect()
    }
}

fn said<T: std::fmt::Display>(mistakes: &[T]) -> String {
    let texts: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// The inventory that the settings name.
pub fn inventory(planner: &Planner<'_>) -> Result<Inventory, String> {
    planner.inventory().map_err(|error| error.to_string())
}
