//! Compares random operations on two queues with a model of the contract.

use std::collections::{BTreeMap, HashSet};

use lambd_store::*;

use super::{F, Shared};

const QUEUES: [&str; 2] = ["q", "q/2"];
const IDS: u64 = 12;
/// How many of the last claims are tried again; most of them are lost.
const RECENT: usize = 8;
const STEPS: usize = 600;
const SEEDS: u64 = 4;

/// Pseudo-random numbers that are the same in each run (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap()
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    due_ms: u64,
    token: Option<u64>,
    claims: u32,
    entry: Vec<u8>,
    payload: Vec<u8>,
}

type Entries = BTreeMap<(String, String), Entry>;

#[derive(Default)]
struct Model {
    now_ms: u64,
    entries: Entries,
    /// Earlier claims, most of them lost.
    claims: Vec<Claim>,
    /// Counts of what happened; a run in which too little happens fails.
    acked: usize,
    lost: usize,
    doubled: usize,
}

pub(crate) async fn random_operations_agree_with_the_model(store: Shared) {
    for seed in 1..=SEEDS {
        let (mut random, mut model) = (Random(seed), Model::default());
        for step in 0..STEPS {
            model.now_ms += random.below(4);
            match random.below(3) {
                0 => model.claim(&*store, &mut random).await,
                _ => model.commit(&*store, &mut random).await,
            }
            model.compare(&*store, &format!("seed {seed} step {step}")).await;
        }
        assert!(model.acked > 20 && model.lost > 20 && model.doubled > 20, "seed {seed} tests too little");
        model.empty(&*store).await;
    }
}

impl Model {
    async fn claim(&mut self, store: &dyn Store, random: &mut Random) {
        let queue = QUEUES[random.index(QUEUES.len())];
        let (max, lease_ms) = (random.index(4), random.below(12));
        let now_ms = self.now_ms;
        let mut due: Vec<_> =
            self.entries.iter_mut().filter(|((q, _), e)| q == queue && e.due_ms <= now_ms).collect();
        due.sort_by_key(|((_, id), entry)| (entry.due_ms, id.clone()));
        let claims = store.claim(queue, now_ms, max, lease_ms).await.unwrap();
        assert_eq!(claims.len(), due.len().min(max));
        for (claim, ((_, id), entry)) in claims.iter().zip(due) {
            entry.claims += 1;
            let token = claim.token;
            assert_ne!(entry.token, Some(token), "tokens tell claims apart");
            let (queue, id) = (queue.to_owned(), id.clone());
            let (due_ms, claims, bytes) = (entry.due_ms, entry.claims, entry.entry.clone());
            assert_eq!(*claim, Claim { queue, id, entry: bytes, due_ms, claims, token });
            (entry.due_ms, entry.token) = (now_ms + lease_ms, Some(token));
        }
        self.claims.extend(claims);
    }

    /// Makes a change that the store may accept or refuse, and the entry after it.
    fn change(
        &self,
        batch: Batch,
        random: &mut Random,
    ) -> (Batch, (String, String), Result<Option<Entry>, bool>) {
        let due_ms = self.now_ms + random.below(10);
        let bytes = vec![u8::try_from(random.below(256)).unwrap(); 3];
        let pick = random.index(RECENT + RECENT / 2);
        let claim = self.claims.iter().rev().take(RECENT).nth(pick);
        let Some(claim) = claim else {
            let queue = QUEUES[random.index(QUEUES.len())].to_owned();
            let id = random.below(IDS).to_string();
            let entry =
                Entry { due_ms, token: None, claims: 0, entry: bytes.clone(), payload: bytes.repeat(2) };
            let batch = batch.enqueue(&*queue, &*id, due_ms, bytes, entry.payload.clone());
            let key = (queue, id);
            let outcome = if self.entries.contains_key(&key) { Err(true) } else { Ok(Some(entry)) };
            return (batch, key, outcome);
        };
        let key = (claim.queue.clone(), claim.id.clone());
        let held = self.entries.get(&key).filter(|entry| entry.token == Some(claim.token)).cloned();
        let (batch, changed) = match random.below(3) {
            0 => (batch.ack(claim), held.as_ref().map(|_| None)),
            1 => {
                let batch = batch.release(claim, due_ms, bytes.clone());
                (batch, held.map(|held| Some(Entry { due_ms, token: None, entry: bytes, ..held })))
            }
            _ => (batch.extend(claim, due_ms), held.map(|held| Some(Entry { due_ms, ..held }))),
        };
        (batch, key, changed.ok_or(false))
    }

    /// Commits one to three changes of different entries, with a row.
    async fn commit(&mut self, store: &dyn Store, random: &mut Random) {
        let mark = random.below(u64::MAX).to_string();
        let mut batch = Batch::new().put(F, "mark", &*mark);
        let (mut keys, mut after, mut refused) = (HashSet::new(), Vec::new(), None);
        for _ in 0..=random.below(3) {
            let (larger, key, outcome) = self.change(batch.clone(), random);
            if !keys.insert(key.clone()) {
                continue;
            }
            batch = larger;
            match outcome {
                Ok(entry) => after.push((key, entry)),
                Err(exists) => refused = refused.or(Some((key, exists))),
            }
        }
        let outcome = store.commit(batch, Durability::Buffered).await;
        let row = store.get(F, b"mark").await.unwrap();
        let is_written = row.is_some_and(|row| row.value == mark.as_bytes());
        assert_eq!(is_written, refused.is_none());
        match (outcome, refused) {
            (Ok(_), None) => after.into_iter().for_each(|(key, entry)| self.set(key, entry)),
            (Err(CommitError::Exists { queue, id }), Some((key, true))) => {
                assert_eq!((queue, id), key);
                self.doubled += 1;
            }
            (Err(CommitError::LeaseLost { queue, id }), Some((key, false))) => {
                assert_eq!((queue, id), key);
                self.lost += 1;
            }
            other => panic!("{other:?}"),
        }
    }

    fn set(&mut self, key: (String, String), entry: Option<Entry>) {
        match entry {
            Some(entry) => {
                self.entries.insert(key, entry);
            }
            None => {
                self.acked += 1;
                self.entries.remove(&key);
            }
        }
    }

    async fn compare(&self, store: &dyn Store, step: &str) {
        let mut names = Vec::new();
        for queue in QUEUES {
            let mut depth = Depth::default();
            let entries = self.entries.iter().filter(|((q, _), _)| q == queue);
            let mut next_due = None;
            for (_, entry) in entries {
                depth.add(self.now_ms, entry.due_ms, entry.token.is_some());
                next_due = Some(next_due.map_or(entry.due_ms, |next: u64| next.min(entry.due_ms)));
            }
            assert_eq!(store.depth(queue, self.now_ms).await.unwrap(), depth, "{step}");
            assert_eq!(store.next_due(queue).await.unwrap(), next_due, "{step}");
            names.extend(next_due.map(|_| queue.to_owned()));
            for id in (0..IDS).map(|id| id.to_string()) {
                let payload = store.payload(queue, &id).await.unwrap();
                let want = self.entries.get(&(queue.to_owned(), id)).map(|entry| entry.payload.clone());
                assert_eq!(payload, want, "{step}");
            }
        }
        assert_eq!(store.queues(None, 10).await.unwrap(), names, "{step}");
    }

    async fn empty(&mut self, store: &dyn Store) {
        self.now_ms = u64::MAX;
        for queue in QUEUES {
            let claims = store.claim(queue, self.now_ms, CLAIMS_MAX, 0).await.unwrap();
            assert_eq!(claims.len(), self.entries.keys().filter(|(q, _)| q == queue).count());
            store.commit(claims.iter().fold(Batch::new(), Batch::ack), Durability::Buffered).await.unwrap();
        }
        assert_eq!(store.queues(None, 10).await.unwrap(), [""; 0]);
    }
}
