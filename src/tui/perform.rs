//! Doing what the state wants done: the console's hands.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::fs::OpenOptions;
use tokio::process::Command as Process;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::bar;
use super::config::{Files, Loaded};
use super::event::{Action, Event, Failure, Planned, Through, Ticket, Wished};
use super::link::Link;
use super::program::Program;
use super::term::Screen;
use super::whole::Whole;
use crate::command::Global;
use crate::config::inventory::Inventory;
use crate::config::settings::{Notify, Settings};
use crate::core::state::State;
use crate::plan::{Caller, PlanError, Planner};
use crate::wire::reply::JobView;

/// Text that is longer goes into a file: terminals cut what is copied through them (k9s has the same bound).
const LONGEST_COPY: usize = 74 << 10;

/// What jobs are planned with, beside the settings in force.
#[derive(Clone, Debug)]
pub struct Planning {
    pub global: Global,
    pub caller: Caller,
}

impl Planning {
    pub fn inventory(&self, settings: &Settings) -> Result<Inventory, String> {
        super::config::inventory(&self.planner(settings, &self.global))
    }

    /// What was typed in a line, over what this program was started with.
    fn over_ours(&self, typed: Global) -> Global {
        let ours = self.global.clone();
        Global {
            ssh_config: typed.ssh_config.or(ours.ssh_config),
            config: typed.config.or(ours.config),
            batch: typed.batch || ours.batch,
            ..typed
        }
    }

    fn planner<'a>(&'a self, settings: &'a Settings, global: &'a Global) -> Planner<'a> {
        Planner {
            settings,
            global,
            caller: &self.caller,
        }
    }
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    GoOn,
    Leave,
    /// The terminal was somebody else's: input and picture begin anew.
    Anew,
}

/// See the module.
#[derive(Debug)]
pub struct Hands {
    link: Link,
    files: Files,
    planning: Planning,
    program: Program,
    history: Option<PathBuf>,
    settings: Settings,
    events: mpsc::Sender<Event>,
    tasks: JoinSet<()>,
}

impl Hands {
    pub fn new(
        link: Link,
        settings: Settings,
        files: Files,
        planning: Planning,
        program: Program,
        history: Option<PathBuf>,
    ) -> Self {
        let events = link.teller();
        Self {
            link,
            files,
            planning,
            program,
            history,
            settings,
            events,
            tasks: JoinSet::new(),
        }
    }

    /// Does all of it, in order.
    pub async fn perform(&mut self, actions: Vec<Action>, screen: &mut Screen) -> io::Result<Next> {
        while self.tasks.try_join_next().is_some() {}
        let mut next = Next::GoOn;
        for action in actions {
            match action {
                Action::Ask(ticket, request) => self.link.ask(ticket, *request),
                Action::Forget(ticket) => self.link.forget(ticket),
                Action::Receive(ticket, receive) => self.link.receive(ticket, *receive),
                Action::Watch(job) => self.link.watch(job),
                Action::Unwatch(job) => self.link.unwatch(job),
                Action::WatchAnew => self.link.watch_anew(),
                Action::Plan(ticket, wished, global) => self.plan(ticket, wished, *global),
                Action::Program(ticket, words) => self.run_program(ticket, words),
                Action::Save(ticket, whole, file) => self.save(ticket, whole, &file),
                Action::Copy(ticket, text) => self.copy(ticket, text).await?,
                Action::Fetch(ticket, whole) => self.fetch(ticket, whole),
                Action::Through(ticket, whole, through) => {
                    self.through(ticket, &whole, &through, screen).await?;
                    next = Next::Anew;
                }
                Action::Notify(text) => self.notify(&text)?,
                Action::Hook(job) => self.hook(&job),
                Action::Title(title) => Screen::set_title(&title)?,
                Action::Mouse(mouse) => screen.set_mouse(mouse)?,
                Action::Remember(line) => self.remember(line),
                Action::Reload => self.reload(),
                Action::Redraw => screen.forget()?,
                Action::Suspend => {
                    suspend(screen)?;
                    next = Next::Anew;
                }
                Action::Quit => return Ok(Next::Leave),
            }
        }
        Ok(next)
    }

    /// Gives what was asked for last a moment to reach the engine.
    pub async fn settle(&mut self) {
        self.link.settle().await;
    }

    fn plan(&mut self, ticket: Ticket, wished: Wished, global: Global) {
        let (planning, settings, events) = (
            self.planning.clone(),
            self.settings.clone(),
            self.events.clone(),
        );
        self.tasks.spawn(async move {
            // Files are read here: not on the loop.
            let planned = tokio::task::spawn_blocking(move || {
                let global = planning.over_ours(global);
                let planner = planning.planner(&settings, &global);
                let spec = match &wished {
                    Wished::Run(run) => planner.job(run)?,
                    Wished::Query(args, query) => planner.query(args, query)?,
                };
                let notes = planner.ssh_notes(&spec)?;
                Ok(Planned { spec, notes })
            });
            let planned = match planned.await {
                Ok(planned) => planned
                    .map(Box::new)
                    .map_err(|error: PlanError| failure(&error)),
                Err(error) => Err(Failure {
                    message: format!("the job could not be planned: {error}"),
                    hint: None,
                }),
            };
            _ = events.send(Event::Planned(ticket, planned)).await;
        });
    }

    fn run_program(&mut self, ticket: Ticket, words: Vec<String>) {
        let (program, events) = (self.program.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let ran = program.run(&words).await;
            _ = events.send(Event::Ran(ticket, ran)).await;
        });
    }

    fn save(&mut self, ticket: Ticket, whole: Whole, file: &Path) {
        let (reach, events) = (self.link.reach(), self.events.clone());
        let file = self.planning.caller.path(file);
        self.tasks.spawn(async move {
            let saved = save(&reach, &whole, &file).await;
            _ = events.send(Event::Done(ticket, saved)).await;
        });
    }

    /// Fetches output into a file first: nobody knows how much it is.
    fn fetch(&mut self, ticket: Ticket, whole: Whole) {
        let (reach, events) = (self.link.reach(), self.events.clone());
        self.tasks.spawn(async move {
            let event = match fetched(&reach, &whole).await {
                Ok(Fetched::Text(text)) => Event::Fetched(ticket, text),
                Ok(Fetched::InFile(said)) => Event::Done(ticket, Ok(said)),
                Err(why) => Event::Done(ticket, Err(why)),
            };
            _ = events.send(event).await;
        });
    }

    async fn copy(&mut self, ticket: Ticket, text: String) -> io::Result<()> {
        let said = if text.len() > LONGEST_COPY {
            into_file(text.as_bytes())
        } else {
            Ok(copied(&text).await?)
        };
        self.tell(Event::Done(ticket, said));
        Ok(())
    }

    /// Gives the terminal to a program that reads the output.
    async fn through(
        &mut self,
        ticket: Ticket,
        whole: &Whole,
        through: &Through,
        screen: &mut Screen,
    ) -> io::Result<()> {
        let line = match through {
            Through::Pager => std::env::var("PAGER")
                .ok()
                .filter(|pager| !pager.trim().is_empty())
                .unwrap_or_else(|| "less -R".to_string()),
            Through::Command(line) => line.clone(),
        };
        screen.give_back()?;
        let came = pipe(&self.link.reach(), whole, &line, through).await;
        screen.take()?;
        self.tell(Event::Done(ticket, came));
        Ok(())
    }

    fn notify(&self, text: &str) -> io::Result<()> {
        match self.settings.console.notify {
            Notify::Off => Ok(()),
            Notify::Auto | Notify::Bell => Screen::bell(),
            Notify::Osc9 => Screen::notify_osc9(text),
            Notify::Osc777 => Screen::notify_osc777(text),
        }
    }

    fn hook(&mut self, job: &JobView) {
        let Some(command) = &self.settings.console.notify_command else {
            return;
        };
        let count = |state| job.count(state).to_string();
        let process = Process::new("sh")
            .arg("-c")
            .arg(command)
            .env("REGATTA_JOB", job.id.to_string())
            .env("REGATTA_NAME", &job.name)
            .env("REGATTA_STATE", job.state.word())
            .env("REGATTA_COMPLETED", count(State::Completed))
            .env("REGATTA_FAILED", count(State::Failed))
            .env("REGATTA_STOPPED", count(State::Stopped))
            .env("REGATTA_CHILDREN", job.children().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match process {
            Ok(mut process) => {
                self.tasks.spawn(async move { _ = process.wait().await });
            }
            Err(error) => self.tell(Event::Notice(format!("console.notify_command: {error}"))),
        }
    }

    fn remember(&mut self, line: String) {
        let Some(file) = self.history.clone() else {
            return;
        };
        let events = self.events.clone();
        self.tasks.spawn_blocking(move || {
            if let Err(error) = bar::History::append(&file, &line) {
                _ = events.try_send(Event::Notice(format!("{}: {error}", file.display())));
            }
        });
    }

    fn reload(&mut self) {
        let planning = &self.planning;
        let loaded = Loaded::load(&self.files, |settings| planning.inventory(settings));
        if let Ok(loaded) = &loaded {
            self.settings = loaded.settings.clone();
        }
        self.tell(Event::Reloaded(loaded.map(Box::new)));
    }

    /// Tells the loop; it is the loop that calls this, so nobody waits.  A full channel means plenty of other news.
    fn tell(&mut self, event: Event) {
        let events = self.events.clone();
        self.tasks
            .spawn(async move { _ = events.send(event).await });
    }
}

fn failure(error: &PlanError) -> Failure {
    Failure {
        message: error.to_string(),
        hint: error.hint().map(str::to_string),
    }
}

async fn save(
    reach: &crate::daemon::client::Reach,
    whole: &Whole,
    file: &Path,
) -> Result<String, String> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} is there already; choose another name", file.display())
        }
        _ => format!("cannot write {}: {error}", file.display()),
    };
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .await;
    let mut to = tokio::io::BufWriter::new(opened.map_err(cannot)?);
    let written = whole
        .write(reach, &mut to)
        .await
        .map_err(|why| format!("{}: {why}", file.display()))?;
    let dropped = match written.dropped {
        0 => String::new(),
        bytes => format!(
            " ({} had been cut out before)",
            crate::view::span::bytes(bytes)
        ),
    };
    Ok(format!(
        "saved {} to {}{dropped}",
        crate::view::span::bytes(written.bytes),
        file.display()
    ))
}

/// Runs `line` with the output on its standard input.
async fn pipe(
    reach: &crate::daemon::client::Reach,
    whole: &Whole,
    line: &str,
    through: &Through,
) -> Result<String, String> {
    // Keys meant for it must not end us.
    let mut child = Process::new("sh")
        .arg("-c")
        .arg(line)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{line}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has read enough closes its end: that is no error.
        _ = whole.write(reach, &mut stdin).await;
    }
    let status = child
        .wait()
        .await
        .map_err(|error| format!("{line}: {error}"))?;
    match through {
        Through::Pager => Ok(String::new()),
        Through::Command(_) => {
            wait_for_enter().await;
            Ok(format!("{line}: {status}"))
        }
    }
}

/// What a command printed stays until somebody has read it.
#[expect(
    clippy::print_stderr,
    reason = "the terminal is not the console's just now"
)]
async fn wait_for_enter() {
    eprint!("\n[enter goes back to regatta] ");
    _ = tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await;
}

/// Output to be copied.
enum Fetched {
    Text(String),
    /// It is too much, and where it is now.
    InFile(String),
}

async fn fetched(reach: &crate::daemon::client::Reach, whole: &Whole) -> Result<Fetched, String> {
    let cannot = |error: io::Error| format!("cannot write a file for what is copied: {error}");
    let file = file_to_copy().map_err(cannot)?;
    let mut to = tokio::fs::File::from_std(file.reopen().map_err(cannot)?);
    let written = whole.write(reach, &mut to).await?;
    if written.bytes > LONGEST_COPY as u64 {
        return kept(file, written.bytes).map(Fetched::InFile);
    }
    let bytes = tokio::fs::read(file.path()).await.map_err(cannot)?;
    Ok(Fetched::Text(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Where text goes that is copied, until it is known how much it is.
fn file_to_copy() -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix("regatta-copy-")
        .suffix(".txt")
        .tempfile()
}

/// Into a file of its own, because terminals would cut it.
fn into_file(text: &[u8]) -> Result<String, String> {
    use std::io::Write as _;
    let written = file_to_copy().and_then(|mut file| file.write_all(text).map(|()| file));
    let file =
        written.map_err(|error| format!("cannot write a file for what is copied: {error}"))?;
    kept(file, text.len() as u64)
}

fn kept(file: tempfile::NamedTempFile, bytes: u64) -> Result<String, String> {
    let (_, path) = file.keep().map_err(|error| error.to_string())?;
    let size = crate::view::span::bytes(bytes);
    Ok(format!(
        "{size} is too much for a clipboard: it is in {}",
        path.display()
    ))
}

/// Copies with the desktop's own tool where there is one and the terminal is here, else through the terminal.
async fn copied(text: &str) -> io::Result<String> {
    let lines = text.lines().count();
    let size = crate::view::span::bytes(text.len() as u64);
    let what = format!(
        "copied {lines} line{}, {size}",
        if lines == 1 { "" } else { "s" }
    );
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !set("SSH_TTY") && !set("SSH_CONNECTION") {
        let tools: [(&str, &[&str], &str); 3] = [
            ("wl-copy", &[], "WAYLAND_DISPLAY"),
            ("xclip", &["-selection", "clipboard"], "DISPLAY"),
            ("pbcopy", &[], "__CF_USER_TEXT_ENCODING"),
        ];
        for (tool, arguments, variable) in tools {
            if set(variable) && give(tool, arguments, text).await.is_ok() {
                return Ok(format!("{what} with {tool}"));
            }
        }
    }
    Screen::copy(text)?;
    Ok(format!("{what} through the terminal (OSC 52)"))
}

async fn give(tool: &str, arguments: &[&str], text: &str) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let mut child = Process::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).await?;
    }
    let status = child.wait().await?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other("it failed"))
    }
}

/// Lets the shell have the terminal until it gives it back.
fn suspend(screen: &mut Screen) -> io::Result<()> {
    screen.give_back()?;
    // The whole group, as the terminal itself does it: whoever started us with a wrapper is stopped, too.
    rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
    screen.take()
}
