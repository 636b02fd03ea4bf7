//! Applying lines for one host.

use super::criteria::{Criterion, Subject, Wants};
use super::error::{ConfigError, Problem};
use super::exec::Commands;
use super::expand::{self, Tokens};
use super::given::{Given, Source};
use super::keywords::Keyword;
use super::parse::{Condition, ConfigFile, Line};
use super::resolve::{DEFAULT_PORT, failed};
use super::setting::Setting;
use super::{LocalEnv, Location, Note};

/// What has been set so far, and what was found on the way.
pub(super) struct Draft<'a> {
    pub(super) host: &'a str,
    pub(super) env: &'a LocalEnv,
    commands: Commands<'a>,
    pub(super) pass: Pass,
    /// Whether a `Match final` asks for another pass.
    pub(super) wants: Wants,
    pub(super) given: Given,
    /// Options without effect that were seen.
    seen: Vec<&'static Keyword>,
    pub(super) notes: Vec<Note>,
}

/// How often the files have been gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    First,
    /// For the last time, with the host's name as it came out of the first.
    Last {
        host_name: String,
    },
}

/// Whether a block's lines count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Applies {
    Yes,
    No,
    /// That hangs on a command which may not run: nothing is set, but what would have no effect is noted.
    Perhaps,
}

impl<'a> Draft<'a> {
    pub(super) fn new(host: &'a str, env: &'a LocalEnv, commands: Commands<'a>) -> Self {
        Self {
            host,
            env,
            commands,
            pass: Pass::First,
            wants: Wants::Nothing,
            given: Given::default(),
            seen: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn apply_file(&mut self, file: &ConfigFile) -> Result<(), ConfigError> {
        // The last time, blocks are those of the name that came out.
        let name = match &self.pass {
            Pass::First => self.host.to_owned(),
            Pass::Last { host_name } => host_name.clone(),
        };
        for block in file.candidates(&name) {
            let applies = match &block.condition {
                Condition::Always => Applies::Yes,
                Condition::Host(patterns) if patterns.matches(&name) => Applies::Yes,
                Condition::Host(_) => Applies::No,
                Condition::Match { criteria, at } => self.holds(criteria, at)?,
            };
            for line in &block.lines {
                match (applies, line) {
                    (Applies::No, _) | (Applies::Perhaps, Line::Include(_)) => {}
                    (Applies::Perhaps, Line::Set(setting, at)) => {
                        if let Setting::NotHonoured { .. } = setting {
                            self.apply(setting, Source::File(at))?;
                        }
                    }
                    (Applies::Yes, Line::Set(setting, at)) => {
                        self.apply(setting, Source::File(at))?;
                    }
                    (Applies::Yes, Line::Include(files)) => {
                        files.iter().try_for_each(|file| self.apply_file(file))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a `Match` line applies to what is known so far. One that hangs on a criterion that is not evaluated
    /// does not, and is noted.
    fn holds(&mut self, criteria: &[Criterion], at: &Location) -> Result<Applies, ConfigError> {
        let mut holds = true;
        let mut unasked = false;
        let mut not_evaluated = None;
        for Criterion { negated, subject } in criteria {
            let matched = match subject {
                Subject::All => true,
                Subject::Host(patterns) => {
                    patterns.matches(&self.current_host_name()?.to_ascii_lowercase())
                }
                Subject::OriginalHost(patterns) => {
                    patterns.matches(&self.host.to_ascii_lowercase())
                }
                Subject::User(patterns) => patterns.matches(self.current_user()),
                Subject::LocalUser(patterns) => patterns.matches(&self.env.user),
                Subject::LastPass { wants } => {
                    if *wants == Wants::AnotherPass {
                        self.wants = Wants::AnotherPass;
                    }
                    matches!(self.pass, Pass::Last { .. })
                }
                // Only if all before it holds; its command is looked at in any case.
                Subject::Exec(command) => {
                    let command = self.match_command(command, at)?;
                    if !holds {
                        continue;
                    }
                    match self.commands {
                        Commands::Skip => {
                            unasked = true;
                            continue;
                        }
                        Commands::Run(answers) => answers
                            .ask(&command, self.env)
                            .map_err(|problem| self.failed_at(at, problem))?,
                    }
                }
                Subject::NotEvaluated(name) => {
                    not_evaluated.get_or_insert(name);
                    continue;
                }
            };
            holds &= matched != *negated;
        }
        if let Some(name) = not_evaluated.filter(|_| holds) {
            let note = Note::MatchNotEvaluated {
                criterion: name.clone(),
                at: at.clone(),
            };
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Ok(match (holds && not_evaluated.is_none(), unasked) {
            (false, _) => Applies::No,
            (true, true) => Applies::Perhaps,
            (true, false) => Applies::Yes,
        })
    }

    /// The command of a `Match exec` for this host, as things stand.
    fn match_command(&self, command: &str, at: &Location) -> Result<String, ConfigError> {
        let host_name = self.current_host_name()?;
        let alias = self.given.host_key_alias.as_ref();
        let tokens = Tokens {
            env: self.env,
            original_host: self.host,
            host_name: &host_name,
            key_alias: alias.map_or(&host_name, |alias| &alias.value),
            user: self.current_user(),
            port: self
                .given
                .port
                .as_ref()
                .map_or(DEFAULT_PORT, |port| port.value),
        };
        tokens
            .command(command)
            .map_err(|problem| self.failed_at(at, problem))
    }

    fn failed_at(&self, at: &Location, problem: Problem) -> ConfigError {
        failed(self.host, super::Origin::File(at.clone()), problem)
    }

    fn current_user(&self) -> &str {
        let user = self.given.user.as_ref();
        user.map_or(&self.env.user, |user| &user.value)
    }

    pub(super) fn current_host_name(&self) -> Result<String, ConfigError> {
        if let Pass::Last { host_name } = &self.pass {
            return Ok(host_name.clone());
        }
        match &self.given.host_name {
            None => Ok(self.host.to_owned()),
            Some(name) => expand::host_name(&name.value, self.host)
                .map_err(|problem| failed(self.host, name.origin.clone(), problem)),
        }
    }

    pub(super) fn apply(
        &mut self,
        setting: &Setting,
        source: Source<'_>,
    ) -> Result<(), ConfigError> {
        let applied = match setting {
            Setting::NotHonoured {
                keyword,
                name,
                value,
            } => {
                self.note(keyword, name, value, source);
                Ok(())
            }
            Setting::Unknown { name } => self.given.allow_unknown(name),
            setting => self.given.apply(setting, source),
        };
        applied.map_err(|problem| failed(self.host, source.origin(), problem))
    }

    /// Notes an option without effect.  The first setting of one counts, also if it asks for nothing.
    fn note(&mut self, keyword: &'static Keyword, name: &str, value: &str, source: Source<'_>) {
        if self.seen.contains(&keyword) {
            return;
        }
        self.seen.push(keyword);
        if !keyword.is_fulfilled_by(value) {
            self.notes.push(Note::NotHonoured {
                name: name.to_owned(),
                value: value.to_owned(),
                loss: keyword.loss,
                origin: source.origin(),
            });
        }
    }
}
