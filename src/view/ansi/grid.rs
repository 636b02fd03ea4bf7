//! One row of cells that is written on as a terminal would.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;
use vte::{Params, Parser, Perform};

use super::{Line, Look, Pen, Span, TAB, keeps_width, steady};

/// More marks than this on one character are written out beside it.
const MOST_MARKS: usize = 4;

pub(super) struct Grid {
    cells: Vec<Cell>,
    /// Combining marks, where there are any; cells name them by their place here plus one.
    marks: Vec<String>,
    /// Where the next character goes; never behind the end of the cells.
    cursor: usize,
    /// Where something written out ended: a mark there has nothing to stand on.
    written: usize,
    pen: Pen,
    /// What cells look like; they name it by its place here.  The last one is the pen's.
    looks: Vec<Look>,
    /// The byte that the next replacement character stands for.
    invalid: Option<u8>,
}

#[derive(Clone, Copy)]
struct Cell {
    glyph: Glyph,
    marks: u32,
    look: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Glyph {
    Char(char),
    Tab,
    /// Taken by what began in a cell before.
    Tail,
}

impl Grid {
    pub(super) fn of(row: &[u8], pen: Pen) -> Self {
        let mut grid = Self {
            cells: Vec::with_capacity(row.len().min(512)),
            marks: Vec::new(),
            cursor: 0,
            written: 0,
            pen,
            looks: vec![pen.look],
            invalid: None,
        };
        let mut parser = Parser::new();
        for chunk in row.utf8_chunks() {
            parser.advance(&mut grid, chunk.valid().as_bytes());
            for byte in chunk.invalid() {
                // Within an escape sequence it is swallowed with that.
                grid.invalid = Some(*byte);
                parser.advance(&mut grid, "\u{fffd}".as_bytes());
            }
            grid.invalid = None;
        }
        grid
    }

    pub(super) fn pen(&self) -> Pen {
        self.pen
    }

    /// As it reads.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.cells.len());
        for cell in &self.cells {
            match cell.glyph {
                Glyph::Char(c) => self.write(c, *cell, &mut text),
                Glyph::Tab => text.push('\t'),
                Glyph::Tail => {}
            }
        }
        text
    }

    /// As it is seen.
    pub(super) fn line(&self) -> Line {
        let mut spans: Vec<Span> = Vec::new();
        let mut tab = false;
        for run in self.cells.chunk_by(|one, next| one.look == next.look) {
            let mut text = String::with_capacity(run.len());
            for cell in run {
                match cell.glyph {
                    Glyph::Char(c) => {
                        tab = false;
                        self.write(c, *cell, &mut text);
                    }
                    Glyph::Tab => {
                        tab = true;
                        text.push(' ');
                    }
                    Glyph::Tail if tab => text.push(' '),
                    Glyph::Tail => {}
                }
            }
            spans.push(Span {
                look: self.looks[run[0].look as usize],
                text,
                cells: run.len(),
            });
        }
        Line {
            spans,
            cells: self.cells.len(),
        }
    }

    fn write(&self, c: char, cell: Cell, text: &mut String) {
        text.push(c);
        if let Some(place) = (cell.marks as usize).checked_sub(1) {
            text.push_str(&self.marks[place]);
        }
    }

    /// Puts a character that takes so many cells where the cursor is.
    fn put(&mut self, c: char, cells: usize) {
        if self.cursor < self.cells.len() {
            self.tear(self.cursor);
            self.tear(self.cursor + cells);
        }
        self.set(Glyph::Char(c));
        for _ in 1..cells {
            self.set(Glyph::Tail);
        }
    }

    fn set(&mut self, glyph: Glyph) {
        let cell = Cell {
            glyph,
            marks: 0,
            look: (self.looks.len() - 1) as u32,
        };
        match self.cells.get_mut(self.cursor) {
            Some(old) => *old = cell,
            None => self.cells.push(cell),
        }
        self.cursor += 1;
    }

    /// What reaches over the border before cell `at` becomes spaces: half of it will be written over.
    fn tear(&mut self, at: usize) {
        let is_tail = |cell: &Cell| cell.glyph == Glyph::Tail;
        if !self.cells.get(at).is_some_and(is_tail) {
            return;
        }
        let before = self.cells[..at].iter().rev();
        let first = at - 1 - before.take_while(|cell| is_tail(cell)).count();
        let behind = self.cells[at..].iter().take_while(|cell| is_tail(cell));
        let behind = at + behind.count();
        for cell in &mut self.cells[first..behind] {
            cell.glyph = Glyph::Char(' ');
            cell.marks = 0;
        }
    }

    /// Puts a mark on what is before the cursor.  Whether it could.
    fn mark(&mut self, mark: char) -> bool {
        if self.cursor == self.written {
            return false;
        }
        let before = self.cells[..self.cursor].iter();
        let tails = before
            .rev()
            .take(2)
            .take_while(|cell| cell.glyph == Glyph::Tail)
            .count();
        let Some(at) = self.cursor.checked_sub(1 + tails) else {
            return false;
        };
        let cell = self.cells[at];
        let Glyph::Char(c) = cell.glyph else {
            return false;
        };
        let mut all = String::new();
        self.write(c, cell, &mut all);
        if all.chars().count() > MOST_MARKS {
            return false;
        }
        all.push(mark);
        if !keeps_width(&all, 1 + tails) {
            return false;
        }
        let marks = &all[c.len_utf8()..];
        self.marks.push(marks.to_string());
        self.cells[at].marks = self.marks.len() as u32;
        true
    }

    fn tab(&mut self) {
        let stop = (self.cursor / TAB + 1) * TAB;
        if self.cursor == self.cells.len() {
            self.set(Glyph::Tab);
            while self.cursor < stop {
                self.set(Glyph::Tail);
            }
            return;
        }
        // Over what is there it only moves.
        self.cursor = stop.min(self.cells.len());
        while self.cursor < stop {
            self.set(Glyph::Char(' '));
        }
    }

    fn written_out(&mut self, text: &str) {
        for c in text.chars() {
            self.put(c, 1);
        }
        self.written = self.cursor;
    }

    fn erase(&mut self, from: usize) {
        self.tear(from);
        self.cells.truncate(from);
        self.cursor = self.cursor.min(from);
    }
}

impl Perform for Grid {
    fn print(&mut self, c: char) {
        if let Some(cells) = steady(c) {
            match self.invalid.take() {
                Some(byte) => self.written_out(&format!("\\x{byte:02x}")),
                None => self.put(c, cells),
            }
            return;
        }
        match c {
            '\u{7f}' => self.execute(0x7f),
            // They only choose between two pictures of a character, and terminals disagree on how wide that is.
            '\u{fe00}'..='\u{fe0f}' => {}
            c => {
                let is_mark = c.width() == Some(0) && !crate::view::text::is_deceptive(c);
                if !is_mark || !self.mark(c) {
                    let mut text = String::new();
                    _ = write!(text, "\\u{{{:x}}}", c as u32);
                    self.written_out(&text);
                }
            }
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.cursor = 0,
            0x08 => self.cursor = self.cursor.saturating_sub(1),
            b'\t' => self.tab(),
            byte => self.written_out(&format!("\\x{byte:02x}")),
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        if !intermediates.is_empty() {
            return;
        }
        let first = params.iter().next().and_then(<[u16]>::first).copied();
        let first = first.unwrap_or(0);
        match (action, first) {
            ('m', _) => {
                self.pen.set(params);
                if self.looks.last() != Some(&self.pen.look) {
                    self.looks.push(self.pen.look);
                }
            }
            ('K', 0) => self.erase(self.cursor),
            // Who erases the whole line goes on to write it from its beginning.
            ('K', 2) => self.erase(0),
            ('G', column) => {
                let column = usize::from(column).saturating_sub(1);
                self.cursor = column.min(self.cells.len());
            }
            _ => {}
        }
    }
}
