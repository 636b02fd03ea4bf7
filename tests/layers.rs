//! Who may import whom.  Reads every path that begins with `crate::`, climbs out with `super::`, or names another crate,
//! in all of src/, and says which rule was broken where.
//!
//! Test modules may use what they like: only code that ships is looked at.  Deliberately not here: visibility and
//! naming, which the compiler and clippy see to.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// What one layer may use beside itself.
struct Layer {
    name: &'static str,
    /// Paths within this crate, each with everything below it.
    may: &'static [&'static str],
    /// Other crates.
    crates: Crates,
    /// What it may use of `std` where that does something; see [`DOING`].
    doing: Doing,
}

enum Crates {
    Any,
    Only(&'static [&'static str]),
}

#[derive(PartialEq, Eq)]
enum Doing {
    Free,
    Pure,
}

use Crates::{Any, Only};
use Doing::{Free, Pure};

/// The drawing in the design, top to bottom.
const LAYERS: &[Layer] = &[
    // The model: no clock, no files, no async, no serialisation.
    Layer {
        name: "core",
        may: &[],
        crates: Only(&[]),
        doing: Pure,
    },
    // What operators answer: the one thing that is known beside the model and never in it.
    Layer {
        name: "secret",
        may: &["core::question"],
        crates: Only(&["serde", "zeroize"]),
        doing: Pure,
    },
    // Names and sets of hosts.  Files and stdin come in through a trait.
    Layer {
        name: "targets",
        may: &["core::ids"],
        crates: Only(&[]),
        doing: Pure,
    },
    // What was typed, checked for form.
    Layer {
        name: "command",
        may: &["core", "targets"],
        crates: Only(&["clap", "clap_complete"]),
        doing: Pure,
    },
    // What a key is bound to is a command line, and the names of places, screens and states are read from files.
    Layer {
        name: "config",
        may: &[
            "targets",
            "command",
            "core::spec",
            "core::state",
            "core::retention",
            "results",
        ],
        crates: Only(&["serde", "toml", "rustix", "sha1", "clap", "regex"]),
        doing: Free,
    },
    // Text to rows, and what is asked of them.
    Layer {
        name: "results",
        may: &["core", "targets::nearest"],
        crates: Only(&["serde", "serde_json", "regex", "jiff", "rusqlite"]),
        doing: Pure,
    },
    // The model's types written down: shared by whoever sends or keeps them.
    Layer {
        name: "serial",
        may: &["core"],
        crates: Only(&["serde"]),
        doing: Pure,
    },
    Layer {
        name: "store",
        may: &["core", "serial"],
        crates: Any,
        doing: Free,
    },
    // How a child runs.  It knows an order and a verdict, never who keeps or shows them.
    Layer {
        name: "runner",
        may: &[
            "core::ids",
            "core::output",
            "core::reason",
            "core::question",
            "core::spec",
            "secret",
            "config",
        ],
        crates: Any,
        doing: Free,
    },
    Layer {
        name: "wire",
        may: &["core", "serial", "secret"],
        crates: Only(&[
            "serde",
            "serde_json",
            "rmp_serde",
            "bytes",
            "tokio",
            "zeroize",
        ]),
        doing: Pure,
    },
    Layer {
        name: "engine",
        may: &["core", "runner", "store", "wire", "secret"],
        crates: Any,
        doing: Free,
    },
    // How things look: no IO, no engine.
    Layer {
        name: "view",
        may: &["core", "wire", "results"],
        crates: Only(&[
            "serde_json",
            "base64",
            "jiff",
            "unicode_width",
            "unicode_segmentation",
            "anstyle",
            "similar",
            "vte",
        ]),
        doing: Pure,
    },
    Layer {
        name: "daemon",
        may: &[
            "core", "engine", "wire", "store", "targets", "secret", "view",
        ],
        crates: Any,
        doing: Free,
    },
    // From what was typed to what the engine is asked: hosts out of the inventory, limits out of the settings.
    Layer {
        name: "plan",
        may: &["command", "config", "core", "targets", "results", "wire"],
        crates: Any,
        doing: Free,
    },
    // The two faces are clients and nothing else.
    Layer {
        name: "cli",
        may: &[
            "command",
            "config",
            "core",
            "targets",
            "plan",
            "results",
            "view",
            "wire",
            "secret",
            "demo",
            "daemon::client",
            "daemon::digest",
            "daemon::place",
            "daemon::assemble",
            "daemon::Service",
            "daemon::OpenError",
            "daemon::store_check",
        ],
        crates: Any,
        doing: Free,
    },
    Layer {
        name: "tui",
        may: &[
            "command",
            "config",
            "core",
            "targets",
            "plan",
            "results",
            "view",
            "wire",
            "secret",
            "demo",
            "daemon::client",
            "daemon::place",
            "daemon::assemble",
            "daemon::Service",
            "daemon::OpenError",
            "daemon::store_check",
        ],
        crates: Any,
        doing: Free,
    },
    Layer {
        name: "demo",
        may: &[
            "command", "config", "core", "targets", "store", "runner", "wire", "engine", "view",
            "daemon",
        ],
        crates: Any,
        doing: Free,
    },
];

/// The files that may use more, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "src/cli/console.rs",
        "crate::tui",
        "the verb that hands over to the other face",
    ),
    (
        "src/daemon/assemble.rs",
        "crate::runner",
        "this is where the parts are put together",
    ),
    (
        "src/daemon/assemble.rs",
        "crate::config",
        "this is where the parts are put together",
    ),
    (
        "src/daemon/session.rs",
        "crate::runner::ssh::Ssh",
        "it counts and closes connections, until runners do that behind their trait",
    ),
    (
        "src/view/diff.rs",
        "std::time::Instant",
        "it is told until when it may go on, and never looks at a clock itself",
    ),
    (
        "src/wire/mod.rs",
        "std::process::id",
        "a greeting says which process it comes from",
    ),
];

/// What of `std` reads or changes the world.  `std::io` and `std::net` are pure where they are traits and addresses.
const DOING: &[&str] = &[
    "std::fs",
    "std::net::TcpListener",
    "std::net::TcpStream",
    "std::net::ToSocketAddrs",
    "std::net::UdpSocket",
    "std::os",
    "std::env",
    "std::process",
    "std::thread",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "std::time::Instant",
    "std::time::SystemTime",
];

#[test]
fn nobody_imports_what_is_above_or_beside() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = other_crates(&root.join("Cargo.toml"));
    let mut broken = BTreeSet::new();
    let mut seen = 0;
    for file in rust_files(&root.join("src")) {
        let name = file
            .strip_prefix(root)
            .expect("below the root")
            .display()
            .to_string();
        let Some(module) = module_of(&name) else {
            continue;
        };
        seen += 1;
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == module[0]) else {
            broken.insert(format!(
                "{name}: {} is no layer: give it a rule in tests/layers.rs",
                module[0]
            ));
            continue;
        };
        let text = fs::read_to_string(&file).expect("a source file");
        for path in paths(&shipped(&tokens(&text)), &module) {
            if let Some(rule) = rule_broken(layer, &path, &known)
                && !EXCEPTIONS
                    .iter()
                    .any(|(at, what, _)| *at == name && below(&path, what))
            {
                broken.insert(format!("{name}: {path}: {rule}"));
            }
        }
    }
    assert!(seen > 50, "only {seen} files were looked at");
    let mut report = String::new();
    for line in &broken {
        _ = writeln!(report, "  {line}");
    }
    assert!(broken.is_empty(), "layers are crossed:\n{report}");
}

/// The rule that a use of `path` in `layer` breaks.
fn rule_broken(layer: &Layer, path: &str, crates: &BTreeSet<String>) -> Option<String> {
    let (first, rest) = path.split_once("::").unwrap_or((path, ""));
    if first == "crate" {
        let own = below(rest, layer.name);
        if own || layer.may.iter().any(|may| below(rest, may)) {
            return None;
        }
        return Some(format!(
            "{} uses only {} and itself",
            layer.name,
            list(layer.may)
        ));
    }
    if crates.contains(first) {
        return match &layer.crates {
            Any => None,
            Only(some) if some.contains(&first) => None,
            Only(some) => Some(format!(
                "of other crates {} uses only {}",
                layer.name,
                list(some)
            )),
        };
    }
    let does = layer.doing == Pure && DOING.iter().any(|doing| below(path, doing));
    does.then(|| format!("{} does nothing to the world", layer.name))
}

fn list(names: &[&str]) -> String {
    if names.is_empty() {
        "nothing".to_string()
    } else {
        names.join(", ")
    }
}

/// Whether `path` is `of` or something in it.
fn below(path: &str, of: &str) -> bool {
    path.strip_prefix(of)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// `src/runner/ssh/mod.rs` is the module `runner::ssh`.  `None` for the crate's own roots, and for files of tests.
fn module_of(name: &str) -> Option<Vec<String>> {
    let path = name.strip_prefix("src/")?.strip_suffix(".rs")?;
    let mut module: Vec<String> = path.split('/').map(str::to_string).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    let test_files = ["tests", "properties", "scenarios"];
    let root = matches!(path, "main" | "lib");
    (!root
        && !module
            .iter()
            .any(|part| test_files.contains(&part.as_str())))
    .then_some(module)
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The crates Cargo.toml names, as they are written in paths.
fn other_crates(manifest: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(manifest).expect("Cargo.toml");
    let mut section = "";
    let mut crates = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && let Some((name, _)) = line.split_once('=')
        {
            crates.insert(name.trim().replace('-', "_"));
        }
    }
    assert!(
        crates.contains("tokio") && crates.contains("rmp_serde"),
        "{crates:?}"
    );
    crates
}

/// What matters of Rust's tokens here.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Sep,
    Sign(char),
}

/// Words and signs; comments, strings and characters are left out.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |n: usize| chars.get(n).copied().unwrap_or('\0');
    let (mut tokens, mut n) = (Vec::new(), 0);
    while n < chars.len() {
        let raw = |from: usize| {
            let hashes = (from..chars.len()).take_while(|m| at(*m) == '#').count();
            (at(from + hashes) == '"').then_some(hashes)
        };
        match at(n) {
            '/' if at(n + 1) == '/' => {
                while n < chars.len() && at(n) != '\n' {
                    n += 1;
                }
            }
            '/' if at(n + 1) == '*' => {
                let mut depth = 0;
                loop {
                    match (at(n), at(n + 1)) {
                        ('/', '*') => (depth, n) = (depth + 1, n + 2),
                        ('*', '/') => (depth, n) = (depth - 1, n + 2),
                        _ => n += 1,
                    }
                    if depth == 0 || n >= chars.len() {
                        break;
                    }
                }
            }
            'r' | 'b'
                if raw(n + 1 + usize::from(at(n) == 'b' && at(n + 1) == 'r')).is_some()
                    && (at(n) == 'r' || at(n + 1) == 'r') =>
            {
                let start = n + 1 + usize::from(at(n) == 'b');
                let hashes = raw(start).expect("just looked at");
                n = start + hashes + 1;
                while n < chars.len() && !(at(n) == '"' && (1..=hashes).all(|m| at(n + m) == '#')) {
                    n += 1;
                }
                n += 1 + hashes;
            }
            '"' => {
                n += 1;
                while n < chars.len() && at(n) != '"' {
                    n += 1 + usize::from(at(n) == '\\');
                }
                n += 1;
            }
            // A character, unless it is a lifetime.
            '\'' if at(n + 1) == '\\' || at(n + 2) == '\'' => {
                n += 2 + usize::from(at(n + 1) == '\\');
                while n < chars.len() && at(n) != '\'' {
                    n += 1;
                }
                n += 1;
            }
            ':' if at(n + 1) == ':' => {
                tokens.push(Token::Sep);
                n += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let start = n;
                while at(n).is_alphanumeric() || at(n) == '_' {
                    n += 1;
                }
                tokens.push(Token::Word(chars[start..n].iter().collect()));
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(Token::Sign(c));
                }
                n += 1;
            }
        }
    }
    tokens
}

/// The tokens without items under `#[cfg(test)]`.
fn shipped(tokens: &[Token]) -> Vec<Token> {
    let mark = self::tokens("#[cfg(test)]");
    let (mut kept, mut n) = (Vec::new(), 0);
    while n < tokens.len() {
        if !tokens[n..].starts_with(&mark) {
            kept.push(tokens[n].clone());
            n += 1;
            continue;
        }
        // To the end of the item: its semicolon, or its closing brace.
        let mut depth = 0;
        while n < tokens.len() {
            let token = &tokens[n];
            n += 1;
            match token {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                Token::Sign(';') if depth == 0 => break,
                _ => {}
            }
        }
    }
    kept
}

/// Every path of more than one segment, written out from the root.  Groups in braces come as one path each.
fn paths(tokens: &[Token], module: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut n = 0;
    while n < tokens.len() {
        let begins = matches!(&tokens[n], Token::Word(_))
            && tokens.get(n + 1) == Some(&Token::Sep)
            && (n == 0 || tokens[n - 1] != Token::Sep);
        if begins {
            let mut raw = Vec::new();
            n = path_at(tokens, n, &mut Vec::new(), &mut raw);
            found.extend(raw.iter().filter_map(|path| absolute(path, module)));
        } else {
            n += 1;
        }
    }
    found
}

/// Reads one path, or one tree of a `use`, from `n` on; returns where it ends.
fn path_at(
    tokens: &[Token],
    mut n: usize,
    prefix: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) -> usize {
    let depth = prefix.len();
    loop {
        match tokens.get(n) {
            Some(Token::Word(word)) => {
                prefix.push(word.clone());
                n += 1;
            }
            Some(Token::Sign('{')) => {
                n += 1;
                while tokens
                    .get(n)
                    .is_some_and(|token| *token != Token::Sign('}'))
                {
                    let before = n;
                    n = path_at(tokens, n, prefix, found);
                    // `as name`, commas
                    while matches!(tokens.get(n), Some(Token::Sign(','))) || n == before {
                        n += 1;
                    }
                    if matches!(tokens.get(n), Some(Token::Word(word)) if word == "as") {
                        n += 2;
                    }
                    while matches!(tokens.get(n), Some(Token::Sign(','))) {
                        n += 1;
                    }
                }
                prefix.truncate(depth);
                return n + 1;
            }
            // `*`, `<`, or whatever else ends a path.
            _ => break,
        }
        if tokens.get(n) == Some(&Token::Sep) {
            n += 1;
        } else {
            break;
        }
    }
    found.push(prefix.clone());
    prefix.truncate(depth);
    n
}

/// A path from the crate's root on; `None` if it stays within its own layer.
fn absolute(path: &[String], module: &[String]) -> Option<String> {
    match path[0].as_str() {
        "self" | "Self" => None,
        "super" => {
            let climbs = path.iter().take_while(|part| *part == "super").count();
            let rest = &path[climbs..];
            // Inline modules climb one more for free; what ends above every layer is an import like any other.
            let outside = climbs >= module.len()
                && LAYERS
                    .iter()
                    .any(|layer| rest.first().is_some_and(|part| part == layer.name));
            outside.then(|| format!("crate::{}", rest.join("::")))
        }
        // `crate`, or another crate.
        _ => Some(path.join("::")),
    }
}

#[test]
fn paths_are_found_however_they_are_written() {
    let text = r##"
        //! crate::comment::no
        use crate::core::{ids::JobId, state::{self, State as S}};
        use crate::store;
        /* crate::comment::no /* nested */ crate::no */
        fn f<'a>(c: char) -> crate::wire::Reply { let s = "crate::string::no"; let r = r#"crate::"raw"::no"#; g::<crate::view::X>('{', '\'') }
        use super::super::engine::Task;
        use super::sibling::Thing;
        #[cfg(test)]
        mod tests { use crate::cli::no; fn f() { {} } }
        fn after() { tokio::spawn(crate::demo::y()); }
    "##;
    let module = ["runner".to_string(), "local".to_string()];
    let found = paths(&shipped(&tokens(text)), &module);
    assert_eq!(
        found,
        [
            "crate::core::ids::JobId",
            "crate::core::state::self",
            "crate::core::state::State",
            "crate::store",
            "crate::wire::Reply",
            "g",
            "crate::view::X",
            "crate::engine::Task",
            "tokio::spawn",
            "crate::demo::y",
        ]
    );
}

#[test]
fn rules_catch_what_they_are_for() {
    let crates: BTreeSet<String> = ["serde", "tokio", "clap"].map(str::to_string).into();
    let cases = [
        ("core", "crate::core::state", true),
        ("core", "serde::Serialize", false),
        ("core", "crate::targets::HostSet", false),
        ("core", "std::fs::read", false),
        ("core", "std::collections::BTreeMap", true),
        ("targets", "crate::core::ids::JobId", true),
        ("targets", "crate::core::fleet::Fleet", false),
        ("targets", "std::net::Ipv6Addr", true),
        ("runner", "crate::engine::Engine", false),
        ("runner", "crate::core::fleet::Fleet", false),
        ("config", "crate::command::duration::parse", true),
        ("config", "crate::command::Cli", true),
        ("config", "crate::core::fleet::Fleet", false),
        ("command", "crate::config::keys::Keymap", false),
        ("view", "tokio::fs::read", false),
        ("view", "crate::engine::Engine", false),
        ("cli", "crate::engine::Engine", false),
        ("cli", "crate::daemon::client", true),
        ("daemon", "crate::runner::local", false),
    ];
    for (name, path, fine) in cases {
        let layer = LAYERS
            .iter()
            .find(|layer| layer.name == name)
            .expect("a layer");
        assert_eq!(
            rule_broken(layer, path, &crates).is_none(),
            fine,
            "{path} in {name}"
        );
    }
}
