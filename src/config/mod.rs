//! Files to validated values.

pub mod inventory;
pub mod settings;
pub mod ssh_config;
