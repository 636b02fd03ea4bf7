//! Commands as another user: sudo(8) between the login and the prologue.
//!
//! sudo starts the prologue, so that watcher, command and probe all run as the user who is meant, and signals reach what
//! they have to.  It needs no terminal: it reads a password as one line of standard input, and says with a prompt of ours
//! that it wants one.  Nothing but passwords is written before the program behind sudo has said that it runs; so no order
//! is taken for a password, and no password comes to the command.
//!
//! A password is asked for once for all hosts of a job and tried once on each; where it was wrong, those hosts ask again,
//! as often as their sudo lets them.  It is in no command line, environment, log or file.
//!
//! Why sudo did not let somebody in is told in [`refusal`].
//! Deliberately not here: how bytes come and go ([`Talk`]), `requiretty` (that takes a terminal, `tty`).

mod refusal;

use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use zeroize::Zeroizing;

use self::refusal::failed;
use super::{Ask, Event, Order, Pocket, relay};
use crate::core::question::{About, Question};
use crate::core::spec::{Asking, Ended, Signal};
use crate::secret::{Answer, Secret};

/// The option that names the user.
pub(super) const OPTION: &str = "sudo";

/// What our lines begin with; the run's name and a word follow.
const SAYS: &str = "regatta-sudo";

/// More than sudo and a login shell's profile say before anything runs.
const LONGEST: usize = 64 * 1024;

/// Starts sudo, for `sh -c`, written like the prologue: no single quote, backslash, `!` or newline.  `$1` is [`BEHIND`].
const PROGRAM: &str = concat!(
    r#"IFS= read -r t && IFS= read -r u && read -r a && [ "$a" ] || exit 125; "#,
    r#"command -v sudo >/dev/null || { echo "regatta-sudo $t missing"; exit 125; }; "#,
    r#"exec sudo "-$a" -p "regatta-sudo $t asks " -u "$u" -- sh -c "$1" regatta "$t" "$$""#,
);

/// What sudo runs: a line that says so and then reads what to do.  It is short because it stands in the environment of
/// everything behind it (`SUDO_COMMAND`), where the probe would take the prologue's for the watcher's, and in the host's
/// log.
const BEHIND: &str = r#"echo regatta-sudo $1 runs; IFS= read -r i && eval "$i""#;

/// The command line for the login shell.
pub(crate) fn exec_line() -> String {
    format!("exec sh -c '{PROGRAM}' regatta '{BEHIND}'")
}

/// The same as arguments for `sh`.
pub(super) const ARGUMENTS: [&str; 4] = ["-c", PROGRAM, "regatta", BEHIND];

/// What [`BEHIND`] reads: become `program`.  Its group is the one that sudo leads, `$2`, so that sudo stands still and
/// goes on with it (it obeys no other signal from its own group), or one of its own where sudo gave it a terminal.  The
/// command's shell is `sh`: that of a user who never logs in (`nologin`) runs nothing.
fn launch(program: &str, name: &str) -> String {
    format!(
        "p='{program}'; kill -0 -$$ 2>/dev/null && exec sh -c \"$p\" {name} $$ sh; \
         exec sh -c \"$p\" {name} $2 sh\n"
    )
}

/// Whether this is what has the prologue run, and not the probe.
pub(crate) fn launches_prologue(line: &str) -> bool {
    line.contains(super::prologue::PROGRAM)
}

/// The line with which the program behind sudo says that it runs.
pub(crate) fn runs_line(run: &str) -> String {
    format!("{SAYS} {run} runs\n")
}

/// Whoever the order is to be carried out as, if that is somebody else.
pub(super) fn target(order: &Order) -> Option<&str> {
    let mut options = order.options.iter();
    let found = options.find(|(name, _)| name == OPTION);
    found.map(|(_, user)| user.as_str())
}

/// Why nothing was found out, of a [`Climb`] on the side.
pub(super) fn why(ended: &Ended) -> String {
    match ended {
        Ended::NotStarted(reason) => reason.to_string(),
        Ended::Lost(why) => why.clone(),
        Ended::Aborted | Ended::Exited(_) | Ended::Signaled(_) => "it was not begun".to_owned(),
    }
}

/// How words come from sudo and go to it.
pub(super) trait Talk: Send {
    /// The next words, or the end.  Nothing is lost when the future is dropped.
    fn hear(&mut self) -> impl Future<Output = Heard> + Send;

    /// Writes, as far as that can be; why it cannot is heard.
    fn say(&mut self, words: Bytes) -> impl Future<Output = ()> + Send;
}

/// What is heard.
#[derive(Debug)]
pub(super) enum Heard {
    Out(Bytes),
    Err(Bytes),
    /// Nothing more comes.
    End(Ended),
}

/// What was said besides, before the program ran: what a login shell prints, and sudo's lecture.
#[derive(Debug, Default)]
pub(super) struct Besides {
    pub(super) out: Bytes,
    pub(super) err: Bytes,
}

/// Somebody who is to become somebody else on one host.
pub(super) struct Climb<'a> {
    run: &'a str,
    host: &'a str,
    /// Whose password sudo asks for.
    account: &'a str,
    user: &'a str,
    pocket: &'a Pocket,
    asking: Asking,
    /// How long sudo may take, beside the time in which somebody thinks.
    limit: Duration,
    out: Vec<u8>,
    err: Vec<u8>,
    /// Where sudo began to talk in `out`, if it did so there.
    asked_at: Option<usize>,
    /// The passwords it did not take.
    wrong: Vec<Secret>,
    /// The one it was given last.
    given: Option<Secret>,
}

impl<'a> Climb<'a> {
    /// The order's own command, which may ask.
    pub(super) fn new(order: &'a Order, user: &'a str, account: &'a str, limit: Duration) -> Self {
        Self {
            run: &order.run,
            host: &order.host.name,
            account,
            user,
            pocket: &order.pocket,
            asking: order.asking,
            limit,
            out: Vec::new(),
            err: Vec::new(),
            asked_at: None,
            wrong: Vec::new(),
            given: None,
        }
    }

    /// Something on the side, which never asks.
    pub(super) fn aside(self) -> Self {
        Self {
            asking: Asking::Never,
            ..self
        }
    }

    /// Talks until the program, called `name`, runs.  `Err` is how it ended instead; nothing was run then.
    pub(super) async fn make(
        mut self,
        (program, name): (&str, &str),
        talk: &mut impl Talk,
        events: Option<&mpsc::Sender<Event>>,
        signal: &mut watch::Receiver<Option<Signal>>,
    ) -> Result<Besides, Ended> {
        talk.say(self.opening()).await;
        let mut answered: Option<oneshot::Receiver<Answer>> = None;
        let mut deadline = Instant::now() + self.limit;
        loop {
            let thinks = answered.is_some();
            tokio::select! {
                biased;
                _ = relay::next_signal(signal) => return Err(Ended::Aborted),
                answer = relay::optional(&mut answered) => {
                    answered = None;
                    deadline = Instant::now() + self.limit;
                    match answer {
                        Ok(Answer::Secret(secret)) => {
                            self.pocket.give(&self.about(), &secret);
                            talk.say(self.give(secret)).await;
                        }
                        Ok(Answer::Accept | Answer::Refuse) | Err(_) => {
                            return Err(self.refused());
                        }
                    }
                }
                heard = talk.hear() => {
                    match heard {
                        Heard::Out(words) => self.out.extend_from_slice(&words),
                        Heard::Err(words) => self.err.extend_from_slice(&words),
                        Heard::End(ended) => {
                            self.withdraw(thinks, events).await;
                            return Err(self.ended(&ended));
                        }
                    }
                    if let Some(besides) = self.runs() {
                        self.withdraw(thinks, events).await;
                        talk.say(launch(program, name).into()).await;
                        return Ok(besides);
                    }
                    if self.out.len() + self.err.len() > LONGEST {
                        return Err(failed("it says more than sudo would".to_owned()));
                    }
                    if self.asks() {
                        deadline = Instant::now() + self.limit;
                        match self.known() {
                            Some(secret) => talk.say(self.give(secret)).await,
                            None => answered = Some(self.ask(events).await?),
                        }
                    }
                }
                () = tokio::time::sleep_until(deadline), if !thinks => {
                    return Err(failed(self.silent()));
                }
            }
        }
    }

    /// What [`PROGRAM`] reads: whose run it is, who is meant, and whether sudo may ask.
    fn opening(&self) -> Bytes {
        let mode = match self.asking {
            Asking::Allowed => "S",
            Asking::Never if self.pocket_has_one() => "S",
            Asking::Never => "n",
        };
        Bytes::from(format!("{}\n{}\n{mode}\n", self.run, self.user))
    }

    fn about(&self) -> About {
        About::Sudo {
            account: self.account.to_owned(),
        }
    }

    /// What was right on this host: accounts of one name may have another password on another host.
    fn about_here(&self) -> About {
        About::Sudo {
            account: format!("{}@{}", self.account, self.host),
        }
    }

    fn pocket_has_one(&self) -> bool {
        [self.about_here(), self.about()]
            .iter()
            .any(|about| self.pocket.find(about).is_some())
    }

    /// A password that is known and was not wrong here.
    fn known(&mut self) -> Option<Secret> {
        if let Some(wrong) = self.given.take() {
            self.pocket.wrong(&self.about(), &wrong);
            self.wrong.push(wrong);
        }
        let known = [self.about_here(), self.about()].into_iter();
        known
            .filter_map(|about| self.pocket.find(&about))
            .find(|secret| !self.wrong.iter().any(|wrong| wrong.is_same(secret)))
    }

    /// The line that sudo reads; wiped when it has been written, as far as it is ours.
    fn give(&mut self, secret: Secret) -> Bytes {
        // What stood behind a newline would not be read by sudo.
        let words = secret.reveal().lines().next().unwrap_or_default();
        let line = Zeroizing::new(format!("{words}\n").into_bytes());
        self.given = Some(secret);
        Bytes::from_owner(line)
    }

    /// Asks an operator, if there is one.
    async fn ask(
        &self,
        events: Option<&mpsc::Sender<Event>>,
    ) -> Result<oneshot::Receiver<Answer>, Ended> {
        let Some(events) = events.filter(|_| self.asking == Asking::Allowed) else {
            return Err(failed(match self.wrong.len() {
                0 => self.unasked(),
                tries => self.rejected(tries),
            }));
        };
        let (answer, answered) = oneshot::channel();
        let question = Question {
            about: self.about(),
            wrong: u32::try_from(self.wrong.len()).unwrap_or(u32::MAX),
        };
        // Nobody listens any more to a run that is about to be dropped.
        _ = events.send(Event::Asks(Ask { question, answer })).await;
        Ok(answered)
    }

    async fn withdraw(&self, asked: bool, events: Option<&mpsc::Sender<Event>>) {
        if let Some(events) = events.filter(|_| asked) {
            _ = events.send(Event::GoesOn).await;
        }
    }

    /// Whether sudo wants a password; its prompt is cut out.
    fn asks(&mut self) -> bool {
        let prompt = format!("{SAYS} {} asks ", self.run);
        if let Some(after) = cut(&mut self.err, prompt.as_bytes()) {
            self.err.extend_from_slice(&after);
            return true;
        }
        // On a terminal both streams are one.
        let Some(after) = cut(&mut self.out, prompt.as_bytes()) else {
            return false;
        };
        self.asked_at.get_or_insert(self.out.len());
        self.out.extend_from_slice(&after);
        true
    }

    /// Whether the program runs, and what was said besides.
    fn runs(&mut self) -> Option<Besides> {
        let mut out = std::mem::take(&mut self.out);
        let Some(after) = cut(&mut out, runs_line(self.run).as_bytes()) else {
            self.out = out;
            return None;
        };
        if let Some(right) = self.given.take() {
            self.pocket.right(&self.about(), &right);
            self.pocket.right(&self.about_here(), &right);
        }
        // It ends the line for the Enter that nobody typed.
        out.truncate(self.asked_at.unwrap_or(out.len()));
        out.extend_from_slice(&after);
        Some(Besides {
            out: out.into(),
            err: std::mem::take(&mut self.err).into(),
        })
    }
}

/// Cuts `text` where `what` begins and returns what is behind it.
fn cut(text: &mut Vec<u8>, what: &[u8]) -> Option<Vec<u8>> {
    let at = text.windows(what.len()).position(|window| window == what)?;
    let after = text.split_off(at + what.len());
    text.truncate(at);
    Some(after)
}

#[cfg(test)]
mod tests;
