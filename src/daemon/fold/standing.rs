//! How a child stands: what it has come to but for its output, and how much of that there is.

use super::super::digest::Size;
use crate::core::alike::Ignored;
use crate::core::job::Job;
use crate::core::output::{Count, Position};
use crate::core::state::State;
use crate::engine::reason_view;
use crate::wire::reply::ReasonView;

/// A child as it stands.
pub(super) struct Standing {
    pub(super) index: u32,
    pub(super) came_to: CameTo,
    pub(super) output: Output,
}

/// What a child has come to, but for what it wrote.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum CameTo {
    UnderWay(State),
    End {
        state: State,
        exit: Option<i32>,
        reason: Option<ReasonView>,
        extent: Extent,
    },
}

/// How much of an output has to be the same, beside what it comes to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Extent {
    /// To the byte.
    Exact {
        end: Position,
        cut: Option<(Position, Position)>,
    },
    /// Numbers, names and blanks may be longer or shorter.
    Whole,
    Cut,
}

/// How much a child that ended wrote, and how much of it is not there any more.
#[derive(Clone, Copy, Default)]
pub(super) struct Output {
    pub(super) end: Count,
    pub(super) cut: u64,
}

impl Standing {
    pub(super) fn of(job: &Job, index: usize, ignored: Ignored) -> Self {
        let child = &job.children[index];
        let state = child.state.word();
        if !child.state.is_settled() {
            return Self {
                index: index as u32,
                came_to: CameTo::UnderWay(state),
                output: Output::default(),
            };
        }
        let (end, gap) = (child.output.end, child.output.gap);
        let extent = match (ignored, gap) {
            (Ignored::NOTHING, _) => Extent::Exact {
                end,
                cut: gap.map(|gap| (gap.from, gap.to)),
            },
            (_, Some(_)) => Extent::Cut,
            (_, None) => Extent::Whole,
        };
        Self {
            index: index as u32,
            came_to: CameTo::End {
                state,
                exit: child.exit,
                reason: child.state.reason().as_ref().map(reason_view),
                extent,
            },
            output: Output {
                end: end.total(),
                cut: gap.map_or(0, |gap| gap.to.offset() - gap.from.offset()),
            },
        }
    }

    /// How much output has to be read to know what it is.
    pub(super) fn size(&self) -> Option<Size> {
        let (end, cut) = (self.output.end.bytes, self.output.cut);
        (end > 0).then_some(Size { end, cut })
    }
}
