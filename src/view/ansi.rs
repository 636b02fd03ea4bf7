//! A row of a command's output as it is seen: remote bytes to text with colours that can do nothing to a terminal.
//!
//! What programs do within one line is done here too: colours and attributes (SGR), carriage return and backspace write
//! over what is there, as do the two sequences that progress bars use beside them (erase in line, column).  Every other
//! escape sequence is swallowed whole; every other control is written out.  What is dangerous beside controls
//! [`text`](super::text) decides.  The work is linear in the length of the row, whatever it holds.
//!
//! Nothing is known here of screens, wrapping or themes: a row is as wide as it is.

use std::borrow::Cow;
use std::ops::{BitOr, BitOrAssign, Range};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

mod grid;
mod pen;
#[cfg(test)]
mod tests;

use grid::Grid;
pub use pen::Pen;

/// Every so many cells a tab stop.
const TAB: usize = 8;

/// A row as it is seen.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Line {
    pub spans: Vec<Span>,
    /// How many cells it takes.
    pub cells: usize,
}

/// A piece of a row in which everything looks the same.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Span {
    pub look: Look,
    /// No control character, nothing that reorders or hides; tabs are spaces.
    pub text: String,
    /// How many cells it takes.
    pub cells: usize,
}

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Look {
    pub fg: Option<Colour>,
    pub bg: Option<Colour>,
    pub attributes: Attributes,
}

/// A colour as programs name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// 0-15 the terminal's own, 16-231 a cube, 232-255 greys.
    Indexed(u8),
    Rgb(u8, u8, u8),
}

/// A set of attributes.  Blinking and hidden text are not among them: both deceive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Attributes(u8);

impl Attributes {
    pub const BOLD: Self = Self(1);
    pub const DIM: Self = Self(2);
    pub const ITALIC: Self = Self(4);
    pub const UNDERLINE: Self = Self(8);
    pub const REVERSE: Self = Self(16);
    pub const STRIKE: Self = Self(32);

    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Attributes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Attributes {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl Line {
    /// The row, written with `pen`, and the pen the next row is written with.
    pub fn of(row: &[u8], pen: Pen) -> (Self, Pen) {
        if let Some(text) = printable_ascii(row) {
            return (Self::plain(text, pen.look), pen);
        }
        let grid = Grid::of(row, pen);
        (grid.line(), grid.pen())
    }

    fn plain(text: &str, look: Look) -> Self {
        let cells = text.len();
        let span = Span {
            look,
            text: text.to_string(),
            cells,
        };
        Self {
            spans: if cells == 0 { vec![] } else { vec![span] },
            cells,
        }
    }
}

/// The pen after a row, for whoever does not need the row itself.
pub fn pen_after(row: &[u8], pen: Pen) -> Pen {
    if row.contains(&0x1b) {
        pen.after(row)
    } else {
        pen
    }
}

/// The row as it reads, without escape sequences: what is searched and copied.  Tabs stay, all else that is not text is
/// written out as in [`Line`].
///
/// Whoever searches has to look at this: a hit in anything else has no place on the screen.
pub fn plain(row: &[u8]) -> Cow<'_, str> {
    // A newline often has one before it, which goes back and writes nothing.
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    if let Some(text) = printable_ascii(row) {
        return Cow::Borrowed(text);
    }
    let text = std::str::from_utf8(row).ok();
    if let Some(text) = text.filter(|text| is_steady(text)) {
        return Cow::Borrowed(text);
    }
    let uncoloured = text.and_then(uncoloured);
    Cow::Owned(uncoloured.unwrap_or_else(|| Grid::of(row, Pen::default()).text()))
}

/// The text without colours and attributes, which is what most rows have that have anything: searches read many.
/// Nothing if there is more to it.
fn uncoloured(text: &str) -> Option<String> {
    let mut pieces = text.split('\u{1b}');
    let mut plain = String::with_capacity(text.len());
    plain.push_str(pieces.next()?);
    for piece in pieces {
        let sequence = piece.strip_prefix('[')?;
        let end = sequence.find(|c| !matches!(c, '0'..='9' | ';' | ':'))?;
        plain.push_str(sequence[end..].strip_prefix('m')?);
    }
    is_steady(&plain).then_some(plain)
}

fn is_steady(text: &str) -> bool {
    text.chars().all(|c| c == '\t' || steady(c).is_some())
}

/// Where pieces of a text of [`plain`], given as sorted ranges of bytes, are on the screen, in cells.
pub fn cells_of(text: &str, ranges: impl IntoIterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let (mut at, mut cells) = (0, 0);
    let mut cell_at = |byte: usize| {
        let piece = text.get(at..byte).unwrap_or_default();
        if printable_ascii(piece.as_bytes()).is_some() {
            cells += piece.len();
        } else {
            for c in piece.chars() {
                cells += match c {
                    '\t' => TAB - cells % TAB,
                    c => c.width().unwrap_or(0),
                };
            }
        }
        at = at.max(byte);
        cells
    };
    ranges
        .into_iter()
        .map(|range| cell_at(range.start)..cell_at(range.end))
        .collect()
}

fn printable_ascii(row: &[u8]) -> Option<&str> {
    let printable = |byte: &u8| (0x20..0x7f).contains(byte);
    // In pieces, so that the compiler can do many bytes at once and a row with colours is given up early.
    let all = row
        .chunks(64)
        .all(|piece| piece.iter().fold(true, |all, byte| all & printable(byte)));
    all.then(|| std::str::from_utf8(row).expect("ASCII is UTF-8"))
}

/// How many cells a character takes, if it takes the same whatever stands beside it and is what it seems to be.
#[inline]
fn steady(c: char) -> Option<usize> {
    if (' '..='~').contains(&c) {
        return Some(1);
    }
    // Skin tones join with what is before them on some terminals and not on others.
    let joins = matches!(c, '\u{1f3fb}'..='\u{1f3ff}');
    let cells = c.width().filter(|cells| *cells > 0)?;
    (!joins && !super::text::is_deceptive(c)).then_some(cells)
}

/// Whether a mark can stand on `base` without changing how wide that is.
fn keeps_width(base: &str, cells: usize) -> bool {
    base.width() == cells
}
