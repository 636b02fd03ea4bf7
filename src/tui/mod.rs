//! The console.

pub mod bar;
