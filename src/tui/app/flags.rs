//! What a console was started with.

use crate::core::spec::Asking;
use crate::tui::view::Glyphs;

/// What the console was started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags {
    pub acting: Acting,
    pub colour: Colour,
    pub glyphs: Glyphs,
    /// What the console is called on its first line.
    pub name: &'static str,
    pub leaving: Leaving,
    /// Whether children of what is started here may wait for answers.
    pub asking: Asking,
}

/// What becomes of jobs when the console is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// They go on in the daemon.
    Detaches,
    /// Their engine is in this process, and ends with it.
    Ends,
}

/// Whether the console may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acting {
    Allowed,
    /// It only looks.
    ReadOnly,
}

/// Whether there may be colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Allowed,
    None,
}
