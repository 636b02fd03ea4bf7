//! What a connection is made of, once its server is known: algorithms, new keys, variables, and whose block applies.

use std::fs;

use crate::both::Both;
use crate::material::Keys;

#[tokio::test]
async fn keys_are_exchanged_again_in_the_middle_of_output() {
    let Some(both) = Both::start(
        "keys_are_exchanged_again_in_the_middle_of_output",
        "RekeyLimit 1M",
    ) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let line = "head -c 20000000 /dev/zero | tr '\\0' x | fold -w 1000";
    for more in ["RekeyLimit 1M", "RekeyLimit 100K 1s", ""] {
        let text = format!("{more}\nIdentityFile {identity}");
        let came = both.same_line(more, &text, line).await;
        assert!(came.out.is_some_and(|out| out.len() > 20_000_000), "{more}");
    }
}

#[tokio::test]
async fn algorithms_are_agreed_on_as_configured() {
    let Some(both) = Both::start(
        "algorithms_are_agreed_on_as_configured",
        "Ciphers aes128-ctr,aes256-gcm@openssh.com\nMACs hmac-sha2-512\nKexAlgorithms curve25519-sha256,diffie-hellman-group14-sha256\nLogLevel DEBUG",
    ) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    let expect = async |more: &str, gets_in: bool| {
        let came = both
            .same(more, &format!("{more}\nIdentityFile {identity}"))
            .await;
        assert_eq!(came.gets_in(), gets_in, "{more}: {came:?}");
        came
    };
    expect("", true).await;
    expect("Ciphers aes128-ctr", true).await;
    expect("Ciphers -chacha*,aes*-gcm*", true).await;
    expect("Ciphers aes128-ctr\nMACs hmac-sha2-512", true).await;
    expect("KexAlgorithms ^diffie-hellman-group14-sha256", true).await;
    expect("Ciphers aes256-ctr", false)
        .await
        .says(&["nothing in common for Cipher", "aes128-ctr"]);
    expect("Ciphers aes128-ctr\nMACs hmac-sha2-256", false).await;
    expect("KexAlgorithms ecdh-sha2-nistp256", false).await;
    let config = both.config("Ciphers 3des-cbc");
    both.regatta(&config, "true").await.says(&[
        "bad settings",
        "Ciphers of 127.1.0.1",
        "own_config:1",
        "it has",
    ]);

    // Compressed, and really so.
    let before = both.log().len();
    let text = format!("Compression yes\nIdentityFile {identity}");
    let line = "head -c 3000000 /dev/zero | tr '\\0' y";
    let came = both.same_line("compressed", &text, line).await;
    assert!(came.out.is_some_and(|out| out.len() == 3_000_000));
    let enabled = both.log()[before..].matches("Enabling compression").count();
    assert_eq!(enabled, 4, "both ways, by ssh and by regatta");
    let before = both.log().len();
    expect("Compression no", true).await;
    assert!(!both.log()[before..].contains("Enabling compression"));
}

#[tokio::test]
async fn variables_reach_commands_as_far_as_the_server_likes() {
    let banner = Keys::new();
    fs::write(banner.path("banner"), "Keep out!\n").expect("ours");
    let extra = format!("Banner {}", banner.path("banner"));
    let test = "variables_reach_commands_as_far_as_the_server_likes";
    let Some(both) = Both::start(test, &extra) else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    // The server accepts LANG, LC_* and REGATTA_*.
    let line = "echo ${LC_REGATTA-no} ${REGATTA_SET-no} ${LC_SET-no} ${OTHER-no}";
    for (more, want) in [
        ("", "no no no no\n"),
        ("SendEnv LC_*", "from-here no no no\n"),
        ("SendEnv LC_* -LC_R*", "from-here no no no\n"),
        ("SendEnv LC_* -LC_*", "no no no no\n"),
        (
            "SetEnv REGATTA_SET=1 OTHER=2 \"LC_SET=two words\"",
            "no 1 two words no\n",
        ),
        ("SendEnv LC_*\nSetEnv LC_REGATTA=mine", "mine no no no\n"),
    ] {
        let came = both
            .same_line(more, &format!("{more}\nIdentityFile {identity}"), line)
            .await;
        assert_eq!(came.out.as_deref(), Some(want), "{more}");
    }
}

#[tokio::test]
async fn match_exec_and_final_decide_about_connections() {
    let Some(both) = Both::start("match_exec_and_final_decide_about_connections", "") else {
        return;
    };
    let identity = both.fleet.path("id_ed25519").display().to_string();
    for (more, gets_in) in [
        ("Match exec \"test %h = 127.1.0.1\"", true),
        ("Match exec \"test %h = 127.1.0.2\"", false),
        ("Match final host 127.1.*", true),
        ("Match final host 127.2.*", false),
    ] {
        let text = format!("{more}\n IdentityFile {identity}\nMatch all");
        let came = both.same(more, &text).await;
        assert_eq!(came.gets_in(), gets_in, "{more}: {came:?}");
    }
    let config = both.config("Match exec \"kill -KILL $$\"\n User x\nMatch all");
    let came = both.regatta(&config, "true").await;
    came.says(&["bad settings", "own_config:1", "cannot be decided"]);
}
