//! What a script needs and its job does not say: asked for before anything else is done for a child, the same for every
//! runner.
//!
//! A secret is asked for once in each job, and is in the job's [`Pocket`](super::Pocket) from then on; one that came with
//! the job is there from the beginning.  It goes to the computer before the script, as a variable that is not exported:
//! it is in no command line and in no environment.

use tokio::sync::{mpsc, oneshot, watch};

use super::{Ask, Event, Order, relay};
use crate::core::question::{About, Question};
use crate::core::reason::Reason;
use crate::core::spec::{Asking, Ended, Signal, Withheld};
use crate::secret::{Answer, Secret};

/// What is asked of a secret.
pub(crate) fn about(withheld: &Withheld) -> About {
    About::Secret {
        name: withheld.name.clone(),
        doc: withheld.doc.clone(),
    }
}

/// All of these, out of the order's pocket or from an operator.  `Err` is how the run ended instead; nothing was run.
pub(crate) async fn gather(
    order: &Order,
    withheld: &[Withheld],
    events: &mpsc::Sender<Event>,
    signal: &mut watch::Receiver<Option<Signal>>,
) -> Result<Vec<(String, Secret)>, Ended> {
    let mut all = Vec::with_capacity(withheld.len());
    for wanted in withheld {
        let about = about(wanted);
        let secret = match order.pocket.find(&about) {
            Some(secret) => secret,
            None => ask(order, wanted, &about, events, signal).await?,
        };
        all.push((wanted.name.clone(), secret));
    }
    Ok(all)
}

async fn ask(
    order: &Order,
    wanted: &Withheld,
    about: &About,
    events: &mpsc::Sender<Event>,
    signal: &mut watch::Receiver<Option<Signal>>,
) -> Result<Secret, Ended> {
    let missing = |why: &str| {
        let name = &wanted.name;
        Ended::NotStarted(Reason::Secret(format!("the secret {name} {why}")))
    };
    if order.asking == Asking::Never {
        return Err(missing(
            "was not given, and nobody may be asked (--batch): give it with --secret",
        ));
    }
    let (answer, answered) = oneshot::channel();
    let question = Question::first(about.clone());
    // Nobody listens any more to a run that is about to be dropped.
    _ = events.send(Event::Asks(Ask { question, answer })).await;
    tokio::select! {
        biased;
        _ = relay::next_signal(signal) => Err(Ended::Aborted),
        answer = answered => match answer {
            Ok(Answer::Secret(secret)) => {
                order.pocket.give(about, &secret);
                Ok(secret)
            }
            Ok(Answer::Accept | Answer::Refuse) | Err(_) => Err(missing("was refused")),
        },
    }
}
