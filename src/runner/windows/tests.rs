use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::config::queries;
use crate::core::ids::{ChildId, JobId};
use crate::core::spec::{Asking, Host, Motion, Signal};
use crate::runner::Pocket;
use crate::secret::Secret;

const RUN: &str = "0123456789abcdef0123456789abcdef";

fn order(payload: Payload) -> Order {
    Order {
        job: JobId(7),
        child: ChildId(8),
        host: Host::named("wíndow"),
        payload: Arc::new(payload),
        run: RUN.into(),
        connect_timeout: Duration::from_secs(1),
        options: Arc::new([]),
        asking: Asking::Never,
        pocket: Pocket::default(),
        environment: std::sync::Arc::default(),
        secrets: Arc::default(),
    }
}

fn decode(encoded: &str) -> String {
    let bytes = BASE64.decode(encoded).expect("it was encoded");
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    String::from_utf16(&units).expect("it was text")
}

#[test]
fn the_command_lines_mean_the_same_to_cmd_and_powershell_and_are_short_enough() {
    for (line, program) in [(exec_line(), PROGRAM), (probe_line(), PROBE)] {
        // What cmd takes.
        assert!(line.len() < 8191, "{}", line.len());
        let plain = |c: char| c.is_ascii_alphanumeric() || " -+/=".contains(c);
        assert!(line.chars().all(plain), "{line}");
        let (_, encoded) = line.rsplit_once(' ').expect("there are options");
        assert_eq!(decode(encoded), program);
    }
}

#[test]
fn the_programs_say_what_is_read_of_them() {
    assert!(PROGRAM.contains(super::super::prologue::began_line("", 0).trim_end_matches("  0\n")));
    assert!(PROBE.contains(super::super::probe::ANSWER));
    for signal in [Signal::Term, Signal::Kill] {
        assert!(PROGRAM.contains(signal_name(signal)) && PROBE.contains(signal_name(signal)));
    }
    assert!(PROBE.contains(LOOK));
}

#[test]
fn a_command_travels_whole_and_carries_the_name_of_its_run() {
    let text = "Get-Item 'C:\\Prográm Files'; \"$env:REGATTA_HOST\" # 100%\nexit 3";
    let lines = order_lines(&order(Payload::Command(text.into()))).expect("it can be carried");
    let lines = String::from_utf8(lines.to_vec()).expect("text");
    let lines: Vec<&str> = lines.lines().collect();
    let [run, host, job, child, command, set, end] = lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!((run, job, child, set, end), (RUN, "7", "8", "", RUN));
    assert_eq!(BASE64.decode(host).expect("encoded"), "wíndow".as_bytes());
    assert_eq!(
        decode(command),
        format!("#{RUN}\n{BEFORE}\n{text}\n{BEHIND}")
    );
    let asked = request(RUN, None, Task::Prove(Inquiry::Look)).expect("it can be asked");
    let mark = asked.lines().nth(3).expect("five lines");
    assert!(command.starts_with(mark) && !mark.contains('='), "{mark}");
    let other = RUN.replace('f', "e");
    assert!(!command.starts_with(&encode(&name_of(&other))));
}

fn query(text: &str) -> Payload {
    Payload::Script {
        name: "bios".into(),
        interpreter: "sh".into(),
        text: "cat /sys/class/dmi/id/bios_vendor".into(),
        powershell: Some(text.into()),
    }
}

/// A command line can be read by others.
#[test]
fn the_secrets_of_a_script_travel_beside_its_text() {
    let secret = |name: &str, value: &str| (name.to_owned(), Secret::new(value.to_owned()));
    let mut order = order(query("Get-Thing $token"));
    order.secrets = Arc::new([secret("token", "it's \u{2019}é"), secret("other", "")]);
    let lines = order_lines(&order).expect("it can be carried");
    let lines = String::from_utf8(lines.to_vec()).expect("text");
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(
        decode(lines[4]),
        format!("#{RUN}\n{BEFORE}\nGet-Thing $token\n{BEHIND}")
    );
    assert_eq!(
        decode(lines[5]),
        "$token='it''s \u{2019}\u{2019}é'\n$other=''\n"
    );
    order.secrets = Arc::new([secret("token", "a\0b")]);
    let why = order_lines(&order).expect_err("no shell can hold it");
    assert!(matches!(why, Reason::Secret(why) if why.contains("token")));
}

#[test]
fn the_compiled_in_queries_can_be_handed_over() {
    let (queries, _) = queries::load(&queries::SearchPath(Vec::new()));
    let mut carried = 0;
    for query in queries {
        if query.platforms.contains(&"windows") {
            let payload = query.payload(&[]).expect("it has no parameters");
            order_lines(&order(payload)).unwrap_or_else(|why| panic!("{}: {why}", query.name));
            carried += 1;
        }
    }
    assert!(carried >= 18, "{carried}");
}

#[test]
fn what_cannot_be_run_there_is_refused_by_name() {
    let script = Payload::Script {
        name: "a script".into(),
        interpreter: "bash -e".into(),
        text: "id".into(),
        powershell: None,
    };
    let why = |payload| order_lines(&order(payload)).expect_err("it is refused");
    assert!(
        matches!(why(script), Reason::Refused(why) if why.contains("a script has a text for bash -e only"))
    );
    let nul = Payload::Command("a\0b".into());
    assert!(matches!(why(nul), Reason::BadSettings(why) if why.contains("NUL")));
    let long = Payload::Command("a".repeat(LONGEST));
    assert!(matches!(why(long), Reason::BadSettings(why) if why.contains("too long")));
}

/// With what PowerShell puts around it.
#[test]
fn the_longest_command_fits_a_command_line() {
    let room = LONGEST - RUN.len() - 1 - BEFORE.len() - BEHIND.len() - 3;
    let fits = Payload::Command("a".repeat(room));
    let lines = order_lines(&order(fits)).expect("it is not too long");
    let around = PROGRAM
        .lines()
        .find(|line| line.starts_with("$s.Arguments"));
    let around = around.expect("the program starts a shell").len() + "powershell.exe".len();
    let encoded = lines.split(|byte| *byte == b'\n').nth(4);
    assert!(encoded.expect("seven lines").len() + around < 32_767);
    let more = Payload::Command("a".repeat(room + 1));
    assert!(order_lines(&order(more)).is_err());
}

#[test]
fn the_probe_is_told_what_to_do() {
    let trace = Trace { pid: 4321 };
    let asked = |task| {
        let asked = request(RUN, Some(&trace), task).expect("it can be asked");
        let lines: Vec<&str> = asked.lines().collect();
        assert_eq!((lines.len(), lines[0], lines[4]), (5, RUN, RUN));
        (lines[1].to_owned(), lines[2].to_owned())
    };
    let grace = Duration::from_secs(3);
    for (task, word) in [
        (Task::Prove(Inquiry::End { grace }), "0"),
        (Task::Prove(Inquiry::Look), "look"),
        (Task::Send(Signal::Kill), "KILL"),
    ] {
        assert_eq!(asked(task), ("4321".to_owned(), word.to_owned()));
    }
    let moved = request(RUN, Some(&trace), Task::Move(Motion::Suspend));
    assert!(moved.expect_err("Windows has none").contains("suspended"));
}

#[test]
fn the_server_of_windows_is_known_by_its_greeting() {
    assert!(is_greeting(b"SSH-2.0-OpenSSH_for_Windows_9.5\r\n"));
    for greeting in [&b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"[..], b""] {
        assert!(!is_greeting(greeting));
    }
}

#[test]
fn shells_of_windows_are_told_from_those_that_fail() {
    let cmd = "'exec' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n";
    let powershell = "exec : The term 'exec' is not recognized as the name of a cmdlet, function, script file, or operable program.\r\n";
    let german = "exec : Die Benennung \"exec\" wurde nicht erkannt.\r\n    + FullyQualifiedErrorId : CommandNotFoundException\r\n";
    for said in [cmd, powershell, german] {
        assert!(is_complaint(said.as_bytes()), "{said}");
    }
    for said in [
        "",
        "sh: 1: exec: sudo: not found\n",
        "This account is currently not available.\n",
    ] {
        assert!(!is_complaint(said.as_bytes()), "{said}");
    }
}
