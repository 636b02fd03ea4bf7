//! `[console]` and `[confirm]`: how the console looks and behaves, and what it asks about.

use std::time::Duration;

use toml::Spanned;

use super::written::{WrittenConfirm, WrittenConsole};
use super::{SettingsError, Source};
use crate::command::console::Column;
use crate::command::set::Notify;
use crate::config::theme;
use crate::core::state::State;

/// How the console looks and behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// The theme's name; whether there is one is found out where it is loaded.
    pub theme: String,
    /// Whether the mouse works from the start.
    pub mouse: bool,
    pub ascii: Ascii,
    /// Whether times are shown in UTC.
    pub utc: bool,
    /// The columns of the tree, in order.
    pub columns: Vec<Column>,
    /// Jobs in these states show their children from the start.
    pub open: Vec<State>,
    pub notify: Notify,
    /// Jobs that took less time are not told of.
    pub notify_after: Duration,
    /// For sh, when a job has ended.
    pub notify_command: Option<String>,
}

/// Whether the console draws with ASCII only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ascii {
    /// Where the locale is not UTF-8.
    Auto,
    Always,
    Never,
}

/// Something the console can ask about before it does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Stop,
    Kill,
    /// Removing what still runs.
    Remove,
    /// Leaving while something runs.
    Quit,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm(Vec<Asked>);

impl Confirm {
    pub fn asks(&self, what: Asked) -> bool {
        self.0.contains(&what)
    }

    /// Everything, unless it is said otherwise.
    pub(super) fn read(written: &WrittenConfirm) -> Self {
        let all = [
            (Asked::Stop, written.stop),
            (Asked::Kill, written.kill),
            (Asked::Remove, written.remove),
            (Asked::Quit, written.quit),
        ];
        let asked = all.into_iter().filter(|(_, said)| said.unwrap_or(true));
        Self(asked.map(|(what, _)| what).collect())
    }
}

const ASCII: [(&str, Ascii); 3] = [
    ("auto", Ascii::Auto),
    ("always", Ascii::Always),
    ("never", Ascii::Never),
];

const NOTIFY: [(&str, Notify); 5] = [
    ("auto", Notify::Auto),
    ("bell", Notify::Bell),
    ("osc9", Notify::Osc9),
    ("osc777", Notify::Osc777),
    ("off", Notify::Off),
];

/// Jobs that may need a look.
const OPEN: [State; 4] = [
    State::Running,
    State::Blocked,
    State::Disconnected,
    State::Failed,
];

impl Console {
    pub(super) fn read(source: Source<'_>, written: WrittenConsole) -> Result<Self, SettingsError> {
        Ok(Self {
            theme: written.theme.unwrap_or_else(|| theme::DEFAULT.to_string()),
            mouse: written.mouse.unwrap_or(false),
            ascii: written.ascii.map_or(Ok(Ascii::Auto), |word| {
                source.word("console.ascii", &word, &ASCII)
            })?,
            utc: written.utc.unwrap_or(false),
            columns: written
                .columns
                .map_or(Ok(Column::USUAL.to_vec()), |words| columns(source, &words))?,
            open: written
                .open
                .map_or(Ok(OPEN.to_vec()), |words| states(source, &words))?,
            notify: written.notify.map_or(Ok(Notify::Auto), |word| {
                source.word("console.notify", &word, &NOTIFY)
            })?,
            notify_after: source
                .time("console.notify_after", written.notify_after)?
                .unwrap_or(Duration::from_secs(10)),
            notify_command: written.notify_command,
        })
    }
}

fn columns(
    source: Source<'_>,
    words: &Spanned<Vec<Spanned<String>>>,
) -> Result<Vec<Column>, SettingsError> {
    const KEY: &str = "console.columns";
    let known = Column::ALL.map(|column| (column.word(), column));
    let mut columns = Vec::new();
    for word in words.get_ref() {
        let column = source.word(KEY, word, &known)?;
        if columns.contains(&column) {
            return Err(source.wrong_value(
                KEY,
                word,
                &format!("{:?} is there twice", column.word()),
            ));
        }
        columns.push(column);
    }
    if columns.contains(&Column::Name) {
        Ok(columns)
    } else {
        let line = super::place::line(source.text, &words.span());
        Err(source.wrong(format!(
            "line {line}: {KEY}: without \"name\" nobody could tell the rows apart"
        )))
    }
}

fn states(source: Source<'_>, words: &[Spanned<String>]) -> Result<Vec<State>, SettingsError> {
    let known = State::ALL.map(|state| (state.word(), state));
    words
        .iter()
        .map(|word| source.word("console.open", word, &known))
        .collect()
}
