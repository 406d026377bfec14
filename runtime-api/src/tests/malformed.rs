//! Requests mutated at random, from fixed seeds: nothing panics, no connection hangs, and the environment's
//! next invocation works.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::testing::{
    INIT_ERROR, NEXT, ServedEnvironment, chunked, error_path, event, request, response_path,
};
use crate::{Outcome, RuntimeState};

const SEEDS: u64 = 3_000;

/// xorshift64*: sufficient for choosing mutations, and the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % bound
    }
}

fn corpus() -> Vec<Vec<u8>> {
    let streaming =
        "Lambda-Runtime-Function-Response-Mode: streaming\r\nLambda-Runtime-Invocation-Id: attempt-a\r\n";
    let error =
        "Lambda-Runtime-Function-Error-Type: Runtime.X\r\nLambda-Runtime-Function-XRay-Error-Cause: {}\r\n";
    vec![
        request("GET", NEXT, "", b""),
        request("POST", &response_path("a"), streaming, b"{\"x\":1}"),
        chunked(
            &response_path("a"),
            streaming,
            &[b"ab", b"cdef"],
            "Lambda-Runtime-Function-Error-Type: X\r\n",
        ),
        request("POST", &error_path("a"), error, b"{\"errorMessage\":\"m\"}"),
        request(
            "POST",
            &error_path("a"),
            "Content-Type: application/vnd.aws.lambda.error.cause+json\r\n",
            b"{}",
        ),
        request("POST", INIT_ERROR, error, b"{}"),
        request("PUT", "/2022-07-01/telemetry", "", b"{}"),
        request("GET", "/2020-01-01/extension/event/next", "Lambda-Extension-Identifier: x\r\n", b""),
    ]
}

fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let splices: [&[u8]; 8] = [
        b"\r\n",
        b"\n",
        b"\0",
        b"\xff\xfe",
        b"Content-Length: 99999999999999999999\r\n",
        b"%2f",
        b" ",
        b"0\r\n\r\n",
    ];
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = u8::try_from(random.below(256)).unwrap(),
            1 => bytes.truncate(at.max(1)),
            2 => drop(bytes.splice(at..at, splices[random.below(splices.len())].iter().copied())),
            3 => drop(bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len() - 1).max(at))),
            _ => bytes.extend_from_slice(&corpus[random.below(corpus.len())]),
        }
    }
    bytes
}

/// Counts the panics of this thread, which runs the whole test with its server.
fn count_panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, thread, print) = (Arc::clone(&count), std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == thread {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        print(info);
    }));
    count
}

#[tokio::test]
async fn mutations_neither_panic_nor_wedge() {
    let panics = count_panics();
    let corpus = corpus();
    for seed in 1..=SEEDS {
        let environment = ServedEnvironment::start().await;
        let (mut client, mut invocation) = environment.running("a").await;

        let bytes = mutate(&mut Random(seed), &corpus);
        let mut hostile = environment.connect().await;
        // The server may refuse and close before everything is written.
        let stream = hostile.stream.get_mut();
        if stream.write_all(&bytes).await.is_ok() && stream.shutdown().await.is_ok() {
            let mut answers = Vec::new();
            tokio::select! {
                _ = stream.read_to_end(&mut answers) => {}
                // A poll with more requests after it waits: its end is noticed when there is an event.
                () = environment.until(|session| session.polls() > 0) => {}
            }
        }

        if environment.session.state() == RuntimeState::InvocationResponse {
            assert!(matches!(invocation.outcome().await, Outcome::InvalidResponseMode), "seed {seed}");
            continue;
        }
        if environment.session.state() == RuntimeState::Running {
            client.post(&response_path("a"), "1").await.is_accepted();
        }
        invocation.outcome().await;
        client.send(&request("GET", NEXT, "", b"")).await;
        invocation.done().await;
        drop(invocation);
        let _invocation = environment.session.deliver(event("b")).unwrap();
        client.answer().await.is(200, "{\"id\":\"b\"}");
    }
    assert_eq!(panics.load(Ordering::Relaxed), 0);
}
