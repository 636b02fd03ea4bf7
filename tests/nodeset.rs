//! The same expansion and the same folded text as the real ClusterShell.
//!
//! Patterns are handed to ClusterShell's own library, through the interpreter that runs the installed `nodeset`, in one process for
//! all of them; a few go through the `nodeset` command itself, so that the library is known to speak for it.
//! Where ClusterShell is not installed the tests say SKIPPED and pass; tests/run makes that a failure in CI.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use regatta::targets::{Groups, HostSet, NoSource, Targets};

/// Prints, for every line of standard input, what ClusterShell makes of it. An argument names a groups.conf.
const ORACLE: &str = r#"
import json, sys
from ClusterShell.NodeSet import NodeSet, set_std_group_resolver_config
if len(sys.argv) > 1:
    set_std_group_resolver_config(sys.argv[1])
for line in sys.stdin:
    try:
        nodes = NodeSet(line.rstrip("\n"))
        answer = {"names": list(nodes), "fold": str(nodes)}
        if len(sys.argv) > 1:
            answer["regroup"] = nodes.regroup()
    except Exception as error:
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(answer))
"#;

struct Answer {
    names: Vec<String>,
    fold: String,
    regroup: String,
}

/// The path of the `nodeset` command, if there is one.
#[expect(
    clippy::print_stdout,
    reason = "whoever reads the test's output must see that it was skipped"
)]
fn nodeset_command() -> Option<PathBuf> {
    let found = std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join("nodeset"))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("SKIPPED: nodeset comparison: package clustershell is not installed");
    }
    found
}

/// What ClusterShell makes of each pattern; `None` where it refuses.
fn ask(nodeset: &PathBuf, arguments: &[&str], patterns: &[String]) -> Vec<Option<Answer>> {
    let script = fs::read_to_string(nodeset).expect("nodeset is a Python script");
    let first = script.lines().next().expect("it has a first line");
    let mut interpreter = first.trim_start_matches("#!").split_whitespace();
    let mut child = Command::new(
        interpreter
            .next()
            .expect("its first line names the interpreter"),
    )
    .args(interpreter)
    .args(["-c", ORACLE])
    .args(arguments)
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .spawn()
    .expect("the interpreter of nodeset starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = patterns.join("\n") + "\n";
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("the interpreter ends");
    writer
        .join()
        .expect("the writer does not panic")
        .expect("all patterns are taken");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let answers: Vec<Option<Answer>> = text
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            let string = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
            let names = json["names"]
                .as_array()?
                .iter()
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect();
            Some(Answer {
                names,
                fold: string("fold"),
                regroup: string("regroup"),
            })
        })
        .collect();
    assert_eq!(answers.len(), patterns.len());
    answers
}

fn names(set: &HostSet) -> Vec<String> {
    set.iter().map(|name| name.to_string()).collect()
}

/// Compares the folded text, the names as a set and in order. ClusterShell lists term by term of its folded form, so
/// that is how the order is compared; for names with at most one number it is the order of the set itself.
fn compare(pattern: &str, ours: &HostSet, theirs: &Answer) {
    assert_eq!(ours.fold(), theirs.fold, "fold of {pattern}");
    assert_eq!(ours.len(), theirs.names.len(), "count of {pattern}");
    let by_term: Vec<String> = terms(&theirs.fold)
        .iter()
        .flat_map(|term| names(&term.parse().unwrap_or_else(|e| panic!("{term}: {e}"))))
        .collect();
    assert_eq!(by_term, theirs.names, "order of {pattern}");
    let as_set = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(
        as_set(names(ours)),
        as_set(theirs.names.clone()),
        "names of {pattern}"
    );
    let one_number = |name: &String| {
        name.as_bytes()
            .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
            .filter(|run| run[0].is_ascii_digit())
            .count()
            < 2
    };
    if theirs.names.iter().all(one_number) {
        assert_eq!(names(ours), theirs.names, "order of {pattern}");
    }
}

/// The folded text cut at the commas outside brackets.
fn terms(fold: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut inside = false;
    for c in fold.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ',' if !inside => {
                terms.push(String::new());
                continue;
            }
            _ => {}
        }
        terms.last_mut().expect("there is always one").push(c);
    }
    terms.retain(|term| !term.is_empty());
    terms
}

const SAME: &[&str] = &[
    "",
    "  ",
    "web",
    "web1",
    "web01",
    "web[1-3]",
    "web[01-20,30-40/2]",
    "r[1-4]n[1-32]",
    "n[1-3]-ib0",
    "n[1-3]-ib[0-1]",
    "n[1-3]-ib[00-01].example.org",
    "[1-3]",
    "[1-3]foo",
    "n[8-12]",
    "n[08-12]",
    "n[008-012]",
    "n[98-102]",
    "n[0-10]",
    "n[00-10]",
    "n[1-3,01]",
    "n[1-3,01-03]",
    "n[01-03,1-3,001]",
    "n[1,01,001,0001]",
    "n[9,09,10]",
    "n[09,99,100]",
    "n[09-10,99,100]",
    "n[01-99,100]",
    "n[01-99,100-101]",
    "n[1-99,100,0100]",
    "n[0,00,000]",
    "n[1,3,5,7]",
    "n[1-9/2]",
    "n[0-100/10]",
    "n[00-20/5]",
    "n[1-10/3,2]",
    "n[1-5/1]",
    "n[5/1]",
    "n[5]",
    "n[5,5,5]",
    "n[ 1 , 3 - 5 ]",
    "n[3,1,2]",
    "n[10,9,8]",
    "n1[0-9]",
    "n1[0-8/2]",
    "n0[1-9]",
    "n[1-3]5",
    "n[1-12]5",
    "n[01-03]5",
    "n[1-2]0",
    "n1[2]3",
    "n1[2-3]4",
    "n[1-2]5-[1-2]6",
    "a,b,c",
    "c,b,a,a",
    "a , b ,\tc",
    "a1,a,a2,a10,a01",
    "n[1-10]!n5",
    "n[1-10]!n[2-3,7]",
    "n[1-10]&n[5-15]",
    "n[1-10]^n[5-15]",
    "n[1-10] ! n[2-3] , n2",
    "n[1-10]!n[1-10]",
    "n[1-10]&m[1-10]",
    "n[1-10],m[1-3]&m[2-20]",
    "a,b!b,c^c,d&a,d",
    "a!b!a",
    "a&b,c",
    "a^a",
    "a^a,b",
    "n[1-4]!n[01-04]",
    "n[1-4]^n[01-04]",
    "r[1-2]n[1-2],r3n5",
    "r[1-3]n[1-3]!r2n2",
    "r[1-3]n[1-3]&r[2-5]n[2-5]",
    "r[1-3]n[1-3]^r[2-5]n[2-5]",
    "r1n1,r2n2,r3n3",
    "r1n1,r2n2,r10n3,r9n[1-3]",
    "r[1-12]n1,r[1-12]n[3-5],r7n2",
    "r[01-12]n[1-4]!r05n3",
    "r1n5,r2n[5-6]",
    "r[1-2]c[1-2]n[1-2]",
    "r[1-2]c[1-2]n[1-4]!r1c1n1",
    "r[1-3]c[1-3]n[1-3]!r2c2n2",
    "r1c1n1,r1c2n1,r2c1n2,r2c2n2",
    "r[1,3,5]n[2,4,6]",
    "r[1,3]n[1-2],r2n[1-2]",
    "r[1-2]n[01-02],r[1-2]n[1-2]",
    "root@web[1-3]",
    "web1.example.org,web2.example.org",
    "10.0.0.[1-20]",
    "10.0.[0-1].[1-20]",
    "10.0.[0-1].[1-20]!10.0.0.7",
    "::1",
    "::1,::2",
    "2001:db8::[1-9]",
    "fe80::1%eth0",
    "web[1-3]:22",
    "n[999998-1000003]",
    "n[0099-0101]",
    "n[1-100]!n[2-99/2]",
    "n[1-1000]!n[10-990/7]",
    "i-0abc12de34f",
    "a-1,a-2,a-10",
    "n[1-3],n[5-7],n4",
    "b[1-2],a[1-2],b3,a3",
    "n2-1,n1-1,n1-2",
    "n[1-20]-[1-20]!n[3-7]-[4-9]",
    "n[1-6]-[1-6]!n[1-6/2]-[2-6/2]",
    "x[1-9]y,x[10-12]y",
];

/// Patterns that both refuse.
const REFUSED: &[&str] = &[
    ",",
    ",a",
    "a,",
    "a,,b",
    "a!",
    "!a",
    "a&",
    "&a",
    "a^",
    "a,!b",
    "n[1-3],",
    "n[1-3],,a",
    "n[1",
    "n1]",
    "n[1]]",
    "n[[1]]",
    "n[1][2]",
    "n[1]0[2]",
    "n[]",
    "n[1,]",
    "n[,1]",
    "n[1-]",
    "n[a]",
    "n[1-a]",
    "n[5-1]",
    "n[1-010]",
    "n[01-100]",
    "n[1-01]",
    "n[1-5/0]",
    "n[1-5/a]",
    "n[1-5/]",
    "n[5/2]",
    "n[/2]",
    "n[1-5/-1]",
    "n[1--2]",
];

/// Where regatta differs on purpose: the pattern, what it makes of it (`Err` for a refusal), and why.
const DIFFERENT: &[(&str, Result<&str, ()>, &str)] = &[
    (
        "n1[8-11]",
        Ok("n[18-19,110-111]"),
        "digits before a bracket belong to every number: ClusterShell makes it n[18-111], 94 hosts",
    ),
    (
        "a b",
        Ok("a,b"),
        "a blank separates patterns: ClusterShell makes one host with a blank in its name",
    ),
    ("n[1-2] x", Ok("n[1-2],x"), "the same"),
    (
        "n[-1]",
        Err(()),
        "ClusterShell has two different nodes that are both spelled n-1, this one and n-1 written plainly",
    ),
    ("n[-2-2]", Err(()), "the same"),
    (
        "n[1-2-3]",
        Err(()),
        "ClusterShell drops the first number and takes it for n[2-3] with a sign",
    ),
    (
        "n[0-00]",
        Err(()),
        "the ends are padded differently; ClusterShell sees that only where the end is not zero",
    ),
    (
        "n[1_0]",
        Err(()),
        "ClusterShell takes every spelling of a number that Python takes",
    ),
    ("n[+1]", Err(()), "the same"),
    (
        "n[1-5/2]5",
        Ok("n[15,35,55]"),
        "ClusterShell refuses digits after a step; nothing is ambiguous about them",
    ),
    (
        "[::1]:22",
        Ok("[::1]:22"),
        "brackets round a colon are an address; ClusterShell sees a bad range",
    ),
    ("[2001:db8::1]", Ok("2001:db8::1"), "the same"),
    (
        "web;reboot",
        Err(()),
        "no host name, and dangerous in a shell",
    ),
    ("web$HOME", Err(()), "the same"),
    ("-oProxyCommand", Err(()), "ssh would take it for an option"),
    ("web:99999", Err(()), "not a port"),
    ("a:b:c", Err(()), "not an IPv6 address"),
    (
        "n123456789012345678901,n123456789012345678902",
        Ok("n123456789012345678901,n123456789012345678902"),
        "more than 18 digits are text, not a number",
    ),
];

/// A small generator with a fixed seed (xorshift64*), so that every run compares the same patterns.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn range(&mut self, largest: u64) -> String {
        let first = self.below(largest);
        let last = first + self.below(largest / 2 + 1);
        let width = match self.below(4) {
            0 => last.to_string().len() + self.below(2) as usize,
            _ => 0,
        };
        match self.below(6) {
            0 | 1 => format!("{first:0width$}"),
            2 if last > first => format!("{first:0width$}-{last:0width$}/{}", 1 + self.below(4)),
            _ => format!("{first:0width$}-{last:0width$}"),
        }
    }

    fn bracket(&mut self, largest: u64) -> String {
        let ranges: Vec<String> = (0..=self.below(3)).map(|_| self.range(largest)).collect();
        format!("[{}]", ranges.join(","))
    }

    fn operand(&mut self) -> String {
        match self.below(8) {
            0 => self.pick(&["a", "b", "n", "n-x"]).to_owned(),
            1 => format!("n{}", self.below(120)),
            2..=4 => format!("n{}", self.bracket(110)),
            5 => format!("r{}n{}", self.bracket(5), self.bracket(6)),
            6 => format!("r{}n{}", self.below(13), self.bracket(12)),
            _ => format!(
                "x{}y{}z{}",
                self.bracket(3),
                self.bracket(3),
                self.bracket(3)
            ),
        }
    }

    fn pattern(&mut self) -> String {
        let mut pattern = self.operand();
        for _ in 0..self.below(5) {
            pattern += self.pick(&[",", ",", "!", "&", "^"]);
            pattern += &self.operand();
        }
        pattern
    }
}

#[test]
fn patterns_expand_and_fold_as_in_clustershell() {
    let Some(nodeset) = nodeset_command() else {
        return;
    };
    let mut random = Random(0x5eed_07a2_6e75_1cab);
    let mut patterns: Vec<String> = SAME.iter().map(|&pattern| pattern.to_owned()).collect();
    patterns.extend((0..600).map(|_| random.pattern()));
    let mut compared = 0;
    for (pattern, theirs) in patterns.iter().zip(ask(&nodeset, &[], &patterns)) {
        match (pattern.parse::<HostSet>(), theirs) {
            (Ok(ours), Some(theirs)) => {
                compare(pattern, &ours, &theirs);
                compared += 1;
            }
            // A generated range can have ends of different padding.
            (Err(_), None) => assert!(!SAME.contains(&pattern.as_str()), "both refuse {pattern}"),
            (Err(error), Some(_)) => panic!("only regatta refuses {pattern}: {error}"),
            (Ok(_), None) => panic!("only ClusterShell refuses {pattern}"),
        }
    }
    assert!(compared > 500, "only {compared} patterns were compared");
}

#[test]
fn both_refuse_what_is_wrong() {
    let Some(nodeset) = nodeset_command() else {
        return;
    };
    let patterns: Vec<String> = REFUSED.iter().map(|&pattern| pattern.to_owned()).collect();
    for (pattern, theirs) in patterns.iter().zip(ask(&nodeset, &[], &patterns)) {
        assert!(theirs.is_none(), "ClusterShell takes {pattern}");
        assert!(
            pattern.parse::<HostSet>().is_err(),
            "regatta takes {pattern}"
        );
    }
}

#[test]
fn the_deliberate_differences_are_these() {
    let Some(nodeset) = nodeset_command() else {
        return;
    };
    let patterns: Vec<String> = DIFFERENT
        .iter()
        .map(|&(pattern, ..)| pattern.to_owned())
        .collect();
    for ((pattern, expected, reason), theirs) in DIFFERENT.iter().zip(ask(&nodeset, &[], &patterns))
    {
        let ours = pattern
            .parse::<HostSet>()
            .map(|set| set.fold())
            .map_err(drop);
        assert_eq!(ours, expected.map(str::to_owned), "{pattern}: {reason}");
        assert_ne!(
            ours.ok(),
            theirs.map(|answer| answer.fold),
            "no difference any more: {pattern}"
        );
    }
}

#[test]
fn the_command_agrees_with_its_library() {
    let Some(nodeset) = nodeset_command() else {
        return;
    };
    for pattern in [
        "web[01-20,30-40/2]",
        "r[1-3]n[1-3]!r2n2",
        "n[1-3,01],a,b!b",
        "n[98-102]",
    ] {
        let run = |option: &str| {
            let output = Command::new(&nodeset)
                .args([option, "-S", "\\n", pattern])
                .output()
                .expect("nodeset runs");
            String::from_utf8(output.stdout)
                .expect("names are UTF-8")
                .trim_end()
                .to_owned()
        };
        let names = run("-e").lines().map(str::to_owned).collect();
        let theirs = Answer {
            names,
            fold: run("-f"),
            regroup: String::new(),
        };
        let ours: HostSet = pattern.parse().expect("the pattern is right");
        compare(pattern, &ours, &theirs);
        assert_eq!(run("-c"), ours.len().to_string());
    }
}

#[test]
fn groups_wildcards_and_regrouping_are_as_in_clustershell() {
    let Some(nodeset) = nodeset_command() else {
        return;
    };
    let lists = [
        ("web", "web[01-20]"),
        ("db", "db[1-4]"),
        ("rack1", "web[01-10],db[1-2]"),
        ("rack2", "web[11-20],db[3-4]"),
        ("front", "web[01-03]"),
        ("lone", "gate"),
    ];
    let dir = tempfile::tempdir().expect("a temporary directory");
    let all = "web[01-20],db[1-4],gate";
    let file: Vec<String> = lists
        .iter()
        .map(|(name, hosts)| {
            format!(
                "{name}: {hosts}
"
            )
        })
        .collect();
    fs::write(dir.path().join("list"), file.concat()).expect("the list is written");
    let conf = format!(
        "[Main]\ndefault: inventory\n[inventory]\nmap: sed -n 's/^$GROUP: //p' $CFGDIR/list\nall: echo '{all}'\nlist: sed -n 's/:.*//p' $CFGDIR/list\n"
    );
    let conf_path = dir.path().join("groups.conf");
    fs::write(&conf_path, conf).expect("the configuration is written");

    let mut groups = Groups::new("inventory");
    for (name, hosts) in lists {
        groups.insert("inventory", name, hosts.parse().expect("the list is right"));
    }
    let patterns: Vec<String> = [
        "@web",
        "@inventory:web",
        "@rack[1-2]",
        "@rack1&@web",
        "@web!@front",
        "@*",
        "@*!@web",
        "web*",
        "web0*",
        "web?1",
        "*",
        "*!web*",
        "*1",
        "db*,gate",
        "web[0-1]*",
        "*[1-2]",
        "nothing*",
        "@rack1^@front",
        "web[01-10],db[1-2]",
        "web[01-20],db[1-3]",
        "gate",
        "@web,@db",
        "web[01-04]",
        "db[1-4],gate,other",
        "@*!gate",
    ]
    .iter()
    .map(|&pattern| pattern.to_owned())
    .collect();
    let conf_path = conf_path.to_str().expect("the path is UTF-8");
    for (pattern, theirs) in patterns.iter().zip(ask(&nodeset, &[conf_path], &patterns)) {
        let theirs = theirs.unwrap_or_else(|| panic!("ClusterShell refuses {pattern}"));
        let ours = Targets::new(&groups, &mut NoSource)
            .resolve(pattern, None)
            .unwrap_or_else(|e| panic!("{e}"));
        compare(pattern, &ours, &theirs);
        assert_eq!(
            groups.regroup(&ours),
            theirs.regroup,
            "regroup of {pattern}"
        );
    }
}
