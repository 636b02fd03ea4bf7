//! Making remote bytes harmless before they reach a terminal.
//!
//! Everything that could move the cursor, change colours or titles, reorder or hide text is written out as visible
//! characters.  Nothing else is changed, and nothing here is used where bytes go to a pipe or a file.

use std::fmt::Write as _;

/// A line as a terminal may see it: control characters as `^X`, invalid UTF-8 as `\xff`, invisible and reordering
/// characters as `\u{202e}`.  Tabs stay.
pub fn harmless(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c);
        }
        for byte in chunk.invalid() {
            _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// As [`harmless`], line by line: for messages of our own that may hold something remote.
pub fn harmless_lines(text: &str) -> String {
    text.split('\n')
        .map(|line| harmless(line.as_bytes()))
        .collect::<Vec<_>>()
        .join("\n")
}

/// JSON text in which nothing can deceive a terminal.  It means the same: only strings hold such characters, and there an
/// escape is as good.
pub fn harmless_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\u{7f}' || is_deceptive(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '\t' => out.push(c),
        '\0'..='\u{1f}' => {
            out.push('^');
            out.push(char::from(c as u8 + 0x40));
        }
        '\u{7f}' => out.push_str("^?"),
        c if is_deceptive(c) => _ = write!(out, "\\u{{{:x}}}", c as u32),
        c => out.push(c),
    }
}

/// C1 controls, and characters that reorder text or take no room: bidirectional controls, zero-width characters, fillers,
/// line and paragraph separators, tags, the byte order mark (Unicode Standard Annex #9; Default_Ignorable_Code_Point;
/// "Trojan Source", CVE-2021-42574).  The first sixteen variation selectors are not among them: emoji are full of them.
pub(super) fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Cells a text takes on a terminal.
pub fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// The text cut to `cells`, with an ellipsis if anything was cut.
pub fn cut(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_string();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        let w = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used + w + 1 > cells {
            break;
        }
        used += w;
        out.push(c);
    }
    if cells > 0 {
        out.push('…');
    }
    out
}

/// Lines of at most so many cells: broken at spaces, and within words that are longer.  What stands before the first word
/// stays.
pub fn wrapped(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for (n, word) in text.split(' ').enumerate() {
        let space = usize::from(n > 0);
        if n > 0 && used > 0 && used + space + width(word) > cells {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if n > 0 && used + space <= cells {
            line.push(' ');
            used += space;
        }
        for c in word.chars() {
            let wide = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
            if used + wide > cells && used > 0 {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attacks_become_visible() {
        let cases: [(&[u8], &str); 9] = [
            (b"plain\ttext", "plain\ttext"),
            (b"\x1b[2J\x1b[H", "^[[2J^[[H"),
            (b"\x1b]0;title\x07", "^[]0;title^G"),
            (b"progress 10%\rprogress 20%", "progress 10%^Mprogress 20%"),
            ("\u{9b}31mred".as_bytes(), "\\u{9b}31mred"),
            ("user\u{202e}txt.exe".as_bytes(), "user\\u{202e}txt.exe"),
            (b"caf\xc3\xa9 \xff\xfe", "café \\xff\\xfe"),
            (b"\x7f\x00", "^?^@"),
            ("日本".as_bytes(), "日本"),
        ];
        for (raw, want) in cases {
            assert_eq!(harmless(raw), want);
        }
    }

    #[test]
    fn json_means_the_same_and_deceives_nobody() {
        let value = serde_json::json!({"a": "x\u{202e}y\u{9b}z\u{e0041}\u{7f}é日"});
        let text = harmless_json(&value.to_string());
        assert_eq!(text, r#"{"a":"x\u202ey\u009bz\udb40\udc41\u007fé日"}"#);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON"),
            value
        );
    }

    #[test]
    fn lines_break_at_spaces_and_within_long_words() {
        let cases: [(&str, usize, &[&str]); 7] = [
            ("", 5, &[""]),
            ("one two three", 7, &["one two", "three"]),
            ("  two three", 5, &["  two", "three"]),
            ("a SHA256:abcdef", 6, &["a", "SHA256", ":abcde", "f"]),
            ("日本語", 4, &["日本", "語"]),
            ("日", 1, &["日"]),
            ("ab", 0, &["a", "b"]),
        ];
        for (text, cells, want) in cases {
            assert_eq!(wrapped(text, cells), want, "{text} in {cells}");
        }
    }

    #[test]
    fn cutting_counts_cells() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("ab", 0), "");
    }
}
