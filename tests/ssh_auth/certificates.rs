//! Certificates of users.

use std::fs;
use std::process::Command;

use crate::both::Both;
use crate::material::{Agent, Keys};

#[tokio::test]
async fn user_certificates_log_in_as_with_ssh() {
    let keys = Keys::new();
    let ca = keys.make("ca", "ed25519");
    let trusted = format!("TrustedUserCAKeys {ca}.pub");
    let Some(mut both) = Both::start("user_certificates_log_in_as_with_ssh", &trusted) else {
        return;
    };
    let user = keys_user();
    for (name, kind) in [("ed", "ed25519"), ("rsa", "rsa"), ("ec", "ecdsa")] {
        let key = keys.make(name, kind);
        keys.sign("ca", name, &["-n", &user, "-V", "-1h:+1h"]);
        let beside = both
            .same_keys("beside its key", &format!("IdentityFile {key}"))
            .await;
        assert!(beside.gets_in(), "{kind}: {beside:?}");
        assert!(beside.shown[1].contains("-CERT"), "{beside:?}");
        // Elsewhere, with what it is for.
        fs::rename(format!("{key}-cert.pub"), keys.path("elsewhere.pub")).expect("ours");
        let text = format!(
            "IdentityFile {key}\nCertificateFile {}",
            keys.path("elsewhere.pub")
        );
        let elsewhere = both.same_keys("named", &text).await;
        assert!(elsewhere.gets_in(), "{kind}: {elsewhere:?}");
        assert_eq!(elsewhere.shown.len(), 1, "{elsewhere:?}");
        let refused = both
            .same_keys("without it", &format!("IdentityFile {key}"))
            .await;
        assert!(!refused.gets_in());
    }

    // The agent has the key, and a file the certificate; or the agent has both.
    let agent = Agent::start().await;
    both.agent = Some(agent.socket.clone());
    let key = keys.make("held", "ed25519");
    agent.add(&key);
    keys.sign("ca", "held", &["-n", &user]);
    let certificate = keys.path("held-cert.pub");
    fs::remove_file(&key).expect("ours");
    let named = both
        .same_keys("its key is held", &format!("CertificateFile {certificate}"))
        .await;
    assert!(named.gets_in(), "{named:?}");
    let beside = both
        .same_keys("the public half is there", &format!("IdentityFile {key}"))
        .await;
    assert!(beside.gets_in(), "{beside:?}");
    let both_held = keys.make("both", "rsa");
    keys.sign("ca", "both", &["-n", &user]);
    agent.ssh_add(&["-D"]);
    agent.add(&both_held);
    for text in ["", "IdentitiesOnly yes\n"] {
        let text = format!("{text}IdentityFile {both_held}");
        let held = both.same_keys("both are held", &text).await;
        assert!(held.gets_in(), "{held:?}");
    }
    assert!(both.same_keys("nothing is named", "").await.gets_in());
    both.agent = None;

    // What is no good is no good for either.
    let key = keys.make("bad", "ed25519");
    let text = format!("IdentityFile {key}");
    for (what, options) in [
        ("expired", &["-n", &user, "-V", "-2h:-1h"][..]),
        ("for another", &["-n", "nobody-at-all"]),
        ("a host's", &["-h", "-n", &user]),
        (
            "only from elsewhere",
            &["-n", &user, "-O", "source-address=10.9.9.9"],
        ),
    ] {
        keys.sign("ca", "bad", options);
        assert!(!both.same(what, &text).await.gets_in(), "{what}");
    }
    let why = both
        .same(
            "no such certificate",
            &format!("{text}\nCertificateFile /nowhere"),
        )
        .await;
    why.says(&["auth failed", "/nowhere: there is no certificate in it"]);
}

fn keys_user() -> String {
    let output = Command::new("id").arg("-un").output().expect("there is id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
