//! Labels, annotations and metadata that have a meaning of their own, and short ways to read them.

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};

use super::kinds::Key;

/// Label on every pod of a Job: the Job's name (batch/v1, well-known labels).
pub const LABEL_JOB_NAME: &str = "batch.kubernetes.io/job-name";
/// Label on every pod of a Job: the Job's uid.
pub const LABEL_CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";
/// The older spelling of [`LABEL_JOB_NAME`], still set by the API server.
pub const LABEL_JOB_NAME_LEGACY: &str = "job-name";
/// The older spelling of [`LABEL_CONTROLLER_UID`].
pub const LABEL_CONTROLLER_UID_LEGACY: &str = "controller-uid";
/// Label on every namespace: its name.
pub const LABEL_NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// Label and annotation on every pod of an Indexed Job: its completion index.
pub const COMPLETION_INDEX: &str = "batch.kubernetes.io/job-completion-index";
/// Annotation on a pod of a Job with `backoffLimitPerIndex`: failures of its index before it.
pub const ANNOTATION_INDEX_FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// The same of failures that podFailurePolicy ignored.
pub const ANNOTATION_INDEX_IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";
/// Finalizer of a Job's pod whose end has not been counted into the Job's status yet.
pub const FINALIZER_JOB_TRACKING: &str = "batch.kubernetes.io/job-tracking";
/// Finalizer of an object that waits for its dependents to go (propagation policy Foreground).
pub const FINALIZER_FOREGROUND: &str = "foregroundDeletion";
/// What `apply` was last given.
pub const ANNOTATION_LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The container that `logs` picks without asking.
pub const ANNOTATION_DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// Ours: the directory in which the object was created; containers without `workingDir` start there.
pub const ANNOTATION_WORKING_DIRECTORY: &str = "jobctl.local/working-directory";
/// Ours: PATH of whoever created the object.
pub const ANNOTATION_PATH: &str = "jobctl.local/path";
/// Ours: the variables of a session (HOME, LANG, TZ …) of whoever created the object, as a JSON object.
pub const ANNOTATION_SESSION: &str = "jobctl.local/session";
/// Ours: "true" where a security context that cannot be in force keeps a pod from starting.
pub const ANNOTATION_STRICT: &str = "jobctl.local/strict";
/// Ours: the umask of whoever created the object, in octal.
pub const ANNOTATION_UMASK: &str = "jobctl.local/umask";
/// Ours: the names of the variables that `--pass-env` named, with commas between. Their values are kept apart.
pub const ANNOTATION_PASSED_ENVIRONMENT: &str = "jobctl.local/environment";
/// Ours: under which name these values are kept.
pub const ANNOTATION_PASSED_ENVIRONMENT_ID: &str = "jobctl.local/environment-id";
/// Ours: the ids of the devices that a pod has leased, by resource, as a JSON object. The scheduler writes it.
pub const ANNOTATION_DEVICES: &str = "jobctl.local/devices";
/// Ours: where the items of a sweep are, on the pod template of an Indexed Job ([`super::items`]).
pub const ANNOTATION_ITEMS: &str = "jobctl.local/items";
/// Ours: the Jobs that a Job waits for before it starts ([`super::dependencies`]).
pub const ANNOTATION_AFTER: &str = "jobctl.local/after";
/// Ours: the condition of a Job that waits for others.
pub const CONDITION_WAITING: &str = "jobctl.local/Waiting";
/// Ours: what is run when the Job has failed ([`super::hooks`]).
pub const ANNOTATION_ON_FAILURE: &str = "jobctl.local/on-failure";
/// Ours: what is run when the Job is complete.
pub const ANNOTATION_ON_SUCCESS: &str = "jobctl.local/on-success";
/// Ours: how often a CronJob is to succeed (a Go duration); one that has not for so long counts as failing.
pub const ANNOTATION_EXPECT_EVERY: &str = "jobctl.local/expect-every";
/// Ours: since when a CronJob that counts as failing has not succeeded. Its controller writes it.
pub const ANNOTATION_OVERDUE: &str = "jobctl.local/overdue-since";
/// Ours: the first back-off delay between retries in place of Kubernetes' 10 s (a Go duration).
pub const ANNOTATION_BACKOFF_BASE: &str = "jobctl.local/backoff-base";

/// A [`Time`] of the given moment; the API keeps whole seconds.
pub fn time(at: DateTime<Utc>) -> Time {
    Time(at)
}

/// Marks an object for deletion. The first time is a change of what is wanted of it, which its generation counts.
pub fn set_deletion(meta: &mut ObjectMeta, at: DateTime<Utc>, grace_seconds: i64) {
    if meta.deletion_timestamp.is_none() {
        meta.generation = meta.generation.map(|generation| generation + 1);
    }
    meta.deletion_timestamp = Some(time(at));
    meta.deletion_grace_period_seconds = Some(grace_seconds);
}

/// The key of an object with a name and a namespace.
pub fn key(meta: &ObjectMeta) -> Key {
    Key::new(namespace(meta), name(meta))
}

/// When a CronJob's Job was due, on the Job.
pub const ANNOTATION_SCHEDULED_TIMESTAMP: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// On a Job that was made of a CronJob by hand.
pub const ANNOTATION_INSTANTIATE: &str = "cronjob.kubernetes.io/instantiate";
/// What annotations of our own start with.
pub const OWN_ANNOTATIONS: &str = "jobctl.local/";

/// The name, empty where missing.
pub fn name(meta: &ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

/// The namespace, `default` where missing.
pub fn namespace(meta: &ObjectMeta) -> &str {
    meta.namespace.as_deref().unwrap_or("default")
}

/// The uid, empty where missing.
pub fn uid(meta: &ObjectMeta) -> &str {
    meta.uid.as_deref().unwrap_or_default()
}

/// The value of an annotation.
pub fn annotation<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

/// The value of a label.
pub fn label<'a>(meta: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(key).map(String::as_str)
}

/// The owner that controls the object, if any.
pub fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.as_ref()?.iter().find(|owner| owner.controller == Some(true))
}

/// Whether the finalizer is present.
pub fn has_finalizer(meta: &ObjectMeta, finalizer: &str) -> bool {
    meta.finalizers.as_ref().is_some_and(|all| all.iter().any(|one| one == finalizer))
}

/// Finalizers that jobctl itself takes off, or that hold nothing back here.
const OWN_FINALIZERS: [&str; 5] =
    [FINALIZER_FOREGROUND, FINALIZER_JOB_TRACKING, "orphan", "kubernetes", "kubernetes.io/pvc-protection"];

/// Whether a finalizer is somebody else's: what has one stays when it is deleted, until he takes it off.
pub fn is_foreign_finalizer(finalizer: &str) -> bool {
    !OWN_FINALIZERS.contains(&finalizer)
}

/// Whether somebody holds back the deletion of the object.
pub fn is_held(meta: &ObjectMeta) -> bool {
    meta.finalizers.iter().flatten().any(|finalizer| is_foreign_finalizer(finalizer))
}

/// Removes the finalizer; the list goes when it is empty.
pub fn remove_finalizer(meta: &mut ObjectMeta, finalizer: &str) {
    if let Some(all) = &mut meta.finalizers {
        all.retain(|one| one != finalizer);
        if all.is_empty() {
            meta.finalizers = None;
        }
    }
}
