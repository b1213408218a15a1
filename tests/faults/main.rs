//! Rounds of random faults: Jobs run while processes of ours are killed and stopped, files are removed, the power is cut and bits
//! flip; then what was promised is compared with what there is (docs/reliability.md).
//!
//! The suite runs a few rounds. Many, or one again: `JOBCTL_FAULT_ROUNDS=1000 JOBCTL_FAULT_SEED=1 cargo test --test faults`.

#![allow(clippy::disallowed_methods, reason = "the rooms are those of src/")]

#[path = "../cli/api_client.rs"]
#[allow(dead_code, unused_imports, reason = "the command line's tests use all of it")]
mod api_client;
#[path = "../cli/common.rs"]
#[allow(dead_code, unused_imports, reason = "the command line's tests use all of it")]
mod common;
mod furnished;
mod round;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use round::{Round, Tally};

/// How many rounds the suite runs.
const FEW: u64 = 12;
/// Rounds side by side.
const THREADS: u64 = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn what_is_promised_holds_whatever_fails() {
    let rounds = number("JOBCTL_FAULT_ROUNDS").unwrap_or(FEW);
    let seed = number("JOBCTL_FAULT_SEED").unwrap_or(1);
    let next = AtomicU64::new(0);
    let started = Instant::now();
    let tally = std::thread::scope(|scope| {
        let worker = || {
            let mut tally = Tally::default();
            while let round = next.fetch_add(1, Ordering::Relaxed)
                && round < rounds
            {
                tally.add(&Round::new(seed + round).run());
            }
            tally
        };
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        let mut tally = Tally::default();
        for worker in workers {
            tally.add(&worker.join().expect("a round that failed says its seed"));
        }
        tally
    });
    println!("{rounds} rounds from seed {seed} in {} s: {tally:?}", started.elapsed().as_secs());
    assert!(tally.runs > 0 && tally.faults > 0, "something happened: {tally:?}");
}
