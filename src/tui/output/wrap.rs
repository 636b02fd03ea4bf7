//! Rows that are wider than the screen: where their lines begin, and what is on a line.

use unicode_width::UnicodeWidthChar as _;

use crate::view::ansi::Line;

/// How many lines a row takes; at least one.
pub(super) fn lines(line: &Line, width: usize) -> usize {
    if is_narrow(line) {
        return line.cells.div_ceil(width.max(1)).max(1);
    }
    starts(line, width).len()
}

/// The cell in which the line with this number begins.
pub(super) fn start(line: &Line, number: usize, width: usize) -> usize {
    if number == 0 {
        0
    } else if is_narrow(line) {
        number * width.max(1)
    } else {
        starts(line, width)
            .get(number)
            .copied()
            .unwrap_or(line.cells)
    }
}

/// The number of the line in which a cell is.
pub(super) fn number(line: &Line, cell: usize, width: usize) -> usize {
    if is_narrow(line) {
        return cell / width.max(1);
    }
    let starts = starts(line, width);
    starts
        .partition_point(|start| *start <= cell)
        .saturating_sub(1)
}

/// Whether every character takes one cell.
fn is_narrow(line: &Line) -> bool {
    line.spans.iter().all(|span| span.text.len() == span.cells)
}

/// Where lines begin: a character that takes two cells is never cut in two.
fn starts(line: &Line, width: usize) -> Vec<usize> {
    let (mut starts, mut cells) = (vec![0], 0);
    let mut room = width;
    for c in line.spans.iter().flat_map(|span| span.text.chars()) {
        let takes = c.width().unwrap_or(0);
        if takes > room && room < width {
            starts.push(cells);
            room = width;
        }
        // On a screen of one cell there is no right way.
        room = room.saturating_sub(takes);
        cells += takes;
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::ansi::Pen;

    #[test]
    fn lines_begin_where_the_screen_ends() {
        let cases: [(&str, usize, &[usize]); 7] = [
            ("", 10, &[0]),
            ("1234567890", 10, &[0]),
            ("1234567890a", 10, &[0, 10]),
            ("日本語", 4, &[0, 4]),
            ("a日本語", 4, &[0, 3]),
            ("e\u{301}e\u{301}e\u{301}", 2, &[0, 2]),
            ("日本", 1, &[0, 2]),
        ];
        for (row, width, want) in cases {
            let line = Line::of(row.as_bytes(), Pen::default()).0;
            assert_eq!(lines(&line, width), want.len(), "{row} in {width}");
            let starts: Vec<_> = (0..want.len()).map(|n| start(&line, n, width)).collect();
            assert_eq!(starts, want, "{row} in {width}");
        }
    }
}
