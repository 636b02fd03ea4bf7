use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output, Stdio};

use proptest::prelude::*;

use super::*;

const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHctFgAZrUEHmCbTN71rv/gXY2w/KvRmL65ZR79Y/gpj";
const OTHER_ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7cCKMknJvzpOM6baKLm6xLL+420LW3j/QbB+jXcIHz";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGNDjIrD5M6r92KIbc3cdq2Twc1Guw9lrEYOy+8EEa7fehLPh9PrTOsMqdVySGdBtOMjD71gwWQlee94DCG/H40=";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDvZFH3piAKEg2QPr/ZYcRMpDrFfrVgSW1C+5KCULFTnt/ekyv5Bs75UkqYo7w+CwFRiOea1DfoqOPZJ9eLQ9oyhLI6py+3Buhyd9g0/LBkktifIpTsvOhOo5G3woyO89mXmgrG6QF0ebEMMUQj2uvjWYhfyAO69z+eMdx/pJmXtQ==";

fn key(text: &str) -> PublicKey {
    PublicKey::from_openssh(text).expect("a public key")
}

/// Files named user and global, as if read from a disk.
fn known(user: &str, global: &str) -> KnownHosts {
    let files = [("user", user), ("global", global)];
    let file = |(name, text): (&str, &str)| file(name, text.as_bytes());
    KnownHosts::of(files.map(file).into())
}

fn file(name: &str, bytes: &[u8]) -> Arc<KnownFile> {
    Arc::new(KnownFile::of(Path::new(name), bytes, None))
}

fn at(file: &str, line: u32) -> Location {
    Location {
        file: Arc::from(Path::new(file)),
        line,
    }
}

fn changed(file: &str, line: u32, key_text: &str) -> Verdict {
    Verdict::Changed {
        at: at(file, line),
        known_type: key(key_text).algorithm(),
    }
}

#[test]
fn verdicts_follow_the_names_in_the_files() {
    let check = |lines: &str, host: &str, port: u16, expected: Verdict| {
        let lines = lines
            .replace("KEY", ED25519)
            .replace("OLD", OTHER_ED25519)
            .replace("RSA", RSA);
        assert_eq!(
            known(&lines, "")
                .host(&KeyName::new(host, port))
                .check(&key(ED25519)),
            expected,
            "{host}:{port} in\n{lines}"
        );
    };
    check("", "web", 22, Verdict::Unknown);
    check("web KEY", "web", 22, Verdict::Known);
    check("web KEY", "WEB", 22, Verdict::Known);
    check("WEB KEY comment # more\r\n", "web", 22, Verdict::Known);
    check(" \tweb\tKEY", "web", 22, Verdict::Known);
    check("web,10.0.0.1 KEY", "10.0.0.1", 22, Verdict::Known);
    check("web KEY", "web1", 22, Verdict::Unknown);
    check("web* KEY", "web1", 22, Verdict::Known);
    check("web?,!web2 KEY", "web1", 22, Verdict::Known);
    check("web?,!web2 KEY", "web2", 22, Verdict::Unknown);
    check("!web2 KEY", "web1", 22, Verdict::Unknown);
    // Any other key makes it changed, of the same type or not; OpenSSH names the last one.
    check("web OLD", "web", 22, changed("user", 1, OTHER_ED25519));
    check("web RSA", "web", 22, changed("user", 1, RSA));
    check("web OLD\nweb RSA", "web", 22, changed("user", 2, RSA));
    check("web OLD\nweb KEY\nweb RSA", "web", 22, Verdict::Known);
    // Ports.
    check("[web]:2222 KEY", "web", 2222, Verdict::Known);
    check("[web]:2222 KEY", "web", 22, Verdict::Unknown);
    check("[web]:2222 KEY", "web", 2223, Verdict::Unknown);
    check("web KEY", "web", 2222, Verdict::Known);
    check("web OLD", "web", 2222, Verdict::Unknown);
    check(
        "[web]:2222 OLD\nweb KEY",
        "web",
        2222,
        changed("user", 1, OTHER_ED25519),
    );
    check("[web]:* KEY", "web", 2222, Verdict::Known);
    check("* KEY", "web", 2222, Verdict::Known);
    // Markers.
    check(
        "@revoked web KEY",
        "web",
        22,
        Verdict::Revoked { at: at("user", 1) },
    );
    check(
        "web KEY\n@revoked * KEY",
        "web",
        22,
        Verdict::Revoked { at: at("user", 2) },
    );
    check(
        "@revoked\tweb KEY\nweb KEY",
        "web",
        22,
        Verdict::Revoked { at: at("user", 1) },
    );
    check(
        "@revoked web KEY",
        "web",
        2222,
        Verdict::Revoked { at: at("user", 1) },
    );
    check(
        "@revoked web KEY\n[web]:2222 KEY",
        "web",
        2222,
        Verdict::Revoked { at: at("user", 1) },
    );
    check("@revoked web OLD\nweb KEY", "web", 22, Verdict::Known);
    check("@revoked web OLD", "web", 22, Verdict::Unknown);
    check("@revoked db KEY\nweb KEY", "web", 22, Verdict::Known);
    check("@cert-authority web KEY", "web", 22, Verdict::Unknown);
    check("@cert-authority * OLD\nweb KEY", "web", 22, Verdict::Known);
}

#[test]
fn an_alias_disregards_the_port() {
    let known = known(&format!("alias {ED25519}\n[alias]:2222 {RSA}"), "");
    assert_eq!(
        known.host(&KeyName::alias("Alias")).check(&key(ED25519)),
        Verdict::Known
    );
    assert_eq!(KeyName::alias("Alias").as_str(), "alias");
    assert_eq!(KeyName::new("Web", 2222).as_str(), "[web]:2222");
    assert_eq!(KeyName::new("Web", 22).as_str(), "web");
}

#[test]
fn the_files_count_in_their_order() {
    let known = known(
        &format!("web {RSA}\n@revoked db {RSA}"),
        &format!("web {ED25519}\ndb {RSA}\nmail {ECDSA}"),
    );
    let check = |host: &str, key_text: &str, expected: Verdict| {
        assert_eq!(
            known.host(&KeyName::new(host, 22)).check(&key(key_text)),
            expected,
            "{host}"
        );
    };
    check("web", ED25519, Verdict::Known);
    check("web", OTHER_ED25519, changed("global", 1, ED25519));
    check("db", RSA, Verdict::Revoked { at: at("user", 2) });
    check("mail", ED25519, changed("global", 3, ECDSA));
    let types = |host: &str| known.host(&KeyName::new(host, 22)).types();
    assert_eq!(
        types("web"),
        [key(RSA).algorithm(), key(ED25519).algorithm()]
    );
    assert_eq!(types("db"), []);
    assert_eq!(types("mail"), [key(ECDSA).algorithm()]);
    assert_eq!(types("nowhere"), []);
}

#[test]
fn authorities_are_kept_apart_from_host_keys() {
    let known = known(
        &format!("@cert-authority *.example.org,!bad.example.org {RSA}\nweb.example.org {ED25519}"),
        "",
    );
    let authorities = |host: &str| known.host(&KeyName::new(host, 22)).authorities().count();
    assert_eq!(
        (
            authorities("web.example.org"),
            authorities("bad.example.org"),
            authorities("other")
        ),
        (1, 0, 0)
    );
    assert_eq!(
        known.host(&KeyName::new("web.example.org", 22)).types(),
        [key(ED25519).algorithm()]
    );
    assert_eq!(
        known
            .host(&KeyName::new("db.example.org", 22))
            .check(&key(RSA)),
        Verdict::Unknown
    );
}

#[test]
fn lines_that_cannot_be_used_are_noted_and_skipped() {
    let check = |line: &str, noted: bool| {
        let line = line.replace("KEY", ED25519);
        let known = known(&format!("\n{line}\nweb {ED25519}"), "");
        let places: Vec<String> = known
            .notes()
            .iter()
            .map(|note| note.to_string().chars().take_while(|&c| c != ' ').collect())
            .collect();
        assert_eq!(
            places,
            if noted { vec!["user:2:"] } else { vec![] },
            "{line}"
        );
        assert_eq!(
            known.host(&KeyName::new("web", 22)).check(&key(ED25519)),
            Verdict::Known,
            "{line}"
        );
    };
    check("# web KEY", false);
    check("   # indented", false);
    check("\t", false);
    check("db KEY", false);
    check("db", true);
    check("db ssh-ed25519", true);
    check("db ssh-ed25519 AAAA", true);
    check("db ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA", true);
    check("db 1024 35 1234567", true);
    check("@unknown db KEY", true);
    check("@revoked @revoked db KEY", true);
    check("@revoked", true);
    check("|1|short|short KEY", true);
    check("|2|x|y KEY", true);
    check("\u{fffd}\u{1b}[31m KEY", false);
}

#[test]
fn a_file_that_is_missing_is_fine_and_one_that_cannot_be_read_is_noted() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let good = directory.path().join("good");
    fs::write(&good, format!("web {ED25519}\nbroken\n")).expect("write");
    let known = KnownHosts::load(&[
        directory.path().join("missing"),
        directory.path().to_owned(),
        good,
    ]);
    assert_eq!(
        known.host(&KeyName::new("web", 22)).check(&key(ED25519)),
        Verdict::Known
    );
    assert!(
        matches!(known.notes()[..], [Note::File { .. }, Note::Line { .. }]),
        "{:?}",
        known.notes()
    );
}

/// Ten thousand look-ups in ten thousand lines touch ten thousand entries, not a hundred million.
#[test]
fn plain_names_are_looked_up_without_trying_all_lines() {
    let text = (0..10_000).fold(String::new(), |mut text, n| {
        writeln!(text, "web{n},10.0.{}.{} {ED25519}", n / 256, n % 256).expect("a String");
        text
    });
    let known = known(&text, "");
    assert!(known.0[0].content().to_try.is_empty());
    assert!((0..10_000).all(|n| {
        known
            .host(&KeyName::new(&format!("web{n}"), 22))
            .check(&key(ED25519))
            == Verdict::Known
    }));
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let known = KnownHosts::of(vec![file("user", &bytes)]);
        known.host(&KeyName::new("web", 22)).check(&key(ED25519));
    }

    /// The map of plain names and the trying of patterns must not tell a difference.
    #[test]
    fn a_name_matches_alike_through_the_map_and_as_a_pattern(
        names in proptest::collection::vec("[a-c]{1,2}", 1..4),
        host in "[a-c]{1,2}",
    ) {
        let plain = known(&format!("{} {ED25519}", names.join(",")), "");
        let tried = known(&format!("{},!nobody {ED25519}", names.join(",")), "");
        let name = KeyName::new(&host, 22);
        prop_assert!(plain.0[0].content().to_try.is_empty() && tried.0[0].content().by_name.is_empty());
        prop_assert_eq!(plain.host(&name).check(&key(ED25519)), tried.host(&name).check(&key(ED25519)));
    }
}

/// `None`, said aloud, where a program of OpenSSH's is not installed.
fn openssh(program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) => Some(output),
        Err(error) => {
            println!("SKIPPED: {program}: {error}");
            None
        }
    }
}

#[test]
fn names_match_as_in_ssh_keygen_plain_and_hashed() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("known_hosts");
    let path = file.to_str().expect("a UTF-8 path");
    let plain = format!(
        "# comment\nweb1,web2 {ED25519}\n[web1]:2222 {RSA}\nw*b,!wab {ECDSA}\n[db]:* {ED25519}\n10.0.0.7 {RSA}\n\
         @revoked *.bad,evil {ED25519}\n@cert-authority *.example.org {RSA}\nbroken line\n2001:db8::1 {RSA}\nweb1 {RSA}\n"
    );
    fs::write(&file, &plain).expect("write");
    let compare = |layout: &str| {
        let known = KnownHosts::load(&[&file]);
        for (host, port) in [
            ("web1", 22),
            ("web2", 22),
            ("web3", 22),
            ("web1", 2222),
            ("web2", 2222),
            ("wb", 22),
            ("wab", 22),
            ("wxyb", 22),
            ("db", 22),
            ("db", 7),
            ("10.0.0.7", 22),
            ("10.0.0.8", 22),
            ("evil", 22),
            ("very.bad", 22),
            ("a.example.org", 22),
            ("2001:db8::1", 22),
        ] {
            let name = KeyName::new(host, port);
            let Some(found) = openssh("ssh-keygen", &["-F", name.as_str(), "-f", path]) else {
                return;
            };
            // "# Host web1 found: line 2 CA"
            let expected: Vec<u32> = String::from_utf8_lossy(&found.stdout)
                .lines()
                .filter_map(|line| {
                    line.strip_prefix("# Host ")?
                        .split_once("found: line ")?
                        .1
                        .split(' ')
                        .next()?
                        .parse()
                        .ok()
                })
                .collect();
            let actual: Vec<u32> = known
                .matching(name.as_str())
                .iter()
                .map(|known| known.at.line)
                .collect();
            assert_eq!(actual, expected, "{host}:{port} in the {layout} file");
        }
    };
    compare("plain");
    // Without what makes ssh-keygen refuse to hash: the broken line.
    fs::write(&file, plain.replace("broken line\n", "")).expect("write");
    let Some(hashed) = openssh("ssh-keygen", &["-H", "-f", path]) else {
        return;
    };
    assert!(
        hashed.status.success(),
        "{}",
        String::from_utf8_lossy(&hashed.stderr)
    );
    let text = fs::read_to_string(&file).expect("the hashed file");
    assert!(
        text.lines()
            .filter(|line| line.starts_with(HASH_MAGIC))
            .count()
            >= 5,
        "{text}"
    );
    compare("hashed");
}

/// The verdict of `ssh` itself, by what it prints when it meets an `sshd` on a pipe that has exactly one host key.
/// Skipped where sshd cannot run.
#[test]
fn verdicts_are_those_of_ssh() {
    const SSHD: &str = "/usr/sbin/sshd";
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| {
        directory
            .path()
            .join(name)
            .to_str()
            .expect("a UTF-8 path")
            .to_owned()
    };
    let mut keys = Vec::new();
    for (name, algorithm) in [
        ("a", "ed25519"),
        ("b", "ed25519"),
        ("r", "rsa"),
        ("e", "ecdsa"),
    ] {
        let file = path(name);
        if openssh(
            "ssh-keygen",
            &["-q", "-t", algorithm, "-N", "", "-f", &file],
        )
        .is_none()
        {
            return;
        }
        let public = fs::read_to_string(format!("{file}.pub")).expect("the public key");
        fs::write(
            path(&format!("sshd_{name}")),
            format!("HostKey {file}\nUsePAM no\nStrictModes no\nPidFile none\n"),
        )
        .expect("write");
        keys.push((name, public.trim().to_owned()));
    }
    // As root it wants its privilege separation directory, which on a new computer nobody has made yet: the service does
    // when it starts.
    if rustix::process::getuid().is_root() {
        fs::create_dir_all("/run/sshd").expect("root may make it");
    }
    let Some(test) = openssh(SSHD, &["-t", "-f", &path("sshd_a")]) else {
        return;
    };
    if !test.status.success() {
        println!(
            "SKIPPED: sshd cannot run here: {}",
            String::from_utf8_lossy(&test.stderr).trim()
        );
        return;
    }
    let key_of = |name: &str| {
        &keys
            .iter()
            .find(|(known, _)| *known == name)
            .expect("a key of the test")
            .1
    };
    let file = path("known_hosts");
    for lines in [
        "",
        "h A",
        "h B",
        "h R",
        "h R\nh B",
        "h B\nh A",
        "H A",
        "h* A",
        "!h,* A",
        "[h]:2222 A",
        "[h]:2222 B",
        "[h]:2222 B\nh A",
        "h A\n@revoked h A",
        "@revoked h A",
        "@revoked h B\nh A",
        "@revoked other A\nh A",
        "@cert-authority h A",
        "@cert-authority * B\nh A",
        "@revoked @revoked h A\nh A",
        "@nonsense h A\nh A",
        "h ssh-ed25519 AAAA\nh A",
        "h E # comment",
    ] {
        let text = ["A", "B", "R", "E"]
            .iter()
            .fold(format!("{lines}\n"), |text, name| {
                let key = key_of(&name.to_lowercase());
                text.replace(&format!(" {name}\n"), &format!(" {key}\n"))
                    .replace(&format!(" {name} "), &format!(" {key} "))
            });
        fs::write(&file, &text).expect("write");
        let known = KnownHosts::load(&[&file]);
        for port in [22, 2222] {
            let expected = verdict_of_ssh(&file, port, &format!("{SSHD} -i -f {}", path("sshd_a")));
            let actual = match known
                .host(&KeyName::new("h", port))
                .check(&key(key_of("a")))
            {
                Verdict::Known => "known".to_owned(),
                Verdict::Unknown => "unknown".to_owned(),
                Verdict::Changed { at, .. } => format!("changed {at}"),
                Verdict::Revoked { .. } => "revoked".to_owned(),
            };
            assert_eq!(actual, expected, "port {port} with\n{text}");
        }
    }
}

fn verdict_of_ssh(known_hosts: &str, port: u16, sshd: &str) -> String {
    let output = openssh(
        "ssh",
        &[
            "-F",
            "none",
            "-p",
            &port.to_string(),
            "-o",
            &format!("UserKnownHostsFile={known_hosts}"),
            "-o",
            "GlobalKnownHostsFile=none",
            "-o",
            "StrictHostKeyChecking=yes",
            "-o",
            "PreferredAuthentications=none",
            "-o",
            "BatchMode=yes",
            "-o",
            &format!("ProxyCommand={sshd}"),
            "nobody@h",
            "true",
        ],
    )
    .expect("ssh-keygen was there, so is ssh");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("REVOKED HOST KEY") {
        "revoked".to_owned()
    } else if let Some((_, offending)) = said.split_once("Offending ") {
        let place = offending.split_whitespace().nth(3).unwrap_or_default();
        format!("changed {place}")
    } else if said.contains("host key is known for") {
        "unknown".to_owned()
    } else if said.contains("Permission denied") {
        "known".to_owned()
    } else {
        panic!("ssh said nothing that is understood: {said}")
    }
}

#[test]
fn other_keys_of_a_host_are_learnt_if_its_lines_are_its_own() {
    let web = KeyName::new("web", 22);
    let learns = |text: &str, new: usize| {
        let text = text.replace("KEY", ED25519).replace("OTHER", RSA);
        let known = known(&text, "");
        let announced = [key(ED25519), key(RSA)];
        assert_eq!(known.to_learn(&web, &announced).len(), new, "{text}");
    };
    learns("web KEY", 1);
    learns("web KEY\nweb OTHER", 0);
    learns("db KEY", 0);
    learns("", 0);
    // Lists, patterns and marks are somebody's work.
    learns("web,10.0.0.1 KEY", 0);
    learns("we? KEY", 0);
    learns("web KEY\n* KEY", 0);
    learns("web KEY\n@cert-authority web KEY", 0);
    learns("web KEY\n@revoked * OTHER", 0);
    // What is known for another host may be a trick.
    learns("web KEY\ndb OTHER", 0);
    learns("web KEY\ndb KEY", 0);
    learns("web KEY\n@cert-authority *.example.org KEY", 0);
}
