//! How a table grows wider, and what stays meanwhile.

use bytes::Bytes;

use super::*;
use crate::command::console::{Act, Copied};
use crate::core::output::Stream;
use crate::core::state::State;
use crate::plan::gather::{Written, sources};
use crate::results::Shape;
use crate::tui::table::Came;
use crate::tui::table::arrange::RowId;
use crate::tui::tree::tests::child;
use crate::wire::look::{RowEnd, RowKind};

fn view() -> TableView {
    let shape = Shape::open("osquery");
    let sources = sources(vec![(7, Some(shape.written()))]).expect("a shape of this version");
    let mut view = TableView::new(shape, sources);
    view.set_size(120, 11);
    view
}

/// What the child at this place among job 7's wrote, read.
fn part(view: &TableView, index: u64, text: &str) -> Part {
    let mut written = Written::default();
    written.look(&RowKind::Text {
        stream: Stream::Out,
        data: Bytes::copy_from_slice(text.as_bytes()),
        ends: RowEnd::Newline,
    });
    let child = child(7, index, State::Completed);
    Part::read(&child, &view.sources()[&7], &written)
}

fn take(view: &mut TableView, texts: &[(u64, &str)]) {
    let parts = texts.iter().map(|(index, text)| part(view, *index, text));
    let parts = parts.collect();
    view.take(parts);
}

/// The table as it would be written.
fn csv(view: &mut TableView) -> String {
    match view.act(&Act::Copy { what: Copied::Csv }) {
        Came::Export(export, _) => export.text(),
        other => panic!("{other:?}"),
    }
}

fn act(view: &mut TableView, acts: &[Act]) {
    for act in acts {
        view.act(act);
    }
}

fn group(column: &str) -> Act {
    Act::Group {
        columns: vec![column.to_string()],
    }
}

#[test]
fn columns_come_with_the_rows_and_the_cursor_stays() {
    let mut view = view();
    assert_eq!(view.grid.columns().count(), 1, "the host alone");
    take(&mut view, &[(2, r#"[{"pid":12,"name":"a"},{"pid":5}]"#)]);
    let host = part(&view, 2, "{}").host;
    assert_eq!(
        csv(&mut view),
        format!("host,pid,name\n{host},12,a\n{host},5,\n")
    );
    let error = view.filter("pid > 1 and days > 2").expect_err("not yet");
    assert_eq!(error.at, 12, "{error}");
    // On the second row, and the last column.
    act(&mut view, &[Act::Down, Act::LineEnd, Act::Mark, Act::Up]);
    let on = |view: &TableView| (view.cursor().cloned(), view.marks.clone());
    let before = on(&view);
    take(&mut view, &[(1, r#"{"days":3,"name":"b","pid":2}"#)]);
    let first = part(&view, 1, "{}").host;
    assert_eq!(
        csv(&mut view),
        format!("host,pid,name,days\n{first},2,b,3\n{host},12,a,\n{host},5,,\n")
    );
    assert_eq!(on(&view), before);
    assert_eq!(view.grid.current(), 4, "the name");
    view.filter("pid > 1 and days > 2").expect("it is there");
    assert_eq!(
        csv(&mut view),
        format!("host,pid,name,days\n{first},2,b,3\n")
    );
    // Who has chosen columns is not shown others; they can be chosen.
    view.choose(&["days".to_string()]);
    take(&mut view, &[(3, r#"{"days":9,"pid":4,"more":true}"#)]);
    let third = part(&view, 3, "{}").host;
    assert_eq!(csv(&mut view), format!("host,days\n{first},3\n{third},9\n"));
    let offered = view.choices().into_iter().map(|(column, _)| &column.name);
    assert!(offered.into_iter().any(|name| name == "more"));
    // Read again once it has ended for good.
    view.filter("").expect("all");
    take(&mut view, &[(2, "[]")]);
    assert_eq!(csv(&mut view), format!("host,days\n{first},3\n{third},9\n"));
}

#[test]
fn integers_become_text_and_what_was_asked_of_them_still_holds() {
    let mut view = view();
    take(&mut view, &[(1, r#"[{"n":7},{"n":12},{"n":7},{"n":""}]"#)]);
    view.filter("n != 12").expect("a condition");
    act(&mut view, &[group("n"), Act::Mark]);
    view.list_mut().go(0);
    act(&mut view, &[Act::Open]);
    assert_eq!(view.rows.len(), 3);
    let host = part(&view, 1, "{}").host;
    assert_eq!(csv(&mut view), format!("host,n\n{host},7\n{host},7\n"));
    // `7` as it is written elsewhere is the same, `07` is not.
    take(&mut view, &[(2, r#"[{"n":"07"},{"n":"7"},{"n":"12"}]"#)]);
    let second = part(&view, 2, "{}").host;
    assert_eq!(view.columns[3].kind, Kind::Text);
    assert_eq!(
        csv(&mut view),
        format!("host,n\n{host},7\n{host},7\n{second},7\n"),
        "in the group that was entered"
    );
    act(&mut view, &[Act::Back]);
    let key = |text: &str| Item::Group([Value::text(text)].into());
    assert_eq!(view.cursor(), Some(&key("7")));
    act(&mut view, &[Act::Add]);
    assert_eq!(view.hosts(), [host, second]);
    assert_eq!(view.found.len(), 3, "7, 07, and nothing; not 12");
    act(&mut view, &[Act::Back]);
    view.filter("n = 7").expect("a condition");
    let sort = Some("-n".to_string());
    act(&mut view, &[Act::Sort { column: sort }]);
    take(&mut view, &[(3, r#"{"n":7}"#)]);
    let rows: Vec<_> = view.list().keys().to_vec();
    assert_eq!(rows.len(), 4);
    assert!(matches!(rows[0], Item::Row(RowId { .. })));
}

#[test]
fn a_mark_and_a_filter_that_is_being_typed_survive_a_column_that_becomes_text() {
    let mut view = view();
    take(&mut view, &[(1, r#"[{"n":7},{"n":12}]"#)]);
    view.filter("n = 7").expect("a condition");
    act(&mut view, &[group("n"), Act::Range]);
    view.begin_filter();
    view.filter("n = 12").expect("a condition");
    take(&mut view, &[(2, r#"[{"n":"x"}]"#)]);
    let group = Item::Group([Value::text("7")].into());
    assert_eq!(view.marks.iter().collect::<Vec<_>>(), [&group]);
    assert_eq!(view.range, Some(group));
    let text = |view: &TableView| -> Vec<String> {
        let keys = view.found.iter().map(|group| group.key[0].to_string());
        keys.collect()
    };
    assert_eq!(text(&view), ["12"]);
    view.filter_undone();
    assert_eq!(text(&view), ["7"]);
}

#[test]
fn what_was_computed_of_integers_is_not_shown_of_text() {
    let mut view = view();
    let many: Vec<String> = (0..3_000).map(|n| format!("{{\"n\":{n}}}")).collect();
    let many = format!("[{}]", many.join(","));
    take(&mut view, &[(1, &many)]);
    view.filter("n < 3").expect("a condition");
    let old = view.wanted().expect("too many to be arranged at once");
    take(&mut view, &[(2, r#"{"n":"x"}"#)]);
    view.arranged(old.run());
    assert!(view.is_arranging(), "that compared numbers");
    let new = view.wanted().expect("still to be arranged");
    view.arranged(new.run());
    // In the order of the alphabet: whatever begins with 0, 1, or 2.
    assert_eq!(view.list().len(), 3 + 20 + 200 + 2_000);
}

#[test]
fn keys_without_a_column_are_said_of_their_host() {
    let mut view = view();
    let keys = |from: usize, to: usize| {
        let keys: Vec<String> = (from..to).map(|n| format!("\"k{n}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    take(
        &mut view,
        &[(1, &keys(0, 50)), (2, &keys(48, 78)), (3, &keys(3, 117))],
    );
    assert_eq!(view.columns.len(), 3 + 64);
    let said = |index: u64| {
        let part = view.parts.values().nth(index as usize - 1);
        part.expect("it was taken").said.clone()
    };
    assert_eq!(said(1), [""; 0]);
    let left = "there are columns for the first 64 keys only:";
    assert_eq!(said(2), [format!("{left} 14 fields left out")]);
    assert_eq!(said(3), [format!("{left} 53 fields left out")]);
    assert_eq!(view.troubles.len(), 2);
}
