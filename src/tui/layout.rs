//! Which part of the screen is whose: a pure function of its size.

use ratatui::layout::Rect;

/// From so many columns and rows there is room for details beside the list.
const WIDE: (u16, u16) = (140, 30);

/// From so many rows on, what children came to and what happened are shown below.
const TALL: u16 = 44;

/// From so many columns and rows a preview is shown below the list.
const USUAL: (u16, u16) = (80, 20);

/// Below this, only a line of counts.
const SMALLEST: (u16, u16) = (30, 4);

/// The screen's parts.  A part that there is no room for is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panes {
    pub header: Rect,
    /// The names of the screens.
    pub tabs: Option<Rect>,
    pub main: Rect,
    /// What the row under the cursor has to say: below the list, or beside it.
    pub side: Option<Rect>,
    pub below: Option<Below>,
    /// The keys that work here.
    pub hints: Option<Rect>,
    /// Toasts, the mode, the bar.
    pub last: Rect,
}

/// What tall screens have beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Below {
    pub groups: Rect,
    pub events: Rect,
}

/// The screen, or that there is not enough of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One line that says how things stand.
    Line(Rect),
    Panes(Panes),
}

/// What the pane beside the list is for, which decides whether there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A list with a preview.
    Split,
    /// One pane with everything.
    Whole,
}

/// Lays out a screen.
pub fn layout(area: Rect, want: Want) -> Layout {
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return Layout::Line(Rect {
            height: area.height.min(1),
            ..area
        });
    }
    let mut top = area.y;
    let mut bottom = area.y + area.height;
    let mut row_at_top = || {
        let row = Rect {
            y: top,
            height: 1,
            ..area
        };
        top += 1;
        row
    };
    let header = row_at_top();
    let wide = area.width >= WIDE.0 && area.height >= WIDE.1;
    let tabs = wide.then(&mut row_at_top);
    bottom -= 1;
    let last = Rect {
        y: bottom,
        height: 1,
        ..area
    };
    let hints = (area.height >= 8).then(|| {
        bottom -= 1;
        Rect {
            y: bottom,
            height: 1,
            ..area
        }
    });
    let body = Rect {
        y: top,
        height: bottom - top,
        ..area
    };
    let usual = area.width >= USUAL.0 && area.height >= USUAL.1;
    let (main, side, below) = match want {
        Want::Split if wide => wide_split(area, body),
        Want::Split if usual => {
            // A little less than half for the preview: the list is what is worked in.
            let height = (body.height * 2 / 5).max(4);
            let (main, side) = cut_below(body, height);
            (main, Some(side), None)
        }
        Want::Split | Want::Whole => (body, None, None),
    };
    Layout::Panes(Panes {
        header,
        tabs,
        main,
        side,
        below,
        hints,
        last,
    })
}

fn wide_split(area: Rect, body: Rect) -> (Rect, Option<Rect>, Option<Below>) {
    let (upper, below) = if area.height >= TALL {
        let (upper, lower) = cut_below(body, body.height * 2 / 5);
        let (groups, events) = cut_below(lower, lower.height / 2);
        (upper, Some(Below { groups, events }))
    } else {
        (body, None)
    };
    let across = (upper.width * 2 / 5).max(60).min(upper.width);
    let main = Rect {
        width: upper.width - across,
        ..upper
    };
    let side = Rect {
        x: upper.x + main.width,
        width: across,
        ..upper
    };
    (main, Some(side), below)
}

/// The upper part, and `height` rows at the bottom.
fn cut_below(area: Rect, height: u16) -> (Rect, Rect) {
    let height = height.min(area.height);
    let upper = Rect {
        height: area.height - height,
        ..area
    };
    let lower = Rect {
        y: area.y + upper.height,
        height,
        ..area
    };
    (upper, lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_beside_each_other_whatever_the_size() {
        for width in 0..310 {
            for height in 0..110 {
                for want in [Want::Split, Want::Whole] {
                    let area = Rect::new(0, 0, width, height);
                    let Layout::Panes(panes) = layout(area, want) else {
                        continue;
                    };
                    let below = panes.below.map(|below| [below.groups, below.events]);
                    let parts = [
                        Some(panes.header),
                        panes.tabs,
                        Some(panes.main),
                        panes.side,
                        panes.hints,
                        Some(panes.last),
                    ];
                    let parts: Vec<Rect> = parts
                        .into_iter()
                        .flatten()
                        .chain(below.into_iter().flatten())
                        .collect();
                    let cells: u32 = parts.iter().map(|part| part.area()).sum();
                    assert_eq!(cells, area.area(), "{area:?} {panes:?}");
                    for (n, part) in parts.iter().enumerate() {
                        assert_eq!(part.intersection(area), *part, "inside");
                        let meets = parts[..n]
                            .iter()
                            .any(|other| !other.intersection(*part).is_empty());
                        assert!(!meets, "{area:?} {panes:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_designed_sizes_have_the_designed_parts() {
        let parts = |width, height| match layout(Rect::new(0, 0, width, height), Want::Split) {
            Layout::Line(_) => "line",
            Layout::Panes(Panes { below: Some(_), .. }) => "all",
            Layout::Panes(Panes {
                side: Some(_),
                tabs: Some(_),
                ..
            }) => "beside",
            Layout::Panes(Panes { side: Some(_), .. }) => "below",
            Layout::Panes(Panes { hints: Some(_), .. }) => "list",
            Layout::Panes(_) => "bare",
        };
        let cases = [
            (300, 100, "all"),
            (160, 50, "all"),
            (140, 30, "beside"),
            (120, 40, "below"),
            (80, 24, "below"),
            (79, 24, "list"),
            (40, 10, "list"),
            (40, 7, "bare"),
            (29, 24, "line"),
            (20, 3, "line"),
        ];
        for (width, height, want) in cases {
            assert_eq!(parts(width, height), want, "{width}x{height}");
        }
    }
}
