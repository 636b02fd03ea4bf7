//! Rows on standard output, in the format that was asked for.

use std::io::Write;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::command::rows::{FormArgs, Format};
use crate::results::Table;
use crate::view::rows::{self, Guard};
use crate::view::text::{harmless, harmless_json};

impl Context {
    fn format(&self, args: &FormArgs) -> Format {
        let usual = if self.global.json {
            Format::Json
        } else {
            Format::Table
        };
        args.format.unwrap_or(usual)
    }

    /// Whether people read it, who are shown what the query asks and no more.
    pub(super) fn is_for_people(&self, args: &FormArgs) -> bool {
        match self.format(args) {
            Format::Table | Format::Md => true,
            Format::Json | Format::Ndjson | Format::Csv => false,
        }
    }
}

pub(super) fn print(context: &Context, table: &Table, args: &FormArgs) -> Result<(), CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let terminal = context.terminal;
    // Programs get what there is, terminals nothing they would obey.
    let json = |text: String| {
        if terminal.out {
            harmless_json(&text)
        } else {
            text
        }
    };
    match context.format(args) {
        Format::Table => {
            for line in rows::lines(table, terminal.width()) {
                writeln!(out, "{line}")?;
            }
        }
        Format::Md => {
            for line in rows::markdown(table) {
                writeln!(out, "{line}")?;
            }
        }
        Format::Json => {
            write!(out, "[")?;
            for (n, row) in table.rows.iter().enumerate() {
                let before = if n == 0 { "" } else { ",\n" };
                write!(
                    out,
                    "{before}{}",
                    json(rows::object(table, row).to_string())
                )?;
            }
            writeln!(out, "]")?;
        }
        Format::Ndjson => {
            for row in &table.rows {
                writeln!(out, "{}", json(rows::object(table, row).to_string()))?;
            }
        }
        Format::Csv => {
            let guard = if args.csv_raw {
                Guard::Off
            } else {
                Guard::Formulas
            };
            let header = std::iter::once(rows::csv_header(table));
            let lines = table.rows.iter().map(|row| rows::csv(row, guard));
            for line in header.chain(lines) {
                if terminal.out {
                    writeln!(out, "{}", harmless(line.as_bytes()))?;
                } else {
                    writeln!(out, "{line}")?;
                }
            }
        }
    }
    out.flush()?;
    Ok(())
}
