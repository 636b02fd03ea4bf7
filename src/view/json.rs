//! The JSON contract: stable names, additive changes only.  `tests/contract.rs` pins it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::span::rfc3339;
use crate::core::output::{Count, Stream};
use crate::core::state::State;
use crate::wire::connection::{Carries, ConnectionView};
use crate::wire::look::{Folded, Group, Row, RowKind};
use crate::wire::reply::{ChildView, JobView, PastView, ReasonView, Status};

/// What `run --json` prints.
pub fn submitted(job: &JobView, hosts: &[String]) -> Value {
    let children: Vec<Value> = hosts
        .iter()
        .enumerate()
        .map(|(n, host)| json!({"id": job.id + 1 + n as u64, "host": host}))
        .collect();
    json!({"id": job.id, "name": job.name, "children": children})
}

/// A job; with its children if they were asked for.
pub fn job(job: &JobView, children: Option<&[ChildView]>) -> Value {
    let counts: Map<String, Value> = State::ALL
        .into_iter()
        .filter(|state| job.count(*state) > 0)
        .map(|state| (state.word().to_string(), job.count(state).into()))
        .collect();
    let mut value = json!({
        "id": job.id,
        "name": job.name,
        "runner": job.runner,
        "command": job.command,
        "targets": job.targets,
        "state": job.state.word(),
        "reason": null,
        "fanout": job.fanout,
        "paused": job.paused,
        "pinned": job.pinned,
        "created": rfc3339(job.created),
        "began": job.began.map(rfc3339),
        "ended": job.ended.map(rfc3339),
        "elapsed": job.elapsed,
        "more": job.more,
        "waiting": count(job.waiting),
        "counts": counts,
    });
    if let Some(children) = children {
        value["children"] = children.iter().map(child).collect();
    }
    value
}

/// A child.
pub fn child(child: &ChildView) -> Value {
    let mut value = json!({
        "id": child.id,
        "job": child.job,
        "host": child.host,
        "state": child.state.word(),
        "reason": reason(child.reason.as_ref()),
        "exit": child.exit,
        "signal": child.signal,
        "pid": child.pid,
        "began": child.began.map(rfc3339),
        "ended": child.ended.map(rfc3339),
        "elapsed": child.elapsed,
        "more": child.more,
        "bytes": {"out": child.out.bytes, "err": child.err.bytes, "dropped": child.dropped.bytes},
        "lines": {"out": child.out.lines, "err": child.err.lines, "dropped": child.dropped.lines},
    });
    if let Some(need) = &child.need {
        value["question"] = json!({"id": need.question, "kind": need.kind, "text": need.text});
    }
    value
}

/// A job of the history.
pub fn past(job: &PastView) -> Value {
    json!({
        "id": job.id,
        "name": job.name,
        "command": job.command,
        "targets": job.targets,
        "state": job.state.word(),
        "created": rfc3339(job.created),
        "ended": job.ended.map(rfc3339),
        "removed": job.removed.map(rfc3339),
    })
}

/// A piece of output.  Bytes that are not UTF-8 go as `data_b64`.
pub fn output(job: u64, child: u64, host: &str, stream: Stream, data: &[u8]) -> Value {
    let mut value = json!({"job": job, "child": child, "host": host, "stream": stream.word()});
    text(&mut value, "data", data);
    value
}

/// Adds bytes under a name; those that are not UTF-8 under the name with `_b64`.
fn text(value: &mut Value, name: &str, data: &[u8]) {
    match std::str::from_utf8(data) {
        Ok(text) => value[name] = text.into(),
        Err(_) => value[format!("{name}_b64")] = BASE64_STANDARD.encode(data).into(),
    }
}

/// Output that a cap cut out.
pub fn cut(job: u64, child: u64, host: &str, dropped: Count) -> Value {
    json!({"job": job, "child": child, "host": host, "dropped": count(dropped)})
}

/// A line of output, by where it stands.
pub fn row(job: u64, host: &str, row: &Row) -> Value {
    let mut value = match &row.what {
        RowKind::Text { stream, data, .. } => output(job, row.child, host, *stream, data),
        RowKind::Cut(dropped) => cut(job, row.child, host, *dropped),
    };
    value["offset"] = row.at.offset.into();
    value["line"] = row.at.line.into();
    value["time"] = row.time.map(rfc3339).into();
    value
}

/// How many lines of a child match.
pub fn matching(job: u64, child: u64, host: &str, lines: u64) -> Value {
    json!({"job": job, "child": child, "host": host, "count": lines})
}

/// A job's children by what they came to.
pub fn folded(folded: &Folded) -> Value {
    let sampled = |came_to: &Group| {
        let mut value = group(came_to);
        text(&mut value, "sample", &came_to.sample);
        value
    };
    let groups: Vec<Value> = folded.groups.iter().map(sampled).collect();
    json!({"job": folded.job, "groups": groups})
}

/// Children of a job that came to the same; what one of them wrote follows.
pub fn group_of(job: u64, came_to: &Group) -> Value {
    json!({"job": job, "group": group(came_to)})
}

fn group(group: &Group) -> Value {
    json!({
        "hosts": group.hosts,
        "children": group.children,
        "state": group.state.word(),
        "reason": reason(group.reason.as_ref()),
        "exit": group.exit,
        "output": count(group.output),
        "cut": group.cut,
    })
}

/// A child's end.
pub fn end(child: &ChildView) -> Value {
    json!({
        "job": child.job,
        "child": child.id,
        "host": child.host,
        "end": {"state": child.state.word(), "reason": reason(child.reason.as_ref()), "exit": child.exit},
    })
}

/// A connection that is open.
pub fn connection(connection: &ConnectionView) -> Value {
    json!({
        "hosts": connection.hosts,
        "user": connection.user,
        "address": connection.address,
        "port": connection.port,
        "via": connection.via,
        "proxy_command": connection.command,
        "carries": match connection.carries {
            Carries::Commands => "commands",
            Carries::Connections => "connections",
        },
        "channels": connection.channels,
        "age": connection.age,
        "idle": connection.idle,
        "bytes": {"received": connection.received, "sent": connection.sent},
    })
}

/// The daemon.
pub fn status(status: &Status) -> Value {
    json!({
        "pid": status.pid,
        "version": status.version,
        "uptime": status.uptime,
        "jobs": status.jobs,
        "live": status.live,
        "children": status.children,
        "connections": status.connections,
        "rss": status.rss,
        "trouble": status.trouble,
    })
}

fn count(count: Count) -> Value {
    json!({"bytes": count.bytes, "lines": count.lines})
}

fn reason(reason: Option<&ReasonView>) -> Value {
    reason.map_or(
        Value::Null,
        |reason| json!({"kind": reason.kind, "text": reason.text}),
    )
}
