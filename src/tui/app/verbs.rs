//! Verbs of the shell, typed into the bar or bound to a key: the same words, the same meaning.
//!
//! Verbs that only print are carried out by this very program, and what it says is shown.

use super::App;
use super::asked::{Purpose, Silence};
use super::asking::With;
use super::deeds::{Deed, Then, capped};
use super::overlay::{Answer, Overlay};
use super::{Acting, Removing};
use crate::command::query::QueryRun;
use crate::command::{Daemon, DaemonAction, Global, Receive, Run, Verb};
use crate::core::fleet::Command;
use crate::core::ladder::Force;
use crate::core::receive::Mode;
use crate::core::select::Selector;
use crate::core::spec::{Asking, Motion};
use crate::plan::request as asks;
use crate::secret::Environment;
use crate::tui::dialog::Dialog;
use crate::tui::event::{Action, Planned, Wished};
use crate::tui::output::document::Child;
use crate::view::count::{Noun, counted};
use crate::wire::Request;
use crate::wire::request;

impl App {
    /// Carries out a verb.  `words` are what was typed, complete with the selection.
    pub(super) fn verb(&mut self, verb: Verb, global: Global, words: Vec<String>) {
        let line = crate::command::line::shown(&words);
        if verb.acts() && self.flags.acting == Acting::ReadOnly {
            let word = words.first().cloned().unwrap_or_default();
            return self.say(format!("read-only: {word} is switched off"));
        }
        match verb {
            Verb::Run(Run { begin, .. }) | Verb::Query(QueryRun { begin, .. }) if begin.dry_run => {
                self.program(words);
            }
            // Rows are for the program to show.
            Verb::Query(args) if args.rows.is_asked() => self.program(words),
            Verb::Run(run) if run.together.fold => {
                self.say("run it without --fold: here = puts equal results together, and `set ignore` says what may differ");
            }
            Verb::Run(run) => {
                let then = Then::of(run.begin);
                self.run(line, then, Wished::Run(Box::new(run)), global);
            }
            Verb::Query(args) => match self.loaded.query(&args.query).cloned() {
                Some(query) => {
                    let then = Then::of_query(args.begin, &query);
                    let wished = Wished::Query(Box::new(args), Box::new(query));
                    self.run(line, then, wished, global);
                }
                None => self.say(format!("there is no query {:?}; 3 lists them, and F5 reads new ones", args.query)),
            },
            Verb::Stop(stop) => {
                let select = stop.pick.select.clone();
                self.select(line, select, With::Stop(stop));
            }
            Verb::Remove(remove) => {
                let select = remove.pick.select.clone();
                self.select(line, select, With::Remove(remove));
            }
            Verb::Rerun(rerun) => {
                let select = rerun.pick.select.clone();
                let asking = if global.batch {
                    Asking::Never
                } else {
                    self.flags.asking
                };
                self.select(line, select, With::Rerun(rerun, asking));
            }
            Verb::Receive(receive) => self.receive(line, words, &receive),
            Verb::Throttle(throttle) => {
                let request = asks::throttle(&throttle);
                self.do_it(deed(line, "throttle"), request);
            }
            Verb::Pause(pick) => self.do_it(deed(line, "pause"), asks::pause(&pick)),
            Verb::Suspend(pick) => {
                let request = asks::set_in_motion(&pick, Motion::Suspend);
                self.do_it(deed(line, "suspend"), request);
            }
            Verb::Resume(pick) => {
                let request = asks::set_in_motion(&pick, Motion::Resume);
                self.do_it(deed(line, "resume"), request);
            }
            Verb::Pin(pin) => {
                let request = asks::pin(&pin);
                self.do_it(deed(line, "pin"), request);
            }
            Verb::Reconnect(pick) => {
                let request = asks::reconnect(&pick);
                self.do_it(deed(line, "reconnect"), request);
            }
            Verb::Console(_) => self.say("this is the console"),
            // Without being asked: what the shell's verb does, by the shell's verb.
            Verb::Answer(answer) if answer.refuse || global.yes => self.program(words),
            Verb::Answer(answer) if answer.select.is_empty() => self.answer_next(),
            Verb::Answer(answer) => self.select(line, answer.select, With::Answer),
            Verb::Demo(_) => self.say("demo is a console of its own: leave this one first"),
            Verb::Grep(_) => self.program_or(words, Silence::NothingMatches),
            Verb::Daemon(Daemon {
                action: DaemonAction::Stop { .. },
            }) => self.say("the console needs the daemon and would start it again: leave with q, then `regatta daemon stop`"),
            Verb::Daemon(_)
            | Verb::Jobs(_)
            | Verb::Wait(_)
            | Verb::History(_)
            | Verb::Hosts(_)
            | Verb::Connections(_)
            | Verb::Audit(_)
            | Verb::Doctor
            | Verb::Completions { .. }
            | Verb::Man
            | Verb::Tail(_)
            | Verb::Fold(_)
            | Verb::Rows(_)
            | Verb::Diff(_)
            | Verb::Sql(_)
            | Verb::Queries(_)
            | Verb::Keys(_)
            | Verb::Themes(_)
            | Verb::Config(_) => self.program(words),
        }
    }

    /// Has this very program do it, and shows what it says.
    fn program(&mut self, words: Vec<String>) {
        self.program_or(words, Silence::Done);
    }

    fn program_or(&mut self, words: Vec<String>, silence: Silence) {
        let title = crate::command::line::shown(&words);
        self.say(format!(
            "{title}: at work; esc does not wait for what it says"
        ));
        let ticket = self.asked.ticket(Purpose::Program { title, silence });
        self.actions.push(Action::Program(ticket, words));
    }

    fn run(&mut self, line: String, then: Then, wished: Wished, global: Global) {
        let deed = Deed {
            line,
            verb: "run",
            then,
        };
        let ticket = self.asked.ticket(Purpose::Deed(deed));
        self.actions
            .push(Action::Plan(ticket, wished, Box::new(global)));
    }

    /// A job's hosts are known: it is begun, or asked about first if they are many.
    pub(super) fn planned(&mut self, deed: Deed, planned: Planned) {
        for note in &planned.notes {
            self.complain(note.clone());
        }
        let Planned { spec, secrets, .. } = planned;
        let count = spec.hosts.len();
        let quiet = spec.ask_above.quiet(self.loaded.settings.confirm_above);
        let hosts = counted(count, Noun::Host);
        let text = vec![
            spec.payload.title().to_string(),
            String::new(),
            format!("This runs on {hosts}: {}.", spec.targets),
        ];
        let request = Request::Submit {
            spec: Box::new(spec),
            environment: Environment::default(),
            secrets,
        };
        if count <= quiet {
            return self.do_it(deed, request);
        }
        let then = Answer::Do(deed, Box::new(request));
        let dialog = Dialog::yes_no(
            format!("Run on {hosts}?"),
            text,
            format!("run on {count}"),
            then,
        );
        self.overlay = Some(Overlay::Dialog(dialog));
    }

    /// The time to take it back is over.
    pub(super) fn remove_now(&mut self, removing: &Removing) {
        let select = removing.jobs.iter().map(|id| Selector::new(id.to_string()));
        let request = Request::Command(Command::Remove {
            select: select.collect(),
            force: Force::FinalOnly,
        });
        self.do_it(deed(removing.line.clone(), "remove"), request);
    }

    fn receive(&mut self, line: String, words: Vec<String>, args: &Receive) {
        // Into files and pipes: what the shell's verb does, by the shell's verb.
        let elsewhere = args.output.is_some()
            || args.outdir.is_some()
            || args.ndjson
            || args.headers
            || args.no_prefix
            || args.together.fold
            || args.remove
            || args.wait
            || args.host.is_some();
        if elsewhere {
            return self.program(words);
        }
        let receive = asks::receive(args, None);
        let select = receive.select.clone();
        match receive.mode {
            Mode::Drain => self.select(line, select, With::Receive(receive)),
            Mode::Keep | Mode::All => self.select(line, select, With::Look),
        }
    }

    pub(super) fn hand_over(
        &mut self,
        line: String,
        receive: request::Receive,
        jobs: &[crate::wire::JobView],
        members: Vec<Child>,
    ) {
        let deed = deed(line, "receive");
        let ticket = self.asked.ticket(Purpose::Deed(deed));
        self.actions
            .push(Action::Receive(ticket, Box::new(receive)));
        self.open_members(jobs, members);
    }

    /// Takes the last removal back.
    pub(super) fn undo(&mut self) {
        match self.removing.pop() {
            Some(removing) => {
                let ids: Vec<String> = removing.jobs.iter().map(ToString::to_string).collect();
                self.say(format!("not removed: {}", capped(&ids)));
            }
            None => self.say("nothing to undo: only removals can be taken back, for 30 s"),
        }
    }
}

pub(super) fn deed(line: String, verb: &'static str) -> Deed {
    Deed {
        line,
        verb,
        then: Then::Nothing,
    }
}
