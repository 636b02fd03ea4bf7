//! From an expression to the set of hosts it names.

use std::io;

use super::error::{ErrorKind, TargetError};
use super::grid::Op;
use super::groups::Groups;
use super::hostset::{Builder, HostSet};
use super::nearest::nearest;
use super::parse::{Operand, OperandKind, Pattern, parse};
use super::wildcard;

/// The most hosts one expression may name unless told otherwise.
pub const MAX_HOSTS: usize = 1_000_000;

/// Where `^FILE` and `-` come from. This module reads nothing itself.
pub trait Source {
    /// The text of a file of patterns: one or more in a line, `#` begins a comment.
    fn file(&mut self, path: &str) -> io::Result<String>;

    /// The same from standard input. Called at most once for each `-` in an expression.
    fn stdin(&mut self) -> io::Result<String>;
}

/// A [`Source`] for where neither makes sense.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSource;

impl Source for NoSource {
    fn file(&mut self, _path: &str) -> io::Result<String> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "files cannot be named here",
        ))
    }

    fn stdin(&mut self) -> io::Result<String> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "standard input cannot be named here",
        ))
    }
}

/// Resolves target expressions.
pub struct Targets<'a> {
    groups: &'a Groups,
    source: &'a mut dyn Source,
    limit: usize,
}

impl std::fmt::Debug for Targets<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Targets")
            .field("groups", self.groups)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Whether `^FILE` and `-` may be followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Outer,
    InFile,
}

impl<'a> Targets<'a> {
    pub fn new(groups: &'a Groups, source: &'a mut dyn Source) -> Self {
        Self {
            groups,
            source,
            limit: MAX_HOSTS,
        }
    }

    /// Refuses whatever names more hosts than this; [`MAX_HOSTS`] by default.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The hosts of `expression` without those of `exclude`. A wildcard or a group can match nothing, so the set can be empty.
    pub fn resolve(
        &mut self,
        expression: &str,
        exclude: Option<&str>,
    ) -> Result<HostSet, TargetError> {
        let taken = self.evaluate(expression, Nesting::Outer)?;
        match exclude {
            Some(exclude) => Ok(taken.minus(&self.evaluate(exclude, Nesting::Outer)?)),
            None => Ok(taken),
        }
    }

    fn evaluate(&mut self, text: &str, nesting: Nesting) -> Result<HostSet, TargetError> {
        let mut union = Builder::default();
        for pattern in parse(text, self.limit)?.patterns {
            self.evaluate_pattern(text, pattern, nesting, &mut union)?;
        }
        let set = union.build();
        self.check_size(text, &set)?;
        Ok(set)
    }

    /// Adds what the pattern names to `union`.
    fn evaluate_pattern(
        &mut self,
        text: &str,
        pattern: Pattern,
        nesting: Nesting,
        union: &mut Builder,
    ) -> Result<(), TargetError> {
        // A pattern of unions only goes straight into the builder: long lists are sorted once.
        if pattern.iter().all(|(op, _)| *op == Op::Union) {
            return pattern
                .into_iter()
                .try_for_each(|(_, operand)| self.add_operand(text, operand, nesting, union));
        }
        let mut left = HostSet::default();
        let mut pending = Builder::default();
        for (op, operand) in pattern {
            if op == Op::Union {
                self.add_operand(text, operand, nesting, &mut pending)?;
                continue;
            }
            left = absorb(left, &mut pending);
            let mut right = Builder::default();
            self.add_operand(text, operand, nesting, &mut right)?;
            left = left.combine(&right.build(), op);
            self.check_size(text, &left)?;
        }
        union.add_set(&absorb(left, &mut pending));
        Ok(())
    }

    fn add_operand(
        &mut self,
        text: &str,
        operand: Operand,
        nesting: Nesting,
        union: &mut Builder,
    ) -> Result<(), TargetError> {
        let Operand { at, kind } = operand;
        let error = |kind| TargetError {
            origin: None,
            text: text.to_owned(),
            at: at.clone(),
            kind,
            hint: None,
        };
        match kind {
            OperandKind::Hosts(term) => term.add_to(union),
            OperandKind::Masks(masks) => {
                for mask in &masks {
                    wildcard::matching(self.groups.hosts(), mask.as_str(), union);
                }
            }
            OperandKind::Groups { source, names } => {
                for name in &names {
                    let found = self.groups_named(source.as_deref(), name.as_str());
                    found
                        .map_err(|(kind, hint)| TargetError {
                            hint,
                            ..error(kind)
                        })?
                        .iter()
                        .for_each(|set| union.add_set(set));
                }
            }
            OperandKind::File(path) => {
                if nesting == Nesting::InFile {
                    return Err(error(ErrorKind::NestedSource));
                }
                let content = self
                    .source
                    .file(&path)
                    .map_err(|why| error(unreadable(&path, &why)))?;
                self.add_lines(&path, &content, union)?;
            }
            OperandKind::Stdin => {
                if nesting == Nesting::InFile {
                    return Err(error(ErrorKind::NestedSource));
                }
                let what = "standard input";
                let content = self
                    .source
                    .stdin()
                    .map_err(|why| error(unreadable(what, &why)))?;
                self.add_lines(what, &content, union)?;
            }
        }
        Ok(())
    }

    /// Every line of a file is an expression of its own, as in ClusterShell; `#` begins a comment.
    fn add_lines(
        &mut self,
        origin: &str,
        content: &str,
        union: &mut Builder,
    ) -> Result<(), TargetError> {
        let content = content.strip_prefix('\u{feff}').unwrap_or(content);
        for (number, line) in content.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let added = parse(line, self.limit).and_then(|expression| {
                expression.patterns.into_iter().try_for_each(|pattern| {
                    self.evaluate_pattern(line, pattern, Nesting::InFile, union)
                })
            });
            added.map_err(|error| TargetError {
                origin: Some(format!("{origin}:{}", number + 1)),
                ..error
            })?;
        }
        Ok(())
    }

    /// The groups a name or mask stands for. A mask can stand for none; a plain name cannot.
    fn groups_named(
        &self,
        source: Option<&str>,
        name: &str,
    ) -> Result<Vec<&'a HostSet>, (ErrorKind, Option<String>)> {
        let groups = self.groups;
        if let Some(source) = source
            && !groups.has_source(source)
        {
            let hint = nearest(source, groups.sources())
                .map(|near| format!("did you mean @{near}:{name}?"));
            return Err((
                ErrorKind::UnknownSource {
                    name: source.to_owned(),
                },
                hint,
            ));
        }
        if name == "*" && source.is_none() {
            return Ok(vec![groups.hosts()]);
        }
        if wildcard::is_mask(name) {
            let matching = groups
                .of_source(source)
                .filter(|(group, _)| wildcard::matches(name, group));
            return Ok(matching.map(|(_, hosts)| hosts).collect());
        }
        groups
            .get(source, name)
            .map(|hosts| vec![hosts])
            .ok_or_else(|| {
                let known = groups.of_source(source).map(|(group, _)| group);
                let hint = nearest(name, known).map(|near| match source {
                    Some(source) => format!("did you mean @{source}:{near}?"),
                    None => format!("did you mean @{near}?"),
                });
                (
                    ErrorKind::UnknownGroup {
                        name: name.to_owned(),
                    },
                    hint,
                )
            })
    }

    fn check_size(&self, text: &str, set: &HostSet) -> Result<(), TargetError> {
        if set.len() <= self.limit {
            return Ok(());
        }
        let kind = ErrorKind::TooManyHosts {
            count: set.len() as u64,
            limit: self.limit,
        };
        Err(TargetError {
            origin: None,
            text: text.to_owned(),
            at: 0..text.len(),
            kind,
            hint: None,
        })
    }
}

fn unreadable(what: &str, why: &io::Error) -> ErrorKind {
    ErrorKind::Unreadable {
        what_and_why: format!("{what:?}: {why}"),
    }
}

/// `left` with everything pending added to it.
fn absorb(left: HostSet, pending: &mut Builder) -> HostSet {
    if pending.is_empty() {
        return left;
    }
    let added = std::mem::take(pending).build();
    if left.is_empty() {
        added
    } else {
        left.union(&added)
    }
}
