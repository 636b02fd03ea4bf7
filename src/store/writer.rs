//! The one thread that writes: output first, then what was said about it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Caps;
use super::catalog::Catalog;
use super::output::{self, Batch as Output, OutputFile};
use super::schema::Trouble;
use super::work::{Batch, Dirty, Outlook, Shared, locked};
use crate::core::ids::{ChildId, JobId};
use crate::core::output::Gap;
use crate::core::time::Wall;

/// Files of jobs that are kept open; each takes three descriptors.
const OPEN: usize = 32;

pub(super) struct Writer {
    shared: Arc<Shared>,
    catalog: Catalog,
    dir: PathBuf,
    caps: Caps,
    files: HashMap<JobId, OutputFile>,
    /// Jobs whose file cannot be used any more; what their children write is let go of.
    broken: HashSet<JobId>,
}

/// What writing a batch came to.
#[derive(Default)]
struct Written {
    bytes: usize,
    cuts: Vec<(ChildId, Gap)>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, catalog: Catalog, dir: PathBuf, caps: Caps) -> Self {
        Self {
            shared,
            catalog,
            dir,
            caps,
            files: HashMap::new(),
            broken: HashSet::new(),
        }
    }

    /// Writes until the store is closed.
    pub(super) fn run(mut self) {
        while let Some(batch) = self.shared.next() {
            let mut written = Written::default();
            match self.write(&batch, &mut written) {
                Ok(()) => self.shared.written(&batch, written.bytes, &written.cuts),
                Err(trouble) => {
                    tracing::error!(%trouble, "the store cannot be written");
                    self.shared.partly_written(written.bytes, written.cuts);
                    if self.shared.failed(batch, trouble) == Outlook::GiveUp {
                        return;
                    }
                }
            }
        }
    }

    fn write(&mut self, batch: &Batch, written: &mut Written) -> Result<(), Trouble> {
        let mut by_job: BTreeMap<JobId, Vec<&Dirty>> = BTreeMap::new();
        for dirty in &batch.dirty {
            by_job.entry(dirty.job).or_default().push(dirty);
        }
        self.close_some(&by_job);
        for (job, children) in by_job {
            if batch.records.removed.contains(&job) || self.broken.contains(&job) {
                written.bytes += let_go(&children);
                continue;
            }
            match self.write_output(job, &children, written) {
                Ok(()) => {}
                Err(Trouble::Passing(why)) => return Err(Trouble::Passing(why)),
                // One job's file is no reason to hold up the others.
                Err(trouble @ (Trouble::Corrupt(_) | Trouble::Newer { .. })) => {
                    tracing::error!(%job, %trouble, "the job's output cannot be written");
                    self.files.remove(&job);
                    self.broken.insert(job);
                    written.bytes += let_go(&children);
                }
            }
        }
        self.catalog.write(&batch.records, wall())?;
        for job in &batch.records.removed {
            self.files.remove(job);
            self.broken.remove(job);
            delete(&output::path(&self.dir, job.0))?;
        }
        Ok(())
    }

    fn write_output(
        &mut self,
        job: JobId,
        children: &[&Dirty],
        written: &mut Written,
    ) -> Result<(), Trouble> {
        let index = |child: ChildId| job.index_of(child).unwrap_or_default();
        let batches: Vec<Output> = children
            .iter()
            .map(|dirty| {
                let mut log = locked(&dirty.log);
                Output {
                    child: index(dirty.child),
                    blocks: log.take(),
                    gap: log.extent().gap,
                }
            })
            .collect();
        let file = match self.files.entry(job) {
            std::collections::hash_map::Entry::Occupied(file) => file.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(OutputFile::open(
                &output::path(&self.dir, job.0),
                &self.caps,
            )?),
        };
        let cuts = file.write(&batches, &self.caps)?;
        for (dirty, batch) in children.iter().zip(&batches) {
            let mut log = locked(&dirty.log);
            log.written(batch.blocks.len());
            if let Some((_, gap)) = cuts.iter().rfind(|(child, _)| *child == batch.child) {
                log.cut(*gap);
            }
            written.bytes += batch.blocks.iter().map(|block| block.len()).sum::<usize>();
        }
        let cuts = cuts.into_iter().map(|(child, gap)| (job.child(child), gap));
        written.cuts.extend(cuts);
        Ok(())
    }

    /// Keeps the number of open files within bounds.
    fn close_some(&mut self, needed: &BTreeMap<JobId, Vec<&Dirty>>) {
        if self.files.len() > OPEN {
            self.files.retain(|job, _| needed.contains_key(job));
        }
    }
}

/// Lets go of output that will never be written; says how much that was.
fn let_go(children: &[&Dirty]) -> usize {
    let shed = |dirty: &&Dirty| {
        let mut log = locked(&dirty.log);
        // Nothing of it may stay behind as growing.
        log.take();
        log.shed(0)
    };
    children.iter().map(shed).sum()
}

/// Deletes a database with the files beside it.
pub(super) fn delete(path: &Path) -> Result<(), Trouble> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "when a job was removed and when output came is told to people, not to the model"
)]
pub(super) fn wall() -> Wall {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Wall(since.map_or(0, |since| since.as_millis() as i64))
}
