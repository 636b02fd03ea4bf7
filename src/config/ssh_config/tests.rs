//! What `ssh -G` cannot show: origins, notes, permissions, relative includes, errors. The values themselves are
//! compared with OpenSSH in `tests/ssh_config.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::*;

struct Home {
    directory: tempfile::TempDir,
    env: LocalEnv,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir(directory.path().join(".ssh")).expect("mkdir");
        let env = LocalEnv {
            user: "me".to_owned(),
            home: directory.path().to_owned(),
            hostname: "here.example.org".to_owned(),
            uid: rustix::process::getuid().as_raw(),
            variables: HashMap::from([("PLACE".to_owned(), "lab".to_owned())]),
        };
        Self { directory, env }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("write");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("chmod");
        path
    }

    fn load(&self, text: &str) -> Result<ClientConfig, ConfigError> {
        let path = self.write("config", text);
        ClientConfig::load(&ConfigSource::File(path), &self.env)
    }

    fn resolve(&self, text: &str, host: &str) -> HostSettings {
        self.load(text)
            .and_then(|config| config.resolve(host, &Overrides::default(), Commands::Skip))
            .expect("a good configuration")
    }

    fn refusal(&self, text: &str) -> String {
        let error = self
            .load(text)
            .and_then(|config| config.resolve("web", &Overrides::default(), Commands::Skip))
            .expect_err(text);
        error
            .to_string()
            .replace(&format!("{}/", self.directory.path().display()), "")
    }
}

#[test]
fn every_setting_says_where_it_comes_from() {
    let home = Home::new();
    home.write("more", "\nPort 2200\n");
    let text = format!(
        "User alice\nHost web\n  Include {}\n  IdentityFile a\n",
        home.path("more").display()
    );
    let config = home.load(&text).expect("a good configuration");
    let overrides = Overrides::default().identity_file("cli");
    let settings = config
        .resolve("web", &overrides, Commands::Skip)
        .expect("a good host");
    let origin = |name: &str| -> Vec<String> {
        let lines = settings.explain();
        let origins = lines
            .iter()
            .filter(|line| line.name == name)
            .map(|line| line.origin.to_string());
        origins
            .map(|origin| origin.rsplit('/').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(origin("user"), ["config:1"]);
    assert_eq!(origin("port"), ["more:2"]);
    assert_eq!(origin("identityfile"), ["command line", "config:4"]);
    assert_eq!(origin("hostname"), ["default"]);
    assert_eq!(origin("connecttimeout"), ["default"]);
}

#[test]
fn values_come_typed_and_expanded() {
    let home = Home::new();
    let settings = home.resolve(
        "IdentityFile ~/.ssh/%h-%r-%L\nIdentityFile none\nIdentityAgent $AGENT\nConnectTimeout 1m\n\
         StrictHostKeyChecking accept-new\nUserKnownHostsFile /${PLACE}/%n\nProxyJump a@b:3,c\n",
        "Web",
    );
    let paths: Vec<Option<&Path>> = settings
        .identity_files
        .iter()
        .map(|file| file.value.path.as_deref())
        .collect();
    assert_eq!(paths, [Some(home.path(".ssh/web-me-here").as_path()), None]);
    assert_eq!(
        settings.identity_agent.map(|agent| agent.value),
        Some(IdentityAgent::Variable("AGENT".to_owned()))
    );
    assert_eq!(
        settings.connect_timeout.map(|timeout| timeout.value),
        Some(Duration::from_secs(60))
    );
    assert_eq!(
        settings.strict_host_key_checking.value,
        StrictHostKeyChecking::AcceptNew
    );
    assert_eq!(settings.user_known_hosts.value, [PathBuf::from("/lab/Web")]);
    let Proxy::Jump(hops) = settings.proxy.value else {
        panic!("{:?}", settings.proxy)
    };
    let hops: Vec<_> = hops
        .iter()
        .map(|hop| (hop.user.as_deref(), hop.host.as_str(), hop.port))
        .collect();
    assert_eq!(hops, [(Some("a"), "b", Some(3)), (None, "c", None)]);
}

#[test]
fn what_is_known_of_a_hop_comes_after_what_is_written_and_before_its_configuration() {
    let home = Home::new();
    let path = home.path("config");
    let text =
        "Host web\n ProxyJump a,you@b:33\nHost a b\n HostName 10.0.0.1\n User other\n Port 44\n";
    fs::write(&path, text).expect("write");
    let config = ClientConfig::load(&ConfigSource::File(path), &home.env).expect("it is right");
    let web = config
        .resolve("web", &Overrides::default(), Commands::Skip)
        .expect("it is");
    let known = |name: &str| {
        Some(Host {
            address: Some(format!("{name}.known")),
            user: Some("ops".to_owned()),
            port: Some(2222),
            ..Host::named(name)
        })
    };
    let hops = config.hops(&web, Commands::Skip, &known).expect("hops");
    let reached: Vec<_> = hops
        .iter()
        .map(|hop| {
            let (user, host) = (&hop.user.value, &hop.host_name.value);
            format!("{}: {user}@{host}:{}", hop.host, hop.port.value)
        })
        .collect();
    assert_eq!(reached, ["b: you@b.known:33", "a: ops@a.known:2222"]);
    assert_eq!(
        config.hop_names().into_iter().collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[test]
fn hops_are_looked_up_like_hosts_and_may_have_hops_of_their_own() {
    let home = Home::new();
    let path = home.path("config");
    let hops = |text: &str| {
        fs::write(&path, text).expect("write");
        let source = ConfigSource::File(path.clone());
        let config = ClientConfig::load(&source, &home.env).expect("it is right");
        let web = config
            .resolve("web", &Overrides::default(), Commands::Skip)
            .expect("it is");
        config.hops(&web, Commands::Skip, &|_| None).map(|hops| {
            let hops = hops.iter().map(|hop| {
                let (user, host) = (&hop.user.value, &hop.host_name.value);
                format!("{user}@{host}:{}", hop.port.value)
            });
            hops.collect::<Vec<_>>().join(" ")
        })
    };
    let check =
        |text: &str, expected: &str| assert_eq!(hops(text).expect("hops"), expected, "{text}");
    check("User x\n", "");
    check("Host web\n ProxyJump a\n", "me@a:22");
    // The nearest first; what is said of a hop comes before its configuration.
    check(
        "Host web\n ProxyJump a,you@b:33\nHost a\n HostName 10.0.0.1\nHost b\n User other\n Port 44\n",
        "you@b:33 me@10.0.0.1:22",
    );
    check(
        "Host web\n ProxyJump b\nHost b\n ProxyJump a\n",
        "me@b:22 me@a:22",
    );
    check(
        "Host web\n ProxyJump a,b\nHost b\n ProxyJump c\n",
        "me@b:22 me@a:22",
    );
    check(
        "Host web\n ProxyJump b\nHost b\n ProxyCommand nc %h %p\n",
        "me@b:22",
    );
    check(
        "Host web\n HostName web.dc1\n ProxyJump gw-%n:33\n Port 33\n",
        "me@gw-web:33",
    );
    for circle in [
        "Host web a\n ProxyJump b\nHost b\n ProxyJump a\n",
        "Host web\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump c\nHost c\n ProxyJump a\n",
    ] {
        let error = hops(circle).expect_err(circle).to_string();
        assert!(error.contains("is reached through itself"), "{error}");
    }
}

#[test]
fn a_proxy_command_knows_what_is_known_of_its_host() {
    let home = Home::new();
    let settings = home.resolve(
        "HostName %h.example\nPort 33\nUser you\nHostKeyAlias key\nProxyCommand nc -x %% %h %k %n %p %r ${HOME} ~\n",
        "web",
    );
    let command = settings.proxy_command().expect("its tokens are right");
    assert_eq!(
        command.as_deref(),
        Some("nc -x % web.example key web 33 you ${HOME} ~"),
        "the rest is the shell's"
    );
    let wrong = home.resolve("ProxyCommand nc %d\n", "web").proxy_command();
    let wrong = wrong.expect_err("no token of this option").to_string();
    assert!(wrong.contains("%d"), "{wrong}");
    let none = home.resolve("ProxyCommand none\n", "web").proxy_command();
    assert_eq!(none.expect("right"), None);
}

#[test]
fn what_is_not_honoured_is_noted_for_the_hosts_it_is_set_for() {
    let home = Home::new();
    let notes = |text: &str, host: &str| -> Vec<String> {
        let notes = home.resolve(text, host).notes;
        notes
            .iter()
            .map(|note| {
                note.to_string()
                    .rsplit('/')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    };
    let text = "Host web\n  LogLevel INFO\nHost *\n  loglevel x\n  ForwardAgent yes\n";
    assert_eq!(
        notes(text, "web"),
        [
            "config:2: LogLevel has no effect in regatta",
            "config:5: ForwardAgent has no effect in regatta"
        ]
    );
    assert_eq!(notes(text, "db").len(), 2);
    // What is asked for is what is done anyway, and the first line counts.
    assert_eq!(
        notes("ForwardAgent no\nForwardAgent yes\nTunnel no\n", "web"),
        [""; 0]
    );
    assert_eq!(notes("User x\nPort 1\n", "web"), [""; 0]);
    let text =
        "Match tagged x\n User a\nMatch host db tagged x\n User b\nMatch exec true\n User c\n";
    assert_eq!(
        notes(text, "web"),
        ["config:1: this Match block is skipped, regatta does not evaluate \"tagged\""]
    );
    assert_eq!(home.resolve(text, "web").user.value, "me");
    for criterion in [
        "tagged x",
        "version x",
        "localnetwork 10.0.0.0/8",
        "sessiontype x",
        "command x",
    ] {
        assert_eq!(
            notes(&format!("Match {criterion}\n User x\n"), "web").len(),
            1,
            "{criterion}"
        );
    }
}

#[test]
fn what_is_lost_is_told_apart() {
    let home = Home::new();
    let loss = |text: &str| {
        let notes = home.resolve(text, "web").notes;
        notes.iter().map(Note::loss).collect::<Vec<Loss>>()
    };
    assert_eq!(loss("ForwardAgent yes\n"), [Loss::Matters]);
    assert_eq!(loss("RemoteCommand x\n"), [Loss::Matters]);
    assert_eq!(loss("LogLevel DEBUG\n"), [Loss::Slight]);
    for text in [
        "AddKeysToAgent ask\n",
        "UpdateHostKeys ask\n",
        "CanonicalizeHostname yes\n",
        "Match localnetwork 10.0.0.0/8\n",
    ] {
        assert_eq!(loss(text), [Loss::Matters], "{text}");
    }
}

#[test]
fn commands_of_match_run_when_they_may() {
    let home = Home::new();
    let ran = home.path("ran");
    let text = format!(
        "Match host nobody exec \"touch {0}-never\"\n User a\nMatch exec \"echo %n >> {0}\"\n User b\n",
        ran.display()
    );
    let config = home.load(&text).expect("a good configuration");
    assert!(config.has_commands());
    let user = |commands: Commands<'_>| {
        let settings = config.resolve("web", &Overrides::default(), commands);
        settings.expect("a good host").user.value
    };
    assert_eq!(user(Commands::Skip), "me");
    assert!(!ran.exists());
    let answers = Answers::default();
    assert_eq!(user(Commands::Run(&answers)), "b");
    assert_eq!(user(Commands::Run(&answers)), "b");
    assert_eq!(fs::read_to_string(&ran).expect("it ran"), "web\n");
    answers.clear();
    assert_eq!(user(Commands::Run(&answers)), "b");
    assert_eq!(fs::read_to_string(&ran).expect("it ran"), "web\nweb\n");
    assert!(!home.path("ran-never").exists());
    let dies = home
        .load("Match exec \"kill -9 $$\"\n User a\n")
        .expect("good");
    let error = dies.resolve("web", &Overrides::default(), Commands::Run(&answers));
    let said = error.expect_err("as in ssh").to_string();
    assert!(
        said.contains("config:1") && said.contains("Match exec"),
        "{said}"
    );
}

#[test]
fn variables_to_send_are_known_whatever_their_block() {
    let home = Home::new();
    home.write("more", "Match exec false\n SendEnv DEEP*\n");
    let text = format!(
        "Host db\n SendEnv LANG LC_*\n Include {}\n",
        home.path("more").display()
    );
    let config = home.load(&text).expect("a good configuration");
    let sent = ["LANG", "LC_TIME", "DEEPER", "TOKEN"].map(|name| config.sends(name));
    assert_eq!(sent, [true, true, true, false]);
}

#[test]
fn values_that_may_be_secret_are_not_shown() {
    let home = Home::new();
    let settings = home.resolve("SetEnv TOKEN=hush\n", "web");
    assert_eq!(settings.set_env[0].value.value, "hush");
    assert!(!format!("{settings:?}").contains("hush"));
    let settings = home.resolve("LocalCommand login hush\n", "web");
    let [note @ Note::NotHonoured { value, .. }] = settings.notes.as_slice() else {
        panic!("{:?}", settings.notes)
    };
    assert_eq!(value, "login hush");
    assert!(!format!("{note} {settings:?}").contains("hush"));
    assert!(!format!("{:?}", home.env).contains("lab"));
}

#[test]
fn refusals_name_the_line_and_the_remedy() {
    let home = Home::new();
    let check = |text: &str, expected: &str| assert_eq!(home.refusal(text), expected, "{text}");
    check(
        "\nBogus 1\n",
        "config:2: bad configuration option: Bogus (IgnoreUnknown Bogus would skip it)",
    );
    check(
        "Port x\n",
        "config:1: Port cannot be \"x\": expected a port from 1 to 65535",
    );
    check("Host a\n User \"x\n", "config:2: a quote is not closed");
    check(
        "Match nonsense\n",
        "config:1: bad Match condition: OpenSSH knows no criterion \"nonsense\"",
    );
    check("User\n", "config:1: User needs an argument");
    check(
        "HostName %q\n",
        "ssh configuration of web (config:1): \"%q\" in \"%q\" is not a token this option knows (write %% for a percent sign)",
    );
    check(
        "UserKnownHostsFile ~you/x\n",
        "ssh configuration of web (config:1): \"~you/x\": only ~/ (your own home) is expanded, write the path in full",
    );
    check(
        "ProxyJump web\n",
        "ssh configuration of web (config:1): jump host loop: web is reached through itself; exclude it with \"Host !web *\"",
    );
}

#[test]
fn lines_must_be_utf8_unless_they_are_comments() {
    let home = Home::new();
    let path = home.path("config");
    fs::write(&path, b"# caf\xe9\nUser x\n").expect("write");
    let load = || ClientConfig::load(&ConfigSource::File(path.clone()), &home.env);
    assert!(load().is_ok());
    fs::write(&path, b"User caf\xe9\n").expect("write");
    assert!(matches!(
        load(),
        Err(ConfigError::Line {
            problem: Problem::NotUtf8,
            ..
        })
    ));
}

#[test]
fn the_users_file_must_be_safe_from_others_and_an_explicit_one_need_not() {
    let home = Home::new();
    let path = home.write(".ssh/config", "User x\n");
    let load = |source: &ConfigSource| ClientConfig::load(source, &home.env).map(|_| ());
    let mode =
        |mode: u32| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
    for (bits, safe) in [(0o600, true), (0o644, true), (0o664, false), (0o602, false)] {
        mode(bits);
        assert_eq!(load(&ConfigSource::Standard).is_ok(), safe, "{bits:o}");
        assert_eq!(load(&ConfigSource::File(path.clone())), Ok(()), "{bits:o}");
    }
    assert_eq!(
        load(&ConfigSource::Standard),
        Err(ConfigError::Permissions { file: path.clone() })
    );
    let mut stranger = home.env.clone();
    stranger.uid += 1;
    mode(0o600);
    // As root the files are root's, whom everybody trusts.
    let trusted = home.env.uid == 0;
    assert_eq!(
        ClientConfig::load(&ConfigSource::Standard, &stranger).is_ok(),
        trusted
    );
}

#[test]
fn missing_files_matter_only_when_named() {
    let home = Home::new();
    let mut env = home.env.clone();
    env.home = home.path("nowhere");
    assert!(ClientConfig::load(&ConfigSource::Standard, &env).is_ok());
    assert!(ClientConfig::load(&ConfigSource::Nothing, &env).is_ok());
    let missing = ConfigSource::File(home.path("missing"));
    assert!(matches!(
        ClientConfig::load(&missing, &env),
        Err(ConfigError::Unreadable { .. })
    ));
    assert_eq!(
        ConfigSource::from_option(Path::new("None")),
        ConfigSource::Nothing
    );
    assert_eq!(
        ConfigSource::from_option(Path::new("./none")),
        ConfigSource::File("./none".into())
    );
}

#[test]
fn the_users_settings_win_over_the_systems() {
    let home = Home::new();
    let files = ["User mine\n", "User theirs\nPort 7\n"].map(|text| {
        let path = home.write("config", text);
        Reader::new(&home.env)
            .read(&path, Scope::User, Permissions::AsTheyAre)
            .expect("good")
            .expect("there")
    });
    let config = ClientConfig {
        files: files.into(),
        env: home.env,
    };
    let settings = config
        .resolve("web", &Overrides::default(), Commands::Skip)
        .expect("a good host");
    assert_eq!(
        (settings.user.value.as_str(), settings.port.value),
        ("mine", 7)
    );
}

#[test]
fn relative_includes_belong_to_the_scopes_directory() {
    let home = Home::new();
    home.write(".ssh/extra", "User extra\n");
    for pattern in [
        "extra",
        "~/.ssh/extra",
        "ext*",
        "\"extra\"",
        "/nonexistent extra",
    ] {
        assert_eq!(
            home.resolve(&format!("Include {pattern}\n"), "web")
                .user
                .value,
            "extra",
            "{pattern}"
        );
    }
    let path = home.write("system", "Include ~/.ssh/extra\n");
    let refused = Reader::new(&home.env).read(&path, Scope::System, Permissions::AsTheyAre);
    assert!(matches!(
        refused,
        Err(ConfigError::Line {
            problem: Problem::Value { .. },
            ..
        })
    ));
}

#[test]
fn includes_nest_sixteen_deep_and_no_deeper() {
    let home = Home::new();
    let chain = |length: usize| {
        for depth in 1..length {
            home.write(
                &format!(".ssh/{depth}"),
                &format!("Include {}\n", depth + 1),
            );
        }
        home.write(&format!(".ssh/{length}"), "User deep\n");
        home.load("Include 1\n")
    };
    let user = |config: ClientConfig| {
        config
            .resolve("web", &Overrides::default(), Commands::Skip)
            .expect("a good host")
            .user
            .value
    };
    assert_eq!(chain(16).map(user).expect("deep enough"), "deep");
    assert!(matches!(
        chain(17),
        Err(ConfigError::Line {
            problem: Problem::IncludeDepth,
            ..
        })
    ));
}

/// A block that names hosts is found through a map; the order of the file still decides.
#[test]
fn named_blocks_and_patterns_keep_the_order_of_the_file() {
    let home = Home::new();
    let text = "Host db* web\n User first\nHost web\n User second\n Port 2\nHost w*\n Port 3\n HostKeyAlias third\n\
                Host web web other\n HostKeyAlias fourth\n BindAddress ::1\n";
    let settings = home.resolve(text, "web");
    assert_eq!(settings.user.value, "first");
    assert_eq!(settings.port.value, 2);
    assert_eq!(settings.host_key_alias.expect("set").value, "third");
    assert_eq!(settings.bind_address.expect("set").value, "::1");
    assert_eq!(
        home.resolve(text, "other").bind_address.expect("set").value,
        "::1"
    );
}
