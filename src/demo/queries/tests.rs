use std::collections::BTreeSet;

use super::*;
use crate::demo::fleet::Fleet;
use crate::results::{Reading, Value};

/// The query of this name, and its script.
fn query(name: &str) -> (&'static Query, &'static str) {
    let query = BUILT_IN.iter().find(|query| query.name == name);
    let query = query.expect("it is compiled in");
    match &query.payload {
        Payload::Script { text, .. } => (query, text),
        Payload::Command(_) => panic!("a built-in query is a script"),
    }
}

/// What a computer answers, each row with its fields by `|`.
fn rows(computer: &Computer, name: &str) -> Vec<String> {
    let (query, script) = query(name);
    let text = answer(computer, script)
        .expect("it is known")
        .expect("it has an answer");
    let shape = query.shape.as_ref().expect("it has columns");
    let reading = Reading::new(shape).expect("it is sound");
    let parsed = reading.parse(text.as_bytes(), &[]).expect("rows");
    assert!(parsed.flaws.is_none(), "{name}: {}", parsed.flaws);
    let row = |row: &[Value]| {
        let fields = row.iter().map(ToString::to_string);
        fields.collect::<Vec<_>>().join("|")
    };
    parsed.rows.iter().map(|fields| row(fields)).collect()
}

#[test]
fn every_answer_is_read_without_a_flaw_and_differs_between_computers() {
    let fleet = Fleet::new(300);
    for (name, _) in ANSWERS {
        let mut said = BTreeSet::new();
        for computer in fleet.computers() {
            let rows = rows(computer, name);
            let keys = &query(name).0.shape.as_ref().expect("it has columns").key;
            assert!(name == "updates" || !rows.is_empty(), "{name}");
            assert!(rows.len() == 1 || !keys.is_empty(), "{name}");
            said.insert(rows);
        }
        assert!(said.len() > 1, "{name} is the same everywhere");
    }
}

/// The computers of a fleet of 24 with a row that holds `what`.
fn with(fleet: &Fleet, name: &str, what: &str) -> Vec<String> {
    let computers = fleet.computers().iter();
    computers
        .filter(|computer| rows(computer, name).iter().any(|row| row.contains(what)))
        .map(|computer| computer.name().to_owned())
        .collect()
}

#[test]
fn a_few_computers_are_not_as_the_others() {
    let fleet = Fleet::new(24);
    assert_eq!(with(&fleet, "kernel", "6.1.0-21-amd64"), ["web03"]);
    assert_eq!(with(&fleet, "services", "nginx|failed"), ["web07"]);
    let full = with(&fleet, "filesystems", "|100");
    assert_eq!(full, with(&fleet, "services", "logrotate|failed"));
    let late = with(&fleet, "time", "|false");
    let restart = with(&fleet, "reboot-required", "true|");
    let told = [("full", full), ("late", late), ("restart", restart)];
    for (what, some) in told {
        assert!((1..=6).contains(&some.len()), "{what}: {some:?}");
    }
    let listening = with(&fleet, "listeners", "|443|nginx");
    assert_eq!(
        listening.len(),
        11,
        "all web servers but one: {listening:?}"
    );
}

#[test]
fn a_script_is_known_by_its_text_and_by_nothing_less() {
    let fleet = Fleet::new(1);
    let computer = &fleet.computers()[0];
    let (_, uptime) = query("uptime");
    let lines: Vec<&str> = uptime.lines().collect();
    assert!(
        answer(computer, &lines.join("\n")).is_some(),
        "as it travels"
    );
    for other in [
        "",
        "\n",
        "uptime",
        &lines[1..].join("\n"),
        &format!("x=1\n{uptime}"),
    ] {
        assert_eq!(answer(computer, other), None, "{other:?}");
    }
    for query in BUILT_IN.iter() {
        let given: Vec<_> = (query.parameters.iter())
            .map(|parameter| {
                let value = parameter.default.clone().unwrap_or("1".to_owned());
                (parameter.name.clone(), value)
            })
            .collect();
        let Ok(Payload::Script { text, .. }) = query.payload(&given) else {
            panic!("{}: it takes its defaults", query.name);
        };
        let said = answer(computer, &text).expect("it is known");
        let is_known = ANSWERS.iter().any(|(name, _)| *name == query.name);
        assert_eq!(said.is_ok(), is_known, "{}", query.name);
        if let Err(unknown) = said {
            let want = format!("the demo has no answer to the query {}", query.name);
            assert_eq!(unknown.to_string(), want);
        }
    }
}
