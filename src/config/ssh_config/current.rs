//! The user and the computer this program runs as and on.

use std::collections::HashMap;
use std::path::PathBuf;

use super::LocalEnv;

impl LocalEnv {
    /// Who and where we are.  As OpenSSH does, the password database comes before `$USER` and `$HOME`; where it does not
    /// know us (a container without an entry, a directory service), the variables have to do.
    pub fn current() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let variables: HashMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let entry = passwd.lines().find_map(|line| entry_of(line, uid));
        let variable = |name: &str| variables.get(name).cloned();
        let (user, home) = match entry {
            Some((user, home)) => (user, home),
            None => (
                variable("USER")
                    .or_else(|| variable("LOGNAME"))
                    .unwrap_or_else(|| uid.to_string()),
                // Nothing is found under a directory that is not there.
                variable("HOME").map_or_else(|| PathBuf::from("/nonexistent"), PathBuf::from),
            ),
        };
        let hostname = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        Self {
            user,
            home,
            hostname,
            uid,
            variables,
        }
    }
}

/// Name and home of a passwd(5) line, if it is this user's.
fn entry_of(line: &str, uid: u32) -> Option<(String, PathBuf)> {
    let fields: Vec<&str> = line.split(':').collect();
    match fields.as_slice() {
        [user, _, id, _, _, home, ..] if id.parse() == Ok(uid) => {
            Some(((*user).to_string(), PathBuf::from(home)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwd_lines_are_read() {
        let want = Some(("ops".to_string(), PathBuf::from("/home/ops")));
        assert_eq!(
            entry_of("ops:x:1000:1000:,,,:/home/ops:/bin/bash", 1000),
            want
        );
        assert_eq!(
            entry_of("ops:x:1000:1000:,,,:/home/ops:/bin/bash", 100),
            None
        );
        assert_eq!(entry_of("# nothing", 0), None);
    }
}
