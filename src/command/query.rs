//! `query`: a named query as a job.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::begin::parse_name;
use super::duration::parse_duration;
use super::number::parse_count;
use super::rows::RowArgs;
use super::{Become, Begin, TargetArgs};

#[derive(Clone, Debug, Args)]
pub struct QueryRun {
    /// The query's name; `regatta queries` lists them
    pub query: String,
    #[command(flatten)]
    pub on: TargetArgs,
    /// Ask this computer instead of others over SSH
    #[arg(long, conflicts_with_all = ["targets", "exclude"])]
    pub local: bool,
    /// Set a parameter of the query
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub param: Vec<(String, String)>,
    /// Take a secret of the query from env:VARIABLE, file:PATH or stdin, instead of being asked for it
    #[arg(long, value_name = "NAME=FROM", value_parser = parse_secret)]
    pub secret: Vec<(String, SecretFrom)>,
    /// Name the job, if not like the query
    #[arg(short, long, value_parser = parse_name)]
    pub name: Option<String>,
    #[command(flatten)]
    pub begin: Begin,
    /// How many children run at once
    #[arg(short, long, value_name = "N", value_parser = parse_count, allow_negative_numbers = true)]
    pub fanout: Option<NonZeroU32>,
    /// How long the query may run on a host, if not as long as it says itself
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub becomes: Become,
    /// What is said of rows waits for them, as --wait does.
    #[command(flatten)]
    pub rows: RowArgs,
}

impl QueryRun {
    /// The variables of the environment that secrets are in.
    pub fn secret_variables(&self) -> Vec<String> {
        let variable = |(_, from): &(String, SecretFrom)| match from {
            SecretFrom::Variable(name) => Some(name.clone()),
            SecretFrom::File(_) | SecretFrom::Stdin => None,
        };
        self.secret.iter().filter_map(variable).collect()
    }
}

/// Where a secret is taken from: never from the command line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    Variable(String),
    File(PathBuf),
    Stdin,
}

fn parse_secret(text: &str) -> Result<(String, SecretFrom), String> {
    // What was given may be the secret itself, and is not repeated.
    let wrong = || "a secret is NAME=env:VARIABLE, NAME=file:PATH or NAME=stdin".to_string();
    let (name, from) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(wrong)?;
    let from = match from.split_once(':') {
        Some(("env", variable)) if !variable.is_empty() => SecretFrom::Variable(variable.into()),
        Some(("file", path)) if !path.is_empty() => SecretFrom::File(path.into()),
        None if from == "stdin" => SecretFrom::Stdin,
        Some(_) | None => return Err(wrong()),
    };
    Ok((name.to_string(), from))
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_string(), value.to_string())),
        _ => Err("a parameter is NAME=VALUE".to_string()),
    }
}
