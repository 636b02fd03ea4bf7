//! Random orders of everything that can happen, and what must hold all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::answer::Answer;
use super::fleet::{Command, Effect, Fleet, Input, Report, Ticket};
use super::ids::{ChildId, JobId};
use super::journal::{Changed, Revision};
use super::ladder::{Force, Rigour};
use super::output::{Count, Stream, Streams};
use super::question::{About, Need, Question, QuestionId, Response};
use super::reason::Reason;
use super::receive::{Delivery, LeaseId, Mode, Patience, ReceiveAsk, Window};
use super::select::Selector;
use super::spec::{
    Above, Asking, Ended, Host, JobSpec, Limits, Motion, Moved, OnFull, Payload, Proof, Signal,
    Trace,
};
use super::state::{ChildState, Standstill, State, Tally};
use super::time::{Moment, Wall};
use super::wait::Until;

/// One thing that happens.  Numbers pick among what there is at the time.
#[derive(Clone, Debug)]
enum Step {
    Submit {
        hosts: u8,
        fanout: u8,
        limits: bool,
    },
    Report {
        child: u16,
        what: u8,
    },
    Output {
        child: u16,
        bytes: u16,
        err: bool,
    },
    Stop {
        child: u16,
        whole: bool,
        kill: bool,
    },
    Reconnect {
        child: u16,
        whole: bool,
    },
    Throttle {
        job: u16,
        fanout: u8,
    },
    Queue {
        job: u16,
        pause: bool,
    },
    Move {
        child: u16,
        whole: bool,
        suspend: bool,
    },
    Ask {
        child: u16,
        what: u8,
    },
    Answer {
        which: u16,
        response: u8,
    },
    Remove {
        job: u16,
        force: bool,
    },
    Receive {
        job: u16,
        mode: u8,
        streams: u8,
    },
    CloseLease {
        which: u16,
        done: bool,
    },
    Wait {
        job: u16,
        any: bool,
        timeout: bool,
    },
    Pass {
        millis: u16,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..6u8, 1..4u8, any::<bool>()).prop_map(|(hosts, fanout, limits)| Step::Submit { hosts, fanout, limits }),
        12 => (any::<u16>(), 0..20u8).prop_map(|(child, what)| Step::Report { child, what }),
        6 => (any::<u16>(), 0..500u16, any::<bool>()).prop_map(|(child, bytes, err)| Step::Output { child, bytes, err }),
        2 => (any::<u16>(), any::<bool>(), any::<bool>()).prop_map(|(child, whole, kill)| Step::Stop { child, whole, kill }),
        2 => (any::<u16>(), any::<bool>()).prop_map(|(child, whole)| Step::Reconnect { child, whole }),
        1 => (any::<u16>(), 1..5u8).prop_map(|(job, fanout)| Step::Throttle { job, fanout }),
        1 => (any::<u16>(), any::<bool>()).prop_map(|(job, pause)| Step::Queue { job, pause }),
        3 => (any::<u16>(), any::<bool>(), any::<bool>()).prop_map(|(child, whole, suspend)| Step::Move { child, whole, suspend }),
        5 => (any::<u16>(), 0..4u8).prop_map(|(child, what)| Step::Ask { child, what }),
        3 => (any::<u16>(), 0..3u8).prop_map(|(which, response)| Step::Answer { which, response }),
        1 => (any::<u16>(), any::<bool>()).prop_map(|(job, force)| Step::Remove { job, force }),
        4 => (any::<u16>(), 0..4u8, 0..3u8).prop_map(|(job, mode, streams)| Step::Receive { job, mode, streams }),
        4 => (any::<u16>(), any::<bool>()).prop_map(|(which, done)| Step::CloseLease { which, done }),
        1 => (any::<u16>(), any::<bool>(), any::<bool>()).prop_map(|(job, any, timeout)| Step::Wait { job, any, timeout }),
        3 => (0..9000u16).prop_map(|millis| Step::Pass { millis }),
    ]
}

/// The world around a fleet, remembering what must never be contradicted.
#[derive(Default)]
struct World {
    fleet: Fleet,
    now: Duration,
    next_ticket: u64,
    /// Commands whose answer is owed.
    owed: BTreeSet<Ticket>,
    answered: BTreeSet<Ticket>,
    finals: BTreeMap<ChildId, State>,
    /// The reasons of those that left nothing behind.
    proved: BTreeMap<ChildId, Option<Reason>>,
    started: BTreeSet<ChildId>,
    highest_id: u64,
    limits: BTreeMap<JobId, u32>,
    /// Slots in use when the limit was last moved below them.
    excess: BTreeMap<JobId, u32>,
    leases: Vec<(LeaseId, Vec<Window>)>,
    /// How far each stream of each child was received and written out.
    received: BTreeMap<(ChildId, Stream), u64>,
    /// A watcher that reads the journal now and then.
    seen: Revision,
    watched: BTreeMap<ChildId, State>,
}

impl World {
    fn apply(&mut self, input: Input) {
        let moment = Moment {
            mono: self.now,
            wall: Wall(0),
        };
        let effects = self.fleet.apply(moment, input);
        for effect in effects {
            self.carry_out(effect);
        }
        self.check();
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Start(child) => {
                assert!(self.started.insert(child), "{child} started twice");
            }
            Effect::Signal(child, _)
            | Effect::Prove(child, _)
            | Effect::Move(child, _)
            | Effect::Reply(child, _)
            | Effect::Abandon(child) => {
                assert!(self.started.contains(&child), "{child} never started");
            }
            Effect::DropOutput(job) => {
                assert!(self.fleet.job(job).is_none(), "{job} lost its output");
            }
            Effect::Answer(ticket, answer) => {
                assert!(
                    self.owed.remove(&ticket),
                    "{ticket:?} was answered twice or never asked"
                );
                self.answered.insert(ticket);
                if let Answer::Received(received) = answer
                    && let Some(lease) = received.lease
                {
                    for window in &received.windows {
                        for stream in Stream::BOTH
                            .into_iter()
                            .filter(|stream| window.streams.contains(*stream))
                        {
                            let done = self
                                .received
                                .get(&(window.child, stream))
                                .copied()
                                .unwrap_or(0);
                            let from = window.from[stream as usize].bytes;
                            assert_eq!(
                                from, done,
                                "{}: handed over twice or skipped",
                                window.child
                            );
                        }
                        let twice = self
                            .leases
                            .iter()
                            .any(|(_, out)| out.iter().any(|w| w.child == window.child));
                        assert!(!twice, "{}: two receivers at once", window.child);
                    }
                    self.leases.push((lease, received.windows));
                }
            }
        }
    }

    /// What holds at every moment.
    fn check(&mut self) {
        for job in self.fleet.jobs() {
            let tally = Tally::of(job.children.iter().map(|child| &child.state));
            assert_eq!(&tally, job.tally(), "the tally is the children's");
            assert_eq!(job.state(), tally.roll_up());
            assert_eq!(job.ended.is_some(), job.is_settled());
            let allowed = self.limits[&job.id].max(self.excess[&job.id]);
            assert!(
                tally.slots() <= allowed,
                "{}: {} slots, {allowed} allowed",
                job.id,
                tally.slots()
            );
            let more = job
                .children
                .iter()
                .any(|child| child.output.has_more(Streams::Both));
            assert_eq!(job.has_more(), more);
            for (index, child) in job.children.iter().enumerate() {
                let id = job.id.child(index);
                if let Some(before) = self.finals.get(&id) {
                    assert_eq!(*before, child.state.word(), "{id}: a final state changed");
                }
                if child.moving.is_some() {
                    assert!(
                        child.trace.is_some(),
                        "{id}: nothing runs that could be moved"
                    );
                    assert!(child.state.holds_slot(), "{id}: moved when it is over");
                }
                if let ChildState::Suspended(Standstill::Proved { .. }) = &child.state {
                    assert_eq!(child.timer, None, "{id}: its time does not stand still");
                }
                assert_eq!(
                    child.review.is_some(),
                    child.state.word().is_final() && child.timer.is_some(),
                    "{id}: what has ended has time only for another look"
                );
                if child.review.is_some() {
                    assert!(
                        super::review::unproved(&child.state).is_some(),
                        "{id}: looked at again though nothing is left"
                    );
                }
                let plain = child.state.reason().filter(|reason| !reason.unconfirmed());
                if child.state.word().is_final() {
                    let before = self.proved.entry(id).or_insert_with(|| plain.clone());
                    assert!(
                        before.is_none() || *before == plain,
                        "{id}: what was proved is doubted"
                    );
                    before.clone_from(&plain);
                    self.finals.insert(id, child.state.word());
                }
            }
        }
        let asking: BTreeMap<ChildId, QuestionId> = self
            .fleet
            .jobs()
            .flat_map(|job| {
                job.children
                    .iter()
                    .enumerate()
                    .map(|(i, c)| (job.id.child(i), c))
            })
            .filter_map(|(child, now)| match &now.state {
                ChildState::Blocked(Need::Answer { id, .. }) => Some((child, *id)),
                _ => None,
            })
            .collect();
        let mut waiting = BTreeMap::new();
        let mut different = BTreeSet::new();
        for open in self.fleet.questions() {
            assert!(!open.children.is_empty(), "{}: nobody waits", open.id);
            waiting.extend(open.children.iter().map(|child| (*child, open.id)));
            let job = |child: &ChildId| self.fleet.find_child(*child).expect("it waits").0.id;
            let scope = open
                .question
                .scope(job(open.children.first().expect("one waits")));
            assert!(
                different.insert((scope, Arc::clone(&open.question))),
                "asked twice"
            );
        }
        assert_eq!(
            asking, waiting,
            "open questions are those that children wait with"
        );
        for (job, slots) in &mut self.excess {
            if let Some(job) = self.fleet.job(*job) {
                *slots = (*slots).min(job.tally().slots());
            }
        }
    }

    /// A watcher that only reads changes knows the same as one who looks at everything.
    fn catch_up(&mut self) {
        for changed in self
            .fleet
            .changes_since(self.seen)
            .expect("few removals are all remembered")
        {
            match changed {
                Changed::Child(child) => {
                    let state = self
                        .fleet
                        .child(child)
                        .expect("what changed exists")
                        .state
                        .word();
                    self.watched.insert(child, state);
                }
                Changed::Job(_) => {}
                Changed::Removed(job) => self
                    .watched
                    .retain(|child, _| !(child.0 > job.0 && self.fleet.child(*child).is_none())),
            }
        }
        self.seen = self.fleet.revision();
        let truth: BTreeMap<ChildId, State> = self
            .fleet
            .jobs()
            .flat_map(|job| {
                job.children
                    .iter()
                    .enumerate()
                    .map(|(i, c)| (job.id.child(i), c.state.word()))
            })
            .collect();
        assert_eq!(self.watched, truth);
    }

    fn command(&mut self, command: Command) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.owed.insert(ticket);
        self.apply(Input::Command(ticket, command));
        ticket
    }

    fn job(&self, pick: u16) -> Option<JobId> {
        let ids: Vec<JobId> = self.fleet.jobs().map(|job| job.id).collect();
        (!ids.is_empty()).then(|| ids[usize::from(pick) % ids.len()])
    }

    fn child(&self, pick: u16) -> Option<ChildId> {
        let ids: Vec<ChildId> = self
            .fleet
            .jobs()
            .flat_map(|job| (0..job.children.len()).map(|i| job.id.child(i)))
            .collect();
        (!ids.is_empty()).then(|| ids[usize::from(pick) % ids.len()])
    }

    #[expect(clippy::needless_pass_by_value, reason = "a step is taken once")]
    fn take(&mut self, step: Step) {
        let id = |id: u64| vec![Selector::new(id.to_string())];
        match step {
            Step::Submit {
                hosts,
                fanout,
                limits,
            } => {
                let next = self.highest_id + 1;
                self.limits.insert(JobId(next), u32::from(fanout));
                self.excess.insert(JobId(next), 0);
                self.highest_id += 1 + u64::from(hosts);
                self.command(Command::Submit(Box::new(spec(hosts, fanout, limits))));
                assert!(
                    self.fleet.job(JobId(next)).is_some(),
                    "ids go on where they left off"
                );
            }
            Step::Report { child, what } => {
                if let Some(child) = self
                    .child(child)
                    .filter(|child| self.started.contains(child))
                {
                    self.apply(Input::Runner(child, report(child, what)));
                }
            }
            Step::Output { child, bytes, err } => {
                if let Some(child) = self
                    .child(child)
                    .filter(|child| self.started.contains(child))
                {
                    let stream = if err { Stream::Err } else { Stream::Out };
                    let account = self.fleet.child(child).expect("picked").output;
                    let end = account.end.after(
                        stream,
                        Count {
                            bytes: u64::from(bytes),
                            lines: 0,
                        },
                    );
                    self.apply(Input::Runner(child, Report::Output { end, gap: None }));
                }
            }
            Step::Stop { child, whole, kill } => {
                if let Some(child) = self.child(child) {
                    let job = self.fleet.find_child(child).expect("picked").0.id;
                    let rigour = if kill { Rigour::Kill } else { Rigour::Gentle };
                    self.command(Command::Stop {
                        select: id(if whole { job.0 } else { child.0 }),
                        rigour,
                        grace: None,
                    });
                }
            }
            Step::Reconnect { child, whole } => {
                if let Some(child) = self.child(child) {
                    let job = self.fleet.find_child(child).expect("picked").0.id;
                    let select = id(if whole { job.0 } else { child.0 });
                    self.command(Command::Reconnect { select });
                }
            }
            Step::Throttle { job, fanout } => {
                if let Some(job) = self.job(job) {
                    let slots = self.fleet.job(job).expect("picked").tally().slots();
                    self.excess.insert(job, slots);
                    self.limits.insert(job, u32::from(fanout));
                    let fanout = NonZeroU32::new(u32::from(fanout)).expect("from 1");
                    self.command(Command::Throttle {
                        select: id(job.0),
                        fanout,
                    });
                }
            }
            Step::Queue { job, pause } => {
                if let Some(job) = self.job(job) {
                    let select = id(job.0);
                    self.command(if pause {
                        Command::Pause { select }
                    } else {
                        Command::Move {
                            select,
                            motion: Motion::Resume,
                        }
                    });
                }
            }
            Step::Move {
                child,
                whole,
                suspend,
            } => {
                if let Some(child) = self.child(child) {
                    let job = self.fleet.find_child(child).expect("picked").0.id;
                    let motion = if suspend {
                        Motion::Suspend
                    } else {
                        Motion::Resume
                    };
                    self.command(Command::Move {
                        select: id(if whole { job.0 } else { child.0 }),
                        motion,
                    });
                }
            }
            Step::Ask { child, what } => {
                if let Some(child) = self
                    .child(child)
                    .filter(|child| self.started.contains(child))
                {
                    let text = format!("{}", what % 2);
                    let about = match what {
                        0 | 1 => About::Passphrase { file: text },
                        _ => About::Password { account: text },
                    };
                    self.apply(Input::Runner(child, Report::Asks(Question::first(about))));
                }
            }
            Step::Answer { which, response } => {
                let response =
                    [Response::Accept, Response::Secret, Response::Refuse][usize::from(response)];
                let questions = vec![QuestionId(u64::from(which % 8))];
                self.command(Command::Answer {
                    questions,
                    response,
                });
            }
            Step::Remove { job, force } => {
                if let Some(job) = self.job(job) {
                    let force = if force {
                        Force::StopFirst
                    } else {
                        Force::FinalOnly
                    };
                    self.command(Command::Remove {
                        select: id(job.0),
                        force,
                    });
                }
            }
            Step::Receive { job, mode, streams } => {
                if let Some(job) = self.job(job) {
                    let patience = if mode == 3 {
                        Patience::UntilNews(self.seen)
                    } else {
                        Patience::Now
                    };
                    let mode = [Mode::Drain, Mode::Keep, Mode::All, Mode::Drain][usize::from(mode)];
                    let streams = [
                        Streams::Both,
                        Streams::Only(Stream::Out),
                        Streams::Only(Stream::Err),
                    ][usize::from(streams)];
                    let ask = ReceiveAsk {
                        select: id(job.0),
                        hosts: None,
                        streams,
                        mode,
                        patience,
                        held: BTreeMap::new(),
                    };
                    self.command(Command::Receive(ask));
                }
            }
            Step::CloseLease { which, done } => {
                if !self.leases.is_empty() {
                    let at = usize::from(which) % self.leases.len();
                    let (lease, windows) = self.leases.remove(at);
                    if done {
                        for window in windows {
                            for stream in Stream::BOTH
                                .into_iter()
                                .filter(|s| window.streams.contains(*s))
                            {
                                self.received.insert(
                                    (window.child, stream),
                                    window.to[stream as usize].bytes,
                                );
                            }
                        }
                        self.apply(Input::Delivered(lease, Delivery::Done(Vec::new())));
                    } else {
                        self.apply(Input::Delivered(lease, Delivery::Broken));
                    }
                }
            }
            Step::Wait { job, any, timeout } => {
                if let Some(job) = self.job(job) {
                    let until = if any { Until::Any } else { Until::All };
                    let timeout = timeout.then_some(Duration::from_secs(2));
                    self.command(Command::Wait {
                        select: id(job.0),
                        until,
                        timeout,
                    });
                }
            }
            Step::Pass { millis } => self.pass(Duration::from_millis(u64::from(millis))),
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.fleet.next_deadline().filter(|at| *at <= end) {
            self.now = at;
            self.apply(Input::Tick);
        }
        self.now = end;
    }

    /// Ends everything that is under way, and then nothing may be owed.
    fn wind_up(&mut self) {
        let select = vec![Selector::new("all")];
        self.command(Command::Move {
            select: select.clone(),
            motion: Motion::Resume,
        });
        self.command(Command::Stop {
            select,
            rigour: Rigour::Kill,
            grace: None,
        });
        for (lease, _) in std::mem::take(&mut self.leases) {
            self.apply(Input::Delivered(lease, Delivery::Broken));
        }
        // No runner answers from here on: the ladder alone has to bring everything to an end.
        self.pass(Duration::from_secs(3600));
        assert!(
            self.fleet.jobs().all(super::job::Job::is_settled),
            "something hangs"
        );
        for (lease, _) in std::mem::take(&mut self.leases) {
            self.apply(Input::Delivered(lease, Delivery::Broken));
        }
        for (lease, _) in std::mem::take(&mut self.leases) {
            self.apply(Input::Delivered(lease, Delivery::Done(Vec::new())));
        }
        assert_eq!(self.fleet.next_deadline(), None, "a timer nobody needs");
        assert!(self.owed.is_empty(), "answers are owed: {:?}", self.owed);
    }
}

fn spec(hosts: u8, fanout: u8, limits: bool) -> JobSpec {
    let limit = limits.then_some(Duration::from_secs(7));
    JobSpec {
        name: None,
        runner: "test".into(),
        payload: Payload::Command("true".into()),
        targets: String::new(),
        hosts: (0..hosts).map(|n| Host::named(format!("h{n}"))).collect(),
        fanout: NonZeroU32::new(u32::from(fanout)).expect("from 1"),
        limits: Limits {
            command: limit,
            job: limit.map(|limit| limit * 2),
            ..Limits::default()
        },
        ok_exit: vec![0],
        on_full: OnFull::Truncate,
        options: Vec::new(),
        asking: Asking::Allowed,
        shape: None,
        ask_above: Above::Configured,
        withheld: Vec::new(),
    }
}

fn report(child: ChildId, what: u8) -> Report {
    match what {
        0..=2 => Report::Began(Trace {
            pid: child.0 as u32,
        }),
        3 => Report::Held,
        4 => Report::GoesOn,
        5 | 6 => Report::Moved(Motion::Suspend, Moved::All),
        11 | 12 => Report::Moved(Motion::Resume, Moved::All),
        13 => Report::Moved(Motion::Suspend, Moved::AllBut(vec![1])),
        14 => Report::Moved(Motion::Resume, Moved::Unknown("no".into())),
        15 => Report::Moved(Motion::Suspend, Moved::Gone),
        7 => Report::Ended(Ended::Exited(i32::from(child.0.is_multiple_of(2)))),
        8 => Report::Ended(Ended::Signaled(format!("{:?}", Signal::Kill))),
        9 => Report::Ended(Ended::NotStarted(Reason::Unreachable("no".into()))),
        10 => Report::Ended(Ended::Lost("reset".into())),
        16 => Report::Proved(Proof::Unknown("no".into())),
        _ if child.0.is_multiple_of(3) => Report::Proved(Proof::Alive(vec![1])),
        _ => Report::Proved(Proof::Gone),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_order_of_events_keeps_the_promises(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::default();
        for (n, step) in steps.into_iter().enumerate() {
            world.take(step);
            if n % 7 == 0 {
                world.catch_up();
            }
        }
        world.catch_up();
        world.wind_up();
        world.catch_up();
    }
}
