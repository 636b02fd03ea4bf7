//! A view and a store that answers it, and what is on the screen then.

mod drawn;
mod properties;
mod reading;
mod searching;
pub(crate) mod store;

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use self::store::Store;
use super::OutputView;
use super::action::OutputAction;
use super::document::Document;
use super::styles::OutputStyles;
use crate::command::console::Act;

/// When keys are pressed.
const NOW: i64 = 1_700_000_100_000;

const SMALL: Size = Size {
    width: 40,
    height: 5,
};

/// A view of the only child of a store, which still runs.
fn one(store: &mut Store, size: Size) -> OutputView {
    open(Document::Child(store.child(1, None)), store, size)
}

fn open(document: Document, store: &mut Store, size: Size) -> OutputView {
    let mut view = OutputView::new(document, TimeZone::UTC);
    view.set_size(size);
    store.serve(&mut view);
    view
}

/// Presses keys, and answers what the view wants after each.
fn press(view: &mut OutputView, store: &mut Store, acts: &[Act]) -> Vec<OutputAction> {
    let mut actions = Vec::new();
    for act in acts {
        actions.extend(view.act(NOW, act).expect("an act of the view's"));
        store.serve(view);
    }
    actions
}

fn buffer(view: &OutputView, size: Size) -> Buffer {
    let area = Rect::new(0, 0, size.width, size.height);
    let mut buffer = Buffer::empty(area);
    view.draw(area, &mut buffer, &OutputStyles::default());
    buffer
}

/// The lines on the screen, without the spaces at their ends.
fn screen(view: &OutputView, size: Size) -> Vec<String> {
    let buffer = buffer(view, size);
    let lines = (0..size.height).map(|y| {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..size.width {
            let symbol = buffer[(x, y)].symbol();
            if skip == 0 {
                line.push_str(symbol);
                skip = crate::view::text::width(symbol).max(1);
            }
            skip -= 1;
        }
        line.trim_end().to_string()
    });
    lines.collect()
}

fn numbered(lines: std::ops::Range<usize>) -> String {
    lines.map(|n| format!("line {n}\n")).collect()
}
