//! What is sent to the terminal, whatever is typed, and whatever jobs write.

use vt100::Color;

use crate::screen::{Screen, USUAL, was_sent};
use crate::support::Home;

#[test]
fn it_fits_every_size_while_a_job_writes() {
    let home = Home::new();
    let job = home.job("while :; do echo line; sleep 0.05; done");
    let mut screen = Screen::open(&home, (160, 50), &[]);
    screen.until("1 Running");
    screen.until("1 Jobs");
    screen.resize((20, 3));
    screen.until("1 run 0 fail 0 done");
    screen.resize((80, 24));
    screen.until("1 Running");
    screen.until_row(&["localhost", "Running"]);
    let picture = screen.contents();
    assert!(
        picture.lines().count() <= 24 && !picture.contains("1 run 0"),
        "{picture}"
    );
    home.regatta(&["stop", &job.to_string()]).exits(0);
    screen.until("1 Stopped");
    screen.keys("q");
    screen.left().gave_back(0);
}

#[test]
fn pasted_lines_start_nothing() {
    let home = Home::new();
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("0 jobs");
    screen.paste("run --local -- touch one\nrun --local -- touch two\nx\n");
    screen.until("run --local -- touch one");
    assert_eq!(home.jobs(&[]), serde_json::json!([]));
    screen.keys("\x1b");
    screen.until_gone("touch one");
    screen.keys("q");
    screen.left().gave_back(0);
    assert!(!home.path("one").exists() && !home.path("two").exists());
}

#[test]
fn hostile_output_stays_in_its_pane() {
    let home = Home::new();
    let line = r"printf 'first\n\033[2J\033[H\033[31mEVIL\n\033]52;c;aGk=\007\033]0;owned\007\033]2;owned\033\\titled\n'
        printf '10%%\r50%%\r100%% done\n'; printf 'a\000b\n\342\200\256reversed\n\033[?1049l\033[?1004lend\n'";
    // From a file, so that the command itself is innocent.
    let script = home.file("script", line);
    home.finished_job(&format!("sh {script}"));
    let mut screen = Screen::open(&home, USUAL, &[]);
    screen.until("1 Completed");
    let frame = |screen: &Screen| {
        let contents = screen.contents();
        contents.lines().next().map(|row| row[..30].to_string())
    };
    let header = frame(&screen);
    screen.keys("l");
    screen.until("       localhost   ");
    screen.keys("j\r");
    // It holds a zero, so that it is not shown unless that is wanted.
    screen.until("binary, ");
    screen.keys("\r");
    screen.until("titled");
    screen.until("reversed");
    screen.until_row(&["100% done"]);
    screen.until("EVIL");
    screen.until("first");
    assert_eq!(frame(&screen), header, "{}", screen.contents());
    let sent = screen.sent();
    for hostile in [
        "\x1b]52",
        "\x1b]0;",
        "owned",
        "aGk=",
        "\0",
        "\u{202e}",
        "\x1b[?1049l",
        "\x1b[?1004l",
    ] {
        assert!(!was_sent(&sent, hostile), "{hostile:?} was sent");
    }
    assert!(screen.is_taken());
    screen.keys("\x03\x03");
    screen.left().gave_back(0);
}

#[test]
fn without_colour_there_is_none() {
    let home = Home::new();
    home.finished_job("printf '\\033[31mred\\033[0m\\n'; exit 3");
    let mut screen = Screen::open_with(&home, USUAL, &[], &[("NO_COLOR", "1")]);
    screen.until("1 Failed");
    screen.until("red");
    let now = screen.emulated();
    let mut reversed = false;
    for row in 0..USUAL.1 {
        for column in 0..USUAL.0 {
            let cell = now.cell(row, column).expect("on the screen");
            assert_eq!(
                (cell.fgcolor(), cell.bgcolor()),
                (Color::Default, Color::Default),
                "{row} {column}"
            );
            reversed |= cell.inverse();
        }
    }
    assert!(reversed, "the cursor is seen");
    screen.keys("q");
    let ran = screen.left().gave_back(0);
    assert_eq!(colours(&ran.stdout), Vec::<String>::new());
}

#[test]
fn ascii_is_ascii() {
    let home = Home::new();
    home.finished_job("echo plain");
    let mut screen = Screen::open(&home, USUAL, &["console", "--ascii"]);
    screen.until("plain");
    screen.keys("?");
    screen.until("Keys");
    screen.keys("\x1b");
    screen.until_gone("Keys");
    screen.keys("q");
    let ran = screen.left().gave_back(0);
    let odd = ran.out().chars().find(|c| !c.is_ascii());
    assert_eq!(odd, None);
}

/// The sequences that set a colour.
fn colours(sent: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(sent);
    let sequences = text.split("\x1b[").skip(1);
    let attributes = sequences.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
        rest[end..]
            .starts_with('m')
            .then(|| rest[..end].to_string())
    });
    let colour = |code: &str| matches!(code.parse(), Ok(30..=38 | 40..=48 | 90..=107));
    attributes
        .filter(|codes| codes.split([';', ':']).any(colour))
        .collect()
}
