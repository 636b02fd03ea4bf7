//! Looking again what became of children whose connection was lost, or whose end was not proved.  A look ends nothing;
//! `stop` does.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fleet::{Effect, Fleet, Ticket};
use super::proof::proof_limit;
use super::reason::Fate;
use super::select::Selector;
use super::spec::Inquiry;
use super::state::ChildState;
use super::time::Moment;
use super::wait::Pending;

impl Fleet {
    /// Asks for a look at every child that is selected and Disconnected, or whose end was not proved.  Others are left as they are, and not waited for.
    pub(super) fn reconnect(
        &mut self,
        now: Moment,
        ticket: Ticket,
        select: &[Selector],
        effects: &mut Vec<Effect>,
    ) {
        let picked = self.resolve(select);
        let work: Vec<_> = picked
            .touched(self)
            .into_iter()
            .flat_map(|job| {
                let indexes = picked.indexes(job).into_iter();
                indexes.map(|index| (job.id, index)).collect::<Vec<_>>()
            })
            .collect();
        let mut looks = BTreeSet::new();
        for (id, index) in work {
            looks.extend(self.review(now, id, index, Inquiry::Look, effects));
            let job = &self.jobs[&id];
            let child = &job.children[index];
            let ChildState::Disconnected { why, fate } = &child.state else {
                continue;
            };
            looks.insert(id.child(index));
            let pid = match fate {
                Fate::Probing { .. } | Fate::Ended => continue,
                Fate::Alive(_) | Fate::Unknown { .. } => {
                    child.trace.as_ref().map(|trace| trace.pid)
                }
            };
            let state = ChildState::Disconnected {
                why: why.clone(),
                fate: Fate::Probing { pid },
            };
            let until = now.mono + proof_limit(&job.spec.limits, Duration::ZERO);
            self.set_timer(id, index, Some(until));
            self.set_state(now, id, index, state);
            effects.push(Effect::Prove(id.child(index), Inquiry::Look));
        }
        self.wait(now, ticket, Pending::Looked { picked, looks }, effects);
    }
}
