//! Files to validated values.

pub mod check;
mod document;
pub mod inventory;
pub mod keys;
pub mod queries;
pub mod settings;
mod size;
pub mod ssh_config;
pub mod theme;

pub use document::{Mistake, Origin};
