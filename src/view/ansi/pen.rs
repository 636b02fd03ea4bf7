//! What text is written with: the colours and attributes that SGR sequences set.

use vte::{Params, Parser, Perform};

use super::{Attributes, Colour, Look};

/// How what comes next looks.  The only thing that goes over from one row to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Pen {
    pub(super) look: Look,
}

impl Pen {
    /// The pen after everything in `row`.
    pub(super) fn after(self, row: &[u8]) -> Self {
        let mut only = Only(self);
        Parser::new().advance(&mut only, row);
        only.0
    }

    /// Obeys one SGR sequence (ECMA-48 8.3.117, and xterm's colours with semicolons and with colons).
    pub(super) fn set(&mut self, params: &Params) {
        let mut params = params.iter();
        while let Some(param) = params.next() {
            let look = &mut self.look;
            match param {
                [0] | [] => *look = Look::default(),
                [1] => look.attributes |= Attributes::BOLD,
                [2] => look.attributes |= Attributes::DIM,
                [3] => look.attributes |= Attributes::ITALIC,
                [4, 0] | [24] => {
                    look.attributes = look.attributes.without(Attributes::UNDERLINE);
                }
                [4, ..] | [21] => look.attributes |= Attributes::UNDERLINE,
                [7] => look.attributes |= Attributes::REVERSE,
                [9] => look.attributes |= Attributes::STRIKE,
                [22] => {
                    let weight = Attributes::BOLD | Attributes::DIM;
                    look.attributes = look.attributes.without(weight);
                }
                [23] => look.attributes = look.attributes.without(Attributes::ITALIC),
                [27] => look.attributes = look.attributes.without(Attributes::REVERSE),
                [29] => look.attributes = look.attributes.without(Attributes::STRIKE),
                [n @ 30..=37] => look.fg = Some(Colour::Indexed(*n as u8 - 30)),
                [n @ 40..=47] => look.bg = Some(Colour::Indexed(*n as u8 - 40)),
                [n @ 90..=97] => look.fg = Some(Colour::Indexed(*n as u8 - 90 + 8)),
                [n @ 100..=107] => look.bg = Some(Colour::Indexed(*n as u8 - 100 + 8)),
                [39] => look.fg = None,
                [49] => look.bg = None,
                [38] => look.fg = separate(&mut params).or(look.fg),
                [48] => look.bg = separate(&mut params).or(look.bg),
                // The underline's colour: its numbers are no attributes.
                [58] => _ = separate(&mut params),
                [38, rest @ ..] => look.fg = together(rest).or(look.fg),
                [48, rest @ ..] => look.bg = together(rest).or(look.bg),
                _ => {}
            }
        }
    }
}

/// `5;n` or `2;r;g;b`.
fn separate<'a>(params: &mut impl Iterator<Item = &'a [u16]>) -> Option<Colour> {
    let mut next = || params.next().and_then(<[u16]>::first).copied();
    match next()? {
        5 => together(&[5, next()?]),
        2 => together(&[2, next()?, next()?, next()?]),
        _ => None,
    }
}

/// `5:n`, `2:r:g:b`, or `2:space:r:g:b`.
fn together(params: &[u16]) -> Option<Colour> {
    let part = |n: &u16| u8::try_from(*n).ok();
    match params {
        [5, n, ..] => Some(Colour::Indexed(part(n)?)),
        [2, r, g, b] | [2, _, r, g, b, ..] => Some(Colour::Rgb(part(r)?, part(g)?, part(b)?)),
        _ => None,
    }
}

/// Obeys SGR and nothing else.
struct Only(Pen);

impl Perform for Only {
    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _: bool, action: char) {
        if action == 'm' && intermediates.is_empty() {
            self.0.set(params);
        }
    }
}
