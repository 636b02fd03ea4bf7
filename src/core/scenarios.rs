//! Whole lives of jobs under a fake clock.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use super::answer::{Answer, Refusal, Settled, Unanswered};
use super::departed::By;
use super::fleet::{Command, Effect, Fleet, Input, Report, Ticket};
use super::ids::{ChildId, JobId};
use super::ladder::{Force, Rigour};
use super::output::{Count, Gap, Position, Stream, Streams};
use super::question::{About, Question, QuestionId, Response};
use super::reason::Reason;
use super::receive::{Delivery, Held, LeaseId, Mode, Patience, ReceiveAsk, Received};
use super::select::Selector;
use super::spec::{
    Above, Asking, Ended, Host, Inquiry, JobSpec, Limits, Motion, Moved, OnFull, Payload, Proof,
    Signal, Trace,
};
use super::state::{ChildState, State};
use super::time::{Moment, Wall};
use super::wait::Until;

/// A fleet with a clock in hand, and runners that are the test itself.
struct World {
    fleet: Fleet,
    now: Duration,
    /// What the wall clock is off by, in milliseconds.
    wall_off: i64,
    tickets: u64,
    /// What has to be done that the test has not looked at yet.
    effects: Vec<Effect>,
}

impl World {
    fn new() -> Self {
        Self {
            fleet: Fleet::default(),
            now: Duration::ZERO,
            wall_off: 0,
            tickets: 0,
            effects: Vec::new(),
        }
    }

    fn apply(&mut self, input: Input) {
        let moment = Moment {
            mono: self.now,
            wall: Wall(self.now.as_millis() as i64 + self.wall_off),
        };
        self.effects.extend(self.fleet.apply(moment, input));
    }

    fn command(&mut self, command: Command) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.apply(Input::Command(ticket, command));
        ticket
    }

    fn submit(&mut self, hosts: usize, change: impl FnOnce(&mut JobSpec)) -> JobId {
        let mut spec = spec(hosts);
        change(&mut spec);
        let ticket = self.command(Command::Submit(Box::new(spec)));
        match self.answer(ticket) {
            Some(Answer::Submitted(job)) => job,
            other => panic!("submitted, got {other:?}"),
        }
    }

    fn tell(&mut self, child: u64, report: Report) {
        self.apply(Input::Runner(ChildId(child), report));
    }

    fn begin(&mut self, child: u64) {
        self.tell(
            child,
            Report::Began(Trace {
                pid: 4000 + child as u32,
            }),
        );
    }

    fn exit(&mut self, child: u64, code: i32) {
        self.tell(child, Report::Ended(Ended::Exited(code)));
    }

    /// Lets time pass, with the ticks the fleet asks for.
    fn pass(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.fleet.next_deadline().filter(|at| *at <= end) {
            self.now = at;
            self.apply(Input::Tick);
        }
        self.now = end;
    }

    fn answer(&mut self, ticket: Ticket) -> Option<Answer> {
        let at = self
            .effects
            .iter()
            .position(|effect| matches!(effect, Effect::Answer(to, _) if *to == ticket))?;
        match self.effects.remove(at) {
            Effect::Answer(_, answer) => Some(answer),
            other => panic!("{other:?} is no answer"),
        }
    }

    /// What has to be done beside answering, since last asked.
    fn todo(&mut self) -> Vec<Effect> {
        let (answers, rest) = self
            .effects
            .drain(..)
            .partition(|effect| matches!(effect, Effect::Answer(..)));
        self.effects = answers;
        rest
    }

    fn started(&mut self) -> Vec<u64> {
        self.todo()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Start(child) => Some(child.0),
                _ => None,
            })
            .collect()
    }

    fn state(&self, child: u64) -> State {
        self.fleet
            .child(ChildId(child))
            .expect("the child exists")
            .state
            .word()
    }

    fn reason(&self, child: u64) -> String {
        let child = self.fleet.child(ChildId(child)).expect("the child exists");
        child
            .state
            .reason()
            .map_or_else(String::new, |reason| reason.to_string())
    }

    fn master(&self, job: JobId) -> State {
        self.fleet.job(job).expect("the job exists").state()
    }

    fn receive(&mut self, select: &str, mode: Mode) -> Received {
        let ticket = self.command(Command::Receive(ask(select, mode, Patience::Now)));
        match self.answer(ticket) {
            Some(Answer::Received(received)) => received,
            other => panic!("received, got {other:?}"),
        }
    }

    fn output(&mut self, child: u64, out: u64, err: u64) {
        let end = Position {
            out: Count {
                bytes: out,
                lines: out / 10,
            },
            err: Count {
                bytes: err,
                lines: err / 10,
            },
        };
        self.tell(child, Report::Output { end, gap: None });
    }
}

fn spec(hosts: usize) -> JobSpec {
    JobSpec {
        name: None,
        runner: "test".into(),
        payload: Payload::Command("uptime".into()),
        targets: format!("h[1-{hosts}]"),
        hosts: (1..=hosts).map(|n| Host::named(format!("h{n}"))).collect(),
        fanout: NonZeroU32::new(64).expect("64 is not 0"),
        limits: Limits::default(),
        ok_exit: vec![0],
        on_full: OnFull::Truncate,
        options: Vec::new(),
        asking: Asking::Allowed,
        shape: None,
        ask_above: Above::Configured,
        withheld: Vec::new(),
    }
}

fn select(text: &str) -> Vec<Selector> {
    text.split(' ').map(Selector::new).collect()
}

fn ask(text: &str, mode: Mode, patience: Patience) -> ReceiveAsk {
    ReceiveAsk {
        select: select(text),
        hosts: None,
        streams: Streams::Both,
        mode,
        patience,
        held: BTreeMap::new(),
    }
}

fn sizes(received: &Received) -> Vec<(u64, u64)> {
    received
        .windows
        .iter()
        .map(|w| (w.child.0, w.size().bytes))
        .collect()
}

#[test]
fn a_job_of_three_runs_to_its_end() {
    let mut world = World::new();
    let job = world.submit(3, |_| {});
    assert_eq!((job, world.master(job)), (JobId(1), State::Running));
    assert_eq!(world.started(), [2, 3, 4]);
    for child in 2..=4 {
        world.begin(child);
    }
    world.exit(2, 0);
    world.tell(
        3,
        Report::Ended(Ended::NotStarted(Reason::Unreachable(
            "connection refused".into(),
        ))),
    );
    assert_eq!(
        world.master(job),
        State::Running,
        "one failure does not end a job"
    );
    world.exit(4, 3);
    assert_eq!(world.master(job), State::Failed);
    assert_eq!(world.reason(3), "unreachable: connection refused");
    assert_eq!(world.reason(4), "exit 3");
    assert_eq!(
        world.submit(2, |_| {}),
        JobId(5),
        "ids go on behind the last child"
    );
}

#[test]
fn the_throttle_holds_and_can_be_moved() {
    let mut world = World::new();
    let job = world.submit(6, |spec| spec.fanout = NonZeroU32::new(2).expect("2"));
    assert_eq!(world.started(), [2, 3]);
    world.exit(2, 0);
    assert_eq!(world.started(), [4], "each end starts exactly one more");
    let pause = Command::Pause {
        select: select("1"),
    };
    world.command(pause);
    world.exit(3, 0);
    assert_eq!(world.started(), [0; 0]);
    let wider = Command::Throttle {
        select: select("1"),
        fanout: NonZeroU32::new(3).expect("3"),
    };
    world.command(wider);
    assert_eq!(world.started(), [0; 0], "a paused queue stays paused");
    world.command(Command::Move {
        select: select("1"),
        motion: Motion::Resume,
    });
    assert_eq!(world.started(), [5, 6]);
    world.command(Command::Throttle {
        select: select("1"),
        fanout: NonZeroU32::MIN,
    });
    world.exit(4, 0);
    world.exit(5, 0);
    assert_eq!(
        world.started(),
        [0; 0],
        "a narrower limit waits until enough have ended"
    );
    world.exit(6, 0);
    assert_eq!(world.started(), [7]);
    world.exit(7, 0);
    assert_eq!(world.master(job), State::Completed);
}

/// A setting of a queue that will never move again would change nothing, so it is not pretended to.
#[test]
fn what_has_ended_is_not_paused_or_throttled() {
    let mut world = World::new();
    let done = world.submit(1, |_| {});
    world.exit(2, 0);
    let live = world.submit(1, |_| {});
    let before = world.fleet.job(done).expect("it is there").revision();
    for command in [
        Command::Pause {
            select: select("all"),
        },
        Command::Throttle {
            select: select("all"),
            fanout: NonZeroU32::MIN,
        },
    ] {
        let ticket = world.command(command);
        assert_eq!(
            world.answer(ticket),
            Some(Answer::Changed {
                jobs: vec![live],
                refused: vec![Refusal::Ended(done, State::Completed)],
            })
        );
    }
    let done = world.fleet.job(done).expect("it is there");
    assert_eq!(done.revision(), before);
    // A lost child that is still being looked for has not settled; once it is given up, it has.
    world.begin(4);
    world.tell(4, Report::Ended(Ended::Lost("reset".into())));
    let pause = || Command::Pause {
        select: select("3"),
    };
    let ticket = world.command(pause());
    assert!(matches!(world.answer(ticket), Some(Answer::Changed { jobs, .. }) if jobs == [live]));
    world.tell(4, Report::Proved(Proof::Unknown("host unreachable".into())));
    let ticket = world.command(pause());
    assert_eq!(
        world.answer(ticket),
        Some(Answer::Changed {
            jobs: Vec::new(),
            refused: vec![Refusal::Ended(live, State::Disconnected)],
        })
    );
}

#[test]
fn stopping_climbs_the_ladder_and_believes_only_a_probe() {
    let mut world = World::new();
    let job = world.submit(3, |spec| spec.fanout = NonZeroU32::new(2).expect("2"));
    world.begin(2);
    world.todo();
    let ticket = world.command(Command::Stop {
        select: select("1"),
        rigour: Rigour::Gentle,
        grace: None,
    });
    let term = [
        Effect::Signal(ChildId(2), Signal::Term),
        Effect::Signal(ChildId(3), Signal::Term),
    ];
    assert_eq!(world.todo(), term);
    assert_eq!(
        world.state(4),
        State::Stopped,
        "what is queued is never contacted"
    );
    assert_eq!(world.master(job), State::Stopping);

    world.tell(3, Report::Ended(Ended::Aborted));
    assert_eq!(
        (world.state(3), world.reason(3).as_str()),
        (State::Stopped, "stopped before it started")
    );

    world.pass(5);
    assert_eq!(world.todo(), [Effect::Signal(ChildId(2), Signal::Kill)]);
    world.tell(2, Report::Ended(Ended::Signaled("KILL".into())));
    assert_eq!(
        world.todo(),
        [Effect::Prove(
            ChildId(2),
            Inquiry::End {
                grace: Duration::ZERO
            }
        )]
    );
    assert_eq!(
        world.state(2),
        State::Stopping,
        "the end of the connection proves nothing"
    );
    assert_eq!(world.answer(ticket), None);

    world.tell(2, Report::Proved(Proof::Alive(vec![4711])));
    assert_eq!(world.reason(2), "stop unconfirmed, pid 4711 still alive");
    assert_eq!(world.master(job), State::Stopped);
    assert!(matches!(
        world.answer(ticket),
        Some(Answer::Settled {
            how: Settled::Reached,
            ..
        })
    ));

    let again = world.command(Command::Stop {
        select: select("1"),
        rigour: Rigour::Kill,
        grace: None,
    });
    let look = Effect::Prove(
        ChildId(2),
        Inquiry::End {
            grace: Duration::ZERO,
        },
    );
    assert_eq!(world.todo(), [Effect::Abandon(ChildId(2)), look]);
    assert_eq!(world.answer(again), None, "it is looked at again first");
    world.tell(2, Report::Proved(Proof::Gone));
    assert!(world.answer(again).is_some());
    assert_eq!(world.reason(2), "stopped by operator");

    let over = world.command(Command::Stop {
        select: select("1"),
        rigour: Rigour::Kill,
        grace: None,
    });
    assert!(
        world.answer(over).is_some(),
        "stopping what is proved to have ended does nothing, at once"
    );
    assert_eq!(world.todo(), []);
}

/// A child whose end could not be proved: stopped, or out of its time.
fn with_an_unproved_end(command: Option<Duration>) -> World {
    let mut world = World::new();
    world.submit(1, |spec| spec.limits.command = command);
    world.begin(2);
    match command {
        Some(limit) => world.pass(limit.as_secs()),
        None => _ = stop_all(&mut world),
    }
    world.tell(2, Report::Ended(Ended::Lost("reset".into())));
    world.tell(2, Report::Proved(Proof::Unknown("host unreachable".into())));
    world.todo();
    world
}

fn stop_all(world: &mut World) -> Ticket {
    world.command(Command::Stop {
        select: select("1"),
        rigour: Rigour::Gentle,
        grace: None,
    })
}

fn look_at_all(world: &mut World) -> Ticket {
    world.command(Command::Reconnect {
        select: select("1"),
    })
}

const END: Inquiry = Inquiry::End {
    grace: Duration::from_secs(5),
};

#[test]
fn an_end_that_was_not_proved_can_be_proved_later() {
    let mut world = with_an_unproved_end(None);
    let unknown = "stop unconfirmed, pid 4002: host unreachable";
    assert_eq!(world.reason(2), unknown);
    let ended = world.fleet.child(ChildId(2)).expect("it is there").ended;

    // Nobody answers yet.
    let stop = stop_all(&mut world);
    assert_eq!(world.todo(), [Effect::Prove(ChildId(2), END)]);
    world.pass(60);
    assert!(world.answer(stop).is_some(), "a look has its time");
    let late = "stop unconfirmed, pid 4002: the probe did not answer in time";
    assert_eq!(world.reason(2), late);

    // A look ends nothing, and what it saw is not forgotten when the next one sees nothing.
    let look = look_at_all(&mut world);
    assert_eq!(world.todo(), [Effect::Prove(ChildId(2), Inquiry::Look)]);
    assert_eq!(world.answer(look), None);
    world.tell(2, Report::Proved(Proof::Alive(vec![4711])));
    assert!(world.answer(look).is_some());
    let alive = "stop unconfirmed, pid 4711 still alive";
    assert_eq!(world.reason(2), alive);
    let look = look_at_all(&mut world);
    world.todo();
    world.tell(2, Report::Proved(Proof::Unknown("host unreachable".into())));
    assert!(world.answer(look).is_some());
    assert_eq!(world.reason(2), alive);

    let stop = stop_all(&mut world);
    assert_eq!(world.todo(), [Effect::Prove(ChildId(2), END)]);
    world.tell(2, Report::Proved(Proof::Gone));
    assert!(world.answer(stop).is_some());
    assert_eq!(
        (world.state(2), world.reason(2).as_str()),
        (State::Stopped, "stopped by operator")
    );
    let child = world.fleet.child(ChildId(2)).expect("it is there");
    assert_eq!(child.ended, ended, "it ended when it was stopped");

    // What is proved stays so, and nobody is contacted for it.
    world.tell(2, Report::Proved(Proof::Alive(vec![4711])));
    assert_eq!(world.reason(2), "stopped by operator");
    let look = look_at_all(&mut world);
    assert!(world.answer(look).is_some());
    assert_eq!(world.todo(), []);
}

#[test]
fn a_limit_that_left_something_can_be_proved_later_and_stays_failed() {
    let mut world = with_an_unproved_end(Some(Duration::from_secs(30)));
    assert_eq!(
        world.reason(2),
        "timed out after 30s; stop unconfirmed, pid 4002: host unreachable"
    );
    stop_all(&mut world);
    world.tell(2, Report::Proved(Proof::Gone));
    assert_eq!(
        (world.state(2), world.reason(2).as_str()),
        (State::Failed, "timed out after 30s")
    );
}

#[test]
fn a_stop_during_a_look_ends_what_that_finds() {
    let mut world = with_an_unproved_end(None);
    let look = look_at_all(&mut world);
    let stop = stop_all(&mut world);
    assert_eq!(world.todo(), [Effect::Prove(ChildId(2), Inquiry::Look)]);
    world.tell(2, Report::Proved(Proof::Alive(vec![4711])));
    assert_eq!(world.todo(), [Effect::Prove(ChildId(2), END)]);
    assert_eq!(world.answer(stop), None);
    world.tell(2, Report::Proved(Proof::Gone));
    assert!(world.answer(stop).is_some() && world.answer(look).is_some());
    assert_eq!(world.reason(2), "stopped by operator");
}

#[test]
fn what_is_being_looked_at_again_can_be_removed() {
    let mut world = with_an_unproved_end(None);
    let stop = stop_all(&mut world);
    world.command(Command::Remove {
        select: select("1"),
        force: Force::StopFirst,
    });
    assert!(
        world.answer(stop).is_some(),
        "nobody waits for what is gone"
    );
    assert_eq!(world.fleet.next_deadline(), None);
    world.tell(2, Report::Proved(Proof::Gone));
}

#[test]
fn a_command_that_ends_by_term_leaves_its_family_the_rest_of_the_grace() {
    let mut world = World::new();
    world.submit(1, |_| {});
    world.begin(2);
    world.todo();
    world.command(Command::Stop {
        select: select("2"),
        rigour: Rigour::Gentle,
        grace: None,
    });
    world.pass(2);
    world.tell(2, Report::Ended(Ended::Signaled("TERM".into())));
    assert_eq!(
        world.todo().pop(),
        Some(Effect::Prove(
            ChildId(2),
            Inquiry::End {
                grace: Duration::from_secs(3)
            }
        ))
    );
    world.tell(2, Report::Proved(Proof::Gone));
    assert_eq!(
        (world.state(2), world.reason(2).as_str()),
        (State::Stopped, "stopped by operator")
    );
}

#[test]
fn a_stop_can_bring_its_own_grace() {
    let mut world = World::new();
    world.submit(1, |spec| spec.limits.grace = Duration::from_secs(600));
    world.begin(2);
    world.todo();
    let stop = |grace| Command::Stop {
        select: select("2"),
        rigour: Rigour::Gentle,
        grace,
    };
    world.command(stop(None));
    world.pass(60);
    assert_eq!(world.todo(), [Effect::Signal(ChildId(2), Signal::Term)]);
    // Again and impatiently: no second TERM, and the new time counts from now.
    world.command(stop(Some(Duration::from_secs(3))));
    world.pass(2);
    world.command(stop(None));
    assert_eq!(world.todo(), []);
    world.pass(1);
    assert_eq!(world.todo(), [Effect::Signal(ChildId(2), Signal::Kill)]);
}

#[test]
fn what_needed_kill_says_so() {
    let mut world = World::new();
    world.submit(2, |_| {});
    world.begin(2);
    world.begin(3);
    world.command(Command::Stop {
        select: select("2"),
        rigour: Rigour::Gentle,
        grace: None,
    });
    world.command(Command::Stop {
        select: select("3"),
        rigour: Rigour::Kill,
        grace: None,
    });
    // The first ignores TERM, the second was never asked nicely.
    world.pass(5);
    for child in [2, 3] {
        world.tell(child, Report::Ended(Ended::Signaled("KILL".into())));
        world.tell(child, Report::Proved(Proof::Gone));
        assert_eq!(world.state(child), State::Stopped);
        assert_eq!(world.reason(child), "stopped by operator (KILL)");
    }
}

#[test]
fn a_probe_that_never_answers_is_not_waited_for() {
    let mut world = World::new();
    world.submit(1, |_| {});
    world.begin(2);
    world.command(Command::Stop {
        select: select("2"),
        rigour: Rigour::Kill,
        grace: None,
    });
    world.pass(2);
    assert!(
        world.todo().contains(&Effect::Prove(
            ChildId(2),
            Inquiry::End {
                grace: Duration::ZERO
            }
        )),
        "silence after KILL is probed"
    );
    world.pass(60);
    assert_eq!(world.state(2), State::Stopped);
    assert_eq!(
        world.reason(2),
        "stop unconfirmed, pid 4002: the probe did not answer in time"
    );
    assert!(world.todo().contains(&Effect::Abandon(ChildId(2))));
}

#[test]
fn limits_end_children_as_failed() {
    let mut world = World::new();
    let limits = Limits {
        command: Some(Duration::from_secs(30)),
        job: Some(Duration::from_secs(60)),
        ..Limits::default()
    };
    let job = world.submit(3, |spec| {
        (spec.limits, spec.fanout) = (limits, NonZeroU32::MIN);
    });
    world.pass(10);
    world.begin(2);
    world.pass(29);
    assert_eq!(
        world.state(2),
        State::Running,
        "the command's time starts when it runs"
    );
    world.pass(1);
    assert_eq!(world.state(2), State::Stopping);
    world.tell(2, Report::Ended(Ended::Signaled("TERM".into())));
    world.tell(2, Report::Proved(Proof::Gone));
    assert_eq!(
        (world.state(2), world.reason(2).as_str()),
        (State::Failed, "timed out after 30s")
    );
    world.begin(3);
    world.pass(20);
    assert_eq!(world.state(3), State::Stopping);
    assert_eq!(
        (world.state(4), world.reason(4).as_str()),
        (State::Failed, "job timed out after 60s")
    );
    world.pass(120);
    assert_eq!(world.master(job), State::Failed);
}

#[test]
fn a_server_that_never_starts_the_command_does_not_outlast_its_limit() {
    let mut world = World::new();
    let limits = Limits {
        command: Some(Duration::from_secs(30)),
        ..Limits::default()
    };
    world.submit(1, |spec| spec.limits = limits);
    world.pass(39);
    assert_eq!(world.state(2), State::Connecting);
    world.pass(1);
    assert_eq!(world.state(2), State::Stopping);
    world.tell(2, Report::Ended(Ended::Aborted));
    assert_eq!(
        (world.state(2), world.reason(2).as_str()),
        (State::Failed, "timed out after 30s")
    );
}

#[test]
fn a_lost_connection_is_looked_into_before_anything_is_claimed() {
    for (proof, state, reason) in [
        (
            Proof::Gone,
            State::Failed,
            "connection lost: reset; the command has ended, how is not known",
        ),
        (
            Proof::Alive(vec![7]),
            State::Disconnected,
            "connection lost: reset; pid 7 still alive",
        ),
        (
            Proof::Unknown("host unreachable".into()),
            State::Disconnected,
            "connection lost: reset; pid 4002 may still run (host unreachable)",
        ),
    ] {
        let mut world = World::new();
        let job = world.submit(1, |_| {});
        world.begin(2);
        world.tell(2, Report::Ended(Ended::Lost("reset".into())));
        let wait = world.command(Command::Wait {
            select: select("1"),
            until: Until::All,
            timeout: None,
        });
        assert_eq!(
            (world.state(2), world.master(job)),
            (State::Disconnected, State::Running)
        );
        assert_eq!(
            world.answer(wait),
            None,
            "not settled while it is looked into"
        );
        world.tell(2, Report::Proved(proof));
        assert_eq!(
            (world.state(2), world.master(job), world.reason(2).as_str()),
            (state, state, reason)
        );
        assert!(world.answer(wait).is_some());
    }
}

#[test]
fn a_disconnected_child_can_still_be_stopped_by_proof() {
    let mut world = World::new();
    world.submit(1, |_| {});
    world.begin(2);
    world.tell(2, Report::Ended(Ended::Lost("reset".into())));
    world.tell(2, Report::Proved(Proof::Unknown("host unreachable".into())));
    world.todo();
    world.command(Command::Stop {
        select: select("1"),
        rigour: Rigour::Gentle,
        grace: None,
    });
    assert_eq!(
        world.todo(),
        [Effect::Prove(
            ChildId(2),
            Inquiry::End {
                grace: Duration::from_secs(5)
            }
        )]
    );
    world.tell(2, Report::Proved(Proof::Gone));
    assert_eq!(
        (world.state(2), world.reason(2).as_str()),
        (State::Stopped, "stopped by operator")
    );
}

#[test]
fn a_wall_clock_that_jumps_changes_no_timeout() {
    let mut world = World::new();
    let limits = Limits {
        command: Some(Duration::from_secs(30)),
        ..Limits::default()
    };
    world.submit(1, |spec| spec.limits = limits);
    world.begin(2);
    world.pass(10);
    for off in [-86_400_000, 86_400_000] {
        world.wall_off = off;
        world.pass(9);
        assert_eq!(world.state(2), State::Running);
    }
    world.wall_off = -3_600_000;
    world.pass(2);
    assert_eq!(world.state(2), State::Stopping);
    world.tell(2, Report::Ended(Ended::Signaled("TERM".into())));
    world.tell(2, Report::Proved(Proof::Gone));
    let child = world.fleet.child(ChildId(2)).expect("exists");
    let (began, ended) = (child.began.expect("began"), child.ended.expect("ended"));
    assert!(ended.wall < began.wall, "the wall clock is only shown");
    assert_eq!(ended.since(began), Duration::from_secs(30));
}

#[test]
fn waits_end_when_they_should() {
    let mut world = World::new();
    world.submit(2, |_| {});
    world.submit(1, |_| {});
    let wait = |until, timeout: Option<u64>| Command::Wait {
        select: select("1 4"),
        until,
        timeout: timeout.map(Duration::from_secs),
    };
    let all = world.command(wait(Until::All, None));
    let any = world.command(wait(Until::Any, None));
    let short = world.command(wait(Until::All, Some(5)));
    let forgotten = world.command(wait(Until::All, Some(6)));
    world.apply(Input::Forget(forgotten));
    world.pass(10);
    assert!(matches!(
        world.answer(short),
        Some(Answer::Settled {
            how: Settled::TimedOut,
            ..
        })
    ));
    world.exit(2, 0);
    assert_eq!(world.answer(any), None, "one child is not its job");
    world.exit(5, 0);
    assert!(matches!(
        world.answer(any),
        Some(Answer::Settled {
            how: Settled::Reached,
            ..
        })
    ));
    assert_eq!(world.answer(all), None);
    world.exit(3, 0);
    assert!(matches!(
        world.answer(all),
        Some(Answer::Settled {
            how: Settled::Reached,
            ..
        })
    ));
    assert_eq!(world.answer(forgotten), None);
    let nothing = world.command(Command::Wait {
        select: select("no*"),
        until: Until::All,
        timeout: None,
    });
    assert!(
        world.answer(nothing).is_some(),
        "nothing selected is nothing to wait for"
    );
}

#[test]
fn receiving_drains_keeps_and_shows_again() {
    let mut world = World::new();
    let job = world.submit(2, |_| {});
    world.output(3, 50, 0);
    world.output(2, 100, 20);
    let kept = world.receive("1", Mode::Keep);
    assert_eq!(
        (sizes(&kept), kept.lease),
        (vec![(2, 120), (3, 50)], None),
        "host order, and nothing moves"
    );
    let first = world.receive("1", Mode::Drain);
    assert_eq!(sizes(&first), sizes(&kept));
    let while_out = world.receive("1", Mode::Drain);
    assert_eq!(
        (while_out.windows.len(), while_out.busy),
        (0, vec![ChildId(2), ChildId(3)])
    );
    world.apply(Input::Delivered(
        first.lease.expect("a drain has a lease"),
        Delivery::Broken,
    ));
    let second = world.receive("1", Mode::Drain);
    assert_eq!(
        sizes(&second),
        sizes(&kept),
        "a broken hand-over is repeated whole"
    );
    world.output(2, 110, 20);
    world.apply(Input::Delivered(
        second.lease.expect("a drain has a lease"),
        Delivery::Done(Vec::new()),
    ));
    assert_eq!(
        sizes(&world.receive("1", Mode::Drain)),
        [(2, 10)],
        "what came meanwhile waits"
    );
    assert_eq!(sizes(&world.receive("1", Mode::All)), [(2, 130), (3, 50)]);
    world.apply(Input::Delivered(LeaseId(3), Delivery::Done(Vec::new())));
    assert!(!world.fleet.job(job).expect("the job exists").has_more());
}

#[test]
fn a_line_that_is_not_complete_can_be_held_back() {
    let mut world = World::new();
    world.submit(1, |_| {});
    world.output(2, 105, 20);
    let first = world.receive("1", Mode::Drain);
    let ended = first.windows[0].to;
    let held = vec![Held {
        child: ChildId(2),
        stream: Stream::Out,
        bytes: 5,
    }];
    world.apply(Input::Delivered(
        first.lease.expect("a drain has a lease"),
        Delivery::Done(held),
    ));
    let rest = world.receive("1", Mode::Keep).windows[0];
    assert_eq!(
        (rest.from[0].bytes, rest.from[1].bytes, rest.size().bytes),
        (100, 20, 5)
    );
    // Who holds it back and asks for news is not told of it again, until there is more.
    let patience = Patience::UntilNews(world.fleet.revision());
    let ticket = world.command(Command::Receive(ReceiveAsk {
        held: BTreeMap::from([(ChildId(2), ended)]),
        ..ask("1", Mode::Drain, patience)
    }));
    assert_eq!(world.answer(ticket), None);
    world.output(2, 106, 20);
    assert!(
        matches!(world.answer(ticket), Some(Answer::Received(more)) if sizes(&more) == [(2, 6)])
    );
}

#[test]
fn what_was_cut_does_not_wait() {
    let mut world = World::new();
    world.submit(1, |_| {});
    let at = |bytes| Position {
        out: Count {
            bytes,
            lines: bytes / 10,
        },
        err: Count::default(),
    };
    let gap = Some(Gap {
        from: at(100),
        to: at(800),
    });
    world.tell(2, Report::Output { end: at(1000), gap });
    let account = |world: &World| world.fleet.child(ChildId(2)).expect("exists").output;
    assert_eq!(
        (
            account(&world).waiting(Streams::Both).bytes,
            account(&world).dropped().bytes
        ),
        (300, 700)
    );
    let all = world.receive("1", Mode::Drain);
    world.apply(Input::Delivered(
        all.lease.expect("a drain has a lease"),
        Delivery::Done(Vec::new()),
    ));
    world.tell(
        2,
        Report::Output {
            end: at(2000),
            gap: Some(Gap {
                from: at(100),
                to: at(1500),
            }),
        },
    );
    assert_eq!(
        account(&world).waiting(Streams::Both).bytes,
        500,
        "what was received before it was cut is no loss"
    );
}

#[test]
fn one_stream_is_received_without_the_other() {
    let mut world = World::new();
    world.submit(1, |_| {});
    world.output(2, 100, 20);
    let only = |stream| {
        Command::Receive(ReceiveAsk {
            streams: Streams::Only(stream),
            ..ask("1", Mode::Drain, Patience::Now)
        })
    };
    let ticket = world.command(only(Stream::Err));
    let Some(Answer::Received(err)) = world.answer(ticket) else {
        panic!("received")
    };
    world.apply(Input::Delivered(
        err.lease.expect("a drain has a lease"),
        Delivery::Done(Vec::new()),
    ));
    let ticket = world.command(only(Stream::Err));
    assert!(
        matches!(world.answer(ticket), Some(Answer::Received(none)) if none.windows.is_empty())
    );
    let rest = world.receive("1", Mode::Keep);
    let window = rest.windows[0];
    assert_eq!(
        (
            window.from[0].bytes,
            window.from[1].bytes,
            window.to[0].bytes
        ),
        (0, 20, 100)
    );
}

#[test]
fn a_patient_receive_is_told_of_output_and_of_ends() {
    let mut world = World::new();
    world.submit(2, |_| {});
    let seen = world.fleet.revision();
    let patient = |seen| Command::Receive(ask("1", Mode::Drain, Patience::UntilNews(seen)));
    let ticket = world.command(patient(seen));
    assert_eq!(world.answer(ticket), None);
    world.output(3, 5, 0);
    let Some(Answer::Received(first)) = world.answer(ticket) else {
        panic!("received")
    };
    assert_eq!(
        (sizes(&first), first.settled.len(), first.finished),
        (vec![(3, 5)], 0, false)
    );
    world.apply(Input::Delivered(
        first.lease.expect("a drain has a lease"),
        Delivery::Done(Vec::new()),
    ));
    let ticket = world.command(patient(first.revision));
    assert_eq!(world.answer(ticket), None, "a cursor that moved is no news");
    world.exit(2, 0);
    let Some(Answer::Received(second)) = world.answer(ticket) else {
        panic!("received")
    };
    assert_eq!((second.settled, second.finished), (vec![ChildId(2)], false));
    world.exit(3, 1);
    let ticket = world.command(patient(second.revision));
    let Some(Answer::Received(third)) = world.answer(ticket) else {
        panic!("received")
    };
    assert_eq!((third.settled, third.finished), (vec![ChildId(3)], true));
}

#[test]
fn removing_needs_an_end_or_force() {
    let mut world = World::new();
    let job = world.submit(2, |_| {});
    world.begin(2);
    world.begin(3);
    let remove = |what: &str, force| Command::Remove {
        select: select(what),
        force,
    };
    let ticket = world.command(remove("1 2 99", Force::FinalOnly));
    let Some(Answer::Removed { jobs, refused, .. }) = world.answer(ticket) else {
        panic!("removed")
    };
    assert_eq!(jobs, []);
    let texts: Vec<String> = refused.iter().map(ToString::to_string).collect();
    assert!(
        texts[0].contains("no job or child has the id 99"),
        "{texts:?}"
    );
    assert!(matches!(
        refused[1],
        Refusal::NotFinal(JobId(1), State::Running)
    ));
    let ticket = world.command(remove("1", Force::StopFirst));
    assert_eq!(
        world.answer(ticket),
        None,
        "it is stopped before it is removed"
    );
    world.tell(2, Report::Ended(Ended::Signaled("TERM".into())));
    world.tell(2, Report::Proved(Proof::Gone));
    world.tell(3, Report::Ended(Ended::Lost("reset".into())));
    world.tell(3, Report::Proved(Proof::Alive(vec![12])));
    let Some(Answer::Removed { jobs, left, .. }) = world.answer(ticket) else {
        panic!("removed")
    };
    assert_eq!(
        (jobs, left.len(), left[0].host.as_str()),
        (vec![job], 1, "h2")
    );
    assert!(world.todo().contains(&Effect::DropOutput(job)));
    assert_eq!(
        (world.fleet.job(job).is_none(), world.fleet.next_deadline()),
        (true, None)
    );
    assert_eq!(
        world.submit(1, |_| {}),
        JobId(4),
        "a removed job's ids stay used"
    );
}

/// A selection, and the jobs, the children and the number of unknown words it comes to.
type Case = (Vec<Selector>, &'static [u64], &'static [u64], usize);

#[test]
fn selections_mean_what_operators_write() {
    let mut world = World::new();
    world.submit(3, |spec| spec.name = Some("patch.v2".into()));
    world.submit(2, |spec| spec.name = Some("Patch".into()));
    world.exit(3, 1);
    let bracket = Selector {
        text: "5.h[1-2]".into(),
        hosts: Some(vec!["h1".into(), "h2".into()]),
    };
    let cases: Vec<Case> = vec![
        (select("1"), &[1], &[], 0),
        (select("3"), &[], &[3], 0),
        (select("patch*"), &[1, 5], &[], 0),
        (select("patch"), &[5], &[], 0),
        (select("patch.v2"), &[1], &[], 0),
        (select("patch.v2.h1"), &[], &[], 1),
        (select("1.h2"), &[], &[3], 0),
        (select("1.FAILED"), &[], &[3], 0),
        (select("1.running"), &[], &[], 0),
        (select("all"), &[1, 5], &[], 0),
        (select("last"), &[5], &[], 0),
        (select("1 3 7"), &[1], &[7], 0),
        (select("99 5"), &[5], &[], 1),
        (select("nope"), &[], &[], 1),
        (select("no*"), &[], &[], 0),
        (select("1.nohost"), &[], &[], 1),
        (vec![bracket], &[], &[6, 7], 0),
    ];
    for (selectors, jobs, children, unknown) in cases {
        let picked = world.fleet.resolve(&selectors);
        let got_jobs: Vec<u64> = picked.jobs.iter().map(|job| job.0).collect();
        let got_children: Vec<u64> = picked.children.iter().map(|child| child.0).collect();
        assert_eq!(
            (
                got_jobs.as_slice(),
                got_children.as_slice(),
                picked.unknown.len()
            ),
            (jobs, children, unknown),
            "{selectors:?}"
        );
    }
}

#[test]
fn blocked_and_suspended_show_on_the_master() {
    let mut world = World::new();
    let job = world.submit(2, |_| {});
    world.tell(2, Report::Held);
    assert_eq!(world.master(job), State::Blocked);
    world.tell(2, Report::GoesOn);
    assert_eq!(
        (world.state(2), world.master(job)),
        (State::Connecting, State::Running)
    );
    world.begin(2);
    world.command(Command::Move {
        select: select("2"),
        motion: Motion::Suspend,
    });
    world.tell(2, Report::Moved(Motion::Suspend, Moved::All));
    world.exit(3, 0);
    assert_eq!(world.master(job), State::Suspended);
    world.command(Command::Move {
        select: select("2"),
        motion: Motion::Resume,
    });
    world.tell(2, Report::Moved(Motion::Resume, Moved::All));
    world.exit(2, 0);
    assert_eq!(world.master(job), State::Completed);
    assert!(matches!(
        world.fleet.child(ChildId(2)).expect("exists").state,
        ChildState::Completed
    ));
}

fn tell_to(world: &mut World, text: &str, motion: Motion) -> Ticket {
    world.command(Command::Move {
        select: select(text),
        motion,
    })
}

#[test]
fn what_is_suspended_is_believed_when_seen_and_its_time_stands_still() {
    let mut world = World::new();
    world.submit(3, |spec| {
        spec.fanout = NonZeroU32::new(2).expect("2");
        spec.limits.command = Some(Duration::from_secs(60));
    });
    world.begin(2);
    world.begin(3);
    world.todo();
    world.pass(20);
    let ticket = tell_to(&mut world, "1", Motion::Suspend);
    let told = [ChildId(2), ChildId(3)].map(|child| Effect::Move(child, Motion::Suspend));
    assert_eq!(world.todo(), told);
    assert_eq!(world.state(2), State::Running, "nobody has seen it yet");
    world.tell(2, Report::Moved(Motion::Suspend, Moved::All));
    assert_eq!(world.answer(ticket), None, "the other one is not known");
    world.exit(3, 0);
    assert_eq!(world.started(), [0; 0], "its queue is paused");
    let answer = Answer::Moved {
        jobs: vec![JobId(1)],
        children: [ChildId(2), ChildId(3)].into(),
        refused: Vec::new(),
    };
    assert_eq!(world.answer(ticket), Some(answer));
    world.pass(1000);
    assert_eq!(world.state(2), State::Suspended, "its time stands still");
    let ticket = tell_to(&mut world, "1", Motion::Suspend);
    assert!(matches!(
        world.answer(ticket),
        Some(Answer::Moved { children, refused, .. }) if children.len() == 1 && refused.is_empty()
    ));
    assert_eq!(world.todo(), [], "what stands still need not be told");
    tell_to(&mut world, "1", Motion::Resume);
    let todo = world.todo();
    assert!(todo.contains(&Effect::Start(ChildId(4))), "{todo:?}");
    assert!(todo.contains(&Effect::Move(ChildId(2), Motion::Resume)));
    world.tell(2, Report::Moved(Motion::Resume, Moved::All));
    assert_eq!(world.state(2), State::Running);
    world.pass(39);
    assert_eq!(world.state(2), State::Running);
    world.pass(2);
    assert_eq!(world.state(2), State::Stopping, "40 of 60 s were left");
}

#[test]
fn what_was_not_seen_to_stand_still_is_said_and_can_be_tried_again() {
    let mut world = World::new();
    world.submit(1, |_| {});
    world.begin(2);
    let reason = |world: &World| {
        let child = world.fleet.child(ChildId(2)).expect("it is there");
        child.state.reason().map(|reason| reason.to_string())
    };
    tell_to(&mut world, "2", Motion::Suspend);
    world.tell(2, Report::Moved(Motion::Suspend, Moved::AllBut(vec![7])));
    assert_eq!(world.state(2), State::Suspended);
    let text = "suspend unconfirmed, pid 7 runs on";
    assert_eq!(reason(&world).as_deref(), Some(text));
    world.todo();
    tell_to(&mut world, "2", Motion::Suspend);
    assert_eq!(
        world.todo(),
        [Effect::Move(ChildId(2), Motion::Suspend)],
        "doubt is worth another try"
    );
    // Told the other way meanwhile, which would end nobody knows where.
    let ticket = tell_to(&mut world, "2", Motion::Resume);
    world.tell(2, Report::Moved(Motion::Resume, Moved::All));
    assert_eq!(world.state(2), State::Suspended, "nobody told it to go on");
    world.tell(2, Report::Moved(Motion::Suspend, Moved::All));
    assert_eq!(reason(&world), None);
    let refused = match world.answer(ticket) {
        Some(Answer::Moved { refused, .. }) => refused,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["1.h1 is just being suspended; say it again"]
    );
    tell_to(&mut world, "2", Motion::Resume);
    let lost = Moved::Unknown("no route to host".into());
    world.tell(2, Report::Moved(Motion::Resume, lost));
    let text = "resume unconfirmed, pid 4002: no route to host";
    assert_eq!(reason(&world).as_deref(), Some(text));
}

#[test]
fn a_stop_ends_what_is_suspended_and_what_is_being_suspended() {
    let mut world = World::new();
    world.submit(2, |_| {});
    world.begin(2);
    world.begin(3);
    tell_to(&mut world, "2", Motion::Suspend);
    world.tell(2, Report::Moved(Motion::Suspend, Moved::All));
    let waiting = tell_to(&mut world, "3", Motion::Suspend);
    world.todo();
    world.command(Command::Stop {
        select: select("1"),
        rigour: Rigour::Gentle,
        grace: None,
    });
    assert_eq!(
        world.todo(),
        [2, 3].map(|child| Effect::Signal(ChildId(child), Signal::Term))
    );
    assert!(
        world.answer(waiting).is_some(),
        "there is nothing left to see"
    );
    world.tell(3, Report::Moved(Motion::Suspend, Moved::All));
    assert_eq!(world.state(3), State::Stopping);
    for child in [2, 3] {
        world.tell(child, Report::Ended(Ended::Signaled("TERM".into())));
        world.tell(child, Report::Proved(Proof::Gone));
        assert_eq!(world.state(child), State::Stopped);
    }
}

#[test]
fn only_what_runs_is_suspended_and_only_that_resumed() {
    let mut world = World::new();
    let job = world.submit(4, |spec| spec.fanout = NonZeroU32::new(3).expect("3"));
    world.begin(2);
    world.exit(2, 0);
    world.begin(4);
    let texts = |world: &mut World, text: &str, motion| -> Vec<String> {
        let ticket = tell_to(world, text, motion);
        world.tell(4, Report::Moved(motion, Moved::All));
        match world.answer(ticket) {
            Some(Answer::Moved { refused, .. }) => {
                refused.iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        texts(&mut world, "1", Motion::Suspend),
        [
            "1.h2 is Connecting; only a command that runs can be suspended",
            "1.h4 is Connecting; only a command that runs can be suspended"
        ],
        "what has ended is not worth a word"
    );
    assert_eq!(
        texts(&mut world, "2", Motion::Suspend),
        ["1.h1 is Completed; only a command that runs can be suspended"]
    );
    assert_eq!(
        texts(&mut world, "3", Motion::Resume),
        ["1.h2 is Connecting; only what is suspended can be resumed"]
    );
    assert_eq!(texts(&mut world, "1", Motion::Resume), [""; 0]);
    assert_eq!(world.state(4), State::Running);
    for child in [3, 4, 5] {
        world.exit(child, 0);
    }
    assert_eq!(world.master(job), State::Completed);
    assert_eq!(
        texts(&mut world, "1", Motion::Resume),
        ["job 1 has ended (Completed); nothing of it is left to start"]
    );
}

fn passphrase(file: &str) -> Question {
    Question::first(About::Passphrase { file: file.into() })
}

fn password(account: &str) -> Question {
    Question::first(About::Password {
        account: account.into(),
    })
}

/// The open questions, and who waits with each.
fn open(world: &World) -> Vec<(u64, Vec<u64>)> {
    let questions = world.fleet.questions();
    questions
        .map(|open| {
            let children = open.children.iter().map(|child| child.0);
            (open.id.0, children.collect())
        })
        .collect()
}

fn say(world: &mut World, questions: &[u64], response: Response) -> (Vec<u64>, Vec<Unanswered>) {
    let questions = questions.iter().map(|id| QuestionId(*id)).collect();
    let ticket = world.command(Command::Answer {
        questions,
        response,
    });
    match world.answer(ticket) {
        Some(Answer::Answered { answered, refused }) => {
            (answered.iter().map(|open| open.id.0).collect(), refused)
        }
        other => panic!("answered, got {other:?}"),
    }
}

#[test]
fn equal_questions_are_one_and_an_answer_goes_to_all_who_ask() {
    let mut world = World::new();
    let job = world.submit(4, |spec| spec.fanout = NonZeroU32::new(3).expect("3"));
    let other = world.submit(1, |_| {});
    assert_eq!(world.started(), [2, 3, 4, 7]);
    for child in [2, 3, 7] {
        world.tell(child, Report::Asks(passphrase("id")));
    }
    // Asked again it is no other question.
    world.tell(2, Report::Asks(passphrase("id")));
    // Of an account each job asks by itself: the hosts are others.
    world.tell(4, Report::Asks(password("ops")));
    assert_eq!(open(&world), [(1, vec![2, 3, 7]), (2, vec![4])]);
    assert_eq!(world.master(job), State::Blocked);
    assert_eq!(world.started(), [0; 0], "who thinks holds his slot");
    world.tell(7, Report::Asks(password("ops")));
    assert_eq!(open(&world), [(1, vec![2, 3]), (2, vec![4]), (3, vec![7])]);
    assert_eq!(world.master(other), State::Blocked);

    assert_eq!(say(&mut world, &[1], Response::Secret), (vec![1], vec![]));
    let replies = world.todo();
    let reply = |child| Effect::Reply(ChildId(child), Response::Secret);
    assert_eq!(replies, [reply(2), reply(3)]);
    assert_eq!(
        (world.state(2), world.state(3), world.state(4)),
        (State::Connecting, State::Connecting, State::Blocked)
    );
    // The second to answer is told so; so is who says the wrong thing, or to nobody.
    let (answered, refused) = say(&mut world, &[1, 2, 9], Response::Accept);
    assert!(answered.is_empty());
    assert_eq!(refused[0], Unanswered::Closed(QuestionId(1)));
    assert!(matches!(refused[1], Unanswered::Unfit(QuestionId(2), _)));
    assert_eq!(refused[2], Unanswered::Unknown(QuestionId(9)));
    assert_eq!(open(&world), [(2, vec![4]), (3, vec![7])]);
    // A wrong answer makes another question, for those where it was wrong.
    let again = Question {
        wrong: 1,
        ..passphrase("id")
    };
    world.tell(3, Report::Asks(again));
    assert_eq!(open(&world), [(2, vec![4]), (3, vec![7]), (4, vec![3])]);
}

#[test]
fn whoever_does_not_wait_any_more_takes_the_question_along() {
    let mut world = World::new();
    let job = world.submit(4, |spec| spec.limits.job = Some(Duration::from_secs(60)));
    for child in 2..=5 {
        world.tell(child, Report::Asks(passphrase("id")));
    }
    let seen = world.fleet.questions_changed();
    world.command(Command::Stop {
        select: select("2"),
        rigour: Rigour::Gentle,
        grace: None,
    });
    assert_eq!(open(&world), [(1, vec![3, 4, 5])]);
    assert!(world.fleet.questions_changed() > seen);
    assert_eq!(world.state(2), State::Stopping);
    world.tell(2, Report::Ended(Ended::Aborted));
    assert_eq!(world.reason(2), "stopped before it started");
    world.tell(3, Report::GoesOn);
    assert_eq!(world.state(3), State::Connecting);
    let refused = Reason::AuthFailed("no key to try".into());
    world.tell(4, Report::Ended(Ended::NotStarted(refused)));
    assert_eq!(open(&world), [(1, vec![5])]);
    // The whole job's limit does not wait for an operator.
    world.pass(60);
    assert_eq!(open(&world), []);
    assert_eq!(world.state(5), State::Stopping);
    for child in [3, 5] {
        world.tell(child, Report::Ended(Ended::Aborted));
    }
    assert_eq!(world.reason(5), "job timed out after 60s");
    // Asked later, it is a new question.
    let remove = world.command(Command::Remove {
        select: select(&job.to_string()),
        force: Force::StopFirst,
    });
    assert!(matches!(world.answer(remove), Some(Answer::Removed { .. })));
    world.submit(1, |_| {});
    world.tell(7, Report::Asks(passphrase("id")));
    assert_eq!(open(&world), [(2, vec![7])]);
    world.command(Command::Remove {
        select: select("6"),
        force: Force::StopFirst,
    });
    assert_eq!(open(&world), []);
}

#[test]
fn an_operator_who_thinks_uses_up_no_limit_of_the_command() {
    let mut world = World::new();
    world.submit(1, |spec| spec.limits.command = Some(Duration::from_secs(5)));
    world.pass(10);
    world.tell(2, Report::Asks(passphrase("id")));
    world.pass(3600);
    assert_eq!(world.state(2), State::Blocked);
    say(&mut world, &[1], Response::Secret);
    // From here on it is as if it had just begun to connect.
    world.pass(14);
    assert_eq!(world.state(2), State::Connecting);
    world.pass(1);
    assert_eq!(world.state(2), State::Stopping);
}

#[test]
fn what_has_just_gone_is_remembered_within_bounds() {
    let mut world = World::new();
    let mut jobs = Vec::new();
    for _ in 0..3 {
        let job = world.submit(3000, |_| ());
        let select = vec![Selector::new(job.to_string())];
        let force = Force::StopFirst;
        world.command(Command::Remove { select, force });
        for child in world.started() {
            world.tell(child, Report::Ended(Ended::Aborted));
        }
        let gone = world.fleet.departed(job).expect("just now");
        assert_eq!((gone.job.state(), gone.by), (State::Stopped, By::Operator));
        jobs.push(job);
    }
    assert!(
        world.fleet.departed(jobs[1]).is_none(),
        "two of them are too much"
    );
}
