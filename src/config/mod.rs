//! Files to validated values.

pub mod inventory;
pub mod settings;
mod size;
pub mod ssh_config;
