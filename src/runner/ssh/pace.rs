//! How many log-ins are under way at once where they would get into each other's way: through one hop, at one address, by
//! one `ProxyCommand`, with one agent.
//!
//! `sshd` drops connections at random while more than ten are not logged in (`MaxStartups 10:30:100`).  So eight may be
//! under way; each that is dropped takes a place away, down to one, and as many good ones in a row as there are places
//! give one back.  Whoever takes long, be it that nobody answers or that an operator is asked, gives his place to the
//! next.  An agent is no server, but it has as little patience: it does one thing at a time, its queue has an end, and some
//! hang up on whoever is too many.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::route::Key;

/// Log-ins under way at one place, two fewer than a server with OpenSSH's defaults takes for certain.
const PLACES: usize = 8;

/// How long a place is kept; a handshake and a log-in take a tenth of this.
const HOLD: Duration = Duration::from_secs(3);

/// Gates that may be forgotten are looked for when there are twice as many as were in use, and so many at least.
const FEW: usize = 64;

/// Where log-ins get into each other's way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Site {
    /// Behind this hop.
    Behind(Arc<Key>),
    At(SocketAddr),
    /// Wherever this command leads.
    Command(Arc<str>),
    /// With the agent at this socket.
    Agent(Arc<Path>),
}

/// All gates that somebody uses.
#[derive(Debug, Default)]
pub(super) struct Paces {
    gates: Mutex<Gates>,
}

#[derive(Debug, Default)]
struct Gates {
    gates: HashMap<Site, Weak<Gate>>,
    in_use: usize,
}

/// The way in to one place.
#[derive(Debug)]
pub(super) struct Gate {
    places: Arc<Semaphore>,
    course: Mutex<Course>,
}

#[derive(Debug)]
struct Course {
    /// How many places there are.
    places: usize,
    /// Good log-ins since the last change.
    good: usize,
}

/// How a log-in went, as far as the server's patience is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went {
    Well,
    /// The server dropped it, or said that it has too many.
    Dropped,
    /// It failed for reasons of its own.
    Otherwise,
}

impl Paces {
    pub(super) fn gate(&self, site: &Site) -> Arc<Gate> {
        let mut all = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = all.gates.get(site).and_then(Weak::upgrade) {
            return gate;
        }
        if all.gates.len() >= (2 * all.in_use).max(FEW) {
            all.gates.retain(|_, gate| gate.strong_count() > 0);
            all.in_use = all.gates.len();
        }
        let gate = Arc::new(Gate::new());
        all.gates.insert(site.clone(), Arc::downgrade(&gate));
        gate
    }
}

impl Gate {
    fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(PLACES)),
            course: Mutex::new(Course {
                places: PLACES,
                good: 0,
            }),
        }
    }

    /// A place, as soon as there is one.
    pub(super) async fn enter(&self) -> OwnedSemaphorePermit {
        let place = Arc::clone(&self.places).acquire_owned();
        place.await.expect("nobody closes it")
    }

    /// A place, if there is one now.
    pub(super) fn try_enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Does `work` in a place, and gives that back when it takes long.
    pub(super) async fn within<T>(
        &self,
        place: OwnedSemaphorePermit,
        work: impl Future<Output = T>,
        went: impl Fn(&T) -> Went,
    ) -> T {
        tokio::pin!(work);
        let (done, place) = if let Ok(done) = tokio::time::timeout(HOLD, &mut work).await {
            (done, Some(place))
        } else {
            drop(place);
            (work.await, None)
        };
        match (went(&done), place) {
            (Went::Well, _) => self.went_well(),
            (Went::Dropped, Some(place)) => self.narrow(place),
            (Went::Dropped, None) | (Went::Otherwise, _) => {}
        }
        done
    }

    fn went_well(&self) {
        let mut course = self.course();
        course.good += 1;
        if course.good >= course.places && course.places < PLACES {
            course.places += 1;
            course.good = 0;
            self.places.add_permits(1);
        }
    }

    fn narrow(&self, place: OwnedSemaphorePermit) {
        let mut course = self.course();
        course.good = 0;
        if course.places > 1 {
            course.places -= 1;
            place.forget();
        }
    }

    fn course(&self) -> MutexGuard<'_, Course> {
        self.course.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait_for<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.expect("a runtime").block_on(work)
    }

    #[test]
    fn a_gate_narrows_when_log_ins_are_dropped_and_widens_when_they_are_not() {
        wait_for(async {
            let gate = Gate::new();
            let go = async |went| {
                let place = gate.enter().await;
                gate.within(place, async {}, move |()| went).await;
            };
            let free = || gate.places.available_permits();
            assert_eq!(free(), PLACES);
            go(Went::Dropped).await;
            assert_eq!(free(), PLACES - 1);
            for _ in 0..2 * PLACES {
                go(Went::Dropped).await;
            }
            assert_eq!(free(), 1, "one is always left");
            go(Went::Otherwise).await;
            go(Went::Well).await;
            assert_eq!(free(), 2);
            for _ in 0..PLACES * PLACES {
                go(Went::Well).await;
            }
            assert_eq!(free(), PLACES, "and never more than at first");
        });
    }

    #[test]
    fn each_site_has_one_gate_as_long_as_somebody_uses_it() {
        let paces = Paces::default();
        let site = |port| Site::At(([127, 0, 0, 1], port).into());
        let gate = paces.gate(&site(22));
        assert!(Arc::ptr_eq(&gate, &paces.gate(&site(22))));
        assert!(!Arc::ptr_eq(&gate, &paces.gate(&site(23))));
        for port in 1000..2000 {
            paces.gate(&site(port));
        }
        let kept = paces.gates.lock().expect("no panic").gates.len();
        assert!(kept <= FEW, "{kept}");
        assert!(Arc::ptr_eq(&gate, &paces.gate(&site(22))));
    }
}
