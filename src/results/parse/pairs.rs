//! Blocks of `key=value` or `key: value`; an empty line ends a row.

use super::Rows;

pub(super) fn blocks(rows: &mut Rows<'_>, text: &str, by: char) {
    let mut block: Vec<Option<&str>> = vec![None; rows.reading.columns.len()];
    let mut begun = false;
    for (n, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            if std::mem::take(&mut begun) {
                end(rows, &mut block);
            }
            continue;
        }
        let Some((key, value)) = line.split_once(by) else {
            rows.loose(n + 1, line);
            continue;
        };
        begun = true;
        if let Some(column) = rows.reading.column(key.trim()) {
            let before = block[column].replace(unquoted(value.trim()));
            rows.parsed.flaws.twice += usize::from(before.is_some());
        }
    }
    if begun {
        end(rows, &mut block);
    }
}

fn end(rows: &mut Rows<'_>, block: &mut [Option<&str>]) {
    if !rows.full() {
        rows.push_texts(block.iter().map(|field| field.unwrap_or("")));
    }
    block.fill(None);
}

/// As os-release(5) and the shell quote a value.
fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}
