//! Indexed Jobs: order, duplicates, resizing, limits per index, policies (kubernetes-behaviour 2.2, 2.10 to 2.13).

use serde_json::{Value, json};

use super::fixture::{IGNORED, Scene, job, resize, with_failure_policy};
use crate::api::meta::{
    ANNOTATION_INDEX_FAILURES, ANNOTATION_INDEX_IGNORED_FAILURES, COMPLETION_INDEX, annotation,
};
use crate::api::{Job, JobSpec, Pod};
use crate::controller::pods::completion_index;

fn indexed(completions: i32, parallelism: i32, change: impl FnOnce(&mut JobSpec)) -> Job {
    job(|spec| {
        spec.completion_mode = Some("Indexed".into());
        spec.completions = Some(completions);
        spec.parallelism = Some(parallelism);
        change(spec);
    })
}

fn per_index(completions: i32, parallelism: i32, limit: i32) -> Job {
    indexed(completions, parallelism, |spec| spec.backoff_limit_per_index = Some(limit))
}

fn with_success_policy(mut job: Job, rules: &Value) -> Job {
    let policy = serde_json::from_value(json!({"rules": rules})).expect("a policy");
    job.spec.get_or_insert_default().success_policy = Some(policy);
    job
}

const FAILED_INDEXES: &str = "FailedIndexes: Job has failed indexes";
const EXCEEDED: &str = "BackoffLimitExceeded: Job has reached the specified backoff limit";
const TOO_MANY: &str =
    "MaxFailedIndexesExceeded: Job has exceeded the specified maximal number of failed indexes";

#[test]
fn which_indexes_run() {
    let three_of_six = || Scene::of(indexed(6, 3, |_| ())).pods_start();
    for (rule, scene, active, indexes) in [
        ("the lowest come first", three_of_six(), vec![0, 1, 2], "-/-"),
        ("the next takes a free place", three_of_six().indexes_exit(&[1], 0), vec![0, 2, 3], "1/-"),
        (
            "a failed index runs again before later ones",
            three_of_six().indexes_exit(&[1], 1).after(10_000),
            vec![0, 2, 1],
            "-/-",
        ),
        (
            "completed indexes are told as ranges",
            three_of_six().indexes_exit(&[0, 2], 0).pods_start().indexes_exit(&[3, 4], 0),
            vec![1, 5],
            "0,2-4/-",
        ),
        ("growing adds the indexes that come next", resize(three_of_six(), 8), (0..8).collect(), "-/-"),
        ("shrinking stops the pods beyond the end", resize(three_of_six(), 2), vec![0, 1], "-/-"),
        (
            "completed indexes beyond the new end are forgotten, and run again if it comes back",
            resize(resize(three_of_six().indexes_exit(&[0, 2], 0), 2).pods_stop(), 3),
            vec![1, 2],
            "0/-",
        ),
        (
            "fewer at a time: the last go",
            three_of_six().changed(|spec| spec.parallelism = Some(1)),
            vec![0],
            "-/-",
        ),
        (
            "a pod that is told to stop is replaced at once",
            three_of_six().somebody_deletes_a_pod().after(10_000),
            vec![1, 2, 0],
            "-/-",
        ),
        (
            "under podReplacementPolicy Failed when it has ended; its place stays taken",
            Scene::of(indexed(6, 3, |spec| spec.pod_replacement_policy = Some("Failed".into())))
                .pods_start()
                .somebody_deletes_a_pod()
                .after(10_000),
            vec![1, 2],
            "-/-",
        ),
    ] {
        let mut found = scene.active_indexes();
        if found.len() == 8 {
            found.sort_unstable();
        }
        assert_eq!(found, active, "{rule}");
        assert_eq!(scene.indexes(), indexes, "{rule}");
        assert_eq!(scene.told(), scene.truth(), "{rule}");
    }
}

#[test]
fn pods_without_an_index_of_their_own_are_removed() {
    let with_index = |scene: &Scene, index: Option<&str>| {
        let mut pod: Pod = scene.active().pop().expect("a pod");
        pod.metadata.name = Some("work-intruder".into());
        pod.metadata.uid = Some("intruder".into());
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.remove(COMPLETION_INDEX);
        annotations.extend(index.map(|index| (COMPLETION_INDEX.to_owned(), index.to_owned())));
        pod
    };
    for (rule, index, left) in [
        ("no index", None, 2),
        ("an index beyond the completions", Some("7"), 2),
        ("a word for an index", Some("first"), 2),
        ("a second pod of an index: one of the two goes", Some("0"), 2),
        ("an index of its own stays, and the surplus goes", Some("3"), 2),
    ] {
        let mut scene = Scene::of(indexed(4, 2, |_| ())).pods_start();
        let intruder = with_index(&scene, index);
        scene.take_in(intruder);
        let scene = scene.settle().pods_stop();
        assert_eq!(scene.active().len(), left, "{rule}");
        let mut seen: Vec<i32> = scene.active_indexes();
        seen.dedup();
        assert_eq!(seen.len(), left, "{rule}");
        assert_eq!(scene.counts(), "active 2, ready 2, terminating 0", "{rule}: none of them has failed");
    }
}

#[test]
fn when_an_indexed_job_ends() {
    let failed = |why: &str| format!("FailureTarget=True {why}; Failed=True {why}");
    let reached = "CompletionsReached: Reached expected number of succeeded pods";
    let complete = |why: &str| format!("SuccessCriteriaMet=True {why}; Complete=True {why}");
    let policy_job = "PodFailurePolicy: Container main for pod default/NAME failed with exit code 44 matching FailJob rule at index 2";
    for (rule, scene, conditions, indexes, counts) in [
        (
            "all indexes completed",
            Scene::of(indexed(2, 2, |_| ())).pods_start().succeed(2),
            complete(reached),
            "0,1/-",
            "ready 0, terminating 0, succeeded 2",
        ),
        (
            "no index to complete",
            Scene::of(indexed(0, 2, |_| ())),
            complete(reached),
            "-/-",
            "ready 0, terminating 0",
        ),
        (
            "without a limit per index the backoffLimit ends it",
            Scene::of(indexed(3, 3, |spec| spec.backoff_limit = Some(1))).pods_start().fail(2).pods_stop(),
            failed(EXCEEDED),
            "-/-",
            "ready 0, terminating 0, failed 3",
        ),
        (
            "an index fails when it has failed once more than its limit; the others go on",
            Scene::of(per_index(2, 2, 0)).pods_start().indexes_exit(&[1], 1),
            String::new(),
            "-/1",
            "active 1, ready 1, terminating 0, failed 1",
        ),
        (
            "when no index is left and one has failed, so has the Job",
            Scene::of(per_index(2, 2, 0)).pods_start().indexes_exit(&[1], 1).indexes_exit(&[0], 0),
            failed(FAILED_INDEXES),
            "0/1",
            "ready 0, terminating 0, succeeded 1, failed 1",
        ),
        (
            "a backoffLimit beside the limit per index holds for all pods",
            Scene::of(indexed(4, 4, |spec| {
                spec.backoff_limit_per_index = Some(9);
                spec.backoff_limit = Some(1);
            }))
            .pods_start()
            .fail(2)
            .pods_stop(),
            failed(EXCEEDED),
            "-/",
            "ready 0, terminating 0, failed 4",
        ),
        (
            "one failed index more than allowed ends the Job at once",
            Scene::of(indexed(4, 1, |spec| {
                spec.backoff_limit_per_index = Some(0);
                spec.max_failed_indexes = Some(1);
            }))
            .pods_start()
            .fail(1)
            .pods_start()
            .fail(1),
            failed(TOO_MANY),
            "-/0,1",
            "ready 0, terminating 0, failed 2",
        ),
        (
            "FailIndex: no other try",
            Scene::of(with_failure_policy(per_index(2, 2, 5))).pods_start().indexes_exit(&[0], 43).succeed(1),
            failed(FAILED_INDEXES),
            "1/0",
            "ready 0, terminating 0, succeeded 1, failed 1",
        ),
        (
            "FailJob: the first such pod ends it, the others are stopped and counted",
            Scene::of(with_failure_policy(per_index(2, 2, 5)))
                .pods_start()
                .indexes_exit(&[1], 44)
                .pods_stop(),
            failed(policy_job),
            "-/",
            "ready 0, terminating 0, failed 2",
        ),
        (
            "a successPolicy of listed indexes: the rest is stopped and has not failed",
            Scene::of(with_success_policy(indexed(3, 3, |_| ()), &json!([{"succeededIndexes": "1"}])))
                .pods_start()
                .indexes_exit(&[1], 0)
                .pods_stop(),
            complete("SuccessPolicy: Matched rules at index 0"),
            "1/-",
            "ready 0, terminating 0, succeeded 1",
        ),
        (
            "Complete waits until the rest has stopped",
            Scene::of(with_success_policy(indexed(3, 3, |_| ()), &json!([{"succeededCount": 1}])))
                .pods_start()
                .succeed(1),
            "SuccessCriteriaMet=True SuccessPolicy: Matched rules at index 0".into(),
            "0/-",
            "ready 0, terminating 2, succeeded 1",
        ),
        (
            "a successPolicy met by the last index is the reason given",
            Scene::of(with_success_policy(indexed(2, 2, |_| ()), &json!([{"succeededCount": 2}])))
                .pods_start()
                .succeed(2),
            complete("SuccessPolicy: Matched rules at index 0"),
            "0,1/-",
            "ready 0, terminating 0, succeeded 2",
        ),
        (
            "a failure that ends the Job comes before a successPolicy met at the same time",
            Scene::of(with_success_policy(
                indexed(2, 2, |spec| spec.backoff_limit = Some(0)),
                &json!([{"succeededIndexes": "0"}]),
            ))
            .pods_start()
            .exit_with(&[(0, 0), (1, 1)]),
            failed(EXCEEDED),
            "0/-",
            "ready 0, terminating 0, succeeded 1, failed 1",
        ),
        (
            "a successPolicy holds though other indexes have failed",
            Scene::of(with_success_policy(per_index(3, 3, 0), &json!([{"succeededIndexes": "0"}])))
                .pods_start()
                .indexes_exit(&[1], 1)
                .indexes_exit(&[0], 0)
                .pods_stop(),
            complete("SuccessPolicy: Matched rules at index 0"),
            "0/1",
            "ready 0, terminating 0, succeeded 1, failed 1",
        ),
    ] {
        let found = scene.made.iter().fold(scene.conditions(), |text, key| text.replace(&*key.name, "NAME"));
        assert_eq!(found, conditions, "{rule}");
        assert_eq!(scene.indexes(), indexes, "{rule}");
        assert_eq!(scene.counts(), counts, "{rule}");
        assert_eq!(scene.told(), scene.truth(), "{rule}");
    }
}

/// The counted and the ignored failures that the newest pod of an index carries.
fn carried(scene: &Scene, index: i32) -> (Option<String>, Option<String>) {
    let pods = scene.pods();
    let pod = pods.iter().rfind(|pod| completion_index(pod) == Some(index)).expect("a pod of the index");
    let text = |key| annotation(&pod.metadata, key).map(str::to_owned);
    (text(ANNOTATION_INDEX_FAILURES), text(ANNOTATION_INDEX_IGNORED_FAILURES))
}

#[test]
fn every_index_has_its_own_count_and_delay() {
    let scene = Scene::of(with_failure_policy(per_index(2, 2, 9))).pods_start();
    assert_eq!(carried(&scene, 0), (Some("0".into()), None), "a first pod");
    let scene = scene.indexes_exit(&[0], 1);
    assert_eq!((scene.active_indexes(), scene.wake()), (vec![1], Some(10_000)), "the other index goes on");
    let scene = scene.after(4_000).indexes_exit(&[1], 1);
    assert_eq!((scene.active_indexes(), scene.wake()), (vec![], Some(6_000)), "each waits for itself");
    let scene = scene.after(6_000);
    assert_eq!((scene.active_indexes(), scene.wake()), (vec![0], Some(4_000)));
    assert_eq!(carried(&scene, 0), (Some("1".into()), None));
    let scene = scene.after(4_000).pods_start().indexes_exit(&[0], IGNORED);
    assert_eq!(scene.wake(), Some(20_000), "an ignored failure adds to the delay of its index");
    let scene = scene.restarted().after(20_000);
    assert_eq!(carried(&scene, 0), (Some("1".into()), Some("1".into())), "but not to its count");
    assert_eq!(scene.told(), (0, 2));
}

#[test]
fn what_the_failure_policy_ignores_is_replaced_and_not_counted() {
    let three = || {
        Scene::of(with_failure_policy(indexed(3, 3, |spec| {
            spec.backoff_limit = Some(0);
        })))
        .pods_start()
    };
    for (rule, scene, active, counts) in [
        (
            "an ignored exit code: a new pod at once",
            three().indexes_exit(&[1], IGNORED),
            vec![0, 2, 1],
            "active 3, ready 2, terminating 0",
        ),
        (
            "an evicted pod is replaced when it has ended",
            three().a_pod_is_evicted(),
            vec![1, 2],
            "active 2, ready 2, terminating 1",
        ),
        (
            "and is not counted",
            three().a_pod_is_evicted().pods_stop(),
            vec![1, 2, 0],
            "active 3, ready 2, terminating 0",
        ),
        (
            "an evicted pod that ends well all the same has succeeded",
            three().a_pod_is_evicted().stopping_pod_succeeds(),
            vec![1, 2],
            "active 2, ready 2, terminating 0, succeeded 1",
        ),
    ] {
        assert_eq!(scene.active_indexes(), active, "{rule}");
        assert_eq!(scene.counts(), counts, "{rule}");
        assert_eq!(scene.conditions(), "", "{rule}");
        assert_eq!(scene.told(), scene.truth(), "{rule}");
    }
}

#[test]
fn pods_that_still_run_when_the_job_fails_count_and_their_indexes_do_not() {
    let most = |limit: i32| {
        Scene::of(indexed(5, 5, |spec| {
            spec.backoff_limit_per_index = Some(0);
            spec.max_failed_indexes = Some(limit);
        }))
        .pods_start()
    };
    let deadline = indexed(3, 3, |spec| {
        spec.backoff_limit_per_index = Some(0);
        spec.active_deadline_seconds = Some(2);
    });
    let policy = Scene::of(with_failure_policy(per_index(3, 3, 2))).pods_start();
    for (rule, scene, failed, indexes) in [
        ("one too many of one", most(1).indexes_exit(&[0, 1], 1), 5, "/0,1"),
        ("one too many of none", most(0).indexes_exit(&[0], 1), 5, "/0"),
        ("out of time", Scene::of(deadline).pods_start().after(2_000), 3, "/"),
        ("FailJob, which tries no index again", policy.clone().indexes_exit(&[0], 44), 3, "/"),
        (
            "FailJob beside a pod that is told to stop and waits to be counted",
            policy.clone().somebody_deletes_a_pod().indexes_exit(&[1], 44),
            3,
            "/",
        ),
        (
            "FailJob beside an evicted pod, which the policy ignores",
            policy.a_pod_is_evicted().indexes_exit(&[1], 44),
            2,
            "/",
        ),
    ] {
        let expected = format!("-{indexes}");
        assert_eq!((scene.told(), scene.indexes()), ((0, failed), expected.clone()), "{rule}: at once");
        let scene = scene.pods_stop();
        assert!(scene.conditions().contains("Failed=True"), "{rule}: {}", scene.conditions());
        assert_eq!((scene.told(), scene.indexes()), ((0, failed), expected), "{rule}: in the end");
        assert_eq!(scene.told(), scene.truth(), "{rule}");
    }
}

#[test]
fn a_pod_beyond_the_completions_is_not_counted_even_where_the_job_fails() {
    let scene = Scene::of(indexed(5, 1, |spec| spec.backoff_limit_per_index = Some(0)));
    let scene = resize(scene.somebody_deletes_a_pod(), 1);
    assert_eq!(scene.conditions(), "FailureTarget=True FailedIndexes: Job has failed indexes");
    assert_eq!((scene.told(), scene.truth()), ((0, 1), (0, 1)));
}

#[test]
fn a_job_of_a_hundred_thousand_indexes_syncs_in_the_time_of_its_active_pods() {
    let mut scene = Scene::of(indexed(100_000, 3, |_| ()));
    for _ in 0..50 {
        scene = scene.pods_start().succeed(3);
    }
    assert_eq!(scene.active_indexes(), [150, 151, 152]);
    assert_eq!(scene.indexes(), "0-149/-");
}
