//! Drawing the view: from what is in memory, and from nothing else.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::cells::{draw_line, of_look};
use super::document::Sign;
use super::scroll::ScreenLine;
use super::stretch::Cached;
use super::styles::OutputStyles;
use super::walk::{At, Body, Spot};
use super::{Content, OutputView, Prefix, Times, Wrap, wrap};
use crate::core::output::{Count, Stream};
use crate::view::count::{Noun, agreeing, counted};
use crate::view::span;
use crate::view::text::{cut, harmless, width};
use crate::wire::look::RowKind;

/// On a screen of fewer columns there are no line numbers.
const NARROW: u16 = 50;
/// A host takes no more cells before its rows.
const HOST_MOST: usize = 16;
const TIME: usize = 8;

/// What stands before the text, in cells each; 0 for what does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gutter {
    number: usize,
    time: usize,
    host: usize,
    mark: usize,
}

impl Gutter {
    fn width(self) -> usize {
        self.number + self.time + self.host + self.mark
    }
}

impl OutputView {
    /// Draws the text into the area, which is as large as [`OutputView::set_size`] was told.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, styles: &OutputStyles) {
        buf.set_style(area, styles.text);
        if let Some(hidden) = self.hidden() {
            let size = span::bytes(self.parts[hidden].child.end.offset);
            let words = format!("binary, {size}; `save` saves it, `open` shows it all the same");
            put(buf, area, 0, &words, styles.note);
            return;
        }
        let gutter = self.gutter();
        for (y, line) in (area.y..area.bottom()).zip(self.screen()) {
            let row = Rect {
                y,
                height: 1,
                ..area
            };
            match line {
                ScreenLine::Missing => {
                    put(buf, row, gutter.width(), styles.signs.missing, styles.dim);
                }
                ScreenLine::Of(spot, number) => {
                    self.draw_spot(spot, number, gutter, row, buf, styles);
                }
            }
        }
    }

    /// How many cells there are for the text.
    pub(super) fn text_width(&self) -> usize {
        let width = usize::from(self.size.width);
        width.saturating_sub(self.gutter().width()).max(1)
    }

    /// How many cells the widest row on the screen takes.
    pub(super) fn widest_on_screen(&self) -> usize {
        let rows = self.screen().into_iter().filter_map(|line| match line {
            ScreenLine::Of(spot, _) => self.row(spot),
            ScreenLine::Missing => None,
        });
        rows.map(|row| row.line().cells).max().unwrap_or(0)
    }

    fn gutter(&self) -> Gutter {
        let narrow = self.size.width < NARROW;
        if matches!(self.content, Content::Text { .. }) {
            return Gutter {
                number: 0,
                time: 0,
                host: 0,
                mark: 2,
            };
        }
        let most = if narrow { HOST_MOST / 2 } else { HOST_MOST };
        let number = if narrow { 0 } else { 1 + self.digits };
        let time = match self.settings.times {
            Times::Off => 0,
            Times::Clock | Times::SinceStart => 1 + TIME,
        };
        let host = match self.settings.prefix {
            Prefix::Shown if self.parts.len() > 1 => 1 + self.widest_host.min(most),
            Prefix::Shown | Prefix::Hidden => 0,
        };
        Gutter {
            number,
            time,
            host,
            // A space before the mark only where something stands there.
            mark: if number + time + host == 0 { 2 } else { 3 },
        }
    }

    fn draw_spot(
        &self,
        spot: Spot,
        number: usize,
        gutter: Gutter,
        area: Rect,
        buf: &mut Buffer,
        styles: &OutputStyles,
    ) {
        let rule = |words: &str| {
            let lines = styles.signs.line.repeat(2);
            format!("{lines} {} {lines}", harmless(words.as_bytes()))
        };
        let part = &self.parts[spot.part];
        match spot.at {
            At::Head => {
                let mut words = rule(&part.child.host);
                let rest = usize::from(area.width).saturating_sub(width(&words));
                words.push_str(&styles.signs.line.repeat(rest));
                put(buf, area, 0, &words, styles.head);
            }
            At::Body(_, Body::Rule(number)) => {
                let at = part.rules.get(number).map_or(0, |rule| rule.at);
                let mut words = rule(&span::clock(at, &self.zone));
                let rest = usize::from(area.width).saturating_sub(width(&words));
                words.push_str(&styles.signs.line.repeat(rest));
                put(buf, area, 0, &words, styles.note);
            }
            At::End => {
                if let Some(ending) = &part.child.ending {
                    let at = ending
                        .at
                        .map(|at| format!(", {}", span::clock(at, &self.zone)));
                    let words = format!("end: {}{}", ending.what, at.unwrap_or_default());
                    let (words, room) = (rule(&words), usize::from(area.width));
                    // A reason matters more than where it stands.
                    let x = gutter.width().min(room.saturating_sub(width(&words)));
                    put(buf, area, x, &words, styles.note);
                }
            }
            At::Body(_, Body::Row) => match self.row(spot) {
                None => put(buf, area, gutter.width(), styles.signs.missing, styles.dim),
                Some(row) => {
                    if number == 0 {
                        self.draw_gutter(spot, row, gutter, area, buf, styles);
                    }
                    match &row.row.what {
                        RowKind::Cut(count) => {
                            put(
                                buf,
                                area,
                                gutter.width(),
                                &rule(&cut_words(*count)),
                                styles.note,
                            );
                        }
                        RowKind::Text { .. } => {
                            self.draw_text(spot, row, number, gutter, area, buf, styles);
                        }
                    }
                }
            },
        }
        let chosen = self
            .selection
            .is_some_and(|selection| selection.contains(spot));
        if chosen {
            buf.set_style(area, styles.selected);
        }
    }

    fn draw_gutter(
        &self,
        spot: Spot,
        row: &Cached,
        gutter: Gutter,
        area: Rect,
        buf: &mut Buffer,
        styles: &OutputStyles,
    ) {
        let part = &self.parts[spot.part];
        let mut x = 0;
        if gutter.number > 0 {
            let number = (row.row.at.line + 1).to_string();
            let is_text = matches!(row.row.what, RowKind::Text { .. });
            if is_text && number.len() < gutter.number && !self.goes_on(spot) {
                put(
                    buf,
                    area,
                    x + gutter.number - number.len(),
                    &number,
                    styles.number,
                );
            }
            x += gutter.number;
        }
        if gutter.time > 0 {
            if let Some(time) = row.row.time {
                let words = match (self.settings.times, part.child.began) {
                    (Times::SinceStart, Some(began)) => {
                        format!("+{}", span::seconds((time - began) as f64 / 1000.0))
                    }
                    (Times::SinceStart | Times::Clock | Times::Off, _) => {
                        span::clock(time, &self.zone)
                    }
                };
                let from = gutter.time.saturating_sub(width(&words));
                put(buf, area, x + from, &words, styles.time);
            }
            x += gutter.time;
        }
        if gutter.host > 0 {
            let host = cut(&part.child.host, gutter.host - 1);
            put(buf, area, x + 1, &host, styles.host);
            x += gutter.host;
        }
        let (mark, style) = match (row.sign, &row.row.what) {
            (Sign::Added, _) => ("+", styles.added),
            (Sign::Removed, _) => ("-", styles.removed),
            (Sign::Note, _) | (Sign::Plain, RowKind::Cut(_)) => ("", styles.note),
            (Sign::Plain, _) if matches!(self.content, Content::Text { .. }) => ("", styles.text),
            (Sign::Plain, RowKind::Text { stream, .. }) => match stream {
                Stream::Out => (styles.signs.out, styles.out),
                Stream::Err => (styles.signs.err, styles.err),
            },
        };
        put(buf, area, x + gutter.mark - 2, mark, style);
        if row.goes_on() {
            let beside = x + gutter.mark - 1;
            put(buf, area, beside, styles.signs.goes_on, styles.dim);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "where, what and how to draw")]
    fn draw_text(
        &self,
        spot: Spot,
        row: &Cached,
        number: usize,
        gutter: Gutter,
        area: Rect,
        buf: &mut Buffer,
        styles: &OutputStyles,
    ) {
        let line = row.line();
        let before = (gutter.width() as u16).min(area.width);
        let area = Rect {
            x: area.x + before,
            width: area.width - before,
            ..area
        };
        let wide = usize::from(area.width);
        let from = match self.settings.wrap {
            Wrap::Cut => self.settings.left,
            Wrap::Wrapped => wrap::start(line, number, wide),
        };
        let to = match self.settings.wrap {
            Wrap::Cut => from + wide,
            Wrap::Wrapped => wrap::start(line, number + 1, wide).max(from),
        };
        let base = match row.sign {
            Sign::Plain => Style::new(),
            Sign::Added => styles.added,
            Sign::Removed => styles.removed,
            Sign::Note => styles.note,
        };
        let base = if self.may_go_on(spot, row) {
            styles.dim
        } else {
            base
        };
        let to = to.min(from + wide);
        draw_line(line, from, to, area, buf, |look| {
            base.patch(of_look(look, styles.colours))
        });
        if let Some(search) = &self.search {
            let here = search.current == Some(spot);
            let style = if here {
                styles.found_here
            } else {
                styles.found
            };
            for found in row.found(&search.pattern) {
                let (first, last) = (found.start.max(from), found.end.min(to));
                if first < last {
                    let at = Rect {
                        x: area.x + (first - from) as u16,
                        width: (last - first) as u16,
                        ..area
                    };
                    buf.set_style(at, style);
                }
            }
        }
        if self.settings.wrap == Wrap::Cut && line.cells > to && wide > 0 {
            if wide > 1 {
                let before = &mut buf[(area.right() - 2, area.y)];
                if width(before.symbol()) > 1 {
                    before.set_symbol(" ");
                }
            }
            put(buf, area, wide - 1, styles.signs.more, styles.dim);
        }
    }

    /// Whether a row is the end of output that goes on, without a newline so far.
    fn may_go_on(&self, spot: Spot, row: &Cached) -> bool {
        let part = &self.parts[spot.part];
        let next = row.row.at.offset + row.data().len() as u64;
        row.is_open() && part.child.ending.is_none() && next >= part.child.end.offset
    }
}

/// What is said where output was cut out.
pub(super) fn cut_words(count: Count) -> String {
    let size = span::bytes(count.bytes);
    match count.lines {
        0 => format!("{size} were cut here"),
        lines => format!(
            "{} ({size}) {} cut here",
            counted(lines, Noun::Line),
            agreeing(lines, "was", "were")
        ),
    }
}

fn put(buf: &mut Buffer, area: Rect, x: usize, text: &str, style: Style) {
    let room = usize::from(area.width).saturating_sub(x);
    if room > 0 && area.height > 0 {
        buf.set_stringn(area.x + x as u16, area.y, text, room, style);
    }
}
