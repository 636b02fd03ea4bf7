//! The history: jobs that are here and jobs that were, as the catalog remembers them.

use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, Row, params};

use super::Store;
use super::catalog::Spec;
use super::schema::{self, Trouble};
use crate::core::ids::JobId;
use crate::core::select::glob;
use crate::core::spec::{Above, JobSpec};
use crate::core::state::State;
use crate::core::time::Wall;

/// What is looked for.  A part that is empty matches every job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    pub ids: Vec<JobId>,
    /// Each of them is in the job's name or in its command, in whatever case.
    pub words: Vec<String>,
    /// Names or globs, of which one matches one of the job's hosts.
    pub hosts: Option<Vec<String>>,
    pub states: Vec<State>,
    /// When the job was made.
    pub since: Option<Wall>,
    pub until: Option<Wall>,
    /// The newest so many.
    pub limit: usize,
}

/// A job as the catalog remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    pub id: JobId,
    pub name: String,
    pub command: String,
    pub targets: String,
    /// How many.
    pub hosts: usize,
    pub ask_above: Above,
    pub state: State,
    pub created: Wall,
    pub ended: Option<Wall>,
    /// When somebody removed it, or retention took it.
    pub removed: Option<Wall>,
}

impl Store {
    /// The jobs that match, newest first.
    pub async fn history(&self, search: Search) -> Result<Vec<Past>, Trouble> {
        self.in_catalog(move |path| find(&path, &search)).await
    }

    /// What a job was asked to do, whether it is still there or not.
    pub async fn past_spec(&self, id: JobId) -> Result<Option<JobSpec>, Trouble> {
        self.in_catalog(move |path| spec_of(&path, id)).await
    }

    /// Looks into the catalog where that may take its time.
    async fn in_catalog<T: Send + 'static>(
        &self,
        look: impl FnOnce(PathBuf) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Trouble> {
        let path = self.dir().join("catalog.db");
        tokio::task::spawn_blocking(move || look(path))
            .await
            .unwrap_or_else(|panic| Err(Trouble::corrupt(&panic.to_string())))
    }
}

fn find(path: &std::path::Path, search: &Search) -> Result<Vec<Past>, Trouble> {
    let db = schema::open_to_read(path)?;
    let mut query = db.prepare(
        "SELECT id, name, command, targets, state, created, ended, removed, spec FROM job \
         WHERE created BETWEEN ?1 AND ?2 ORDER BY id DESC",
    )?;
    let since = search.since.map_or(i64::MIN, |at| at.0);
    let until = search.until.map_or(i64::MAX, |at| at.0);
    let mut rows = query.query(params![since, until])?;
    let words: Vec<String> = search
        .words
        .iter()
        .map(|word| word.to_lowercase())
        .collect();
    let mut found = Vec::new();
    while found.len() < search.limit
        && let Some(row) = rows.next()?
    {
        let mut past = past(row)?;
        if !search.takes(&past, &words) {
            continue;
        }
        // The longest column is read only of what matches so far.
        let spec = spec(row, 8)?;
        past.hosts = spec.hosts.len();
        past.ask_above = spec.ask_above;
        if search.takes_hosts(&spec) {
            found.push(past);
        }
    }
    Ok(found)
}

impl Search {
    /// Whether everything but the hosts matches; `words` are in lower case.
    fn takes(&self, past: &Past, words: &[String]) -> bool {
        let (name, command) = (past.name.to_lowercase(), past.command.to_lowercase());
        (self.ids.is_empty() || self.ids.contains(&past.id))
            && (self.states.is_empty() || self.states.contains(&past.state))
            && (words.iter()).all(|word| name.contains(word) || command.contains(word))
    }

    fn takes_hosts(&self, spec: &JobSpec) -> bool {
        self.hosts.as_ref().is_none_or(|patterns| {
            let matches = |name: &str| patterns.iter().any(|pattern| glob(pattern, name));
            spec.hosts.iter().any(|host| matches(&host.name))
        })
    }
}

/// A row but for its hosts.
fn past(row: &Row<'_>) -> Result<Past, Trouble> {
    let id = JobId(row.get::<_, i64>(0)? as u64);
    let name: String = row.get(1)?;
    let state: String = row.get(4)?;
    Ok(Past {
        id,
        name: if name.is_empty() {
            format!("Job{id}")
        } else {
            name
        },
        command: row.get(2)?,
        targets: row.get(3)?,
        hosts: 0,
        ask_above: Above::default(),
        state: (state.parse())
            .map_err(|_| Trouble::Corrupt(format!("{state:?} is no state of a job")))?,
        created: Wall(row.get(5)?),
        ended: row.get::<_, Option<i64>>(6)?.map(Wall),
        removed: row.get::<_, Option<i64>>(7)?.map(Wall),
    })
}

fn spec(row: &Row<'_>, column: usize) -> Result<JobSpec, Trouble> {
    let text = row.get_ref(column)?;
    let text = text
        .as_str()
        .map_err(|error| Trouble::corrupt(&error.to_string()))?;
    let Spec(spec) =
        serde_json::from_str(text).map_err(|error| Trouble::Corrupt(error.to_string()))?;
    Ok(spec)
}

fn spec_of(path: &std::path::Path, id: JobId) -> Result<Option<JobSpec>, Trouble> {
    let db = schema::open_to_read(path)?;
    let found = db
        .query_row("SELECT spec FROM job WHERE id = ?1", [id.0 as i64], |row| {
            Ok(spec(row, 0))
        })
        .optional()?;
    found.transpose()
}
