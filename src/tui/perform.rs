//! Doing what the state wants done: the console's hands.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command as Process;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::bar;
use super::config::{Files, Loaded};
use super::event::{Action, Event, Failure, Planned, Through, Ticket, Wished};
use super::link::Link;
use super::output::diff::Comparing;
use super::outward::{self, Fetched};
use super::program::Program;
use super::remembered::Remembered;
use super::table::arrange::Arranging;
use super::term::Screen;
use super::whole::Whole;
use crate::command::Global;
use crate::command::set::Notify;
use crate::config::inventory::Inventory;
use crate::config::settings::Settings;
use crate::core::state::State;
use crate::plan::earlier;
use crate::plan::{Caller, PlanError, Planner};
use crate::secret::Named;
use crate::view::diff;
use crate::wire::Request;
use crate::wire::reply::JobView;

/// How long a console that is left waits until its own files are written.
const PATIENCE: Duration = Duration::from_secs(1);

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
    own: Option<OwnFiles>,
    settings: Settings,
    events: mpsc::Sender<Event>,
    tasks: JoinSet<()>,
    /// How lists are is being written down.
    remembering: Option<JoinHandle<()>>,
}

/// The console's own files.
#[derive(Clone, Debug)]
pub struct OwnFiles {
    /// Lines of the bar.
    pub history: PathBuf,
    /// How lists are sorted and narrowed.
    pub lists: PathBuf,
}

impl OwnFiles {
    pub fn within(directory: &Path) -> Self {
        Self {
            history: directory.join("history"),
            lists: directory.join("console.toml"),
        }
    }
}

impl Hands {
    pub fn new(
        link: Link,
        settings: Settings,
        files: Files,
        planning: Planning,
        program: Program,
        own: Option<OwnFiles>,
    ) -> Self {
        let events = link.teller();
        Self {
            link,
            files,
            planning,
            program,
            own,
            settings,
            events,
            tasks: JoinSet::new(),
            remembering: None,
        }
    }

    /// Does all of it, in order.
    pub async fn perform(&mut self, actions: Vec<Action>, screen: &mut Screen) -> io::Result<Next> {
        while self.tasks.try_join_next().is_some() {}
        let mut next = Next::GoOn;
        for action in actions {
            match action {
                Action::Ask(ticket, request) => self.ask(ticket, *request),
                Action::Forget(ticket) => self.link.forget(ticket),
                Action::Receive(ticket, receive) => self.link.receive(ticket, *receive),
                Action::Gather(ticket, wanted) => self.link.gather(ticket, wanted),
                Action::Compare(ticket, comparing) => self.compare(ticket, *comparing),
                Action::Arrange(ticket, arranging) => self.arrange(ticket, *arranging),
                Action::Expand(ticket, text) => self.expand(ticket, text),
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
                Action::Notify(how, text) => notify(how, &text)?,
                Action::Hook(job) => self.hook(&job),
                Action::Title(title) => Screen::set_title(&title)?,
                Action::Mouse(mouse) => screen.set_mouse(mouse)?,
                Action::Remember(line) => self.remember(line),
                Action::RememberLists(lists) => self.remember_lists(*lists),
                Action::Reload => self.reload(),
                Action::Redraw => screen.forget()?,
                Action::Suspend => {
                    suspend(screen)?;
                    next = Next::Anew;
                }
                Action::Quit => {
                    self.lists_are_written().await;
                    return Ok(Next::Leave);
                }
            }
        }
        Ok(next)
    }

    /// Gives what was asked for last a moment to reach the engine.
    pub async fn settle(&mut self) {
        self.lists_are_written().await;
        self.link.settle().await;
    }

    /// What starts commands needs a look at files: small ones, and only then.
    fn ask(&mut self, ticket: Ticket, request: Request) {
        let planning = &self.planning;
        let planner = planning.planner(&self.settings, &planning.global);
        let request = planner.in_environment(request);
        self.link.ask(ticket, request);
    }

    fn plan(&mut self, ticket: Ticket, wished: Wished, global: Global) {
        let (planning, settings, events) = (
            self.planning.clone(),
            self.settings.clone(),
            self.events.clone(),
        );
        let reach = self.link.reach();
        self.tasks.spawn(async move {
            let mut wished = wished;
            let on = match &mut wished {
                Wished::Run(run) => &mut run.on,
                Wished::Query(args, _) => &mut args.on,
            };
            if let Err(failure) = earlier::expand(&*reach, on).await {
                _ = events.send(Event::Planned(ticket, Err(failure))).await;
                return;
            }
            // Files are read here: not on the loop.
            let planned = tokio::task::spawn_blocking(move || {
                let global = planning.over_ours(global);
                let planner = planning.planner(&settings, &global);
                let (spec, secrets) = match &wished {
                    Wished::Run(run) => (planner.job(run)?, Named::new()),
                    Wished::Query(args, query) => {
                        let spec = planner.query(args, query)?;
                        let secrets = planner.secrets(args, &spec.withheld)?;
                        (spec, secrets)
                    }
                };
                let notes = planner.ssh_notes(&spec)?;
                Ok(Planned {
                    spec,
                    secrets,
                    notes,
                })
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

    /// Beside the loop: there are many rows.
    fn arrange(&mut self, ticket: Ticket, arranging: Arranging) {
        let events = self.events.clone();
        self.tasks.spawn(async move {
            let arranged = tokio::task::spawn_blocking(move || arranging.run()).await;
            if let Ok(arranged) = arranged {
                let event = Event::Arranged(ticket, Box::new(arranged));
                _ = events.send(event).await;
            }
        });
    }

    /// Beside the loop as well.
    fn compare(&mut self, ticket: Ticket, comparing: Comparing) {
        let events = self.events.clone();
        self.tasks.spawn(async move {
            let until = (tokio::time::Instant::now() + diff::PATIENCE).into_std();
            let compared = tokio::task::spawn_blocking(move || comparing.run(until)).await;
            if let Ok(document) = compared {
                _ = events.send(Event::Compared(ticket, document)).await;
            }
        });
    }

    /// Looks up the hosts of earlier jobs.
    fn expand(&mut self, ticket: Ticket, text: String) {
        let (reach, events) = (self.link.reach(), self.events.clone());
        self.tasks.spawn(async move {
            let hosts = earlier::hosts(&*reach, &text).await;
            _ = events.send(Event::Expanded(ticket, hosts)).await;
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
        let file = self.planning.caller.path_without_shell(file);
        self.tasks.spawn(async move {
            let saved = outward::save(&reach, &whole, &file).await;
            _ = events.send(Event::Done(ticket, saved)).await;
        });
    }

    /// Fetches output into a file first: nobody knows how much it is.
    fn fetch(&mut self, ticket: Ticket, whole: Whole) {
        let (reach, events) = (self.link.reach(), self.events.clone());
        self.tasks.spawn(async move {
            let event = match outward::fetched(&reach, &whole).await {
                Ok(Fetched::Text(text)) => Event::Fetched(ticket, text),
                Ok(Fetched::InFile(said)) => Event::Done(ticket, Ok(said)),
                Err(why) => Event::Done(ticket, Err(why)),
            };
            _ = events.send(event).await;
        });
    }

    async fn copy(&mut self, ticket: Ticket, text: String) -> io::Result<()> {
        let said = outward::copy(&text).await?;
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
        let came = outward::pipe(&self.link.reach(), whole, &line, through).await;
        screen.take()?;
        self.tell(Event::Done(ticket, came));
        Ok(())
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
        let Some(file) = self.own.as_ref().map(|own| own.history.clone()) else {
            return;
        };
        let events = self.events.clone();
        self.tasks.spawn_blocking(move || {
            if let Err(error) = bar::History::append(&file, &line) {
                _ = events.try_send(Event::Notice(format!("{}: {error}", file.display())));
            }
        });
    }

    /// One after the other, so that the last one stays.
    fn remember_lists(&mut self, lists: Remembered) {
        let Some(file) = self.own.as_ref().map(|own| own.lists.clone()) else {
            return;
        };
        let (before, events) = (self.remembering.take(), self.events.clone());
        self.remembering = Some(tokio::spawn(async move {
            if let Some(before) = before {
                _ = before.await;
            }
            let name = file.display().to_string();
            let written = tokio::task::spawn_blocking(move || lists.write(&file)).await;
            if let Ok(Err(error)) = written {
                _ = events.try_send(Event::Notice(format!("{name}: {error}")));
            }
        }));
    }

    async fn lists_are_written(&mut self) {
        if let Some(remembering) = self.remembering.take() {
            _ = tokio::time::timeout(PATIENCE, remembering).await;
        }
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

fn notify(how: Notify, text: &str) -> io::Result<()> {
    match how {
        Notify::Off => Ok(()),
        Notify::Auto | Notify::Bell => Screen::bell(),
        Notify::Osc9 => Screen::notify_osc9(text),
        Notify::Osc777 => Screen::notify_osc777(text),
    }
}

pub(super) fn failure(error: &PlanError) -> Failure {
    Failure {
        message: error.to_string(),
        hint: error.hint().map(str::to_string),
    }
}

/// Lets the shell have the terminal until it gives it back.
fn suspend(screen: &mut Screen) -> io::Result<()> {
    screen.give_back()?;
    // The whole group, as the terminal itself does it: whoever started us with a wrapper is stopped, too.
    rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
    screen.take()
}
