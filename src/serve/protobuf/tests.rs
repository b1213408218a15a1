use proptest::prelude::*;

use super::*;

const BODIES: &str = include_str!("../../../tests/data/protobuf-bodies.json");

/// What kubectl has sent, and what the same command prints as JSON.
fn recorded() -> Vec<(String, Vec<u8>, Value)> {
    let recorded: Vec<Value> = serde_json::from_str(BODIES).expect("recorded bodies");
    let one = |one: &Value| {
        let text = |field: &str| one[field].as_str().expect("a text").to_owned();
        (text("command"), BASE64_STANDARD.decode(text("body")).expect("base64"), one["object"].clone())
    };
    recorded.iter().map(one).collect()
}

/// Lists that JSON writes as null where they are empty are in no protobuf.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a short field");
    [&[number << 3 | 2, length], bytes].concat()
}

/// A body of that kind.
fn body(version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let type_meta = [field(1, version.as_bytes()), field(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), field(1, &type_meta), field(2, raw)].concat()
}

fn decoded(version: &str, kind: &str, raw: &[u8]) -> Result<Value, Broken> {
    decode(&body(version, kind, raw), ("", ""))
}

#[test]
fn bodies_of_kubectl_are_what_it_prints() {
    for (command, body, mut wanted) in recorded() {
        let mut object = decode(&body, ("", "")).unwrap_or_else(|error| panic!("{command}: {error}"));
        without_nulls(&mut object);
        without_nulls(&mut wanted);
        assert_eq!(object, wanted, "{command}");
    }
}

#[test]
fn no_message_leads_to_itself() {
    fn depth(message: usize, path: &mut Vec<usize>) -> usize {
        assert!(!path.contains(&message), "message {message} holds itself");
        path.push(message);
        let inner = MESSAGES.fields[message].iter().filter_map(|field| match field.form {
            Form::Message(inner) => Some(inner),
            _ => None,
        });
        let deepest = inner.map(|inner| depth(inner, path)).max().unwrap_or_default();
        path.pop();
        deepest + 1
    }
    let deepest = MESSAGES.kinds.values().map(|message| depth(*message, &mut Vec::new())).max();
    assert_eq!(deepest, Some(13));
}

#[test]
fn every_kind_has_its_fields() {
    for resource in crate::api::kinds::RESOURCES.iter().filter(|resource| !resource.kind.is_derived()) {
        let version = resource.kind.api_version();
        let message = MESSAGES.kinds.get(&(&*version, resource.name));
        let fields = message.map(|message| &MESSAGES.fields[*message]);
        assert!(fields.is_some_and(|fields| fields[0].name == "metadata"), "{}", resource.name);
    }
}

#[test]
fn nothing_means_something_only_where_it_is_set() {
    let with_namespace_and_name = [field(1, b"n"), field(3, b"")].concat();
    let map = decoded("v1", "ConfigMap", &field(1, &with_namespace_and_name)).unwrap();
    assert_eq!(map["metadata"], json!({ "name": "n" }));
    // spec.parallelism, spec.suspend, spec.completionMode; status.active.
    let spec = [&[1 << 3, 0][..], &[10 << 3, 0], &field(9, b"")].concat();
    let job = [field(2, &spec), field(3, &[4 << 3, 0])].concat();
    let job = decoded("batch/v1", "Job", &job).unwrap();
    assert_eq!(job["spec"], json!({ "parallelism": 0, "suspend": false, "completionMode": "" }));
    assert_eq!(job["status"], json!({}));
}

#[test]
fn numbers_times_and_maps() {
    // -1, as ten bytes.
    let minus_one = [&[1 << 3][..], &[0xff; 9], &[1]].concat();
    assert_eq!(decoded("v1", "DeleteOptions", &minus_one).unwrap()["gracePeriodSeconds"], -1);
    assert_eq!(decoded("batch/v1", "Job", &field(2, &minus_one)).unwrap()["spec"]["parallelism"], -1);
    let at = |nanos: u8| field(8, &[1 << 3, 60, 2 << 3, nanos]);
    let map = decoded("v1", "ConfigMap", &field(1, &at(7))).unwrap();
    assert_eq!(map["metadata"]["creationTimestamp"], "1970-01-01T00:01:00Z");
    let event = decoded("events.k8s.io/v1", "Event", &field(2, &[1 << 3, 60])).unwrap();
    assert_eq!(event["eventTime"], "1970-01-01T00:01:00.000000Z");
    // A key without a value, the same key twice, parts of a message.
    let data = [field(2, &field(1, b"a")), field(2, &[field(1, b"b"), field(2, b"1")].concat())].concat();
    let parts = [field(1, &field(1, b"n")), data, field(1, &field(3, b"x"))].concat();
    let map = decoded("v1", "ConfigMap", &parts).unwrap();
    assert_eq!(map["data"], json!({ "a": "", "b": "1" }));
    assert_eq!(map["metadata"], json!({ "name": "n", "namespace": "x" }));
    // Numbers of a list, one by one and at once.
    let values = |bytes: &[u8]| {
        let rule = field(2, &[field(2, b"In"), bytes.to_vec()].concat());
        let job = field(2, &field(11, &field(1, &rule)));
        decoded("batch/v1", "Job", &job).unwrap()["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]
            ["values"]
            .clone()
    };
    assert_eq!(values(&[3 << 3, 1, 3 << 3, 2]), json!([1, 2]));
    assert_eq!(values(&field(3, &[1, 2])), json!([1, 2]));
}

#[test]
fn fields_that_nobody_knows_are_passed_over() {
    let raw =
        [&field(1, &field(1, b"n"))[..], &[15 << 3 | 1, 0, 0, 0, 0, 0, 0, 0, 0], &field(14, b"x")].concat();
    let map = decoded("v1", "ConfigMap", &raw).unwrap();
    assert_eq!(map, json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "n" } }));
}

#[test]
fn a_body_that_says_nothing_is_what_is_wanted() {
    let raw = [MAGIC, &field(2, &field(1, &field(1, b"n")))].concat();
    let map = decode(&raw, ("v1", "ConfigMap")).unwrap();
    assert_eq!((&map["kind"], &map["metadata"]["name"]), (&json!("ConfigMap"), &json!("n")));
    let options = decoded("batch/v1", "DeleteOptions", &field(4, b"Orphan")).unwrap();
    let wanted = json!({ "apiVersion": "batch/v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan" });
    assert_eq!(options, wanted);
}

#[test]
fn broken_bodies_are_told() {
    let told = |body: &[u8]| decode(body, ("v1", "ConfigMap")).unwrap_err().to_string();
    let prefix = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
    assert_eq!(told(b""), prefix);
    assert_eq!(told(b"{}"), prefix);
    let unknown = "no kind \"Gateway\" is registered for version \"x/v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\"";
    assert_eq!(told(&body("x/v1", "Gateway", b"")), unknown);
    let map = |raw: &[u8]| decoded("v1", "ConfigMap", raw).unwrap_err().to_string();
    assert_eq!(map(&[1 << 3 | 2, 5, 0]), "unexpected EOF");
    assert_eq!(map(&[0x80]), "unexpected EOF");
    assert_eq!(map(&[0xff; 11]), "proto: integer overflow");
    assert_eq!(map(&[1 << 3, 1]), "proto: wrong wireType for a field");
    assert_eq!(map(&[1 << 3 | 6]), "proto: illegal wireType 6");
    assert_eq!(map(&[2, 0]), "proto: illegal tag 0 (wire type 2)");
    assert_eq!(map(&field(1, &field(1, b"\xff"))), "a text is not UTF-8");
    let late = [&[1 << 3][..], &[0xff; 8], &[0x7f]].concat();
    assert_eq!(map(&field(1, &field(8, &late))), "a time is in no year from 0 to 9999");
    let revision = decoded("apps/v1", "ControllerRevision", &field(2, &field(1, b"{"))).unwrap_err();
    assert!(revision.to_string().starts_with("json parse error: EOF"), "{revision}");
}

proptest! {
    #[test]
    fn whatever_comes_is_read_or_refused(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        for (version, kind) in MESSAGES.kinds.keys() {
            let _ = decoded_of(version, kind, &raw);
        }
        let _ = decode(&[MAGIC, &raw].concat(), ("batch/v1", "Job"));
    }

    #[test]
    fn a_body_with_other_bytes_is_read_or_refused(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        length in any::<prop::sample::Index>(),
    ) {
        let bodies = recorded();
        let (_, mut body, _) = bodies[which.index(bodies.len())].clone();
        for (at, byte) in changes {
            let at = at.index(body.len());
            body[at] = byte;
        }
        body.truncate(length.index(body.len()) + 1);
        let _ = decode(&body, ("batch/v1", "Job"));
    }
}

fn decoded_of(version: &str, kind: &str, raw: &[u8]) -> Result<Value, Broken> {
    let mut object = Map::new();
    read_message(MESSAGES.kinds[&(version, kind)], raw, &mut object).map(|()| Value::Object(object))
}
