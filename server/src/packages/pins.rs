//! Records which packages are in use, so that none of them is collected.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lambd_model::Sha256;

/// The packages that this process uses: those being staged, waiting for the commit of their record, or
/// mounted in an environment.
#[derive(Debug, Default)]
pub(super) struct Pins {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    counts: HashMap<Sha256, usize>,
    /// During a collection: every hash that was pinned at any time since it began.
    seen: Option<HashSet<Sha256>>,
}

/// Keeps one package from being removed as long as it lives.
pub struct Pin {
    state: Arc<Mutex<State>>,
    sha256: Sha256,
}

/// As long as it lives, a package that was pinned once is protected, even after the pin is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    state: Arc<Mutex<State>>,
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pins {
    pub(super) fn pin(&self, sha256: Sha256) -> Pin {
        Pin::new(&self.state, sha256)
    }

    pub(super) fn watch(&self) -> Watch {
        let mut state = lock(&self.state);
        state.seen = Some(state.counts.keys().copied().collect());
        Watch { state: Arc::clone(&self.state) }
    }

    /// Runs `act` if the package is not in use; nothing can pin it during that time.
    pub(super) fn unless_pinned<T>(&self, sha256: Sha256, act: impl FnOnce() -> T) -> Option<T> {
        let state = lock(&self.state);
        let seen = state.seen.as_ref().is_some_and(|seen| seen.contains(&sha256));
        (!seen && !state.counts.contains_key(&sha256)).then(act)
    }
}

impl Pin {
    fn new(state: &Arc<Mutex<State>>, sha256: Sha256) -> Self {
        let mut locked = lock(state);
        *locked.counts.entry(sha256).or_default() += 1;
        if let Some(seen) = &mut locked.seen {
            seen.insert(sha256);
        }
        drop(locked);
        Self { state: Arc::clone(state), sha256 }
    }
}

impl Clone for Pin {
    fn clone(&self) -> Self {
        Self::new(&self.state, self.sha256)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        if let Some(count) = state.counts.get_mut(&self.sha256) {
            *count -= 1;
            if *count == 0 {
                state.counts.remove(&self.sha256);
            }
        }
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pin").field(&self.sha256).finish()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.state).seen = None;
    }
}
