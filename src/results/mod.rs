//! Results as rows: from the text a query's hosts wrote to one table over all of them, and what is asked of that table.
//!
//! Everything here works on what is in memory: nobody reads clocks, files or the network, and output is hostile until it
//! is a [`Value`].  How tables look is `view`'s; who fetches output, and where a shape comes from, is the faces'.

pub mod diff;
pub mod filter;
pub mod open;
pub mod parse;
pub mod shape;
pub mod sql;
pub mod table;
pub mod value;

pub use filter::Filter;
pub use parse::{Flaws, Parsed, Reading, Unreadable};
pub use shape::{Also, Column, Constancy, Header, Parser, Shape};
pub use table::Table;
pub use value::{Kind, Value};
