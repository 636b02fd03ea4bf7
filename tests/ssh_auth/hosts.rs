//! Keys and certificates of hosts.

use std::fs;
use std::sync::Arc;

use regatta::core::spec::Ended;
use regatta::runner::Runner;

use crate::both::{Both, HOST};
use crate::fleet::{Job, until, within};
use crate::material::Keys;

#[tokio::test]
async fn host_certificates_are_judged_as_by_ssh() {
    let keys = Keys::new();
    keys.make("ca", "ed25519");
    keys.make("other", "ed25519");
    keys.make("rsa_ca", "rsa");
    let host = keys.make("host", "ecdsa");
    keys.sign("ca", "host", &["-h", "-n", HOST]);
    let extra = format!("HostKey {host}\nHostCertificate {host}-cert.pub");
    let Some(both) = Both::start("host_certificates_are_judged_as_by_ssh", &extra) else {
        return;
    };
    let known = both.fleet.path("authorities");
    let identity = both.fleet.path("id_ed25519");
    let port = both.fleet.port;
    let (ca, other, key) = (
        keys.read("ca.pub"),
        keys.read("other.pub"),
        keys.read("host.pub"),
    );
    let rsa_ca = keys.read("rsa_ca.pub");
    let text = |more: &str| {
        format!(
            "UserKnownHostsFile {}\nIdentityFile {}\n{more}",
            known.display(),
            identity.display()
        )
    };
    let expect = async |what: &str, lines: &str, more: &str, gets_in: bool| {
        fs::write(&known, lines).expect("ours");
        let came = both.same(what, &text(more)).await;
        assert_eq!(came.gets_in(), gets_in, "{what}: {came:?}");
        came
    };
    let authority = format!("@cert-authority [127.*]:{port} {ca}\n");
    expect("known authority", &authority, "", true).await;
    let bare = format!("@cert-authority 127.* {ca}\n");
    expect("known without the port", &bare, "", true).await;
    let elsewhere = format!("@cert-authority *.example.org {ca}\n");
    expect("for other hosts", &elsewhere, "", false).await;
    let wrong = format!("@cert-authority * {other}\n");
    let came = expect("another authority", &wrong, "", false).await;
    came.says(&[
        "host key unknown",
        "its certificate does not count: its authority",
    ]);
    let two = format!("{wrong}{authority}");
    expect("one of two", &two, "", true).await;
    let plain = format!("[127.*]:{port} {key}\n");
    expect("the key itself", &plain, "", true).await;
    expect(
        "the key, and another authority",
        &format!("{wrong}{plain}"),
        "",
        true,
    )
    .await;
    let revoked = format!("{authority}@revoked * {ca}\n");
    expect("revoked authority", &revoked, "", false)
        .await
        .says(&["host key revoked", "authorities:2 revokes"]);
    let revoked = format!("{authority}{plain}@revoked * {key}\n");
    expect("revoked key", &revoked, "", false)
        .await
        .says(&["host key revoked"]);
    expect(
        "an alias is another name",
        &format!("@cert-authority web {ca}\n"),
        "HostKeyAlias web",
        false,
    )
    .await
    .says(&["it is for 127.1.0.1, not for web"]);
    expect(
        "plain keys only",
        &authority,
        "HostKeyAlgorithms -*cert*",
        false,
    )
    .await;
    expect(
        "certificates only",
        &authority,
        "HostKeyAlgorithms *-cert-v01@openssh.com",
        true,
    )
    .await;
    expect(
        "certificates only, and none known",
        &plain,
        "HostKeyAlgorithms *-cert-v01@openssh.com",
        true,
    )
    .await;
    expect(
        "signed in a way not wanted",
        &authority,
        "CASignatureAlgorithms rsa-sha2-512",
        false,
    )
    .await
    .says(&["signed with ssh-ed25519"]);

    // Listed as revoked by themselves; a list that cannot be read lets nobody in.
    let list = both.fleet.path("revoked").display().to_string();
    let more = format!("RevokedHostKeys {list}");
    let lines = format!("{authority}{plain}");
    expect("no list", &lines, &more, false)
        .await
        .says(&["bad settings", "RevokedHostKeys"]);
    fs::write(&list, format!("# none\n{other}\n")).expect("ours");
    expect("another is listed", &lines, &more, true).await;
    for listed in [&ca, &key] {
        fs::write(&list, format!("{other}\n{listed}\n")).expect("ours");
        expect("it is listed", &lines, &more, false)
            .await
            .says(&["host key revoked", "revoked:2 revokes"]);
    }
    fs::write(&list, b"SSHKRL\n\0").expect("ours");
    let config = both.config(&text(&more));
    both.regatta(&config, "true")
        .await
        .says(&["key revocation list"]);

    let restart = |options: &[&str], ca: &str| {
        keys.sign(ca, "host", &[&["-h"], options].concat());
        both.fleet.reload();
    };
    for (what, options, gets_in, said) in [
        (
            "expired",
            &["-n", HOST, "-V", "-2h:-1h"][..],
            false,
            "it has expired",
        ),
        (
            "not yet valid",
            &["-n", HOST, "-V", "+1h:+2h"],
            false,
            "it is not valid yet",
        ),
        ("for another", &["-n", "web,db"], false, "it is for web, db"),
        ("for several", &["-n", &format!("web,{HOST}")], true, ""),
        ("for a pattern", &["-n", "127.*"], false, "it is for 127.*"),
        ("for all", &[], true, ""),
        (
            "with a critical option",
            &["-n", HOST, "-O", "critical:x@y"],
            false,
            "critical option",
        ),
    ] {
        restart(options, "ca");
        let came = expect(what, &authority, "", gets_in).await;
        came.says(&[said]);
        // Judged by its key, it is the host.
        let by_key = format!("{authority}{plain}");
        expect(what, &by_key, "", true).await;
    }
    restart(&["-n", HOST], "rsa_ca");
    expect(
        "signed by RSA",
        &format!("@cert-authority * {rsa_ca}\n"),
        "",
        true,
    )
    .await;
}

#[tokio::test]
async fn known_keys_are_asked_for_first_as_by_ssh() {
    let keys = Keys::new();
    let (rsa, ec) = (keys.make("rsa", "rsa"), keys.make("ec", "ecdsa"));
    let extra = format!("HostKey {rsa}\nHostKey {ec}");
    let Some(both) = Both::start("known_keys_are_asked_for_first_as_by_ssh", &extra) else {
        return;
    };
    let known = both.fleet.path("some");
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let port = both.fleet.port;
    let expect = async |name: &str, more: &str, gets_in: bool| {
        fs::write(&known, format!("[127.*]:{port} {}\n", keys.read(name))).expect("ours");
        let text = format!(
            "UserKnownHostsFile {}\nIdentityFile {identity}\n{more}",
            known.display()
        );
        let came = both.same(more, &text).await;
        assert_eq!(came.gets_in(), gets_in, "{name} {more}: {came:?}");
        came
    };
    for name in ["rsa.pub", "ec.pub"] {
        expect(name, "", true).await;
        expect(name, "HostKeyAlgorithms +ssh-rsa", true).await;
        expect(name, "HostKeyAlgorithms ssh-ed25519", false)
            .await
            .says(&["host key changed"]);
    }
    expect("rsa.pub", "HostKeyAlgorithms ^ssh-ed25519", false).await;
    expect("rsa.pub", "HostKeyAlgorithms rsa-sha2-256", true).await;
    expect("rsa.pub", "RequiredRSASize 4096", false)
        .await
        .says(&["fewer than RequiredRSASize 4096"]);
    expect("ec.pub", "HostKeyAlgorithms ecdsa-sha2-nistp521", false)
        .await
        .says(&["nothing in common for Key"]);
}

#[tokio::test]
async fn other_keys_of_a_known_host_are_learnt_as_by_ssh() {
    let keys = Keys::new();
    let (rsa, ec) = (keys.make("rsa", "rsa"), keys.make("ec", "ecdsa"));
    let extra = format!("HostKey {rsa}\nHostKey {ec}");
    let test = "other_keys_of_a_known_host_are_learnt_as_by_ssh";
    let Some(both) = Both::start(test, &extra) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let known = both.fleet.path("learnt");
    let line = format!("[{HOST}]:{} {}\n", both.fleet.port, keys.read("ec.pub"));
    let learnt = || {
        let text = fs::read_to_string(&known).expect("it is there");
        let lines = text.lines();
        let mut lines: Vec<String> = lines
            .map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" "))
            .collect();
        lines.sort();
        lines
    };
    let text = |more: &str| {
        format!(
            "{more}\nUserKnownHostsFile {}\nIdentityFile {identity}",
            known.display()
        )
    };
    fs::write(&known, &line).expect("ours");
    let config = both.config(&text("UpdateHostKeys yes"));
    assert!(both.ssh(&config, "true").gets_in());
    let theirs = learnt();
    assert_eq!(theirs.len(), 3, "{theirs:?}");
    fs::write(&known, &line).expect("ours");
    // The connection is kept, so that the server can prove what it says.
    let runner: Arc<dyn Runner> = both.fleet.runner();
    let job = Job::start(&runner, both.order(&config, "true"));
    assert_eq!(within(job.finish()).await.ended, Ended::Exited(0));
    until("the others are learnt", || learnt().len() == 3).await;
    assert_eq!(learnt(), theirs);
    // Known by any of them now.
    for algorithms in ["ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256"] {
        let more = format!("UpdateHostKeys no\nHostKeyAlgorithms {algorithms}");
        assert!(both.same(algorithms, &text(&more)).await.gets_in());
    }
    fs::write(&known, &line).expect("ours");
    let config = both.config(&text("UpdateHostKeys no"));
    assert!(both.regatta(&config, "true").await.gets_in());
    assert_eq!(learnt().len(), 1);
}
