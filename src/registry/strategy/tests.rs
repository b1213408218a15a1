//! The rules of the kinds beside Jobs, as objects meet them: defaulted, prepared, judged.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::api::kinds::Kind;
use crate::registry::object::Object;

/// The object that a request would store, before it is judged.
fn prepared(kind: Kind, body: &Value) -> Object {
    let mut manifest = body.clone();
    manifest["apiVersion"] = json!(kind.api_version());
    manifest["kind"] = json!(kind.as_str());
    if !manifest["metadata"].is_object() {
        manifest["metadata"] = json!({"name": "x"});
    }
    let mut object = Object::decode(kind, &manifest).expect("a kind").expect("an object").object;
    object.set_defaults();
    object.prepare_for_create("u-1", DateTime::UNIX_EPOCH);
    object
}

fn problems(kind: Kind, body: &Value) -> Vec<String> {
    prepared(kind, body).validate().iter().map(ToString::to_string).collect()
}

/// What is wrong with changing one object into another.
fn problems_of_update(kind: Kind, old: &Value, new: &Value) -> Vec<String> {
    let (old, mut new) = (prepared(kind, old), prepared(kind, new));
    new.prepare_for_update(&old).iter().map(ToString::to_string).collect()
}

fn assert_problems(cases: &[(Kind, Value, &[&str])]) {
    for (kind, body, expected) in cases {
        assert_eq!(problems(*kind, body), *expected, "{kind} {body}");
    }
}

const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or \
                   'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

#[test]
fn data_has_good_keys_and_what_its_type_wants() {
    let long = "x".repeat(1 << 20);
    assert_problems(&[
        (Kind::ConfigMap, json!({"data": {"a": "1", "B_-.c": ""}}), &[]),
        (
            Kind::ConfigMap,
            json!({"data": {"..": "1", "a b": "2"}}),
            &[
                "data[..]: Invalid value: \"..\": must not be '..'",
                &format!("data[a b]: Invalid value: \"a b\": {KEY}"),
            ],
        ),
        (Kind::ConfigMap, json!({"data": {"a": long}}), &[]),
        (
            Kind::ConfigMap,
            json!({"data": {"a": long}, "binaryData": {"b": "AA=="}}),
            &["[]: Too long: may not be more than 1048576 bytes"],
        ),
        (Kind::Secret, json!({"type": "mine", "data": {"a": "MQ=="}}), &[]),
        (
            Kind::Secret,
            json!({"type": "kubernetes.io/service-account-token"}),
            &["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
        ),
        (Kind::Secret, json!({"type": "kubernetes.io/basic-auth", "stringData": {"password": ""}}), &[]),
        (
            Kind::Secret,
            json!({"type": "kubernetes.io/ssh-auth", "stringData": {"ssh-privatekey": ""}}),
            &["data[ssh-privatekey]: Required value"],
        ),
        (
            Kind::Secret,
            json!({"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "{"}}),
            &[
                "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": unexpected end of JSON input",
            ],
        ),
    ]);
}

#[test]
fn data_that_is_immutable_stays() {
    let fixed = json!({"data": {"a": "MQ=="}, "immutable": true});
    for kind in [Kind::ConfigMap, Kind::Secret] {
        assert_eq!(problems_of_update(kind, &fixed, &fixed), [""; 0]);
        assert_eq!(
            problems_of_update(kind, &fixed, &json!({"data": {"a": "Mg=="}})),
            [
                "immutable: Forbidden: field is immutable when `immutable` is set",
                "data: Forbidden: field is immutable when `immutable` is set"
            ]
        );
    }
    let typed = json!({"type": "a"});
    assert_eq!(
        problems_of_update(Kind::Secret, &typed, &json!({"type": "b"})),
        ["type: Invalid value: \"b\": field is immutable"]
    );
}

#[test]
fn text_of_a_secret_wins_over_its_bytes() {
    let object = prepared(Kind::Secret, &json!({"data": {"a": "MQ=="}, "stringData": {"a": "2"}}));
    let value = object.to_value().expect("JSON");
    assert_eq!(
        (&value["data"], &value["type"], &value["stringData"]),
        (&json!({"a": "Mg=="}), &json!("Opaque"), &Value::Null)
    );
}

#[test]
fn services_have_ports_addresses_and_policies_that_fit_their_type() {
    let port = json!([{"port": 80}]);
    assert_problems(&[
        (Kind::Service, json!({"spec": {"ports": port, "selector": {"a": ""}}}), &[]),
        (
            Kind::Service,
            json!({"spec": {"ports": port, "type": "Local"}}),
            &["spec.type: Unsupported value: \"Local\": supported values: \"ClusterIP\", \"ExternalName\", \
               \"LoadBalancer\", \"NodePort\""],
        ),
        (
            Kind::Service,
            json!({"spec": {"ports": port, "clusterIP": "x"}}),
            &[
                "spec.clusterIPs[0]: Invalid value: \"x\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
            ],
        ),
        (
            Kind::Service,
            json!({"spec": {"ports": port, "clusterIP": "1.2.3.4", "clusterIPs": ["1.2.3.5"]}}),
            &["spec.clusterIPs: Invalid value: [\"1.2.3.5\"]: first value must match `clusterIP`"],
        ),
        (
            Kind::Service,
            json!({"spec": {"ports": port, "externalIPs": ["127.0.0.1", "1.1.1.1"]}}),
            &[
                "spec.externalIPs[0]: Invalid value: \"127.0.0.1\": may not be in the loopback range (127.0.0.0/8, ::1/128)",
            ],
        ),
        (Kind::Service, json!({"spec": {"type": "ExternalName"}}), &["spec.externalName: Required value"]),
        (
            Kind::Service,
            json!({"spec": {"ports": port, "externalTrafficPolicy": "Local", "loadBalancerSourceRanges": ["1.0.0.0/8"]}}),
            &[
                "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
                "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services",
            ],
        ),
        (
            Kind::Service,
            json!({"spec": {"type": "NodePort", "ports": [
                {"name": "a", "port": 80, "nodePort": 30000}, {"name": "b", "port": 81, "nodePort": 30000}]}}),
            &["spec.ports[1].nodePort: Duplicate value: 30000"],
        ),
        (
            Kind::Service,
            json!({"spec": {"ports": port, "sessionAffinity": "Cookie"}}),
            &[
                "spec.sessionAffinity: Unsupported value: \"Cookie\": supported values: \"ClientIP\", \"None\"",
            ],
        ),
    ]);
    let affine = prepared(Kind::Service, &json!({"spec": {"ports": port, "sessionAffinity": "ClientIP"}}));
    let spec = affine.to_value().expect("JSON")["spec"].clone();
    assert_eq!(spec["sessionAffinityConfig"], json!({"clientIP": {"timeoutSeconds": 10800}}));
    assert_eq!(spec["ports"], json!([{"port": 80, "protocol": "TCP", "targetPort": 80}]));
}

#[test]
fn a_service_that_changes_its_type_loses_what_the_old_one_had() {
    let old = json!({"spec": {"type": "NodePort", "clusterIP": "1.2.3.4", "clusterIPs": ["1.2.3.4"],
        "ports": [{"port": 80, "nodePort": 30001}]}});
    let changed = |new: Value| {
        let (old, mut new) = (prepared(Kind::Service, &old), prepared(Kind::Service, &new));
        assert!(new.prepare_for_update(&old).is_empty());
        new.to_value().expect("JSON")["spec"].clone()
    };
    let same = changed(json!({"spec": {"type": "NodePort", "ports": [{"port": 80}]}}));
    assert_eq!((&same["clusterIP"], &same["ports"][0]["nodePort"]), (&json!("1.2.3.4"), &json!(30001)));
    let external =
        changed(json!({"spec": {"type": "ExternalName", "externalName": "a.b", "clusterIP": "1.2.3.4",
        "clusterIPs": ["1.2.3.4"], "ports": [{"port": 80, "nodePort": 30001}]}}));
    assert_eq!((&external["clusterIP"], &external["ports"][0]["nodePort"]), (&Value::Null, &Value::Null));
    let moved = json!({"spec": {"ports": [{"port": 80}], "clusterIP": "1.2.3.5", "clusterIPs": ["1.2.3.4"]}});
    assert_eq!(
        problems_of_update(Kind::Service, &old, &moved),
        ["spec.clusterIPs[0]: Invalid value: [\"1.2.3.5\"]: may not change once set"]
    );
}

#[test]
fn claims_ask_for_a_size_and_know_their_modes() {
    let sized = |spec: Value| {
        let mut whole =
            json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
        for (field, value) in spec.as_object().expect("fields") {
            whole[field] = value.clone();
        }
        json!({"spec": whole})
    };
    assert_problems(&[
        (Kind::PersistentVolumeClaim, sized(json!({})), &[]),
        (
            Kind::PersistentVolumeClaim,
            sized(json!({"accessModes": ["ReadWriteTwice"]})),
            &[
                "spec.accessModes: Unsupported value: \"ReadWriteTwice\": supported values: \"ReadOnlyMany\", \
               \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
            ],
        ),
        (
            Kind::PersistentVolumeClaim,
            sized(json!({"dataSource": {"kind": "VolumeSnapshot", "name": ""}})),
            &[
                "spec.dataSource.name: Required value",
                "spec.dataSource: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the \
                 default apiGroup",
                "spec.dataSourceRef.name: Required value",
                "spec.dataSourceRef: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing \
                 the default apiGroup",
            ],
        ),
    ]);
    let bound = |size: &str| json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, "volumeName": "v"}});
    let update = |new: &Value| {
        let mut old = prepared(Kind::PersistentVolumeClaim, &bound("2Gi"));
        if let Object::PersistentVolumeClaim(claim) = &mut old {
            super::persistent_volume_claim::bind(claim);
        }
        let mut new = prepared(Kind::PersistentVolumeClaim, new);
        new.prepare_for_update(&old).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(update(&bound("3Gi")), [""; 0]);
    assert_eq!(
        update(&bound("1Gi")),
        ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"]
    );
}

#[test]
fn limits_and_quotas_hang_together() {
    assert_problems(&[
        (
            Kind::LimitRange,
            json!({"spec": {"limits": [{"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}]}}),
            &[
                "spec.limits[0].min[cpu]: Invalid value: \"2\": min value 2 is greater than max value 1",
                "spec.limits[0].defaultRequest[cpu]: Invalid value: \"1\": min value 2 is greater than default request \
                 value 1",
                "spec.limits[0].default[cpu]: Invalid value: \"2\": min value 2 is greater than default value 1",
            ],
        ),
        (
            Kind::LimitRange,
            json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "1"}}, {"type": "Pod", "max": {"frobs": "1"}}]}}),
            &[
                "spec.limits[1].type: Duplicate value: \"Pod\"",
                "spec.limits[1].max[frobs]: Invalid value: \"frobs\": must be a standard resource type or fully qualified",
                "spec.limits[1].max[frobs]: Invalid value: \"frobs\": must be a standard resource for containers",
            ],
        ),
        (
            Kind::LimitRange,
            json!({"spec": {"limits": [{"type": "Pod", "min": {"cpu": "1"}, "max": {"cpu": "2"},
                "maxLimitRequestRatio": {"cpu": "3"}}]}}),
            &[
                "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than max/min = 2.000000",
            ],
        ),
        (
            Kind::ResourceQuota,
            json!({"spec": {"hard": {"pods": "1500m", "frobs": "1", "memory": "-1"}}}),
            &[
                "spec.hard[frobs]: Invalid value: \"frobs\": must be a standard resource for quota",
                "spec.hard[memory]: Invalid value: \"-1\": must be greater than or equal to 0",
                "spec.hard[pods]: Invalid value: \"1500m\": must be an integer",
            ],
        ),
        (
            Kind::ResourceQuota,
            json!({"spec": {"hard": {"memory": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}}),
            &[
                "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: unsupported scope applied to resource",
                "spec.scopes: Invalid value: [\"BestEffort\",\"NotBestEffort\"]: conflicting scopes",
            ],
        ),
        (
            Kind::ResourceQuota,
            json!({"spec": {"scopeSelector": {"matchExpressions": [
                {"scopeName": "PriorityClass", "operator": "In"}]}}}),
            &[
                "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is \
               'In' or 'NotIn' for scope selector",
            ],
        ),
    ]);
}

#[test]
fn roles_and_bindings_say_what_and_who() {
    let rbac = "rbac.authorization.k8s.io";
    assert_problems(&[
        (
            Kind::Role,
            json!({"metadata": {"name": "a/b%c"}}),
            &[
                "metadata.name: Invalid value: \"a/b%c\": may not contain '/'",
                "metadata.name: Invalid value: \"a/b%c\": may not contain '%'",
            ],
        ),
        (Kind::Role, json!({"metadata": {"name": "system:a b"}}), &[]),
        (Kind::ClusterRole, json!({"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]}), &[]),
        (
            Kind::ClusterRole,
            json!({"aggregationRule": {}, "rules": [{"verbs": [], "apiGroups": [""], "resources": ["pods"]}]}),
            &[
                "rules[0].verbs: Required value: verbs must contain at least one value",
                "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if \
                 aggregationRule is non-nil",
            ],
        ),
        (
            Kind::ClusterRoleBinding,
            json!({"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "ServiceAccount", "name": "s"}]}),
            &[
                "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"",
                "subjects[0].namespace: Required value",
            ],
        ),
    ]);
    let binding = |role: &str| json!({"roleRef": {"kind": "Role", "name": role}});
    assert_eq!(
        problems_of_update(Kind::RoleBinding, &binding("a"), &binding("b")),
        [format!(
            "roleRef: Invalid value: {{\"APIGroup\":\"{rbac}\",\"Kind\":\"Role\",\"Name\":\"b\"}}: cannot change roleRef"
        )]
    );
}

#[test]
fn classes_and_policies_keep_to_their_words() {
    assert_problems(&[
        (
            Kind::PriorityClass,
            json!({"metadata": {"name": "system-mine"}, "value": 1}),
            &[
                "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. \
               error: system-mine is not a known system priority class",
            ],
        ),
        (Kind::PriorityClass, json!({"value": 1_000_000_000}), &[]),
        (
            Kind::NetworkPolicy,
            json!({"spec": {"podSelector": {}, "egress": [{"ports": [{"port": "http", "endPort": 2}, {"endPort": 3}]}]}}),
            &[
                "spec.egress[0].ports[0].endPort: Invalid value: 2: may not be specified when `port` is non-numeric",
                "spec.egress[0].ports[1].endPort: Invalid value: 3: may not be specified when `port` is not specified",
            ],
        ),
        (
            Kind::NetworkPolicy,
            json!({"spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0"}}]}]}}),
            &[
                "spec.ingress[0].from[0].ipBlock.cidr: Invalid value: \"10.0.0.0\": must be a valid CIDR value, (e.g. \
               10.9.8.0/24 or 2001:db8::/64)",
            ],
        ),
    ]);
    assert_eq!(
        problems_of_update(
            Kind::PriorityClass,
            &json!({"value": 1}),
            &json!({"value": 2, "preemptionPolicy": "Never"})
        ),
        [
            "value: Forbidden: may not be changed in an update.",
            "preemptionPolicy: Invalid value: \"Never\": field is immutable"
        ]
    );
    let egress = prepared(Kind::NetworkPolicy, &json!({"spec": {"podSelector": {}, "egress": [{}]}}));
    assert_eq!(egress.to_value().expect("JSON")["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
}

#[test]
fn a_stateful_set_keeps_what_its_pods_depend_on() {
    let set = |changes: &[(&str, Value)]| {
        let mut body = json!({"spec": {
            "serviceName": "s", "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        }});
        for (field, value) in changes {
            body["spec"][field] = value.clone();
        }
        body
    };
    let kind = Kind::StatefulSet;
    assert_problems(&[
        (kind, set(&[]), &[]),
        (
            kind,
            set(&[("updateStrategy", json!({"type": "Sometimes"}))]),
            &[
                "spec.updateStrategy: Invalid value: {\"Type\":\"Sometimes\",\"RollingUpdate\":null}: must be \
               'RollingUpdate' or 'OnDelete'",
            ],
        ),
    ]);
    for (field, value) in
        [("replicas", json!(5)), ("minReadySeconds", json!(5)), ("revisionHistoryLimit", json!(1))]
    {
        assert_eq!(problems_of_update(kind, &set(&[]), &set(&[(field, value)])), [""; 0], "{field}");
    }
    for (field, value) in [("serviceName", json!("t")), ("podManagementPolicy", json!("Parallel"))] {
        let problems = problems_of_update(kind, &set(&[]), &set(&[(field, value)]));
        assert!(
            problems.len() == 1 && problems[0].starts_with("spec: Forbidden: updates to statefulset"),
            "{problems:?}"
        );
    }
    let refused = |body: &Value| -> Vec<String> {
        prepared(kind, body).findings(body).refused.iter().map(ToString::to_string).collect()
    };
    assert_eq!(refused(&set(&[])), [""; 0]);
    assert_eq!(
        refused(&set(&[("selector", json!({"matchLabels": {}}))])),
        ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"]
    );
    assert_eq!(
        refused(&set(&[("selector", Value::Null)])),
        [
            "spec.selector: Required value",
            "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`"
        ]
    );
    let warned = prepared(kind, &set(&[("revisionHistoryLimit", json!(-1))]));
    assert_eq!(warned.warnings().len(), 1);
}

#[test]
fn fields_of_a_wrong_type_are_named_as_the_server_names_them() {
    let problem = |kind: Kind, body: Value| {
        let mut manifest = body;
        manifest["apiVersion"] = json!(kind.api_version());
        manifest["kind"] = json!(kind.as_str());
        let error = Object::decode(kind, &manifest).expect("a kind").expect_err("a mistake");
        error.problem
    };
    let field = |found: &str, field: &str, type_: &str| {
        format!("json: cannot unmarshal {found} into Go struct field {field} of type {type_}")
    };
    for (kind, body, expected) in [
        (
            Kind::Service,
            json!({"spec": {"selector": {"a": true}}}),
            field("bool", "ServiceSpec.spec.selector", "string"),
        ),
        (
            Kind::Service,
            json!({"spec": {"ports": [{"port": "80"}]}}),
            field("string", "ServicePort.spec.ports.port", "int32"),
        ),
        (
            Kind::Service,
            json!({"spec": {"type": 5}}),
            field("number", "ServiceSpec.spec.type", "v1.ServiceType"),
        ),
        (Kind::Secret, json!({"data": {"a": 5}}), field("number", "Secret.data", "[]uint8")),
        (Kind::Secret, json!({"type": 5}), field("number", "Secret.type", "v1.SecretType")),
        (
            Kind::LimitRange,
            json!({"spec": {"limits": [{"type": 5}]}}),
            field("number", "LimitRangeItem.spec.limits.type", "v1.LimitType"),
        ),
        (
            Kind::Role,
            json!({"rules": [{"verbs": "get"}]}),
            field("string", "PolicyRule.rules.verbs", "[]string"),
        ),
        (
            Kind::PersistentVolumeClaim,
            json!({"spec": {"accessModes": "ReadWriteOnce"}}),
            field("string", "PersistentVolumeClaimSpec.spec.accessModes", "[]v1.PersistentVolumeAccessMode"),
        ),
    ] {
        assert_eq!(problem(kind, body), expected);
    }
    let quantity = json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "x"}}]}});
    assert!(problem(Kind::LimitRange, quantity).starts_with("quantities must match the regular expression"));
}

#[test]
fn namespaces_carry_their_name_and_are_active() {
    let namespace = prepared(Kind::Namespace, &json!({"metadata": {"name": "n", "labels": {"a": "b"}}}));
    let value = namespace.to_value().expect("JSON");
    assert_eq!(value["metadata"]["labels"], json!({"a": "b", "kubernetes.io/metadata.name": "n"}));
    assert_eq!(
        (&value["spec"], &value["status"]),
        (&json!({"finalizers": ["kubernetes"]}), &json!({"phase": "Active"}))
    );
}
