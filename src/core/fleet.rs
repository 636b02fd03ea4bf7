//! All jobs, and the one function that changes them.
//!
//! [`Fleet::apply`] takes the time and one [`Input`] and says what has to be done about it as [`Effect`]s.  It is
//! deterministic: the same inputs at the same times give the same effects.  The parts of it live beside this file:
//! the queue and what runners report in [`super::progress`], stopping in [`super::ladder`], handing over output in
//! [`super::receive`], waiting in [`super::wait`], questions in [`super::blocked`], suspending in [`super::standstill`].

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::answer::{Answer, Refusal};
use super::blocked::{Questions, asked_in};
use super::departed::{By, Departed, Departures};
use super::ids::{ChildId, IdCounter, JobId};
use super::job::{Child, Job, Pin, Queue};
use super::journal::{Changed, Journal, Revision};
use super::ladder::{Force, Rigour, Stop};
use super::output::{Gap, Position};
use super::question::{Question, QuestionId, Response};
use super::receive::{Delivery, Lease, LeaseId, ReceiveAsk};
use super::saved::SavedJob;
use super::select::{Picked, Selector, resolve};
use super::spec::{Ended, Inquiry, JobSpec, Motion, Moved, Proof, Signal, Trace};
use super::standstill::can_move;
use super::state::{Cause, ChildState, Tally};
use super::time::{Moment, Wall};
use super::wait::{Pending, Until};

/// Names a command whose answer somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Everything that can happen to a fleet.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody wants something; exactly one [`Effect::Answer`] with the ticket follows, now or later.
    Command(Ticket, Command),
    /// Nobody waits for this answer any more.
    Forget(Ticket),
    /// A child's runner tells something.
    Runner(ChildId, Report),
    /// What became of what a lease covers.
    Delivered(LeaseId, Delivery),
    /// A job of an earlier process, before anything else happens.
    Restore(Box<SavedJob>),
    /// Jobs whose time has come; see [`Fleet::expired`].
    Expire(Vec<JobId>),
    /// Time has passed.
    Tick,
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub enum Command {
    Submit(Box<JobSpec>),
    Stop {
        select: Vec<Selector>,
        rigour: Rigour,
        /// Between TERM and KILL; the job's own unless it is given.
        grace: Option<Duration>,
    },
    Remove {
        select: Vec<Selector>,
        force: Force,
    },
    Throttle {
        select: Vec<Selector>,
        fanout: NonZeroU32,
    },
    /// Start no more queued children.
    Pause {
        select: Vec<Selector>,
    },
    /// Let running commands stand still, and the queues of whole jobs with them; or let both go on.  Answered once that
    /// is proved, or cannot be.
    Move {
        select: Vec<Selector>,
        motion: Motion,
    },
    Wait {
        select: Vec<Selector>,
        until: Until,
        timeout: Option<Duration>,
    },
    /// Keep jobs for ever, or no longer.
    Pin {
        select: Vec<Selector>,
        pin: Pin,
    },
    /// Look again what became of children that are Disconnected or whose end was not proved; answered once that is known, whatever else is selected.
    Reconnect {
        select: Vec<Selector>,
    },
    Receive(ReceiveAsk),
    /// Answer questions that children wait with.
    Answer {
        questions: Vec<QuestionId>,
        response: Response,
    },
}

/// What a runner tells of its child.
#[derive(Clone, Debug)]
pub enum Report {
    Began(Trace),
    /// It needs an answer to go on.
    Asks(Question),
    /// It has written as much as is kept, and waits until somebody receives.
    Held,
    /// It needs nothing any more.
    GoesOn,
    /// The answer to [`Effect::Move`].
    Moved(Motion, Moved),
    /// How far the output goes, and what the cap has cut out of it so far.
    Output {
        end: Position,
        gap: Option<Gap>,
    },
    /// It has written more than is kept, which its job takes for a reason to stop it.
    Full,
    Ended(Ended),
    /// The answer to [`Effect::Prove`].
    Proved(Proof),
}

/// What has to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Run this child.
    Start(ChildId),
    /// Send its command a signal.
    Signal(ChildId, Signal),
    /// Find out what of it is alive.
    Prove(ChildId, Inquiry),
    /// Let its command stand still or go on, and find out whether it does.
    Move(ChildId, Motion),
    /// Tell its runner what was said to the question it waits with.
    Reply(ChildId, Response),
    /// Its runner is not waited for any more: let its connection go.
    Abandon(ChildId),
    /// Its output is not needed any more.
    DropOutput(JobId),
    Answer(Ticket, Answer),
}

/// All jobs there are.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    ids: IdCounter,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(super) timers: BTreeSet<(Duration, Timer)>,
    pub(super) waits: BTreeMap<Ticket, Pending>,
    pub(super) leases: BTreeMap<LeaseId, Lease>,
    pub(super) next_lease: u64,
    pub(super) questions: Questions,
    pub(super) journal: Journal,
    departures: Departures,
    /// Jobs changed by the input at hand: those whose waiters have to look again.
    pub(super) changed: BTreeSet<JobId>,
    /// Probes asked for when jobs came back.
    pub(super) probes_of_old: usize,
}

/// Whose time runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    Child(ChildId),
    Job(JobId),
    Wait(Ticket),
}

impl Fleet {
    /// An empty fleet whose first job gets the id `first`, after jobs that were removed at these times.
    pub fn starting_at(first: u64, removed: BTreeMap<JobId, Wall>) -> Self {
        Self {
            ids: IdCounter::starting_at(first),
            departures: Departures::of_old(removed),
            ..Self::default()
        }
    }

    /// The only way anything changes.
    pub fn apply(&mut self, now: Moment, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Command(ticket, command) => self.command(now, ticket, command, &mut effects),
            Input::Forget(ticket) => self.forget_wait(ticket),
            Input::Runner(child, report) => self.report(now, child, report, &mut effects),
            Input::Delivered(lease, delivery) => self.close_lease(lease, &delivery),
            Input::Restore(job) => self.restore(now, *job, &mut effects),
            Input::Expire(jobs) => self.expire(now, &jobs, &mut effects),
            Input::Tick => self.tick(now, &mut effects),
        }
        self.answer_waits(now, &mut effects);
        effects
    }

    /// When [`Input::Tick`] is next needed, on the monotonic clock.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// A job that was removed just now; not one that went long ago.
    pub fn departed(&self, id: JobId) -> Option<&Departed> {
        self.departures.find(id)
    }

    /// When a job was removed, if that is remembered.
    pub fn removed_at(&self, id: JobId) -> Option<Wall> {
        self.departures.date(id)
    }

    /// All jobs, by id.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs.values()
    }

    /// Jobs by id, from this id on.
    pub fn jobs_from(&self, id: JobId) -> impl Iterator<Item = &Job> {
        self.jobs.range(id..).map(|(_, job)| job)
    }

    /// A child's master and its index there: ids lie behind the master's without gaps.
    pub fn find_child(&self, child: ChildId) -> Option<(&Job, usize)> {
        let (id, job) = self.jobs.range(..JobId(child.0)).next_back()?;
        let index = id.index_of(child)?;
        (index < job.children.len()).then_some((job, index))
    }

    pub fn child(&self, id: ChildId) -> Option<&Child> {
        self.find_child(id).map(|(job, index)| &job.children[index])
    }

    /// The newest revision.
    pub fn revision(&self) -> Revision {
        self.journal.now()
    }

    /// What changed after `seen`; `None` if it has to be read as a whole again.
    pub fn changes_since(&self, seen: Revision) -> Option<Vec<Changed>> {
        self.journal.since(seen)
    }

    pub fn resolve(&self, select: &[Selector]) -> Picked {
        resolve(self, select)
    }

    fn command(
        &mut self,
        now: Moment,
        ticket: Ticket,
        command: Command,
        effects: &mut Vec<Effect>,
    ) {
        match command {
            Command::Submit(spec) => {
                let id = self.submit(now, *spec, effects);
                effects.push(Effect::Answer(ticket, Answer::Submitted(id)));
            }
            Command::Stop {
                select,
                rigour,
                grace,
            } => {
                let how = Stop {
                    cause: Cause::Operator,
                    rigour,
                    grace,
                };
                self.stop(now, ticket, &select, how, effects);
            }
            Command::Remove { select, force } => self.remove(now, ticket, &select, force, effects),
            Command::Throttle { select, fanout } => {
                self.for_whole_jobs(now, ticket, &select, |job| job.fanout = fanout, effects);
            }
            Command::Pause { select } => {
                let pause = |job: &mut Job| job.queue = Queue::Paused;
                self.for_whole_jobs(now, ticket, &select, pause, effects);
            }
            Command::Move { select, motion } => {
                self.set_in_motion(now, ticket, &select, motion, effects);
            }
            Command::Wait {
                select,
                until,
                timeout,
            } => {
                let picked = self.resolve(&select);
                let deadline = timeout.map(|timeout| now.mono + timeout);
                self.wait(
                    now,
                    ticket,
                    Pending::Settled {
                        picked,
                        until,
                        deadline,
                    },
                    effects,
                );
            }
            Command::Pin { select, pin } => self.pin(ticket, &select, pin, effects),
            Command::Reconnect { select } => self.reconnect(now, ticket, &select, effects),
            Command::Receive(ask) => {
                let picked = ask.resolve(self);
                self.wait(now, ticket, Pending::Receive { ask, picked }, effects);
            }
            Command::Answer {
                questions,
                response,
            } => self.answer_questions(now, ticket, &questions, response, effects),
        }
    }

    fn submit(&mut self, now: Moment, spec: JobSpec, effects: &mut Vec<Effect>) -> JobId {
        let id = self.ids.take_job(spec.hosts.len());
        let mut job = Job {
            id,
            fanout: spec.fanout,
            queue: Queue::Flowing,
            pin: Pin::Off,
            created: now,
            began: None,
            ended: None,
            children: Vec::with_capacity(spec.hosts.len()),
            tally: Tally::default(),
            next: 0,
            unread: BTreeSet::new(),
            deadline: spec.limits.job.map(|limit| now.mono + limit),
            revision: Revision::default(),
            spec: Arc::new(spec),
        };
        self.journal.touch(Changed::Job(id), &mut job.revision);
        for index in 0..job.spec.hosts.len() {
            let mut child = Child::queued(Revision::default());
            self.journal
                .touch(Changed::Child(id.child(index)), &mut child.revision);
            job.tally.add(&child.state);
            job.children.push(child);
        }
        self.timers
            .extend(job.deadline.map(|at| (at, Timer::Job(id))));
        self.jobs.insert(id, job);
        self.changed.insert(id);
        self.fill_slots(now, id, effects);
        id
    }

    /// What of a selection is no whole job, and so refused by what is done to whole jobs only.
    pub(super) fn not_whole_jobs(&self, picked: &Picked) -> Vec<Refusal> {
        let children = picked
            .children
            .iter()
            .filter_map(|child| self.find_child(*child));
        let alone = children.map(|(job, index)| Refusal::ChildAlone {
            job: job.id,
            host: job.spec.hosts[index].name.clone(),
        });
        alone
            .chain(picked.unknown.iter().cloned().map(Refusal::Unknown))
            .collect()
    }

    /// Changes a setting of whole jobs; a child alone has no queue and no limit of its own, and what has ended needs none.
    fn for_whole_jobs(
        &mut self,
        now: Moment,
        ticket: Ticket,
        select: &[Selector],
        change: impl Fn(&mut Job),
        effects: &mut Vec<Effect>,
    ) {
        let picked = self.resolve(select);
        let mut refused = self.not_whole_jobs(&picked);
        let mut jobs = Vec::new();
        for id in picked.jobs {
            let Some(job) = self.jobs.get_mut(&id) else {
                continue;
            };
            if job.is_settled() {
                refused.push(Refusal::Ended(id, job.state()));
                continue;
            }
            change(job);
            self.journal.touch(Changed::Job(id), &mut job.revision);
            self.changed.insert(id);
            self.fill_slots(now, id, effects);
            jobs.push(id);
        }
        effects.push(Effect::Answer(ticket, Answer::Changed { jobs, refused }));
    }

    /// Puts a child into a state, and keeps everything that follows from it true.
    pub(super) fn set_state(&mut self, now: Moment, id: JobId, index: usize, state: ChildState) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let child = &mut job.children[index];
        assert!(
            !child.state.word().is_final(),
            "{}: a final state never changes",
            id.child(index)
        );
        job.tally.take(&child.state);
        job.tally.add(&state);
        if state.is_settled() {
            child.ended = Some(now);
        }
        if !can_move(&state) {
            child.moving = None;
        }
        let (left, new) = (asked_in(&child.state), asked_in(&state));
        child.state = state;
        if job.began.is_none()
            && job.tally.count(super::state::State::NotStarted) < job.tally.total()
        {
            job.began = Some(now);
        }
        job.ended = job.is_settled().then_some(now);
        if job.is_settled()
            && let Some(at) = job.deadline.take()
        {
            self.timers.remove(&(at, Timer::Job(id)));
        }
        self.touch_child(id, index);
        if left != new {
            self.leave_question(id.child(index), left);
        }
    }

    /// Notes that a job's own settings changed.
    pub(super) fn touch_job(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id) {
            self.journal.touch(Changed::Job(id), &mut job.revision);
            self.changed.insert(id);
        }
    }

    /// Notes that a child, and with it its master, changed.
    pub(super) fn touch_child(&mut self, id: JobId, index: usize) {
        self.touch_output(id, index);
        if let Some(job) = self.jobs.get_mut(&id) {
            job.children[index].deeds = job.children[index].revision;
        }
    }

    /// Notes that a child's output has grown, which is nothing to write down: the output itself says so.
    pub(super) fn touch_output(&mut self, id: JobId, index: usize) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        self.journal.touch(
            Changed::Child(id.child(index)),
            &mut job.children[index].revision,
        );
        self.journal.touch(Changed::Job(id), &mut job.revision);
        self.changed.insert(id);
    }

    /// Sets the one timer of a child.
    pub(super) fn set_timer(&mut self, id: JobId, index: usize, at: Option<Duration>) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let timer = Timer::Child(id.child(index));
        if let Some(old) = std::mem::replace(&mut job.children[index].timer, at) {
            self.timers.remove(&(old, timer));
        }
        self.timers.extend(at.map(|at| (at, timer)));
    }

    /// Removes a job and everything that refers to it.
    pub(super) fn erase(&mut self, now: Moment, id: JobId, by: By, effects: &mut Vec<Effect>) {
        let Some(job) = self.jobs.remove(&id) else {
            return;
        };
        if let Some(at) = job.deadline {
            self.timers.remove(&(at, Timer::Job(id)));
        }
        for (index, child) in job.children.iter().enumerate() {
            if let Some(at) = child.timer {
                self.timers.remove(&(at, Timer::Child(id.child(index))));
            }
            self.journal.forget(child.revision);
        }
        self.journal.forget(job.revision);
        self.journal.removed(id);
        self.departures.add(now.wall, job, by);
        self.changed.insert(id);
        effects.push(Effect::DropOutput(id));
    }

    fn tick(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        while let Some((at, timer)) = self.timers.first().copied()
            && at <= now.mono
        {
            self.timers.pop_first();
            match timer {
                Timer::Child(child) => self.child_ran_out(now, child, effects),
                Timer::Job(job) => self.job_ran_out(now, job, effects),
                Timer::Wait(ticket) => self.wait_ran_out(ticket, effects),
            }
        }
    }
}
