//! The lines that were typed before: going back through those that begin alike, looking for one, and the grey suggestion.
//!
//! Pure but for [`History::load`] and [`History::append`], which [`super::file`] does.

use std::io;
use std::path::Path;

use super::file;

/// Lines that are kept.
pub const KEPT: usize = 2_000;

/// Lines, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    lines: Vec<String>,
}

impl History {
    /// What is in the file; nothing where there is none, or none that can be read.
    pub fn load(path: Option<&Path>) -> Self {
        Self::of(path.map(file::read).unwrap_or_default())
    }

    /// Adds a line to the file, unless it is one that is not to be kept.
    pub fn append(path: &Path, line: &str) -> io::Result<()> {
        if is_kept(line) {
            file::append(path, line)
        } else {
            Ok(())
        }
    }

    fn of(lines: Vec<String>) -> Self {
        let mut history = Self::default();
        for line in lines {
            history.push(&line);
        }
        history
    }

    /// Remembers a line that was run.  What stands there already goes to the end.
    pub fn push(&mut self, line: &str) {
        if !is_kept(line) {
            return;
        }
        self.lines.retain(|known| known != line);
        self.lines.push(line.to_string());
        let surplus = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..surplus);
    }

    /// The next older line that begins with `prefix`, and its number; `from` is the number of the one that is shown.
    pub fn older(&self, prefix: &str, from: Option<usize>) -> Option<(usize, &str)> {
        let end = from.unwrap_or(self.lines.len()).min(self.lines.len());
        let fits = |(_, line): &(usize, &String)| line.starts_with(prefix) && **line != prefix;
        let found = self.lines[..end].iter().enumerate().rev().find(fits);
        found.map(|(number, line)| (number, line.as_str()))
    }

    /// The next newer one; `None` after the newest.
    pub fn newer(&self, prefix: &str, from: usize) -> Option<(usize, &str)> {
        let fits = |(_, line): &(usize, &String)| line.starts_with(prefix) && **line != prefix;
        let mut later = self.lines.iter().enumerate().skip(from + 1);
        later
            .find(fits)
            .map(|(number, line)| (number, line.as_str()))
    }

    /// The newest line before the one numbered `before` that holds `text`.
    pub fn holding(&self, text: &str, before: Option<usize>) -> Option<(usize, &str)> {
        if text.is_empty() {
            return None;
        }
        let end = before.unwrap_or(self.lines.len()).min(self.lines.len());
        let found = self.lines[..end]
            .iter()
            .enumerate()
            .rev()
            .find(|(_, line)| line.contains(text));
        found.map(|(number, line)| (number, line.as_str()))
    }

    /// What the newest line that begins like this goes on with.
    pub fn suggestion(&self, typed: &str) -> Option<&str> {
        if typed.trim().is_empty() {
            return None;
        }
        let (_, line) = self.older(typed, None)?;
        line.strip_prefix(typed)
    }
}

/// A leading space keeps a line out, as in shells.
fn is_kept(line: &str) -> bool {
    !line.trim().is_empty() && !line.starts_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history() -> History {
        let lines = [
            "jobs",
            "run -t web -- uptime",
            "stop 7",
            "run -t db -- df",
            "jobs",
        ];
        History::of(lines.map(str::to_string).to_vec())
    }

    #[test]
    fn going_back_keeps_to_lines_that_begin_alike() {
        let history = history();
        let (first, line) = history.older("run", None).expect("a line");
        assert_eq!(line, "run -t db -- df");
        let (second, line) = history.older("run", Some(first)).expect("a line");
        assert_eq!(line, "run -t web -- uptime");
        assert_eq!(history.older("run", Some(second)), None);
        assert_eq!(
            history.newer("run", second),
            Some((first, "run -t db -- df"))
        );
        assert_eq!(history.newer("run", first), None);
        // What stood there twice stands at the end only.
        let all: Vec<&str> = history.lines.iter().map(String::as_str).collect();
        assert_eq!(
            all,
            ["run -t web -- uptime", "stop 7", "run -t db -- df", "jobs"]
        );
    }

    #[test]
    fn lines_are_suggested_and_found_by_what_they_hold() {
        let history = history();
        assert_eq!(history.suggestion("run -t "), Some("db -- df"));
        assert_eq!(history.suggestion("jobs"), None);
        assert_eq!(history.suggestion(""), None);
        let (at, line) = history.holding("-- ", None).expect("a line");
        assert_eq!(line, "run -t db -- df");
        assert_eq!(
            history.holding("-- ", Some(at)).map(|(_, line)| line),
            Some("run -t web -- uptime")
        );
    }

    #[test]
    fn a_leading_space_keeps_a_line_out_and_old_lines_go() {
        let mut history = History::default();
        history.push(" secret");
        history.push("  ");
        assert_eq!(history, History::default());
        for n in 0..=KEPT {
            history.push(&format!("run {n}"));
        }
        assert_eq!(history.lines.len(), KEPT);
        assert_eq!(history.lines[0], "run 1");
    }
}
