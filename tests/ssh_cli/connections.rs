//! `connections`: which are kept, through which hops, and closing them.

use serde_json::{Value, json};

use crate::console::{Console, came_to, child};
use crate::support::until;

/// The hop, by the name its configuration has.
const HOP: &str = "127.9.0.1";

fn through_a_hop(console: &Console) -> String {
    console.config_with(&format!("Host 127.1.*\n ProxyJump {HOP}"))
}

fn listed(console: &Console) -> Vec<Value> {
    let all = console.regatta(&["connections", "--json"]).exits(0).json();
    all.as_array().expect("a list").clone()
}

/// What each connection leads to and through, and whether somebody uses it.
fn ways(console: &Console) -> Vec<(String, String, u64, bool)> {
    let text = |value: &Value| {
        let parts = value.as_array().expect("a list").iter();
        let parts: Vec<_> = parts.map(|part| part.as_str().expect("a name")).collect();
        parts.join(",")
    };
    let way = |one: &Value| {
        let channels = one["channels"].as_u64().expect("a count");
        (
            text(&one["hosts"]),
            text(&one["via"]),
            channels,
            one["idle"].is_null(),
        )
    };
    listed(console).iter().map(way).collect()
}

#[test]
fn connections_are_listed_and_closed_with_what_leads_through_them() {
    let Some(console) =
        Console::start("connections_are_listed_and_closed_with_what_leads_through_them")
    else {
        return;
    };
    console
        .regatta(&["connections"])
        .exits(0)
        .says(&["no connections"]);
    console.regatta(&["connections", "--close", "all"]).exits(3);
    let config = through_a_hop(&console);
    let done = console.background_with(&config, &["-t", "127.1.0.[1-2]"], "true");
    console.regatta(&["wait", &done]).exits(0);
    let direct = console.background_with(&config, &["-t", "127.2.0.1"], "true");
    console.regatta(&["wait", &direct]).exits(0);
    let gate = console.gate();
    let line = format!(": < {}", gate.path());
    let busy = console.background_with(&config, &["-t", "127.1.0.3"], &line);
    until("it runs", || console.count(&busy, "Running") == 1);

    let way =
        |host: &str, via: &str, channels, used| (host.to_owned(), via.to_owned(), channels, used);
    assert_eq!(
        ways(&console),
        [
            way("127.1.0.1", HOP, 0, false),
            way("127.1.0.2", HOP, 0, false),
            way("127.1.0.3", HOP, 1, true),
            way("127.2.0.1", "", 0, false),
            way(HOP, "", 3, true),
        ]
    );
    let hop = listed(&console).pop().expect("the last one");
    assert_eq!(
        (&hop["carries"], &hop["proxy_command"]),
        (&json!("connections"), &json!(null))
    );
    assert!(hop["bytes"]["received"].as_u64() > Some(1000), "{hop}");
    let table = console.regatta(&["connections"]).exits(0);
    assert!(table.out().contains("3 connections"), "{}", table.out());

    // Of a hop those that are idle; it stays itself, because something runs through it.
    console
        .regatta(&["connections", "--close", HOP])
        .exits(1)
        .says(&[
            "the connection to 127.1.0.3 (1 command) is in use",
            "the connection to 127.9.0.1 (3 connections) is in use",
            "2 connections closed",
            "--force",
        ]);
    assert_eq!(
        ways(&console),
        [
            way("127.1.0.3", HOP, 1, true),
            way("127.2.0.1", "", 0, false),
            way(HOP, "", 1, true),
        ]
    );
    console
        .regatta(&["connections", "--close", "127.2.0.[1-9]"])
        .exits(0)
        .says(&["1 connection closed"]);
    console
        .regatta(&["connections", "--close", "127.2.0.1"])
        .exits(3)
        .says(&["no connection to 127.2.0.1 is open"]);

    // By force the commands are lost, and ended by their lifelines.
    let closed = console
        .regatta(&["connections", "--close", "all", "--force", "--json"])
        .exits(0)
        .json();
    assert_eq!(closed["closed"].as_array().map(Vec::len), Some(2));
    assert_eq!(closed["in_use"], json!([]));
    console.regatta(&["wait", &busy]).exits(1);
    came_to(
        child(&console.now(&busy), "127.1.0.3"),
        "Failed",
        "connection_lost",
        &["it was closed by an operator", "the command has ended"],
    );
    until("nothing of it is left", || {
        console.remains(&busy).is_empty()
    });
    let audit = console.regatta(&["audit", "--json", "disconnect"]).exits(0);
    let audit: Vec<(Value, Value)> = audit
        .records()
        .iter()
        .map(|entry| (entry["hosts"].clone(), entry["commands"].clone()))
        .collect();
    assert_eq!(
        audit,
        [
            (json!("127.1.0.[1-2]"), json!(0)),
            (json!("127.2.0.1"), json!(0)),
            (json!("127.1.0.3,127.9.0.1"), json!(1)),
        ]
    );
}
