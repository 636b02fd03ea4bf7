//! Selections as they are typed.

use crate::core::select::Selector;
use crate::targets::{Groups, NoSource, Targets};

/// Hosts one word of a selection may expand to.
const LIMIT: usize = 100_000;

/// Parses one word of a selection.  Which jobs it means is decided where the jobs are; host patterns behind a dot, which
/// have a grammar of their own, are written out here.
pub fn parse_selector(text: &str) -> Result<Selector, String> {
    if text.trim().is_empty() {
        return Err("an empty word selects nothing; jobs are named by id, name, JOB.HOST, JOB.STATE, all or last".into());
    }
    let mut selector = Selector::new(text);
    if let Some((_, hosts)) = text.split_once('.')
        && hosts.contains(['[', ','])
    {
        let groups = Groups::default();
        let expanded = Targets::new(&groups, &mut NoSource)
            .limit(LIMIT)
            .resolve(hosts, None);
        let hosts = expanded.map_err(|error| error.to_string())?;
        selector.hosts = Some(hosts.iter().map(|host| host.to_string()).collect());
    }
    Ok(selector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_patterns_are_written_out() {
        let selector = parse_selector("7.web[01-03]").expect("a pattern");
        assert_eq!(
            selector.hosts,
            Some(vec!["web01".into(), "web02".into(), "web03".into()])
        );
        assert_eq!(parse_selector("7.web*").expect("a glob").hosts, None);
        assert!(parse_selector("7.web[01-").is_err());
        assert!(parse_selector(" ").is_err());
    }
}
