//! Asking the operator what children ask: beside a command that waits for them, or because somebody came to answer.
//!
//! One question is asked at a time.  Host keys are shown before they are asked about, all that are open together, so that
//! `all` accepts what was seen and nothing else.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::Range;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::context::{Context, unexpected};
use super::error::CliError;
use super::jobs;
use super::tty::{Echo, Tty};
use crate::core::select::Selector;
use crate::core::spec::{JobSpec, Withheld};
use crate::daemon::client::Absent;
use crate::secret::{Answer, Named, Secret};
use crate::view::count::{Noun, counted};
use crate::view::question;
use crate::wire::look::{Question, QuestionKind};
use crate::wire::reply::JobView;
use crate::wire::request::{Attend, Children, Wanted};
use crate::wire::{Reply, Request};

/// So long after a secret was given, other questions wait for whether it was wrong and is asked for again.
const AGAIN: Duration = Duration::from_secs(3);

/// Whose questions are asked.
pub(super) struct Whose(Option<Vec<Range<u64>>>);

impl Whose {
    /// Everybody's.
    pub(super) fn all() -> Self {
        Self(None)
    }

    /// Those of one job with so many children.
    pub(super) fn of_job(job: u64, children: u32) -> Self {
        Self(Some(vec![of_job(job, children)]))
    }

    /// Those of jobs and children as they are now, and what of the selection is not there.
    pub(super) async fn selected(
        context: &Context,
        select: &[Selector],
    ) -> Result<(Self, Vec<String>), CliError> {
        let wanted = Wanted(select.to_vec());
        let list = jobs::fetch(context, Some(wanted), Children::Without).await?;
        let whole = |job: &u64| !list.children.iter().any(|child| child.job == *job);
        let of_jobs = list
            .jobs
            .iter()
            .filter(|job| whole(&job.id))
            .map(|job| of_job(job.id, job.children()));
        let alone = list.children.iter().map(|child| child.id..child.id + 1);
        Ok((Self(Some(of_jobs.chain(alone).collect())), list.unknown))
    }

    /// Whether nothing was selected.
    pub(super) fn is_nobody(&self) -> bool {
        self.0.as_ref().is_some_and(Vec::is_empty)
    }

    pub(super) fn asks(&self, question: &Question) -> bool {
        self.0.as_ref().is_none_or(|ranges| {
            let ours = |child| ranges.iter().any(|range| range.contains(child));
            question.children.iter().any(ours)
        })
    }
}

/// The ids of a job's children.
fn of_job(job: u64, children: u32) -> Range<u64> {
    job + 1..job + 1 + u64::from(children)
}

/// The open questions of somebody, kept up to date.
pub(super) struct Questions {
    open: watch::Receiver<Vec<Question>>,
    task: JoinHandle<Result<Infallible, CliError>>,
}

impl Drop for Questions {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Questions {
    pub(super) async fn follow(context: &Context, whose: Whose) -> Result<Self, CliError> {
        let request = Request::Questions(Attend::Follow);
        let mut connection = context.open(&request, Absent::Recall).await?;
        let ours = move |reply| match reply {
            Reply::Questions(mut questions) => {
                questions.retain(|question| whose.asks(question));
                Ok(questions)
            }
            reply => Err(unexpected(&reply)),
        };
        let (tell, open) = watch::channel(ours(connection.first().await?)?);
        let task = tokio::spawn(async move {
            loop {
                tell.send_replace(ours(connection.first().await?)?);
            }
        });
        Ok(Self { open, task })
    }

    pub(super) fn now(&self) -> Vec<Question> {
        self.open.borrow().clone()
    }

    /// Returns when they have changed.
    pub(super) async fn changed(&mut self) -> Result<(), CliError> {
        if self.open.changed().await.is_ok() {
            return Ok(());
        }
        match (&mut self.task).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(never)) => match never {},
            Err(gone) => Err(CliError::failed(format!("questions are not heard: {gone}"))),
        }
    }

    /// Whether it is still open.
    fn has(&self, id: u64) -> bool {
        self.open.borrow().iter().any(|question| question.id == id)
    }

    /// Returns when such a thing is asked.
    async fn until_asked(&mut self, kind: &QuestionKind) -> Result<(), CliError> {
        let is_asked = |open: &[Question]| open.iter().any(|question| question.kind == *kind);
        while !is_asked(&self.open.borrow()) {
            self.changed().await?;
        }
        Ok(())
    }

    /// Returns when it is not open any more.
    async fn until_closed(&mut self, id: u64) -> Result<(), CliError> {
        while self.has(id) {
            self.changed().await?;
        }
        Ok(())
    }
}

/// The open questions; none where there is no engine.
pub(super) async fn open_questions(
    context: &Context,
    whose: &Whose,
) -> Result<Vec<Question>, CliError> {
    let request = Request::Questions(Attend::Now);
    match context.ask(&request, Absent::Recall).await? {
        Reply::Questions(mut questions) => {
            questions.retain(|question| whose.asks(question));
            Ok(questions)
        }
        reply => Err(unexpected(&reply)),
    }
}

/// Says the same to several questions.  Whatever cannot be answered is named; true if all were.
pub(super) async fn answer(
    context: &Context,
    questions: Vec<u64>,
    answer: Answer,
) -> Result<bool, CliError> {
    let request = Request::Answer { questions, answer };
    match context.ask(&request, Absent::Recall).await? {
        Reply::Answered { refused, .. } => {
            for refusal in &refused {
                Context::warn(refusal);
            }
            Ok(refused.is_empty())
        }
        reply => Err(unexpected(&reply)),
    }
}

/// Asks whatever is asked, until it is dropped or cannot any more; where nobody can be asked, says how to answer.
pub(super) async fn attend(context: &Context, whose: Whose) -> Result<Infallible, CliError> {
    let mut questions = Questions::follow(context, whose).await?;
    let mut asker = Asker::new(context);
    let mut said = BTreeSet::new();
    loop {
        if !questions.now().is_empty() {
            context.area.give_way();
        }
        match asker.as_mut() {
            Some(asker) => asker.ask_all(&mut questions).await?,
            None => say_how_to_answer(&questions.now(), &mut said),
        }
        context.area.take_back();
        questions.changed().await?;
    }
}

/// The same for a job that was begun here: never ends where nobody may be asked.
pub(super) async fn attend_job(context: &Context, job: &JobView) -> Result<Infallible, CliError> {
    if context.global.batch {
        std::future::pending::<()>().await;
    }
    attend(context, Whose::of_job(job.id, job.children())).await
}

/// `work`, with whatever the selected children ask asked meanwhile.
pub(super) async fn beside<T>(
    context: &Context,
    select: &[Selector],
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let attended = async {
        let (whose, _) = Whose::selected(context, select).await?;
        if context.global.batch || whose.is_nobody() {
            std::future::pending::<()>().await;
        }
        // Ctrl-C has to put the terminal right again.
        let questions = attend(context, whose);
        tokio::select! {
            ended = questions => ended,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.map_err(|error| CliError::failed(error.to_string()))?;
                Err(CliError::interrupted())
            }
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        ended = attended => match ended {
            Ok(never) => match never {},
            Err(error) => Err(error),
        },
    }
}

/// Has the secrets typed that a new job needs and that were not given, before anything is begun.  Where nobody can be
/// asked here its children ask, unless they may not either.
pub(super) async fn ask_for_secrets(
    context: &Context,
    spec: &JobSpec,
    given: &mut Named,
) -> Result<(), CliError> {
    let missing = |wanted: &&Withheld| !given.iter().any(|(name, _)| *name == wanted.name);
    let missing: Vec<&Withheld> = spec.withheld.iter().filter(missing).collect();
    let Some(first) = missing.first() else {
        return Ok(());
    };
    if context.global.batch {
        let name = &first.name;
        let message = format!("the secret {name} was not given, and --batch asks nobody");
        return Err(CliError::usage(message).hint(format!(
            "--secret {name}=env:VARIABLE, {name}=file:PATH or {name}=stdin gives it"
        )));
    }
    let Some(tty) = Tty::open(context.terminal) else {
        return Ok(());
    };
    for wanted in missing {
        let prompt = question::secret_prompt(&wanted.name, &wanted.doc);
        let typed = tokio::select! {
            typed = tty.ask(&prompt, Echo::Hidden) => typed.map_err(NoTerminal)?,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.map_err(|error| CliError::failed(error.to_string()))?;
                return Err(CliError::interrupted());
            }
        };
        let typed = typed.filter(|typed| !typed.is_empty()).ok_or_else(|| {
            CliError::usage(format!(
                "not started: the secret {} was not typed",
                wanted.name
            ))
        })?;
        given.push((wanted.name.clone(), Secret::new(String::clone(&typed))));
    }
    Ok(())
}

/// Where nobody can be asked here: once for each question.
fn say_how_to_answer(questions: &[Question], said: &mut BTreeSet<u64>) {
    for asked in questions.iter().filter(|asked| said.insert(asked.id)) {
        Context::warn(&format!(
            "question {}: {}; `regatta answer` on a terminal answers it",
            asked.id,
            question::line(asked)
        ));
    }
}

/// Somebody at a terminal, and what was asked already.
pub(super) struct Asker<'a> {
    context: &'a Context,
    tty: Tty,
    /// Host keys that were shown.
    shown: BTreeSet<u64>,
    /// The secret that was asked for last.
    last: Option<QuestionKind>,
}

/// Reading what is typed failed.
struct NoTerminal(std::io::Error);

/// What came of asking.
enum Said {
    One(Answer),
    /// Yes to every host key that was shown.
    All,
}

impl<'a> Asker<'a> {
    /// None where nobody can be asked.
    pub(super) fn new(context: &'a Context) -> Option<Self> {
        let tty = Tty::open(context.terminal).filter(|_| !context.global.batch)?;
        Some(Self {
            context,
            tty,
            shown: BTreeSet::new(),
            last: None,
        })
    }

    /// Asks one question after the other until none is open.
    pub(super) async fn ask_all(&mut self, questions: &mut Questions) -> Result<(), CliError> {
        while let Some(question) = self.next(questions.now()) {
            self.show_host_keys(&questions.now());
            let said = tokio::select! {
                biased;
                closed = questions.until_closed(question.id) => {
                    closed?;
                    self.context.note("\nanswered meanwhile, or not asked any more");
                    continue;
                }
                said = self.ask(&question) => said?,
            };
            let (which, said) = match said {
                Said::One(said) => (vec![question.id], said),
                Said::All => {
                    let open = questions.now().into_iter().map(|question| question.id);
                    let seen = open.filter(|id| self.shown.contains(id)).collect();
                    (seen, Answer::Accept)
                }
            };
            self.last = match &said {
                Answer::Secret(_) => Some(question.kind.clone()),
                Answer::Accept | Answer::Refuse => None,
            };
            answer(self.context, which, said).await?;
            questions.until_closed(question.id).await?;
            if let Some(kind) = &self.last
                && !questions.now().is_empty()
            {
                let again = questions.until_asked(kind);
                match tokio::time::timeout(AGAIN, again).await {
                    Ok(heard) => heard?,
                    // It was right, or whoever is to say so takes long.
                    Err(_) => self.last = None,
                }
            }
        }
        Ok(())
    }

    /// The question that was answered last, where that was wrong, before all others: whoever types a secret once more must
    /// not give it to others.
    fn next(&self, open: Vec<Question>) -> Option<Question> {
        let again = |question: &Question| Some(&question.kind) == self.last.as_ref();
        let at = open.iter().position(again).unwrap_or(0);
        open.into_iter().nth(at)
    }

    fn show_host_keys(&mut self, questions: &[Question]) {
        let new = questions
            .iter()
            .filter(|question| matches!(question.kind, QuestionKind::HostKey { .. }))
            .filter(|question| self.shown.insert(question.id))
            .collect::<Vec<_>>();
        if let Some(QuestionKind::HostKey { file, .. }) = new.first().map(|first| &first.kind) {
            let file = if file.is_empty() { "nowhere" } else { file };
            let count = match new.len() {
                1 => "The key of a host is not known".to_string(),
                many => format!("The keys of {} are not known", counted(many, Noun::Host)),
            };
            Context::say(&format!("{count}; what is accepted is added to {file}:"));
        }
        for question in new {
            if let QuestionKind::HostKey {
                host,
                algorithm,
                fingerprint,
                ..
            } = &question.kind
            {
                let hosts = if host.trim_start_matches('[').starts_with(&question.hosts) {
                    String::new()
                } else {
                    format!("  ({})", question.hosts)
                };
                Context::say(&format!("  {host}  {algorithm}  {fingerprint}{hosts}"));
            }
        }
    }

    async fn ask(&self, question: &Question) -> Result<Said, CliError> {
        let echo = match &question.kind {
            QuestionKind::HostKey {
                host, fingerprint, ..
            } => return self.ask_host_key(host, fingerprint).await,
            QuestionKind::Passphrase { .. }
            | QuestionKind::Password { .. }
            | QuestionKind::Sudo { .. }
            | QuestionKind::Secret { .. }
            | QuestionKind::Prompt { echo: false, .. } => Echo::Hidden,
            QuestionKind::Prompt { echo: true, .. } => Echo::Shown,
        };
        let typed = self.tty.ask(&question::prompt(question), echo).await;
        Ok(Said::One(match typed.map_err(NoTerminal)? {
            Some(words) => Answer::Secret(Secret::new(String::clone(&words))),
            None => Answer::Refuse,
        }))
    }

    async fn ask_host_key(&self, host: &str, fingerprint: &str) -> Result<Said, CliError> {
        let mut prompt = format!("Accept the key of {host}? (yes/no/all/fingerprint) ");
        if self.shown.len() < 2 {
            prompt = format!("Accept the key of {host}? (yes/no/fingerprint) ");
        }
        loop {
            let typed = self.tty.ask(&prompt, Echo::Shown).await;
            let Some(typed) = typed.map_err(NoTerminal)? else {
                return Ok(Said::One(Answer::Refuse));
            };
            match typed.trim() {
                "yes" => return Ok(Said::One(Answer::Accept)),
                "no" => return Ok(Said::One(Answer::Refuse)),
                "all" => return Ok(Said::All),
                other if other == fingerprint => return Ok(Said::One(Answer::Accept)),
                _ => prompt = "Please type yes, no, all, or the fingerprint: ".to_string(),
            }
        }
    }
}

impl From<NoTerminal> for CliError {
    fn from(NoTerminal(error): NoTerminal) -> Self {
        Self::failed(format!("the terminal cannot be read: {error}"))
    }
}
