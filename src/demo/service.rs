//! What simulated computers serve: what each role is there for, and the services beside it.

use super::computer::{Computer, Distribution, Health};
use super::fleet::Role;

/// What the computers of a role are there for.
#[derive(Debug)]
pub(super) struct Trade {
    pub(super) unit: &'static str,
    description: &'static str,
    /// Whom its processes belong to, and his number.
    pub(super) user: (&'static str, u32),
    /// The process that leads the others, as its command line.
    pub(super) leader: &'static str,
    /// The others, if there are any.
    pub(super) worker: Option<&'static str>,
    /// What the leader is called where only a name is shown.
    pub(super) process: &'static str,
    pub(super) ports: &'static [u16],
}

const WEB: Trade = Trade {
    unit: "nginx",
    description: "A high performance web server and a reverse proxy server",
    user: ("www-data", 33),
    leader: "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
    worker: Some("nginx: worker process"),
    process: "nginx",
    ports: &[80, 443],
};

const DB: Trade = Trade {
    unit: "postgresql",
    description: "PostgreSQL database server",
    user: ("postgres", 26),
    leader: "/usr/bin/postgres -D /srv/pgsql/data",
    worker: Some("postgres: app app [local] idle"),
    process: "postgres",
    ports: &[5432],
};

const CACHE: Trade = Trade {
    unit: "redis-server",
    description: "Advanced key-value store",
    user: ("redis", 112),
    leader: "/usr/bin/redis-server 0.0.0.0:6379",
    worker: None,
    process: "redis-server",
    ports: &[6379],
};

const QUEUE: Trade = Trade {
    unit: "rabbitmq-server",
    description: "RabbitMQ Messaging Server",
    user: ("rabbitmq", 113),
    leader: "/usr/lib/erlang/erts-13.2.2.5/bin/beam.smp -W w -MBas ageffcbf",
    worker: None,
    process: "beam.smp",
    ports: &[5672, 15672, 25672],
};

const GATE: Trade = Trade {
    unit: "haproxy",
    description: "HAProxy Load Balancer",
    user: ("haproxy", 114),
    leader: "/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid",
    worker: Some("/usr/sbin/haproxy -sf 812 -x sockpair@4"),
    process: "haproxy",
    ports: &[80, 443, 8404],
};

const MONITOR: Trade = Trade {
    unit: "prometheus",
    description: "Monitoring system and time series database",
    user: ("prometheus", 115),
    leader: "/usr/bin/prometheus --storage.tsdb.retention.time=90d",
    worker: None,
    process: "prometheus",
    ports: &[9090],
};

const BUILD: Trade = Trade {
    unit: "gitlab-runner",
    description: "GitLab Runner",
    user: ("gitlab-runner", 990),
    leader: "/usr/bin/gitlab-runner run --config /etc/gitlab-runner/config.toml",
    worker: None,
    process: "gitlab-runner",
    ports: &[9252],
};

const BACKUP: Trade = Trade {
    unit: "borgmatic",
    description: "borgmatic backup",
    user: ("borg", 116),
    leader: "/usr/bin/python3 /usr/bin/borgmatic --syslog-verbosity 1",
    worker: None,
    process: "borgmatic",
    ports: &[],
};

impl Role {
    pub(super) fn trade(self) -> &'static Trade {
        match self {
            Self::Web => &WEB,
            Self::Db => &DB,
            Self::Cache => &CACHE,
            Self::Queue => &QUEUE,
            Self::Gate => &GATE,
            Self::Monitor => &MONITOR,
            Self::Build => &BUILD,
            Self::Backup => &BACKUP,
        }
    }
}

/// How a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Dead,
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) state: State,
    pub(super) description: &'static str,
}

/// The services of a computer, by name.
pub(super) fn services(computer: &Computer) -> Vec<Service> {
    use State::{Dead, Failed, Running};
    let trade = computer.role().trade();
    let own = match computer.health() {
        Health::Sick => Failed,
        Health::Well | Health::Outdated => Running,
    };
    // What goes wrong has its reasons: no room for new logs, and nobody who sets the clock.
    let rotates = if computer.is_full() { Failed } else { Dead };
    let clock = if computer.in_step() { Running } else { Dead };
    let named: &[(&'static str, State, &'static str)] = match computer.os().distribution {
        Distribution::Debian | Distribution::Ubuntu => &[
            ("apt-daily", Dead, "Daily apt download activities"),
            (
                "cron",
                Running,
                "Regular background program processing daemon",
            ),
            ("ssh", Running, "OpenBSD Secure Shell server"),
            ("systemd-timesyncd", clock, "Network Time Synchronization"),
            (
                "unattended-upgrades",
                Running,
                "Unattended Upgrades Shutdown",
            ),
        ],
        Distribution::Rocky => &[
            ("chronyd", clock, "NTP client/server"),
            ("crond", Running, "Command Scheduler"),
            ("dnf-makecache", Dead, "dnf makecache"),
            ("firewalld", Running, "firewalld - dynamic firewall daemon"),
            ("sshd", Running, "OpenSSH server daemon"),
        ],
    };
    let both = [
        ("dbus", Running, "D-Bus System Message Bus"),
        ("logrotate", rotates, "Rotate log files"),
        ("systemd-journald", Running, "Journal Service"),
        (trade.unit, own, trade.description),
    ];
    let mut services: Vec<Service> = (named.iter().copied().chain(both))
        .map(|(name, state, description)| Service {
            name,
            state,
            description,
        })
        .collect();
    services.sort_by_key(|service| service.name);
    services
}
