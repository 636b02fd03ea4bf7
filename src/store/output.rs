//! One job's output on disk: `jobs/<id>.db`, made when the first of its children writes something.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::block::Block;
use super::catalog::blob;
use super::schema::{self, Trouble};
use super::{Caps, Extent};
use crate::core::output::{Count, Gap, Position};
use crate::core::receive::Window;
use crate::core::time::Wall;

/// The parts of a block; its time comes behind them.
const COLUMNS: &str = "out_bytes, out_lines, err_bytes, err_lines, \
                       out_bytes_end, out_lines_end, err_bytes_end, err_lines_end, runs, data";

/// A gap, as [`gap`] reads it.
const CUT: &str = "out_bytes, out_lines, err_bytes, err_lines, \
                   out_bytes_end, out_lines_end, err_bytes_end, err_lines_end";

/// The file, open for the one writer.
#[derive(Debug)]
pub(super) struct OutputFile {
    db: Connection,
    /// Bytes of output in it.
    stored: u64,
    /// What each child may keep of its end, once the job as a whole has too much.
    tail: u64,
}

/// What the writer has of one child.
#[derive(Debug)]
pub(super) struct Batch {
    /// Its index in the job.
    pub(super) child: usize,
    pub(super) blocks: Vec<Arc<Block>>,
    /// What was cut so far.
    pub(super) gap: Option<Gap>,
}

/// Where a job's output is.
pub(super) fn path(dir: &Path, job: u64) -> PathBuf {
    dir.join("jobs").join(format!("{job}.db"))
}

impl OutputFile {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path, caps: &Caps) -> Result<Self, Trouble> {
        let db = schema::open_output(path)?;
        let stored = db.query_row(
            "SELECT coalesce(sum(out_bytes_end + err_bytes_end - out_bytes - err_bytes), 0) FROM block",
            [],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(Self {
            db,
            stored: stored as u64,
            tail: caps.tail as u64,
        })
    }

    /// Writes blocks of several children, cuts what is too much, and says what was cut of whom.
    pub(super) fn write(
        &mut self,
        batches: &[Batch],
        caps: &Caps,
    ) -> Result<Vec<(usize, Gap)>, Trouble> {
        let transaction = self.db.transaction()?;
        let mut added = 0;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO block (child, start, out_bytes, out_lines, err_bytes, err_lines, \
                 out_bytes_end, out_lines_end, err_bytes_end, err_lines_end, runs, data, at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?;
            for batch in batches {
                for block in &batch.blocks {
                    let (start, end) = (block.start, block.end);
                    insert.execute(params![
                        batch.child as i64,
                        start.offset() as i64,
                        start.out.bytes as i64,
                        start.out.lines as i64,
                        start.err.bytes as i64,
                        start.err.lines as i64,
                        end.out.bytes as i64,
                        end.out.lines as i64,
                        end.err.bytes as i64,
                        end.err.lines as i64,
                        block.written_runs(),
                        block.data(),
                        block.at.map(|Wall(at)| at),
                    ])?;
                    added += block.len() as u64;
                }
            }
        }
        let mut gaps = Vec::new();
        let mut removed = 0;
        for batch in batches {
            let Some(end) = batch.blocks.last().map(|block| block.end) else {
                continue;
            };
            if let Some(gap) = batch.gap {
                // What was let go of while nothing could be written is known to nobody else.
                let known = cut_of(&transaction, batch.child)?;
                let whole = both(Some(gap), known).filter(|whole| Some(*whole) != known);
                if let Some(whole) = whole {
                    note_cut(&transaction, batch.child, whole)?;
                }
            }
            let cut = cut(&transaction, batch.child, end, batch.gap, caps, self.tail)?;
            if let Some((gap, freed)) = cut {
                removed += freed;
                gaps.push((batch.child, gap));
            }
        }
        let mut stored = (self.stored + added).saturating_sub(removed);
        let mut tail = self.tail;
        // The job as a whole has too much: every child's tail shrinks alike.
        while stored > caps.job && tail > caps.floor() {
            tail = (tail / 2).max(caps.floor());
            for (child, end, gap) in ends(&transaction)? {
                if let Some((gap, freed)) = cut(&transaction, child, end, gap, caps, tail)? {
                    stored = stored.saturating_sub(freed);
                    gaps.push((child, gap));
                }
            }
        }
        transaction.commit()?;
        (self.stored, self.tail) = (stored, tail);
        Ok(gaps)
    }
}

/// Cuts a child's tail to what it may be, by whole blocks: what is missing of it now, and how many bytes that freed.
fn cut(
    db: &Connection,
    child: usize,
    end: Position,
    gap: Option<Gap>,
    caps: &Caps,
    tail: u64,
) -> Result<Option<(Gap, u64)>, Trouble> {
    let head = caps.head as u64;
    if end.offset().saturating_sub(head) <= tail {
        return Ok(None);
    }
    // The job as a whole may have taken more than the child's log knows of.
    let gap = both(gap, cut_of(db, child)?);
    let from = gap.map_or(head, |gap| gap.to.offset().max(head));
    if end.offset().saturating_sub(from) <= tail {
        return Ok(None);
    }
    let start_of = |at: u64| -> Result<Option<Position>, Trouble> {
        let mut query = db.prepare_cached(
            "SELECT out_bytes, out_lines, err_bytes, err_lines FROM block \
             WHERE child = ?1 AND start >= ?2 ORDER BY start LIMIT 1",
        )?;
        let found = query.query_row(params![child as i64, at as i64], |row| position(row, 0));
        Ok(found.optional()?)
    };
    let to = start_of(end.offset().saturating_sub(tail))?.unwrap_or(end);
    let from = match gap {
        Some(gap) => gap.from,
        None => match start_of(head)? {
            Some(from) => from,
            None => return Ok(None),
        },
    };
    if to.offset() <= gap.map_or(from.offset(), |gap| gap.to.offset()) {
        return Ok(None);
    }
    db.prepare_cached("DELETE FROM block WHERE child = ?1 AND start >= ?2 AND start < ?3")?
        .execute(params![
            child as i64,
            from.offset() as i64,
            to.offset() as i64
        ])?;
    let cut = Gap { from, to };
    note_cut(db, child, cut)?;
    let freed = cut.size().bytes - gap.map_or(0, |gap| gap.size().bytes);
    Ok(Some((cut, freed)))
}

/// Writes down what of a child is gone.
fn note_cut(db: &Connection, child: usize, Gap { from, to }: Gap) -> Result<(), Trouble> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO cut (child, out_bytes, out_lines, err_bytes, err_lines, \
         out_bytes_end, out_lines_end, err_bytes_end, err_lines_end) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        child as i64,
        from.out.bytes as i64,
        from.out.lines as i64,
        from.err.bytes as i64,
        from.err.lines as i64,
        to.out.bytes as i64,
        to.out.lines as i64,
        to.err.bytes as i64,
        to.err.lines as i64,
    ])?;
    Ok(())
}

/// What was cut out of a child, as it stands in the file.
fn cut_of(db: &Connection, child: usize) -> Result<Option<Gap>, Trouble> {
    let mut query = db.prepare_cached(&format!("SELECT {CUT} FROM cut WHERE child = ?1"))?;
    let gap = query.query_row([child as i64], |row| gap(row, 0));
    Ok(gap.optional()?)
}

/// What was cut out of each child, as it stands in the file.
pub(super) fn cuts(db: &Connection) -> Result<Vec<(usize, Gap)>, Trouble> {
    let mut query = db.prepare_cached(&format!("SELECT child, {CUT} FROM cut"))?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)? as usize, gap(row, 1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn gap(row: &Row<'_>, at: usize) -> rusqlite::Result<Gap> {
    Ok(Gap {
        from: position(row, at)?,
        to: position(row, at + 4)?,
    })
}

/// Two accounts of what is gone of one child, as one.
pub(super) fn both(one: Option<Gap>, other: Option<Gap>) -> Option<Gap> {
    let by_offset = |at: &Position| at.offset();
    match (one, other) {
        (Some(one), Some(other)) => Some(Gap {
            from: std::cmp::min_by_key(one.from, other.from, by_offset),
            to: std::cmp::max_by_key(one.to, other.to, by_offset),
        }),
        (one, other) => one.or(other),
    }
}

/// How far each child's output goes on disk, and what was cut out of it.
pub(super) fn ends(db: &Connection) -> Result<Vec<(usize, Position, Option<Gap>)>, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT b.child, b.out_bytes_end, b.out_lines_end, b.err_bytes_end, b.err_lines_end, \
         c.out_bytes, c.out_lines, c.err_bytes, c.err_lines, \
         c.out_bytes_end, c.out_lines_end, c.err_bytes_end, c.err_lines_end \
         FROM (SELECT child, max(start) AS start FROM block GROUP BY child) AS last \
         JOIN block AS b ON b.child = last.child AND b.start = last.start \
         LEFT JOIN cut AS c ON c.child = b.child",
    )?;
    let rows = query.query_map([], |row| {
        let gap = match row.get::<_, Option<i64>>(5)? {
            Some(_) => Some(gap(row, 5)?),
            None => None,
        };
        Ok((row.get::<_, i64>(0)? as usize, position(row, 1)?, gap))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The blocks of a child that hold something of `window` behind `done`, about `limit` bytes of them, in order.
pub(super) fn read(
    db: &Connection,
    child: usize,
    window: &Window,
    done: &[Count; 2],
    limit: usize,
) -> Result<Vec<Block>, Trouble> {
    // A stream that is not asked for, or read to its end, is never ahead of what is there.
    let wanted = |stream| {
        let at = done[stream as usize].bytes;
        if window.streams.contains(stream) && at < window.to[stream as usize].bytes {
            at as i64
        } else {
            i64::MAX
        }
    };
    let [out, err] = crate::core::output::Stream::BOTH.map(wanted);
    let mut first = db.prepare_cached(
        "SELECT start FROM block WHERE child = ?1 AND (out_bytes_end > ?2 OR err_bytes_end > ?3) \
         ORDER BY start LIMIT 1",
    )?;
    let Some(start) = first
        .query_row(params![child as i64, out, err], |row| row.get::<_, i64>(0))
        .optional()?
    else {
        return Ok(Vec::new());
    };
    let (mut blocks, mut size) = (Vec::new(), 0);
    if limit > 0 {
        let behind = Stretch {
            child,
            from: start as u64,
            to: u64::MAX,
        };
        each_block(db, behind, Order::Forward, |block| {
            size += block.len();
            blocks.push(block);
            if size < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
    }
    Ok(blocks)
}

/// Blocks of a child by where they begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) child: usize,
    pub(super) from: u64,
    /// Not included.
    pub(super) to: u64,
}

/// Which way to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Forward,
    Backward,
}

/// Hands over the blocks of a stretch, one by one, for as long as they are wanted.
pub(super) fn each_block(
    db: &Connection,
    stretch: Stretch,
    order: Order,
    mut take: impl FnMut(Block) -> ControlFlow<()>,
) -> Result<(), Trouble> {
    let order = match order {
        Order::Forward => "ASC",
        Order::Backward => "DESC",
    };
    let time = schema::time_of_block(db)?;
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, {time} FROM block WHERE child = ?1 AND start >= ?2 AND start < ?3 \
         ORDER BY start {order}"
    ))?;
    let offset = |offset: u64| i64::try_from(offset).unwrap_or(i64::MAX);
    let Stretch { child, from, to } = stretch;
    let mut rows = query.query(params![child as i64, offset(from), offset(to)])?;
    while let Some(row) = rows.next()? {
        if take(block(row, 0)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands over all blocks of the children from `first` to `last`, child by child, for as long as they are wanted.
pub(super) fn each_block_of(
    db: &Connection,
    first: usize,
    last: usize,
    mut take: impl FnMut(usize, Block) -> ControlFlow<()>,
) -> Result<(), Trouble> {
    let time = schema::time_of_block(db)?;
    let mut query = db.prepare_cached(&format!(
        "SELECT child, {COLUMNS}, {time} FROM block WHERE child >= ?1 AND child <= ?2 \
         ORDER BY child, start"
    ))?;
    let mut rows = query.query(params![first as i64, last as i64])?;
    while let Some(row) = rows.next()? {
        let child = row.get::<_, i64>(0)? as usize;
        if take(child, block(row, 1)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// How far a child's output goes on disk, and what was cut out of it.
pub(super) fn extent(db: &Connection, child: usize) -> Result<Extent, Trouble> {
    let mut query = db.prepare_cached(
        "SELECT out_bytes_end, out_lines_end, err_bytes_end, err_lines_end FROM block \
         WHERE child = ?1 ORDER BY start DESC LIMIT 1",
    )?;
    let end = query.query_row([child as i64], |row| position(row, 0));
    let gap = cut_of(db, child)?;
    let end = end.optional()?.or(gap.map(|gap| gap.to));
    Ok(Extent {
        end: end.unwrap_or_default(),
        gap,
    })
}

/// A block whose parts begin at this column.
fn block(row: &Row<'_>, at: usize) -> Result<Block, Trouble> {
    let (start, end) = (position(row, at)?, position(row, at + 4)?);
    let time = row.get::<_, Option<i64>>(at + 10)?.map(Wall);
    Block::read_back(start, end, time, blob(row, at + 8)?, row.get(at + 9)?)
        .ok_or_else(|| Trouble::corrupt("a block does not fit its own description"))
}

fn position(row: &Row<'_>, at: usize) -> rusqlite::Result<Position> {
    let count = |at: usize| -> rusqlite::Result<Count> {
        Ok(Count {
            bytes: row.get::<_, i64>(at)? as u64,
            lines: row.get::<_, i64>(at + 1)? as u64,
        })
    };
    Ok(Position {
        out: count(at)?,
        err: count(at + 2)?,
    })
}
