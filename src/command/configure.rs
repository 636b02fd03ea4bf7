//! Looking at what is configured: queries, keys, themes, settings.

use clap::{Args, Subcommand};

use super::console::Place;

#[derive(Clone, Debug, Args)]
pub struct Queries {
    /// Show all of this query, as the text of a file
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Keys {
    /// Only what works at this place, with what works everywhere
    #[arg(value_name = "PLACE")]
    pub place: Option<Place>,
}

#[derive(Clone, Debug, Args)]
pub struct Themes {
    /// Show how this theme paints each role
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub action: ConfigAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum ConfigAction {
    /// Read all files there are, and say everything that is wrong with them
    Check,
    /// Show each setting with its value and where that comes from
    Show,
}
