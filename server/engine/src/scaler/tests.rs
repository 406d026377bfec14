//! Who is admitted, who may start, and what is counted.

use super::*;

const LIMITS: ScalerLimits =
    ScalerLimits { account_concurrency: 10, burst: 5, refill_per_s: 2, host_memory_mib: 1000 };

fn key(name: &str) -> Arc<FunctionId> {
    in_account("000000000000", name)
}

fn in_account(account: &str, name: &str) -> Arc<FunctionId> {
    Arc::new(FunctionId { account: account.into(), region: "us-east-1".into(), name: name.to_owned() })
}

fn at(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn functions_share_the_concurrency_of_their_account() {
    let mut s = Scaler::new(LIMITS);
    for _ in 0..5 {
        s.admit(&key("a"), at(0)).unwrap();
        s.admit(&key("b"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("c"), at(0)), Err(Throttle::Account));
    s.done(&key("a"), at(0));
    assert_eq!(s.admit(&key("c"), at(0)), Ok(()));
    assert_eq!(s.in_flight(), 10);
}

#[test]
fn reserved_concurrency_is_a_guarantee_and_a_limit() {
    let mut s = Scaler::new(LIMITS);
    s.reserve(&key("r"), Some(3), at(0));
    for _ in 0..7 {
        s.admit(&key("other"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("other"), at(0)), Err(Throttle::Account), "3 of 10 are kept for r");
    for _ in 0..3 {
        s.admit(&key("r"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("r"), at(0)), Err(Throttle::Reserved));
    s.reserve(&key("r"), Some(0), at(0));
    for _ in 0..3 {
        s.done(&key("r"), at(0));
    }
    assert_eq!(s.admit(&key("r"), at(0)), Err(Throttle::Reserved), "0 stops the function");
    s.reserve(&key("r"), None, at(0));
    assert_eq!(s.admit(&key("r"), at(0)), Ok(()));
}

#[test]
fn accounts_do_not_use_the_concurrency_of_each_other() {
    let mut s = Scaler::new(LIMITS);
    let (one, other) = (in_account("111111111111", "f"), in_account("222222222222", "f"));
    s.reserve(&in_account("111111111111", "r"), Some(4), at(0));
    for _ in 0..6 {
        s.admit(&one, at(0)).unwrap();
    }
    assert_eq!(s.admit(&one, at(0)), Err(Throttle::Account));
    for _ in 0..10 {
        s.admit(&other, at(0)).unwrap();
    }
    assert_eq!(s.admit(&other, at(0)), Err(Throttle::Account));
    s.done(&one, at(0));
    assert_eq!(s.admit(&other, at(0)), Err(Throttle::Account));
    assert_eq!(s.admit(&one, at(0)), Ok(()));
    (0..6).for_each(|_| s.done(&one, at(0)));
    (0..10).for_each(|_| s.done(&other, at(0)));
    s.reserve(&in_account("111111111111", "r"), None, at(0));
    s.sweep(at(0));
    assert!(s.accounts.is_empty());
}

#[test]
fn a_changed_reservation_counts_what_is_in_flight() {
    let mut s = Scaler::new(LIMITS);
    for _ in 0..4 {
        s.admit(&key("f"), at(0)).unwrap();
    }
    s.reserve(&key("f"), Some(4), at(0));
    for _ in 0..6 {
        s.admit(&key("g"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("g"), at(0)), Err(Throttle::Account));
    for _ in 0..4 {
        s.done(&key("f"), at(0));
    }
    s.reserve(&key("f"), None, at(0));
    for _ in 0..4 {
        s.admit(&key("g"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("g"), at(0)), Err(Throttle::Account));
}

#[test]
fn a_bucket_fills_up_to_its_capacity() {
    let mut s = Scaler::new(LIMITS);
    let start = |s: &mut Scaler, ms| s.start(&key("f"), 1, 0, at(ms));
    for _ in 0..5 {
        assert_eq!(start(&mut s, 0), StartDecision::Granted);
    }
    assert_eq!(start(&mut s, 499), StartDecision::Refused(Throttle::Rate));
    assert_eq!(start(&mut s, 500), StartDecision::Granted, "2 per second");
    assert_eq!(start(&mut s, 500), StartDecision::Refused(Throttle::Rate));
    for _ in 0..5 {
        assert_eq!(start(&mut s, 3_600_000), StartDecision::Granted);
    }
    assert_eq!(
        start(&mut s, 3_600_000),
        StartDecision::Refused(Throttle::Rate),
        "an hour gives no more than the capacity"
    );
    assert_eq!(
        s.start(&key("g"), 1, 0, at(3_600_000)),
        StartDecision::Granted,
        "each function has its own bucket"
    );
}

#[test]
fn all_environments_share_the_memory_of_the_host() {
    let mut s = Scaler::new(LIMITS);
    assert_eq!(s.start(&key("f"), 600, 0, at(0)), StartDecision::Granted);
    assert_eq!(s.start(&key("f"), 600, 0, at(0)), StartDecision::Refused(Throttle::Memory));
    assert_eq!(s.start(&key("f"), 600, 600, at(0)), StartDecision::Evict { missing_mib: 200 });
    s.ended(&key("f"), 600, at(0));
    assert_eq!(s.start(&key("f"), 1000, 0, at(0)), StartDecision::Granted);
}

#[test]
fn a_failed_start_costs_no_token() {
    let mut s = Scaler::new(LIMITS);
    for _ in 0..100 {
        assert_eq!(s.start(&key("f"), 1, 0, at(0)), StartDecision::Granted);
        s.refund(&key("f"), at(0));
        s.ended(&key("f"), 1, at(0));
    }
    assert!(s.functions.is_empty(), "and its bucket is as full as it was");
    s.refund(&key("f"), at(0));
    for _ in 0..5 {
        assert_eq!(s.start(&key("f"), 1, 0, at(0)), StartDecision::Granted);
    }
    assert_eq!(
        s.start(&key("f"), 1, 0, at(0)),
        StartDecision::Refused(Throttle::Rate),
        "never over the capacity"
    );
}

#[test]
fn a_refused_function_leaves_no_trace() {
    let mut s = Scaler::new(ScalerLimits { account_concurrency: 0, ..LIMITS });
    for n in 0..100 {
        assert_eq!(s.admit(&key(&format!("f{n}")), at(n)), Err(Throttle::Account));
    }
    assert!(s.functions.is_empty());
}

#[test]
fn a_function_that_starts_too_fast_evicts_no_environment() {
    let mut s = Scaler::new(LIMITS);
    for _ in 0..5 {
        assert_eq!(s.start(&key("f"), 200, 0, at(0)), StartDecision::Granted);
    }
    assert_eq!(s.start(&key("f"), 200, 1000, at(0)), StartDecision::Refused(Throttle::Rate));
    assert_eq!(s.start(&key("g"), 200, 1000, at(0)), StartDecision::Evict { missing_mib: 200 });
}

#[test]
fn a_sweep_removes_functions_whose_bucket_is_full_again() {
    let mut s = Scaler::new(LIMITS);
    s.start(&key("f"), 1, 0, at(0));
    s.ended(&key("f"), 1, at(0));
    assert_eq!(s.functions.len(), 1, "its bucket is not full yet");
    s.sweep(at(1));
    assert_eq!(s.functions.len(), 1);
    s.sweep(at(1000));
    assert!(s.functions.is_empty());
}

#[test]
fn a_quiet_function_leaves_no_trace() {
    let mut s = Scaler::new(LIMITS);
    s.admit(&key("f"), at(0)).unwrap();
    s.start(&key("f"), 1, 0, at(0));
    s.ended(&key("f"), 1, at(1));
    s.done(&key("f"), at(10_000));
    assert!(s.functions.is_empty());
    s.reserve(&key("r"), Some(1), at(0));
    s.reserve(&key("r"), None, at(0));
    assert!(s.functions.is_empty());
}

/// The rules without the bucket: each function's invocations in flight and its reservation.
#[derive(Default)]
struct Model(std::collections::BTreeMap<Arc<FunctionId>, (u32, Option<u32>)>);

impl Model {
    fn admits(&self, function: &Arc<FunctionId>) -> Result<(), Throttle> {
        let of_account = || self.0.iter().filter(|(id, _)| id.account == function.account).map(|(_, f)| *f);
        match self.0.get(function).copied().unwrap_or_default() {
            (in_flight, Some(reserved)) if in_flight >= reserved => Err(Throttle::Reserved),
            (_, Some(_)) => Ok(()),
            (_, None) => {
                let reserved: u32 = of_account().filter_map(|(_, reserved)| reserved).sum();
                let in_flight: u32 = of_account().filter(|(_, r)| r.is_none()).map(|(n, _)| n).sum();
                let limit = LIMITS.account_concurrency.saturating_sub(reserved);
                if in_flight < limit { Ok(()) } else { Err(Throttle::Account) }
            }
        }
    }

    fn of(&mut self, function: &Arc<FunctionId>) -> &mut (u32, Option<u32>) {
        self.0.entry(Arc::clone(function)).or_default()
    }
}

/// In any order of events, admission follows the rules and memory is what was granted.
#[test]
fn random_events_follow_the_rules() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((seed >> 33) % below).unwrap()
    };
    let (mut s, mut model) = (Scaler::new(LIMITS), Model::default());
    let functions = ["a", "b", "c"].map(key).into_iter().chain([in_account("111111111111", "a")]);
    let functions: Vec<_> = functions.collect();
    let (mut flying, mut alive) = (Vec::new(), Vec::new());
    for step in 0..200_000 {
        let (now, function) = (at(step), Arc::clone(&functions[next(4)]));
        match next(5) {
            0 => {
                let admitted = s.admit(&function, now);
                assert_eq!(admitted, model.admits(&function), "step {step}");
                if admitted.is_ok() {
                    model.of(&function).0 += 1;
                    flying.push(function);
                }
            }
            1 if !flying.is_empty() => {
                let over = flying.swap_remove(next(flying.len() as u64));
                model.of(&over).0 -= 1;
                s.done(&over, now);
            }
            2 if s.start(&function, 90, 0, now) == StartDecision::Granted => alive.push(function),
            3 if !alive.is_empty() => s.ended(&alive.swap_remove(0), 90, now),
            4 => {
                let reserved = [None, Some(0), Some(2)][next(3)];
                model.of(&function).1 = reserved;
                s.reserve(&function, reserved, now);
            }
            _ => {}
        }
        assert_eq!(usize::try_from(s.in_flight()).unwrap(), flying.len());
        assert!(s.memory_mib <= LIMITS.host_memory_mib && s.memory_mib == 90 * alive.len() as u64);
    }
}

#[test]
fn provisioned_executions_are_kept_of_the_account_or_of_the_reservation() {
    let mut s = Scaler::new(LIMITS);
    s.provision(&key("p"), 4, at(0));
    for _ in 0..6 {
        s.admit(&key("other"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("other"), at(0)), Err(Throttle::Account), "4 of 10 are kept for p");
    assert_eq!(s.admit(&key("p"), at(0)), Err(Throttle::Account), "and for its provisioned environments");
    s.admit_provisioned(&key("p"), at(0));
    assert_eq!(s.in_flight(), 7);
    s.done_provisioned(&key("p"), at(0));
    for _ in 0..6 {
        s.done(&key("other"), at(0));
    }
    s.reserve(&key("p"), Some(5), at(0));
    for _ in 0..4 {
        s.allocate(&key("p"), at(0));
    }
    s.admit(&key("p"), at(0)).unwrap();
    assert_eq!(s.admit(&key("p"), at(0)), Err(Throttle::Reserved), "4 of 5 are used by what is ready");
    s.release(&key("p"), at(0));
    s.admit(&key("p"), at(0)).unwrap();
    s.done(&key("p"), at(0));
    for _ in 0..5 {
        s.admit(&key("other"), at(0)).unwrap();
    }
    assert_eq!(s.admit(&key("other"), at(0)), Err(Throttle::Account));
    s.reserve(&key("p"), None, at(0));
    s.provision(&key("p"), 0, at(0));
    assert_eq!((0..9).filter(|_| s.admit(&key("other"), at(0)).is_ok()).count(), 4);
}
