//! How jobs, children and output look: text, tables and the JSON contract.  No IO; both faces use it.

pub mod ansi;
pub mod count;
pub mod diff;
pub mod json;
pub mod question;
pub mod rows;
pub mod span;
pub mod table;
pub mod text;
