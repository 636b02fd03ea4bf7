//! The client configuration against OpenSSH itself: for many configurations and hosts, every option regatta models
//! must come out as `ssh -G` prints it, and what `ssh` refuses must be refused.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use regatta::config::ssh_config::{
    Answers, ClientConfig, Commands, ConfigSource, LocalEnv, Overrides,
};

/// What [`regatta::config::ssh_config::HostSettings::render`] can print.
const MODELLED: [&str; 41] = [
    "addkeystoagent",
    "addressfamily",
    "batchmode",
    "bindaddress",
    "canonicalizehostname",
    "casignaturealgorithms",
    "certificatefile",
    "ciphers",
    "compression",
    "connectionattempts",
    "connecttimeout",
    "globalknownhostsfile",
    "hashknownhosts",
    "hostkeyalgorithms",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "kexalgorithms",
    "macs",
    "numberofpasswordprompts",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "pubkeyacceptedalgorithms",
    "pubkeyauthentication",
    "rekeylimit",
    "requiredrsasize",
    "revokedhostkeys",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "setenv",
    "stricthostkeychecking",
    "updatehostkeys",
    "user",
    "userknownhostsfile",
];

/// The lists of algorithms.  regatta prints those that are set; what it takes where none is, is its own affair.
const LISTS: [&str; 6] = [
    "casignaturealgorithms",
    "ciphers",
    "hostkeyalgorithms",
    "kexalgorithms",
    "macs",
    "pubkeyacceptedalgorithms",
];

/// Key exchanges that older versions of OpenSSH do not know.
const NEWER: &str = "mlkem768x25519-sha256,";

/// Configurations by hand, each tried with all of [`HOSTS`]. `@DIR@` is the directory of the included files.
const BY_HAND: &[&str] = &[
    "",
    "# only a comment\n\n   \t\n",
    "User alice\nPort 2222\n",
    "User=alice\nPort = 2222\nHostName\t=\tgateway.Example.COM\n",
    "user \"alice b\" # comment\nidentityfile '~/.ssh/with space'\n",
    "Host web1\n  User one\nHost *\n  User two\n",
    "Host web* !web2\n  Port 1\nHost web?\n  Port 2\n",
    "Host !web1\n  User nobody-matches-a-lone-negation\n",
    "Host web1 web2\n User both\nHost db*\n User db\nHost WEB1\n User upper\n",
    "Host web1,web2\n  User comma-is-ordinary\n",
    "HostName %h.example.org\nMatch host *.example.org\n User matched\nMatch originalhost web*\n Port 7\n",
    "HostName %h%%x\n",
    "HostName 2001:DB8::0:1\n",
    "Match user root\n Port 5\nMatch !user root\n Port 6\n",
    "User alice\nMatch user alice,!bob\n Port 5\n",
    "Match localuser * user=alice\n Port 5\nMatch localuser \"*\"\n Port 9\n",
    "Match all\n User everybody\n",
    "Match !all\n User nobody\nMatch host web1 all\n Port 4\n",
    "Match host web1 # comment\n User commented\n",
    "Match host web1,db* originalhost !web1\n Port 3\nMatch host !web1,*\n Port 11\n",
    "IdentityFile ~/a\nIdentityFile ~/b\nHost web*\n IdentityFile ~/c\n IdentityFile ~/a\n",
    "IdentityFile none\nCertificateFile ~/%h-cert.pub\nCertificateFile x\nCertificateFile x\n",
    "IdentitiesOnly yes\nHashKnownHosts true\nAddressFamily INET6\nStrictHostKeyChecking accept-new\n",
    "IdentitiesOnly no\nStrictHostKeyChecking off\nAddressFamily any\nBindAddress 127.0.0.1\n",
    "StrictHostKeyChecking yes\nStrictHostKeyChecking no\n",
    "BatchMode yes\nServerAliveInterval 9\nBatchMode no\n",
    "PasswordAuthentication no\nKbdInteractiveAuthentication false\nNumberOfPasswordPrompts 1\n",
    "ChallengeResponseAuthentication no\nNumberOfPasswordPrompts 0\n",
    "IdentityAgent none\n",
    "IdentityAgent SSH_AUTH_SOCK\n",
    "IdentityAgent $MY_AGENT\n",
    "IdentityAgent ~/agents/%r@%n:%p-%k-%u-%i-%L-%l-%d-%%\n",
    "IdentityAgent /run/${FLEET}/%C\nUser bob\nPort 99\nHostName real-%h\n",
    "HostKeyAlias Web-Alias\nUserKnownHostsFile ~/.ssh/known_hosts.d/%k /x/%h\n",
    "UserKnownHostsFile ${FLEET}/kh ~/second third\nUserKnownHostsFile ignored\n",
    "UserKnownHostsFile none\nGlobalKnownHostsFile NONE\n",
    "GlobalKnownHostsFile ~/not-expanded /etc/%h\n",
    "ConnectTimeout 1h30m\nServerAliveInterval 2M\nServerAliveCountMax 0\n",
    "ConnectTimeout none\nConnectTimeout 7\nServerAliveInterval none\nServerAliveInterval 9\n",
    "ConnectTimeout 0\n",
    "ProxyJump bastion\n",
    "ProxyJump a@b:22,C:33,10.0.0.1 # comment\n",
    "ProxyJump ssh://me@hop:44\nProxyCommand late\n",
    "ProxyJump [::1]:22,u@[fe80::1]\n",
    "ProxyJump %h.jump\n",
    "ProxyJump none\nProxyJump bastion\n",
    "ProxyJump None\nProxyJump bastion\nProxyCommand after %h\n",
    "ProxyCommand nc %h \"%p\" # not a comment\nProxyJump late\n",
    "ProxyCommand none\nProxyJump late\n",
    "ProxyCommand=nc -X 5 %h %p\n",
    "Host web1\n ProxyJump none\nHost *\n ProxyJump web1\n",
    "ProxyJump web1\n",
    "Include @DIR@/*.conf\nUser after\n",
    "Include @DIR@/a.conf @DIR@/b.conf\n",
    "Host web1\n Include @DIR@/a.conf\n Port 8\nHost *\n User last\n",
    "Host nothing\n Include @DIR@/a.conf\nUser inactive\n",
    "Include @DIR@/missing @DIR@/nested.conf\n",
    "Include @DIR@/[ab].conf\n",
    "Include @DIR@/loop.conf\n",
    "Include @DIR@/bad.conf\n",
    "Include @DIR@/writable.conf\n",
    "Include \"@DIR@/with space.conf\"\n",
    "IgnoreUnknown Foo*,bar\nFooBar yes\nBAR no\nUser x\n",
    "Host web1\n IgnoreUnknown foo\nHost *\n Foo yes\n",
    "Foo yes\nIgnoreUnknown foo\n",
    "Ciphers aes256-ctr\nMACs hmac-sha2-256\nKexAlgorithms curve25519-sha256\nHostKeyAlgorithms +ssh-rsa\nUser x\n",
    "Ciphers +aes128-cbc\nCiphers ignored-by-now-but-unknown\n",
    "Ciphers +aes128-cbc,3des-cbc\nCiphers aes128-ctr\nMACs -*sha1*\n",
    "Ciphers ^aes256-gcm@openssh.com,aes128-cbc\nMACs ^hmac-sha1,hmac-md5\n",
    "Ciphers -aes*,chacha*\n",
    "Ciphers -aes128-*,!aes128-ctr,aes*\nKexAlgorithms -sntrup*,ecdh-*\n",
    "Ciphers aes*\n",
    "Ciphers aes128-ctr,nonsense\n",
    "Ciphers aes128-ctr,,nonsense\n",
    "Ciphers +\n",
    "Ciphers -\n",
    "Ciphers \"\"\n",
    "Ciphers \"aes128-ctr,aes256-ctr\" # comment\n",
    "Ciphers aes128-ctr aes256-ctr\n",
    "Host other\n Ciphers nonsense\n",
    "MACs hmac-sha1,hmac-sha1,hmac-sha2-256\n",
    "MACs umac-*\n",
    "KexAlgorithms +diffie-hellman-group14-sha1,diffie-hellman-group1-sha1\n",
    "KexAlgorithms ^diffie-hellman-group14-sha1,curve25519-sha256\n",
    "KexAlgorithms diffie-hellman-group-exchange-sha1\nKexAlgorithms curve25519-sha256\n",
    "HostKeyAlgorithms ssh-ed25519,rsa-*\nPubkeyAcceptedAlgorithms +ssh-rsa,ssh-dss\n",
    "HostKeyAlgorithms ^rsa-sha2-256,rsa-sha2-512\nPubkeyAcceptedKeyTypes -*cert*,sk-*\n",
    "HostKeyAlgorithms *\nPubkeyAcceptedAlgorithms ssh-*\n",
    "HostKeyAlgorithms *-cert-v01@openssh.com,*\n",
    "HostKeyAlgorithms rsa-sha2-*\nCASignatureAlgorithms ^rsa-sha2-256\n",
    "HostKeyAlgorithms ssh-nonsense\n",
    "HostKeyAlgorithms !ssh-rsa\n",
    "HostKeyAlgorithms ssh-ed25519,!ssh-rsa\n",
    "HostKeyAlgorithms -ssh-ed25519\nCASignatureAlgorithms -rsa-*\n",
    "CASignatureAlgorithms +ssh-rsa\n",
    "HostKeyAlgorithms ,\n",
    "Compression yes\nCompression no\nConnectionAttempts 4\n",
    "Compression NO\nConnectionAttempts 0\n",
    "Compression true\n",
    "ConnectionAttempts -1\n",
    "PreferredAuthentications password,publickey,nonsense\nPubkeyAuthentication no\n",
    "PreferredAuthentications \"password\"\nPubkeyAuthentication unbound\n",
    "PreferredAuthentications a b\n",
    "PubkeyAuthentication host-bound\nPubkeyAuthentication no\n",
    "PubkeyAuthentication maybe\n",
    "DSAAuthentication no\n",
    "RekeyLimit 1M\nRekeyLimit 2M 1h\n",
    "RekeyLimit default none\nRekeyLimit 1G 30m\n",
    "RekeyLimit 1.5G 90\n",
    "RekeyLimit 16\n",
    "RekeyLimit 15\n",
    "RekeyLimit 0\n",
    "RekeyLimit 1.25k 1w\nRekeyLimit default\n",
    "RekeyLimit 1X\n",
    "RekeyLimit -1\n",
    "RekeyLimit 1M soon\n",
    "RekeyLimit 1M 1h more\n",
    "RekeyLimit\n",
    "RequiredRSASize 2048\nRequiredRSASize 1024\n",
    "RequiredRSASize x\n",
    "RevokedHostKeys ~/revoked-%h-%k\nRevokedHostKeys later\n",
    "RevokedHostKeys none\nRevokedHostKeys later\n",
    "SendEnv LANG LC_*\nSendEnv A\nSetEnv A=1 B=2\nSetEnv C=3\n",
    "SendEnv LANG LC_* L?\nSendEnv -L*\nSendEnv LANG\n",
    "SendEnv X Y\nHost web*\n SendEnv -X Z\n",
    "SendEnv A=B\n",
    "SendEnv \"\"\n",
    "SendEnv\n",
    "SetEnv A=1 A=2 \"B=with space\" C=\n",
    "SetEnv A\n",
    "SetEnv =x\n",
    "Host web1\n SetEnv W=1\nHost *\n SetEnv V=2\n",
    "AddKeysToAgent yes\nAddKeysToAgent no\n",
    "AddKeysToAgent confirm 5m\n",
    "AddKeysToAgent 1h\n",
    "AddKeysToAgent 0\n",
    "AddKeysToAgent ask\n",
    "AddKeysToAgent yes 5m\n",
    "AddKeysToAgent nonsense\n",
    "AddKeysToAgent confirm soon\n",
    "AddKeysToAgent confirm 5m more\n",
    "UpdateHostKeys ask\n",
    "UpdateHostKeys yes\nUserKnownHostsFile x\n",
    "UserKnownHostsFile ~/.ssh/known_hosts\n",
    "UserKnownHostsFile ~/.ssh/known_hosts ~/.ssh/known_hosts2\n",
    "UpdateHostKeys maybe\n",
    "CanonicalizeHostname yes\nHostName %h.Example.org\nMatch canonical host *.example.org\n User final\nHost *.example.org\n Port 7\n",
    "CanonicalizeHostname always\nMatch final\n User final\n",
    "CanonicalizeHostname no\nMatch canonical\n User final\n",
    "CanonicalizeHostname maybe\n",
    "User first\nMatch final\n User final\n Port 9\n",
    "Match !final\n User first\nMatch final host web1\n Port 9\n IdentityFile ~/final\n",
    "HostName real-%h\nMatch final host real-*\n Port 9\nHost real-web1\n User real\nHost web1\n Port 3\n",
    "SendEnv A\nIdentityFile x\nMatch final all\n SendEnv B\n",
    "Match host nothing final\n Port 9\nHost WEB1\n Port 4\n",
    "Match canonical\n User final\n",
    "Match exec true\n User ran\n",
    "Match exec false\n User ran\nMatch !exec false\n Port 9\n",
    "Match exec \"test %n = web1\"\n User ran\nMatch exec \"exit 3\"\n Port 9\n",
    "HostName real-%h\nUser me\nPort 7\nMatch exec \"test %h-%r-%p-%k = real-web1-me-7-real-web1\"\n ConnectTimeout 3\n",
    "HostKeyAlias K\nMatch exec \"test %k%% = K%%\"\n User ran\n",
    "Match host web1 exec true user *\n User ran\n",
    "Match host nobody exec \"exit 0\"\n User ran\n",
    "Match host nobody exec %z\n User ran\n",
    "Match exec %z\n User ran\n",
    "Match exec \"kill -KILL $$\"\n User ran\n",
    "Match exec \"test %C = x -o %L != '' -a %l != '' -a -d %d -a %i -ge 0 -a %u != ''\"\n User ran\n",
    "Match final exec \"test %h = web1\"\n User ran\n",
    "Match exec\n User ran\n",
    "ForwardAgent no\nCompression yes\nSendEnv LANG\nControlMaster auto\nLogLevel DEBUG1\nUser x\n",
    "Protocol 2\nUsePrivilegedPort yes\nUser x\n",
    "Port\n",
    "Port 0\n",
    "Port 65536\n",
    "Port ssh\n",
    "Port abc\n",
    "Port 22 23\n",
    "User\n",
    "User \"\"\n",
    "User \"open\n",
    "User 'open\n",
    "Bogus 1\n",
    "Host web1\n Bogus 1\n",
    "Host other\n Port abc\n",
    "StrictHostKeyChecking maybe\n",
    "IdentitiesOnly ask\n",
    "AddressFamily 4\n",
    "ServerAliveCountMax x\n",
    "ServerAliveCountMax -1\n",
    "ConnectTimeout 5y\n",
    "ConnectTimeout -5\n",
    "HostName %z\n",
    "HostName a b\n",
    "HostName a#b #c\n",
    "UserKnownHostsFile ${NOT_SET_ANYWHERE}\n",
    "UserKnownHostsFile ${FLEET\n",
    "UserKnownHostsFile a none\n",
    "UserKnownHostsFile %z\n",
    "IdentityAgent %z\n",
    "IdentityAgent ${NOT_SET_ANYWHERE}\n",
    "Host other\n IdentityAgent ${NOT_SET_ANYWHERE}\n",
    "IdentityAgent $NOT-A-NAME\n",
    "IdentityFile\n",
    "Match\n",
    "Match host\n",
    "Match nonsense x\n User y\n",
    "Match all user x\n User y\n",
    "Match user x host y all\n User y\n",
    "ProxyJump a,,b\n",
    "ProxyJump a:0\n",
    "ProxyJump x:y\n",
    "ProxyJump @a\n",
    "ProxyJump ssh://a/b\n",
    "ProxyJump \"a\"\n",
    "ProxyJump a b\n",
    "ProxyCommand it's\n",
    "Include\n",
    "Include \"\"\n",
    "Host\n User x\n",
    "Host \"\"\n User x\n",
    "User x\\\\y\nIdentityFile a\\ b\n",
    "\tUser\tx\t\x0c\n Port 3 \r\n",
    "= User x\n",
    "\"User\" x\n",
    "User x",
];

const HOSTS: [&str; 5] = ["web1", "web2", "Db-7.Example.org", "10.0.0.7", "FE80::1"];

const INCLUDED: [(&str, &str); 7] = [
    ("a.conf", "Port 1001\nHost web2\n User from-a\n"),
    (
        "b.conf",
        "Match host web*\n  User from-b\nHost *\n  ServerAliveCountMax 8\n",
    ),
    ("nested", "Host web1\n IdentityFile ~/nested\n"),
    ("nested.conf", "Include @DIR@/nested\nHostName nested-%h\n"),
    ("loop.conf", "Include @DIR@/loop.conf\n"),
    ("bad.conf", "Host other\n Bogus yes\n"),
    ("with space.conf", "User spaced\n"),
];

struct Reference {
    env: LocalEnv,
    /// What OpenSSH takes for [`LISTS`] unless told otherwise.
    lists: Vec<ConfigOption>,
    directory: tempfile::TempDir,
}

/// One option and its value.
type ConfigOption = (String, String);

impl Reference {
    /// `None`, said aloud, where there is no OpenSSH to compare with.
    fn find() -> Option<Self> {
        let version = Command::new("ssh").arg("-V").stdin(Stdio::null()).output();
        if version.is_err() {
            println!("SKIPPED: ssh is not installed");
            return None;
        }
        let uid = output("id", &["-u"]);
        let passwd = output("getent", &["passwd", &uid]);
        let fields: Vec<&str> = passwd.split(':').collect();
        let mut variables: HashMap<String, String> = std::env::vars().collect();
        variables.insert("FLEET".to_owned(), "blue".to_owned());
        let env = LocalEnv {
            user: fields[0].to_owned(),
            home: fields[5].into(),
            hostname: fs::read_to_string("/proc/sys/kernel/hostname")
                .unwrap()
                .trim()
                .to_owned(),
            uid: uid.parse().unwrap(),
            variables,
        };
        let directory = tempfile::tempdir().unwrap();
        let included = directory.path().join("included");
        fs::create_dir(&included).unwrap();
        let printed = output("ssh", &["-G", "-F", "none", "host"]);
        let mut lists = modelled(&printed);
        lists.retain(|(name, _)| LISTS.contains(&name.as_str()));
        assert_eq!(lists.len(), LISTS.len(), "{printed}");
        let reference = Self {
            env,
            lists,
            directory,
        };
        for (name, text) in INCLUDED {
            reference.write(&included.join(name), text, 0o600);
        }
        reference.write(&included.join("writable.conf"), "User x\n", 0o666);
        // Only what a case names by hand: the wild-card cases would meet the broken files otherwise.
        Some(reference)
    }

    fn write(&self, path: &Path, text: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        let included = self.directory.path().join("included");
        fs::write(path, text.replace("@DIR@", included.to_str().unwrap())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Compares one configuration for one host. Whether both accept it, or how they differ.
    fn compare(&self, config: &str, host: &str, options: &[&str]) -> Result<bool, String> {
        let path = self.directory.path().join("config");
        self.write(&path, config, 0o600);
        let ssh = Command::new("ssh")
            .args(["-G", "-F", path.to_str().unwrap()])
            .args(options.iter().flat_map(|option| ["-o", option]))
            .args(["--", host])
            .env("FLEET", "blue")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&ssh.stderr).into_owned();
        let expected = ssh
            .status
            .success()
            .then(|| modelled(&String::from_utf8_lossy(&ssh.stdout)));
        let actual = self.resolve(&path, host, options);
        let difference = match (expected, actual) {
            (Some(expected), Ok(actual)) if actual == expected => return Ok(true),
            (None, Err(_)) => return Ok(false),
            (Some(expected), Ok(actual)) => {
                let only = |these: &[ConfigOption], those: &[ConfigOption]| -> Vec<ConfigOption> {
                    these
                        .iter()
                        .filter(|option| !those.contains(option))
                        .cloned()
                        .collect()
                };
                let (ours, theirs) = (only(&actual, &expected), only(&expected, &actual));
                format!("regatta has {ours:?}, ssh has {theirs:?}")
            }
            (Some(_), Err(error)) => format!("only regatta refuses: {error}"),
            (None, Ok(_)) => format!("only ssh refuses: {complaint}"),
        };
        Err(format!("{host} {options:?} under\n{config}{difference}\n"))
    }

    fn resolve(
        &self,
        path: &Path,
        host: &str,
        options: &[&str],
    ) -> Result<Vec<ConfigOption>, String> {
        let mut overrides = Overrides::default();
        for option in options {
            overrides = overrides
                .option(option, &self.env)
                .map_err(|error| error.to_string())?;
        }
        let source = ConfigSource::File(path.to_owned());
        let settings = ClientConfig::load(&source, &self.env)
            .and_then(|config| config.resolve(host, &overrides, Commands::Run(&Answers::default())))
            .map_err(|error| error.to_string())?;
        let mut options: Vec<ConfigOption> = settings
            .render()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        for (name, default) in &self.lists {
            match options.iter_mut().find(|(set, _)| set == name) {
                None => options.push((name.clone(), default.clone())),
                Some((_, list)) if !default.contains(NEWER) => *list = list.replace(NEWER, ""),
                Some(_) => {}
            }
        }
        options.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(options)
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The options of `ssh -G` that regatta models, those of one name in their order.
fn modelled(text: &str) -> Vec<ConfigOption> {
    let mut options: Vec<ConfigOption> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| MODELLED.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    options.sort_by(|a, b| a.0.cmp(&b.0));
    options
}

/// How many comparisons were accepted and refused by both; fails with every difference there is.
fn all_agree(outcomes: impl Iterator<Item = Result<bool, String>>) -> (usize, usize) {
    let (agreed, different): (Vec<_>, Vec<_>) = outcomes.partition(Result::is_ok);
    let different: Vec<String> = different.into_iter().filter_map(Result::err).collect();
    assert!(
        different.is_empty(),
        "{} differences\n\n{}",
        different.len(),
        different.join("\n")
    );
    let accepted = agreed
        .iter()
        .filter(|outcome| **outcome == Ok(true))
        .count();
    (accepted, agreed.len() - accepted)
}

#[test]
fn configurations_by_hand_resolve_as_in_ssh() {
    let Some(reference) = Reference::find() else {
        return;
    };
    let (accepted, refused) = all_agree(BY_HAND.iter().flat_map(|config| {
        HOSTS
            .iter()
            .map(|host| reference.compare(config, host, &[]))
    }));
    assert!(
        accepted > 250 && refused > 150,
        "{accepted} accepted, {refused} refused: the cases have lost their teeth"
    );
}

#[test]
fn options_of_the_command_line_win_as_in_ssh() {
    let Some(reference) = Reference::find() else {
        return;
    };
    let config = "User file\nPort 1\nHost *\n ProxyJump bastion\n IdentityFile ~/file\nMatch user cli\n ServerAliveInterval 3\n";
    let check = |options: &[&str], accepted: bool| {
        for host in HOSTS {
            assert_eq!(
                reference.compare(config, host, options),
                Ok(accepted),
                "{options:?}"
            );
        }
    };
    check(&["User=cli", "Port 2200"], true);
    check(&["IdentityFile=~/cli", "ProxyCommand=nc %h %p"], true);
    check(
        &[
            "ProxyJump=none",
            "StrictHostKeyChecking=no",
            "ConnectTimeout=4",
        ],
        true,
    );
    check(&["Bogus=1"], false);
    check(&["Port=0"], false);
    check(&["Host=web1"], false);
    check(&["Match=all"], false);
    check(&["Include=/dev/null"], false);
}

#[test]
fn hosts_that_could_break_out_of_a_command_are_refused_as_in_ssh() {
    let Some(reference) = Reference::find() else {
        return;
    };
    let hosts = [
        "a;b", "a b", "$(id)", "a`b", "a|b", "a,b", "a{b}", "a\"b", "a\\b", "a\tb", "a.b", "a_b",
        "a%b", "[::1]", "a:b",
    ];
    let outcomes = hosts
        .iter()
        .map(|host| reference.compare("User x\n", host, &[]));
    assert_eq!(all_agree(outcomes), (5, 10));
}

/// Random configurations from a small vocabulary, so that lines meet in orders nobody thought of.
#[test]
fn generated_configurations_resolve_as_in_ssh() {
    const CONFIGURATIONS: u64 = 240;
    let Some(reference) = Reference::find() else {
        return;
    };
    let (accepted, _) = all_agree((1..=CONFIGURATIONS).flat_map(|seed| {
        let config = Generator(seed * 0x9E37_79B9).config();
        ["web1", "db2", "Web-3.example.org"].map(|host| reference.compare(&config, host, &[]))
    }));
    assert!(
        accepted > 120,
        "only {accepted} were accepted: the vocabulary has lost its teeth"
    );
}

/// A xorshift generator: the same configurations on every run.
struct Generator(u64);

impl Generator {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    fn config(&mut self) -> String {
        let lines = 1 + self.below(14);
        (0..lines).map(|_| self.line()).collect()
    }

    fn line(&mut self) -> String {
        const PATTERNS: [&str; 8] = [
            "web1",
            "db2",
            "web*",
            "*",
            "!web1",
            "?b2",
            "*.example.org",
            "!db*",
        ];
        const LISTS: [&str; 7] = [
            "web1",
            "db2,web*",
            "*",
            "!web1,*",
            "*.example.org",
            "real-*",
            "!db2",
        ];
        const USERS: [&str; 5] = ["alice", "bob", "root", "*", "!bob,*"];
        let negation = self.pick(&["", "", "!"]);
        let text = match self.below(41) {
            0..=2 => format!("Host {} {}", self.pick(&PATTERNS), self.pick(&PATTERNS)),
            3 => format!("Host {}", self.pick(&PATTERNS)),
            4 => format!("Match {negation}host {}", self.pick(&LISTS)),
            5 => format!(
                "Match originalhost {} {negation}user {}",
                self.pick(&LISTS),
                self.pick(&USERS)
            ),
            6 => format!("Match {negation}user={} localuser *", self.pick(&USERS)),
            7 => format!("Match {negation}all"),
            8 => format!(
                "Include @DIR@/{}",
                self.pick(&["a.conf", "b.conf", "[ab].conf", "nested.conf", "none*"])
            ),
            9 => format!(
                "HostName {}",
                self.pick(&["real-%h", "%h", "10.1.2.3", "Upper.Example", "%h.%h"])
            ),
            10 => format!("User {}", self.pick(&["alice", "bob", "\"two words\""])),
            11 => format!("Port {}", self.pick(&["22", "2222", "ssh", "1"])),
            12 => format!(
                "IdentityFile {}",
                self.pick(&["~/a", "~/b", "/c-%h-%r", "none", "'d e'"])
            ),
            13 => format!("CertificateFile {}", self.pick(&["~/a-cert", "b"])),
            14 => format!(
                "UserKnownHostsFile {}",
                self.pick(&["~/kh", "none", "a b", "/%k/%n/%C", "${FLEET}"])
            ),
            15 => format!(
                "GlobalKnownHostsFile {}",
                self.pick(&["/g", "none", "~/x y"])
            ),
            16 => format!(
                "ProxyJump {}",
                self.pick(&["none", "hop", "me@hop:22,10.0.0.1", "web1", "db2"])
            ),
            17 => format!("ProxyCommand {}", self.pick(&["none", "nc %h %p", "x # y"])),
            18 => format!("HostKeyAlias {}", self.pick(&["Alias", "other"])),
            19 => format!(
                "StrictHostKeyChecking {}",
                self.pick(&["yes", "no", "ask", "accept-new", "off", "TRUE"])
            ),
            20 => format!("ConnectTimeout {}", self.pick(&["none", "5", "1m", "0"])),
            21 => format!(
                "ServerAliveInterval {}",
                self.pick(&["none", "15", "2m30s"])
            ),
            22 => format!(
                "IdentityAgent {}",
                self.pick(&["none", "SSH_AUTH_SOCK", "$X", "~/a-%p", "%C"])
            ),
            23 => format!("AddressFamily {}", self.pick(&["any", "inet", "inet6"])),
            24 => format!("IdentitiesOnly {}", self.pick(&["yes", "no"])),
            25 => format!(
                "Match {negation}final {}host {}",
                self.pick(&["", "!"]),
                self.pick(&LISTS)
            ),
            26 => format!(
                "Match {negation}exec {}",
                self.pick(&["true", "false", "\"test %h = web1\"", "\"test %r = root\""])
            ),
            27 => format!(
                "Ciphers {}",
                self.pick(&[
                    "+aes128-cbc",
                    "-aes*",
                    "^aes256-ctr",
                    "aes128-ctr,aes256-ctr",
                    "-*"
                ])
            ),
            28 => format!(
                "MACs {}",
                self.pick(&[
                    "+hmac-md5",
                    "-umac*,hmac-sha1*",
                    "^hmac-sha2-512",
                    "hmac-sha1"
                ])
            ),
            29 => format!(
                "KexAlgorithms {}",
                self.pick(&[
                    "+diffie-hellman-group14-sha1",
                    "-sntrup*",
                    "^ecdh-sha2-nistp256",
                    "curve25519-sha256"
                ])
            ),
            30 => format!(
                "HostKeyAlgorithms {}",
                self.pick(&["+ssh-rsa", "-*-cert-*", "^rsa-*", "ssh-ed25519,ecdsa-*"])
            ),
            31 => format!(
                "PubkeyAcceptedAlgorithms {}",
                self.pick(&["+ssh-rsa", "-*cert*", "^sk-*", "*25519*", "ssh-ed25519"])
            ),
            32 => format!(
                "SendEnv {}",
                self.pick(&["LANG", "LC_* X", "-LC_*", "-*", "X -X"])
            ),
            33 => format!("SetEnv {}", self.pick(&["A=1", "A=1 A=2 B=3", "\"C=x y\""])),
            34 => format!(
                "RekeyLimit {}",
                self.pick(&["1M", "default 1h", "0 none", "1.5G 90", "default none"])
            ),
            35 => format!(
                "AddKeysToAgent {}",
                self.pick(&["yes", "no", "ask", "confirm", "confirm 1m", "30m"])
            ),
            36 => format!(
                "{} {}",
                self.pick(&["Compression", "UpdateHostKeys", "CanonicalizeHostname"]),
                self.pick(&["yes", "no"])
            ),
            37 => format!(
                "PubkeyAuthentication {}",
                self.pick(&["yes", "no", "unbound"])
            ),
            38 => format!(
                "PreferredAuthentications {}",
                self.pick(&["publickey", "password,publickey", "none"])
            ),
            39 => format!(
                "{} {}",
                self.pick(&["ConnectionAttempts", "RequiredRSASize"]),
                self.pick(&["1", "3", "2048"])
            ),
            _ => format!("BindAddress {}", self.pick(&["127.0.0.1", "::1"])),
        };
        let indent = self.pick(&["", "  ", "\t"]);
        // A comment belongs to a command. After "ProxyJump none" OpenSSH 9.2 goes by way of a host called "none".
        let tail = if text.contains("ProxyCommand") || text.contains("ProxyJump none") {
            ""
        } else {
            self.pick(&["", " ", " # comment"])
        };
        format!("{indent}{text}{tail}\n")
    }
}
