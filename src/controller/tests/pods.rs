//! How many pods there are, which go, what they look like, suspension (kubernetes-behaviour 1.4, 2.1, 2.2, 2.9, 2.13).

use super::fixture::{Scene, job};
use crate::api::meta::{FINALIZER_JOB_TRACKING, name, uid};
use crate::api::{Job, JobSpec};
use crate::controller::pods::mark_deleted;

fn both(completions: i32, parallelism: i32) -> Job {
    job(|spec| {
        spec.completions = Some(completions);
        spec.parallelism = Some(parallelism);
    })
}

fn queue(parallelism: i32) -> Job {
    job(|spec| spec.parallelism = Some(parallelism))
}

fn replaced_when_failed(mut job: Job) -> Job {
    job.spec.get_or_insert_default().pod_replacement_policy = Some("Failed".into());
    job
}

fn suspended(mut job: Job) -> Job {
    job.spec.get_or_insert_default().suspend = Some(true);
    job
}

fn suspend(spec: &mut JobSpec) {
    spec.suspend = Some(true);
}

fn resume(spec: &mut JobSpec) {
    spec.suspend = Some(false);
}

#[test]
fn how_many_pods_a_job_has() {
    for (rule, scene, expected) in [
        (
            "a plain Job has one pod; zeros of active, succeeded and failed are left out, of the others shown",
            Scene::of(job(|_| ())),
            "active 1, ready 0, terminating 0",
        ),
        (
            "ready counts the active pods that are ready",
            Scene::of(both(3, 2)).pods_start(),
            "active 2, ready 2, terminating 0",
        ),
        (
            "an ended pod is replaced at once",
            Scene::of(both(3, 2)).pods_start().succeed(1),
            "active 2, ready 1, terminating 0, succeeded 1",
        ),
        (
            "no more pods than completions are left",
            Scene::of(both(3, 2)).pods_start().succeed(2),
            "active 1, ready 0, terminating 0, succeeded 2",
        ),
        (
            "fewer completions than parallelism: as many pods as completions",
            Scene::of(both(2, 5)),
            "active 2, ready 0, terminating 0",
        ),
        (
            "a work queue has as many pods as parallelism",
            Scene::of(queue(3)),
            "active 3, ready 0, terminating 0",
        ),
        (
            "once a worker has succeeded no new one is made and none is stopped",
            Scene::of(queue(3)).succeed(1),
            "active 2, ready 0, terminating 0, succeeded 1",
        ),
        (
            "nor after a later failure",
            Scene::of(queue(3)).succeed(1).fail(1),
            "active 1, ready 0, terminating 0, succeeded 1, failed 1",
        ),
        (
            "nor when the work queue is scaled down then",
            Scene::of(queue(4)).succeed(1).changed(|spec| spec.parallelism = Some(1)),
            "active 3, ready 0, terminating 0, succeeded 1",
        ),
        ("parallelism 0 makes no pods", Scene::of(both(3, 0)), "ready 0, terminating 0"),
        (
            "parallelism 0 deletes the running ones",
            Scene::of(both(3, 2)).pods_start().changed(|spec| spec.parallelism = Some(0)),
            "ready 0, terminating 2",
        ),
        (
            "they do not count as failed once they have stopped",
            Scene::of(both(3, 2)).pods_start().changed(|spec| spec.parallelism = Some(0)).pods_stop(),
            "ready 0, terminating 0",
        ),
        (
            "nor as succeeded if they had done their work",
            Scene::of(both(3, 2))
                .pods_start()
                .changed(|spec| spec.parallelism = Some(0))
                .stopping_pod_succeeds(),
            "ready 0, terminating 1",
        ),
        (
            "parallelism raised again makes them anew",
            Scene::of(both(3, 0)).changed(|spec| spec.parallelism = Some(2)),
            "active 2, ready 0, terminating 0",
        ),
        (
            "terminating pods are replaced at once by default",
            Scene::of(both(3, 2)).pods_start().somebody_deletes_a_pod().after(10_000),
            "active 2, ready 1, terminating 1, failed 1",
        ),
        (
            "under podReplacementPolicy Failed not before they have failed: active 0, failed 0, terminating 1",
            Scene::of(replaced_when_failed(both(1, 1))).pods_start().somebody_deletes_a_pod().after(60_000),
            "ready 0, terminating 1",
        ),
        (
            "then they count and are replaced",
            Scene::of(replaced_when_failed(both(1, 1)))
                .pods_start()
                .somebody_deletes_a_pod()
                .after(1_000)
                .pods_stop()
                .after(10_000),
            "active 1, ready 0, terminating 0, failed 1",
        ),
        (
            "one that ended well counts as succeeded instead",
            Scene::of(replaced_when_failed(both(2, 1)))
                .pods_start()
                .somebody_deletes_a_pod()
                .stopping_pod_succeeds(),
            "active 1, ready 0, terminating 0, succeeded 1",
        ),
        (
            "a pod deleted by somebody counts as failed at once by default",
            Scene::of(both(1, 1)).pods_start().somebody_deletes_a_pod(),
            "ready 0, terminating 1, failed 1",
        ),
        (
            "and only once, whatever becomes of it",
            Scene::of(both(1, 1)).pods_start().somebody_deletes_a_pod().stopping_pod_succeeds(),
            "ready 0, terminating 0, failed 1",
        ),
        ("suspended on creation: no pods", Scene::of(suspended(both(3, 2))), "ready 0, terminating 0"),
        (
            "suspended while running: the pods are deleted, what has ended stays counted",
            Scene::of(both(3, 2)).pods_start().succeed(1).changed(suspend),
            "ready 0, terminating 2, succeeded 1",
        ),
        (
            "pods stopped for suspension do not count as failed",
            Scene::of(both(3, 2)).pods_start().succeed(1).changed(suspend).pods_stop(),
            "ready 0, terminating 0, succeeded 1",
        ),
        (
            "resumed: the missing pods are made at once",
            Scene::of(both(3, 2)).pods_start().changed(suspend).pods_stop().changed(resume),
            "active 2, ready 0, terminating 0",
        ),
        (
            "resumed before the old pods have stopped: new ones beside them by default",
            Scene::of(both(3, 2)).pods_start().changed(suspend).changed(resume),
            "active 2, ready 0, terminating 2",
        ),
        (
            "under podReplacementPolicy Failed after them",
            Scene::of(replaced_when_failed(both(3, 2))).pods_start().changed(suspend).changed(resume),
            "ready 0, terminating 2",
        ),
        (
            "the back-off holds after a resume too",
            Scene::of(both(3, 1)).pods_start().fail(1).changed(suspend).changed(resume),
            "ready 0, terminating 0, failed 1",
        ),
        (
            "a Job managed by somebody else is left alone",
            Scene::of(job(|spec| spec.managed_by = Some("example.com/other".into()))),
            "",
        ),
        (
            "managedBy that names us changes nothing",
            Scene::of(job(|spec| spec.managed_by = Some("kubernetes.io/job-controller".into()))),
            "active 1, ready 0, terminating 0",
        ),
    ] {
        assert_eq!(scene.counts(), expected, "{rule}");
    }
}

#[test]
fn a_job_whose_last_success_arrives_while_suspended_completes() {
    let mut at_once = Scene::of(both(1, 1)).pods_start();
    // Both in one sync: the pod ends and somebody suspends the Job.
    let mut ended = at_once.active().remove(0);
    ended.status.get_or_insert_default().phase = Some("Succeeded".into());
    at_once.put_pod(ended);
    let at_once = at_once.changed(suspend);
    assert!(at_once.is_finished(), "{}", at_once.conditions());
    assert!(!at_once.conditions().contains("Suspended"));
}

#[test]
fn which_pods_go_first_when_there_are_too_many() {
    let down =
        |scene: Scene, to: i32| scene.changed(|spec| spec.parallelism = Some(to)).numbers_terminating();
    let staggered = || {
        // 0 has been ready for 20 s, 1 for 10 s, 2 is ready now, 3 waits.
        let more = |parallelism| move |spec: &mut JobSpec| spec.parallelism = Some(parallelism);
        Scene::of(both(9, 1))
            .pods_start()
            .after(10_000)
            .changed(more(2))
            .pods_start()
            .after(10_000)
            .changed(more(3))
            .pods_start()
            .changed(more(4))
    };
    assert_eq!(down(staggered(), 3), [3], "pending before running");
    assert_eq!(down(staggered(), 2), [2, 3], "then those that became ready last");
    assert_eq!(down(staggered(), 1), [1, 2, 3], "the longest ready goes last");
    let restarted = Scene::of(both(9, 3)).pods_start().restarts(1);
    assert_eq!(down(restarted, 2), [0], "of those ready equally long the one with more restarts");
    let newer = Scene::of(both(9, 1)).after(1_000).changed(|spec| spec.parallelism = Some(2));
    assert_eq!(down(newer, 1), [1], "of those that wait the newer");
}

#[test]
fn what_a_pod_of_a_job_looks_like() {
    let scene = Scene::of(job(|_| ()));
    let pod = scene.pods().remove(0);
    let meta = &pod.metadata;
    assert_eq!(meta.generate_name.as_deref(), Some("work-"));
    let suffix = name(meta).strip_prefix("work-").expect("the Job's name first");
    assert_eq!(suffix.len(), 5);
    assert!(suffix.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c)), "{suffix}");
    assert_eq!(meta.namespace.as_deref(), Some("default"));
    assert!(uuid::Uuid::parse_str(uid(meta)).is_ok_and(|uid| uid.get_version_num() == 4));
    let labels: Vec<_> = meta.labels.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(labels, ["controller-uid=job-uid", "job-name=work"], "labels of the template, not of the Job");
    let annotations: Vec<_> = meta.annotations.iter().flatten().map(|(_, value)| value.as_str()).collect();
    assert_eq!(annotations, ["the-template"], "annotations of the template, not of the Job");
    assert_eq!(meta.finalizers.as_deref(), Some(&[FINALIZER_JOB_TRACKING.to_owned()][..]));
    let owners = serde_json::to_value(&meta.owner_references).expect("owners encode");
    assert_eq!(
        owners,
        serde_json::json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": "work", "uid": "job-uid",
            "controller": true, "blockOwnerDeletion": true,
        }])
    );
    assert_eq!(pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()), Some("localhost"));
    let status = pod.status.expect("a status");
    assert_eq!(status.phase.as_deref(), Some("Pending"));
    assert_eq!(status.qos_class.as_deref(), Some("BestEffort"));
    let conditions: Vec<_> =
        status.conditions.iter().flatten().map(|one| (one.type_.as_str(), one.status.as_str())).collect();
    assert_eq!(conditions, [("PodScheduled", "True")]);
}

#[test]
fn a_counted_pod_loses_its_finalizer_and_a_deleted_one_gets_its_grace_period() {
    let scene = Scene::of(both(3, 2)).pods_start().succeed(1).changed(|spec| spec.parallelism = Some(1));
    let pods = scene.pods();
    let of = |number: usize| &pods[number].metadata;
    assert_eq!(of(0).finalizers, None, "counted");
    // 1 ran, 2 was made for 0 and waits: 2 goes.
    assert_eq!(scene.numbers_terminating(), [2]);
    assert_eq!(of(2).finalizers, None, "deleted for scale-down: not to be counted");
    assert_eq!(of(2).deletion_grace_period_seconds, Some(7), "from the template");
    let deadline = of(2).deletion_timestamp.as_ref().expect("a deadline").0;
    assert_eq!((deadline - scene.now).num_seconds(), 7);
    assert!(of(1).finalizers.is_some(), "still to be counted");
    let mut negative = pods[1].clone();
    negative.spec.as_mut().expect("a spec").termination_grace_period_seconds = Some(-5);
    mark_deleted(&mut negative, None, scene.now);
    assert_eq!(negative.metadata.deletion_grace_period_seconds, Some(1), "a negative one counts as 1");
}

#[test]
fn a_long_name_is_cut_so_that_the_pods_name_stays_a_dns_label() {
    let mut long = both(2, 2);
    long.metadata.name = Some("a".repeat(63));
    let names: Vec<String> =
        Scene::of(long).pods().iter().map(|pod| name(&pod.metadata).to_owned()).collect();
    assert!(names.iter().all(|name| name.len() == 63 && name.starts_with(&"a".repeat(58))), "{names:?}");
    assert_ne!(names[0], names[1]);
}

#[test]
fn suspension_and_resumption_are_told() {
    let scene = Scene::of(both(2, 1)).pods_start();
    assert_eq!(scene.conditions(), "", "a Job that was never suspended has no such condition");
    let scene = scene.after(5_000).changed(suspend);
    assert_eq!(scene.conditions(), "Suspended=True JobSuspended: Job suspended");
    assert_eq!(scene.started(), Some(0), "the start is kept");
    let scene = scene.pods_stop().after(5_000).changed(resume);
    assert_eq!(scene.conditions(), "Suspended=False JobResumed: Job resumed");
    assert_eq!(scene.started(), Some(10), "and set anew on resumption");
    assert_eq!(
        scene.events(),
        [
            "Normal SuccessfulCreate: Created pod: 0",
            "Normal SuccessfulDelete: Deleted pod: 0",
            "Normal Suspended: Job suspended",
            "Normal SuccessfulCreate: Created pod: 1",
            "Normal Resumed: Job resumed",
        ]
    );
    let created = Scene::of(suspended(both(1, 1)));
    assert_eq!(created.started(), None, "suspended on creation: not started");
    assert_eq!(created.events(), ["Normal Suspended: Job suspended"]);
    assert_eq!(created.after(9_000).changed(resume).started(), Some(9));
}

#[test]
fn a_pod_whose_job_is_gone_does_not_wait_to_be_counted() {
    let scene = Scene::of(both(2, 2)).pods_start().job_vanishes();
    assert_eq!(scene.active().len(), 2, "it runs on");
    assert!(scene.pods().iter().all(|pod| pod.metadata.finalizers.is_none()));
}
