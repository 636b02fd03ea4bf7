//! How lists were sorted and narrowed when a console was last left, and which columns they had: in a file of the
//! program's own, never in the operator's settings.
//!
//! A file that is not there, or that cannot be read, is as good as none; a word in it that means nothing is passed over.

use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::filter::Scope;
use super::hosts;
use super::tree::{Direction, Sort};
use crate::command::console::Column;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    pub columns: Option<Chosen>,
    pub sort: Sort,
    pub jobs: Scope,
    pub hosts_sort: hosts::By,
    pub hosts: Scope,
}

/// Columns that were chosen in place of those of the settings.  Once these say something else, that is newer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub columns: Vec<Column>,
    pub instead_of: Vec<Column>,
}

impl Remembered {
    /// What was remembered in this file.
    pub fn load(path: Option<&Path>) -> Self {
        let text = path.and_then(|path| std::fs::read_to_string(path).ok());
        text.map_or_else(Self::default, |text| Self::parse(&text))
    }

    /// Takes the place of what the file holds, at once or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let directory = path.parent().unwrap_or(Path::new("."));
        make_directory(directory)?;
        // Nobody else may read a temporary file.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(self.text().as_bytes())?;
        file.persist(path)?;
        Ok(())
    }

    fn text(&self) -> String {
        let list = |columns: &[Column]| {
            let words = columns.iter().map(|column| format!("{:?}", column.word()));
            format!("[{}]", words.collect::<Vec<_>>().join(", "))
        };
        let sign = match self.sort.direction {
            Direction::Up => "",
            Direction::Down => "-",
        };
        let columns = self.columns.as_ref().map(|chosen| {
            let (columns, instead_of) = (list(&chosen.columns), list(&chosen.instead_of));
            format!("columns = {columns}\ninstead-of = {instead_of}\n")
        });
        format!(
            "# Written by regatta's console.\n\
             [jobs]\n{}sort = \"{sign}{}\"\nproblems = {}\n\n\
             [hosts]\nsort = \"{}\"\nproblems = {}\n",
            columns.unwrap_or_default(),
            self.sort.column.word(),
            self.jobs == Scope::Problems,
            self.hosts_sort.word(),
            self.hosts == Scope::Problems,
        )
    }

    fn parse(text: &str) -> Self {
        let table: toml::Table = text.parse().unwrap_or_default();
        let of = |list: &str, key: &str| table.get(list)?.as_table()?.get(key).cloned();
        let word = |list, key| of(list, key)?.as_str().map(str::to_string);
        let scope = |list| match of(list, "problems").and_then(|value| value.as_bool()) {
            Some(true) => Scope::Problems,
            Some(false) | None => Scope::Everything,
        };
        let columns = |key| {
            let list = of("jobs", key)?;
            let words = list.as_array()?.iter();
            let columns = words.map(|word| Column::by_word(word.as_str()?));
            columns.collect::<Option<Vec<Column>>>()
        };
        let sort = word("jobs", "sort").and_then(|text| {
            let (word, direction) = match text.strip_prefix('-') {
                Some(word) => (word, Direction::Down),
                None => (text.as_str(), Direction::Up),
            };
            let column = Column::by_word(word)?;
            Some(Sort { column, direction })
        });
        let chosen = columns("columns")
            .zip(columns("instead-of"))
            .filter(|(columns, _)| columns.contains(&Column::Name));
        Self {
            columns: chosen.map(|(columns, instead_of)| Chosen {
                columns,
                instead_of,
            }),
            sort: sort.unwrap_or_default(),
            jobs: scope("jobs"),
            hosts_sort: word("hosts", "sort")
                .and_then(|word| hosts::By::by_word(&word))
                .unwrap_or_default(),
            hosts: scope("hosts"),
        }
    }
}

/// Makes a directory for the console's own files.
pub(super) fn make_directory(directory: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn other() -> Remembered {
        Remembered {
            columns: Some(Chosen {
                columns: vec![Column::Name, Column::Exit],
                instead_of: Column::USUAL.to_vec(),
            }),
            sort: Sort {
                column: Column::Time,
                direction: Direction::Down,
            },
            jobs: Scope::Problems,
            hosts_sort: hosts::By::Trouble,
            hosts: Scope::Problems,
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("new/console.toml");
        for remembered in [other(), Remembered::default()] {
            remembered.write(&path).expect("it can be written");
            assert_eq!(Remembered::load(Some(&path)), remembered);
        }
        let mode = |path: &Path| {
            let metadata = path.metadata().expect("it is there");
            metadata.permissions().mode() & 0o777
        };
        let parent = path.parent().expect("a directory");
        assert_eq!((mode(&path), mode(parent)), (0o600, 0o700));
        let files = parent.read_dir().expect("it can be listed").count();
        assert_eq!(files, 1, "nothing else is left");
    }

    #[test]
    fn what_cannot_be_read_is_as_good_as_nothing() {
        let usual = Remembered::default();
        let nowhere = Path::new("/nowhere/console.toml");
        assert_eq!(Remembered::load(Some(nowhere)), usual);
        assert_eq!(Remembered::load(None), usual);
        for text in [
            "",
            "[jobs",
            "jobs = 3",
            "[jobs]\nsort = 7\nproblems = \"yes\"\ncolumns = [\"name\"]\n",
            "[jobs]\nsort = \"-nothing\"\n[hosts]\nsort = \"nothing\"\n",
            "[jobs]\ncolumns = [\"name\", \"gone\"]\ninstead-of = [\"name\"]\n",
            // Without the name rows cannot be told apart.
            "[jobs]\ncolumns = [\"exit\"]\ninstead-of = [\"name\"]\n",
        ] {
            assert_eq!(Remembered::parse(text), usual, "{text}");
        }
        // What is right beside what is wrong holds.
        let partly = Remembered::parse("[jobs]\nsort = \"time\"\nproblems = 1\n[new]\nx = 1\n");
        assert_eq!(partly.sort.column, Column::Time);
    }
}
