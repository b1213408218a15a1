mod pods;

use serde_json::{Value, json};

use super::*;
use crate::api::defaults::{set_job_defaults, set_pod_defaults};
use crate::api::meta::{
    LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, LABEL_JOB_NAME, LABEL_JOB_NAME_LEGACY,
};

/// A Job that breaks no rule, with the values at some places replaced (null takes them away).
fn job(changes: &[(&str, Value)]) -> Job {
    let mut manifest = json!({
        "metadata": {"name": "j", "namespace": "default"},
        "spec": {"template": {"metadata": {}, "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox"}],
        }}},
    });
    for (place, value) in changes {
        put(&mut manifest, place, value.clone());
    }
    let mut job = serde_json::from_value(manifest).expect("a Job");
    set_job_defaults(&mut job);
    generate(&mut job);
    job
}

/// What creation adds, in short: `registry` is a room above this one.
fn generate(job: &mut Job) {
    job.metadata.uid = Some("u-1".into());
    let name = name(&job.metadata).to_owned();
    let spec = job.spec.as_mut().expect("a spec");
    if spec.manual_selector == Some(true) {
        return;
    }
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for (key, value) in [
        (LABEL_CONTROLLER_UID, "u-1"),
        (LABEL_CONTROLLER_UID_LEGACY, "u-1"),
        (LABEL_JOB_NAME, &name),
        (LABEL_JOB_NAME_LEGACY, &name),
    ] {
        labels.entry(key.into()).or_insert_with(|| value.into());
    }
    let selector = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selector.entry(LABEL_CONTROLLER_UID.into()).or_insert_with(|| "u-1".into());
}

fn put(manifest: &mut Value, place: &str, value: Value) {
    let (parent, field) = place.rsplit_once('/').expect("a place");
    let parent = manifest.pointer_mut(parent).expect("a parent");
    match parent {
        Value::Array(list) => list.push(value),
        _ => parent[field] = value,
    }
}

fn texts(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

const POD: &str = "/spec/template/spec";
const FIRST: &str = "/spec/template/spec/containers/0";

#[test]
fn a_plain_job_breaks_no_rule() {
    assert_eq!(texts(&validate_job(&job(&[]))), [""; 0]);
    let without_image = job(&[(&format!("{FIRST}/image"), Value::Null)]);
    assert_eq!(texts(&validate_job(&without_image)), [""; 0]);
}

#[test]
fn each_broken_rule_is_named_in_upstreams_words() {
    let subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
         and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    let label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
         start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
         '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    let value = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
         must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
         for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    let at = |field: &str| format!("{FIRST}/{field}");
    let pod = |field: &str| format!("{POD}/{field}");
    let spec = |field: &str| format!("/spec/{field}");
    let container = "spec.template.spec.containers[0]";
    let name_part = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
         alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
         '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    for (place, set, expected) in [
        ("/metadata/namespace".to_owned(), json!("../x"), format!("metadata.namespace: Invalid value: \"../x\": {label}")),
        ("/metadata/labels".into(), json!({"a": "b c"}), format!("metadata.labels: Invalid value: \"b c\": {value}")),
        ("/metadata/annotations".into(),
            json!({"a/b/c": ""}),
            "metadata.annotations: Invalid value: \"a/b/c\": a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')".into(),
        ),
        (spec("parallelism"), json!(-1), "spec.parallelism: Invalid value: -1: must be greater than or equal to 0".into()),
        (spec("backoffLimit"), json!(-2), "spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0".into()),
        (spec("completions"), json!(-1), "spec.completions: Invalid value: -1: must be greater than or equal to 0".into()),
        (spec("ttlSecondsAfterFinished"), json!(-1), "spec.ttlSecondsAfterFinished: Invalid value: -1: must be greater than or equal to 0".into()),
        (spec("activeDeadlineSeconds"), json!(-1), "spec.activeDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0".into()),
        (spec("completionMode"), json!("X"), "spec.completionMode: Unsupported value: \"X\": supported values: \"NonIndexed\", \"Indexed\"".into()),
        (spec("completionMode"), json!("Indexed"), String::new()),
        (spec("podReplacementPolicy"), json!("X"), "spec.podReplacementPolicy: Unsupported value: \"X\": supported values: \"Failed\", \"TerminatingOrFailed\"".into()),
        (spec("managedBy"), json!("me"), "spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as \"acme.io/foo\")".into()),
        (spec("successPolicy"), json!({"rules": []}), "spec.successPolicy: Invalid value: {\"Rules\":[]}: requires indexed completion mode".into()),
        (spec("backoffLimitPerIndex"), json!(1), "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode".into()),
        (spec("managedBy"), json!("a_b/c"), "spec.managedBy: Invalid value: \"a_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".into()),
        (spec("managedBy"), json!("a.io/b c"), "spec.managedBy: Invalid value: \"b c\": Invalid path (e.g. '/path', regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')".into()),
        ("/metadata/ownerReferences".into(), json!([{"apiVersion": "v1", "kind": "Event", "name": "x", "uid": "x"}]), "metadata.ownerReferences: Invalid value: {\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"x\",\"uid\":\"x\"}: /v1, Kind=Event is disallowed from being an owner".into()),
        (pod("preemptionPolicy"), json!("Often"), "spec.template.spec.preemptionPolicy: Unsupported value: \"Often\": supported values: \"PreemptLowerPriority\", \"Never\"".into()),
        (pod("overhead"), json!({"cpu": "-1"}), "spec.template.spec.overhead.limits[cpu]: Invalid value: \"-1\": must be greater than or equal to 0".into()),
        (pod("os"), json!({"name": "beos"}), "spec.template.spec.os: Unsupported value: \"beos\": supported values: \"linux\", \"windows\"".into()),
        (pod("schedulingGates"), json!([{"name": "a.b/c"}, {"name": "a.b/c"}]), "spec.template.spec.schedulingGates[1]: Duplicate value: \"a.b/c\"".into()),
        (pod("readinessGates"), json!([{"conditionType": "a b"}]), format!("spec.template.spec.readinessGates[0].conditionType: Invalid value: \"a b\": name part {name_part}")),
        (pod("topologySpreadConstraints"), json!([{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}, {"maxSkew": 2, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]), "spec.template.spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: \"{z, DoNotSchedule}\"".into()),
        (pod("topologySpreadConstraints"), json!([{"maxSkew": 0, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"}]), "spec.template.spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero".into()),
        (pod("topologySpreadConstraints"), json!([{"maxSkew": 1, "minDomains": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"}]), "spec.template.spec.topologySpreadConstraints[0].minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway".into()),
        (pod("affinity"), json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 200, "podAffinityTerm": {"topologyKey": "z"}}]}}), "spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 200: must be in the range 1-100".into()),
        (pod("affinity"), json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a b"}]}}), format!("spec.template.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Invalid value: \"a b\": name part {name_part}")),
        (pod("hostAliases"), json!([{"ip": "1.2.3.256"}]), "spec.template.spec.hostAliases[0].ip: Invalid value: \"1.2.3.256\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".into()),
        (pod("hostAliases"), json!([{"ip": "010.0.0.1"}, {"ip": "::1"}]), String::new()),
        (pod("dnsConfig"), json!({"options": [{"value": "x"}]}), "spec.template.spec.dnsConfig.options[0]: Required value: must not be empty".into()),
        (pod("dnsConfig"), json!({"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]}), "spec.template.spec.dnsConfig.nameservers: Invalid value: [\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\"]: must not have more than 3 nameservers".into()),
        (pod("dnsConfig"), json!({"searches": ["_tcp.example.com.", "."]}), String::new()),
        (pod("dnsPolicy"), json!("None"), "spec.template.spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None".into()),
        (pod("imagePullSecrets"), json!([{"name": ""}]), String::new()),
        (at("ports"), json!([{"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}, {"containerPort": 81, "hostPort": 8080, "protocol": "TCP"}]), format!("{container}.ports[1].hostPort: Duplicate value: \"TCP//8080\"")),
        (at("ports"), json!([{"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}, {"containerPort": 80, "hostPort": 8080, "protocol": "UDP"}]), String::new()),
        (at("resizePolicy"), json!([{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]), format!("{container}.resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'")),
        (at("resizePolicy"), json!([{"resourceName": "disk", "restartPolicy": "NotRequired"}]), format!("{container}.resizePolicy: Unsupported value: \"disk\": supported values: \"cpu\", \"memory\"")),
        (at("env"), json!([{"name": "A", "valueFrom": {"fieldRef": {"apiVersion": "v2", "fieldPath": "metadata.name"}}}]), format!("{container}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.name\": error converting fieldPath: unsupported pod version: v2")),
        (at("env"), json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a b']"}}}]), format!("{container}.env[0].valueFrom.fieldRef: Invalid value: \"a b\": name part {name_part}")),
        (at("env"), json!([{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "cpu"}}}]), format!("{container}.env[0].valueFrom.resourceFieldRef.resource: Unsupported value: \"cpu\": supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", \"requests.cpu\", \"requests.ephemeral-storage\", \"requests.memory\"")),
        (at("env"), json!([{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}}]), format!("{container}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported with the cpu resource")),
        (at("env"), json!([{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1024Ki"}}}]), String::new()),
        (at("env"), json!([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "a b"}}}]), format!("{container}.env[0].valueFrom.configMapKeyRef.key: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")),
        (at("envFrom"), json!([{"configMapRef": {"name": "a"}, "secretRef": {"name": "b"}}]), format!("{container}.envFrom: Invalid value: \"\": may not have more than one field specified at a time")),
        (at("livenessProbe"), json!({"exec": {"command": ["x"]}, "tcpSocket": {"port": 1}}), format!("{container}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type")),
        (at("livenessProbe"), json!({"exec": {}}), format!("{container}.livenessProbe.exec.command: Required value")),
        (at("livenessProbe"), json!({"tcpSocket": {"port": 99999}}), format!("{container}.livenessProbe.tcpSocket.port: Invalid value: 99999: must be between 1 and 65535, inclusive")),
        (at("livenessProbe"), json!({"grpc": {"port": 0}}), format!("{container}.livenessProbe.grpc.port: Invalid value: 0: must be between 1 and 65535, inclusive")),
        (at("livenessProbe"), json!({"httpGet": {"port": "8080"}}), format!("{container}.livenessProbe.httpGet.port: Invalid value: \"8080\": must contain at least one letter (a-z)")),
        (at("livenessProbe"), json!({"httpGet": {"port": 80, "scheme": "FTP"}}), format!("{container}.livenessProbe.httpGet.scheme: Unsupported value: \"FTP\": supported values: \"HTTP\", \"HTTPS\"")),
        (at("livenessProbe"), json!({"httpGet": {"port": 80, "httpHeaders": [{"name": "", "value": ""}]}}), format!("{container}.livenessProbe.httpGet.httpHeaders: Invalid value: \"\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')")),
        (at("readinessProbe"), json!({"exec": {"command": ["x"]}, "terminationGracePeriodSeconds": 5}), format!("{container}.readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes")),
        (at("lifecycle"), json!({"preStop": {"sleep": {"seconds": 31}}}), format!("{container}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)")),
        (pod("restartPolicy"), json!("Always"), "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"".into()),
        (pod("containers"), json!([]), "spec.template.spec.containers: Required value".into()),
        (pod("activeDeadlineSeconds"), json!(0), "spec.template.spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive".into()),
        (pod("hostname"), json!("a.b"), "spec.template.spec.hostname: Invalid value: \"a.b\": must not contain dots".into()),
        (pod("subdomain"), json!("a_b"), format!("spec.template.spec.subdomain: Invalid value: \"a_b\": {label}")),
        (pod("containers/1"), json!({"name": "c"}), "spec.template.spec.containers[1].name: Duplicate value: \"c\"".into()),
        (pod("initContainers"), json!([{"name": "c"}]), "spec.template.spec.initContainers[0].name: Duplicate value: \"c\"".into()),
        (pod("initContainers"), json!([{"name": "i", "lifecycle": {}}]), "spec.template.spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always".into()),
        (at("name"), json!(""), format!("{container}.name: Required value")),
        (at("name"), json!("C"), format!("{container}.name: Invalid value: \"C\": {label}")),
        (at("image"), json!(" a"), String::new()),
        (at("imagePullPolicy"), json!("x"), format!("{container}.imagePullPolicy: Unsupported value: \"x\": supported values: \"Always\", \"IfNotPresent\", \"Never\"")),
        (at("env"), json!([{"name": "a=b"}]), format!("{container}.env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='")),
        (at("env"), json!([{"name": ""}]), format!("{container}.env[0].name: Required value")),
        (at("env"), json!([{"name": "A", "valueFrom": {}}]), format!("{container}.env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`")),
        (at("env"), json!([{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]), format!("{container}.env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty")),
        (at("env"), json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}}]), String::new()),
        (at("env"), json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}}]), format!("{container}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nope\": error converting fieldPath: field label not supported: spec.nope")),
        (at("env"), json!([{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]), format!("{container}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"")),
        (at("volumeMounts"), json!([{"name": "v", "mountPath": "/v"}]), format!("{container}.volumeMounts[0].name: Not found: \"v\"")),
        (at("ports"), json!([{"containerPort": 70000}]), format!("{container}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive")),
        (at("livenessProbe"), json!({}), format!("{container}.livenessProbe: Required value: must specify a handler type")),
    ] {
        let mut changes = vec![(place.as_str(), set.clone())];
        if set == json!("Indexed") {
            changes.push(("/spec/completions", json!(2)));
        }
        let found = texts(&validate_job(&job(&changes)));
        let expected: Vec<String> = if expected.is_empty() { vec![] } else { vec![expected] };
        assert_eq!(found, expected, "{place} = {set}");
    }
    for name in ["../etc", "A", "a_b", "-a", ""] {
        let found = texts(&validate_job(&job(&[("/metadata/name", json!(name))])));
        let expected = if name.is_empty() {
            "metadata.name: Required value: name or generateName is required".to_owned()
        } else {
            format!("metadata.name: Invalid value: \"{name}\": {subdomain}")
        };
        assert!(found.contains(&expected), "{name}: {found:?}");
    }
}

#[test]
fn resources_are_checked_as_on_a_cluster() {
    let at = "spec.template.spec.containers[0].resources";
    for (set, expected) in [
        (
            json!({"limits": {"cpu": "1500m", "memory": "1Gi"}, "requests": {"cpu": "1.5", "memory": "1e9"}}),
            vec![],
        ),
        (json!({"limits": {"example.com/gpu": 2, "hugepages-2Mi": "4Mi", "cpu": 1}}), vec![]),
        (
            json!({"limits": {"cpu": "1"}, "requests": {"cpu": "1500m"}}),
            vec![format!(
                "{at}.requests: Invalid value: \"1500m\": must be less than or equal to cpu limit of 1"
            )],
        ),
        (
            json!({"requests": {"memory": -5}}),
            vec![format!("{at}.requests[memory]: Invalid value: \"-5\": must be greater than or equal to 0")],
        ),
        (
            json!({"requests": {"foo": 1}}),
            vec![
                format!(
                    "{at}.requests[foo]: Invalid value: \"foo\": must be a standard resource type or fully qualified"
                ),
                format!(
                    "{at}.requests[foo]: Invalid value: \"foo\": must be a standard resource for containers"
                ),
            ],
        ),
        (
            json!({"requests": {"pods": 1}}),
            vec![format!(
                "{at}.requests[pods]: Invalid value: \"pods\": must be a standard resource for containers"
            )],
        ),
        (
            json!({"requests": {"example.com/gpu": 2}}),
            vec![format!("{at}.limits: Required value: Limit must be set for non overcommitable resources")],
        ),
        (
            json!({"limits": {"example.com/gpu": 2}, "requests": {"example.com/gpu": 1}}),
            vec![format!("{at}.requests: Invalid value: \"1\": must be equal to example.com/gpu limit of 2")],
        ),
        (
            json!({"limits": {"example.com/gpu": "500m"}, "requests": {"example.com/gpu": "500m"}}),
            vec![
                format!("{at}.limits[example.com/gpu]: Invalid value: \"500m\": must be an integer"),
                format!("{at}.requests[example.com/gpu]: Invalid value: \"500m\": must be an integer"),
            ],
        ),
        (
            json!({"limits": {"hugepages-2Mi": "4Mi"}}),
            vec![format!("{at}: Forbidden: HugePages require cpu or memory")],
        ),
        (
            json!({"requests": {"cpu": "1x"}}),
            vec![format!("{at}.requests[cpu]: Invalid value: \"1x\": {}", crate::api::quantity::FORMAT)],
        ),
    ] {
        let found = texts(&validate_job(&job(&[(&format!("{FIRST}/resources"), set.clone())])));
        assert_eq!(found, expected, "{set}");
    }
}

#[test]
fn what_a_pod_asks_of_its_node_is_checked() {
    let at = "spec.template.spec.affinity.nodeAffinity";
    let required = format!("{at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    let terms = |terms: Value| json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
    let rule = |rule: Value| terms(json!([{"matchExpressions": [rule]}]));
    let field = |rule: Value| terms(json!([{"matchFields": [rule]}]));
    let expression = format!("{required}[0].matchExpressions[0]");
    let name = format!("{required}[0].matchFields[0]");
    for (set, expected) in [
        (rule(json!({"key": "a", "operator": "Exists"})), String::new()),
        (rule(json!({"key": "a", "operator": "Gt", "values": ["1"]})), String::new()),
        (terms(json!([])), format!("{required}: Required value: must have at least one node selector term")),
        (
            rule(json!({"key": "a", "operator": "Is"})),
            format!("{expression}.operator: Invalid value: \"Is\": not a valid selector operator"),
        ),
        (
            rule(json!({"key": "a", "operator": "In"})),
            format!(
                "{expression}.values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
            ),
        ),
        (
            rule(json!({"key": "a", "operator": "Exists", "values": ["1"]})),
            format!(
                "{expression}.values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            ),
        ),
        (
            rule(json!({"key": "a", "operator": "Lt", "values": ["1", "2"]})),
            format!(
                "{expression}.values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
            ),
        ),
        (field(json!({"key": "metadata.name", "operator": "In", "values": ["n"]})), String::new()),
        (
            field(json!({"key": "spec.x", "operator": "In", "values": ["n"]})),
            format!("{name}.key: Invalid value: \"spec.x\": not a valid field selector key"),
        ),
        (
            field(json!({"key": "metadata.name", "operator": "Exists"})),
            format!("{name}.operator: Invalid value: \"Exists\": not a valid selector operator"),
        ),
        (
            field(json!({"key": "metadata.name", "operator": "NotIn"})),
            format!(
                "{name}.values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            ),
        ),
        (
            json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0, "preference": {}}]}),
            format!(
                "{at}.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100"
            ),
        ),
    ] {
        let affinity = json!({"nodeAffinity": set});
        let found = texts(&validate_job(&job(&[(&format!("{POD}/affinity"), affinity)])));
        let expected: Vec<String> = if expected.is_empty() { vec![] } else { vec![expected] };
        assert_eq!(found, expected, "{set}");
    }
}

#[test]
fn mistakes_are_all_named_at_once() {
    let job = job(&[
        ("/spec/parallelism", json!(-1)),
        ("/spec/template/spec/restartPolicy", json!("Sometimes")),
        ("/spec/template/spec/containers/0/name", json!("")),
    ]);
    assert_eq!(
        texts(&validate_job(&job)),
        [
            "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
            "spec.template.spec.containers[0].name: Required value",
            "spec.template.spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"OnFailure\", \"Never\"",
            "spec.template.spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"OnFailure\", \"Never\"",
        ]
    );
}

#[test]
fn selectors_and_labels_must_be_the_generated_ones() {
    let labels = "{\"batch.kubernetes.io/controller-uid\":\"u-1\",\"batch.kubernetes.io/job-name\":\"j\",\
         \"controller-uid\":\"u-1\",\"job-name\":\"x\"}";
    let mine = job(&[("/spec/template/metadata/labels", json!({"job-name": "x"}))]);
    assert_eq!(
        texts(&validate_job(&mine)),
        [format!("spec.template.metadata.labels[job-name]: Invalid value: {labels}: must be 'j'")]
    );
    let selected = job(&[
        ("/spec/selector", json!({"matchLabels": {"a": "b"}})),
        ("/spec/template/metadata/labels", json!({"a": "b"})),
    ]);
    assert_eq!(
        texts(&validate_job(&selected)),
        [
            "spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"b\",\"batch.kubernetes.io/controller-uid\":\"u-1\"}}: \
          `selector` not auto-generated"
        ]
    );
    let manual = job(&[
        ("/spec/manualSelector", json!(true)),
        ("/spec/selector", json!({"matchLabels": {"a": "b"}})),
        ("/spec/template/metadata/labels", json!({"a": "c"})),
    ]);
    assert_eq!(
        texts(&validate_job(&manual)),
        [
            "spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does not match template `labels`"
        ]
    );
    let missing = job(&[("/spec/manualSelector", json!(true))]);
    assert_eq!(
        texts(&validate_job(&missing)),
        [
            "spec.selector: Required value",
            "spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
        ]
    );
}

#[test]
fn failure_policies_are_judged_rule_by_rule() {
    let rule =
        |rule: Value| texts(&validate_job(&job(&[("/spec/podFailurePolicy", json!({"rules": [rule]}))])));
    let at = "spec.podFailurePolicy.rules[0]";
    for (given, expected) in [
        (json!({"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 2]}}), vec![]),
        (
            json!({"action": "Nope", "onPodConditions": [{"type": "DisruptionTarget"}]}),
            vec![format!(
                "{at}.action: Unsupported value: \"Nope\": supported values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\""
            )],
        ),
        (
            json!({"action": "FailIndex", "onExitCodes": {"operator": "NotIn", "values": [0]}}),
            vec![format!(
                "{at}.action: Invalid value: \"FailIndex\": requires the backoffLimitPerIndex to be set"
            )],
        ),
        (
            json!({"action": "", "onExitCodes": {"operator": "", "values": [2, 1, 1]}}),
            vec![
                format!(
                    "{at}.action: Required value: valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"
                ),
                format!("{at}.onExitCodes.operator: Required value: valid values: [\"In\" \"NotIn\"]"),
                format!("{at}.onExitCodes.values[2]: Duplicate value: 1"),
                format!("{at}.onExitCodes.values: Invalid value: [2,1,1]: must be ordered"),
            ],
        ),
        (
            json!({"action": "Count"}),
            vec![format!(
                "{at}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"
            )],
        ),
    ] {
        assert_eq!(rule(given.clone()), expected, "{given}");
    }
}

#[test]
fn success_policies_count_their_indexes() {
    let rule = |rule: Value| {
        let changes = [
            ("/spec/completionMode", json!("Indexed")),
            ("/spec/completions", json!(5)),
            ("/spec/successPolicy", json!({"rules": [rule]})),
        ];
        texts(&validate_job(&job(&changes)))
    };
    let at = "spec.successPolicy.rules[0]";
    for (given, expected) in [
        (json!({"succeededIndexes": "0,2-4", "succeededCount": 3}), vec![]),
        (
            json!({}),
            vec![format!(
                "{at}: Required value: at least one of succeededCount or succeededIndexes must be specified"
            )],
        ),
        (
            json!({"succeededCount": 6}),
            vec![format!(
                "{at}.succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)"
            )],
        ),
        (
            json!({"succeededIndexes": "0-1", "succeededCount": 3}),
            vec![format!(
                "{at}.succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)"
            )],
        ),
        (
            json!({"succeededIndexes": "5"}),
            vec![format!(
                "{at}.succeededIndexes: Invalid value: \"5\": error parsing succeededIndexes: too large index: \"5\""
            )],
        ),
    ] {
        assert_eq!(rule(given.clone()), expected, "{given}");
    }
}

fn updated(old: &Job, changes: &[(&str, Value)]) -> Job {
    let mut new = serde_json::to_value(old).expect("JSON");
    for (place, value) in changes {
        put(&mut new, place, value.clone());
    }
    let mut new = serde_json::from_value(new).expect("a Job");
    set_job_defaults(&mut new);
    new
}

#[test]
fn only_some_fields_of_a_job_may_change() {
    let suspended = job(&[("/spec/suspend", json!(true))]);
    let mut started = suspended.clone();
    started.status =
        Some(serde_json::from_value(json!({"startTime": "2025-01-01T00:00:00Z"})).expect("a status"));
    let template = "spec.template: Invalid value: {...}: field is immutable";
    for (sentence, old, changes, expected) in [
        ("nothing changes", job(&[]), vec![], vec![]),
        (
            "the mutable ones",
            job(&[]),
            vec![
                ("/spec/parallelism", json!(4)),
                ("/spec/backoffLimit", json!(0)),
                ("/spec/suspend", json!(true)),
                ("/metadata/labels", json!({"a": "b"})),
            ],
            vec![],
        ),
        (
            "completions",
            job(&[]),
            vec![("/spec/completions", json!(5))],
            vec!["spec.completions: Invalid value: 5: field is immutable"],
        ),
        (
            "the mode",
            job(&[]),
            vec![("/spec/completionMode", json!("Indexed"))],
            vec!["spec.completionMode: Invalid value: \"Indexed\": field is immutable"],
        ),
        (
            "the manager",
            job(&[]),
            vec![("/spec/managedBy", json!("a.io/b"))],
            vec!["spec.managedBy: Invalid value: \"a.io/b\": field is immutable"],
        ),
        (
            "a command",
            job(&[]),
            vec![("/spec/template/spec/containers/0/command", json!(["x"]))],
            vec![template],
        ),
        (
            "an empty list is none",
            job(&[]),
            vec![("/spec/template/spec/containers/0/command", json!([]))],
            vec![],
        ),
        (
            "a node selector before the start",
            suspended.clone(),
            vec![("/spec/template/spec/nodeSelector", json!({"a": "b"}))],
            vec![],
        ),
        (
            "a node selector after it",
            started,
            vec![("/spec/template/spec/nodeSelector", json!({"a": "b"}))],
            vec![template],
        ),
        (
            "a command before the start",
            suspended,
            vec![("/spec/template/spec/containers/0/command", json!(["x"]))],
            vec![template],
        ),
    ] {
        assert_eq!(texts(&validate_job_update(&updated(&old, &changes), &old)), expected, "{sentence}");
    }
}

#[test]
fn the_first_difference_of_two_templates_has_a_path() {
    let old = job(&[]);
    for (place, value, expected) in [
        (format!("{FIRST}/command"), json!(["x"]), "spec.template.spec.containers[0].command"),
        (format!("{FIRST}/env"), json!([{"name": "A"}]), "spec.template.spec.containers[0].env"),
        (format!("{POD}/containers/1"), json!({"name": "d"}), "spec.template.spec.containers"),
        (
            "/spec/template/metadata/annotations".into(),
            json!({"a.b/c": "d"}),
            "spec.template.metadata.annotations[a.b/c]",
        ),
        (format!("{POD}/restartPolicy"), json!("OnFailure"), "spec.template.spec.restartPolicy"),
    ] {
        let new = updated(&old, &[(place.as_str(), value)]);
        let json = |job: &Job| serde_json::to_value(job).expect("JSON");
        assert_eq!(first_template_difference(&json(&new), &json(&old)).as_deref(), Some(expected));
    }
}

#[test]
fn a_pod_may_only_end_sooner_and_tolerate_more() {
    let mut old: Pod = serde_json::from_value(json!({
        "metadata": {"name": "p"},
        "spec": {"activeDeadlineSeconds": 10, "containers": [{"name": "c"}], "tolerations": [{"operator": "Exists"}]},
    }))
    .expect("a Pod");
    set_pod_defaults(&mut old);
    assert_eq!(texts(&validate_pod(&old)), [""; 0]);
    for (place, value, expected) in [
        ("/spec/activeDeadlineSeconds", json!(5), None),
        (
            "/spec/activeDeadlineSeconds",
            json!(20),
            Some(
                "spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value",
            ),
        ),
        ("/metadata/labels", json!({"a": "b"}), None),
        (
            "/spec/tolerations",
            json!([]),
            Some(
                "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
            ),
        ),
        (
            "/spec/hostname",
            json!("h"),
            Some(
                "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative); changed: spec.hostname",
            ),
        ),
    ] {
        let mut new = serde_json::to_value(&old).expect("JSON");
        put(&mut new, place, value);
        let new: Pod = serde_json::from_value(new).expect("a Pod");
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(texts(&validate_pod_update(&new, &old)), expected, "{place}");
    }
}

#[test]
fn a_name_that_is_no_dns_label_is_warned_of() {
    assert_eq!(warnings_of_job(&job(&[])), [""; 0]);
    let warnings = warnings_of_job(&job(&[("/metadata/name", json!("a.b"))]));
    assert_eq!(
        warnings,
        [
            "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label \
             is recommended: [must not contain dots]"
        ]
    );
}
