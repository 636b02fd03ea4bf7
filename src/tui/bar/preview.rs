//! Which hosts the line means, before anything runs: as far as that can be told at once and without reading files.

use std::io;
use std::ops::Range;

use super::grammar::{self, Takes, Walk, takes};
use super::names::{Earlier, Known};
use crate::command::line::{self, LineError, Word, begun};
use crate::plan::earlier;
use crate::targets::{ErrorKind, Source, TargetError, Targets};

/// More hosts than this are not counted: it must not be felt while typing.
pub const COUNTED: usize = 20_000;

/// Names that are shown.
const NAMED: usize = 8;

/// Bytes of a folded set that are kept.
const FOLDED: usize = 200;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    Hosts {
        count: usize,
        /// In the shortest form; `None` where even that is long.
        folded: Option<String>,
        /// The first names.
        first: Vec<String>,
    },
    /// More than [`COUNTED`].
    Many,
    /// A file says, which is read when the line is run.
    Later,
    /// Hosts of earlier jobs, which the engine is asked for.
    Asked,
    Wrong {
        /// Bytes of the line.
        range: Range<usize>,
        message: String,
        certain: Certain,
    },
}

/// Whether a mistake is one whatever there is by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certain {
    Yes,
    /// It is what was known when the console last read what there is.
    AsFarAsKnown,
}

/// An expression on the line.
struct Piece {
    text: String,
    /// Where it stands on the line.
    at: Range<usize>,
}

/// The expressions on a line that mean hosts it runs on, and those that leave some out.
fn pieces(line: &str) -> Option<(Vec<Piece>, Vec<Piece>)> {
    let mut begun = begun(line);
    begun.before.push(begun.word);
    let words = begun.before;
    // The line as far as it can be read: behind `--` nothing is a target.
    let walk = Walk::along(&words)?;
    let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
    for value in &walk.values {
        if takes(walk.command, value.arg) != Takes::Targets {
            continue;
        }
        let piece = Piece::of(line, &words[value.word], value.from);
        match value.arg.get_id().as_str() {
            "targets" => wanted.push(piece),
            "exclude" => left_out.push(piece),
            // Others narrow what there is, and name nothing that runs.
            _ => {}
        }
    }
    Some((wanted, left_out))
}

/// What the targets of a line name of earlier jobs: what stands behind each `%`.
pub fn earlier(line: &str) -> Vec<String> {
    let (wanted, left_out) = pieces(line).unwrap_or_default();
    let pieces = wanted.iter().chain(&left_out);
    pieces
        .filter_map(|piece| earlier::named(&piece.text))
        .filter(|name| !name.is_empty())
        .map(str::to_string)
        .collect()
}

/// The hosts that a line's targets mean; `None` where the line names none.
pub fn preview(line: &str, known: &Known, looked_up: &Earlier) -> Option<Preview> {
    let (mut wanted, mut left_out) = pieces(line)?;
    for piece in wanted.iter_mut().chain(&mut left_out) {
        let Some(name) = earlier::named(&piece.text).filter(|name| !name.is_empty()) else {
            continue;
        };
        match looked_up.get(name) {
            Some(Ok(hosts)) => piece.text.clone_from(hosts),
            Some(Err(why)) => {
                return Some(Preview::Wrong {
                    range: piece.at.clone(),
                    message: why.clone(),
                    certain: Certain::AsFarAsKnown,
                });
            }
            None => return Some(Preview::Asked),
        }
    }
    if wanted.iter().all(|piece| piece.text.trim().is_empty()) {
        return None;
    }
    let mut refused = Refused::default();
    let joined = |pieces: &[Piece]| {
        let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        texts.join(",")
    };
    let (expression, exclude) = (joined(&wanted), joined(&left_out));
    let exclude = (!left_out.is_empty()).then_some(exclude.as_str());
    let found = Targets::new(known.groups(), &mut refused)
        .limit(COUNTED)
        .resolve(&expression, exclude);
    Some(match found {
        Ok(set) => {
            let folded = set.fold();
            Preview::Hosts {
                count: set.len(),
                folded: (folded.len() <= FOLDED).then_some(folded),
                first: set
                    .iter()
                    .take(NAMED)
                    .map(|host| host.to_string())
                    .collect(),
            }
        }
        Err(error) => match error.kind {
            ErrorKind::TooManyHosts { .. } => Preview::Many,
            ErrorKind::Unreadable { .. } if refused.file => Preview::Later,
            _ => {
                let pieces = if error.text == expression {
                    &wanted
                } else {
                    &left_out
                };
                wrong(&error, pieces, &wanted)
            }
        },
    })
}

/// What is wrong with the targets however often they are tried.
pub fn mistake(line: &str, known: &Known) -> Option<LineError> {
    match preview(line, known, &Earlier::default())? {
        Preview::Wrong {
            range,
            message,
            certain: Certain::Yes,
        } => Some(LineError {
            range,
            message,
            hint: None,
        }),
        Preview::Wrong { .. }
        | Preview::Hosts { .. }
        | Preview::Many
        | Preview::Later
        | Preview::Asked => None,
    }
}

/// The command behind `--` where it is taken without the quotes around it, so that nobody wonders which is run.
pub fn unquoted(line: &str) -> Option<String> {
    let verb = line::words(line).ok()?.into_iter().next()?;
    let is_verb = grammar::verbs().any(|command| command.get_name() == verb.text);
    is_verb.then(|| line::unquoted(line)).flatten()
}

fn wrong(error: &TargetError, pieces: &[Piece], wanted: &[Piece]) -> Preview {
    let message = match (&error.kind, &error.hint) {
        (ErrorKind::Unreadable { .. }, _) => {
            "the keys come from standard input; name a file, as in ^FILE".to_string()
        }
        (kind, Some(hint)) => format!("{kind}; {hint}"),
        (kind, None) => kind.to_string(),
    };
    let certain = match &error.kind {
        ErrorKind::UnknownGroup { .. }
        | ErrorKind::UnknownSource { .. }
        | ErrorKind::Unreadable { .. }
        // `%7.failed`: the shell knows such names.
        | ErrorKind::InvalidName(_) => Certain::AsFarAsKnown,
        _ => Certain::Yes,
    };
    // The pieces were joined by a character.
    let mut begin = 0;
    for piece in pieces {
        let end = begin + piece.text.len();
        if error.at.start <= end {
            let within = error.at.start - begin..error.at.end.min(end) - begin;
            return Preview::Wrong {
                range: piece.place(within),
                message,
                certain,
            };
        }
        begin = end + 1;
    }
    Preview::Wrong {
        range: wanted.last().map_or(0..0, |piece| piece.at.clone()),
        message,
        certain,
    }
}

impl Piece {
    fn of(line: &str, word: &Word, from: usize) -> Self {
        let text = word.text[from..].to_string();
        let written = &line[word.at.clone()];
        // Where it is written without escapes, a place in it is a place on the line.
        let at = written
            .rfind(text.as_str())
            .map_or(word.at.clone(), |offset| {
                let begin = word.at.start + offset;
                begin..begin + text.len()
            });
        Self { text, at }
    }

    fn place(&self, within: Range<usize>) -> Range<usize> {
        if self.at.len() == self.text.len() {
            self.at.start + within.start..self.at.start + within.end
        } else {
            self.at.clone()
        }
    }
}

/// Reads nothing, and knows what it was asked for.
#[derive(Default)]
struct Refused {
    file: bool,
}

impl Source for Refused {
    fn file(&mut self, _path: &str) -> io::Result<String> {
        self.file = true;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    fn stdin(&mut self) -> io::Result<String> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::{Groups, HostSet};

    fn known() -> Known {
        let set = |text: &str| text.parse::<HostSet>().expect("hosts");
        let mut groups = Groups::new("inventory");
        groups.insert("inventory", "web", set("web[01-24]"));
        groups.insert("inventory", "db", set("db[1-3]"));
        Known::new(groups)
    }

    fn seen(line: &str) -> String {
        let looked_up = Earlier::from([
            ("7.failed".to_string(), Ok("web[03,07]".to_string())),
            ("8".to_string(), Err("8: no such job".to_string())),
        ]);
        match preview(line, &known(), &looked_up) {
            None => "nothing".to_string(),
            Some(Preview::Hosts {
                count,
                folded,
                first,
            }) => {
                format!("{count} {} {}", folded.unwrap_or_default(), first.join(" "))
            }
            Some(Preview::Many) => "many".to_string(),
            Some(Preview::Later) => "later".to_string(),
            Some(Preview::Asked) => "asked".to_string(),
            Some(Preview::Wrong { range, message, .. }) => format!("{}: {message}", &line[range]),
        }
    }

    #[test]
    fn hosts_of_earlier_jobs_are_whole_arguments() {
        let cases: [(&str, &[&str]); 6] = [
            ("run -t %7.failed -x %8.web1 -- x", &["7.failed", "8.web1"]),
            ("query os -t %7", &["7"]),
            ("run -t x,%7 -- x", &[]),
            ("run -t % -- x", &[]),
            ("stop %7", &[]),
            ("run -t x -- echo -t %7", &[]),
        ];
        for (line, want) in cases {
            assert_eq!(earlier(line), want, "{line}");
        }
    }

    #[test]
    fn hosts_are_counted_before_anything_runs() {
        let cases = [
            ("run -t @db -- uptime", "3 db[1-3] db1 db2 db3"),
            ("run -t @db -x db2", "2 db[1,3] db1 db3"),
            ("run --targets=@db,x -t y", "5 db[1-3],x,y db1 db2 db3 x y"),
            ("run -t'@db'", "3 db[1-3] db1 db2 db3"),
            ("hosts @db", "3 db[1-3] db1 db2 db3"),
            ("run -t @web!@web", "0  "),
            ("run -- -t @db", "nothing"),
            ("run -t ", "nothing"),
            ("stop 7", "nothing"),
            ("jobs", "nothing"),
            ("run -t n[1-30000]", "many"),
            ("run -t ^hosts.txt,x", "later"),
            ("run -t %7.failed -- x", "2 web[03,07] web03 web07"),
            (
                "run -t @web -x %7.failed -x web01 -t x",
                "22 web[02,04-06,08-24],x web02 web04 web05 web06 web08 web09 web10 web11",
            ),
            ("run -t %9.failed -- x", "asked"),
            ("run -t %8 -- x", "%8: 8: no such job"),
            (
                "run -t @bd -- x",
                "@bd: there is no group \"bd\"; did you mean @db?",
            ),
            (
                "run -t x -t 'a,web[9-1]' -x y",
                "9-1: the range ends before it begins",
            ),
            ("run -t x -x @nope", "@nope: there is no group \"nope\""),
            (
                "run -t -",
                "-: the keys come from standard input; name a file, as in ^FILE",
            ),
        ];
        for (line, want) in cases {
            assert_eq!(seen(line), want, "{line}");
        }
    }
}
