//! One line of text under the cursor, with the keys that shells have taught everybody.
//!
//! The cursor stands between graphemes: what looks like one character is passed and deleted as one.  Nothing that could
//! deceive a terminal gets in; it is written out.  Not here: what the text means.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

use crate::view::text::{harmless, width};

/// Bytes a line may have.  A paste of more is cut, and that is said.
pub const LONGEST: usize = 64 << 10;

/// What a key does to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    Insert(char),
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
    Backspace,
    Delete,
    /// Back to white space.
    DeleteWord,
    /// Back to whatever is no letter and no digit.
    DeletePart,
    DeletePartRight,
    DeleteToStart,
    DeleteToEnd,
    /// Bring back what was deleted last.
    Yank,
}

impl Edit {
    /// What this key means; `None` for keys that are not about editing.
    pub fn of(key: KeyEvent) -> Option<Self> {
        let held = key.modifiers - KeyModifiers::SHIFT;
        match (key.code, held) {
            (KeyCode::Char(c), KeyModifiers::NONE) => Some(Self::Insert(c)),
            (KeyCode::Char(c), KeyModifiers::CONTROL) => match c.to_ascii_lowercase() {
                'a' => Some(Self::Start),
                'e' => Some(Self::End),
                'b' => Some(Self::Left),
                'f' => Some(Self::Right),
                'd' => Some(Self::Delete),
                'h' => Some(Self::Backspace),
                'w' => Some(Self::DeleteWord),
                'u' => Some(Self::DeleteToStart),
                'k' => Some(Self::DeleteToEnd),
                'y' => Some(Self::Yank),
                _ => None,
            },
            (KeyCode::Char(c), KeyModifiers::ALT) => match c.to_ascii_lowercase() {
                'b' => Some(Self::WordLeft),
                'f' => Some(Self::WordRight),
                'd' => Some(Self::DeletePartRight),
                _ => None,
            },
            (KeyCode::Backspace, KeyModifiers::ALT | KeyModifiers::CONTROL) => {
                Some(Self::DeletePart)
            }
            (KeyCode::Delete, KeyModifiers::ALT | KeyModifiers::CONTROL) => {
                Some(Self::DeletePartRight)
            }
            (KeyCode::Left, KeyModifiers::ALT | KeyModifiers::CONTROL) => Some(Self::WordLeft),
            (KeyCode::Right, KeyModifiers::ALT | KeyModifiers::CONTROL) => Some(Self::WordRight),
            (KeyCode::Backspace, _) => Some(Self::Backspace),
            (KeyCode::Delete, _) => Some(Self::Delete),
            (KeyCode::Left, _) => Some(Self::Left),
            (KeyCode::Right, _) => Some(Self::Right),
            (KeyCode::Home, _) => Some(Self::Start),
            (KeyCode::End, _) => Some(Self::End),
            _ => None,
        }
    }
}

/// Whether everything that was to be inserted had room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fit {
    Whole,
    Cut,
}

/// A line and the cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// In bytes; always between two graphemes.
    cursor: usize,
    deleted: String,
}

/// A part of the line that fits on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first byte that is shown.
    pub from: usize,
    /// Cells from there to the cursor.
    pub cursor: usize,
}

impl Editor {
    /// The cursor stands at the end.
    pub fn new(text: &str) -> Self {
        let mut editor = Self::default();
        _ = editor.insert(text);
        editor
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn cursor(&self) -> usize {
        self.cursor
    }

    pub fn at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// Another text in its place.
    pub fn set(&mut self, text: &str) {
        self.text.clear();
        self.cursor = 0;
        _ = self.insert(text);
    }

    /// Puts `text` in place of a stretch of bytes, and the cursor behind it.
    pub fn replace(&mut self, range: std::ops::Range<usize>, text: &str) {
        self.text.replace_range(range.clone(), "");
        self.cursor = range.start;
        _ = self.insert(text);
    }

    /// Inserts text at the cursor.  Line ends and tabs become spaces, control characters are written out.
    pub fn insert(&mut self, text: &str) -> Fit {
        let flat: String = text
            .replace("\r\n", "\n")
            .chars()
            .map(|c| {
                if matches!(c, '\n' | '\r' | '\t') {
                    ' '
                } else {
                    c
                }
            })
            .collect();
        let safe = harmless(flat.as_bytes());
        let mut room = LONGEST.saturating_sub(self.text.len()).min(safe.len());
        while !safe.is_char_boundary(room) {
            room -= 1;
        }
        self.text.insert_str(self.cursor, &safe[..room]);
        self.cursor += room;
        self.settle();
        if room < safe.len() {
            Fit::Cut
        } else {
            Fit::Whole
        }
    }

    pub fn apply(&mut self, edit: Edit) -> Fit {
        let (text, at) = (&self.text, self.cursor);
        match edit {
            Edit::Insert(c) => return self.insert(c.encode_utf8(&mut [0; 4])),
            Edit::Left => self.cursor = before(text, at),
            Edit::Right => self.cursor = after(text, at),
            Edit::WordLeft => self.cursor = part_before(text, at),
            Edit::WordRight => self.cursor = part_after(text, at),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = text.len(),
            // One character is no loss: it is typed again, and does not push out what was deleted before.
            Edit::Backspace => self.cut(before(text, at)..at),
            Edit::Delete => self.cut(at..after(text, at)),
            Edit::DeleteWord => self.delete(word_before(text, at)..at),
            Edit::DeletePart => self.delete(part_before(text, at)..at),
            Edit::DeletePartRight => self.delete(at..part_after(text, at)),
            Edit::DeleteToStart => self.delete(0..at),
            Edit::DeleteToEnd => self.delete(at..text.len()),
            Edit::Yank => {
                let deleted = self.deleted.clone();
                return self.insert(&deleted);
            }
        }
        self.settle();
        Fit::Whole
    }

    /// The part of the line around the cursor for a row of so many cells, one of which is the cursor's.  It moves by half
    /// rows, so that the text stands still while the cursor goes a little to and fro.
    pub fn window(&self, cells: usize) -> Window {
        let column = width(&self.text[..self.cursor]);
        if column < cells {
            return Window {
                from: 0,
                cursor: column,
            };
        }
        let step = (cells / 2).max(1);
        let skip = (column + 1 - cells.max(1)).div_ceil(step) * step;
        let (mut from, mut skipped) = (0, 0);
        for grapheme in self.text.graphemes(true) {
            if skipped >= skip || from >= self.cursor {
                break;
            }
            skipped += width(grapheme);
            from += grapheme.len();
        }
        Window {
            from,
            cursor: column.saturating_sub(skipped),
        }
    }

    fn delete(&mut self, range: std::ops::Range<usize>) {
        if !range.is_empty() {
            self.deleted = self.text[range.clone()].to_string();
        }
        self.cut(range);
    }

    fn cut(&mut self, range: std::ops::Range<usize>) {
        self.cursor = range.start;
        self.text.replace_range(range, "");
    }

    /// What was inserted or closed up may have joined with what follows.
    fn settle(&mut self) {
        let mut there = GraphemeCursor::new(self.cursor, self.text.len(), true);
        if there.is_boundary(&self.text, 0) != Ok(true) {
            self.cursor = after(&self.text, self.cursor);
        }
    }
}

fn before(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    let found = cursor.prev_boundary(text, 0);
    found.ok().flatten().unwrap_or(0)
}

fn after(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    let found = cursor.next_boundary(text, 0);
    found.ok().flatten().unwrap_or(text.len())
}

fn word_before(text: &str, at: usize) -> usize {
    let trimmed = text[..at].trim_end();
    trimmed.rfind(char::is_whitespace).map_or(0, |space| {
        space + trimmed[space..].chars().next().map_or(0, char::len_utf8)
    })
}

fn part_before(text: &str, at: usize) -> usize {
    let trimmed = text[..at].trim_end_matches(|c: char| !c.is_alphanumeric());
    trimmed.trim_end_matches(char::is_alphanumeric).len()
}

fn part_after(text: &str, at: usize) -> usize {
    let rest = text[at..].trim_start_matches(|c: char| !c.is_alphanumeric());
    let rest = rest.trim_start_matches(char::is_alphanumeric);
    text.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The line with the cursor in it as `|`.
    fn shown(editor: &Editor) -> String {
        let (before, after) = editor.text().split_at(editor.cursor());
        format!("{before}|{after}")
    }

    #[test]
    fn keys_do_what_they_do_in_shells() {
        use Edit::*;
        let cases: [(&str, &[Edit], &str); 14] = [
            ("ab", &[Left, Insert('x')], "ax|b"),
            ("run -t web", &[Start, Delete], "|un -t web"),
            ("run -t web[1-3]", &[WordLeft, WordLeft], "run -t web[|1-3]"),
            ("run -t web", &[Start, WordRight], "run| -t web"),
            ("run -t web,db  ", &[DeleteWord], "run -t |"),
            ("run -t web,db", &[DeletePart], "run -t web,|"),
            ("run -t", &[Start, DeletePartRight], "| -t"),
            ("run -t", &[Left, Left, DeleteToStart], "|-t"),
            ("run -t", &[Start, DeleteToEnd], "|"),
            ("run -t", &[DeleteWord, Start, Yank], "-t|run "),
            ("日本", &[Left, Backspace], "|本"),
            // A letter and its accent, and a flag, are one each.
            ("e\u{301}x", &[Left, Backspace], "|x"),
            ("a🇩🇪", &[Backspace], "a|"),
            ("", &[Left, Right, Backspace, Delete, DeleteWord], "|"),
        ];
        for (text, edits, want) in cases {
            let mut editor = Editor::new(text);
            for edit in edits {
                _ = editor.apply(*edit);
            }
            assert_eq!(shown(&editor), want, "{text:?} {edits:?}");
        }
    }

    #[test]
    fn what_is_pasted_is_one_harmless_line() {
        let mut editor = Editor::default();
        assert_eq!(editor.insert("a\r\nb\tc\u{1b}[2J\u{202e}"), Fit::Whole);
        assert_eq!(editor.text(), "a b c^[[2J\\u{202e}");
        let long = "é".repeat(LONGEST);
        assert_eq!(editor.insert(&long), Fit::Cut);
        assert!(editor.text().len() <= LONGEST && editor.text().ends_with('é'));
    }

    #[test]
    fn the_window_holds_the_cursor() {
        let mut editor = Editor::new(&"日".repeat(32));
        for cells in [1, 2, 3, 10, 63, 64, 65, 200] {
            let window = editor.window(cells);
            assert!(window.cursor < cells.max(1), "{cells}: {window:?}");
        }
        assert_eq!(editor.window(65).from, 0);
        // A little to the left, and nothing moves.
        let there = editor.window(20).from;
        _ = editor.apply(Edit::Left);
        assert_eq!(editor.window(20).from, there);
    }

    fn edits() -> impl Strategy<Value = Edit> {
        use Edit::*;
        prop_oneof![
            any::<char>().prop_map(Insert),
            prop::sample::select(vec!['\u{301}', '\u{1f1e9}', ' ', 'a', '\u{0e33}'])
                .prop_map(Insert),
            prop::sample::select(vec![
                Left,
                Right,
                WordLeft,
                WordRight,
                Start,
                End,
                Backspace,
                Delete,
                DeleteWord,
                DeletePart,
                DeletePartRight,
                DeleteToStart,
                DeleteToEnd,
                Yank,
            ]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_cursor_always_stands_between_graphemes(
            start in any::<String>(),
            edits in prop::collection::vec(edits(), 0..40),
            cells in 1_usize..100,
        ) {
            let mut editor = Editor::new(&start);
            for edit in edits {
                _ = editor.apply(edit);
                let text = editor.text();
                let mut bounds = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]);
                prop_assert!(bounds.any(|bound| bound == editor.cursor()), "{:?}", shown(&editor));
                prop_assert!(!text.contains(char::is_control));
                let window = editor.window(cells);
                prop_assert!(window.cursor < cells && window.from <= editor.cursor());
            }
        }
    }
}
