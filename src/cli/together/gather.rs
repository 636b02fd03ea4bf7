//! What a receive hands over, put together by what it came to and printed when all of it is here.
//!
//! Of outputs that are the same, one is kept ([`super::spool`]); of the others there is only what they come to.

mod print;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;

use super::Wished;
use super::spool::{Kept, Spool};
use crate::cli::ends::Label;
use crate::cli::follow::Takes;
use crate::cli::sink::{Origin, Sink};
use crate::command::look::Shown;
use crate::core::alike::{Ignored, Reading};
use crate::core::output::{Count, Position, Stream};
use crate::core::state::State;
use crate::daemon::digest::{Digester, Key, Sum};
use crate::targets::folded;
use crate::wire::look::Group;
use crate::wire::reply::{ChildView, ReasonView};
use crate::wire::request::Held;

pub(super) struct Gatherer {
    wished: Wished,
    label: Label,
    sink: Sink,
    key: Key,
    spool: Spool,
    /// The children by their ids, and so in job order and host order.
    children: BTreeMap<u64, Child>,
    /// Whose output comes.
    writing: Option<Writing>,
    outputs: HashMap<(Sum, CameTo), Output>,
    stage: Stage,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Gathering,
    Printed,
}

/// A child, and what it came to as far as that was received.
struct Child {
    job: u64,
    host: String,
    state: State,
    exit: Option<i32>,
    reason: Option<ReasonView>,
    heard: Heard,
    wrote: Wrote,
}

/// What a child had come to before this receive: where something is ignored, one output is kept for each, so that nobody's
/// words stand in for those of others who came to something else.
type CameTo = Option<(State, Option<i32>, Option<ReasonView>)>;

/// What this receive said of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Nothing; it was under way before.
    UnderWay,
    /// Nothing, although it had settled before: somebody else receives it.
    Nothing,
    /// That it has settled.
    Settled,
}

/// What a child wrote, as far as it was received.
#[derive(Clone, Copy, Default)]
struct Wrote {
    sum: Option<Sum>,
    /// What stands for it.
    output: Option<Output>,
    count: Count,
    missing: Missing,
}

/// What was cut out of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Missing {
    #[default]
    Nothing,
    /// So much, and where, if output is compared to the byte.
    Here(Position, Count),
    /// Something.
    Some,
}

struct Writing {
    child: u64,
    digester: Digester,
    position: Position,
    missing: Missing,
}

/// An output that stands for all that are the same.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub(super) kept: Kept,
    /// Whose it is.
    pub(super) child: u64,
}

/// Children that came to the same.
pub(super) struct Same {
    pub(super) job: u64,
    pub(super) group: Group,
    pub(super) output: Option<Output>,
    pub(super) sum: Option<Sum>,
}

impl Gatherer {
    pub(super) fn new(
        wished: Wished,
        label: Label,
        sink: Sink,
        children: impl Iterator<Item = ChildView>,
    ) -> Self {
        let children = children.map(|view| {
            let is_over = view.state.is_final() || view.state == State::Disconnected;
            let heard = if is_over {
                Heard::Nothing
            } else {
                Heard::UnderWay
            };
            (view.id, Child::of(view, heard))
        });
        Self {
            wished,
            label,
            sink,
            key: Key::random(),
            spool: Spool::new(),
            children: children.collect(),
            writing: None,
            outputs: HashMap::new(),
            stage: Stage::Gathering,
        }
    }

    /// The child whose output comes now.
    fn writing(&mut self, origin: Origin<'_>) -> io::Result<&mut Writing> {
        if self
            .writing
            .as_ref()
            .is_none_or(|writing| writing.child != origin.child)
        {
            self.written()?;
        }
        let Self { writing, key, .. } = self;
        let ignored = self.wished.ignored;
        Ok(writing.get_or_insert_with(|| Writing {
            child: origin.child,
            digester: key.digester(Reading::new(ignored, origin.host)),
            position: Position::START,
            missing: Missing::Nothing,
        }))
    }

    /// What came of a child is all there is.
    fn written(&mut self) -> io::Result<()> {
        let Some(writing) = self.writing.take() else {
            return Ok(());
        };
        let (sum, _) = writing.digester.finish();
        let child = self.children.get_mut(&writing.child);
        let came_to = match (self.wished.ignored, &child) {
            (Ignored::NOTHING, _) | (_, None) => None,
            (_, Some(child)) => Some((child.state, child.exit, child.reason.clone())),
        };
        let output = match sum.map(|sum| self.outputs.entry((sum, came_to))) {
            Some(Entry::Occupied(kept)) => {
                self.spool.let_go()?;
                Some(*kept.get())
            }
            Some(Entry::Vacant(none)) => {
                let kept = self.spool.keep();
                let child = writing.child;
                Some(*none.insert(Output { kept, child }))
            }
            None => {
                self.spool.let_go()?;
                None
            }
        };
        if let Some(child) = child {
            child.wrote = Wrote {
                sum,
                output,
                count: writing.position.total(),
                missing: writing.missing,
            };
        }
        Ok(())
    }

    /// The groups of all jobs, job by job, the largest first.
    fn groups(&self) -> Vec<Same> {
        let mut groups: HashMap<_, Vec<u64>> = HashMap::new();
        for (id, child) in &self.children {
            if child.heard == Heard::Nothing {
                continue;
            }
            let Wrote { sum, missing, .. } = child.wrote;
            let same = (
                child.job,
                child.state,
                child.exit,
                &child.reason,
                sum,
                missing,
            );
            groups.entry(same).or_default().push(*id);
        }
        let mut groups: Vec<Vec<u64>> = groups.into_values().collect();
        groups.sort_unstable_by_key(|ids| {
            (
                self.children[&ids[0]].job,
                std::cmp::Reverse(ids.len()),
                ids[0],
            )
        });
        groups.into_iter().map(|ids| self.same(ids)).collect()
    }

    fn same(&self, ids: Vec<u64>) -> Same {
        let first = &self.children[&ids[0]];
        let hosts = folded(ids.iter().map(|id| &*self.children[id].host));
        let outputs = || ids.iter().filter_map(|id| self.children[id].wrote.output);
        // Of a child that ended just now, somebody else's words may have been kept.
        let own = outputs().find(|output| ids.binary_search(&output.child).is_ok());
        Same {
            job: first.job,
            output: own.or_else(|| outputs().next()),
            sum: first.wrote.sum,
            group: Group {
                children: ids,
                hosts,
                state: first.state,
                exit: first.exit,
                reason: first.reason.clone(),
                output: first.wrote.count,
                cut: first.wrote.missing != Missing::Nothing,
                sample: bytes::Bytes::new(),
            },
        }
    }

    /// Prints everything, once.
    fn print(&mut self) -> io::Result<()> {
        self.written()?;
        if self.stage == Stage::Printed {
            return Ok(());
        }
        let groups = self.groups();
        match self.wished.shown {
            Shown::Output => {
                for same in &groups {
                    self.print_group(same)?;
                }
            }
            Shown::Difference => {
                for of_job in groups.chunk_by(|one, other| one.job == other.job) {
                    self.print_differences(of_job)?;
                }
            }
        }
        self.sink.flush()?;
        self.stage = Stage::Printed;
        Ok(())
    }
}

impl Child {
    fn of(view: ChildView, heard: Heard) -> Self {
        Self {
            job: view.job,
            host: view.host,
            state: view.state,
            exit: view.exit,
            reason: view.reason,
            heard,
            wrote: Wrote::default(),
        }
    }
}

impl Takes for Gatherer {
    fn output(&mut self, origin: Origin<'_>, stream: Stream, data: &[u8]) -> io::Result<()> {
        let writing = self.writing(origin)?;
        writing.digester.piece(stream, data);
        writing.position = writing.position.after(stream, Count::of(data));
        self.spool.data(stream, data)
    }

    fn cut(&mut self, origin: Origin<'_>, dropped: Count) -> io::Result<()> {
        let ignored = self.wished.ignored;
        let writing = self.writing(origin)?;
        writing.missing = match ignored {
            Ignored::NOTHING => Missing::Here(writing.position, dropped),
            _ => Missing::Some,
        };
        self.spool.cut(dropped)
    }

    fn end(&mut self, view: &ChildView) -> io::Result<()> {
        // Its output came before.
        self.written()?;
        let wrote = self.children.get(&view.id).map(|child| child.wrote);
        let child = Child {
            wrote: wrote.unwrap_or_default(),
            ..Child::of(view.clone(), Heard::Settled)
        };
        self.children.insert(view.id, child);
        Ok(())
    }

    fn checkpoint(&mut self) -> io::Result<Vec<Held>> {
        self.print()?;
        Ok(Vec::new())
    }

    fn resume(&mut self) {}

    fn finish(&mut self) -> io::Result<()> {
        self.print()?;
        self.sink.finish()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
