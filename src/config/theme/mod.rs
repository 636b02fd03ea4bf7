//! Themes: how each [`Role`] looks.  Four are compiled in; a user's theme is a file that says what it changes of another.
//!
//! Only data: whoever paints turns a [`Style`] into what the terminal is told.  Selection, marks and focus never rest on a colour alone,
//! in whatever theme: whoever paints sees to that too.

mod role;
mod style;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

pub use role::Role;
pub use style::{Ansi, Attribute, Attributes, Colour, Style};

use super::document::{self, Document, Mistake, Origin, is_name, named_files};
use crate::command::Colour as When;

/// The theme without any setting: the terminal's own colours, for dark and for light ones.
pub const DEFAULT: &str = "dark";

/// The theme without any colour.
pub const MONO: &str = "mono";

/// The themes that are compiled in.
const BUILT_IN: [(&str, &str); 4] = [
    (DEFAULT, include_str!("../../../config/themes/dark.toml")),
    ("light", include_str!("../../../config/themes/light.toml")),
    (MONO, include_str!("../../../config/themes/mono.toml")),
    ("rich", include_str!("../../../config/themes/rich.toml")),
];

/// The user's directory of themes beside config.toml.
const DIRECTORY: &str = "themes";

/// How everything looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub name: String,
    pub origin: Origin,
    /// In the order of [`Role::ALL`].
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// The theme of this name: the user's, or else the one that is compiled in; or all that is wrong with it.
    pub fn load(name: &str, directory: Option<&Path>) -> Result<Self, Vec<Mistake>> {
        let missing = Mistake {
            origin: directory.map_or(Origin::BuiltIn, |directory| {
                Origin::File(directory.join(DIRECTORY))
            }),
            line: None,
            what: format!("there is no theme {name:?}"),
            hint: None,
        };
        Finder { directory }.find(name, missing, &mut Vec::new())
    }

    /// The default, without any file.
    pub fn built_in() -> Self {
        Self::load(DEFAULT, None).expect("the built-in themes are tested")
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles[role.index()]
    }
}

/// The names of all themes, and where each comes from.
pub fn list(directory: Option<&Path>) -> Result<Vec<(String, Origin)>, Mistake> {
    let mut themes: BTreeMap<String, Origin> = BUILT_IN
        .map(|(name, _)| (name.to_string(), Origin::BuiltIn))
        .into();
    if let Some(directory) = directory {
        for (name, path) in named_files(&directory.join(DIRECTORY))? {
            themes.insert(name, Origin::File(path));
        }
    }
    Ok(themes.into_iter().collect())
}

/// The theme to take where `named` is wanted: the one without colours where colours are not wanted.
pub fn fitting(named: &str, when: When, variable: impl Fn(&str) -> Option<OsString>) -> &str {
    // https://no-color.org: any value that is not empty.
    let without = || {
        variable("NO_COLOR").is_some_and(|value| !value.is_empty())
            || variable("TERM").is_some_and(|term| term == "dumb")
    };
    match when {
        When::Never => MONO,
        When::Auto if without() => MONO,
        When::Always | When::Auto => named,
    }
}

/// Finds themes by name.
#[derive(Clone, Copy)]
struct Finder<'a> {
    directory: Option<&'a Path>,
}

impl Finder<'_> {
    /// The theme `name`; `missing` if there is none.  `path` are the themes that are based on it, outermost first.
    fn find(
        self,
        name: &str,
        missing: Mistake,
        path: &mut Vec<String>,
    ) -> Result<Theme, Vec<Mistake>> {
        let one = |mistake| vec![mistake];
        // A theme that is based on its own name changes the one that is compiled in.
        let own = path.last().is_none_or(|last| last != name);
        if own && path.iter().any(|other| other == name) {
            let what = format!(
                "a theme is based on itself: {} -> {name}",
                path.join(" -> ")
            );
            return Err(one(Mistake { what, ..missing }));
        }
        if !is_name(name) {
            let what = format!("{name:?} cannot be the name of a theme");
            let mistake = Mistake { what, ..missing };
            return Err(one(mistake.hint("letters, digits and - _ . make one")));
        }
        if let Some(directory) = self.directory.filter(|_| own) {
            let file = directory.join(DIRECTORY).join(format!("{name}.toml"));
            if let Some(text) = document::read(&file).map_err(one)? {
                return self.read(name, &text, Origin::File(file), path);
            }
        }
        if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return self.read(name, text, Origin::BuiltIn, path);
        }
        let all = list(self.directory).map_err(one)?;
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        Err(one(missing.meant(name, names)))
    }

    /// A theme's text.  What it does not say is as in the theme it is based on.
    fn read(
        self,
        name: &str,
        text: &str,
        origin: Origin,
        path: &mut Vec<String>,
    ) -> Result<Theme, Vec<Mistake>> {
        let document = Document {
            text,
            origin: &origin,
        };
        let mut mistakes = Vec::new();
        let mut base: Option<(String, Range<usize>)> = None;
        let mut said = Vec::new();
        for entry in document.entries().map_err(|mistake| vec![mistake])? {
            let value = match document.string(&entry) {
                Ok(value) => value,
                Err(mistake) => {
                    mistakes.push(mistake);
                    continue;
                }
            };
            if entry.key == BASED_ON {
                base = Some((value, entry.value_at));
                continue;
            }
            let Some(role) = Role::ALL.into_iter().find(|role| role.word() == entry.key) else {
                let what = format!("unknown role {}", entry.key.escape_debug());
                let known = Role::ALL.map(Role::word).into_iter().chain([BASED_ON]);
                mistakes.push(
                    document
                        .mistake(&entry.key_at, what)
                        .meant(&entry.key, known),
                );
                continue;
            };
            match Style::parse(&value) {
                Ok(style) => said.push((role, style)),
                Err(no) => mistakes.push(Mistake {
                    hint: no.hint,
                    ..document.mistake(&entry.value_at, format!("{}: {}", entry.key, no.what))
                }),
            }
        }
        let mut styles = match (base, &origin) {
            (None, Origin::BuiltIn) => [Style::default(); Role::ALL.len()],
            (base, _) => {
                let (base, at) = base.unwrap_or_else(|| (DEFAULT.to_string(), 0..0));
                let missing =
                    document.mistake(&at, format!("{BASED_ON}: there is no theme {base:?}"));
                path.push(name.to_string());
                match self.find(&base, missing, path) {
                    Ok(base) => base.styles,
                    Err(more) => {
                        mistakes.extend(more);
                        return Err(mistakes);
                    }
                }
            }
        };
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        for (role, style) in said {
            styles[role.index()] = style;
        }
        Ok(Theme {
            name: name.to_string(),
            origin,
            styles,
        })
    }
}

/// The key that names the theme which a theme changes.
const BASED_ON: &str = "based_on";

#[cfg(test)]
mod tests;
