//! The options of OpenSSH that regatta does not act on (readconf.c; deprecated and unsupported ones included), and what
//! is lost by it.

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keyword {
    /// In lower case.
    name: &'static str,
    pub(super) loss: Loss,
    /// Values that ask for what regatta does anyway.
    fulfilled: &'static [&'static str],
}

/// What it means that an option has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Something else happens than was asked for, or something is let through that was meant to be forbidden.
    Matters,
    /// It is about terminals, windows, the running of the program `ssh` itself, or a way to log in that is not tried.
    Slight,
}

impl Keyword {
    /// Whether what is written after the keyword asks for nothing else than what regatta does.
    pub(super) fn is_fulfilled_by(&self, value: &str) -> bool {
        let value = value.trim_start_matches([' ', '\t', '=']).trim();
        let value = value.split([' ', '\t']).next().unwrap_or_default();
        let value = value.trim_matches('"');
        self.fulfilled
            .iter()
            .any(|known| known.eq_ignore_ascii_case(value))
    }
}

/// The option of this name (in lower case), if it is one of them.
pub(super) fn not_honoured(name: &str) -> Option<&'static Keyword> {
    let at = NOT_HONOURED.binary_search_by(|keyword| keyword.name.cmp(name));
    at.ok().map(|at| &NOT_HONOURED[at])
}

const fn matters(name: &'static str, fulfilled: &'static [&'static str]) -> Keyword {
    Keyword {
        name,
        loss: Loss::Matters,
        fulfilled,
    }
}

const fn slight(name: &'static str) -> Keyword {
    Keyword {
        name,
        loss: Loss::Slight,
        fulfilled: &[],
    }
}

const OFF: &[&str] = &["no", "false"];
const NONE: &[&str] = &["none"];

const NOT_HONOURED: &[Keyword] = &[
    slight("afstokenpassing"),
    matters("bindinterface", &[]),
    slight("canonicaldomains"),
    slight("canonicalizefallbacklocal"),
    slight("canonicalizemaxdots"),
    matters("canonicalizepermittedcnames", NONE),
    slight("channeltimeout"),
    matters("checkhostip", OFF),
    slight("cipher"),
    slight("clearallforwardings"),
    slight("compressionlevel"),
    slight("controlmaster"),
    slight("controlpath"),
    slight("controlpersist"),
    matters("dynamicforward", &[]),
    slight("enableescapecommandline"),
    slight("enablesshkeysign"),
    slight("escapechar"),
    slight("exitonforwardfailure"),
    slight("fallbacktorsh"),
    slight("fingerprinthash"),
    slight("forkafterauthentication"),
    matters("forwardagent", OFF),
    matters("forwardx11", OFF),
    slight("forwardx11timeout"),
    slight("forwardx11trusted"),
    slight("gatewayports"),
    slight("globalknownhostsfile2"),
    slight("gssapiauthentication"),
    slight("gssapiclientidentity"),
    slight("gssapidelegatecredentials"),
    slight("gssapikexalgorithms"),
    slight("gssapikeyexchange"),
    slight("gssapirenewalforcesrekey"),
    slight("gssapiserveridentity"),
    slight("gssapitrustdns"),
    slight("hostbasedacceptedalgorithms"),
    slight("hostbasedauthentication"),
    slight("hostbasedkeytypes"),
    slight("ipqos"),
    slight("kbdinteractivedevices"),
    slight("keepalive"),
    slight("kerberosauthentication"),
    slight("kerberostgtpassing"),
    matters("knownhostscommand", NONE),
    slight("localcommand"),
    matters("localforward", &[]),
    slight("loglevel"),
    slight("logverbose"),
    matters("nohostauthenticationforlocalhost", OFF),
    slight("obscurekeystroketiming"),
    matters("permitlocalcommand", OFF),
    slight("permitremoteopen"),
    matters("pkcs11provider", NONE),
    slight("protocol"),
    matters("proxyusefdpass", OFF),
    matters("refuseconnection", &[]),
    matters("remotecommand", NONE),
    matters("remoteforward", &[]),
    slight("requesttty"),
    slight("rhostsauthentication"),
    slight("rhostsrsaauthentication"),
    slight("rsaauthentication"),
    slight("securitykeyprovider"),
    matters("sessiontype", &["default"]),
    slight("smartcarddevice"),
    slight("stdinnull"),
    slight("streamlocalbindmask"),
    slight("streamlocalbindunlink"),
    slight("syslogfacility"),
    slight("tag"),
    slight("tcpkeepalive"),
    matters("tunnel", OFF),
    slight("tunneldevice"),
    slight("useblacklistedkeys"),
    slight("useprivilegedport"),
    slight("userknownhostsfile2"),
    slight("useroaming"),
    slight("usersh"),
    matters("verifyhostkeydns", OFF),
    slight("versionaddendum"),
    slight("visualhostkey"),
    slight("warnweakcrypto"),
    slight("xauthlocation"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_listed_once_and_in_order() {
        assert!(NOT_HONOURED.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn what_asks_for_nothing_else_is_fulfilled() {
        let check = |name: &str, value: &str, fulfilled: bool| {
            let keyword = not_honoured(name).expect("it is in the list");
            assert_eq!(keyword.is_fulfilled_by(value), fulfilled, "{name} {value}");
        };
        check("forwardagent", "no", true);
        check("forwardagent", "= \"No\" # never", true);
        check("forwardagent", "yes", false);
        check("remotecommand", "none", true);
        check("localforward", "no", false);
        check("loglevel", "no", false);
    }
}
