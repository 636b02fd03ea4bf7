//! Where columns stand: the host at the left, whatever else is scrolled away.

use std::ops::Range;

use super::HOST;

/// The sign of the row under the cursor or of a mark, and a space.
pub(super) const GUTTER: usize = 2;

/// Between two columns.
const BETWEEN: usize = 2;

/// A column that is cut to less says nothing.
const LEAST: usize = 6;

/// The columns that are shown, and which of them are on the screen.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Beside the host.
    others: Vec<usize>,
    /// 0 is the host, 1 the first of the others.
    cursor: usize,
    /// The first of the others that is on the screen.
    first: usize,
}

/// A column on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub column: usize,
    pub x: usize,
    pub cells: usize,
    pub fits: Fits,
}

/// Whether all of a column can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fits {
    Whole,
    Cut,
}

/// The columns on the screen, and how many are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placing {
    pub placed: Vec<Placed>,
    pub before: usize,
    pub behind: usize,
}

impl Grid {
    pub(super) fn new(others: Vec<usize>) -> Self {
        Self {
            others,
            cursor: 0,
            first: 0,
        }
    }

    /// The columns in their order, the host first.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        std::iter::once(HOST).chain(self.others.iter().copied())
    }

    /// The one at the right end.
    pub(super) fn last(&self) -> usize {
        self.others.last().copied().unwrap_or(HOST)
    }

    /// The column under the cursor.
    pub(super) fn current(&self) -> usize {
        match self.cursor.checked_sub(1) {
            Some(other) => self.others.get(other).copied().unwrap_or(HOST),
            None => HOST,
        }
    }

    /// Shows these beside the host; the cursor stays on its column if that is still there.
    pub(super) fn choose(&mut self, others: Vec<usize>) {
        let current = self.current();
        self.others = others;
        let at = self.columns().position(|column| column == current);
        self.cursor = at.unwrap_or(self.cursor.min(self.others.len()));
    }

    /// Shows more columns, behind those that are shown.
    pub(super) fn add(&mut self, more: Range<usize>) {
        self.others.extend(more);
    }

    pub(super) fn step(&mut self, by: isize) {
        self.cursor = self.cursor.saturating_add_signed(by).min(self.others.len());
    }

    pub(super) fn go_first(&mut self) {
        (self.cursor, self.first) = (0, 0);
    }

    pub(super) fn go_last(&mut self) {
        self.cursor = self.others.len();
    }

    /// Brings the column under the cursor onto a screen of this width, and leaves no room unused; `cells` are what each
    /// column needs.
    pub(super) fn scroll(&mut self, width: usize, cells: impl Fn(usize) -> usize) {
        self.first = self.first.min(self.others.len().saturating_sub(1));
        if let Some(at) = self.cursor.checked_sub(1) {
            self.first = self.first.min(at);
            while self.first < at && !self.shows(at, width, &cells) {
                self.first += 1;
            }
        }
        while self.first > 0 {
            let wider = Self {
                first: self.first - 1,
                ..self.clone()
            };
            let placing = wider.place(width, &cells);
            let all = placing.behind == 0
                && placing
                    .placed
                    .iter()
                    .all(|placed| placed.fits == Fits::Whole);
            if !all {
                break;
            }
            self.first -= 1;
        }
    }

    fn shows(&self, at: usize, width: usize, cells: &impl Fn(usize) -> usize) -> bool {
        let column = self.others[at];
        let placing = self.place(width, cells);
        placing
            .placed
            .iter()
            .any(|placed| placed.column == column && placed.fits == Fits::Whole)
    }

    /// Where columns stand on a screen of this width.  Its last cell is left to the sign that there is more, if there is.
    pub(super) fn place(&self, width: usize, cells: impl Fn(usize) -> usize) -> Placing {
        let all = self.fill(width, &cells);
        if all.behind == 0 && all.placed.iter().all(|at| at.fits == Fits::Whole) {
            return all;
        }
        self.fill(width.saturating_sub(1), &cells)
    }

    fn fill(&self, width: usize, cells: &impl Fn(usize) -> usize) -> Placing {
        let room = width.saturating_sub(GUTTER);
        // There has to be room for something beside it.
        let most = if self.others.is_empty() {
            room
        } else {
            room / 2
        };
        let needed = cells(HOST);
        let host = Placed {
            column: HOST,
            x: GUTTER,
            cells: needed.min(most),
            fits: if needed <= most {
                Fits::Whole
            } else {
                Fits::Cut
            },
        };
        let mut x = host.x + host.cells + BETWEEN;
        let mut placed = vec![host];
        for column in self.others.iter().skip(self.first) {
            let (needed, left) = (cells(*column), width.saturating_sub(x));
            let alone = placed.len() == 1;
            if needed > left && left < LEAST && !(alone && left > 0) {
                break;
            }
            placed.push(Placed {
                column: *column,
                x,
                cells: needed.min(left),
                fits: if needed <= left {
                    Fits::Whole
                } else {
                    Fits::Cut
                },
            });
            x += needed + BETWEEN;
            if needed > left {
                break;
            }
        }
        let behind = self.others.len() - self.first.min(self.others.len()) - (placed.len() - 1);
        Placing {
            placed,
            before: self.first.min(self.others.len()),
            behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(grid: &Grid, width: usize) -> String {
        let placing = grid.place(width, |_| 10);
        let columns: Vec<String> = placing
            .placed
            .iter()
            .map(|placed| match placed.fits {
                Fits::Whole => placed.column.to_string(),
                Fits::Cut => format!("{}({})", placed.column, placed.cells),
            })
            .collect();
        format!(
            "{} < {} > {}",
            placing.before,
            columns.join(" "),
            placing.behind
        )
    }

    #[test]
    fn the_host_stays_and_the_others_are_cut_from_the_right() {
        let mut grid = Grid::new(vec![3, 4, 5]);
        assert_eq!(shown(&grid, 80), "0 < 0 3 4 5 > 0");
        assert_eq!(shown(&grid, 40), "0 < 0 3 4 > 1", "too little for a part");
        assert_eq!(shown(&grid, 45), "0 < 0 3 4 5(6) > 0");
        assert_eq!(shown(&grid, 48), "0 < 0 3 4 5 > 0", "no sign is needed");
        assert_eq!(shown(&grid, 16), "0 < 0(6) 3(5) > 2", "one beside it");
        assert_eq!(shown(&grid, 0), "0 < 0(0) > 3");
        grid.go_last();
        grid.scroll(40, |_| 10);
        assert_eq!(
            (shown(&grid, 40), grid.current()),
            ("1 < 0 4 5 > 0".into(), 5)
        );
        grid.scroll(80, |_| 10);
        assert_eq!(shown(&grid, 80), "0 < 0 3 4 5 > 0", "no room is unused");
        grid.scroll(16, |_| 10);
        assert_eq!(shown(&grid, 16), "2 < 0(6) 5(5) > 0");
        grid.step(-1);
        grid.scroll(40, |_| 10);
        assert_eq!(
            (shown(&grid, 40), grid.current()),
            ("1 < 0 4 5 > 0".into(), 4)
        );
        grid.choose(vec![5, 4]);
        assert_eq!(grid.current(), 4, "where it stands now");
        grid.choose(vec![5]);
        assert_eq!(grid.current(), 5);
        grid.step(-9);
        assert_eq!(grid.current(), HOST);
    }
}
