//! Handing over output.  A receive takes out a lease on what waits, and only a lease that was written out moves cursors:
//! nothing is received twice, and nothing is lost because a pipe broke.

use std::collections::BTreeMap;

use super::answer::Answer;
use super::fleet::Fleet;
use super::ids::{ChildId, JobId};
use super::job::Leased;
use super::journal::{Changed, Revision};
use super::output::{Count, Gap, Position, Stream, Streams};
use super::select::{Picked, Selector, Unknown, resolve};

/// Names an outstanding hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// What a receive asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveAsk {
    pub select: Vec<Selector>,
    /// Only children on these hosts.
    pub hosts: Option<Vec<String>>,
    pub streams: Streams,
    pub mode: Mode,
    pub patience: Patience,
    /// Children whose last hand-over ended in something the receiver holds back, and where it ended: what waits of them is
    /// news only beyond that.
    pub held: BTreeMap<ChildId, [Count; 2]>,
}

/// What becomes of what was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It counts as received.
    Drain,
    /// It waits on, as if nobody had asked.
    Keep,
    /// As `Keep`, from the very beginning: what was received before is handed over again.
    All,
}

/// Whether a receive waits for something to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Answer with what is there.
    Now,
    /// Answer once there is output, or a child has settled after this revision, or all have.
    UntilNews(Revision),
}

/// What a receive got.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Received {
    /// To be closed once the windows were written out.  Only a drain that found something has one.
    pub lease: Option<LeaseId>,
    /// In job order, then host order.
    pub windows: Vec<Window>,
    /// Children that have settled: all of them, or those since the revision asked for.
    pub settled: Vec<ChildId>,
    /// Children left out because somebody else is receiving them right now.
    pub busy: Vec<ChildId>,
    /// What to ask for next time.
    pub revision: Revision,
    /// Whether nothing will come after this.
    pub finished: bool,
    pub unknown: Vec<Unknown>,
}

/// A stretch of one child's output: of each stream taken, what lies between two places in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub child: ChildId,
    pub streams: Streams,
    /// Where each stream's part begins.
    pub from: [Count; 2],
    /// Where it ends.
    pub to: [Count; 2],
}

impl Window {
    /// How much it covers.
    pub fn size(&self) -> Count {
        let size = |stream: Stream| self.to[stream as usize] - self.from[stream as usize];
        self.streams
            .each()
            .map(size)
            .fold(Count::default(), std::ops::Add::add)
    }
}

/// An outstanding hand-over.
#[derive(Clone, Debug)]
pub struct Lease {
    windows: Vec<Window>,
}

/// What became of a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It was written out, but for what the receiver held back.
    Done(Vec<Held>),
    /// It was not, or not wholly, written out.
    Broken,
}

/// The end of a stream that a receiver held back: the beginning of a line whose end has not come yet.  It waits on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub child: ChildId,
    pub stream: Stream,
    pub bytes: u64,
}

impl ReceiveAsk {
    pub(super) fn resolve(&self, fleet: &Fleet) -> Picked {
        let mut picked = resolve(fleet, &self.select);
        if let Some(hosts) = &self.hosts {
            picked.only_hosts(fleet, hosts);
        }
        picked
    }

    /// Whether a window covers more than what the receiver holds back.
    fn is_news(&self, window: &Window) -> bool {
        self.held.get(&window.child).is_none_or(|held| {
            window
                .streams
                .each()
                .any(|stream| window.to[stream as usize].bytes > held[stream as usize].bytes)
        })
    }
}

impl Fleet {
    /// New output of a child: how far it goes now, and what was cut out of it.
    pub(super) fn output_arrived(
        &mut self,
        id: JobId,
        index: usize,
        end: Position,
        gap: Option<Gap>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let account = &mut job.children[index].output;
        // Who tells of new output may not have heard yet what was cut for the sake of the whole job.
        let known = account
            .gap
            .filter(|known| gap.is_none_or(|gap| gap.to.offset() < known.to.offset()));
        let gap = known.or(gap);
        let cut = account.gap != gap;
        if account.end == end && !cut {
            return;
        }
        assert!(
            end.offset() >= account.end.offset(),
            "{}: output only grows",
            id.child(index)
        );
        (account.end, account.gap) = (end, gap);
        if account.has_more(Streams::Both) {
            job.unread.insert(index);
        }
        if cut {
            self.touch_child(id, index);
        } else {
            self.touch_output(id, index);
        }
    }

    /// Answers a receive, if there is something to answer with.
    pub(super) fn try_receive(&mut self, ask: &ReceiveAsk, picked: &Picked) -> Option<Answer> {
        let mut received = Received {
            revision: self.journal.now(),
            finished: picked.touched(self).iter().all(|job| {
                job.is_settled()
                    || picked
                        .indexes(job)
                        .iter()
                        .all(|index| job.children[*index].state.is_settled())
            }),
            unknown: picked.unknown.clone(),
            ..Received::default()
        };
        self.find_windows(ask, picked, &mut received);
        self.find_settled(ask, picked, &mut received);
        received.finished &= received.busy.is_empty();
        let news = received.finished
            || !received.settled.is_empty()
            || received.windows.iter().any(|window| ask.is_news(window));
        if ask.patience != Patience::Now && !news {
            return None;
        }
        if ask.mode == Mode::Drain && !received.windows.is_empty() {
            received.lease = Some(self.open_lease(&received.windows));
        }
        Some(Answer::Received(received))
    }

    fn find_windows(&self, ask: &ReceiveAsk, picked: &Picked, received: &mut Received) {
        for job in picked.touched(self) {
            let candidates: Vec<usize> = match (ask.mode, picked.jobs.contains(&job.id)) {
                (Mode::Drain | Mode::Keep, true) => job.unread.iter().copied().collect(),
                (Mode::Drain | Mode::Keep, false) | (Mode::All, _) => picked.indexes(job),
            };
            for index in candidates {
                let child = &job.children[index];
                let from = match ask.mode {
                    Mode::Drain | Mode::Keep => {
                        Stream::BOTH.map(|stream| child.output.received(stream))
                    }
                    Mode::All => [Count::default(); 2],
                };
                let to = Stream::BOTH.map(|stream| child.output.end.of(stream));
                let window = Window {
                    child: job.id.child(index),
                    streams: ask.streams,
                    from,
                    to,
                };
                let waiting = window.size().bytes > 0;
                match (waiting, ask.mode, child.leased) {
                    (true, Mode::Drain, Leased::Out) => received.busy.push(window.child),
                    (true, _, _) => received.windows.push(window),
                    (false, _, _) => {}
                }
            }
        }
    }

    fn find_settled(&self, ask: &ReceiveAsk, picked: &Picked, received: &mut Received) {
        let settled = |child: &ChildId| {
            self.child(*child)
                .is_some_and(|child| child.state.is_settled())
        };
        let news = match ask.patience {
            Patience::Now => None,
            Patience::UntilNews(seen) => self.journal.since(seen),
        };
        received.settled = match news {
            Some(changes) => changes
                .into_iter()
                .filter_map(|changed| match changed {
                    Changed::Child(child) => Some(child),
                    Changed::Job(_) | Changed::Removed(_) => None,
                })
                .filter(|child| {
                    self.find_child(*child)
                        .is_some_and(|(job, _)| picked.contains(job.id, *child))
                })
                .filter(settled)
                .collect(),
            None => picked
                .touched(self)
                .into_iter()
                .flat_map(|job| {
                    picked
                        .indexes(job)
                        .into_iter()
                        .map(|index| job.id.child(index))
                })
                .filter(settled)
                .collect(),
        };
    }

    fn open_lease(&mut self, windows: &[Window]) -> LeaseId {
        self.next_lease += 1;
        let lease = LeaseId(self.next_lease);
        for window in windows {
            self.mark_leased(window.child, Leased::Out);
        }
        self.leases.insert(
            lease,
            Lease {
                windows: windows.to_vec(),
            },
        );
        lease
    }

    fn mark_leased(&mut self, child: ChildId, leased: Leased) {
        let Some((id, index)) = self.find_child(child).map(|(job, index)| (job.id, index)) else {
            return;
        };
        if let Some(job) = self.jobs.get_mut(&id) {
            job.children[index].leased = leased;
        }
    }

    pub(super) fn close_lease(&mut self, lease: LeaseId, delivery: &Delivery) {
        let Some(Lease { windows }) = self.leases.remove(&lease) else {
            return;
        };
        for window in windows {
            self.mark_leased(window.child, Leased::Free);
            let Some((id, index)) = self
                .find_child(window.child)
                .map(|(job, index)| (job.id, index))
            else {
                continue;
            };
            let Some(job) = self.jobs.get_mut(&id) else {
                continue;
            };
            match delivery {
                Delivery::Done(held) => {
                    let account = &mut job.children[index].output;
                    for stream in window.streams.each() {
                        let back = held
                            .iter()
                            .filter(|held| held.child == window.child && held.stream == stream);
                        let back: u64 = back.map(|held| held.bytes).sum();
                        let Count { bytes, lines } = window.to[stream as usize];
                        account.mark_received(
                            stream,
                            Count {
                                bytes: bytes.saturating_sub(back),
                                lines,
                            },
                        );
                    }
                    if !account.has_more(Streams::Both) {
                        job.unread.remove(&index);
                    }
                    self.touch_child(id, index);
                }
                Delivery::Broken => _ = self.changed.insert(id),
            }
        }
    }
}
