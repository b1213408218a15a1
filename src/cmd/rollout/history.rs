//! The revisions of a StatefulSet: listing them, showing one, and which one to go back to.

use k8s_openapi::api::core::v1::PodTemplateSpec;

use crate::api::meta::{controller_of, uid};
use crate::api::{ControllerRevision, StatefulSet};
use crate::printers;

const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// The revisions of a set, the oldest first.
pub(super) fn of_set<'a>(set: &StatefulSet, all: &'a [ControllerRevision]) -> Vec<&'a ControllerRevision> {
    let is_own = |revision: &&ControllerRevision| {
        controller_of(&revision.metadata).is_some_and(|owner| owner.uid == uid(&set.metadata))
    };
    let mut own: Vec<_> = all.iter().filter(is_own).collect();
    own.sort_by_key(|revision| revision.revision);
    own
}

/// All revisions, a line for each.
pub(super) fn listing(revisions: &[&ControllerRevision]) -> String {
    let cells: Vec<(String, &str)> = revisions
        .iter()
        .map(|one| {
            let cause = one.metadata.annotations.as_ref().and_then(|all| all.get(CHANGE_CAUSE));
            let cause = cause.map(String::as_str).filter(|cause| !cause.is_empty());
            (one.revision.to_string(), cause.unwrap_or("<none>"))
        })
        .collect();
    let width = cells.iter().map(|(number, _)| number.len()).max().unwrap_or_default().max("REVISION".len());
    let line = |number: &str, cause: &str| format!("{number:width$}  {cause}\n");
    let lines: String = cells.iter().map(|(number, cause)| line(number, cause)).collect();
    line("REVISION", "CHANGE-CAUSE") + &lines
}

/// The template of one revision.
///
/// # Errors
/// No such revision.
pub(super) fn template(revisions: &[&ControllerRevision], number: i64) -> Result<String, &'static str> {
    let revision = revisions.iter().find(|one| one.revision == number);
    let template =
        revision.and_then(|one| template_of(one)).ok_or("unable to find the specified revision")?;
    Ok(printers::describe::pod_template(&template))
}

/// The template that a revision stands for.
pub(super) fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let mut template = revision.data.as_ref()?.0["spec"]["template"].clone();
    template.as_object_mut()?.remove("$patch");
    serde_json::from_value(template).ok()
}

/// The revision to go back to: the one asked for, or with 0 the last but one.
///
/// # Errors
/// There is none such.
pub(super) fn target<'a>(
    revisions: &[&'a ControllerRevision],
    number: i64,
) -> Result<&'a ControllerRevision, String> {
    if number == 0 {
        let before_last = revisions.len().checked_sub(2).map(|at| revisions[at]);
        return before_last.ok_or_else(|| "no last revision to roll back to".to_owned());
    }
    let found = revisions.iter().find(|one| one.revision == number);
    found.copied().ok_or_else(|| format!("unable to find specified revision {number} in history"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn revision(number: i64, owner: &str, cause: &str) -> ControllerRevision {
        serde_json::from_value(json!({
            "metadata": {"name": format!("web-{number}"), "annotations": {CHANGE_CAUSE: cause}, "ownerReferences":
                [{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web", "uid": owner, "controller": true}]},
            "revision": number,
            "data": {"spec": {"template": {"$patch": "replace", "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]}}}}
        }))
        .expect("a revision")
    }

    #[test]
    fn revisions_are_listed_as_kubectl_lists_them() {
        let all = [revision(10, "u1", ""), revision(1, "u1", "because"), revision(2, "other", "")];
        let set: StatefulSet = serde_json::from_value(json!({"metadata": {"uid": "u1"}})).expect("a set");
        let own = of_set(&set, &all);
        assert_eq!(listing(&own), "REVISION  CHANGE-CAUSE\n1         because\n10        <none>\n");
        assert_eq!(
            template(&own, 10).as_deref(),
            Ok(
                "Pod Template:\n  Labels:\tapp=web\n  Containers:\n   c:\n    Image:\ti\n    Port:\t<none>\n    Host \
                Port:\t<none>\n    Environment:\t<none>\n    Mounts:\t<none>\n  Volumes:\t<none>\n  \
                Node-Selectors:\t<none>\n  Tolerations:\t<none>\n"
            )
        );
        assert_eq!(template(&own, 2), Err("unable to find the specified revision"));
        assert_eq!(target(&own, 0).map(|one| one.revision), Ok(1));
        assert_eq!(target(&own, 10).map(|one| one.revision), Ok(10));
        assert_eq!(
            target(&own, 7).map(|one| one.revision),
            Err("unable to find specified revision 7 in history".to_owned())
        );
        assert_eq!(
            target(&own[..1], 0).map(|one| one.revision),
            Err("no last revision to roll back to".to_owned())
        );
    }
}
