//! The tree under news, moves and filters.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::core::output::Count;
use crate::core::spec::Above;
use crate::core::state::State;
use crate::tui::model::Model;
use crate::wire::reply::{ChildView, JobView, Jobs, News, ReasonView};

pub(crate) fn job(id: u64, name: &str, states: &[State]) -> JobView {
    let mut counts = [0; 10];
    for state in states {
        counts[*state as usize] += 1;
    }
    let ended = states.iter().all(|state| state.is_final());
    JobView {
        id,
        name: name.to_string(),
        runner: "ssh".to_string(),
        command: format!("run {name}"),
        targets: "web[01-99]".to_string(),
        state: if ended {
            State::Completed
        } else {
            State::Running
        },
        fanout: 64,
        paused: false,
        pinned: false,
        ask_above: Above::Configured,
        created: 0,
        began: Some(0),
        ended: ended.then_some(1),
        elapsed: 1.0,
        more: false,
        waiting: Count::default(),
        counts,
        settled: states.iter().filter(|state| state.is_final()).count() as u32,
    }
}

pub(crate) fn child(job: u64, index: u64, state: State) -> ChildView {
    let exit = match state {
        State::Completed => Some(0),
        State::Failed => Some(3),
        _ => None,
    };
    ChildView {
        id: job + 1 + index,
        job,
        host: format!("web{:02}", index + 1),
        state,
        need: None,
        reason: (state == State::Failed).then(|| ReasonView {
            kind: "exit".to_string(),
            text: "exit 3".to_string(),
            unconfirmed: false,
        }),
        exit,
        signal: None,
        pid: None,
        began: Some(0),
        ended: state.is_final().then_some(1),
        elapsed: Some(1.0),
        more: false,
        waiting: Count::default(),
        out: Count::default(),
        err: Count::default(),
        dropped: Count::default(),
    }
}

fn at(seconds: u64) -> Now {
    Now {
        mono: Duration::from_secs(seconds),
        ..Now::default()
    }
}

/// A model of these jobs, each with children in these states, and all of them known.
fn model(jobs: &[(u64, &[State])]) -> Model {
    let mut model = Model::default();
    let views = jobs
        .iter()
        .map(|(id, states)| job(*id, &format!("job{id}"), states));
    model.listed(
        at(0),
        Jobs {
            jobs: views.collect(),
            last: true,
            ..Jobs::default()
        },
    );
    for (id, states) in jobs {
        list_children(&mut model, *id, states);
    }
    model
}

fn list_children(model: &mut Model, id: u64, states: &[State]) {
    let children = states
        .iter()
        .enumerate()
        .map(|(index, state)| child(id, index as u64, *state));
    model.children_listed(
        at(0),
        id,
        Jobs {
            children: children.collect(),
            last: true,
            ..Jobs::default()
        },
    );
}

fn tree(model: &Model) -> Tree {
    let mut tree = Tree::default();
    tree.set_height(10);
    tree.rebuild(at(0), model);
    tree
}

use State::{Completed, Failed, Running};

#[test]
fn jobs_are_listed_newest_first_and_opened_one_by_one() {
    let model = model(&[(1, &[Completed, Failed]), (10, &[Running])]);
    let mut tree = tree(&model);
    assert_eq!(tree.rows(), [RowId::Job(10), RowId::Job(1)]);
    tree.step(at(1), 1);
    assert!(tree.expand());
    tree.rebuild(at(1), &model);
    let children = [2, 3].map(|child| RowId::Child { job: 1, child });
    assert_eq!(
        tree.rows(),
        [RowId::Job(10), RowId::Job(1), children[0], children[1]]
    );
    tree.step(at(1), 1);
    tree.collapse(at(1));
    assert_eq!(tree.cursor(), Some(RowId::Job(1)), "first to the job");
    tree.collapse(at(1));
    tree.rebuild(at(1), &model);
    assert_eq!(tree.rows().len(), 2);
}

#[test]
fn the_cursor_and_its_line_stay_when_jobs_come_and_go_above() {
    let jobs: Vec<(u64, &[State])> = (1..40)
        .map(|n| (n * 10, &[Completed] as &[State]))
        .collect();
    let mut model = model(&jobs);
    let mut tree = tree(&model);
    tree.go(at(1), 20);
    tree.step(at(1), -3);
    let (cursor, line) = (tree.cursor(), tree.index() - tree.offset());
    for (n, new) in [1000, 1010, 1020].into_iter().enumerate() {
        let news = News {
            jobs: vec![job(new, "new", &[Running])],
            removed: if n == 2 { vec![390] } else { Vec::new() },
            ..News::default()
        };
        model.news(at(2), news);
        tree.rebuild(at(2), &model);
        assert_eq!(tree.cursor(), cursor);
        assert_eq!(tree.index() - tree.offset(), line);
    }
}

#[test]
fn many_children_show_their_problems_and_stand_in_one_row_for_the_rest() {
    let mut states = vec![Completed; 100];
    states[70] = Failed;
    let model = model(&[(1, &states)]);
    let mut tree = tree(&model);
    tree.expand();
    tree.rebuild(at(0), &model);
    let rows = tree.rows().to_vec();
    assert_eq!(
        rows.len(),
        1 + 8 + 1 + 1,
        "the job, the first eight, the problem, the rest"
    );
    assert!(rows.contains(&RowId::Child { job: 1, child: 72 }));
    assert_eq!(rows.last(), Some(&RowId::Rest(1)));
    let rest = rows::rest_of(model.job(1).expect("it is there"), &rows);
    assert_eq!(rest, [(Completed, 91)]);
    tree.go_to(at(0), RowId::Rest(1));
    tree.expand();
    tree.rebuild(at(0), &model);
    assert_eq!(tree.rows().len(), 101);
}

#[test]
fn what_is_opened_of_the_rest_is_under_the_cursor() {
    let mut states = vec![Completed; 100];
    states[3] = Failed;
    let model = model(&[(1, &states)]);
    let mut tree = tree(&model);
    tree.expand();
    tree.rebuild(at(0), &model);
    tree.go_to(at(0), RowId::Rest(1));
    tree.expand();
    tree.rebuild(at(0), &model);
    // Eight without a problem, and the one with it among them.
    let tenth = RowId::Child { job: 1, child: 11 };
    assert_eq!(tree.cursor(), Some(tenth));
}

#[test]
fn what_still_runs_is_shown_and_the_screen_is_filled() {
    let mut states = vec![Completed; 100];
    states[70] = Running;
    let live = RowId::Child { job: 1, child: 72 };
    let few = model(&[(1, &states)]);
    let mut tree = tree(&few);
    tree.expand();
    tree.rebuild(at(0), &few);
    assert_eq!(tree.rows().len(), 1 + 8 + 1);
    assert!(tree.rows().contains(&live));
    tree.set_height(30);
    tree.rebuild(at(0), &few);
    assert_eq!(tree.rows().len(), 30);
    // What ends under the cursor stays under it.
    tree.go_to(at(0), live);
    states[70] = Completed;
    let ended = model(&[(1, &states)]);
    tree.rebuild(at(0), &ended);
    assert_eq!(tree.cursor(), Some(live));
    // Of many that run, the first are shown, not all.
    let many = model(&[(1, &[Running; 100])]);
    tree.go(at(0), 0);
    tree.rebuild(at(0), &many);
    assert_eq!(tree.rows().len(), 30);
}

#[test]
fn the_next_problem_is_found_in_closed_jobs_too() {
    let model = model(&[
        (1, &[Completed, Failed, Failed]),
        (10, &[Completed]),
        (20, &[Failed]),
    ]);
    let mut tree = tree(&model);
    let mut seen = Vec::new();
    for _ in 0..4 {
        assert!(tree.seek_problem(at(1), &model, Way::Next));
        tree.rebuild(at(1), &model);
        seen.push(tree.cursor());
    }
    let child = |job, child| Some(RowId::Child { job, child });
    assert_eq!(
        seen,
        [child(20, 21), child(1, 3), child(1, 4), child(20, 21)]
    );
    assert!(tree.seek_problem(at(1), &model, Way::Previous));
    assert_eq!(tree.cursor(), child(1, 4));
}

#[test]
fn filters_leave_what_matches_and_the_jobs_it_is_in() {
    let model = model(&[(1, &[Completed, Failed]), (10, &[Running])]);
    let mut tree = tree(&model);
    tree.expand_all(&model);
    tree.set_filter(Filter::parse("web02").expect("a filter"));
    tree.rebuild(at(0), &model);
    assert_eq!(
        tree.rows(),
        [RowId::Job(1), RowId::Child { job: 1, child: 3 }]
    );
    tree.set_filter(Filter::parse("job10").expect("a filter"));
    tree.rebuild(at(0), &model);
    assert_eq!(
        tree.rows(),
        [RowId::Job(10), RowId::Child { job: 10, child: 11 }]
    );
    tree.set_filter(Filter::All);
    tree.toggle_problems();
    tree.rebuild(at(0), &model);
    assert_eq!(
        tree.rows(),
        [RowId::Job(1), RowId::Child { job: 1, child: 3 }]
    );
}

#[test]
fn filters_find_what_is_in_jobs_that_are_not_open() {
    let model = model(&[(1, &[Completed, Failed]), (10, &[Running])]);
    let mut tree = tree(&model);
    tree.set_filter(Filter::parse("web02").expect("a filter"));
    tree.rebuild(at(0), &model);
    assert_eq!(
        tree.rows(),
        [RowId::Job(1), RowId::Child { job: 1, child: 3 }]
    );
    assert_eq!(tree.watched().collect::<Vec<_>>(), [1, 10]);
    assert_eq!(tree.by_name_only(), 0);
    tree.set_filter(Filter::All);
    tree.rebuild(at(0), &model);
    assert_eq!(tree.rows(), [RowId::Job(10), RowId::Job(1)]);
    assert_eq!(tree.watched().count(), 0);
}

#[test]
fn a_live_column_is_not_sorted_while_somebody_moves() {
    let mut model = model(&[(1, &[Running]), (10, &[Running])]);
    let mut tree = tree(&model);
    tree.sort_by(Column::New);
    tree.rebuild(at(5), &model);
    let before = tree.rows().to_vec();
    let mut busy = job(1, "job1", &[Running]);
    busy.waiting.lines = 100;
    model.news(
        at(5),
        News {
            jobs: vec![busy],
            ..News::default()
        },
    );
    tree.step(at(5), 1);
    tree.rebuild(at(5), &model);
    assert_eq!(tree.rows(), before);
    tree.rebuild(at(7), &model);
    assert_eq!(tree.rows(), [RowId::Job(1), RowId::Job(10)]);
}

#[test]
fn ranges_mark_what_lies_between() {
    let model = model(&[
        (1, &[Completed]),
        (10, &[Completed]),
        (20, &[Completed]),
        (30, &[Completed]),
    ]);
    let mut tree = tree(&model);
    tree.toggle_range();
    tree.step(at(1), 2);
    tree.toggle_range();
    tree.step(at(1), 1);
    assert_eq!(
        tree.marks().iter().copied().collect::<Vec<_>>(),
        [10, 20, 30].map(RowId::Job)
    );
    assert!(tree.unmark());
}

#[derive(Clone, Debug)]
enum Move {
    Step(isize),
    Expand,
    Collapse,
    Mark,
    Problems,
    Seek,
    Sort(usize),
    Height(usize),
    New(u64),
    State(u64, usize),
    Remove(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        (-15isize..15).prop_map(Move::Step),
        Just(Move::Expand),
        Just(Move::Collapse),
        Just(Move::Mark),
        Just(Move::Problems),
        Just(Move::Seek),
        (0..Column::ALL.len()).prop_map(Move::Sort),
        (0usize..30).prop_map(Move::Height),
        (0u64..6).prop_map(Move::New),
        ((0u64..6), (0usize..10)).prop_map(|(job, state)| Move::State(job, state)),
        (0u64..6).prop_map(Move::Remove),
    ];
    proptest::collection::vec(one, 1..60)
}

proptest! {
    /// Whatever happens, the cursor is on a row that is shown and on the screen, and moves by news only when what it was
    /// on is no longer shown.
    #[test]
    fn the_cursor_is_always_somewhere(moves in moves()) {
        let mut model = model(&[(100, &[Completed, Failed, Running])]);
        let mut tree = tree(&model);
        for (n, step) in moves.into_iter().enumerate() {
            let now = at(n as u64);
            let before = tree.cursor();
            let mut by_hand = true;
            match step {
                Move::Step(by) => tree.step(now, by),
                Move::Expand => _ = tree.expand(),
                Move::Collapse => tree.collapse(now),
                Move::Mark => tree.mark(now),
                Move::Problems => tree.toggle_problems(),
                Move::Seek => _ = tree.seek_problem(now, &model, Way::Next),
                Move::Sort(column) => tree.sort_by(Column::ALL[column]),
                Move::Height(height) => tree.set_height(height),
                Move::New(n) => {
                    by_hand = false;
                    let id = 200 + n * 100;
                    let states = vec![Running; 40];
                    model.news(now, News { jobs: vec![job(id, "new", &states)], ..News::default() });
                    list_children(&mut model, id, &states);
                }
                Move::State(n, state) => {
                    by_hand = false;
                    let id = 200 + n * 100;
                    model.news(now, News { children: vec![child(id, n, State::ALL[state])], ..News::default() });
                }
                Move::Remove(n) => {
                    by_hand = false;
                    model.news(now, News { removed: vec![200 + n * 100], ..News::default() });
                }
            }
            tree.rebuild(now, &model);
            prop_assert_eq!(tree.cursor(), tree.rows().get(tree.index()).copied());
            if !tree.rows().is_empty() {
                prop_assert!(tree.cursor().is_some());
                prop_assert!(tree.index() >= tree.offset());
                prop_assert!(tree.index() < tree.offset() + tree.visible().len().max(1));
            }
            if let Some(before) = before && !by_hand && tree.rows().contains(&before) {
                prop_assert_eq!(tree.cursor(), Some(before));
            }
            let mut rows = tree.rows().to_vec();
            rows.sort();
            rows.dedup();
            prop_assert_eq!(rows.len(), tree.rows().len(), "no row is shown twice");
        }
    }
}
