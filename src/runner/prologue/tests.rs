use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::shells::{self, LOGIN_SHELLS, SH, finish, sh_is, start};
use super::*;
use crate::core::ids::{ChildId, JobId};
use crate::core::spec::{Asking, Host};
use crate::runner::Pocket;
use crate::secret::Secret;

const RUN: &str = "0123456789abcdef0123456789abcdef";

fn order(payload: Payload) -> Order {
    Order {
        job: JobId(7),
        child: ChildId(8),
        host: Host::named("web01"),
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

fn script(interpreter: &str, text: &str) -> Payload {
    Payload::Script {
        name: "a script".into(),
        interpreter: interpreter.into(),
        text: text.into(),
        powershell: None,
    }
}

#[test]
fn the_program_means_the_same_to_every_login_shell() {
    assert_eq!(PROGRAM.find(['\'', '\\', '!', '\n']), None);
    assert!(PROGRAM.contains(BEGAN) && PROGRAM.contains(WATCHER));
}

#[test]
fn orders_travel_as_lines() {
    let cases = [
        (Payload::Command("uname -a".into()), "", "1\nuname -a"),
        (Payload::Command("a\n\n b\n".into()), "", "4\na\n\n b\n"),
        (Payload::Command(String::new()), "", "1\n"),
        (script("sh -e", "id\nls\n"), "sh -e", "2\nid\nls"),
        (script("sh", "id"), "sh", "1\nid"),
    ];
    for (payload, interpreter, lines) in cases {
        let bytes = order_lines(&order(payload.clone())).expect("it can be carried");
        let expected = format!("{RUN}\nweb01\n7\n8\n{interpreter}\n{lines}\n{RUN}\n");
        assert_eq!(String::from_utf8_lossy(&bytes), expected, "{payload:?}");
    }
}

#[test]
fn secrets_are_variables_of_the_script_and_of_nothing_it_starts() {
    let words = "it's $(echo no) `id`\n\\ \"\n#end";
    let with = |payload, words: &str| Order {
        secrets: Arc::new([("token".to_owned(), Secret::new(words.to_owned()))]),
        ..order(payload)
    };
    let text = "printf %s. \"$token\"\nenv | grep -c token\ntr '\\0' ' ' </proc/$$/cmdline\n:\n";
    for sh in SH {
        if shells::find(sh).is_none() {
            continue;
        }
        let lines = order_lines(&with(script("sh", text), words)).expect("it can be carried");
        let place = sh_is(sh);
        let ran = finish(start("sh", &exec_line(), place.as_ref(), &lines));
        let said = String::from_utf8_lossy(&ran.stdout);
        let said = said.split_once('\n').expect("it began").1;
        assert_eq!(said, format!("{words}.0\nsh "), "{sh}");
    }
    for (payload, words, part) in [
        (
            Payload::Command("true".into()),
            "x",
            "variables of a script",
        ),
        (script("perl", "1"), "x", "variables of a script"),
        (
            script("sh", "true"),
            "a\0b",
            "the secret token contains a NUL",
        ),
    ] {
        let why = order_lines(&with(payload, words))
            .expect_err("refused")
            .to_string();
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn what_cannot_be_carried_is_refused() {
    let cases = [
        (Payload::Command("a\0b".into()), "NUL"),
        (script("sh", "\0"), "NUL"),
        (script("sh\nid", "true"), "interpreter"),
        (script(" ", "true"), "no interpreter"),
    ];
    for (payload, part) in cases {
        match order_lines(&order(payload.clone())) {
            Err(Reason::BadSettings(why)) => assert!(why.contains(part), "{why}"),
            other => panic!("{payload:?}: {other:?}"),
        }
    }
}

proptest! {
    /// However the stream is cut into pieces, exactly the one line is taken out of it.
    #[test]
    fn exactly_the_line_is_cut_out(
        before in proptest::collection::vec(any::<u8>(), 0..200),
        after in proptest::collection::vec(any::<u8>(), 0..200),
        pid: u32,
        sizes in proptest::collection::vec(1_usize..40, 1..20),
        // As a terminal may end it.
        end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let stream = [&before[..], format!("regatta-began {RUN} {pid}{end}").as_bytes(), &after].concat();
        let mut finder = BeganFinder::new(RUN);
        let (mut seen, mut began, mut at) = (Vec::new(), None, 0);
        for size in sizes.iter().cycle() {
            if at == stream.len() {
                break;
            }
            let piece = &stream[at..stream.len().min(at + size)];
            at += piece.len();
            if began.is_some() {
                seen.extend_from_slice(piece);
                continue;
            }
            match finder.push(piece) {
                Found::Before(bytes) => seen.extend_from_slice(&bytes),
                Found::Began { pid, before: head, after: tail } => {
                    began = Some(pid);
                    seen.extend_from_slice(&head);
                    seen.extend_from_slice(&tail);
                }
            }
        }
        prop_assert_eq!(began, Some(pid));
        prop_assert_eq!(seen, [before, after].concat());
    }

    /// A stream without the line comes out as it went in.
    #[test]
    fn nothing_is_held_back_for_good(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..90), 0..9)) {
        let mut finder = BeganFinder::new(RUN);
        let mut seen = Vec::new();
        for piece in &pieces {
            let Found::Before(bytes) = finder.push(piece) else { unreachable!("the run's name is not in random bytes") };
            seen.extend_from_slice(&bytes);
        }
        seen.extend_from_slice(&finder.finish());
        prop_assert_eq!(seen, pieces.concat());
    }
}

/// What the command wrote, behind the line that reports the start.
fn written(output: &Output) -> Vec<u8> {
    match BeganFinder::new(RUN).push(&output.stdout) {
        Found::Began { before, after, .. } => [before, after].concat(),
        Found::Before(_) => panic!("it never began: {output:?}"),
    }
}

#[test]
fn every_login_shell_runs_it_the_same_way() {
    let cases = [
        (
            Payload::Command("echo 'a \\ b' \"$REGATTA_HOST\"; exit 3".into()),
            "a \\ b web01\n",
            Ok(3),
        ),
        (Payload::Command("kill -SEGV $$".into()), "", Err(11)),
        (Payload::Command("no-such-command".into()), "", Ok(127)),
        (
            script("sh -e", "echo one\nfalse\necho two\n"),
            "one\n",
            Ok(1),
        ),
    ];
    for shell in LOGIN_SHELLS
        .into_iter()
        .filter(|shell| shells::find(shell).is_some())
    {
        for (payload, out, ended) in &cases {
            let lines = order_lines(&order(payload.clone())).expect("it can be carried");
            let output = finish(start(shell, &exec_line(), None, &lines));
            let status = output
                .status
                .code()
                .ok_or_else(|| output.status.signal().unwrap_or(0));
            assert_eq!(
                (String::from_utf8_lossy(&written(&output)).as_ref(), status),
                (*out, *ended),
                "{shell}: {payload:?}"
            );
        }
    }
}

#[test]
fn every_sh_carries_an_order_byte_for_byte() {
    let every_byte: String = (1..=0x2ff_u32).filter_map(char::from_u32).collect();
    let texts = [
        "",
        " a\t",
        "\\ \\n \\",
        "\n\n",
        "E\nE\n$c `id` $(id) \"'",
        &every_byte,
    ];
    for program in SH {
        let Some(sh) = sh_is(program) else { continue };
        for text in texts {
            let lines = order_lines(&order(script("cat", text))).expect("it can be carried");
            let output = finish(start("sh", &exec_line(), Some(&sh), &lines));
            assert_eq!(
                String::from_utf8_lossy(&written(&output)),
                format!("{}\n", text.strip_suffix('\n').unwrap_or(text)),
                "{program}"
            );
            let quoted = format!("printf %s '{}'", text.replace('\'', r"'\''"));
            let lines = order_lines(&order(Payload::Command(quoted))).expect("it can be carried");
            let output = finish(start("sh", &exec_line(), Some(&sh), &lines));
            assert_eq!(
                String::from_utf8_lossy(&written(&output)),
                text,
                "{program}"
            );
        }
    }
}

/// Wherever an order is cut off, nothing of it runs.
#[test]
fn a_truncated_order_runs_nothing() {
    for program in SH {
        let Some(sh) = sh_is(program) else { continue };
        let payload = Payload::Command("echo first\necho second".into());
        let lines = order_lines(&order(payload)).expect("it can be carried");
        // Without its last newline the closing line is no line.
        for length in (0..lines.len())
            .step_by(9)
            .chain([lines.len() - RUN.len() - 1, lines.len() - 1])
        {
            let mut child = start("sh", &exec_line(), Some(&sh), &lines[..length]);
            drop(child.stdin.take());
            let output = child.wait_with_output().expect("it is our child");
            assert_eq!(&*output.stdout, b"", "{program}: {length} bytes");
            assert_eq!(output.status.code(), Some(125), "{program}: {length} bytes");
        }
    }
}
