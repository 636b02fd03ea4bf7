//! The console: the loop that carries it.
//!
//! One task owns everything.  It waits for signals, input, the engine's news and one deadline, in this order; gives what
//! comes to [`app::App`]; does what that wants; and draws: at once after input, at most thirty times a second otherwise,
//! never when nothing has changed.

pub mod app;
pub mod bar;
pub mod columns;
pub mod config;
pub mod dialog;
mod earlier;
pub mod event;
pub mod events;
pub mod filter;
pub mod gather;
pub mod help;
pub mod hosts;
pub mod jobs;
pub mod layout;
mod link;
pub mod list;
pub mod model;
pub mod output;
mod outward;
pub mod perform;
pub mod pick;
mod program;
pub mod questions;
mod remembered;
pub mod styles;
pub mod table;
mod term;
pub mod tree;
pub mod view;
mod whole;

use std::io;
use std::time::Duration;

use crossterm::event::EventStream;
use futures_util::StreamExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::daemon::client::Reach;
use crate::view::span::Zone;
use app::{App, Flags};
use config::{Files, Loaded};
use event::{Event, Focus, Mouse, Now};
use perform::{Hands, Next, OwnFiles};
use remembered::Remembered;
use term::Screen;

pub use program::Program;

/// Between two pictures that only news asked for.
const FRAME: Duration = Duration::from_millis(33);

/// How long news are taken in before it is looked whether a picture is due.
const DRAIN: Duration = Duration::from_millis(10);

/// What a console needs.
#[derive(Debug)]
pub struct Console {
    pub reach: Reach,
    pub flags: Flags,
    pub files: Files,
    pub loaded: Loaded,
    pub planning: perform::Planning,
    /// This very program, for the verbs that only print.
    pub program: Program,
    /// The directory in which lines of the bar are remembered, and how lists were left; if anywhere.
    pub state: Option<std::path::PathBuf>,
}

/// Runs a console until the operator leaves it.
pub async fn run(console: Console) -> io::Result<()> {
    let mouse = if console.loaded.settings.console.mouse {
        Mouse::Console
    } else {
        Mouse::Terminal
    };
    let mut signals = Signals::new()?;
    let mut screen = Screen::enter(mouse)?;
    let (link, mut inbound) = link::Link::start(console.reach);
    let own = console.state.as_deref().map(OwnFiles::within);
    let history = bar::History::load(own.as_ref().map(|own| own.history.as_path()));
    let remembered = Remembered::load(own.as_ref().map(|own| own.lists.as_path()));
    let settings = console.loaded.settings.clone();
    let utc = settings.console.utc;
    let size = screen.size()?;
    let mut app = App::new(console.flags, console.loaded, size, history, remembered);
    let mut hands = Hands::new(
        link,
        settings,
        console.files,
        console.planning,
        console.program,
        own,
    );
    let zone = if utc { Zone::Utc } else { Zone::Local };
    let clock = Clock::start(zone);
    let mut input = Input::open();
    let mut drawn = Drawn::default();
    let actions = app.begin(clock.now());
    _ = hands.perform(actions, &mut screen).await?;
    loop {
        let wake = app.wake();
        let event = tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Told::End => return end(&mut app, &mut hands, &mut screen, clock).await,
                Told::Continued => {
                    screen.take()?;
                    drawn.forget();
                    Event::Tick
                }
            },
            event = input.next() => match event {
                Some(Ok(event)) => {
                    drawn.at_once();
                    taken(event)
                }
                // The terminal is gone: so is whoever looked at it.
                Some(Err(_)) | None => return end(&mut app, &mut hands, &mut screen, clock).await,
            },
            Some(event) = inbound.recv() => event,
            () = clock.until(wake), if wake.is_some() => { drawn.at_once(); Event::Tick }
            () = clock.until(drawn.due()), if drawn.is_due() => {
                let actions = app.prepare(clock.now());
                if let Next::Leave = hands.perform(actions, &mut screen).await? {
                    return Ok(());
                }
                screen.draw(|frame| app.draw(frame))?;
                drawn.was_drawn(clock.now());
                continue;
            }
        };
        let mut actions = app.update(clock.now(), event);
        actions.extend(drain(&mut app, &mut inbound, clock));
        match hands.perform(actions, &mut screen).await? {
            Next::GoOn => {}
            Next::Leave => return Ok(()),
            // Somebody else had the terminal.
            Next::Anew => {
                // The old one goes first: while it waits for a key, it keeps a new one from being opened.
                drop(input);
                input = Input::open();
                drawn.forget();
            }
        }
        drawn.want(clock.now());
    }
}

/// Takes in what news there are, within a bound of time, so that a flood makes few pictures instead of many.
fn drain(app: &mut App, inbound: &mut mpsc::Receiver<Event>, clock: Clock) -> Vec<event::Action> {
    let mut actions = Vec::new();
    let until = clock.now().mono + DRAIN;
    while clock.now().mono < until {
        match inbound.try_recv() {
            Ok(event) => actions.extend(app.update(clock.now(), event)),
            Err(_) => break,
        }
    }
    actions
}

/// A signal ends the console: removals that were not taken back are asked for, nobody waits for their answer.
async fn end(
    app: &mut App,
    hands: &mut Hands,
    screen: &mut Screen,
    clock: Clock,
) -> io::Result<()> {
    let actions = app.leave(clock.now());
    _ = hands.perform(actions, screen).await?;
    screen.give_back()?;
    hands.settle().await;
    Ok(())
}

/// When the next picture is due.
#[derive(Debug, Default)]
struct Drawn {
    last: Option<Duration>,
    due: Option<Duration>,
    at_once: bool,
}

impl Drawn {
    /// Input is answered with the next picture, not the one after.
    fn at_once(&mut self) {
        self.at_once = true;
    }

    fn want(&mut self, now: Now) {
        let soonest = match self.last {
            Some(last) if !std::mem::take(&mut self.at_once) => last + FRAME,
            Some(_) | None => now.mono,
        };
        self.due = Some(self.due.map_or(soonest, |due| due.min(soonest)));
    }

    /// The terminal no longer shows what was drawn.
    fn forget(&mut self) {
        self.at_once = true;
    }

    fn is_due(&self) -> bool {
        self.due.is_some()
    }

    fn due(&self) -> Option<Duration> {
        self.due
    }

    fn was_drawn(&mut self, now: Now) {
        self.last = Some(now.mono);
        self.due = None;
    }
}

/// Both clocks, read in one place.
#[derive(Clone, Copy, Debug)]
struct Clock {
    start: Instant,
    zone: Zone,
}

impl Clock {
    fn start(zone: Zone) -> Self {
        Self {
            start: Instant::now(),
            zone,
        }
    }

    fn now(self) -> Now {
        Now {
            mono: self.start.elapsed(),
            wall: jiff::Timestamp::now().as_millisecond(),
            zone: self.zone,
        }
    }

    async fn until(self, at: Option<Duration>) {
        if let Some(at) = at {
            tokio::time::sleep_until(self.start + at).await;
        }
    }
}

/// What the terminal sends.  While somebody else has the terminal there is none: it would take that one's keys.
struct Input(EventStream);

impl Input {
    fn open() -> Self {
        Self(EventStream::new())
    }

    async fn next(&mut self) -> Option<io::Result<crossterm::event::Event>> {
        self.0.next().await
    }
}

/// An event of the terminal's as the console takes it.
fn taken(event: crossterm::event::Event) -> Event {
    use crossterm::event::Event as From;
    match event {
        From::Key(key) => Event::Key(key),
        From::Paste(text) => Event::Paste(text),
        From::Mouse(mouse) => Event::Mouse(mouse),
        From::Resize(columns, rows) => Event::Resize(columns, rows),
        From::FocusGained => Event::Focus(Focus::Here),
        From::FocusLost => Event::Focus(Focus::Elsewhere),
    }
}

/// Signals that mean something to the console.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    cont: Signal,
}

/// What a signal says.
enum Told {
    End,
    /// It was stopped by somebody else, and goes on.
    Continued,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            cont: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::End,
            _ = self.hangup.recv() => Told::End,
            _ = self.interrupt.recv() => Told::End,
            _ = self.cont.recv() => Told::Continued,
        }
    }
}
