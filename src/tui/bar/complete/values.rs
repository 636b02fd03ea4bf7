//! Candidates for values: hosts and groups within an expression, jobs and their children, states, files, choices.

use clap::Arg;

use super::{Found, Kind, Takes};
use crate::core::state::State;
use crate::tui::bar::names::{Is, JobName, Named, Names};
use crate::view::count::{Noun, counted};

/// Candidates for the end of a value.
pub(super) struct Values<'a> {
    pub(super) found: Found<'a>,
    pub(super) title: &'static str,
    /// Where in the value they go.
    pub(super) from: usize,
}

/// What `typed` of an argument's value could become.
pub(super) fn of<'a>(takes: Takes, arg: &Arg, typed: &'a str, names: &Names) -> Values<'a> {
    match takes {
        Takes::Choice => choices(arg, typed),
        Takes::Targets => targets(typed, names),
        Takes::Jobs => whole("jobs", typed, |found| jobs(found, names)),
        Takes::States => states(typed),
        Takes::Files => whole("files", typed, |found| files(found, names)),
        Takes::Queries => named("queries", typed, &names.queries, Kind::Query),
        Takes::Themes => named("themes", typed, &names.themes, Kind::Theme),
        Takes::Columns => named("columns", typed, &names.columns, Kind::Column),
        Takes::Free => whole("", typed, |_| {}),
    }
}

fn whole<'a>(title: &'static str, typed: &'a str, fill: impl FnOnce(&mut Found<'a>)) -> Values<'a> {
    let mut found = Found::new(typed);
    fill(&mut found);
    Values {
        found,
        title,
        from: 0,
    }
}

fn named<'a>(title: &'static str, typed: &'a str, names: &[Named], kind: Kind) -> Values<'a> {
    whole(title, typed, |found| {
        for named in names {
            found.add(&named.name, named.doc.as_str(), kind);
        }
    })
}

fn choices<'a>(arg: &Arg, typed: &'a str) -> Values<'a> {
    let from = match arg.get_value_delimiter() {
        Some(between) => typed.rfind(between).map_or(0, |at| at + between.len_utf8()),
        None => 0,
    };
    let chosen = whole("values", &typed[from..], |found| {
        for value in arg.get_possible_values() {
            let doc = value.get_help().map(ToString::to_string);
            found.add(value.get_name(), doc.unwrap_or_default(), Kind::Choice);
        }
        // Some have only the name of their value to say it: `out|err`.
        let names = arg.get_value_names().into_iter().flatten();
        for choice in names
            .filter(|name| name.contains('|'))
            .flat_map(|name| name.split('|'))
        {
            found.add(choice, "", Kind::Choice);
        }
    });
    Values { from, ..chosen }
}

fn states(typed: &str) -> Values<'_> {
    let from = typed.rfind(',').map_or(0, |comma| comma + 1);
    let mut found = Found::new(&typed[from..]);
    for state in State::ALL {
        if begins(state.word(), found.typed) {
            found.add_anyway(state.word(), "", Kind::State);
        }
    }
    Values {
        found,
        title: "states",
        from,
    }
}

/// In whatever case.
fn begins(word: &str, typed: &str) -> bool {
    word.get(..typed.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(typed))
}

/// Hosts and groups, behind the last operator of the expression.
fn targets<'a>(typed: &'a str, names: &Names) -> Values<'a> {
    let operator = |c: char| matches!(c, ',' | '!' | '&' | '^') || c.is_whitespace();
    let open = typed.rfind('[') > typed.rfind(']');
    let from = typed.rfind(operator).map_or(0, |at| {
        at + typed[at..].chars().next().map_or(0, char::len_utf8)
    });
    let title = "targets";
    let term = &typed[from..];
    let mut found = Found::new(term);
    if open {
        return Values { found, title, from };
    }
    // `^` is a file where nothing stands before it, and an operator elsewhere.
    let ahead = typed[..from].strip_suffix('^').map(str::trim_end);
    if ahead.is_some_and(|ahead| ahead.is_empty() || ahead.ends_with(',')) {
        files(&mut found, names);
        return Values {
            found,
            title: "files",
            from,
        };
    }
    if term.is_empty() || term.starts_with('@') {
        let name = term.strip_prefix('@').unwrap_or_default();
        found.add_sorted(
            names.known.group_names(),
            |(group, _)| group.as_str(),
            |(group, count)| (format!("@{group}"), counted(*count, Noun::Host)),
            name,
            Kind::Group,
        );
        found.add("@*", "all known hosts", Kind::Group);
    }
    if !term.starts_with('@') {
        found.add_sorted(
            names.known.hosts(),
            String::as_str,
            |host| (host.clone(), String::new()),
            term,
            Kind::Host,
        );
    }
    Values { found, title, from }
}

/// Jobs by id and name; behind a dot, the hosts and states of that job's children.
fn jobs(found: &mut Found<'_>, names: &Names) {
    let typed = found.typed;
    if let Some((job, part)) = typed.split_once('.') {
        let is =
            |known: &&JobName| known.id.to_string() == job || known.name.eq_ignore_ascii_case(job);
        let known = names.jobs.iter().find(is);
        if known.is_none() && !matches!(job, "all" | "last") {
            return;
        }
        for state in State::ALL {
            if begins(state.word(), part) {
                let word = state.word();
                found.add_anyway(
                    &format!("{job}.{word}"),
                    "all that are in this state",
                    Kind::State,
                );
            }
        }
        let hosts = match known {
            Some(known) if !known.hosts.is_empty() => &known.hosts[..],
            Some(_) | None => names.known.hosts(),
        };
        found.add_sorted(
            hosts,
            String::as_str,
            |host| (format!("{job}.{host}"), String::new()),
            part,
            Kind::Host,
        );
        return;
    }
    for job in &names.jobs {
        let id = job.id.to_string();
        let doc = if job.doc.is_empty() {
            job.name.clone()
        } else {
            format!("{}  {}", job.name, job.doc)
        };
        found.add(&id, doc, Kind::Job);
    }
    // What is typed to begin a number is no name.
    if !typed.is_empty() {
        for job in &names.jobs {
            if begins(&job.name, typed) {
                found.add_anyway(&job.name, format!("job {}", job.id), Kind::Job);
            }
        }
    }
    found.add("all", "every job", Kind::Job);
    found.add("last", "the newest job", Kind::Job);
}

fn files(found: &mut Found<'_>, names: &Names) {
    let typed = found.typed;
    let (directory, begin) = match typed.rfind('/') {
        Some(slash) => typed.split_at(slash + 1),
        None => ("", typed),
    };
    for entry in names.files.list(directory) {
        if entry.name.starts_with('.') && !begin.starts_with('.') {
            continue;
        }
        match entry.is {
            Is::File => found.add(&format!("{directory}{}", entry.name), "", Kind::File),
            Is::Directory => {
                found.add(&format!("{directory}{}/", entry.name), "", Kind::Directory);
            }
        }
    }
}
