use std::collections::BTreeMap;

use super::*;
use crate::core::answer::Answer;
use crate::core::fleet::{Command, Input, Report, Ticket};
use crate::core::ids::ChildId;
use crate::core::output::{Count, Position};
use crate::core::retention::Retention;
use crate::core::select::Selector;
use crate::core::spec::{Above, Asking, Ended, Host, Limits, OnFull, Payload, Proof};
use crate::core::state::State::{self, Disconnected, Failed, NotStarted, Stopped, Stopping};

const DAY: u64 = 24 * 3600;

fn at(seconds: u64) -> Moment {
    Moment {
        mono: Duration::from_secs(seconds),
        wall: Wall(seconds as i64 * 1000),
    }
}

fn spec(hosts: usize) -> JobSpec {
    JobSpec {
        name: None,
        runner: "ssh".to_string(),
        payload: Payload::Command("true".to_string()),
        targets: "n".to_string(),
        hosts: (0..hosts).map(|n| Host::named(format!("n{n}"))).collect(),
        fanout: NonZeroU32::new(64).expect("not zero"),
        limits: Limits::default(),
        ok_exit: vec![0],
        on_full: OnFull::Truncate,
        options: Vec::new(),
        asking: Asking::Allowed,
        ask_above: Above::Configured,
        shape: None,
        withheld: Vec::new(),
    }
}

fn submit(fleet: &mut Fleet, now: Moment, spec: JobSpec) -> JobId {
    let submit = Command::Submit(Box::new(spec));
    let effects = fleet.apply(now, Input::Command(Ticket(1), submit));
    let submitted = effects.iter().find_map(|effect| match effect {
        Effect::Answer(_, Answer::Submitted(id)) => Some(*id),
        _ => None,
    });
    submitted.expect("it is submitted")
}

fn tell(fleet: &mut Fleet, now: Moment, child: ChildId, report: Report) {
    fleet.apply(now, Input::Runner(child, report));
}

/// Everything a store would have written down of a job.
fn saved(job: &Job) -> SavedJob {
    SavedJob {
        id: job.id,
        spec: Arc::clone(&job.spec),
        course: job.course(),
        children: job.children.iter().map(Child::saved).enumerate().collect(),
    }
}

#[test]
fn what_has_ended_comes_back_as_it_was() {
    let mut fleet = Fleet::default();
    let job = submit(&mut fleet, at(1000), spec(2));
    let (good, bad) = (job.child(0), job.child(1));
    tell(&mut fleet, at(1001), good, Report::Began(Trace { pid: 7 }));
    let end = Position::START.after(
        crate::core::output::Stream::Out,
        Count { bytes: 5, lines: 1 },
    );
    tell(
        &mut fleet,
        at(1002),
        good,
        Report::Output { end, gap: None },
    );
    tell(&mut fleet, at(1003), good, Report::Ended(Ended::Exited(0)));
    tell(&mut fleet, at(1003), bad, Report::Ended(Ended::Exited(3)));
    let before = fleet.job(job).expect("it is there");
    let mut after = Fleet::starting_at(50, BTreeMap::default());
    let effects = after.apply(at(5000), Input::Restore(Box::new(saved(before))));
    assert_eq!(effects, []);
    let again = after.job(job).expect("it is there");
    assert_eq!(saved(again), saved(before));
    assert_eq!(again.state(), State::Failed);
    assert!(again.has_more(), "what was not received waits");
    let took = again.ended.map(|ended| ended.since(again.created));
    assert_eq!(took, Some(Duration::from_secs(3)));
    assert_eq!(submit(&mut after, at(5001), spec(1)), JobId(50));
}

#[test]
fn what_was_under_way_is_looked_up_and_nothing_is_started() {
    let mut fleet = Fleet::default();
    let mut four = spec(4);
    four.fanout = NonZeroU32::new(3).expect("not zero");
    let job = submit(&mut fleet, at(1), four);
    tell(
        &mut fleet,
        at(2),
        job.child(0),
        Report::Began(Trace { pid: 11 }),
    );
    tell(
        &mut fleet,
        at(2),
        job.child(1),
        Report::Began(Trace { pid: 12 }),
    );
    let stop = Command::Stop {
        select: vec![Selector::new("1.n1")],
        rigour: crate::core::ladder::Rigour::Gentle,
        grace: None,
    };
    fleet.apply(at(3), Input::Command(Ticket(2), stop));
    let written = saved(fleet.job(job).expect("it is there"));
    let mut after = Fleet::starting_at(50, BTreeMap::default());
    let effects = after.apply(at(100), Input::Restore(Box::new(written)));
    let inquiry = Inquiry::End {
        grace: LIFELINE_GRACE,
    };
    let probes: Vec<Effect> = (0..3)
        .map(|n| Effect::Prove(job.child(n), inquiry))
        .collect();
    assert_eq!(effects, probes);
    let words = |fleet: &Fleet| -> Vec<State> {
        let job = fleet.job(job).expect("it is there");
        job.children
            .iter()
            .map(|child| child.state.word())
            .collect()
    };
    assert_eq!(
        words(&after),
        [Disconnected, Stopping, Disconnected, NotStarted]
    );
    assert_eq!(after.job(job).expect("there").queue, Queue::Paused);
    tell(
        &mut after,
        at(101),
        job.child(0),
        Report::Proved(Proof::Gone),
    );
    tell(
        &mut after,
        at(101),
        job.child(1),
        Report::Proved(Proof::Gone),
    );
    let unknown = Proof::Unknown("unreachable".to_string());
    tell(&mut after, at(101), job.child(2), Report::Proved(unknown));
    assert_eq!(words(&after), [Failed, Stopped, Disconnected, NotStarted]);

    // Somebody looks again, and what is found alive is left alone.
    let again = Command::Reconnect {
        select: vec![Selector::new("1")],
    };
    let effects = after.apply(at(200), Input::Command(Ticket(3), again));
    assert_eq!(effects, [Effect::Prove(job.child(2), Inquiry::Look)]);
    let effects = after.apply(
        at(201),
        Input::Runner(job.child(2), Report::Proved(Proof::Alive(vec![13]))),
    );
    // The queue stands still, and the answer does not wait for that.
    let [
        Effect::Abandon(_),
        Effect::Answer(Ticket(3), Answer::Settled { .. }),
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(words(&after)[2], Disconnected);
}

#[test]
fn a_clock_that_was_set_back_makes_nobody_older() {
    let mut fleet = Fleet::default();
    let job = submit(&mut fleet, at(10 * DAY), spec(1));
    tell(
        &mut fleet,
        at(10 * DAY + 1),
        job.child(0),
        Report::Ended(Ended::Exited(0)),
    );
    let written = saved(fleet.job(job).expect("it is there"));
    let mut after = Fleet::starting_at(50, BTreeMap::default());
    let now = Moment {
        mono: Duration::from_secs(100 * DAY),
        wall: Wall(1000),
    };
    after.apply(now, Input::Restore(Box::new(written)));
    let again = after.job(job).expect("it is there");
    assert_eq!(
        again.ended.map(|ended| now.since(ended)),
        Some(Duration::ZERO)
    );
    assert_eq!(after.expired(now, &Retention::default(), |_| 1), []);
}

#[test]
fn retention_takes_the_oldest_and_spares_what_is_pinned_or_lives() {
    let mut fleet = Fleet::default();
    let jobs: Vec<JobId> = (0..5).map(|n| submit(&mut fleet, at(n), spec(1))).collect();
    // The last one lives on.
    for (n, job) in jobs[..4].iter().enumerate() {
        tell(
            &mut fleet,
            at(10 + n as u64),
            job.child(0),
            Report::Ended(Ended::Exited(0)),
        );
    }
    let pin = Command::Pin {
        select: vec![Selector::new(jobs[0].to_string())],
        pin: Pin::On,
    };
    fleet.apply(at(20), Input::Command(Ticket(9), pin));
    let keep = Retention {
        jobs: 2,
        age: Duration::from_secs(DAY),
        bytes: 100,
    };
    let expired = |fleet: &Fleet, now, size: u64| fleet.expired(now, &keep, move |_| size);
    assert_eq!(expired(&fleet, at(20), 1), [jobs[1]], "one too many");
    assert_eq!(
        expired(&fleet, at(20), 40),
        [jobs[1], jobs[2]],
        "too much output, of which the pinned, the live and the last one keep theirs"
    );
    assert_eq!(expired(&fleet, at(DAY + 13), 1), [jobs[1], jobs[2]]);
    let gone = fleet.apply(at(21), Input::Expire(jobs.clone()));
    let dropped: Vec<Effect> = jobs[1..4]
        .iter()
        .map(|job| Effect::DropOutput(*job))
        .collect();
    assert_eq!(gone, dropped);
}
