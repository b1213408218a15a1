//! Random histories of random Jobs. [`Scene`] holds every plan against the laws *deterministic*, *bounded* and
//! *settling*; here the end and the counts are held against what has really happened, with and without processes
//! that die (*restartable*).

use proptest::prelude::*;

use serde_json::json;

use super::fixture::{Scene, job, on_failure, resize, with_failure_policy};
use crate::api::Job;

/// Something that happens to a Job.
#[derive(Clone, Copy, Debug)]
enum Step {
    Start,
    Succeed(usize),
    Exit(usize, i32),
    Restart(i32),
    Stop,
    StopWell,
    DeletePod,
    Evict,
    Resize(i32),
    Suspend(bool),
    Scale(i32),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Start),
        3 => (1..4_usize).prop_map(Step::Succeed),
        3 => (1..4_usize, prop_oneof![6 => Just(1), 3 => 42..44_i32, 1 => Just(44)])
            .prop_map(|(count, code)| Step::Exit(count, code)),
        1 => (0..4).prop_map(Step::Restart),
        2 => Just(Step::Stop),
        1 => Just(Step::StopWell),
        1 => Just(Step::DeletePod),
        1 => Just(Step::Evict),
        1 => (1..6).prop_map(Step::Resize),
        2 => any::<bool>().prop_map(Step::Suspend),
        1 => (0..6).prop_map(Step::Scale),
        3 => (0..700_i64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..24)
}

/// The Job, its completions counted by index, with limits per index and policies as drawn.
fn with_indexes(mut job: Job, limit: Option<i32>, most: Option<i32>, success: Option<i32>) -> Job {
    let spec = job.spec.get_or_insert_default();
    spec.completion_mode = Some("Indexed".into());
    spec.completions.get_or_insert(5);
    spec.backoff_limit_per_index = limit;
    spec.max_failed_indexes = limit.and(most);
    if let Some(count) = success {
        let rules = json!({"rules": [{"succeededCount": count, "succeededIndexes": "1-6"}]});
        spec.success_policy = Some(serde_json::from_value(rules).expect("a policy"));
    }
    job
}

prop_compose! {
    /// Jobs of all kinds; half of them Indexed.
    fn all_jobs()(
        job in jobs(),
        indexed in any::<bool>(),
        limit in prop::option::of(0..3),
        most in prop::option::of(0..3),
        success in prop::option::weighted(0.3, 1..4),
        policy in any::<bool>(),
    ) -> Job {
        let locally = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()?.restart_policy.clone());
        // Under OnFailure neither a limit per index nor a podFailurePolicy is valid.
        let never = locally.as_deref() == Some("Never");
        let job = if indexed { with_indexes(job, limit.filter(|_| never), most, success) } else { job };
        if policy && never { with_failure_policy(job) } else { job }
    }
}

prop_compose! {
    fn jobs()(
        completions in prop::option::of(0..7),
        parallelism in 0..6,
        limit in 0..5,
        deadline in prop::option::weighted(0.3, 0..900_i64),
        suspended in prop::bool::weighted(0.2),
        locally in any::<bool>(),
        waits in any::<bool>(),
    ) -> Job {
        job(|spec| {
            spec.completions = completions;
            spec.parallelism = Some(parallelism);
            spec.backoff_limit = Some(limit);
            spec.active_deadline_seconds = deadline;
            spec.suspend = Some(suspended);
            spec.pod_replacement_policy = waits.then(|| "Failed".into());
            if locally {
                on_failure(spec);
            }
        })
    }
}

fn take(scene: Scene, step: Step) -> Scene {
    let active = scene.active().len();
    match step {
        Step::Start => scene.pods_start(),
        Step::Succeed(count) => scene.succeed(count.min(active)),
        Step::Exit(count, code) => scene.exit(count.min(active), code),
        Step::Restart(count) if active > 0 => scene.restarts(count),
        Step::Stop => scene.pods_stop(),
        Step::StopWell if !scene.terminating().is_empty() => scene.stopping_pod_succeeds(),
        Step::DeletePod if active > 0 => scene.somebody_deletes_a_pod(),
        Step::Evict if active > 0 => scene.a_pod_is_evicted(),
        Step::Resize(to) if scene.is_indexed() => resize(scene, to),
        Step::Suspend(suspend) => scene.changed(|spec| spec.suspend = Some(suspend)),
        Step::Scale(parallelism) => scene.changed(|spec| spec.parallelism = Some(parallelism)),
        Step::Wait(seconds) => scene.after(seconds * 1000),
        Step::Restart(_) | Step::StopWell | Step::DeletePod | Step::Evict | Step::Resize(_) => scene,
    }
}

/// What must hold whenever the world is settled.
fn check(scene: &Scene) -> Result<(), TestCaseError> {
    prop_assert_eq!(scene.told(), scene.truth(), "(succeeded, failed) as told and in truth");
    prop_assert_eq!(scene.uncounted(), 0, "every end is counted");
    let status = scene.stored_job().and_then(|job| job.status).unwrap_or_default();
    prop_assert_eq!(status.active.unwrap_or(0) as usize, scene.active().len());
    prop_assert_eq!(status.terminating.unwrap_or(0) as usize, scene.terminating().len());
    if scene.is_finished() {
        prop_assert!(scene.active().is_empty() && scene.terminating().is_empty());
        return Ok(());
    }
    // Whoever is not finished waits for something that can be named.
    let spec = scene.stored_job().and_then(|job| job.spec).unwrap_or_default();
    let waits = !scene.active().is_empty()
        || !scene.terminating().is_empty()
        || spec.suspend == Some(true)
        || spec.parallelism == Some(0)
        || scene.wake().is_some_and(|at| at > 0);
    prop_assert!(waits, "waits for nothing: {} {}", scene.counts(), scene.conditions());
    Ok(())
}

/// Whatever stood in the way is cleared away and every pod does its work: the Job must end.
fn carry_to_the_end(scene: Scene) -> Scene {
    let mut scene = scene.changed(|spec| {
        spec.suspend = Some(false);
        spec.parallelism = spec.parallelism.map(|parallelism| parallelism.max(1));
    });
    for _ in 0..40 {
        if scene.is_finished() {
            break;
        }
        scene = scene.pods_start().pods_stop();
        let active = scene.active().len();
        scene = scene.succeed(active).after(600_000);
    }
    scene
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_job_is_counted_exactly_and_ends(job in all_jobs(), steps in steps()) {
        let mut scene = Scene::of(job);
        check(&scene)?;
        for step in steps {
            scene = take(scene, step);
            check(&scene)?;
        }
        let scene = carry_to_the_end(scene);
        prop_assert!(scene.is_finished(), "{} {}", scene.counts(), scene.conditions());
        check(&scene)?;
    }

    #[test]
    fn processes_that_die_change_nothing(job in all_jobs(), steps in steps(), deaths in any::<u64>()) {
        let (mut scene, mut mortal) = (Scene::of(job.clone()), Scene::of(job));
        for (number, step) in steps.into_iter().enumerate() {
            scene = take(scene, step);
            mortal = take(mortal, step);
            if deaths >> (number % 64) & 1 == 1 {
                mortal = mortal.restarted();
            }
            prop_assert_eq!(mortal.counts(), scene.counts());
            prop_assert_eq!(mortal.indexes(), scene.indexes());
            prop_assert_eq!(mortal.active_indexes(), scene.active_indexes());
            prop_assert_eq!(mortal.conditions(), scene.conditions());
            prop_assert_eq!(mortal.wake(), scene.wake());
            prop_assert_eq!(mortal.made.len(), scene.made.len());
        }
        let (scene, mortal) = (carry_to_the_end(scene), carry_to_the_end(mortal.restarted()));
        prop_assert_eq!(mortal.conditions(), scene.conditions());
        prop_assert_eq!(mortal.counts(), scene.counts());
        prop_assert_eq!(mortal.events(), scene.events());
        prop_assert_eq!(mortal.job_uid(), "job-uid");
    }
}
