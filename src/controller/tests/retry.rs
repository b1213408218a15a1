//! Failures: the delay before the next pod and the limit (kubernetes-behaviour 2.3, 2.4).

use super::fixture::{Scene, job, on_failure};
use crate::api::Job;
use crate::api::meta::ANNOTATION_BACKOFF_BASE;

fn retried(limit: i32) -> Job {
    job(|spec| {
        spec.completions = Some(9);
        spec.parallelism = Some(1);
        spec.backoff_limit = Some(limit);
    })
}

fn local(limit: i32, parallelism: i32) -> Job {
    job(|spec| {
        on_failure(spec);
        spec.completions = Some(9);
        spec.parallelism = Some(parallelism);
        spec.backoff_limit = Some(limit);
    })
}

const EXCEEDED: &str = "BackoffLimitExceeded: Job has reached the specified backoff limit";

/// The delays, in seconds, before each of the next pods when every one fails.
fn delays(mut scene: Scene, count: usize) -> (Vec<i64>, Scene) {
    let mut found = Vec::new();
    for _ in 0..count {
        scene = scene.pods_start().fail(1);
        assert!(scene.active().is_empty(), "a pod was made during the back-off");
        let wait = scene.wake().expect("a wake");
        found.push(wait / 1000);
        scene = scene.after(wait - 1);
        assert!(scene.active().is_empty(), "a pod was made before its time");
        scene = scene.after(1);
        assert_eq!(scene.active().len(), 1, "no pod when its time had come");
    }
    (found, scene)
}

#[test]
fn the_delay_doubles_from_ten_seconds_to_ten_minutes_and_a_success_resets_it() {
    let (found, scene) = delays(Scene::of(retried(99)), 8);
    assert_eq!(found, [10, 20, 40, 80, 160, 320, 600, 600]);
    let scene = scene.pods_start().succeed(1);
    assert_eq!(scene.active().len(), 1, "after a success the next pod comes at once");
    assert_eq!(delays(scene, 2).0, [10, 20]);
}

#[test]
fn the_delay_survives_the_process() {
    let scene = Scene::of(retried(99)).pods_start().fail(1).after(10_000).pods_start().fail(1);
    assert_eq!(scene.clone().restarted().wake(), Some(20_000));
    assert_eq!(scene.after(5_000).restarted().wake(), Some(15_000));
}

#[test]
fn pods_that_fail_together_each_count() {
    let mut three = retried(99);
    three.spec.get_or_insert_default().parallelism = Some(3);
    assert_eq!(Scene::of(three).pods_start().fail(3).wake(), Some(40_000));
}

#[test]
fn only_failures_after_the_last_success_count() {
    // Two end at one moment in the same sync: first one fails, then, a second later, the other succeeds.
    let mut two = retried(99);
    two.spec.get_or_insert_default().parallelism = Some(2);
    let scene = Scene::of(two).pods_start().fail(1);
    assert_eq!(scene.active().len(), 1, "running pods go on");
    let scene = scene.after(1_000).succeed(1);
    assert_eq!(scene.active().len(), 2, "the success ends the back-off for all");
}

#[test]
fn the_delay_holds_back_new_pods_but_not_the_running_ones() {
    let mut three = retried(99);
    three.spec.get_or_insert_default().parallelism = Some(3);
    let scene = Scene::of(three).pods_start().fail(1);
    assert_eq!(scene.counts(), "active 2, ready 2, terminating 0, failed 1");
}

#[test]
fn the_first_delay_can_be_chosen() {
    let mut quick = retried(99);
    quick.metadata.annotations.get_or_insert_default().insert(ANNOTATION_BACKOFF_BASE.into(), "250ms".into());
    let scene = Scene::of(quick.clone()).pods_start().fail(1);
    assert_eq!(scene.wake(), Some(250));
    quick.metadata.annotations.get_or_insert_default().insert(ANNOTATION_BACKOFF_BASE.into(), "0s".into());
    assert_eq!(Scene::of(quick).pods_start().fail(1).active().len(), 1);
}

#[test]
fn when_the_backoff_limit_is_exceeded() {
    let fail_at_once = |scene: Scene| scene.pods_start().fail(1).after(600_000);
    for (rule, scene, ends) in [
        ("limit 0: the first failure ends the Job", Scene::of(retried(0)).pods_start().fail(1), true),
        ("limit 1 allows one retry", Scene::of(retried(1)).pods_start().fail(1), false),
        ("and two failed pods end it", fail_at_once(Scene::of(retried(1))).pods_start().fail(1), true),
        (
            "successes do not lower the count",
            fail_at_once(Scene::of(retried(1))).pods_start().succeed(1).pods_start().fail(1),
            true,
        ),
        (
            "the limit is for all pods of the Job",
            Scene::of({
                let mut two = retried(1);
                two.spec.get_or_insert_default().parallelism = Some(2);
                two
            })
            .pods_start()
            .fail(2),
            true,
        ),
        (
            "a pod deleted by somebody counts",
            Scene::of(retried(0)).somebody_deletes_a_pod().pods_stop(),
            true,
        ),
        (
            "a raised limit holds for the Job as it stands",
            Scene::of(retried(1))
                .changed(|spec| spec.backoff_limit = Some(2))
                .pods_start()
                .fail(1)
                .after(60_000)
                .pods_start()
                .fail(1),
            false,
        ),
        ("OnFailure: fewer restarts than the limit", Scene::of(local(3, 1)).pods_start().restarts(2), false),
        (
            "OnFailure: as many restarts as the limit",
            Scene::of(local(3, 1)).pods_start().restarts(3).pods_stop(),
            true,
        ),
        ("OnFailure, limit 0: no restart yet", Scene::of(local(0, 1)).pods_start(), false),
        (
            "OnFailure, limit 0: the first restart",
            Scene::of(local(0, 1)).pods_start().restarts(1).pods_stop(),
            true,
        ),
        ("OnFailure: failed pods count as under Never", Scene::of(local(0, 1)).pods_start().fail(1), true),
        ("Never: restarts do not count", Scene::of(retried(0)).pods_start().restarts(5), false),
    ] {
        let expected = if ends {
            format!("FailureTarget=True {EXCEEDED}; Failed=True {EXCEEDED}")
        } else {
            String::new()
        };
        assert_eq!(scene.conditions(), expected, "{rule}");
        assert_eq!(scene.told(), scene.truth(), "{rule}");
    }
}

#[test]
fn restarts_of_all_running_pods_are_summed() {
    let scene = Scene::of(local(4, 2)).pods_start().restarts(3);
    assert_eq!(scene.conditions(), "");
    // The first pod ends well: its restarts no longer count, those of the second do.
    let scene = scene.succeed(1).pods_start().restarts(3);
    assert_eq!(scene.conditions(), "");
    assert_eq!(scene.restarts(4).conditions(), format!("FailureTarget=True {EXCEEDED}"));
    // One that is being stopped counts until it has ended.
    let stopping = Scene::of(local(4, 2)).pods_start().restarts(3).somebody_deletes_a_pod();
    assert_eq!(stopping.conditions(), "");
    assert_eq!(stopping.restarts(1).conditions(), format!("FailureTarget=True {EXCEEDED}"));
}
