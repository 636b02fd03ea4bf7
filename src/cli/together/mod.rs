//! `--fold`: what is received is printed once for all hosts that came to the same.
//!
//! Nothing is printed before everything is here, and nothing counts as received before it was printed: a fold first waits
//! until what was selected has settled, if it was told to, and then receives what there is.

mod area;
mod differences;
mod gather;
mod live;
mod spool;

use std::convert::Infallible;

pub(super) use area::Area;

use super::attend::attend_job;
use super::context::{Context, unexpected};
use super::ends::{Ends, Label, is_unconfirmed};
use super::error::CliError;
use super::follow::{Outcome, follow};
use super::jobs;
use super::picked::is_of;
use super::sink::Sink;
use crate::command::look::{Shown, Together};
use crate::core::alike::Ignored;
use crate::core::fleet::Command;
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::wait::Until;
use crate::daemon::client::Absent;
use crate::view::count::{Noun, counted};
use crate::wire::reply::{ChildView, JobView};
use crate::wire::request::{Children, Receive, ReceiveUntil, Wanted};
use crate::wire::{Reply, Request};
use gather::Gatherer;
use live::Blocked;

/// How results are put together, and what of each is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wished {
    pub(super) ignored: Ignored,
    pub(super) shown: Shown,
}

impl Wished {
    /// What was typed, if results are to be put together.
    pub(super) fn of(context: &Context, typed: &Together) -> Result<Option<Self>, CliError> {
        let Some((ignored, shown)) = typed.wished() else {
            return Ok(None);
        };
        if shown == Shown::Difference && context.global.json {
            let message = "--diff is text, which --json has no form for";
            return Err(CliError::usage(message).hint("--fold --json has all outputs that differ"));
        }
        Ok(Some(Self { ignored, shown }))
    }
}

/// Receives what there is, and prints it to `sink` group by group.
pub(super) async fn receive(
    context: &Context,
    request: Receive,
    wished: Wished,
    sink: Sink,
) -> Result<Outcome, CliError> {
    let wanted = Wanted(request.select.clone());
    let list = jobs::fetch(context, Some(wanted), Children::With).await?;
    let label = Label::among(list.jobs.iter().map(|job| job.id));
    let mut children = list.children;
    children.retain(|child| is_of(request.hosts.as_deref(), child));
    say_what_was_received(context, request.mode, &children);
    let mut gatherer = Gatherer::new(wished, label, sink, children.into_iter());
    let request = Request::Receive(Receive {
        until: ReceiveUntil::Now,
        ..request
    });
    let mut connection = context.open(&request, Absent::Recall).await?;
    // What became of whom is in the groups; what may still run has to be named.
    let mut ends = Ends::new(context, label);
    let outcome = follow(&mut connection, &mut gatherer, |child| {
        if is_unconfirmed(child) {
            ends.say(child);
        }
    });
    outcome.await
}

/// Outputs that were received before are the same in nothing but that there is no more of them.
fn say_what_was_received(context: &Context, mode: Mode, children: &[ChildView]) {
    let received = |child: &&ChildView| !child.more && child.out.bytes + child.err.bytes > 0;
    let hosts = children.iter().filter(received).count();
    match mode {
        Mode::Drain | Mode::Keep if hosts > 0 => context.note(&format!(
            "nothing new of {}, whose output was received before: --all takes everything",
            counted(hosts, Noun::Host)
        )),
        Mode::Drain | Mode::Keep | Mode::All => {}
    }
}

/// Returns when everything selected has settled; meanwhile a terminal shows who came to the same so far.
pub(super) async fn settle(
    context: &Context,
    select: &[Selector],
    ignored: Ignored,
) -> Result<(), CliError> {
    let wait = Request::Command(Command::Wait {
        select: select.to_vec(),
        until: Until::All,
        timeout: None,
    });
    let settled = tokio::select! {
        biased;
        settled = context.ask(&wait, Absent::Recall) => settled,
        ended = live::show(context, select, ignored) => ended.map(|never| match never {}),
        ended = until_full(context, select) => ended.map(|never| match never {}),
    };
    context.area.clear();
    match settled? {
        Reply::Settled(_) => Ok(()),
        reply => Err(unexpected(&reply)),
    }
}

/// Returns when a host waits until its output is received: it and whoever receives at its end would wait for each other.
async fn until_full(context: &Context, select: &[Selector]) -> Result<Infallible, CliError> {
    let (mut news, _watching) = live::follow(context, Wanted(select.to_vec())).await?;
    loop {
        let blocked = *news.borrow_and_update();
        if blocked == Blocked::Some {
            let wanted = Wanted(select.to_vec());
            let list = jobs::fetch(context, Some(wanted), Children::With).await?;
            let is_full = |child: &&ChildView| {
                let need = child.need.as_ref();
                need.is_some_and(|need| need.question.is_none())
            };
            if let Some(child) = list.children.iter().find(is_full) {
                let job = child.job;
                let message = format!(
                    "{job}.{} waits until its output is received, and --fold receives it when all have ended",
                    child.host
                );
                let hint = format!(
                    "`regatta receive {job} --wait` without --fold receives it as it comes"
                );
                return Err(CliError::failed(message).hint(hint));
            }
        }
        live::changed(&mut news).await;
    }
}

/// Stays with a job until it has settled, and receives it then.  Nothing if Ctrl-C was pressed.
pub(super) async fn stay(
    context: &Context,
    job: &JobView,
    receive_all: Receive,
    wished: Wished,
    sink: Sink,
) -> Result<Option<Outcome>, CliError> {
    let followed = async {
        settle(context, &receive_all.select, wished.ignored).await?;
        receive(context, receive_all.clone(), wished, sink).await
    };
    let outcome = tokio::select! {
        biased;
        outcome = followed => outcome.map(Some),
        ended = attend_job(context, job) => ended.map(|never: Infallible| match never {}),
        _ = tokio::signal::ctrl_c() => Ok(None),
    };
    context.area.clear();
    outcome
}
