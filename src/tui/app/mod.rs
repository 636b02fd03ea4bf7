//! The console's state, and what events do to it.
//!
//! [`App::update`] takes an event and says what is to be done; [`App::prepare`] brings the rows up to the model before a
//! picture is drawn and says what the picture lacks; drawing only reads.  Nothing here waits for anything or touches the
//! world, so that whole sessions can be played in a test.

mod acts;
mod answering;
mod answers;
mod asked;
mod asking;
mod awaiting;
mod coming;
mod comparing;
mod configured;
mod deeds;
mod draw;
mod earlier;
mod filling;
mod flags;
mod handing;
mod keys;
mod leaving;
mod moving;
mod overlay;
mod pages;
mod paging;
mod past;
mod queueing;
mod selecting;
mod setting;
mod shown;
mod siblings;
mod tabling;
mod typing;
mod verbs;
mod wants;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use super::bar::Bar;
use super::config::Loaded;
use super::event::{Action, Event, Focus, Mouse, Now, Watched};
use super::events::Events;
use super::hosts::Hosts;
use super::list::List;
use super::model::Model;
use super::remembered::Remembered;
use super::styles::Styles;
use super::tree::Tree;
use crate::command::console::Column;
use crate::command::console::Screen;
use crate::core::alike::Ignored;
use crate::view::span::Zone;
use asked::Asked;
use keys::Pressed;
use overlay::Overlay;
use pages::{Page, Preview};
use shown::Toast;

pub use flags::{Acting, Colour, Flags, Leaving};
pub use shown::Pane;

/// How long a removal can be taken back.
const UNDO: Duration = Duration::from_secs(30);

/// How long keys that may go on are waited for before it is shown how.
const WHICH_KEY: Duration = Duration::from_millis(400);

/// See the module.
#[derive(Debug)]
pub struct App {
    flags: Flags,
    loaded: Loaded,
    styles: Styles,
    /// The time of the turn.
    now: Now,
    /// The zone that was set for this console.
    zone: Option<Zone>,
    /// What output may differ in where children that came to the same are put together.
    ignored: Ignored,
    /// How output is shown when it is opened.
    output: super::output::Settings,
    /// What this turn came to.
    actions: Vec<Action>,
    model: Model,
    tree: Tree,
    columns: Vec<Column>,
    /// The columns of the settings, when they were last read.
    usual_columns: Vec<Column>,
    /// What the next console is to begin with.
    remembered: Remembered,
    hosts: Hosts,
    queries: List<String>,
    events: Events,
    past: past::Past,
    /// By the number of each, newest first.
    events_list: List<usize>,
    screen: Screen,
    pane: Pane,
    zoomed: Zoom,
    /// What was drilled into, outermost first.
    pages: Vec<Page>,
    preview: Option<Preview>,
    overlay: Option<Overlay>,
    bar: Option<Bar>,
    /// The filter that was in force when the bar was opened to change it.
    filter_before: Option<super::filter::Filter>,
    history: super::bar::History,
    wants: wants::Wants,
    /// How many views there have been, to name the next.
    views: u64,
    toast: Option<Toast>,
    pressed: Pressed,
    coming: coming::Coming,
    awaited: Option<awaiting::Awaited>,
    earlier: earlier::LookedUp,
    asked: Asked,
    removing: Vec<Removing>,
    watched: BTreeSet<u64>,
    engine: Engine,
    picture: Picture,
    mouse: Mouse,
    focus: Focus,
    size: (u16, u16),
    title: String,
    /// The last command line, to be done again.
    last_line: Option<String>,
    quitting: Quitting,
    /// Whether rows have to be computed anew.
    stale: bool,
}

/// Jobs that will be removed unless that is taken back.
#[derive(Clone, Debug)]
struct Removing {
    jobs: Vec<u64>,
    until: Duration,
    line: String,
}

/// Whether the engine can be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Engine {
    /// Nothing has been heard yet.
    Awaited,
    Heard,
    Lost(String),
}

/// Whether the picture goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picture {
    Live,
    /// Since, in milliseconds since the epoch.
    Still(i64),
}

/// Whether one pane has the whole screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zoom {
    No,
    Yes,
}

/// Whether the console is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quitting {
    No,
    /// Once nothing runs any more.
    WhenStopped,
    /// Once removals that were not taken back are done.
    WhenRemoved,
}

impl App {
    pub fn new(
        flags: Flags,
        loaded: Loaded,
        size: (u16, u16),
        history: super::bar::History,
        remembered: Remembered,
    ) -> Self {
        let styles = Styles::new(loaded.theme(flags.colour));
        let mouse = if loaded.settings.console.mouse {
            Mouse::Console
        } else {
            Mouse::Terminal
        };
        let mut app = Self {
            flags,
            styles,
            now: Now::default(),
            zone: None,
            ignored: Ignored::NOTHING,
            output: super::output::Settings::default(),
            actions: Vec::new(),
            model: Model::default(),
            tree: Tree::default(),
            columns: Vec::new(),
            usual_columns: Vec::new(),
            remembered: Remembered::default(),
            hosts: Hosts::default(),
            queries: List::default(),
            events: Events::default(),
            past: past::Past::default(),
            events_list: List::default(),
            screen: Screen::Jobs,
            pane: Pane::List,
            zoomed: Zoom::No,
            pages: Vec::new(),
            preview: None,
            overlay: None,
            bar: None,
            filter_before: None,
            history,
            wants: wants::Wants::default(),
            views: 0,
            toast: None,
            pressed: Pressed::default(),
            coming: coming::Coming::default(),
            awaited: None,
            earlier: earlier::LookedUp::default(),
            asked: Asked::default(),
            removing: Vec::new(),
            watched: BTreeSet::new(),
            engine: Engine::Awaited,
            picture: Picture::Live,
            mouse,
            focus: Focus::Here,
            size,
            title: String::new(),
            last_line: None,
            quitting: Quitting::No,
            stale: true,
            loaded,
        };
        app.take_configuration();
        app.begin_as_left(remembered);
        app
    }

    /// What is to be done at the very beginning.
    pub fn begin(&mut self, now: Now) -> Vec<Action> {
        self.take_time(now);
        self.ask_for_the_past();
        self.ask_for_questions();
        std::mem::take(&mut self.actions)
    }

    /// Takes an event in, and says what is to be done.
    pub fn update(&mut self, now: Now, event: Event) -> Vec<Action> {
        self.take_time(now);
        match event {
            Event::Key(key) => self.key(key),
            Event::Paste(text) => self.paste(&text),
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Resize(columns, rows) => self.size = (columns, rows),
            Event::Focus(focus) => self.focus = focus,
            Event::Watched(watched) => {
                self.watched_all(watched);
                self.ask_anew();
            }
            Event::Children(job, watched) => {
                self.watched_children(job, watched);
                self.ask_anew();
            }
            Event::Answer(ticket, answer) => self.answer(ticket, answer),
            Event::Received(ticket, handed) => self.received(ticket, handed),
            Event::Ran(ticket, ran) => self.ran(ticket, &ran),
            Event::Planned(ticket, planned) => self.job_planned(ticket, planned),
            Event::Done(ticket, done) => self.done(ticket, done),
            Event::Gathered(ticket, gathered) => self.gathered(ticket, gathered),
            Event::Arranged(ticket, arranged) => self.arranged(ticket, *arranged),
            Event::Compared(ticket, document) => self.compared(ticket, document),
            Event::Expanded(ticket, hosts) => self.expanded(ticket, hosts),
            Event::Fetched(ticket, text) => {
                self.asked.take(ticket);
                self.copy_text(text);
            }
            Event::Notice(notice) => self.complain(notice),
            Event::Reloaded(read) => self.reloaded(read),
            Event::Tick => {}
        }
        self.open_what_is_awaited();
        if self.overlay.is_some() || self.bar.is_some() {
            // Keys that came before a question are no beginning of what is typed after it.
            self.pressed = Pressed::default();
        }
        self.stale = true;
        self.expire();
        self.remember();
        std::mem::take(&mut self.actions)
    }

    /// Brings rows up to what is known, and asks for what the picture lacks.
    pub fn prepare(&mut self, now: Now) -> Vec<Action> {
        self.take_time(now);
        self.expire();
        if self.stale {
            self.stale = false;
            self.lay_out();
            self.rows_are_shown();
            self.dialog_is_shown();
            self.events_list.set((0..self.events.len()).collect());
        }
        self.want();
        std::mem::take(&mut self.actions)
    }

    /// When something is due without any event: a toast goes, a clock moves on.  `None` if nothing is.
    pub fn wake(&self) -> Option<Duration> {
        let second = Duration::from_secs(self.now.mono.as_secs() + 1);
        let ticking = self.is_ticking();
        let times = [
            ticking.then_some(second),
            self.toast.as_ref().and_then(Toast::until),
            self.pressed.shown_at(),
            self.removing.iter().map(|removing| removing.until).min(),
            self.wants_at(),
            self.moves_at(),
        ];
        // What has come already has been seen to.
        let to_come = times
            .into_iter()
            .flatten()
            .filter(|time| *time > self.now.mono);
        to_come.min()
    }

    /// Whether times on the screen go on by themselves.  Where nothing runs nobody is woken for them.
    fn is_ticking(&self) -> bool {
        self.picture == Picture::Live && self.model.is_live()
    }

    /// The console is told to end from outside: what is still to be done is done, and nothing is asked.
    pub fn leave(&mut self, now: Now) -> Vec<Action> {
        self.take_time(now);
        self.leave_now();
        std::mem::take(&mut self.actions)
    }

    fn watched_all(&mut self, watched: Watched) {
        match watched {
            Watched::Lost(why) => {
                self.model.lost();
                self.engine = Engine::Lost(why);
            }
            Watched::Listed(_) | Watched::News(_) if self.picture != Picture::Live => {}
            Watched::Listed(jobs) => {
                let first = self.engine == Engine::Awaited;
                let complete = jobs.last;
                let changes = self.model.listed(self.now, jobs);
                if complete {
                    let before = std::mem::replace(&mut self.engine, Engine::Heard);
                    if matches!(before, Engine::Lost(_)) {
                        self.ask_views_again();
                        self.say("the daemon is there again");
                    }
                }
                if first {
                    self.open_at_first();
                    if complete {
                        self.past_listed();
                    }
                } else {
                    self.tell(&changes);
                }
            }
            Watched::News(news) => {
                let questions = news.questions.clone();
                let changes = self.model.news(self.now, news);
                if let Some(questions) = questions {
                    self.questions(questions);
                }
                self.tell(&changes);
            }
        }
    }

    fn watched_children(&mut self, job: u64, watched: Watched) {
        match watched {
            // The watch of all jobs says so, too.
            Watched::Lost(_) => {}
            Watched::Listed(_) | Watched::News(_) if self.picture != Picture::Live => {}
            // It may be ahead of the watch of all jobs, which then has nothing new to tell.
            Watched::Listed(jobs) => {
                let changes = self.model.children_listed(self.now, job, jobs);
                self.tell(&changes);
            }
            Watched::News(news) => {
                for child in &news.children {
                    self.output_grew(child);
                }
                let changes = self.model.children_news(self.now, news);
                self.tell(&changes);
            }
        }
    }

    /// Jobs that the settings want open are opened once everything is listed.
    fn open_at_first(&mut self) {
        let jobs: Vec<u64> = self
            .model
            .jobs()
            .filter(|entry| self.loaded.settings.console.open.contains(&entry.job.state))
            .map(|entry| entry.job.id)
            .collect();
        for job in jobs {
            self.tree.open(job);
        }
    }

    /// What has run out: toasts, and the time to take removals back.
    fn expire(&mut self) {
        if self
            .toast
            .as_ref()
            .and_then(Toast::until)
            .is_some_and(|until| until <= self.now.mono)
        {
            self.toast = None;
        }
        self.say_what_is_left_for();
        let due: Vec<Removing> = {
            let now = self.now.mono;
            let (due, left) = self
                .removing
                .drain(..)
                .partition(|removing| removing.until <= now);
            self.removing = left;
            due
        };
        for removing in due {
            self.remove_now(&removing);
        }
    }

    fn hide_what_is_being_removed(&mut self) {
        let hidden = self
            .removing
            .iter()
            .flat_map(|removing| removing.jobs.iter().copied());
        self.tree.hide(hidden.collect());
    }
}
