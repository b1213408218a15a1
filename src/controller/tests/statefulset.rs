//! The StatefulSet controller, with a kubelet that does what it is told and a clock that moves when it is told.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::start;
use crate::api::conditions::{is_pod_ready, pod_phase, set_pod_condition};
use crate::api::kinds::Key;
use crate::api::meta::{key, label, name, time, uid};
use crate::api::{Pod, StatefulSet, defaults};
use crate::controller::{Action, SetAction, Settings, World, reconcile, reconcile_stateful_sets};

/// A settled world needs a few rounds; more means that decisions go round in circles.
const MOST_ROUNDS: usize = 12;

struct Scene {
    world: World,
    now: DateTime<Utc>,
    wake: Option<DateTime<Utc>>,
    events: Vec<String>,
    seed: u64,
}

fn set_key() -> Key {
    Key::new("default", "web")
}

impl Scene {
    /// A set of three replicas, with a claim for each; `spec` says what is different.
    fn of(spec: &Value) -> Self {
        let mut whole = json!({
            "replicas": 3, "serviceName": "svc", "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i", "command": ["true"]}]},
            },
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            }}],
        });
        whole.as_object_mut().expect("a spec").extend(spec.as_object().expect("a spec").clone());
        let metadata = json!({"name": "web", "namespace": "default", "uid": "set-uid", "generation": 1});
        let set = json!({"metadata": metadata, "spec": whole});
        let mut set: StatefulSet = serde_json::from_value(set).expect("a StatefulSet");
        defaults::set_template_defaults(&mut set.spec.as_mut().expect("a spec").template);
        let mut world = World::new(Settings::default());
        world.stateful_sets.put(set);
        Self { world, now: start(), wake: None, events: Vec::new(), seed: 0 }.settle()
    }

    fn set(&self) -> StatefulSet {
        StatefulSet::clone(self.world.stateful_sets.get(&set_key()).expect("the set"))
    }

    /// Changes the set as a request does.
    fn change(mut self, change: impl FnOnce(&mut StatefulSet)) -> Self {
        let old = self.set();
        let mut new = old.clone();
        change(&mut new);
        new.metadata.generation = old.metadata.generation.map(|generation| generation + 1);
        self.world.stateful_sets.put(new);
        self.settle()
    }

    fn scale(self, replicas: i32) -> Self {
        self.change(|set| set.spec.as_mut().expect("a spec").replicas = Some(replicas))
    }

    fn new_image(self, image: &str) -> Self {
        self.change(|set| {
            let spec = set.spec.as_mut().and_then(|spec| spec.template.spec.as_mut()).expect("a pod spec");
            spec.containers[0].image = Some(image.into());
        })
    }

    /// Syncs until nothing changes any more, as a pass does.
    fn settle(mut self) -> Self {
        for _ in 0..MOST_ROUNDS {
            self.seed += 1;
            let (jobs, sets) = (self.world.take_dirty(), self.world.stateful_sets.take_dirty());
            let mut actions = reconcile(&self.world, &jobs, self.now, self.seed).actions;
            let plan = reconcile_stateful_sets(&self.world, &sets, self.now, self.seed);
            assert_eq!(
                plan,
                reconcile_stateful_sets(&self.world, &sets, self.now, self.seed),
                "deterministic"
            );
            if let Some(wake) = plan.wakes.get(&set_key()) {
                self.wake = *wake;
            }
            actions.extend(plan.actions);
            if actions.is_empty() {
                return self;
            }
            actions.into_iter().for_each(|action| self.perform(action));
        }
        panic!("not settled after {MOST_ROUNDS} syncs: {}", self.pods());
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::CreatePod(pod) => {
                assert!(self.world.pod(&key(&pod.metadata)).is_none(), "there is one already");
                self.hold_back_until_others_run(&pod);
                self.world.put_pod(*pod);
            }
            Action::UpdatePod(pod) => self.world.put_pod(*pod),
            Action::RemovePod(key) => self.world.remove_pod(&key),
            Action::RecordEvent(event) if event.source == "statefulset-controller" => {
                self.events.push(format!("{} {}", event.reason, event.message));
            }
            Action::RecordEvent(_) => {}
            Action::OfStatefulSet(action) => match action {
                SetAction::UpdateStatus(set) => self.world.stateful_sets.put(*set),
                SetAction::Remove(key) => self.world.stateful_sets.remove(&key),
                SetAction::CreateClaim(claim) | SetAction::UpdateClaim(claim) => self.world.put_claim(*claim),
                SetAction::RemoveClaim(key) => drop(self.world.remove_claim(&key)),
                SetAction::PutRevision(revision) => self.world.stateful_sets.put_revision(*revision),
                SetAction::RemoveRevision(key) => self.world.stateful_sets.remove_revision(&key),
            },
            other => panic!("no StatefulSet has to do with {other:?}"),
        }
    }

    /// With `OrderedReady` nobody comes before all those before him run.
    fn hold_back_until_others_run(&self, pod: &Pod) {
        let spec = self.set().spec.expect("a spec");
        if spec.pod_management_policy.as_deref() != Some("OrderedReady") {
            return;
        }
        let ordinal: i32 = name(&pod.metadata)[4..].parse().expect("an ordinal");
        let start = spec.ordinals.and_then(|ordinals| ordinals.start).unwrap_or(0);
        for before in start..ordinal {
            let pod = self.pod(before);
            assert!(
                pod_phase(&pod) == "Running" && is_pod_ready(&pod),
                "{ordinal} before {before}: {}",
                self.pods()
            );
        }
    }

    fn pod(&self, ordinal: i32) -> Pod {
        let key = Key::new("default", &format!("web-{ordinal}"));
        Pod::clone(self.world.live_pod(&key).unwrap_or_else(|| panic!("{key} is there")))
    }

    /// What the kubelet says of a pod.
    fn says(mut self, ordinal: i32, phase: &str, ready: bool) -> Self {
        let mut pod = self.pod(ordinal);
        let status = pod.status.get_or_insert_default();
        status.phase = Some(phase.into());
        set_pod_condition(status.conditions.get_or_insert_default(), "Ready", ready, "", "", self.now);
        self.world.put_pod(pod);
        self.settle()
    }

    fn runs(self, ordinal: i32) -> Self {
        self.says(ordinal, "Running", true)
    }

    /// The pods that were told to stop have stopped.
    fn stopped(mut self) -> Self {
        let stopping: Vec<Pod> = self.world.live_pods().map(|pod| Pod::clone(pod)).collect();
        for mut pod in stopping.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_some()) {
            pod.status.get_or_insert_default().phase = Some("Succeeded".into());
            self.world.put_pod(pod);
        }
        self.settle()
    }

    fn all_run(mut self) -> Self {
        for _ in 0..10 {
            let waiting = self.world.live_pods().find(|pod| pod_phase(pod) == "Pending");
            let Some(ordinal) = waiting.and_then(|pod| name(&pod.metadata)[4..].parse().ok()) else { break };
            self = self.runs(ordinal);
        }
        self
    }

    fn later(mut self, seconds: i64) -> Self {
        self.now += Duration::seconds(seconds);
        if self.wake.is_some_and(|wake| wake <= self.now) {
            self.world.stateful_sets.enqueue(set_key());
        }
        self.settle()
    }

    /// `ordinal:image` of each pod, in brackets where it waits, with a `-` where it is to stop.
    fn pods(&self) -> String {
        let of = |pod: &Pod| {
            let ordinal = name(&pod.metadata).trim_start_matches("web-").to_owned();
            let image =
                pod.spec.as_ref().and_then(|spec| spec.containers[0].image.clone()).unwrap_or_default();
            match (pod_phase(pod), pod.metadata.deletion_timestamp.is_some()) {
                (_, true) => format!("{ordinal}:{image}-"),
                ("Pending", false) => format!("({ordinal}:{image})"),
                _ => format!("{ordinal}:{image}"),
            }
        };
        self.world.live_pods().map(|pod| of(pod)).collect::<Vec<_>>().join(" ")
    }

    fn claims(&self) -> String {
        let of = |ordinal: i32| {
            let claim = self.world.claim(&Key::new("default", &format!("data-web-{ordinal}")))?;
            let owners = claim.metadata.owner_references.iter().flatten();
            let owners: String = owners.map(|owner| format!(" of {}", owner.kind)).collect();
            Some(format!("{ordinal}{owners}"))
        };
        (0..5).filter_map(of).collect::<Vec<_>>().join(", ")
    }

    /// replicas, ready, available, current, updated, and whether an update is complete.
    fn counts(&self) -> (i32, [Option<i32>; 4], bool) {
        let status = self.set().status.expect("a status");
        let counts = [
            status.ready_replicas,
            status.available_replicas,
            status.current_replicas,
            status.updated_replicas,
        ];
        (status.replicas, counts, status.current_revision == status.update_revision)
    }
}

#[test]
fn pods_come_one_after_the_other_and_go_the_other_way() {
    let scene = Scene::of(&json!({}));
    assert_eq!(scene.pods(), "(0:i)");
    assert_eq!(
        scene.events,
        [
            "SuccessfulCreate create Claim data-web-0 Pod web-0 in StatefulSet web success",
            "SuccessfulCreate create Pod web-0 in StatefulSet web successful",
        ]
    );
    let scene = scene.says(0, "Running", false);
    assert_eq!(scene.pods(), "0:i", "running is not ready");
    let scene = scene.runs(0);
    assert_eq!(scene.pods(), "0:i (1:i)");
    let scene = scene.all_run();
    assert_eq!((scene.pods().as_str(), scene.claims().as_str()), ("0:i 1:i 2:i", "0, 1, 2"));
    assert_eq!(scene.counts(), (3, [Some(3); 4], true));
    let status = scene.set().status.expect("a status");
    assert_eq!((status.observed_generation, status.collision_count), (Some(1), Some(0)));

    let scene = scene.scale(1);
    assert_eq!(scene.pods(), "0:i 1:i 2:i-");
    assert_eq!(
        scene.events.last().expect("an Event"),
        "SuccessfulDelete delete Pod web-2 in StatefulSet web successful"
    );
    let scene = scene.stopped();
    assert_eq!(scene.pods(), "0:i 1:i-");
    let scene = scene.stopped();
    assert_eq!((scene.pods().as_str(), scene.claims().as_str()), ("0:i", "0, 1, 2"), "claims stay");
    let scene = scene.scale(2);
    let claim = scene.world.claim_uid(&Key::new("default", "data-web-1")).map(str::to_owned);
    let scene = scene.all_run();
    assert_eq!(scene.pods(), "0:i 1:i");
    assert_eq!(scene.world.claim_uid(&Key::new("default", "data-web-1")), claim.as_deref(), "the same data");
}

#[test]
fn a_pod_is_who_it_was_before() {
    let scene = Scene::of(&json!({"ordinals": {"start": 5}, "replicas": 1}));
    let pod = scene.pod(5);
    let spec = pod.spec.clone().expect("a spec");
    assert_eq!((spec.hostname.as_deref(), spec.subdomain.as_deref()), (Some("web-5"), Some("svc")));
    assert_eq!(spec.service_account_name.as_deref(), Some("default"), "admitted as every pod");
    let of = |key: &str| label(&pod.metadata, key);
    assert_eq!(of("statefulset.kubernetes.io/pod-name"), Some("web-5"));
    assert_eq!(of("apps.kubernetes.io/pod-index"), Some("5"));
    let revision = scene.set().status.expect("a status").update_revision;
    assert_eq!(of("controller-revision-hash"), revision.as_deref());
    let volume = &spec.volumes.expect("volumes")[0];
    assert_eq!(volume.name, "data");
    let claim = volume.persistent_volume_claim.as_ref().expect("a claim");
    assert_eq!(claim.claim_name, "data-web-5");
    let first = uid(&pod.metadata).to_owned();

    // Evicted, lost, or ended by itself.
    for phase in ["Failed", "Succeeded"] {
        let scene = Scene::of(&json!({"replicas": 2})).all_run().says(0, phase, false);
        assert_eq!(scene.pods(), "(0:i) 1:i", "{phase}");
        assert_ne!(uid(&scene.pod(0).metadata), first);
    }
    let mut scene = Scene::of(&json!({"replicas": 2})).all_run();
    let mut deleted = scene.pod(1);
    deleted.metadata.deletion_timestamp = Some(time(scene.now));
    scene.world.put_pod(deleted);
    let scene = scene.settle();
    assert_eq!(scene.pods(), "0:i 1:i-", "never two of one name");
    assert_eq!(scene.stopped().pods(), "0:i (1:i)");
}

#[test]
fn in_parallel_nobody_waits_for_another() {
    let scene = Scene::of(&json!({"podManagementPolicy": "Parallel"}));
    assert_eq!(scene.pods(), "(0:i) (1:i) (2:i)");
    assert_eq!(scene.scale(1).pods(), "(0:i) 1:i- 2:i-");
}

#[test]
fn a_new_template_is_rolled_out_from_the_highest_ordinal_down() {
    let scene = Scene::of(&json!({})).all_run().new_image("j");
    assert_eq!(scene.pods(), "0:i 1:i 2:i-");
    let scene = scene.stopped();
    assert_eq!(scene.pods(), "0:i 1:i (2:j)");
    assert_eq!(scene.counts(), (3, [Some(2), Some(2), Some(2), Some(1)], false));
    let scene = scene.runs(2);
    assert_eq!(scene.pods(), "0:i 1:i- 2:j");
    let scene = scene.stopped().all_run().stopped().all_run();
    assert_eq!((scene.pods().as_str(), scene.counts()), ("0:j 1:j 2:j", (3, [Some(3); 4], true)));
    // Back to what it was: the first revision is the newest again.
    let revisions = |scene: &Scene| {
        let all = scene.world.stateful_sets.revisions_for("default", "set-uid");
        all.map(|one| one.revision).collect::<BTreeSet<_>>()
    };
    assert_eq!(revisions(&scene), [1, 2].into());
    let scene = scene.new_image("i");
    assert_eq!(revisions(&scene), [2, 3].into());
}

#[test]
fn the_oldest_revisions_go() {
    let mut scene = Scene::of(&json!({"replicas": 0, "revisionHistoryLimit": 2}));
    for image in ["a", "b", "c", "d"] {
        scene = scene.new_image(image);
    }
    let all = scene.world.stateful_sets.revisions_for("default", "set-uid");
    assert_eq!(all.map(|one| one.revision).collect::<BTreeSet<_>>(), [3, 4, 5].into());
}

#[test]
fn below_the_partition_pods_stay_what_they_were() {
    let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}});
    let scene = Scene::of(&json!({"updateStrategy": partition})).all_run().new_image("j").stopped().all_run();
    assert_eq!((scene.pods().as_str(), scene.counts().2), ("0:i 1:i 2:j", false));
    let scene = scene.says(0, "Failed", false).all_run();
    assert_eq!(scene.pods(), "0:i 1:i 2:j", "made anew of the old form");
}

#[test]
fn on_delete_somebody_else_decides() {
    let scene = Scene::of(&json!({"updateStrategy": {"type": "OnDelete"}})).all_run().new_image("j");
    assert_eq!(scene.pods(), "0:i 1:i 2:i");
    assert_eq!(scene.says(1, "Failed", false).pods(), "0:i (1:j) 2:i");
}

#[test]
fn as_many_are_renewed_at_a_time_as_may_be_missing() {
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "60%"}});
    let scene = Scene::of(&json!({"updateStrategy": strategy})).all_run().new_image("j");
    assert_eq!(scene.pods(), "0:i 1:i- 2:i-");
    assert_eq!(scene.stopped().all_run().pods(), "0:i- 1:j 2:j");
}

#[test]
fn a_pod_is_available_after_a_while() {
    let scene = Scene::of(&json!({"replicas": 2, "minReadySeconds": 10})).runs(0);
    assert_eq!(scene.pods(), "0:i");
    assert_eq!(scene.counts(), (1, [Some(1), Some(0), Some(1), Some(1)], true));
    assert_eq!(scene.wake, Some(start() + Duration::seconds(10)));
    assert_eq!(scene.later(10).pods(), "0:i (1:i)");
}

#[test]
fn claims_go_with_whom_the_retention_policy_says() {
    let retention = |deleted: &str, scaled: &str| {
        let retention = json!({"whenDeleted": deleted, "whenScaled": scaled});
        Scene::of(&json!({"replicas": 2, "persistentVolumeClaimRetentionPolicy": retention})).all_run()
    };
    assert_eq!(retention("Delete", "Retain").claims(), "0 of StatefulSet, 1 of StatefulSet");
    assert_eq!(retention("Retain", "Retain").claims(), "0, 1");
    let scene = retention("Retain", "Delete").scale(1);
    assert_eq!(scene.claims(), "0, 1 of Pod");
    let scene = scene.stopped();
    assert_eq!((scene.pods().as_str(), scene.claims().as_str()), ("0:i", "0"));
    assert_eq!(scene.scale(2).all_run().claims(), "0, 1", "a new one");
    let scene = retention("Delete", "Delete").scale(1);
    assert_eq!(scene.claims(), "0 of StatefulSet, 1 of Pod");
}

#[test]
fn pods_of_its_name_are_adopted_waited_for_or_let_go() {
    let orphaned = |mut scene: Scene, labels: Value| {
        let mut pod = scene.pod(0);
        pod.metadata.owner_references = None;
        pod.metadata.labels = serde_json::from_value(labels).expect("labels");
        scene.world.put_pod(pod);
        scene.settle()
    };
    let owner_of = |scene: &Scene| scene.pod(0).metadata.owner_references.map(|all| all[0].uid.clone());
    let scene = Scene::of(&json!({"replicas": 2})).all_run();
    let labels = serde_json::to_value(scene.pod(0).metadata.labels).expect("labels");
    let adopted = orphaned(scene, labels);
    assert_eq!(owner_of(&adopted).as_deref(), Some("set-uid"));

    let stranger = orphaned(Scene::of(&json!({"replicas": 1})).all_run(), json!({"app": "other"}));
    assert_eq!((owner_of(&stranger), stranger.counts().0), (None, 0));
    let mut free = stranger;
    free.world.remove_pod(&Key::new("default", "web-0"));
    assert_eq!(free.settle().pods(), "(0:i)");

    let mut let_go = Scene::of(&json!({"replicas": 1})).all_run();
    let mut pod = let_go.pod(0);
    pod.metadata.labels = Some([("app".into(), "other".into())].into());
    let_go.world.put_pod(pod);
    assert_eq!(owner_of(&let_go.settle()), None);
}

#[test]
fn a_set_that_is_deleted_in_the_foreground_goes_after_its_pods() {
    let retention = json!({"whenDeleted": "Delete", "whenScaled": "Retain"});
    let spec = json!({"replicas": 2, "persistentVolumeClaimRetentionPolicy": retention});
    let mut scene = Scene::of(&spec).all_run();
    let mut set = scene.set();
    set.metadata.deletion_timestamp = Some(time(scene.now));
    scene.world.stateful_sets.put(set);
    let scene = scene.settle();
    assert_eq!(scene.pods(), "0:i- 1:i-");
    let scene = scene.stopped();
    assert!(scene.world.stateful_sets.get(&set_key()).is_none());
    assert_eq!((scene.claims().as_str(), scene.pods().as_str()), ("", ""));
    assert_eq!(scene.world.stateful_sets.revisions_for("default", "set-uid").count(), 0);
}

#[test]
fn a_pod_that_cannot_be_is_said_to_fail() {
    let long = "a".repeat(62);
    let mut scene = Scene::of(&json!({"replicas": 0}));
    let mut set = scene.set();
    set.metadata.name = Some(long.clone());
    set.spec.as_mut().expect("a spec").replicas = Some(1);
    scene.world.stateful_sets.put(set);
    let scene = scene.settle();
    assert_eq!(scene.pods(), "");
    let told = format!(
        "FailedCreate create Pod {long}-0 in StatefulSet {long} failed error: Pod \"{long}-0\" is invalid: [metadata"
    );
    assert!(scene.events.last().is_some_and(|event| event.starts_with(&told)), "{:?}", scene.events);
}

/// Something that happens to a set.
#[derive(Clone, Debug)]
enum Step {
    Scale(i32),
    NewImage(char),
    /// What the kubelet says of one of the pods.
    Says(usize, &'static str, bool),
    Delete(usize),
    Stopped,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..5).prop_map(Step::Scale),
        1 => prop::char::range('i', 'l').prop_map(Step::NewImage),
        6 => (0..5_usize).prop_map(|pod| Step::Says(pod, "Running", true)),
        1 => (0..5_usize).prop_map(|pod| Step::Says(pod, "Running", false)),
        1 => (0..5_usize).prop_map(|pod| Step::Says(pod, "Failed", false)),
        1 => (0..5_usize).prop_map(Step::Delete),
        3 => Just(Step::Stopped),
    ];
    prop::collection::vec(step, 0..40)
}

impl Scene {
    fn ordinal(&self, number: usize) -> Option<i32> {
        let pods: Vec<_> = self.world.live_pods().map(|pod| name(&pod.metadata)[4..].to_owned()).collect();
        pods.get(number % pods.len().max(1))?.parse().ok()
    }

    fn take(mut self, step: &Step) -> Self {
        match step {
            Step::Scale(replicas) => self.scale(*replicas),
            Step::NewImage(image) => self.new_image(&image.to_string()),
            Step::Says(number, phase, ready) => match self.ordinal(*number) {
                Some(ordinal) => self.says(ordinal, phase, *ready),
                None => self,
            },
            Step::Delete(number) => {
                let Some(ordinal) = self.ordinal(*number) else { return self };
                let mut deleted = self.pod(ordinal);
                deleted.metadata.deletion_timestamp = Some(time(self.now));
                self.world.put_pod(deleted);
                self.settle()
            }
            Step::Stopped => self.stopped(),
        }
    }

    /// Somebody restarts what hangs, the kubelet does its work, and nothing else happens.
    fn come_to_rest(mut self) -> Self {
        for _ in 0..40 {
            self = self.stopped();
            let waiting = self.world.live_pods().find(|pod| !is_pod_ready(pod));
            let Some(ordinal) = waiting.and_then(|pod| name(&pod.metadata)[4..].parse().ok()) else {
                continue;
            };
            self = self.runs(ordinal);
        }
        self
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 256 }))]

    /// Deterministic and settling at every step; never two of one name, nobody before his turn; and at the end what was asked for.
    #[test]
    fn whatever_happens_a_set_comes_to_what_it_was_asked_to_be(steps in steps(), parallel in any::<bool>()) {
        let policy = if parallel { "Parallel" } else { "OrderedReady" };
        let mut scene = Scene::of(&json!({"podManagementPolicy": policy}));
        for step in &steps {
            scene = scene.take(step);
        }
        let scene = scene.come_to_rest();
        let spec = scene.set().spec.expect("a spec");
        let image = spec.template.spec.expect("a pod spec").containers[0].image.clone().expect("an image");
        let replicas = spec.replicas.expect("a number");
        let wanted: Vec<String> = (0..replicas).map(|ordinal| format!("{ordinal}:{image}")).collect();
        prop_assert_eq!(scene.pods(), wanted.join(" "));
        let count = Some(replicas).filter(|count| *count > 0);
        prop_assert_eq!(scene.counts(), (replicas, [count, Some(replicas), count, count], true));
    }
}
