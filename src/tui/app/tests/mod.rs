//! Whole sessions: keys and news go in, what the console wants done and what is on the screen come out.

mod ahead;
mod answering;
mod anything;
mod engine;
mod lists;
mod pictures;
mod sessions;
mod tables;

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use self::engine::{EPOCH, Engine};
use super::{Acting, App, Colour, Flags, Leaving};
use crate::config::inventory::Inventory;
use crate::config::keys::{Code, Held, Key};
use crate::core::fleet::Command;
use crate::core::ladder::{Force, Rigour};
use crate::core::select::Selector;
use crate::core::spec::Asking;
use crate::tui::bar::History;
use crate::tui::config::Loaded;
use crate::tui::event::{Action, Event, Now, Wished};
use crate::tui::remembered::Remembered;
use crate::tui::view::Glyphs;
use crate::view::span::Zone;
use crate::wire::Request;

/// The computers there are.
const INVENTORY: &str =
    "[hosts]\n\"web[01-04]\" = {}\n\"db[1-2]\" = {}\n[groups]\nweb = \"web[01-04]\"\n";

const FLAGS: Flags = Flags {
    acting: Acting::Allowed,
    colour: Colour::Allowed,
    glyphs: Glyphs::BOXES,
    name: "regatta",
    leaving: Leaving::Detaches,
    asking: Asking::Allowed,
};

/// A console with an engine behind it, at a time that passes only when it is told to.
struct Session {
    app: App,
    engine: Engine,
    now: Now,
    /// Everything the console wanted done.
    actions: Vec<Action>,
}

impl Session {
    fn new(engine: Engine) -> Self {
        Self::with(FLAGS, (160, 50), engine)
    }

    fn with(flags: Flags, size: (u16, u16), engine: Engine) -> Self {
        Self::as_left(flags, size, engine, Remembered::default())
    }

    /// A console that begins as one was left.
    fn as_left(flags: Flags, size: (u16, u16), engine: Engine, remembered: Remembered) -> Self {
        let inventory = Inventory::parse(INVENTORY, "inventory.toml").expect("an inventory");
        let app = App::new(
            flags,
            Loaded::built_in(&inventory),
            size,
            History::default(),
            remembered,
        );
        let now = Now {
            mono: Duration::from_secs(100),
            wall: EPOCH + 100_000,
            zone: Zone::Utc,
        };
        let mut session = Self {
            app,
            engine,
            now,
            actions: Vec::new(),
        };
        let first = session.app.begin(now);
        let listed = session.engine.listed();
        session.play(first, vec![listed]);
        // What is open from the start is asked for when the first picture is drawn.
        session.event(Event::Tick);
        session
    }

    fn event(&mut self, event: Event) {
        self.play(Vec::new(), vec![event]);
    }

    /// Goes on until nobody has anything to say: every action is answered at once.
    fn play(&mut self, actions: Vec<Action>, events: Vec<Event>) {
        let mut events = VecDeque::from(events);
        self.take(actions, &mut events);
        for _ in 0..1000 {
            let actions = match events.pop_front() {
                Some(event) => self.app.update(self.now, event),
                None => self.app.prepare(self.now),
            };
            let quiet = events.is_empty() && actions.is_empty();
            self.take(actions, &mut events);
            if quiet && !self.app.stale {
                self.woken_in_time();
                return;
            }
        }
        panic!("the console is never content");
    }

    fn take(&mut self, actions: Vec<Action>, events: &mut VecDeque<Event>) {
        for action in actions {
            events.extend(self.engine.answers(&action));
            self.actions.push(action);
        }
    }

    /// A console that is woken for what is over never sleeps again.
    fn woken_in_time(&self) {
        if let Some(wake) = self.app.wake() {
            assert!(wake > self.now.mono, "woken at {wake:?}, {:?}", self.now);
        }
    }

    /// Keys as the keymap writes them; `'text'` is typed; `@7` lets seven seconds pass, and `@0.4` a part of one.
    fn keys(&mut self, script: &str) {
        let mut rest = script.trim_start();
        while !rest.is_empty() {
            let (token, after) = match rest.strip_prefix('\'') {
                Some(text) => {
                    let (text, after) = text.split_once('\'').expect("the end of what is typed");
                    text.chars()
                        .for_each(|c| self.press(KeyCode::Char(c), KeyModifiers::NONE));
                    ("", after)
                }
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            match token.strip_prefix('@') {
                Some(seconds) if !seconds.is_empty() => {
                    self.pass(Duration::from_secs_f64(seconds.parse().expect("seconds")));
                }
                _ if token.is_empty() => {}
                _ => {
                    let key = Key::parse(token).expect("a key");
                    let (code, held) = pressed(key);
                    self.press(code, held);
                }
            }
            rest = after.trim_start();
        }
    }

    fn press(&mut self, code: KeyCode, held: KeyModifiers) {
        self.event(Event::Key(KeyEvent::new(code, held)));
    }

    /// Keys that are pressed before any picture is drawn, and before anything is answered.
    fn keys_at_once(&mut self, script: &str) {
        let mut actions = Vec::new();
        for token in script.split(' ') {
            let (code, held) = pressed(Key::parse(token).expect("a key"));
            let event = Event::Key(KeyEvent::new(code, held));
            actions.extend(self.app.update(self.now, event));
        }
        self.play(actions, Vec::new());
    }

    /// Time passes; the console is woken when it wants to be.
    fn pass(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while let Some(wake) = self.app.wake().filter(|wake| *wake <= until) {
            self.now.mono = wake;
            self.event(Event::Tick);
        }
        self.now.mono = until;
        self.now.wall += time.as_millis() as i64;
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.event(Event::Resize(columns, rows));
    }

    /// Everything that was wanted done to anything but the console itself, in few words.
    fn deeds(&self) -> Vec<String> {
        self.actions.iter().filter_map(deed).collect()
    }

    fn buffer(&self) -> Buffer {
        let (columns, rows) = self.app.size;
        let mut terminal =
            Terminal::new(TestBackend::new(columns, rows)).expect("nothing can go wrong");
        terminal
            .draw(|frame| self.app.draw(frame))
            .expect("nothing can go wrong");
        terminal.backend().buffer().clone()
    }

    /// What is on the screen, without the spaces at the ends of lines.
    fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut lines = Vec::new();
        for y in 0..buffer.area.height {
            let symbols = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
            lines.push(symbols.collect::<String>().trim_end().to_string());
        }
        lines.join("\n")
    }

    /// What is said on the last line.
    fn said(&self) -> &str {
        self.app.toast.as_ref().map_or("", |toast| &toast.text)
    }
}

/// A key as a terminal sends it.
fn pressed(key: Key) -> (KeyCode, KeyModifiers) {
    let code = match key.code {
        Code::Char(c) => KeyCode::Char(c),
        Code::F(n) => KeyCode::F(n),
        Code::Enter => KeyCode::Enter,
        Code::Esc => KeyCode::Esc,
        Code::Tab => KeyCode::Tab,
        Code::Backspace => KeyCode::Backspace,
        Code::Insert => KeyCode::Insert,
        Code::Delete => KeyCode::Delete,
        Code::Home => KeyCode::Home,
        Code::End => KeyCode::End,
        Code::PageUp => KeyCode::PageUp,
        Code::PageDown => KeyCode::PageDown,
        Code::Up => KeyCode::Up,
        Code::Down => KeyCode::Down,
        Code::Left => KeyCode::Left,
        Code::Right => KeyCode::Right,
    };
    let mut held = KeyModifiers::NONE;
    let all = [
        (Held::CTRL, KeyModifiers::CONTROL),
        (Held::ALT, KeyModifiers::ALT),
        (Held::SHIFT, KeyModifiers::SHIFT),
    ];
    for (of, modifier) in all {
        held.set(modifier, key.held.has(of));
    }
    (code, held)
}

fn words(select: &[Selector]) -> String {
    let words: Vec<String> = select
        .iter()
        .map(|selector| selector.text.clone())
        .collect();
    words.join(" ")
}

/// What acts on the fleet or leaves the console, and what a program is asked to do.  Looking is nothing.
fn deed(action: &Action) -> Option<String> {
    match action {
        Action::Ask(_, request) => asked(request),
        Action::Plan(_, Wished::Run(_), _) => Some("plan run".to_string()),
        Action::Plan(_, Wished::Query(args, _), _) => Some(format!("plan query {}", args.query)),
        Action::Receive(_, receive) => Some(format!("receive {}", words(&receive.select))),
        Action::Program(_, program) if program[0] == "audit" => None,
        Action::Program(_, program) => Some(format!("program {}", program.join(" "))),
        Action::Quit => Some("quit".to_string()),
        Action::Forget(_)
        | Action::WatchAnew
        | Action::Gather(..)
        | Action::Arrange(..)
        | Action::Compare(..)
        | Action::Expand(..)
        | Action::Watch(_)
        | Action::Unwatch(_)
        | Action::Through(..)
        | Action::Save(..)
        | Action::Copy(..)
        | Action::Fetch(..)
        | Action::Notify(..)
        | Action::Hook(_)
        | Action::Title(_)
        | Action::Mouse(_)
        | Action::Remember(_)
        | Action::RememberLists(_)
        | Action::Reload
        | Action::Redraw
        | Action::Suspend => None,
    }
}

fn asked(request: &Request) -> Option<String> {
    match request {
        Request::Command(Command::Stop { select, rigour, .. }) => Some(match rigour {
            Rigour::Gentle => format!("stop {}", words(select)),
            Rigour::Kill => format!("kill {}", words(select)),
        }),
        Request::Command(Command::Remove { select, force }) => Some(match force {
            Force::FinalOnly => format!("remove {}", words(select)),
            Force::StopFirst => format!("stop and remove {}", words(select)),
        }),
        Request::Command(other) | Request::InEnvironment { command: other, .. } => {
            Some(format!("{other:?}"))
        }
        Request::Submit { spec, .. } => Some(format!("begin {}", spec.payload.title())),
        Request::Rerun { select, asking, .. } => Some(match asking {
            Asking::Allowed => format!("rerun {}", words(select)),
            Asking::Never => format!("rerun {} without asking", words(select)),
        }),
        Request::Answer { questions, answer } => Some(format!("answer {questions:?} {answer:?}")),
        Request::Receive(receive) => Some(format!("receive {}", words(&receive.select))),
        Request::Shutdown(_) => Some("shutdown".to_string()),
        Request::Disconnect(_) => Some("disconnect".to_string()),
        Request::Jobs { .. }
        | Request::History(_)
        | Request::Watch { .. }
        | Request::Questions(_)
        | Request::Look(_)
        | Request::Rows(_)
        | Request::Tails { .. }
        | Request::Search(_)
        | Request::Fold { .. }
        | Request::Hosts
        | Request::Shapes { .. }
        | Request::Connections
        | Request::Status => None,
    }
}
