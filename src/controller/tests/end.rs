//! How Jobs end: conditions, Events, times, deadline, TTL, deletion (kubernetes-behaviour 2.5 to 2.8, 2.13).

use super::fixture::{Scene, job, start};
use crate::api::Job;
use crate::controller::Action;

fn both(completions: i32, parallelism: i32) -> Job {
    job(|spec| {
        spec.completions = Some(completions);
        spec.parallelism = Some(parallelism);
        spec.backoff_limit = Some(0);
    })
}

fn with_deadline(seconds: i64) -> Job {
    job(|spec| {
        spec.completions = Some(2);
        spec.parallelism = Some(2);
        spec.active_deadline_seconds = Some(seconds);
    })
}

const REACHED: &str = "CompletionsReached: Reached expected number of succeeded pods";
const EXCEEDED: &str = "BackoffLimitExceeded: Job has reached the specified backoff limit";
const LATE: &str = "DeadlineExceeded: Job was active longer than specified deadline";

#[test]
fn when_and_how_a_job_ends() {
    let complete = format!("SuccessCriteriaMet=True {REACHED}; Complete=True {REACHED}");
    let completing = format!("SuccessCriteriaMet=True {REACHED}");
    let failing = format!("FailureTarget=True {EXCEEDED}");
    let failed = format!("{failing}; Failed=True {EXCEEDED}");
    let late = format!("FailureTarget=True {LATE}");
    let queue = || Scene::of(job(|spec| spec.parallelism = Some(2))).pods_start();
    let none = String::new();
    for (rule, scene, conditions, counts) in [
        (
            "all completions reached: first the criteria, then Complete",
            Scene::of(both(2, 2)).pods_start().succeed(2),
            &complete,
            "ready 0, terminating 0, succeeded 2",
        ),
        (
            "completions 0: Complete at once, without a pod",
            Scene::of(both(0, 1)),
            &complete,
            "ready 0, terminating 0",
        ),
        (
            "surplus pods go first: Complete waits for them",
            Scene::of(both(3, 3)).pods_start().succeed(1).changed(|spec| spec.completions = Some(1)),
            &completing,
            "ready 0, terminating 2, succeeded 1",
        ),
        (
            "they do not count",
            Scene::of(both(3, 3))
                .pods_start()
                .succeed(1)
                .changed(|spec| spec.completions = Some(1))
                .pods_stop(),
            &complete,
            "ready 0, terminating 0, succeeded 1",
        ),
        (
            "a work queue waits for the other workers",
            queue().succeed(1),
            &none,
            "active 1, ready 1, terminating 0, succeeded 1",
        ),
        (
            "and completes when they have ended",
            queue().succeed(2),
            &complete,
            "ready 0, terminating 0, succeeded 2",
        ),
        (
            "their failures do not matter then",
            queue().succeed(1).fail(1),
            &complete,
            "ready 0, terminating 0, succeeded 1, failed 1",
        ),
        (
            "a failed Job deletes its active pods before it is Failed; they count as failed at once",
            Scene::of(both(3, 3)).pods_start().fail(1),
            &failing,
            "ready 0, terminating 2, failed 3",
        ),
        (
            "Failed comes when they have stopped",
            Scene::of(both(3, 3)).pods_start().fail(1).pods_stop(),
            &failed,
            "ready 0, terminating 0, failed 3",
        ),
        (
            "a pod that still ends well does not change the verdict",
            Scene::of(both(2, 2)).pods_start().fail(1).stopping_pod_succeeds(),
            &failed,
            "ready 0, terminating 0, failed 2",
        ),
        (
            "nor does a raised limit, once the verdict is there",
            Scene::of(both(3, 3))
                .pods_start()
                .fail(1)
                .changed(|spec| spec.backoff_limit = Some(9))
                .pods_stop(),
            &failed,
            "ready 0, terminating 0, failed 3",
        ),
        (
            "the deadline passed with two pods running: failed 2",
            Scene::of(with_deadline(5)).pods_start().after(5_000),
            &late,
            "ready 0, terminating 2, failed 2",
        ),
        (
            "before the deadline nothing happens",
            Scene::of(with_deadline(5)).pods_start().after(4_999),
            &none,
            "active 2, ready 2, terminating 0",
        ),
        (
            "the deadline beats the back-off: no more pods after it",
            Scene::of(with_deadline(5)).pods_start().fail(2).after(100_000),
            &format!("{late}; Failed=True {LATE}"),
            "ready 0, terminating 0, failed 2",
        ),
        (
            "the deadline is ignored while suspended",
            Scene::of(with_deadline(5)).changed(|spec| spec.suspend = Some(true)).pods_stop().after(100_000),
            &"Suspended=True JobSuspended: Job suspended".to_owned(),
            "ready 0, terminating 0",
        ),
        (
            "and starts from zero on resumption",
            Scene::of(with_deadline(5))
                .changed(|spec| spec.suspend = Some(true))
                .pods_stop()
                .after(100_000)
                .changed(|spec| spec.suspend = Some(false))
                .after(4_999),
            &"Suspended=False JobResumed: Job resumed".to_owned(),
            "active 2, ready 0, terminating 0",
        ),
        (
            "to be met then",
            Scene::of(with_deadline(5))
                .changed(|spec| spec.suspend = Some(true))
                .pods_stop()
                .after(100_000)
                .changed(|spec| spec.suspend = Some(false))
                .after(5_000),
            &format!("Suspended=False JobResumed: Job resumed; {late}"),
            "ready 0, terminating 2, failed 2",
        ),
        (
            "a raised deadline is armed anew",
            Scene::of(with_deadline(5))
                .after(4_000)
                .changed(|spec| spec.active_deadline_seconds = Some(8))
                .after(3_999),
            &none,
            "active 2, ready 0, terminating 0",
        ),
        (
            "from the start, not from the change",
            Scene::of(with_deadline(5))
                .after(4_000)
                .changed(|spec| spec.active_deadline_seconds = Some(8))
                .after(4_000),
            &late,
            "ready 0, terminating 2, failed 2",
        ),
        (
            "a lowered deadline holds at once",
            Scene::of(with_deadline(500)).after(4_000).changed(|spec| spec.active_deadline_seconds = Some(4)),
            &late,
            "ready 0, terminating 2, failed 2",
        ),
        (
            "deadline 0 ends the Job as it starts",
            Scene::of(with_deadline(0)),
            &format!("{late}; Failed=True {LATE}"),
            "ready 0, terminating 0",
        ),
    ] {
        assert_eq!(scene.conditions(), *conditions, "{rule}");
        assert_eq!(scene.counts(), counts, "{rule}");
    }
}

#[test]
fn a_deadline_is_kept_to_the_fraction_across_processes() {
    let mut scene = Scene::before(with_deadline(1));
    scene.now += chrono::Duration::milliseconds(700);
    let scene = scene.settle();
    assert_eq!(scene.wake(), Some(1_000));
    // The API's startTime says second 0; one second after that is too early.
    let again = scene.restarted();
    assert_eq!(again.wake(), Some(1_000));
    assert!(again.clone().after(999).terminating().is_empty());
    assert_eq!(again.after(1_000).terminating().len(), 2);
}

#[test]
fn the_events_of_a_job_that_completes() {
    let scene = Scene::of(both(2, 1)).succeed(1).succeed(1);
    assert_eq!(
        scene.events(),
        [
            "Normal SuccessfulCreate: Created pod: 0",
            "Normal SuccessfulCreate: Created pod: 1",
            "Normal Completed: Job completed",
        ]
    );
}

#[test]
fn the_events_of_a_job_that_fails() {
    let scene = Scene::of(both(2, 2)).pods_start().fail(1);
    let mut expected = vec![
        "Normal SuccessfulCreate: Created pod: 0",
        "Normal SuccessfulCreate: Created pod: 1",
        "Normal SuccessfulDelete: Deleted pod: 1",
    ];
    assert_eq!(scene.events(), expected);
    expected.push("Warning BackoffLimitExceeded: Job has reached the specified backoff limit");
    assert_eq!(scene.pods_stop().events(), expected, "the failure is told when Failed is added");
}

#[test]
fn more_successes_than_wanted_are_told() {
    let scene = Scene::of(both(3, 3)).pods_start().changed(|spec| spec.parallelism = Some(3)).succeed(1);
    let scene = scene.succeed(1).changed(|spec| spec.completions = Some(1)).pods_stop();
    assert_eq!(
        scene.events()[3..],
        [
            "Normal SuccessfulDelete: Deleted pod: 2",
            "Warning TooManySucceededPods: Too many succeeded pods running after completion count reached",
            "Normal Completed: Job completed",
        ]
    );
}

#[test]
fn only_a_complete_job_has_a_completion_time() {
    let complete = Scene::of(both(1, 1)).after(3_000).succeed(1);
    assert_eq!((complete.started(), complete.completed()), (Some(0), Some(3)));
    let failed = Scene::of(both(1, 1)).after(3_000).fail(1);
    assert!(failed.is_finished());
    assert_eq!((failed.started(), failed.completed()), (Some(0), None));
}

#[test]
fn uncounted_pods_are_shown_as_an_empty_object_and_conditions_carry_both_times() {
    let job = Scene::of(both(1, 1)).after(3_000).succeed(1).stored_job().expect("the Job");
    let status = serde_json::to_value(job.status).expect("a status");
    assert_eq!(status["uncountedTerminatedPods"], serde_json::json!({}));
    for condition in status["conditions"].as_array().expect("conditions") {
        assert_eq!(condition["lastProbeTime"], "2023-11-14T22:13:23Z");
        assert_eq!(condition["lastTransitionTime"], "2023-11-14T22:13:23Z");
    }
}

#[test]
fn a_finished_job_is_never_touched_again() {
    let scene = Scene::of(both(1, 1)).succeed(1);
    assert!(scene.is_finished());
    let mut scene = scene.changed(|spec| {
        spec.parallelism = Some(5);
        spec.suspend = Some(true);
        spec.active_deadline_seconds = Some(1);
    });
    let before = (scene.conditions(), scene.counts());
    scene.world.mark_all_dirty();
    let plan = scene.sync();
    assert_eq!(plan.actions, []);
    assert_eq!(plan.wakes.into_values().flatten().count(), 0);
    let scene = scene.after(1_000_000).restarted();
    assert_eq!((scene.conditions(), scene.counts()), before);
}

#[test]
fn a_finished_job_goes_after_its_time_with_its_pods() {
    let ttl = |seconds: i32| {
        job(move |spec| {
            spec.ttl_seconds_after_finished = Some(seconds);
            spec.backoff_limit = Some(0);
        })
    };
    for (rule, scene, left) in [
        ("not before its time", Scene::of(ttl(5)).succeed(1).after(5_999), true),
        (
            "when its time has come: the second of its end is over first",
            Scene::of(ttl(5)).succeed(1).after(6_000),
            false,
        ),
        ("a failed Job too", Scene::of(ttl(5)).fail(1).after(6_000), false),
        ("0: as soon as all have seen how it ended", Scene::of(ttl(0)).succeed(1).after(1_999), true),
        (
            "0: two seconds after it began to end at the latest",
            Scene::of(ttl(0)).succeed(1).after(2_000),
            false,
        ),
        ("not while it runs", Scene::of(ttl(0)).after(100_000), true),
        (
            "a time set on a finished Job is honoured",
            Scene::of(job(|_| ()))
                .succeed(1)
                .after(50_000)
                .changed(|spec| spec.ttl_seconds_after_finished = Some(60))
                .after(11_000),
            false,
        ),
        (
            "a raised time too",
            Scene::of(ttl(5))
                .succeed(1)
                .changed(|spec| spec.ttl_seconds_after_finished = Some(60))
                .after(59_000),
            true,
        ),
        (
            "a time taken back too",
            Scene::of(ttl(5))
                .succeed(1)
                .changed(|spec| spec.ttl_seconds_after_finished = None)
                .after(100_000),
            true,
        ),
        (
            "also when the process has died meanwhile",
            Scene::of(ttl(5)).succeed(1).restarted().after(6_000),
            false,
        ),
    ] {
        assert_eq!(scene.stored_job().is_some(), left, "{rule}");
        assert_eq!(scene.pods().is_empty(), !left, "{rule}");
        assert!(!scene.events().iter().any(|event| event.contains("Deleted")), "{rule}: nothing is told");
    }
}

#[test]
fn a_job_deleted_in_foreground_goes_after_its_pods() {
    let scene = Scene::of(both(3, 2)).pods_start().succeed(1).deleted_in_foreground();
    assert!(scene.stored_job().is_some(), "it waits for its pods");
    assert_eq!(
        (scene.pods().len(), scene.terminating().len()),
        (2, 2),
        "the ended one is gone, the others stop"
    );
    assert_eq!(scene.pods_stop().counts(), "gone");
    let finished = Scene::of(both(1, 1)).succeed(1).deleted_in_foreground();
    assert_eq!((finished.counts().as_str(), finished.pods().len()), ("gone", 0), "a finished one at once");
    let foreign = job(|spec| spec.managed_by = Some("example.com/other".into()));
    assert_eq!(Scene::of(foreign).deleted_in_foreground().counts(), "gone", "whoever manages it");
}

#[test]
fn a_new_job_of_the_same_name_starts_afresh() {
    let mut old = both(9, 1);
    old.spec.get_or_insert_default().backoff_limit = Some(9);
    let scene = Scene::of(old.clone()).pods_start().fail(1);
    assert_eq!(scene.wake(), Some(10_000));
    let mut world = scene.world.clone();
    // As `replace --force` leaves it: another uid, no status; the facts of the old one lie there still.
    old.metadata.uid = Some("another".into());
    let facts = world.facts(&scene.job).cloned().expect("facts");
    world.remove_job(&scene.job);
    world.put_facts(scene.job.clone(), facts);
    world.put_job(old);
    let plan = crate::controller::reconcile(&world, &world.clone().take_dirty(), scene.now, 1);
    assert!(plan.actions.iter().any(|action| matches!(action, Action::CreatePod(_))), "no back-off");
    let facts = plan.actions.iter().find_map(|action| match action {
        Action::UpdateFacts(_, facts) => Some(facts),
        _ => None,
    });
    let facts = facts.expect("facts of its own");
    assert_eq!((facts.uid.as_str(), facts.failures, facts.started), ("another", 0, Some(start())));
}

#[test]
fn jobs_that_are_not_named_cost_nothing() {
    let mut scene = Scene::of(both(1, 1));
    scene.world.mark_all_dirty();
    let nobody = std::collections::BTreeSet::new();
    assert_eq!(crate::controller::reconcile(&scene.world, &nobody, scene.now, 1), Default::default());
}
