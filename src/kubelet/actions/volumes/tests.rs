use serde_json::{Value, json};

use super::*;
use crate::api::Pod;
use crate::api::resource_field::Amounts;
use crate::controller::Settings;
use crate::kubelet::actions::ConfigObjects;

fn pod(volumes: &Value, mounts: &Value) -> Pod {
    let container = json!({"name": "main", "volumeMounts": mounts, "resources": {"limits": {"cpu": "2"}}});
    serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "space", "uid": "u", "labels": {"b": "2", "a": "one \"two\"\n"}},
        "spec": {"volumes": volumes, "containers": [container]},
    }))
    .expect("a pod")
}

fn config() -> ConfigObjects {
    let mut config = ConfigObjects::default();
    let meta = |name: &str| json!({"name": name, "namespace": "space"});
    let map =
        json!({"metadata": meta("cm"), "data": {"k1": "v1", "k2": "v2"}, "binaryData": {"raw": "AAE="}});
    config.put_config_map(serde_json::from_value(map).expect("a ConfigMap"));
    let secret = json!({"metadata": meta("s"), "data": {"token": "c2VjcmV0"}});
    config.put_secret(serde_json::from_value(secret).expect("a Secret"));
    config
}

fn prepared(volume: Value) -> Result<(VolumeRun, Step), String> {
    let mut volume = volume;
    volume["name"] = json!("v");
    let pod = pod(
        &json!([volume, {"name": "unused", "configMap": {"name": "nope"}}]),
        &json!([{"name": "v", "mountPath": "/m"}]),
    );
    let mut world = World::new(Settings::default());
    let claim = json!({"metadata": {"name": "data", "namespace": "space", "uid": "c-1"}});
    world.put_claim(&serde_json::from_value(claim).expect("a claim"));
    let (config, allocatable) = (config(), Amounts::new());
    let referenced =
        Referenced { pod: &pod, address: "127.16.0.1", config: &config, allocatable: &allocatable };
    let sources = Sources { world: &world, referenced, nfs: &[] };
    match prepare(&sources) {
        Ok(mut all) => {
            assert_eq!(all.len(), 1, "what no container mounts is not prepared");
            Ok(all.remove(0))
        }
        Err(Problem::Mount { volume, why }) => Err(format!("{volume}: {why}")),
        Err(other) => panic!("{other:?}"),
    }
}

/// The files of a volume as `path mode content`, or what keeps it from being made.
fn files(volume: Value) -> String {
    match prepared(volume) {
        Ok((volume, Step::WriteFiles(payload))) => {
            assert!(volume.read_only && volume.place == Place::Pod);
            let files = payload.iter().map(|(path, file)| {
                format!("{path} {:o} {}", file.mode, String::from_utf8_lossy(&file.content).escape_debug())
            });
            files.collect::<Vec<_>>().join(", ")
        }
        Ok(other) => panic!("{other:?}"),
        Err(why) => why,
    }
}

#[test]
fn what_config_maps_secrets_and_fields_become() {
    for (volume, expected) in [
        (json!({"configMap": {"name": "cm"}}), "k1 644 v1, k2 644 v2, raw 644 \\0\\u{1}"),
        (
            json!({"configMap": {"name": "cm", "defaultMode": 0o400, "items": [
                {"key": "k1", "path": "a/b"}, {"key": "k2", "path": "c", "mode": 0o440}]}}),
            "a/b 400 v1, c 440 v2",
        ),
        (json!({"configMap": {"name": "nope"}}), "v: configmap \"nope\" not found"),
        (json!({"configMap": {"name": "nope", "optional": true}}), ""),
        (
            json!({"configMap": {"name": "cm", "items": [{"key": "k3", "path": "x"}]}}),
            "v: configmap references non-existent config key: k3",
        ),
        (json!({"configMap": {"name": "cm", "optional": true, "items": [{"key": "k3", "path": "x"}]}}), ""),
        (json!({"secret": {"secretName": "s"}}), "token 644 secret"),
        (json!({"secret": {"secretName": "t"}}), "v: secret \"t\" not found"),
        (
            json!({"secret": {"secretName": "s", "items": [{"key": "k", "path": "x"}]}}),
            "v: references non-existent secret key: k",
        ),
        (
            json!({"downwardAPI": {"items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "one", "fieldRef": {"fieldPath": "metadata.labels['b']"}},
                {"path": "cpu", "resourceFieldRef": {"containerName": "main", "resource": "limits.cpu"}}]}}),
            "cpu 644 2, labels 644 a=\\\"one \\\\\\\"two\\\\\\\"\\\\n\\\"\\nb=\\\"2\\\", one 644 2",
        ),
        (
            json!({"projected": {"defaultMode": 0o600, "sources": [
                {"configMap": {"name": "cm", "items": [{"key": "k1", "path": "same"}]}},
                {"secret": {"name": "s", "items": [{"key": "token", "path": "same"}]}},
                {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}}]}}),
            "name 600 p, same 600 secret",
        ),
    ] {
        assert_eq!(files(volume.clone()), expected, "{volume}");
    }
}

#[test]
fn where_volumes_lie() {
    let place = |volume: Value| prepared(volume).map(|(volume, step)| (volume.place, step));
    assert_eq!(place(json!({"emptyDir": {}})), Ok((Place::Pod, Step::MakeDirectory)));
    assert_eq!(place(json!({})), Ok((Place::Pod, Step::MakeDirectory)));
    let host = Place::Host("/srv".into());
    assert_eq!(
        place(json!({"hostPath": {"path": "/srv", "type": "Directory"}})),
        Ok((host, Step::CheckHostPath("Directory".into())))
    );
    let (claim, step) = place(json!({"persistentVolumeClaim": {"claimName": "data"}})).expect("a claim");
    assert_eq!((&claim, step), (&Place::Claim("pvc-c-1_space_data".into()), Step::MakeClaim));
    assert_eq!(claim_of_directory("pvc-c-1_space_data"), Some((Key::new("space", "data"), "c-1")));
    assert_eq!(claim_of_directory("lost+found"), None);
    let missing = place(json!({"persistentVolumeClaim": {"claimName": "other"}}));
    assert_eq!(missing, Err("v: persistentvolumeclaim \"other\" not found".into()));
    let run = VolumeRun { name: "v".into(), place: claim, read_only: false, limit: None };
    assert_eq!(
        run.path(Path::new("/data"), Path::new("/pod")),
        Path::new("/data/volumes/pvc-c-1_space_data")
    );
}

#[test]
fn a_mount_says_where_what_and_how_or_is_none_at_all() {
    let volume =
        |name: &str, place| VolumeRun { name: name.into(), place, read_only: name == "config", limit: None };
    let volumes = [volume("host", Place::Host("/srv/data".into())), volume("config", Place::Pod)];
    let env = BTreeMap::from([("DAY".to_owned(), "mon".to_owned())]);
    let mounts = |mounts: Value| {
        let pod = pod(&json!([]), &mounts);
        let container = pod.spec.as_ref().map(|spec| spec.containers[0].clone()).expect("a container");
        match super::mounts(&container, &volumes, &env) {
            Ok(mounts) => mounts
                .iter()
                .map(|one| format!("{}:{} at {} {}", one.volume, one.sub_path, one.path, one.read_only))
                .collect::<Vec<_>>()
                .join(", "),
            Err(problem) => format!("{problem:?}"),
        }
    };
    for (given, expected) in [
        (json!([{"name": "host", "mountPath": "/srv/data/"}]), ""),
        (json!([{"name": "host", "mountPath": "/srv/data", "readOnly": true}]), "0: at /srv/data true"),
        (json!([{"name": "host", "mountPath": "/srv/data", "subPath": "x"}]), "0:x at /srv/data false"),
        (json!([{"name": "config", "mountPath": "/etc/x"}]), "1: at /etc/x true"),
        (
            json!([{"name": "host", "mountPath": "/a/b/c"}, {"name": "config", "mountPath": "/a"}]),
            "1: at /a true, 0: at /a/b/c false",
        ),
        (json!([{"name": "host", "mountPath": "/m", "subPathExpr": "x/$(DAY)"}]), "0:x/mon at /m false"),
        (
            json!([{"name": "host", "mountPath": "/m", "subPathExpr": "$(NIGHT)"}]),
            "Reference(\"missing value for \\\"NIGHT\\\"\")",
        ),
    ] {
        assert_eq!(mounts(given.clone()), expected, "{given}");
    }
}
