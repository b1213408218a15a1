use serde_json::{Value, json};

use super::*;

const ROOT: Identity = Identity { user: 0, group: 0 };
const USER: Identity = Identity { user: 1000, group: 100 };

fn of(pod: &Value, own: &Value, me: Identity) -> Result<Security, String> {
    let spec = json!({"securityContext": pod, "containers": [{"name": "c", "securityContext": own}]});
    let spec: PodSpec = serde_json::from_value(spec).expect("a spec");
    Security::of(&spec, &spec.containers[0], me)
}

#[test]
fn as_whom_a_container_runs() {
    let ids = |pod: Value, own: Value, me| {
        let found = of(&pod, &own, me).expect("a context");
        (found.user, found.group, found.groups, found.not_in_force.join(", "))
    };
    let nothing = || (None, None, None, String::new());
    assert_eq!(ids(json!({}), json!({}), ROOT), nothing());
    assert_eq!(ids(json!({"runAsUser": 0, "runAsGroup": 0}), json!({}), ROOT), nothing());
    assert_eq!(
        ids(json!({"runAsUser": 5, "supplementalGroups": [7], "fsGroup": 8}), json!({"runAsUser": 6}), ROOT),
        (Some(6), Some(6), Some(vec![7, 8]), String::new()),
        "the container's own counts, and no group of root's is kept"
    );
    assert_eq!(
        ids(json!({"runAsUser": 5, "runAsGroup": 9}), json!({}), ROOT),
        (Some(5), Some(9), Some(vec![]), String::new())
    );
    assert_eq!(
        ids(json!({"runAsUser": 1000, "runAsGroup": 100, "fsGroup": 100}), json!({}), USER),
        nothing()
    );
    let (user, group, groups, rest) = ids(
        json!({"runAsUser": 0, "fsGroup": 8}),
        json!({"privileged": true, "capabilities": {"add": ["SYS_TIME"]}}),
        USER,
    );
    assert_eq!((user, group, groups), (Some(0), Some(0), None));
    assert_eq!(rest, "supplementalGroups and fsGroup, privileged, capabilities.add");
}

#[test]
fn who_must_not_be_root_and_would_be_is_refused() {
    let non_root = json!({"runAsNonRoot": true});
    let asked = of(&non_root, &json!({}), ROOT);
    assert_eq!(asked, Err("container has runAsNonRoot and image will run as root".into()));
    let zero = of(&non_root, &json!({"runAsUser": 0}), USER);
    assert_eq!(zero, Err("container's runAsUser breaks non-root policy".into()));
    assert!(of(&non_root, &json!({}), USER).is_ok());
    assert!(of(&non_root, &json!({"runAsUser": 1}), ROOT).is_ok());
    assert!(of(&non_root, &json!({"runAsNonRoot": false}), ROOT).is_ok());
}

#[test]
fn capabilities_are_what_is_left_of_all() {
    let left = |capabilities: Value| {
        let found = of(&json!({}), &json!({"capabilities": capabilities}), ROOT).expect("a context");
        found.capabilities
    };
    assert_eq!(left(json!({"add": ["NET_ADMIN"]})), None);
    assert_eq!(left(json!({"drop": ["ALL"]})), Some(0));
    assert_eq!(left(json!({"drop": ["all"], "add": ["NET_BIND_SERVICE", "CAP_CHOWN"]})), Some(1 << 10 | 1));
    assert_eq!(left(json!({"drop": ["MKNOD", "NO_SUCH"]})), Some(!(1 << 27)));
}

#[test]
fn the_rest_is_a_flag_each() {
    let own = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true});
    let found = of(&json!({}), &own, USER).expect("a context");
    assert!(found.no_new_privileges && found.read_only_root && found.not_in_force.is_empty());
    assert!(!found.needs_user_namespace(USER));
    let other = of(&json!({"runAsUser": 7}), &json!({}), USER).expect("a context");
    assert!(other.needs_user_namespace(USER) && !other.needs_user_namespace(ROOT));
}
