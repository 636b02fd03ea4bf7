//! What is typed about connections that are kept.

use clap::Args;

#[derive(Clone, Debug, Args)]
pub struct Connections {
    /// Close those to these hosts and hops, and what leads through them; all for every one
    #[arg(long, value_name = "TARGETS")]
    pub close: Option<String>,
    /// Close also those in use: their commands are lost
    #[arg(long, requires = "close")]
    pub force: bool,
}
