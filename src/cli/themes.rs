//! `themes`: which there are, and how one looks.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::context::{Context, config_directory};
use super::error::{CliError, Exit};
use crate::command::configure::Themes;
use crate::config::Origin;
use crate::config::theme::{self, Ansi, Attribute, Colour, Role, Style, Theme};
use crate::view::table::{Align, Table};

pub(super) fn themes(context: &Context, args: &Themes) -> Result<Exit, CliError> {
    match &args.name {
        Some(name) => one(context, name),
        None => list(context),
    }
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let all = theme::list(config_directory().as_deref()).map_err(|mistake| vec![mistake])?;
    let wanted = &context.settings.console.theme;
    let used = theme::fitting(wanted, context.global.color, |name| std::env::var_os(name));
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let one = |(name, origin): &(String, Origin)| json!({"name": name, "origin": origin.to_string(), "used": name == used});
        let value: Value = all.iter().map(one).collect();
        context.terminal.json(&mut out, &value)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("USED", Align::Left),
        ("NAME", Align::Left),
        ("FROM", Align::Left),
    ]);
    for (name, origin) in &all {
        let mark = if name == used { "*" } else { "" };
        table.push(&[mark.to_string(), name.clone(), origin.to_string()]);
    }
    for line in table.lines(context.terminal.width()) {
        writeln!(out, "{line}")?;
    }
    Ok(Exit::Done)
}

/// Each role in its style, and the style in words.
fn one(context: &Context, name: &str) -> Result<Exit, CliError> {
    let theme = Theme::load(name, config_directory().as_deref())?;
    let mut out = std::io::stdout().lock();
    if context.global.json {
        let role = |role: Role| {
            let style = theme.style(role).to_string();
            (role.word().to_string(), Value::from(style))
        };
        let roles: Map<String, Value> = Role::ALL.into_iter().map(role).collect();
        let value = json!({
            "name": theme.name,
            "origin": theme.origin.to_string(),
            "roles": roles,
        });
        context.terminal.json(&mut out, &value)?;
        return Ok(Exit::Done);
    }
    let widest = Role::ALL.iter().map(|role| role.word().len()).max();
    let widest = widest.unwrap_or_default();
    for role in Role::ALL {
        let style = theme.style(role);
        let (word, pad) = (role.word(), widest - role.word().len());
        if context.terminal.colour {
            let painted = painted(style);
            write!(out, "{painted}{word}{painted:#}")?;
        } else {
            write!(out, "{word}")?;
        }
        writeln!(out, "{:pad$}  {style}", "")?;
    }
    Ok(Exit::Done)
}

/// A style as escape sequences.
fn painted(style: Style) -> anstyle::Style {
    let effect = |attribute| match attribute {
        Attribute::Bold => anstyle::Effects::BOLD,
        Attribute::Dim => anstyle::Effects::DIMMED,
        Attribute::Italic => anstyle::Effects::ITALIC,
        Attribute::Underline => anstyle::Effects::UNDERLINE,
        Attribute::Reverse => anstyle::Effects::INVERT,
    };
    let effects = style.attributes.iter().map(effect);
    anstyle::Style::new()
        .fg_color(style.fg.map(colour))
        .bg_color(style.bg.map(colour))
        .effects(effects.fold(anstyle::Effects::new(), anstyle::Effects::insert))
}

fn colour(colour: Colour) -> anstyle::Color {
    match colour {
        Colour::Ansi(ansi) => anstyle::Color::Ansi(match ansi {
            Ansi::Black => anstyle::AnsiColor::Black,
            Ansi::Red => anstyle::AnsiColor::Red,
            Ansi::Green => anstyle::AnsiColor::Green,
            Ansi::Yellow => anstyle::AnsiColor::Yellow,
            Ansi::Blue => anstyle::AnsiColor::Blue,
            Ansi::Magenta => anstyle::AnsiColor::Magenta,
            Ansi::Cyan => anstyle::AnsiColor::Cyan,
            Ansi::White => anstyle::AnsiColor::White,
            Ansi::BrightBlack => anstyle::AnsiColor::BrightBlack,
            Ansi::BrightRed => anstyle::AnsiColor::BrightRed,
            Ansi::BrightGreen => anstyle::AnsiColor::BrightGreen,
            Ansi::BrightYellow => anstyle::AnsiColor::BrightYellow,
            Ansi::BrightBlue => anstyle::AnsiColor::BrightBlue,
            Ansi::BrightMagenta => anstyle::AnsiColor::BrightMagenta,
            Ansi::BrightCyan => anstyle::AnsiColor::BrightCyan,
            Ansi::BrightWhite => anstyle::AnsiColor::BrightWhite,
        }),
        Colour::Indexed(number) => anstyle::Ansi256Color(number).into(),
        Colour::Rgb(red, green, blue) => anstyle::RgbColor(red, green, blue).into(),
    }
}
