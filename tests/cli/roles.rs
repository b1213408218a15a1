//! `create role`, `clusterrole` and their bindings: what kubectl 1.32 makes of the same words, recorded.

use serde_json::{Value, json};

use crate::common::World;

/// What would be created, without what is the same for all.
fn made(world: &World, words: &str) -> Value {
    let output = world.run(&format!("create {words} --dry-run=client -o json")).success();
    let mut value: Value = serde_json::from_str(&output.stdout).expect("JSON");
    let fields = value.as_object_mut().expect("an object");
    assert_eq!(fields.remove("apiVersion"), Some(json!("rbac.authorization.k8s.io/v1")));
    fields.remove("metadata");
    value
}

#[test]
fn roles_allow_what_is_said_in_a_rule_for_each_group() {
    let world = World::without_background();
    for (words, rules) in [
        (
            "--verb=get --verb=list,watch --resource=deploy,po --resource=jobs.batch,pods/status,pods",
            json!([
                {"apiGroups": [""], "resources": ["pods", "pods/status"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get", "list", "watch"]},
            ]),
        ),
        ("--verb=get --resource='*'", json!([{"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}])),
        (
            "--verb=get --resource='*.apps'",
            json!([{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["get"]}]),
        ),
        (
            "--verb='*,get' --resource=pods --resource-name=a,b --resource-name=a",
            json!([{"apiGroups": [""], "resourceNames": ["a,b", "a"], "resources": ["pods"], "verbs": ["*"]}]),
        ),
        (
            "--verb=bind,escalate --resource=clusterroles",
            json!([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind", "escalate"]}]),
        ),
        (
            "--verb=impersonate --resource=users",
            json!([{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}]),
        ),
    ] {
        for (command, kind) in [("role", "Role"), ("clusterrole", "ClusterRole")] {
            assert_eq!(made(&world, &format!("{command} m {words}")), json!({"kind": kind, "rules": rules}));
        }
    }
    let output = world.run("create role m --verb=foo --resource=pods --dry-run=client -o name");
    output.is(0, "role.rbac.authorization.k8s.io/m\n", "Warning: 'foo' is not a standard resource verb\n");
}

#[test]
fn what_roles_cannot_say_is_refused() {
    let world = World::without_background();
    for (words, told) in [
        ("role m", "error: at least one verb must be specified"),
        ("role m --verb=get", "error: at least one resource must be specified"),
        ("role m --verb=get --resource=nothing", "the server doesn't have a resource type \"nothing\""),
        (
            "role m --verb=get --resource=pods.apps",
            "the server doesn't have a resource type \"pods\" in group \"apps\"",
        ),
        (
            "role m --verb=get --resource=/status",
            "error: resource must be specified if apiGroup/subresource specified",
        ),
        ("role m --verb=bind --resource=pods", "error: can not perform 'bind' on 'pods' in group ''"),
        ("clusterrole m --verb=get", "error: one of resource or nonResourceURL must be specified"),
        (
            "clusterrole m --verb=foo --non-resource-url=/logs",
            "error: invalid verb: 'foo' for nonResourceURL",
        ),
        (
            "clusterrole m --verb=list --resource=pods --non-resource-url=/a",
            "error: invalid verb: 'list' for nonResourceURL",
        ),
        ("clusterrole m --verb=get --non-resource-url=logs", "error: nonResourceURL should start with /"),
        (
            "clusterrole m --aggregation-rule=a=b --verb=get",
            "error: aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
        ),
        (
            "rolebinding b --role=r --clusterrole=c",
            "error: exactly one of clusterrole or role must be specified",
        ),
        ("rolebinding b --role=r --serviceaccount=a:b:c", "error: serviceaccount must be <namespace>:<name>"),
    ] {
        world.run(&format!("create {words} --dry-run=client")).fails_with(&format!("{told}\n"));
    }
}

#[test]
fn cluster_roles_allow_paths_or_have_the_rules_of_others() {
    let world = World::without_background();
    assert_eq!(
        made(
            &world,
            "clusterrole m --verb=get --resource=pods --non-resource-url=/a,/a --non-resource-url='/logs/*'"
        ),
        json!({"kind": "ClusterRole", "rules": [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"nonResourceURLs": ["/a", "/logs/*"], "verbs": ["get"]},
        ]})
    );
    assert_eq!(
        made(&world, "clusterrole m --aggregation-rule=a=b,c=d"),
        json!({"kind": "ClusterRole", "rules": null,
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b", "c": "d"}}]}})
    );
    let created = world.run("create clusterrole m --verb=get --resource=pods").success();
    assert_eq!(created.stdout, "clusterrole.rbac.authorization.k8s.io/m created\n");
}

#[test]
fn bindings_name_a_role_and_who_has_it() {
    let world = World::without_background();
    let subjects = json!([
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "u,v"},
        {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "g"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
    ]);
    let role = |kind| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "x"});
    let who = "--user=u,v --group=g --serviceaccount=n:s";
    for (words, kind, role) in [
        ("clusterrolebinding b --clusterrole=x", "ClusterRoleBinding", role("ClusterRole")),
        ("rolebinding b --clusterrole=x", "RoleBinding", role("ClusterRole")),
        ("rolebinding b --role=x", "RoleBinding", role("Role")),
    ] {
        assert_eq!(made(&world, words), json!({"kind": kind, "roleRef": role}));
        let expected = json!({"kind": kind, "roleRef": role, "subjects": subjects});
        assert_eq!(made(&world, &format!("{words} {who}")), expected);
    }
    let missing = world.run("create clusterrolebinding b");
    missing.fails_with("error: required flag(s) \"clusterrole\" not set\n");
}
