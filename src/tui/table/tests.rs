//! What a table shows while rows come, and where its cursor is.

use proptest::prelude::*;

use super::arrange::RowId;
use super::*;
use crate::command::console::{Act, Copied};
use crate::plan::gather::{Gave, sources};
use crate::results::shape::Header;
use crate::results::{Also, Parser};
use crate::tui::output::action::Whole;

/// `mount`, `used_pct`, `size`, one row a line.
pub fn shape() -> Shape {
    let mut used = Column::new("used_pct", Kind::Integer);
    used.unit = Some("%".to_string());
    used.doc = "How full it is".to_string();
    Shape {
        query: "filesystems".to_string(),
        parser: Parser::Tsv {
            header: Header::None,
        },
        columns: vec![
            Column::new("mount", Kind::Text),
            used,
            Column::new("size", Kind::Bytes),
        ],
        key: Vec::new(),
        also: Also::Nothing,
    }
}

fn view(jobs: &[u64]) -> TableView {
    let shapes = jobs.iter().map(|job| (*job, Some(shape().written())));
    let sources = sources(shapes.collect()).expect("a shape of this version");
    let mut view = TableView::new(shape(), sources);
    view.set_size(80, 11);
    view
}

fn part(child: u64, used: &[i64]) -> Part {
    let host = format!("web{child:02}");
    let row = |(n, used): (usize, &i64)| -> crate::results::parse::Row {
        [
            Value::text(&host),
            Value::Integer(7),
            Value::Empty,
            Value::text(&format!("/mnt{n}")),
            Value::Integer(*used),
            Value::Bytes(1_000_000_000),
        ]
        .into()
    };
    Part {
        child,
        job: 7,
        rows: used.iter().enumerate().map(row).collect(),
        host: host.clone(),
        state: State::Completed,
        said: Vec::new(),
        gave: Gave::All,
        widths: vec![5, 1, 1, 5, 3, 6],
        opened: Opened::default(),
    }
}

/// Everything that is shown, as `child.place`.
fn shown(view: &TableView) -> Vec<String> {
    let rows = view.list().keys().iter().map(|item| match item {
        Item::Row(RowId { child, at }) => format!("{child}.{at}"),
        Item::Group(key) => format!("{}", key[0]),
        Item::Host(child) => format!("{child}"),
    });
    rows.collect()
}

fn keys(view: &mut TableView, acts: &[Act]) -> Came {
    let mut came = Came::Done;
    for act in acts {
        came = view.act(act);
    }
    came
}

fn sort(column: &str) -> Act {
    Act::Sort {
        column: Some(column.to_string()),
    }
}

fn group(column: &str) -> Act {
    Act::Group {
        columns: vec![column.to_string()],
    }
}

#[test]
fn rows_stand_by_host_until_they_are_sorted_and_again_turns_it_round() {
    let mut view = view(&[7]);
    view.take(vec![part(9, &[50, 90]), part(8, &[70])]);
    assert_eq!(shown(&view), ["8.0", "9.0", "9.1"]);
    // To the column of numbers, whose largest come first.
    let sorted = Act::Sort { column: None };
    keys(&mut view, &[Act::Right, Act::Right, sorted.clone()]);
    assert_eq!(shown(&view), ["9.1", "8.0", "9.0"]);
    keys(&mut view, std::slice::from_ref(&sorted));
    assert_eq!(shown(&view), ["9.0", "8.0", "9.1"]);
    keys(&mut view, &[Act::LineStart, sorted]);
    assert_eq!(shown(&view), ["8.0", "9.0", "9.1"]);
    let wrong = keys(&mut view, &[sort("-usde_pct")]);
    let said = "there is no column usde_pct; did you mean used_pct?";
    assert_eq!(wrong, Came::Say(said.to_string()));
    keys(&mut view, &[sort("mount,-used_pct")]);
    assert_eq!(shown(&view), ["8.0", "9.0", "9.1"]);
}

#[test]
fn a_filter_with_a_mistake_leaves_the_former_one() {
    let mut view = view(&[7]);
    view.take(vec![part(8, &[70, 95, 20])]);
    view.begin_filter();
    view.filter("used_pct > 60").expect("a condition");
    assert_eq!(shown(&view), ["8.0", "8.1"]);
    let error = view.filter("used_pct > 60 und").expect_err("a mistake");
    assert_eq!(error.at, 14);
    assert_eq!(shown(&view), ["8.0", "8.1"]);
    view.filter_undone();
    assert_eq!((shown(&view).len(), view.filter_text()), (3, ""));
    view.filter("used_pct > 99").expect("a condition");
    assert!(shown(&view).is_empty());
    assert!(view.back(), "esc shows all");
    assert_eq!(shown(&view).len(), 3);
    assert!(!view.back());
}

#[test]
fn groups_name_their_hosts_and_are_entered_and_left() {
    let mut view = view(&[7]);
    view.take(vec![part(8, &[70]), part(9, &[70, 20]), part(10, &[70])]);
    keys(&mut view, &[group("used_pct")]);
    assert_eq!(shown(&view), ["70", "20"]);
    assert_eq!(view.found[0].hosts, "web[08-10]");
    let asked = |hosts: &[&str]| Came::AskHosts(hosts.iter().map(ToString::to_string).collect());
    assert_eq!(
        keys(&mut view, &[Act::Add]),
        asked(&["web08", "web09", "web10"])
    );
    keys(&mut view, &[Act::Open]);
    assert_eq!(shown(&view), ["8.0", "9.0", "10.0"]);
    // A host that ends meanwhile is in its group.
    view.take(vec![part(11, &[70, 20])]);
    assert_eq!(shown(&view), ["8.0", "9.0", "10.0", "11.0"]);
    assert_eq!(
        keys(&mut view, &[Act::Mark, Act::Down, Act::Mark, Act::Add]),
        asked(&["web08", "web10"])
    );
    assert!(view.back(), "marks");
    assert!(view.back(), "the group");
    assert_eq!(shown(&view), ["70", "20"]);
    assert!(view.back(), "grouping");
    assert_eq!(shown(&view).len(), 6);
    assert_eq!(keys(&mut view, &[Act::Open]), Came::Open(8));
}

#[test]
fn hosts_with_something_to_be_said_are_counted_and_reached() {
    let mut view = view(&[7]);
    let mut odd = part(9, &[1]);
    odd.said.push("1 line is no row".to_string());
    let mut silent = part(10, &[]);
    silent.gave = Gave::NotAll;
    view.take(vec![part(8, &[70, 80]), odd, silent, part(11, &[3])]);
    let next = Act::Problem {
        way: crate::command::console::Way::Next,
    };
    keys(&mut view, std::slice::from_ref(&next));
    assert_eq!(view.cursor(), Some(&Item::Row(RowId { child: 9, at: 0 })));
    let none = keys(&mut view, &[next]);
    assert!(matches!(none, Came::Say(text) if text.contains("! lists them")));
    keys(&mut view, &[Act::Problems, Act::Down]);
    assert_eq!(shown(&view), ["9", "10"]);
    assert_eq!(keys(&mut view, &[Act::Open]), Came::Open(10));
    // It is read again once it is known how it ended.
    view.take(vec![part(10, &[5])]);
    assert_eq!(shown(&view), ["9"]);
    assert!(view.back());
    assert_eq!(shown(&view).len(), 5);
}

#[test]
fn a_table_is_full_at_its_bound_and_says_whose_rows_are_left_out() {
    let mut view = view(&[7]);
    let many = vec![1; MOST_ROWS - 1];
    view.take(vec![part(8, &many), part(9, &[1, 2, 3])]);
    assert_eq!(view.total, MOST_ROWS);
    assert!(view.is_full());
    let part = &view.parts[&9];
    assert_eq!((part.rows.len(), part.gave), (1, Gave::NotAll));
    assert_eq!(part.said, ["2 of its rows are left out: the table is full"]);
}

#[test]
fn what_was_computed_for_something_else_is_not_shown() {
    let mut view = view(&[7]);
    let many: Vec<i64> = (0..3000).collect();
    view.take(vec![part(8, &many)]);
    let first = view.wanted().expect("too many to be arranged at once");
    view.filter("used_pct < 2").expect("a condition");
    assert!(view.is_arranging());
    view.arranged(first.run());
    assert!(view.is_arranging(), "that was without the filter");
    let second = view.wanted().expect("still to be arranged");
    // Rows that come meanwhile do not hold it up.
    view.take(vec![part(9, &[1])]);
    view.arranged(second.run());
    assert_eq!(shown(&view), ["8.0", "8.1"]);
    assert!(!view.is_arranging());
    let third = view.wanted().expect("there are new rows");
    view.arranged(third.run());
    assert_eq!(shown(&view), ["8.0", "8.1", "9.0"]);
    assert!(view.wanted().is_none());
}

#[test]
fn what_is_shown_is_what_is_written() {
    let mut view = view(&[7]);
    view.take(vec![part(8, &[70, 20])]);
    keys(&mut view, &[sort("used_pct")]);
    view.choose(&["used_pct".to_string(), "size".to_string()]);
    let text = |came: Came| match came {
        Came::Export(export, what) => (export.text(), what),
        other => panic!("{other:?}"),
    };
    let (csv, what) = text(keys(&mut view, &[Act::Save { file: None }]));
    assert_eq!(
        csv,
        "host,used_pct,size\nweb08,20,1000000000\nweb08,70,1000000000\n"
    );
    assert_eq!(what, Whole::Save(Some("7.filesystems.csv".into())));
    let json = Act::Save {
        file: Some("x.JSON".into()),
    };
    let (json, _) = text(keys(&mut view, &[json]));
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(read[1]["used_pct"], 70);
    let unknown = Act::Save {
        file: Some("x.xls".into()),
    };
    assert_eq!(
        keys(&mut view, &[unknown]),
        Came::Say("rows are not saved as .xls, but as .csv, .json, .ndjson, .md, .txt".to_string())
    );
    let markdown = Act::Copy {
        what: Copied::Markdown,
    };
    keys(&mut view, &[group("used_pct")]);
    let (markdown, what) = text(keys(&mut view, &[markdown]));
    assert!(
        markdown.ends_with("| 1 | web08 | 20 |\n| 1 | web08 | 70 |\n"),
        "{markdown}"
    );
    assert_eq!(what, Whole::Copy);
    let line = Act::Copy { what: Copied::Line };
    assert_eq!(
        keys(&mut view, &[Act::Back, line]),
        Came::Copy("web08  20  1.0 GB".to_string())
    );
}

#[derive(Clone, Debug)]
enum Deed {
    /// A child gives so many rows.
    Comes(u64, Vec<i64>),
    Sort(&'static str),
    Filter(&'static str),
    Step(isize),
    /// What is being computed is done.
    Computed,
}

fn deed() -> impl Strategy<Value = Deed> {
    let sorts = prop::sample::select(vec!["used_pct", "-used_pct", "-host,mount", "none"]);
    let filters = prop::sample::select(vec!["", "used_pct > 50", "mount = /mnt0", "used_pct < 20"]);
    let rows = prop_oneof![
        8 => prop::collection::vec(0..100_i64, 0..9),
        1 => prop::collection::vec(0..100_i64, 1200..1300),
    ];
    prop_oneof![
        3 => (1..40_u64, rows).prop_map(|(child, rows)| Deed::Comes(child, rows)),
        2 => sorts.prop_map(Deed::Sort),
        2 => filters.prop_map(Deed::Filter),
        3 => (-30..30_isize).prop_map(Deed::Step),
        3 => Just(Deed::Computed),
    ]
}

/// The rows as they should stand.
fn expected(view: &TableView) -> Vec<Item> {
    let mut all: Vec<(Item, &[Value])> = Vec::new();
    for part in view.parts.values() {
        for at in 0..part.rows.len() {
            let id = RowId {
                child: part.child,
                at: at as u32,
            };
            let row = view.row(id).expect("it is there");
            let filter = view.condition.filter.as_ref();
            if filter.is_none_or(|filter| filter.takes(row)) {
                all.push((Item::Row(id), row));
            }
        }
    }
    all.sort_by(|(_, a), (_, b)| view.order.compare(a, b));
    all.into_iter().map(|(item, _)| item).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_cursor_stays_on_its_row_as_long_as_that_is_shown(
        deeds in prop::collection::vec(deed(), 1..40),
    ) {
        let mut view = view(&[7]);
        view.take(vec![part(20, &[10, 60, 30])]);
        view.act(&Act::Down);
        for deed in deeds {
            let before = view.cursor().cloned();
            match deed {
                Deed::Comes(child, rows) if !view.parts.contains_key(&child) => {
                    view.take(vec![part(child, &rows)]);
                }
                Deed::Comes(..) => {}
                Deed::Sort(by) => _ = view.act(&sort(by)),
                Deed::Filter(text) => view.filter(text).expect("a condition"),
                Deed::Step(by) => {
                    let act = if by < 0 { Act::Up } else { Act::Down };
                    (0..by.abs()).for_each(|_| _ = view.act(&act));
                    continue;
                }
                Deed::Computed => {
                    if let Some(wanted) = view.wanted() {
                        view.arranged(wanted.run());
                    }
                }
            }
            if view.wanted().is_none() {
                prop_assert_eq!(view.list().keys(), &expected(&view)[..]);
            }
            if let Some(before) = before
                && view.list().keys().contains(&before)
            {
                prop_assert_eq!(view.cursor(), Some(&before));
            }
            let visible = view.list().visible().filter(|(_, under_cursor)| *under_cursor).count();
            prop_assert_eq!(visible, usize::from(!view.list().is_empty()), "it is on the screen");
        }
    }
}
