//! All files that configure anything, read at once, with everything that is wrong with them.

use std::path::{Path, PathBuf};

use super::inventory::Inventory;
use super::keys::Keymap;
use super::queries::{self, SearchPath};
use super::settings::{File, Settings};
use super::theme::{self, Theme};
use super::{Mistake, Origin, document};

/// What came of reading everything.
#[derive(Debug, Default)]
pub struct Checked {
    /// The files there are, in the order in which they were read.
    pub files: Vec<PathBuf>,
    /// One sentence for each mistake; it begins with the file.
    pub mistakes: Vec<String>,
}

/// Reads the settings (those that are `named`, or the usual ones) and all that lies beside them.  Where the settings are wrong
/// the defaults stand in for them, so that the rest can be looked at all the same.
pub fn check(named: Option<&Path>, directory: Option<&Path>, path: &SearchPath) -> Checked {
    let mut checked = Checked::default();
    let usual = |file: &str| directory.map(|directory| directory.join(file));
    checked.file(
        named
            .map(Path::to_path_buf)
            .or_else(|| usual("config.toml")),
    );
    let settings = Settings::load(named, directory).unwrap_or_else(|error| {
        checked.mistakes.push(error.to_string());
        Settings::defaults(directory)
    });
    checked.file(usual("keys.toml"));
    if let Err(mistakes) = Keymap::load(directory) {
        checked.wrong(mistakes);
    }
    checked.themes(&settings.console.theme, directory);
    checked.inventory(&settings.inventory);
    let (queries, mistakes) = queries::load(path);
    checked.wrong(mistakes);
    checked.origins(queries.iter().map(|query| &query.origin));
    checked
}

impl Checked {
    /// Notes a file, if there is one.
    fn file(&mut self, path: Option<PathBuf>) {
        self.files.extend(path.filter(|path| path.exists()));
    }

    fn origins<'a>(&mut self, origins: impl Iterator<Item = &'a Origin>) {
        let file = |origin: &Origin| match origin {
            Origin::BuiltIn => None,
            Origin::File(path) => Some(path.clone()),
        };
        self.files.extend(origins.filter_map(file));
    }

    fn wrong(&mut self, mistakes: impl IntoIterator<Item = Mistake>) {
        for mistake in mistakes {
            let mistake = mistake.to_string();
            // A theme that others are based on is read with each of them.
            if !self.mistakes.contains(&mistake) {
                self.mistakes.push(mistake);
            }
        }
    }

    /// All themes, and whether the one that is wanted is among them.
    fn themes(&mut self, wanted: &str, directory: Option<&Path>) {
        let all = theme::list(directory).unwrap_or_else(|mistake| {
            self.wrong([mistake]);
            Vec::new()
        });
        self.origins(all.iter().map(|(_, origin)| origin));
        for name in all.iter().map(|(name, _)| name.as_str()).chain([wanted]) {
            if let Err(mistakes) = Theme::load(name, directory) {
                self.wrong(mistakes);
            }
        }
    }

    fn inventory(&mut self, file: &File) {
        let (path, required) = match file {
            File::Named(path) => (path, true),
            File::Usual(Some(path)) => (path, false),
            File::Usual(None) => return,
        };
        match document::read(path) {
            Ok(Some(text)) => {
                self.files.push(path.clone());
                if let Err(error) = Inventory::parse(&text, &path.display().to_string()) {
                    self.mistakes.push(error.to_string());
                }
            }
            Ok(None) if required => self.wrong([Mistake::of_file(path, "is not there")]),
            Ok(None) => {}
            Err(mistake) => self.wrong([mistake]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let root = tempfile::tempdir().expect("a directory");
        let files = [
            ("config.toml", "[run]\nfanuot = 3\n"),
            ("keys.toml", "[jobs]\n\"x\" = \"stpo\"\n"),
            ("inventory.toml", "[hosts.web01]\nport = \"no\"\n"),
            ("themes/mine.toml", "warning = \"rde\"\n"),
            ("themes/of-mine.toml", "based_on = \"mine\"\n"),
            ("queries/q.toml", "doc = \"D\"\n"),
            ("queries/fine.toml", "doc = \"D\"\ncommand = \"c\"\n"),
        ];
        for (file, text) in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            std::fs::write(path, text).expect("a file");
        }
        let directory = Some(root.path());
        let path = SearchPath(vec![root.path().join("queries")]);
        let checked = check(None, directory, &path);
        let wrong = [
            "config.toml: line 2: unknown field `fanuot`",
            "keys.toml:2: x: there is no command \"stpo\"; did you mean stop?",
            "mine.toml:1: warning: unknown colour \"rde\"; did you mean red?",
            "inventory.toml:2: ",
            "q.toml:1: a query needs a command or a script",
        ];
        assert_eq!(
            checked.mistakes.len(),
            wrong.len(),
            "{:?}",
            checked.mistakes
        );
        for (mistake, wrong) in checked.mistakes.iter().zip(wrong) {
            assert!(mistake.contains(wrong), "{mistake}\nnot {wrong}");
        }
        // With the first of them put right, the theme that is wanted is looked for, and a named inventory.
        std::fs::write(
            root.path().join("config.toml"),
            "inventory = \"none.toml\"\n[console]\ntheme = \"ligth\"\n",
        )
        .expect("a file");
        let checked = check(None, directory, &path);
        let has = |text: &str| {
            checked
                .mistakes
                .iter()
                .any(|mistake| mistake.contains(text))
        };
        assert!(
            has("there is no theme \"ligth\"; did you mean light?"),
            "{checked:?}"
        );
        assert!(has("none.toml: is not there"), "{checked:?}");
        let empty = tempfile::tempdir().expect("a directory");
        let nothing = check(None, Some(empty.path()), &SearchPath(Vec::new()));
        assert!(
            nothing.mistakes.is_empty() && nothing.files.is_empty(),
            "{nothing:?}"
        );
    }
}
