//! Everything at once, in an order that a seed decides, apart from the threads of the blocking pool.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lambd_sandbox::Exit;
use tokio::task::JoinHandle;

use super::act::{Act, End, Init};
use super::outcome::{Outcome, error};
use super::setup::Setup;
use super::world::{World, pass, run};
use crate::dispatch::InvokeError;

const FUNCTIONS: [&str; 4] = ["f", "g", "h", "i"];
const STEPS: usize = 1000;
const CONCURRENCY: u32 = 16;
/// Environments for which memory and descriptors are enough; different, so that both limits are reached.
const BY_MEMORY: usize = 12;
const BY_DESCRIPTORS: usize = 11;

/// Every kind of result that a storm must contain, or it proves nothing.
const KINDS: &[&str] = &[
    "answer",
    "Mine",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "Init.Broken",
    "Runtime.InvalidEntrypoint",
    "Account",
    "Reserved",
    "Rate",
    "Memory",
    "Descriptors",
    "Start",
];

/// The generator Splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }

    fn ms(&mut self, bound: usize) -> u64 {
        self.below(bound) as u64
    }

    fn act(&mut self) -> Act {
        let act = match self.below(20) {
            0 => Act::new(End::Error),
            1 => Act::new(End::Exit),
            2 => Act::new(End::AnswerAndExit),
            3 => Act::new(End::Hang),
            6 => Act::new(End::AnswerAndVanish),
            4 | 5 => Act::new(End::Answer).polling_after(self.ms(4000)),
            _ => Act::new(End::Answer),
        };
        let act = if self.below(3) == 0 { act.printing("printed") } else { act };
        act.after([0, 5, 100, 3500][self.below(4)].min(self.ms(3500)))
    }

    fn init(&mut self) -> Init {
        match self.below(10) {
            0 => Init::Error,
            1 => Init::Exit(1),
            2 => Init::Hang,
            3 => Init::NoProgram,
            4 => Init::Refused,
            5 => Init::PollAndExit(1),
            _ => Init::Ready(Duration::from_millis(self.ms(12_000))),
        }
    }
}

async fn step(world: &Arc<World>, random: &mut Random, callers: &mut Vec<JoinHandle<Outcome>>) {
    let name = FUNCTIONS[random.below(FUNCTIONS.len())];
    let is_there = world.version(name).is_some();
    match random.below(100) {
        0..60 if is_there => callers.push(world.spawn_with(name, random.act(), random.below(4) == 0)),
        60..65 if is_there => world.update(name).await,
        65..68 if is_there => world.delete(name).await,
        0..68 => world.create(name).await,
        68..72 if !callers.is_empty() => callers.swap_remove(random.below(callers.len())).abort(),
        72..76 => {
            let alive = world.fake.alive();
            if !alive.is_empty() {
                world.fake.body(alive[random.below(alive.len())]).end(Exit::Signal(9));
            }
        }
        76..80 => {
            let first = random.init();
            let second = if random.below(2) == 0 { first } else { random.init() };
            world.fake.next_inits([first, second]);
        }
        80..82 if is_there => {
            let reserved = [None, Some(0), Some(2), Some(4)][random.below(4)];
            world.reserve(name, reserved).await;
        }
        82..84 => pass(20_000 + random.ms(60_000)).await,
        84..90 => {
            for _ in 0..random.below(20) {
                tokio::task::yield_now().await;
            }
        }
        _ => pass(random.ms(300)).await,
    }
}

/// The kind of a result; a kind that is not expected fails the test.
fn kind(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) if answer.is_error => error(outcome),
        Ok(_) => "answer".to_owned(),
        Err(InvokeError::Refused(refusal)) => format!("{refusal:?}"),
        Err(InvokeError::Start(_)) => "Start".to_owned(),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_lost_in_any_order_of_events() {
    let mut kinds = BTreeMap::<String, usize>::new();
    for seed in 0..8 {
        println!("seed {seed}");
        let setup = Setup {
            concurrency: CONCURRENCY,
            burst: 8,
            refill_per_s: 1,
            host_memory_mib: 128 * BY_MEMORY as u64,
            environments: BY_DESCRIPTORS,
            keep_alive: Duration::from_secs(60),
            logs: None,
        };
        run(setup, async |world| {
            let (mut random, mut callers) = (Random(seed), Vec::new());
            for _ in 0..STEPS {
                step(world, &mut random, &mut callers).await;
                assert!(world.fake.alive().len() <= BY_DESCRIPTORS.min(BY_MEMORY));
            }
            for caller in callers {
                *kinds.entry(kind(&caller.await.expect("no caller panics"))).or_default() += 1;
            }
            // Nothing has waited for the invocations of callers that disconnected.
            pass(20_000).await;
            assert_eq!(world.in_flight(), 0);
            for name in FUNCTIONS.into_iter().filter(|name| world.version(name).is_some()) {
                world.delete(name).await;
            }
            assert_eq!(world.fake.alive(), [0; 0], "with its functions every environment ends");
        });
    }
    println!("{kinds:?}");
    for kind in KINDS {
        assert!(kinds.contains_key(*kind), "no {kind}: {kinds:?}");
    }
}
