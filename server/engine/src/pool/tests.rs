//! Which environment the pool returns, freezes and expires.

use super::*;

#[derive(Debug, PartialEq)]
struct Fake(&'static str, Uuid, u32);

impl Resident for Fake {
    fn generation(&self) -> Uuid {
        self.1
    }
    fn memory_mib(&self) -> u32 {
        self.2
    }
    fn is_provisioned(&self) -> bool {
        self.0.starts_with("provisioned")
    }
    fn freeze(&mut self) {}
}

const OLD: Uuid = Uuid::from_u128(1);
const NEW: Uuid = Uuid::from_u128(2);

fn at(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn leased(pool: &mut Pool<Fake>) -> Fake {
    let (Leased::Thawed(fake) | Leased::Frozen(fake)) = pool.take(NEW).unwrap();
    fake
}

fn names(fakes: &[Fake]) -> Vec<&str> {
    fakes.iter().map(|f| f.0).collect()
}

#[test]
fn the_most_recently_used_of_the_same_generation_is_leased() {
    let mut pool = Pool::default();
    pool.put(Fake("a", NEW, 1), at(1));
    pool.put(Fake("b", NEW, 1), at(2));
    pool.put(Fake("old", OLD, 1), at(3));
    assert_eq!(leased(&mut pool).0, "b");
    assert_eq!(leased(&mut pool).0, "a");
    assert!(pool.take(NEW).is_none());
    assert_eq!(names(&pool.retire(OLD)), ["old"]);
    assert_eq!(pool.idle_mib(), 0);
}

#[test]
fn only_what_is_idle_for_long_is_frozen_and_a_lease_says_so() {
    let mut pool = Pool::default();
    pool.put(Fake("a", NEW, 1), at(1));
    pool.put(Fake("b", NEW, 1), at(5));
    assert_eq!((pool.freeze_older(at(2), 9), pool.thawed), (Freezing::Later, 1));
    assert_eq!((pool.freeze_older(at(2), 9), pool.thawed), (Freezing::Later, 1));
    assert_eq!(pool.take(NEW), Some(Leased::Thawed(Fake("b", NEW, 1))));
    assert_eq!(pool.take(NEW), Some(Leased::Frozen(Fake("a", NEW, 1))));
    assert_eq!(pool.freeze_older(at(9), 9), Freezing::Done);
}

#[test]
fn freezing_is_limited_to_a_number_each_time() {
    let mut pool = Pool::default();
    for generation in 1..=3 {
        pool.put(Fake("x", Uuid::from_u128(generation), 1), at(1));
    }
    assert_eq!((pool.freeze_older(at(2), 2), pool.thawed), (Freezing::MoreNow, 1));
    assert_eq!((pool.freeze_older(at(2), 2), pool.thawed), (Freezing::Done, 0));
}

#[test]
fn every_environment_of_a_burst_is_frozen_oldest_first() {
    let mut pool = Pool::default();
    for i in 0..20 {
        pool.put(Fake("x", NEW, i), at(u64::from(i)));
    }
    assert_eq!((pool.freeze_older(at(30), 8), pool.thawed), (Freezing::MoreNow, 12));
    // The youngest is still thawed, the oldest are not.
    assert_eq!(pool.take(NEW), Some(Leased::Thawed(Fake("x", NEW, 19))));
    assert_eq!((pool.freeze_older(at(30), 8), pool.thawed), (Freezing::MoreNow, 3));
    assert_eq!(pool.freeze_older(at(30), 8), Freezing::Done);
    assert!((0..19).all(|_| matches!(pool.take(NEW).unwrap(), Leased::Frozen(_))));
}

#[test]
fn a_lease_starts_the_idle_time_anew() {
    let mut pool = Pool::default();
    pool.put(Fake("a", NEW, 1), at(1));
    pool.put(Fake("b", NEW, 1), at(2));
    let b = leased(&mut pool);
    pool.put(b, at(9));
    assert_eq!((pool.freeze_older(at(5), 8), pool.thawed), (Freezing::Later, 1));
    assert_eq!(pool.freeze_older(at(9), 8), Freezing::Done);
    // Leases without a freezing after them leave no entries.
    for s in 10..1000 {
        let b = leased(&mut pool);
        pool.put(b, at(s));
    }
    assert_eq!(pool.freeze_older(at(1000), 8), Freezing::Done);
    assert!(pool.returned.is_empty());
}

#[test]
fn eviction_takes_the_longest_idle_of_any_function() {
    let mut pool = Pool::default();
    pool.put(Fake("f1", NEW, 100), at(2));
    pool.put(Fake("g1", OLD, 100), at(1));
    pool.put(Fake("f2", NEW, 100), at(3));
    assert_eq!(names(&pool.evict(150)), ["g1", "f1"]);
    assert_eq!(pool.idle_mib(), 100);
    assert_eq!(names(&pool.evict(1000)), ["f2"]);
    assert!(pool.evict(1).is_empty());
}

#[test]
fn what_is_old_expires_and_clearing_removes_the_rest() {
    let mut pool = Pool::default();
    for (i, name) in ["a", "b", "c"].into_iter().enumerate() {
        pool.put(Fake(name, NEW, 10), at(i as u64));
    }
    assert_eq!(names(&pool.expire_older(at(1))), ["a", "b"]);
    assert_eq!(names(&pool.clear()), ["c"]);
    assert_eq!((pool.idle_mib(), pool.freeze_older(at(9), 9)), (0, Freezing::Done));
}

#[test]
fn a_provisioned_one_is_leased_by_itself_and_neither_expires_nor_makes_room() {
    let mut pool = Pool::default();
    pool.put(Fake("provisioned 1", NEW, 8), at(1));
    pool.put(Fake("plain", NEW, 1), at(2));
    pool.put(Fake("provisioned 2", NEW, 8), at(3));
    assert_eq!((pool.idle_mib(), pool.idle_provisioned(NEW), pool.idle_provisioned(OLD)), (1, 2, 0));
    assert_eq!(names(&pool.expire_older(at(9))), ["plain"]);
    assert_eq!(names(&pool.evict(8)), [""; 0]);
    assert_eq!(pool.freeze_older(at(9), 9), Freezing::Done);
    assert!(pool.take(NEW).is_none());
    assert_eq!(pool.take_provisioned(NEW), Some(Leased::Frozen(Fake("provisioned 2", NEW, 8))));
    assert_eq!(names(&pool.remove_ended_provisioned(|fake| fake.0 == "provisioned 1")), ["provisioned 1"]);
    pool.put(Fake("provisioned 3", NEW, 8), at(9));
    pool.put(Fake("plain", NEW, 1), at(9));
    let mut retired = pool.retire(NEW);
    retired.sort_unstable_by_key(|fake| fake.0);
    assert_eq!(names(&retired), ["plain", "provisioned 3"]);
    assert_eq!((pool.idle_mib(), pool.idle_provisioned(NEW)), (0, 0));
}
