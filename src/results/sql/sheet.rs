//! The tables there are, and what of them a statement needs: only that is filled in.

use std::collections::BTreeSet;

use crate::results::shape::Column;

/// One table: the rows of all jobs of a query, and each job's as a view `QUERY_JOB`.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub name: String,
    pub columns: Vec<Column>,
    pub jobs: Vec<u64>,
}

impl Sheet {
    /// The name a query's table has: what SQL takes without quotes.
    pub fn named(query: &str) -> String {
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        };
        let name: String = query.chars().map(plain).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("q_{name}")
        } else {
            name
        }
    }
}

/// What a statement needs of one sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needed {
    pub jobs: BTreeSet<u64>,
    /// The places of its columns.
    pub columns: BTreeSet<usize>,
}

impl Sheet {
    /// What is needed of it: `reads` are the columns that SQLite says are read, each with the view through which, and
    /// `statement` is in small letters.
    pub(super) fn needed<'a>(
        &self,
        reads: impl Iterator<Item = (&'a str, Option<&'a str>)>,
        statement: &str,
    ) -> Needed {
        let mut needed = Needed::default();
        for (column, through) in reads {
            let named = |known: &Column| known.name.eq_ignore_ascii_case(column);
            needed.columns.extend(self.columns.iter().position(named));
            let of = through.and_then(|view| view.rsplit_once('_')?.1.parse().ok());
            match of {
                Some(job) if self.jobs.contains(&job) => _ = needed.jobs.insert(job),
                _ => needed.jobs.extend(&self.jobs),
            }
        }
        // Of columns that USING and NATURAL join by, SQLite does not say that they are read.
        if statement.contains("join") {
            let jobs = self.mentioned(statement);
            if !jobs.is_empty() {
                needed.jobs.extend(jobs);
                needed.columns.extend(0..self.columns.len());
            }
        }
        needed
    }

    /// The jobs whose rows a text in small letters may speak of: those of views it names, and all where it names the
    /// table.
    fn mentioned(&self, text: &str) -> BTreeSet<u64> {
        let mut jobs = BTreeSet::new();
        for (at, name) in text.match_indices(&self.name) {
            let after = &text[at + name.len()..];
            let digits = after.strip_prefix('_').map_or("", |after| {
                let end = after.find(|c: char| !c.is_ascii_digit());
                &after[..end.unwrap_or(after.len())]
            });
            match digits.parse() {
                Ok(job) if self.jobs.contains(&job) => _ = jobs.insert(job),
                _ => jobs.extend(&self.jobs),
            }
        }
        jobs
    }
}
