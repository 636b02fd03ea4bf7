//! What can be set for a console that is open, in place of what the settings say.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};

use super::duration::parse_duration;
use super::look::ignored;
use crate::core::alike::Ignored;

/// Something that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Set {
    /// How everything is painted
    Theme { name: String },
    /// Whether the mouse is the console's
    Mouse { switch: Switch },
    /// Whether lines are drawn with - and | only
    Ascii { switch: Switch },
    /// Whether times are shown in UTC
    Utc { switch: Switch },
    /// Whether long lines of output are wrapped
    Wrap { switch: Switch },
    /// When lines of output came: not, by the clock, since the start
    Times { times: Times },
    /// Whether the host stands before each line of several hosts' output
    Prefix { switch: Switch },
    /// What output may differ in where children that came to the same are put together
    Ignore {
        #[arg(value_name = "WHAT", required = true, value_delimiter = ',', value_parser = ignored())]
        what: Vec<Ignored>,
    },
    /// What tells of a job that has ended while the terminal is not looked at
    Notify { how: Notify },
    /// How long a job takes at least that is told of
    #[command(name = "notify_after")]
    NotifyAfter {
        #[arg(value_name = "TIME", value_parser = parse_duration)]
        time: Duration,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    #[value(aliases = ["true", "always"])]
    On,
    #[value(aliases = ["false", "never"])]
    Off,
}

/// Which times stand before lines of output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Times {
    Off,
    Clock,
    #[value(name = "start")]
    SinceStart,
}

/// How the terminal is told that a job has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Notify {
    /// By the bell, which every terminal knows
    Auto,
    Bell,
    Osc9,
    Osc777,
    Off,
}
