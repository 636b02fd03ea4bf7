//! The compiled-in queries where the tools they ask are: stand-ins on a search path of their own that write what the true
//! ones do, and nothing else but what every computer has, by coreutils and by busybox.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::super::*;
use crate::results::{Reading, Value};

/// What the smallest computer has.
const BASE: [&str; 22] = [
    "awk", "basename", "cat", "cut", "date", "df", "dirname", "env", "grep", "head", "id", "ls",
    "printf", "readlink", "sed", "sh", "sleep", "sort", "tail", "tr", "uname", "wc",
];

/// A computer: which shell it has, and its search path.
struct Computer {
    sh: Vec<PathBuf>,
    bin: TempDir,
}

impl Computer {
    /// The same with the tools of coreutils, and with those of busybox, as far as these are here.
    fn all() -> Vec<Self> {
        let busybox = found("busybox");
        let plain = Self::new(vec![found("sh").expect("there is a shell")], None);
        let small = busybox.map(|busybox| {
            let sh = vec![busybox.clone(), PathBuf::from("sh")];
            Self::new(sh, Some(&busybox))
        });
        std::iter::once(plain).chain(small).collect()
    }

    fn new(sh: Vec<PathBuf>, busybox: Option<&Path>) -> Self {
        let bin = tempfile::tempdir().expect("a directory");
        for name in BASE {
            let program = match busybox {
                Some(busybox) => Some(busybox.to_path_buf()),
                None => found(name),
            };
            if let Some(program) = program {
                symlink(program, bin.path().join(name)).expect("an empty directory");
            }
        }
        Self { sh, bin }
    }

    /// Installs a program that is a script of this text.
    fn install(&self, name: &str, text: &str) {
        let path = self.bin.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    }

    /// One that writes this, and nothing else.
    fn says(&self, name: &str, text: &str) {
        self.install(
            name,
            &format!("cat <<'END'\n{}\nEND", text.trim_matches('\n')),
        );
    }

    /// What a query comes to: its rows, or its complaint.
    fn asked(&self, query: &str, edit: &dyn Fn(String) -> String) -> Result<Vec<String>, String> {
        let (queries, _) = load(&SearchPath(Vec::new()));
        let query = queries.iter().find(|one| one.name == query);
        let query = query.expect("it is compiled in");
        let Payload::Script { text, .. } = &query.payload else {
            panic!("a built-in query is a script");
        };
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(edit(text.clone()).as_bytes()).expect("room");
        file.rewind().expect("a file");
        let run = Command::new(&self.sh[0])
            .args(&self.sh[1..])
            .env_clear()
            .env("PATH", self.bin.path())
            .stdin(file)
            .output()
            .expect("a shell");
        let complaint = String::from_utf8_lossy(&run.stderr).into_owned();
        if !run.status.success() {
            assert!(run.stdout.is_empty(), "{}: no broken row", query.name);
            return Err(complaint.trim_end().to_string());
        }
        let shape = query.shape.as_ref().expect("it has columns");
        let reading = Reading::new(shape).expect("it is sound");
        let parsed = reading.parse(&run.stdout, &[]).expect("rows");
        assert!(parsed.flaws.is_none(), "{}: {}", query.name, parsed.flaws);
        let row = |row: &[Value]| {
            let fields = row.iter().map(ToString::to_string);
            fields.collect::<Vec<_>>().join("|")
        };
        Ok(parsed.rows.iter().map(|fields| row(fields)).collect())
    }
}

fn found(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").expect("there is a search path");
    let mut files = std::env::split_paths(&path).map(|directory| directory.join(program));
    files.find(|file| file.is_file())
}

/// On each computer with these stand-ins (name and text), a query gives these rows.
#[track_caller]
fn gives(query: &str, tools: &[(&str, &str)], want: &[&str]) {
    for computer in Computer::all() {
        for (name, text) in tools {
            match text.strip_prefix("#!") {
                Some(script) => computer.install(name, script),
                None => computer.says(name, text),
            }
        }
        let rows = computer.asked(query, &|text| text).expect("rows");
        assert_eq!(rows, want, "{query} by {:?}", computer.sh);
    }
}

#[test]
fn nothing_is_there_and_that_is_said() {
    // What is never there on a minimal computer, and what is then said in one line.
    let cases = [
        (
            "bios",
            "this computer tells nothing of its firmware (no DMI)",
        ),
        (
            "containers",
            "none of docker, podman and crictl is installed",
        ),
        ("osquery", "osqueryi is not here: osquery is not installed"),
        (
            "packages",
            "none of dpkg, rpm, apk, pacman and pkg is installed",
        ),
        (
            "services",
            "neither systemd nor OpenRC is running here, and no other services are known",
        ),
        (
            "updates",
            "none of apt-get, apk, dnf, yum, zypper and pacman is installed",
        ),
    ];
    for computer in Computer::all() {
        for (query, complaint) in cases {
            let bare = |text: String| {
                let text = text.replace("/sys/class/dmi/id", "/nowhere/dmi");
                text.replace("/proc/device-tree", "/nowhere/device-tree")
            };
            let asked = computer.asked(query, &bare);
            assert_eq!(asked, Err(complaint.to_string()), "{query}");
        }
        // The others give what rows they can, or say in one line what they miss.
        let (queries, _) = load(&SearchPath(Vec::new()));
        for query in &queries {
            if let Err(complaint) = computer.asked(&query.name, &|text| text) {
                let plain = complaint.lines().count() == 1 && !complaint.contains("not found");
                assert!(plain, "{} by {:?}: {complaint}", query.name, computer.sh);
            }
        }
    }
}

#[test]
fn services_of_every_manager() {
    gives(
        "services",
        &[(
            "systemctl",
            "
cron.service                loaded    active   running Regular background program processing daemon
\u{25cf} nginx.service           loaded    failed   failed  A high performance web server
ssh@1-10.0.0.1:22.service   loaded    active   running OpenBSD Secure Shell per-connection server
plymouth.service            not-found inactive dead    plymouth.service",
        )],
        &[
            "cron|active|running|Regular background program processing daemon",
            "nginx|failed|failed|A high performance web server",
            "ssh@1-10.0.0.1:22|active|running|OpenBSD Secure Shell per-connection server",
        ],
    );
    let offline =
        "#!echo 'System has not been booted with systemd as init system (PID 1).' >&2; exit 1";
    gives(
        "services",
        &[
            ("systemctl", offline),
            (
                "rc-status",
                "
Runlevel: default
 chronyd                                                           [  started  ]
 sshd                                                  [  started 01:02:03 (0)  ]
 crond                                                             [  crashed  ]
Dynamic Runlevel: hotplugged
Dynamic Runlevel: needed/wanted
 localmount                                                        [  stopped  ]",
            ),
        ],
        &[
            "chronyd|active|started|",
            "crond|failed|crashed|",
            "localmount|inactive|stopped|",
            "sshd|active|started|",
        ],
    );
    gives(
        "services",
        &[(
            "service",
            "
 [ + ]  ssh
 [ - ]  x11-common
 [ ? ]  hwclock.sh
sshd (pid  812) is running...
ntpd is stopped
rsyslogd dead but pid file exists",
        )],
        &[
            "ssh|active||",
            "x11-common|inactive||",
            "hwclock.sh|||",
            "sshd|active|running|",
            "ntpd|inactive|stopped|",
            "rsyslogd|failed|dead|",
        ],
    );
}

#[test]
fn containers_of_every_engine() {
    let docker = "#!case $1 in
--version) echo 'Docker version 20.10.24+dfsg1, build 297e128' ;;
*) printf '%s\\t%s\\t%s\\t%s\\n' 4f1c web nginx:1.25 'Up 3 hours (healthy)' 77aa db postgres:16 'Exited (0) 2 days ago' \\
    8 cache redis 'Up 2 days (Paused)' 9 new app:v2 Created ;;
esac";
    let crictl = "
CONTAINER        IMAGE            CREATED              STATE     NAME         ATTEMPT   POD ID          POD
93b10093a8263    bea2d277eb715    About a minute ago   Running   apiserver    185       19d971fe5c478   apiserver-7cd9
e34ce05ade472    2c96c7c72cf99    9 days ago           Exited    guard        1         c48cc19e5b0b1   etcd-guard";
    gives(
        "containers",
        &[("docker", docker), ("crictl", crictl)],
        &[
            "4f1c|web|nginx:1.25|running|Up 3 hours (healthy)|docker",
            "77aa|db|postgres:16|exited|Exited (0) 2 days ago|docker",
            "8|cache|redis|paused|Up 2 days (Paused)|docker",
            "9|new|app:v2|created|Created|docker",
            "93b10093a8263|apiserver|bea2d277eb715|running|About a minute ago|crictl",
            "e34ce05ade472|guard|2c96c7c72cf99|exited|9 days ago|crictl",
        ],
    );
    // podman's own docker is podman, and one engine that cannot be asked does not hide the other.
    let podman = "#!case $1 in
--version) echo 'podman version 4.9.3' ;;
*) printf 'c0ffee\\tpod\\tquay.io/x:1\\tUp 5 minutes\\n' ;;
esac";
    gives(
        "containers",
        &[("docker", podman), ("podman", podman)],
        &["c0ffee|pod|quay.io/x:1|running|Up 5 minutes|podman"],
    );
    let denied = "case $1 in
--version) echo 'Docker version 20.10.24+dfsg1, build 297e128' ;;
*) echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1 ;;
esac";
    for computer in Computer::all() {
        computer.install("docker", denied);
        let said = computer.asked("containers", &|text| text);
        let said = said.expect_err("nobody may ask it");
        assert_eq!(
            said,
            "permission denied while trying to connect to the Docker daemon socket"
        );
        computer.says("podman", "");
        assert_eq!(computer.asked("containers", &|text| text), Ok(Vec::new()));
    }
}

#[test]
fn firmware_as_root_and_not() {
    for computer in Computer::all() {
        let dmi = tempfile::tempdir().expect("a directory");
        let path = dmi.path().to_str().expect("UTF-8").to_string();
        let edit = |text: String| text.replace("/sys/class/dmi/id", &path);
        for (name, text) in [
            ("bios_vendor", "American Megatrends\tInc.\n"),
            ("bios_version", "F31\n"),
            ("bios_date", "06/02/2022\n"),
            ("sys_vendor", "Supermicro\n"),
            ("product_name", "SYS-5019S-M\n"),
        ] {
            fs::write(dmi.path().join(name), text).expect("ours");
        }
        // Not as root there is no serial number to be read.
        assert_eq!(
            computer.asked("bios", &edit).expect("a row"),
            ["American MegatrendsInc.|F31|06/02/2022|Supermicro|SYS-5019S-M|"]
        );
        fs::write(dmi.path().join("product_serial"), "S1234\n").expect("ours");
        assert_eq!(
            computer.asked("bios", &edit).expect("a row"),
            ["American MegatrendsInc.|F31|06/02/2022|Supermicro|SYS-5019S-M|S1234"]
        );
        // A kernel without DMI, but dmidecode, which warns in its output.
        computer.install(
            "dmidecode",
            "echo '# SMBIOS implementations newer than version 2.8 are not'\ncase $2 in\n\
             bios-vendor) echo 'Dell Inc.' ;; bios-version) echo 2.4.8 ;; bios-release-date) echo 11/27/2019 ;;\n\
             system-manufacturer) echo 'Dell Inc.' ;; system-product-name) echo 'PowerEdge R640' ;;\n\
             system-serial-number) echo 7XK ;; esac",
        );
        let none = |text: String| {
            let text = text.replace("/sys/class/dmi/id", "/nowhere/dmi");
            text.replace("/proc/device-tree", "/nowhere/device-tree")
        };
        assert_eq!(
            computer.asked("bios", &none).expect("a row"),
            ["Dell Inc.|2.4.8|11/27/2019|Dell Inc.|PowerEdge R640|7XK"]
        );
    }
}

#[test]
fn updates_of_every_package_manager() {
    gives(
        "updates",
        &[(
            "apt-get",
            "
NOTE: This is only a simulation!
      apt-get needs root privileges for real execution.
Inst libssl3 [3.0.15-1~deb12u1] (3.0.19-1~deb12u2 Debian-Security:12/stable-security [amd64])
Inst linux-image-6.1.0-30-amd64 (6.1.124-1 Debian:12.9/stable [amd64]) []
Conf libssl3 (3.0.19-1~deb12u2 Debian-Security:12/stable-security [amd64])",
        )],
        &[
            "libssl3|3.0.15-1~deb12u1|3.0.19-1~deb12u2",
            "linux-image-6.1.0-30-amd64||6.1.124-1",
        ],
    );
    gives(
        "updates",
        &[(
            "apk",
            "
Installed:                                Available:
busybox-1.36.1-r15                      < 1.36.1-r19
ca-certificates-bundle-20230506-r0      < 20240226-r0",
        )],
        &[
            "busybox|1.36.1-r15|1.36.1-r19",
            "ca-certificates-bundle|20230506-r0|20240226-r0",
        ],
    );
    gives(
        "updates",
        &[(
            "dnf",
            "#!cat <<'END'

NetworkManager.x86_64             1:1.46.0-19.el9_4            baseos
python3-perf-of-a-very-long-name-that-needs-a-line.x86_64
                                  5.14.0-427.el9               baseos
Security: kernel-core-5.14.0-427.16.1.el9_4.x86_64 is an installed security update
Obsoleting Packages
grub2-tools.x86_64                1:2.06-80.el9                baseos
END
exit 100",
        )],
        &[
            "NetworkManager||1:1.46.0-19.el9_4",
            "python3-perf-of-a-very-long-name-that-needs-a-line||5.14.0-427.el9",
        ],
    );
    gives(
        "updates",
        &[(
            "zypper",
            "
S | Repository             | Name         | Current Version | Available Version | Arch
--+------------------------+--------------+-----------------+-------------------+-------
v | Main Update Repository | libopenssl3  | 3.0.8-150500.5  | 3.0.8-150500.5.2  | x86_64",
        )],
        &["libopenssl3|3.0.8-150500.5|3.0.8-150500.5.2"],
    );
    gives(
        "updates",
        &[(
            "pacman",
            "
linux 6.6.1.arch1-1 -> 6.6.2.arch1-1
zfs 2.2.0-1 -> 2.2.1-1 [ignored]",
        )],
        &["linux|6.6.1.arch1-1|6.6.2.arch1-1", "zfs|2.2.0-1|2.2.1-1"],
    );
    gives("updates", &[("pacman", "#!exit 1")], &[]);
}

#[test]
fn who_is_logged_in() {
    gives(
        "logins",
        &[(
            "who",
            "
ada      pts/0        2026-11-23 17:52 (10.0.0.7)
root     tty1         Nov 23 09:01
bob      :0           2026-11-23 08:00 (:0)",
        )],
        &[
            "ada|pts/0|2026-11-23 17:52|10.0.0.7",
            "root|tty1|Nov 23 09:01|",
            "bob|:0|2026-11-23 08:00|:0",
        ],
    );
}

#[test]
fn keys_that_may_log_in_with_all_that_stands_before_and_behind_them() {
    let keys = r#"# of the fleet

ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGipKksfbEvoYeeyEkISNawxDvFc8r+rgGS73LfggMDY ada lovelace@desk
from="10.0.0.0/8,*.example.org",command="echo ssh-ed25519 x" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGipKksfbEvoYeeyEkISNawxDvFc8r+rgGS73LfggMDY
cert-authority ecdsa-sha2-nistp256 AAAAE2VjZHNh	ca
sk-ssh-ed25519@openssh.com AAAAGnNr
   
1024 65537 1234567 an old one of SSH 1"#;
    let home = tempfile::tempdir().expect("a directory");
    fs::create_dir(home.path().join(".ssh")).expect("a directory");
    let file = home.path().join(".ssh/authorized_keys");
    // The last line has no end, and some are of Windows.
    fs::write(
        &file,
        keys.replace("ada lovelace@desk\n", "ada lovelace@desk\r\n"),
    )
    .expect("ours");
    let passwd = format!("ada:x:1000:1000::{}:/bin/sh", home.path().display());
    let file = file.display();
    for computer in Computer::all() {
        computer.says("getent", &passwd);
        let rows = computer.asked("ssh-keys", &|text| text).expect("rows");
        let from = r#"from="10.0.0.0/8,*.example.org",command="echo ssh-ed25519 x""#;
        let want = [
            format!("ada|ssh-ed25519||ada lovelace@desk||{file}"),
            format!("ada|ssh-ed25519|||{from}|{file}"),
            format!("ada|ecdsa-sha2-nistp256||ca|cert-authority|{file}"),
            format!("ada|sk-ssh-ed25519@openssh.com||||{file}"),
            format!("ada|||1024 65537 1234567 an old one of SSH 1||{file}"),
        ];
        assert_eq!(rows, want, "{:?}", computer.sh);
        if let Some(keygen) = found("ssh-keygen") {
            symlink(keygen, computer.bin.path().join("ssh-keygen")).expect("not there yet");
            let rows = computer.asked("ssh-keys", &|text| text).expect("rows");
            let known = "SHA256:KofJsW/0NTHa0Zo914HjAKwsmtgZ3nMCPnnSza1xPmQ";
            assert!(
                rows[0].contains(known) && rows[1].contains(known),
                "{rows:?}"
            );
            assert_eq!(rows.len(), want.len());
        }
    }
}
