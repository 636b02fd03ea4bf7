//! Selections: which jobs and children a command means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::fleet::Fleet;
use super::ids::{ChildId, JobId};
use super::job::Job;
use super::state::State;
use super::time::Wall;

/// One word of a selection, as an operator writes it.
///
/// `all`, `last`, an id, a name or glob, `JOB.HOST` and `JOB.STATE`.  Which of the last three a word with a dot means
/// depends on the jobs there are, so it is decided when it is resolved.  Host patterns in brackets have been expanded
/// into `hosts` before, because `core` does not know their grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The word as written, for messages.
    pub text: String,
    /// `JOB.web[01-05]` written out: the hosts behind the dot.
    pub hosts: Option<Vec<String>>,
}

impl Selector {
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            hosts: None,
        }
    }
}

/// What a selection came to.  A job that is picked whole does not have its children listed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Picked {
    pub jobs: BTreeSet<JobId>,
    pub children: BTreeSet<ChildId>,
    /// What was asked for and is not there.
    pub unknown: Vec<Unknown>,
}

/// A word that matched nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub text: String,
    pub what: What,
}

/// What could not be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Id,
    /// It was there, until then.
    Removed(Wall),
    Name,
    HostOrState,
}

impl Unknown {
    /// The word's part before the dot.
    fn job(&self) -> &str {
        self.text.split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Id => write!(f, "no job or child has the id {}", self.text),
            What::Removed(_) => write!(f, "job {} has been removed", self.job()),
            What::Name => write!(f, "no job is named {}", self.text),
            What::HostOrState => {
                write!(f, "{} matches no host and no state of that job", self.text)
            }
        }
    }
}

impl Picked {
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.children.is_empty()
    }

    /// Whether a child was picked, by itself or with its job.
    pub fn contains(&self, job: JobId, child: ChildId) -> bool {
        self.jobs.contains(&job) || self.children.contains(&child)
    }

    /// The children picked of one job, by index.
    pub fn indexes(&self, job: &Job) -> Vec<usize> {
        if self.jobs.contains(&job.id) {
            return (0..job.children.len()).collect();
        }
        let ids = job.id.child(0)..job.id.child(job.children.len());
        self.children
            .range(ids)
            .filter_map(|child| job.id.index_of(*child))
            .collect()
    }

    /// Narrows the pick to children on these hosts.
    pub fn only_hosts(&mut self, fleet: &Fleet, hosts: &[String]) {
        let wanted: BTreeSet<String> = hosts.iter().map(|host| host.to_lowercase()).collect();
        let mut children = BTreeSet::new();
        for job in self.touched(fleet) {
            for index in self.indexes(job) {
                if wanted.contains(&job.spec.hosts[index].name.to_lowercase()) {
                    children.insert(job.id.child(index));
                }
            }
        }
        self.jobs.clear();
        self.children = children;
    }

    /// Every job of which something was picked, in id order.
    pub fn touched<'a>(&self, fleet: &'a Fleet) -> Vec<&'a Job> {
        let mut jobs: BTreeMap<JobId, &Job> = BTreeMap::new();
        for id in &self.jobs {
            jobs.extend(fleet.job(*id).map(|job| (*id, job)));
        }
        for child in &self.children {
            jobs.extend(fleet.find_child(*child).map(|(job, _)| (job.id, job)));
        }
        jobs.into_values().collect()
    }
}

/// Finds what `selectors` mean among the jobs there are.  What is not there is listed, the rest is still found.
pub fn resolve(fleet: &Fleet, selectors: &[Selector]) -> Picked {
    let mut picked = Picked::default();
    for selector in selectors {
        resolve_one(fleet, selector, &mut picked);
    }
    let whole = &picked.jobs;
    picked.children.retain(|child| {
        fleet
            .find_child(*child)
            .is_some_and(|(job, _)| !whole.contains(&job.id))
    });
    picked
}

fn resolve_one(fleet: &Fleet, selector: &Selector, picked: &mut Picked) {
    let text = selector.text.as_str();
    let miss = |what| Unknown {
        text: text.to_string(),
        what,
    };
    if let Some(whole) = jobs_named(fleet, text)
        && selector.hosts.is_none()
    {
        match whole {
            Found::Jobs(jobs) => picked.jobs.extend(jobs),
            Found::Child(child) => _ = picked.children.insert(child),
            Found::NoSuchId(what) => picked.unknown.push(miss(what)),
        }
        return;
    }
    let Some((job, rest)) = text.split_once('.') else {
        // A glob that matches nothing is an empty selection, a plain name that matches nothing is a mistake.
        if !is_glob(text) {
            picked.unknown.push(miss(What::Name));
        }
        return;
    };
    let jobs = match jobs_named(fleet, job) {
        Some(Found::Jobs(jobs)) => jobs,
        Some(Found::Child(_)) => return picked.unknown.push(miss(What::Id)),
        Some(Found::NoSuchId(what)) => return picked.unknown.push(miss(what)),
        None => return picked.unknown.push(miss(What::Name)),
    };
    let before = picked.children.len();
    let mut known = rest.parse::<State>().is_ok();
    for job in jobs.into_iter().filter_map(|id| fleet.job(id)) {
        for (index, host) in job.spec.hosts.iter().enumerate() {
            let wanted = match (&selector.hosts, rest.parse::<State>()) {
                (Some(hosts), _) => hosts.iter().any(|pattern| glob(pattern, &host.name)),
                (None, Ok(state)) => job.children[index].state.word() == state,
                (None, Err(_)) => glob(rest, &host.name),
            };
            if wanted {
                known = true;
                picked.children.insert(job.id.child(index));
            }
        }
    }
    if picked.children.len() == before && !known {
        picked.unknown.push(miss(What::HostOrState));
    }
}

enum Found {
    Jobs(Vec<JobId>),
    Child(ChildId),
    NoSuchId(What),
}

/// The jobs a word without a host part means; `None` if it is a name that no job has.
fn jobs_named(fleet: &Fleet, word: &str) -> Option<Found> {
    if let Ok(id) = word.parse::<u64>() {
        let child = ChildId(id);
        return Some(match (fleet.job(JobId(id)), fleet.find_child(child)) {
            (Some(job), _) => Found::Jobs(vec![job.id]),
            (None, Some(_)) => Found::Child(child),
            (None, None) => {
                let removed = fleet.removed_at(JobId(id));
                Found::NoSuchId(removed.map_or(What::Id, What::Removed))
            }
        });
    }
    let found: Vec<JobId> = match word {
        "all" => return Some(Found::Jobs(fleet.jobs().map(|job| job.id).collect())),
        "last" => {
            let newest = fleet.jobs().next_back().map(|job| job.id);
            return Some(Found::Jobs(newest.into_iter().collect()));
        }
        name => fleet
            .jobs()
            .filter(|job| glob(name, &job.name()))
            .map(|job| job.id)
            .collect(),
    };
    (!found.is_empty()).then_some(Found::Jobs(found))
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Matches `*` and `?`, ignoring case.
pub fn glob(pattern: &str, text: &str) -> bool {
    let fold = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let (pattern, text) = (fold(pattern), fold(text));
    // The usual greedy match: remember the last star and give it one more character whenever the rest fails.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_shells_do() {
        let table = [
            ("patch*", "Patch-Tuesday", true),
            ("patch*", "dispatch", false),
            ("*patch*", "dispatch", true),
            ("web?", "web1", true),
            ("web?", "web12", false),
            ("a*b*c", "aXXbYYbZc", true),
            ("a*b*c", "aXXbYYbZ", false),
            ("", "", true),
            ("*", "", true),
            ("?", "", false),
            ("Ä*", "ärger", true),
        ];
        for (pattern, text, want) in table {
            assert_eq!(glob(pattern, text), want, "{pattern} against {text}");
        }
    }
}
