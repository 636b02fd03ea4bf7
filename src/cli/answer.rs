//! `answer`: what children wait for an answer to, and answering it.

use std::io::Write as _;
use std::time::Duration;

use super::attend::{Asker, Questions, Whose, answer as say, open_questions};
use super::context::Context;
use super::error::{CliError, Exit};
use crate::command::Answer as Args;
use crate::secret::Answer;
use crate::view::question;
use crate::wire::look::{Question, QuestionKind};

/// How long after the last answer it may turn out that it was wrong.
const SECOND_TRY: Duration = Duration::from_secs(2);

pub(super) async fn answer(context: &Context, args: Args) -> Result<Exit, CliError> {
    let global = &context.global;
    if args.refuse && global.yes {
        return Err(CliError::usage(
            "--refuse and --yes cannot be used together",
        ));
    }
    let whose = whose(context, &args).await?;
    if args.refuse || global.yes || global.json || global.batch {
        let open = match open_questions(context, &whose).await {
            Ok(open) => open,
            // Without a daemon nobody asks anything.
            Err(error) if error.is_nothing() => Vec::new(),
            Err(error) => return Err(error),
        };
        return if args.refuse {
            let ids = open.iter().map(|question| question.id).collect();
            say_to(context, ids, Answer::Refuse).await
        } else if global.yes {
            accept(context, &args, &open).await
        } else {
            list(context, &open)
        };
    }
    let Some(mut asker) = Asker::new(context) else {
        let open = open_questions(context, &whose).await?;
        list(context, &open)?;
        return Err(CliError::usage("there is no terminal to ask on")
            .hint("--yes accepts the host keys of the jobs that are named, --refuse refuses"));
    };
    let mut questions = match Questions::follow(context, whose).await {
        Err(error) if error.is_nothing() => {
            context.note("nothing is asked");
            return Ok(Exit::Done);
        }
        followed => followed?,
    };
    if questions.now().is_empty() {
        context.note("nothing is asked");
        return Ok(Exit::Done);
    }
    let work = async {
        loop {
            asker.ask_all(&mut questions).await?;
            let again = tokio::time::timeout(SECOND_TRY, questions.changed()).await;
            match again {
                Ok(changed) => changed?,
                Err(_) => return Ok(Exit::Done),
            }
        }
    };
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Interrupted),
    }
}

async fn whose(context: &Context, args: &Args) -> Result<Whose, CliError> {
    if args.select.is_empty() {
        return Ok(Whose::all());
    }
    let (whose, unknown) = Whose::selected(context, &args.select).await?;
    for unknown in &unknown {
        Context::warn(unknown);
    }
    if whose.is_nobody() {
        return Err(CliError::nothing_selected(&args.select, &unknown));
    }
    Ok(whose)
}

/// Accepts host keys, of jobs that were named only.
async fn accept(context: &Context, args: &Args, open: &[Question]) -> Result<Exit, CliError> {
    if args.select.is_empty() {
        return Err(
            CliError::usage("--yes accepts the host keys of jobs that are named")
                .hint("say which: `regatta answer --yes JOB`"),
        );
    }
    let (keys, rest): (Vec<&Question>, Vec<&Question>) = open
        .iter()
        .partition(|question| matches!(question.kind, QuestionKind::HostKey { .. }));
    for question in &keys {
        context.note(&format!("yes: {}", question::line(question)));
    }
    let keys = keys.iter().map(|question| question.id).collect();
    let exit = say_to(context, keys, Answer::Accept).await?;
    for question in &rest {
        Context::warn(&format!("still open: {}", question::line(question)));
    }
    Ok(if rest.is_empty() { exit } else { Exit::Failed })
}

async fn say_to(context: &Context, questions: Vec<u64>, said: Answer) -> Result<Exit, CliError> {
    if questions.is_empty() {
        context.note("nothing is asked");
        return Ok(Exit::Done);
    }
    let all = say(context, questions, said).await?;
    Ok(if all { Exit::Done } else { Exit::Failed })
}

fn list(context: &Context, open: &[Question]) -> Result<Exit, CliError> {
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let open: Vec<_> = open.iter().map(question::json).collect();
        context.terminal.json(&mut out, &open.into())?;
        return Ok(Exit::Done);
    }
    for asked in open {
        writeln!(out, "{}: {}", asked.id, question::line(asked))?;
    }
    if open.is_empty() {
        context.note("nothing is asked");
    }
    Ok(Exit::Done)
}
