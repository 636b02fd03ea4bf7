//! The catalog: which jobs there are, and how each child stands.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::schema::{self, Trouble};
use super::work::{JobRow, Records};
use crate::core::ids::{ChildId, JobId};
use crate::core::job::{Pin, Queue};
use crate::core::output::{Account, Count, Gap, Position, Stream};
use crate::core::saved::{Course, SavedChild, SavedJob, SavedState};
use crate::core::spec::JobSpec;
use crate::core::time::Wall;
use crate::serial::{JobSpecDef, SavedStateDef};

/// How long a removed job is remembered in the history.
const HISTORY: i64 = 90 * 24 * 3600 * 1000;

/// The catalog, open for its one writer.
#[derive(Debug)]
pub(super) struct Catalog {
    db: Connection,
}

/// What a store begins with.
#[derive(Debug)]
pub(super) struct Contents {
    /// Random, and never changed: it makes names unique across stores.
    pub(super) key: u64,
    /// The first id that was never used.
    pub(super) next_id: u64,
    pub(super) jobs: Vec<SavedJob>,
    pub(super) removed: BTreeMap<JobId, Wall>,
}

/// A job's specification as text.
#[derive(Serialize, Deserialize)]
pub(super) struct Spec(#[serde(with = "JobSpecDef")] pub(super) JobSpec);

#[derive(Serialize)]
struct SpecRef<'a>(#[serde(with = "JobSpecDef")] &'a JobSpec);

/// A child as it is written down: an array in MessagePack, to which later versions may add at the end.
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(with = "SavedStateDef")]
    state: SavedState,
    pid: Option<u32>,
    began: Option<i64>,
    ended: Option<i64>,
    exit: Option<i32>,
    signal: Option<String>,
    end: Place,
    gap: Option<(Place, Place)>,
    received: [(u64, u64); 2],
}

/// Bytes and lines of standard output, then of standard error.
type Place = [(u64, u64); 2];

impl Catalog {
    /// Opens the catalog, or makes it, and reads what is in it.
    pub(super) fn open(path: &Path, now: Wall) -> Result<(Self, Contents), Trouble> {
        let mut db = schema::open_catalog(path)?;
        let begin = db.transaction()?;
        let key = meta(&begin, "key", || rand::random::<u32>().into())?;
        let next_id = meta(&begin, "next_id", || 1)?;
        begin.execute(
            "DELETE FROM job WHERE removed < ?1",
            [now.0.saturating_sub(HISTORY)],
        )?;
        begin.commit()?;
        let jobs = load(&db)?;
        let contents = Contents {
            key: key as u64,
            next_id: next_id as u64,
            jobs,
            removed: removed(&db)?,
        };
        Ok((Self { db }, contents))
    }

    /// Writes what has changed, all of it or nothing.
    pub(super) fn write(&mut self, records: &Records, now: Wall) -> Result<(), Trouble> {
        if records.is_empty() {
            return Ok(());
        }
        let transaction = self.db.transaction()?;
        for (id, job) in &records.jobs {
            write_job(&transaction, *id, job)?;
        }
        {
            let mut put = transaction.prepare_cached(
                "INSERT OR REPLACE INTO child (id, state, body) VALUES (?1, ?2, ?3)",
            )?;
            for (id, child) in &records.children {
                put.execute(params![id.0 as i64, word(&child.state), body(child)?])?;
            }
        }
        for id in &records.removed {
            // A child's id lies between its master's and the next master's.
            transaction.execute(
                "DELETE FROM child WHERE id > ?1 \
                 AND id < coalesce((SELECT min(id) FROM job WHERE id > ?1), 9223372036854775807)",
                [id.0 as i64],
            )?;
            transaction.execute(
                "UPDATE job SET removed = ?2 WHERE id = ?1",
                params![id.0 as i64, now.0],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn meta(db: &Connection, key: &str, first: impl FnOnce() -> i64) -> Result<i64, Trouble> {
    let found = db
        .query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| {
            row.get(0)
        })
        .optional()?;
    if let Some(value) = found {
        return Ok(value);
    }
    let value = first();
    db.execute(
        "INSERT INTO meta (key, value) VALUES (?1, ?2)",
        params![key, value],
    )?;
    Ok(value)
}

fn write_job(db: &Transaction<'_>, id: JobId, job: &JobRow) -> Result<(), Trouble> {
    let course = job.course;
    let changed = db
        .prepare_cached(
            "UPDATE job SET state = ?2, fanout = ?3, paused = ?4, pinned = ?5, began = ?6, ended = ?7 \
             WHERE id = ?1",
        )?
        .execute(params![
            id.0 as i64,
            job.state.word(),
            course.fanout.get(),
            course.queue == Queue::Paused,
            course.pin == Pin::On,
            course.began.map(|at| at.0),
            course.ended.map(|at| at.0),
        ])?;
    if changed > 0 {
        return Ok(());
    }
    let spec = serde_json::to_string(&SpecRef(&job.spec))
        .map_err(|error| Trouble::Corrupt(error.to_string()))?;
    db.prepare_cached(
        "INSERT INTO job (id, name, command, targets, spec, state, fanout, paused, pinned, created, began, ended) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        id.0 as i64,
        job.spec.name.as_deref().unwrap_or_default(),
        job.spec.payload.title(),
        job.spec.targets,
        spec,
        job.state.word(),
        course.fanout.get(),
        course.queue == Queue::Paused,
        course.pin == Pin::On,
        course.created.0,
        course.began.map(|at| at.0),
        course.ended.map(|at| at.0),
    ])?;
    db.execute(
        "UPDATE meta SET value = max(value, ?1) WHERE key = 'next_id'",
        [(id.0 + 1 + job.spec.hosts.len() as u64) as i64],
    )?;
    Ok(())
}

/// A column of bytes.
pub(super) fn blob<'a>(row: &'a Row<'_>, at: usize) -> Result<&'a [u8], Trouble> {
    row.get_ref(at)?
        .as_blob()
        .map_err(|error| Trouble::corrupt(&error.to_string()))
}

/// All jobs that were not removed, with their children.
fn load(db: &Connection) -> Result<Vec<SavedJob>, Trouble> {
    let mut query = db.prepare(
        "SELECT id, spec, fanout, paused, pinned, created, began, ended FROM job \
         WHERE removed IS NULL ORDER BY id",
    )?;
    let mut rows = query.query([])?;
    let mut jobs = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let job = job(row)?;
        jobs.insert(job.id, job);
    }
    let mut query = db.prepare("SELECT id, body FROM child ORDER BY id")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let id = ChildId(row.get::<_, i64>(0)? as u64);
        let Some((of, job)) = jobs.range_mut(..JobId(id.0)).next_back() else {
            continue;
        };
        let Some(index) = of
            .index_of(id)
            .filter(|index| *index < job.spec.hosts.len())
        else {
            continue;
        };
        job.children.push((index, child(blob(row, 1)?)?));
    }
    Ok(jobs.into_values().collect())
}

/// When jobs were removed that are remembered.
fn removed(db: &Connection) -> Result<BTreeMap<JobId, Wall>, Trouble> {
    let mut query = db.prepare("SELECT id, removed FROM job WHERE removed IS NOT NULL")?;
    let rows = query.query_map([], |row| {
        Ok((JobId(row.get::<_, i64>(0)? as u64), Wall(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn job(row: &Row<'_>) -> Result<SavedJob, Trouble> {
    let text: String = row.get(1)?;
    let Spec(spec) =
        serde_json::from_str(&text).map_err(|error| Trouble::Corrupt(error.to_string()))?;
    let fanout = NonZeroU32::new(row.get(2)?)
        .ok_or_else(|| Trouble::corrupt("a job without a limit of children"))?;
    let course = Course {
        fanout,
        queue: if row.get(3)? {
            Queue::Paused
        } else {
            Queue::Flowing
        },
        pin: if row.get(4)? { Pin::On } else { Pin::Off },
        created: Wall(row.get(5)?),
        began: row.get::<_, Option<i64>>(6)?.map(Wall),
        ended: row.get::<_, Option<i64>>(7)?.map(Wall),
    };
    Ok(SavedJob {
        id: JobId(row.get::<_, i64>(0)? as u64),
        spec: Arc::new(spec),
        course,
        children: Vec::new(),
    })
}

/// The state's word, for people who look into the file.
fn word(state: &SavedState) -> &'static str {
    match state {
        SavedState::NotStarted => "NotStarted",
        SavedState::Live => "Live",
        SavedState::Stopping(_) => "Stopping",
        SavedState::Disconnected { .. } => "Disconnected",
        SavedState::Completed => "Completed",
        SavedState::Failed(_) => "Failed",
        SavedState::Stopped(_) => "Stopped",
    }
}

fn body(child: &SavedChild) -> Result<Vec<u8>, Trouble> {
    let written = |position: Position| -> Place {
        Stream::BOTH.map(|stream| (position.of(stream).bytes, position.of(stream).lines))
    };
    let output = &child.output;
    let body = Body {
        state: child.state.clone(),
        pid: child.pid,
        began: child.began.map(|at| at.0),
        ended: child.ended.map(|at| at.0),
        exit: child.exit,
        signal: child.signal.clone(),
        end: written(output.end),
        gap: output.gap.map(|gap| (written(gap.from), written(gap.to))),
        received: Stream::BOTH.map(|stream| {
            let received = output.received(stream);
            (received.bytes, received.lines)
        }),
    };
    rmp_serde::to_vec(&body).map_err(|error| Trouble::Corrupt(error.to_string()))
}

fn child(body: &[u8]) -> Result<SavedChild, Trouble> {
    let body: Body =
        rmp_serde::from_slice(body).map_err(|error| Trouble::Corrupt(error.to_string()))?;
    let count = |(bytes, lines): (u64, u64)| Count { bytes, lines };
    let position = |[out, err]: Place| Position {
        out: count(out),
        err: count(err),
    };
    let gap = body.gap.map(|(from, to)| Gap {
        from: position(from),
        to: position(to),
    });
    Ok(SavedChild {
        state: body.state,
        pid: body.pid,
        began: body.began.map(Wall),
        ended: body.ended.map(Wall),
        exit: body.exit,
        signal: body.signal,
        output: Account::of(position(body.end), gap, body.received.map(count)),
    })
}
