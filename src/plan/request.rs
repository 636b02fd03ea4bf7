//! Verbs that act on jobs there are, as what the engine is asked.

use super::Planner;
use super::error::PlanError;
use crate::command::{self, Pick, Pin, Remove, Rerun, Stop, Throttle, Wait};
use crate::core::fleet::Command;
use crate::core::job;
use crate::core::ladder::{Force, Rigour};
use crate::core::output::Streams;
use crate::core::receive::Mode;
use crate::core::spec::{Asking, Motion};
use crate::core::state::State;
use crate::core::wait::Until;
use crate::secret::Environment;
use crate::wire::Request;
use crate::wire::reply::{JobView, Jobs};
use crate::wire::request::{self, Purpose, Receive, ReceiveUntil};

pub fn stop(args: &Stop) -> Request {
    Request::Command(Command::Stop {
        select: args.pick.select.clone(),
        rigour: if args.kill {
            Rigour::Kill
        } else {
            Rigour::Gentle
        },
        grace: args.grace,
    })
}

pub fn remove(args: &Remove) -> Request {
    Request::Command(Command::Remove {
        select: args.pick.select.clone(),
        force: if args.force {
            Force::StopFirst
        } else {
            Force::FinalOnly
        },
    })
}

pub fn rerun(args: &Rerun, asking: Asking) -> Request {
    Request::Rerun {
        select: args.pick.select.clone(),
        which: if args.all {
            request::Rerun::All
        } else {
            request::Rerun::Unsuccessful
        },
        asking,
        becomes: args.becomes.user().map(str::to_string),
        environment: Environment::default(),
    }
}

pub fn wait(args: &Wait) -> Request {
    Request::Command(Command::Wait {
        select: args.pick.select.clone(),
        until: until(args),
        timeout: args.timeout,
    })
}

/// What has to have settled before a wait is over.
pub fn until(args: &Wait) -> Until {
    if args.any { Until::Any } else { Until::All }
}

pub fn throttle(args: &Throttle) -> Request {
    Request::Command(Command::Throttle {
        select: args.pick.select.clone(),
        fanout: args.fanout,
    })
}

pub fn pause(pick: &Pick) -> Request {
    Request::Command(Command::Pause {
        select: pick.select.clone(),
    })
}

/// `suspend` and `resume`.
pub fn set_in_motion(pick: &Pick, motion: Motion) -> Request {
    Request::Command(Command::Move {
        select: pick.select.clone(),
        motion,
    })
}

pub fn pin(args: &Pin) -> Request {
    Request::Command(Command::Pin {
        select: args.pick.select.clone(),
        pin: if args.off {
            job::Pin::Off
        } else {
            job::Pin::On
        },
    })
}

pub fn reconnect(pick: &Pick) -> Request {
    Request::Command(Command::Reconnect {
        select: pick.select.clone(),
    })
}

/// On how many children of a job a rerun runs again, by what its selection was listed as: children come only where they
/// were selected by themselves.
pub fn runs_again(args: &Rerun, listed: &Jobs, job: &JobView) -> usize {
    let chosen = listed.children.iter().filter(|child| child.job == job.id);
    match (chosen.count(), args.all) {
        (0, true) => job.children() as usize,
        (0, false) => [State::Failed, State::Stopped, State::Disconnected]
            .map(|state| job.count(state) as usize)
            .iter()
            .sum(),
        (chosen, _) => chosen,
    }
}

/// What a receive takes over from these hosts, or from all, and how.
pub fn receive(args: &command::Receive, hosts: Option<Vec<String>>) -> Receive {
    Receive {
        select: args.pick.select.clone(),
        hosts,
        streams: args.stream.map_or(Streams::Both, Streams::Only),
        mode: match (args.keep, args.all) {
            (true, _) => Mode::Keep,
            (_, true) => Mode::All,
            (false, false) => Mode::Drain,
        },
        until: if args.wait {
            ReceiveUntil::Settled
        } else {
            ReceiveUntil::Now
        },
        purpose: Purpose::HandOver,
    }
}

impl Planner<'_> {
    /// As [`receive`], with the hosts looked up.
    pub fn receive(&self, args: &command::Receive) -> Result<Receive, PlanError> {
        let hosts = match &args.host {
            Some(expression) => {
                let set = self.resolve_one(expression)?;
                Some(set.iter().map(|host| host.as_str().to_string()).collect())
            }
            None => None,
        };
        Ok(receive(args, hosts))
    }
}
