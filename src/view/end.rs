//! What became of a child, in one line.

use super::{table, text};
use crate::wire::reply::ChildView;

/// `web03: Failed, exit 3`.
pub fn end_line(child: &ChildView) -> String {
    format!(
        "{}: {}",
        text::harmless(child.host.as_bytes()),
        ended(child)
    )
}

/// `Failed, exit 3`.
pub fn ended(child: &ChildView) -> String {
    match &child.reason {
        Some(reason) => format!(
            "{}, {}",
            child.state,
            text::harmless(reason.text.as_bytes())
        ),
        None if child.need.is_some() => format!(
            "{}, {}",
            child.state,
            text::harmless(table::needed(child).as_bytes())
        ),
        None => child.state.to_string(),
    }
}
