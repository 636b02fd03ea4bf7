//! Whether a certificate proves that a server is the host it should be (`@cert-authority` in known_hosts; PROTOCOL.certkeys
//! and `check_host_key` in OpenSSH).
//!
//! A certificate that proves nothing is no reason to refuse a host: the key in it may be known by itself.

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Certificate, HashAlg};

use super::algorithms::Suite;
use super::known_hosts::HostKeys;
use crate::config::ssh_config::Location;

/// What a certificate is not good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotCertified {
    /// The key in it, or the one that signed it, is marked `@revoked`.
    Revoked { at: Location },
    /// It proves nothing, and why.
    Because(String),
}

/// Judges the certificate that a server presents as the host of this name, which is known like this.
pub(super) fn judge(
    certificate: &Certificate,
    name: &str,
    known: &HostKeys,
    suite: &Suite,
) -> Result<(), NotCertified> {
    let keys = [certificate.public_key(), certificate.signature_key()];
    if let Some(at) = keys.into_iter().find_map(|key| known.revocation(key)) {
        return Err(NotCertified::Revoked { at: at.clone() });
    }
    match fault(certificate, name, known, suite) {
        None => Ok(()),
        Some(why) => Err(NotCertified::Because(why)),
    }
}

fn fault(certificate: &Certificate, name: &str, known: &HostKeys, suite: &Suite) -> Option<String> {
    let signed_by = certificate.signature_key();
    if !known.authorities().any(|authority| authority == signed_by) {
        return Some(format!(
            "its authority {} is not known for this host",
            signed_by.fingerprint(HashAlg::Sha256)
        ));
    }
    if certificate.cert_type() != CertType::Host {
        return Some("it is not a host's".to_owned());
    }
    // Beginning, end, and the signature; each is told apart below.
    let authority = signed_by.fingerprint(HashAlg::Sha256);
    if certificate.validate([&authority]).is_err() {
        return Some(invalidity(certificate).to_owned());
    }
    let principals = certificate.valid_principals();
    if !principals.is_empty() && !principals.iter().any(|principal| principal == name) {
        return Some(format!(
            "it is for {}, not for {name}",
            principals.join(", ")
        ));
    }
    // There are none for hosts, and what is critical must be understood.
    if let Some(option) = certificate.critical_options().keys().next() {
        return Some(format!("its critical option {option:?} is not known"));
    }
    let algorithm = certificate.signature().algorithm();
    if !suite.trusts_signature(&algorithm) {
        return Some(format!(
            "it is signed with {}, which is not among CASignatureAlgorithms",
            algorithm.as_str()
        ));
    }
    None
}

fn invalidity(certificate: &Certificate) -> &'static str {
    let began = certificate.valid_after_time();
    let ends = certificate.valid_before_time();
    if began.is_none_or(|began| began.elapsed().is_err()) {
        "it is not valid yet"
    } else if ends.is_some_and(|ends| ends.elapsed().is_ok()) {
        "it has expired"
    } else {
        "its signature is wrong"
    }
}
