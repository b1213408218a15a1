//! The recorded answers of kubectl, and the limits.

use std::time::{Duration, Instant};

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use super::strict::{self, Decoded, TypeError};
use super::*;

fn read(text: &str) -> Vec<Result<Value, String>> {
    let value = |document: Result<Parsed, DecodeError>| document.map(|parsed| parsed.value);
    documents(text.as_bytes()).map(|document| value(document).map_err(|error| error.to_string())).collect()
}

fn read_one(text: &str) -> Result<Value, String> {
    let mut all = read(text);
    assert_eq!(all.len(), 1, "{text:?}: {all:?}");
    all.remove(0)
}

fn problem(text: &str) -> String {
    read_one(text).expect_err(text)
}

#[test]
fn every_recorded_answer_of_kubectl_is_ours() {
    let recorded: Value =
        serde_json::from_str(include_str!("../../../tests/data/yaml-read.json")).expect("recorded answers");
    let rows = recorded["rows"].as_array().expect("rows");
    assert!(rows.len() > 100);
    for row in rows {
        let name = row["name"].as_str().expect("name");
        let answer = read_one(row["yaml"].as_str().expect("yaml"));
        if row.get("error").is_some() {
            assert!(answer.is_err(), "{name}: {answer:?}");
        } else {
            assert_eq!(normal(&answer.expect(name)["spec"]), normal(&row["value"]), "{name}");
        }
    }
}

/// The recording has its numbers from another JSON writer: 60000000 may be written 60000000.0.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => json::float(number.as_f64().unwrap_or_default()),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), normal(value))).collect(),
        other => other.clone(),
    }
}

#[test]
fn problems_are_told_in_the_words_of_kubectl() {
    let recorded: Value =
        serde_json::from_str(include_str!("../../../tests/data/yaml-read.json")).expect("recorded answers");
    // The parsers notice these at different places.
    let other_words = ["d:bad-flow", "d:nullkey", "d:complexkey", "s:{a:", "d:tab-blank", "d:doc-inline"];
    for row in recorded["rows"].as_array().expect("rows") {
        let name = row["name"].as_str().expect("name");
        let Some(error) = row.get("error").and_then(Value::as_str) else { continue };
        if other_words.contains(&name) {
            continue;
        }
        let words = error.rsplit_once(": ").map_or(error, |(_, words)| words).trim();
        let ours = problem(row["yaml"].as_str().expect("yaml"));
        assert!(ours.contains(words), "{name}: {ours:?} has not {words:?}");
    }
}

#[test]
fn a_stream_is_cut_at_its_separators_and_empty_documents_are_skipped() {
    let text =
        "# first\n---\n\na: 1\n--- # second\nb: 2\n---\n# nothing\n---\nnull\n---\n\u{feff}c: 3\n---\n";
    assert_eq!(read(text), [Ok(json!({"a": 1})), Ok(json!({"b": 2})), Ok(json!({"c": 3}))]);
    assert_eq!(read(&text.replace('\n', "\r\n")).len(), 3);
    for empty in ["", "---\n", "# only\n", " \n\n", "\u{feff}", "null"] {
        assert_eq!(read(empty), [], "{empty:?}");
    }
}

#[test]
fn a_bad_document_leaves_the_others_alone_and_its_line_is_the_one_in_the_file() {
    let all = read("a: 1\n---\nb: c: d\n---\ne: 5\n--- {f: 6}\ng: 7\n---\nh: 8\n");
    let problems: Vec<_> = all.iter().filter_map(|document| document.clone().err()).collect();
    assert_eq!(
        problems,
        [
            "error converting YAML to JSON: yaml: line 3: mapping values are not allowed in this context",
            "invalid Yaml document separator: {f: 6} (line 6)",
        ]
    );
    let values: Vec<_> = all.into_iter().filter_map(Result::ok).collect();
    assert_eq!(values, [json!({"a": 1}), json!({"e": 5}), json!({"h": 8})]);
    assert_eq!(documents(b"a: 1\n---\nb: c: d\n").nth(1).and_then(|d| d.err()?.line()), Some(3));
}

#[test]
fn what_follows_the_end_of_a_document_is_not_dropped_in_silence() {
    let all = read("a: 1\n...\nb: 2\n");
    assert_eq!(all[0], Ok(json!({"a": 1})));
    assert!(all[1].as_ref().expect_err("second").contains("line 3: found content after the end"), "{all:?}");
    assert_eq!(read("a: 1\n...\n# bye\n"), [Ok(json!({"a": 1}))]);
}

#[test]
fn json_values_follow_each_other() {
    assert_eq!(read("{\"a\":1} {\"a\":2}\n{\"a\":3}").len(), 3);
    assert_eq!(read("{\"a\":1}\n---\n{\"a\":2}\n---\nb: 1\n").len(), 3);
    assert_eq!(
        read_one("{\"a\":[1e3,1.5,-0,9223372036854775808]}").map(|v| v["a"].to_string()),
        Ok("[1000,1.5,0,9223372036854776000]".to_owned())
    );
    assert_eq!(
        problem("{\n\"a\": 1\n\"b\": 2}"),
        "json: offset 10: invalid character '\"' after object key:value pair"
    );
    let twice = "{\"spec\":{\n\"x\": [{\"y\":1},{\"z\":1,\n\"z\":2}]}}";
    let parsed = documents(twice.as_bytes()).next().expect("a value").expect("it parses");
    assert_eq!(parsed.value["spec"]["x"][1], json!({"z": 2}), "the last counts");
    let told: Vec<String> = parsed.duplicate_fields.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["duplicate field \"spec.x[1].z\""]);
    let all = read("{\"a\":1}\n{\"a\":}\n");
    assert_eq!(all[0], Ok(json!({"a": 1})));
    assert_eq!(
        all[1],
        Err("json: offset 14: invalid character '}' looking for beginning of value".to_owned())
    );
    assert_eq!(all.len(), 2);
}

#[test]
fn kyaml_is_read_with_or_without_its_separator() {
    let text = "{\n  # a comment\n  apiVersion: \"batch/v1\",\n  spec: {\n    list: [\n      1,\n    ],\n    text: \"a\\\n      \\ b\",\n  },\n}\n";
    let expected = json!({"apiVersion": "batch/v1", "spec": {"list": [1], "text": "a b"}});
    assert_eq!(read_one(text), Ok(expected.clone()));
    assert_eq!(read_one(&format!("---\n{text}")), Ok(expected.clone()));
    assert_eq!(read(&format!("---\n{text}---\n{text}")), [Ok(expected.clone()), Ok(expected)]);
}

#[test]
fn duplicate_keys_name_both_lines() {
    let text = "a: 1\nspec:\n  x: 1\n  z: 2\n  x: 3\n";
    let parsed = documents(text.as_bytes()).next().expect("a document").expect("it parses");
    assert_eq!(parsed.value, json!({"a": 1, "spec": {"x": 3, "z": 2}}), "the last counts");
    let told: Vec<String> = parsed.duplicate_fields.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["line 5: key \"x\" already set in map (first at line 3)"]);
}

#[test]
fn a_merge_overrides_what_was_written_before_it() {
    let merged = read_one("a: &x {k: 1}\nv:\n  k: 3\n  <<: *x\nw:\n  <<: *x\n  k: 3\n");
    assert_eq!(merged, Ok(json!({"a": {"k": 1}, "v": {"k": 1}, "w": {"k": 3}})));
}

#[test]
fn a_value_left_out_between_brackets_is_told() {
    for text in ["bar: [a, , b]\n", "foo: {bar: [a, , b]}\n", "a: {b: 1, , c: 2}\n", "a: [, b]\n"] {
        assert_eq!(
            problem(text),
            "error converting YAML to JSON: yaml: line 1: did not find expected node content",
            "{text}"
        );
    }
}

#[test]
fn tabs_are_told_to_be_tabs() {
    for (text, expected) in [
        ("a:\n\tb: 1\n", "line 2: found character that cannot start any token"),
        ("a:\n  b:\n\t- 1\n", "line 3: found character that cannot start any token"),
        ("a:\n\t- 1\n", "line 2: found character that cannot start any token"),
        ("a: 1\n\t\nb: 2\n", "line 2: found a tab character that violates indentation"),
        ("a:\n  b: 1\n\tc: 2\n", "line 3: found a tab character that violates indentation"),
    ] {
        assert!(problem(text).ends_with(expected), "{text:?}: {}", problem(text));
    }
    assert_eq!(read_one("a: |\n  x\n  \ty\n"), Ok(json!({"a": "x\n\ty\n"})));
    assert_eq!(read_one("a: \"x\n\ty\"\n"), Ok(json!({"a": "x y"})));
}

#[test]
fn what_only_yaml_1_1_allows_is_read() {
    assert_eq!(read_one("a: \"it\\'s\"\n"), Ok(json!({"a": "it's"})));
    assert_eq!(read_one("a: [cat, -]\n"), Ok(json!({"a": ["cat", "-"]})));
    assert_eq!(read_one("a:\n  b: \"x\ny\n\n z\"\n"), Ok(json!({"a": {"b": "x y\nz"}})));
    assert_eq!(
        read_one("a: !!binary aGVsbG8=\nb: ! 12\nc: !!float 3\n"),
        Ok(json!({"a": "hello", "b": "12", "c": 3}))
    );
}

#[test]
fn what_yaml_1_1_reads_differently_is_refused() {
    assert!(problem("{a: 1, b:}\n").contains("line 1: found a ':' that is not followed by a space"));
    assert!(problem("a: {b: http://x/?c=d}\n").contains("did not find expected ','"));
    assert_eq!(read_one("a: http://x/?c=d\n"), Ok(json!({"a": "http://x/?c=d"})));
    assert!(problem("{a\n b: 1}\n").contains("did not find expected ',' or '}'"));
    assert!(problem("a: &b:c d\n").contains("did not find expected alphabetic or numeric character"));
    assert!(problem("a: \"\\/\"\n").contains("found unknown escape character"));
    assert!(problem("a: \"\\ud83d\\ude00\"\n").contains("found invalid Unicode character escape code"));
}

#[test]
fn text_in_other_encodings() {
    let utf16: Vec<u8> = "\u{feff}a: ü\n---\nb: 1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        documents(&utf16).map(|document| document.map(|parsed| parsed.value)).collect::<Result<Vec<_>, _>>(),
        Ok(vec![json!({"a": "ü"}), json!({"b": 1})])
    );
    let bad: Vec<_> = documents(b"a: 1\nb: \"\xff\"\n").collect();
    assert_eq!(bad.len(), 1);
    assert!(bad[0].as_ref().is_err_and(|error| error.line() == Some(2)), "{bad:?}");
}

#[test]
fn billion_laughs_are_refused_quickly() {
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (from, to) in ('a'..'i').zip('b'..='i') {
        bomb.push_str(&format!("{to}: &{to} [{}]\n", vec![format!("*{from}"); 9].join(",")));
    }
    let started = Instant::now();
    assert!(problem(&bomb).contains("excessive aliasing"), "{}", problem(&bomb));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1_000].join(","));
    assert!(problem(&long).contains("excessive aliasing"));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(problem("a: &a [*a]\n").contains("anchor 'a' value contains itself"));
}

#[test]
fn an_honest_list_of_many_jobs_with_aliases_passes() {
    let mut list = "apiVersion: v1\nkind: List\nx: &t {spec: {restartPolicy: Never, containers: [{name: a, image: b, command: [sh, -c, 'echo hi']}]}}\nitems:\n".to_owned();
    for index in 0..5_000 {
        list.push_str(&format!(
            "- {{apiVersion: batch/v1, kind: Job, metadata: {{name: j{index}}}, spec: {{template: *t}}}}\n"
        ));
    }
    let objects = flatten(parsed(read_one(&list).expect("list")));
    assert_eq!(objects.len(), 5_000);
}

#[test]
fn nesting_is_bounded_and_costs_no_stack() {
    let nested = |depth: usize| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    assert!(read_one(&nested(MAX_DEPTH - 1)).is_ok());
    assert!(problem(&nested(MAX_DEPTH + 1)).contains("exceeded max depth of 1000"));
    let started = Instant::now();
    assert!(problem(&"[".repeat(200_000)).contains("exceeded max depth"));
    assert!(
        problem(&"{a: ".repeat(50_000)).contains("exceeded max depth"),
        "{}",
        problem(&"{a: ".repeat(50_000))
    );
    assert!(problem(&format!("{}x", "- ".repeat(100_000))).contains("exceeded max depth"));
    problem(&"{\"a\":".repeat(100_000));
    assert!(read_one(&format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200))).is_ok());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let object =
        read_one(&format!("apiVersion: batch/v1\nkind: Job\nb{}", nested(MAX_DEPTH - 1))).expect("deep");
    assert_eq!(decode_job(&object).map(|decoded| decoded.unknown_fields), Ok(vec!["ba".to_owned()]));
}

#[test]
fn a_manifest_past_the_limit_is_refused() {
    let bytes = vec![b' '; MAX_MANIFEST_BYTES + 1];
    let all: Vec<_> = documents(&bytes).collect();
    assert_eq!(all.len(), 1);
    assert_eq!(
        all[0].as_ref().map_err(ToString::to_string),
        Err("manifest is larger than 64 MiB".to_owned())
    );
}

#[test]
fn memory_is_bounded_where_little_text_makes_much_of_it() {
    let mut budget = budget::Budget::default();
    let taken = (0..10_000_000).take_while(|_| budget.take_map().is_ok()).count();
    assert!((500_000..1_000_000).contains(&taken), "{taken} maps");
    let refused = budget.take_map().expect_err("exhausted");
    assert_eq!(refused.message(), "document takes more than 512 MiB in memory");
}

#[test]
fn kinds_are_read_and_missing_ones_told() {
    let meta = |value: Value| type_meta(&value).map_err(|error| error.to_string());
    assert_eq!(
        meta(json!({"apiVersion": "batch/v1", "kind": "Job"})),
        Ok(TypeMeta { api_version: "batch/v1".to_owned(), kind: "Job".to_owned() })
    );
    assert_eq!(
        meta(json!({"kind": "Job"})),
        Ok(TypeMeta { api_version: String::new(), kind: "Job".to_owned() })
    );
    assert_eq!(
        meta(json!({"apiVersion": "batch/v1"})),
        Err("Object 'Kind' is missing in '{\"apiVersion\":\"batch/v1\"}'".to_owned())
    );
    assert_eq!(
        meta(json!([1])),
        Err("json: cannot unmarshal array into Go value of type unstructured.detector".to_owned())
    );
}

#[test]
fn lists_are_flattened() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"kind": "A"},
        {"apiVersion": "v1", "kind": "List", "items": [{"kind": "B"}]},
        {"apiVersion": "batch/v1", "kind": "JobList", "items": [{"metadata": {}}]},
    ]});
    assert_eq!(
        flatten(parsed(list)).into_iter().map(|object| object.value).collect::<Vec<_>>(),
        [
            json!({"kind": "A"}),
            json!({"kind": "B"}),
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {}})
        ]
    );
    assert_eq!(flatten(parsed(json!({"kind": "Job", "items": []}))).len(), 1);
    for empty in [json!({"kind": "List", "items": []}), json!({"kind": "List"}), json!({"kind": "JobList"})] {
        assert_eq!(flatten(parsed(empty)), []);
    }
}

fn parsed(value: Value) -> Parsed {
    Parsed { value, duplicate_fields: Vec::new() }
}

#[test]
fn fields_given_twice_are_told_with_their_paths_and_the_last_counts() {
    let yaml = "kind: List\nitems:\n- kind: A\n  spec:\n    x: [{k: 1}, {k: 1, k: 2}]\n  spec: {z: 1}\n- kind: B\n  a: 1\n  a: 2\nkind: List\n";
    let json = r#"{"kind":"List","items":[{"kind":"A","spec":{"x":[{"k":1},{"k":1,"k":2}]},"spec":{"z":1}},
        {"kind":"B","a":1,"a":2}],"kind":"List"}"#;
    for text in [yaml, json] {
        let document = documents(text.as_bytes()).next().expect("a document").expect("readable");
        let found: Vec<(Value, Vec<String>)> = flatten(document)
            .into_iter()
            .map(|object| {
                let mut paths: Vec<String> =
                    object.duplicate_fields.into_iter().map(|duplicate| duplicate.path).collect();
                paths.sort();
                (object.value, paths)
            })
            .collect();
        let paths = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                (json!({"kind": "A", "spec": {"z": 1}}), paths(&["kind", "spec", "spec.x[1].k"])),
                (json!({"kind": "B", "a": 2}), paths(&["a"])),
            ],
            "{text}"
        );
    }
}

fn decode_job(value: &Value) -> Result<Decoded<Job>, TypeError> {
    strict::from_value(value)
}

fn job(fields: &str) -> Result<Decoded<Job>, TypeError> {
    let text = format!("apiVersion: batch/v1\nkind: Job\n{fields}");
    decode_job(&read_one(&text).expect("yaml"))
}

#[test]
fn all_unknown_fields_are_found_with_their_paths() {
    let decoded = job("metadata: {name: a, labels: {any: x}, creationTimestamp: null}\nspec:\n  foo: 1\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: a\n        comand: [x]\n        env: [{name: A, valu: b}]\n        resources: {limits: {cpu: 0.5, memory: 1, any: 2Gi}}\n").expect("job");
    assert_eq!(
        decoded.unknown_fields,
        [
            "spec.foo",
            "spec.template.spec.containers[0].comand",
            "spec.template.spec.containers[0].env[0].valu"
        ]
    );
    let meta = TypeMeta { api_version: "batch/v1".to_owned(), kind: "Job".to_owned() };
    assert_eq!(
        strict::strict_decoding_error(&meta, &["unknown field \"spec.foo\"".to_owned()]),
        "Job in version \"v1\" cannot be handled as a Job: strict decoding error: unknown field \"spec.foo\""
    );
    let object = serde_json::to_value(&decoded.object).expect("json");
    let limits = &object["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"];
    assert_eq!(limits, &json!({"cpu": "500m", "memory": "1", "any": "2Gi"}));
}

#[test]
fn wrong_types_are_told_as_go_does() {
    let pod = |container: &str| format!("spec: {{template: {{spec: {{containers: [{container}]}}}}}}\n");
    let rows: Vec<(String, &str, &str)> = vec![
        (
            "spec: {completions: \"x\"}\n".to_owned(),
            "spec.completions",
            "json: cannot unmarshal string into Go struct field JobSpec.spec.completions of type int32",
        ),
        (
            pod("{name: c, terminationMessagePolicy: [x]}"),
            "spec.template.spec.containers[0].terminationMessagePolicy",
            "json: cannot unmarshal array into Go struct field \
             Container.spec.template.spec.containers.terminationMessagePolicy of type v1.TerminationMessagePolicy",
        ),
        (
            pod("{name: c, securityContext: {capabilities: {add: x}}}"),
            "spec.template.spec.containers[0].securityContext.capabilities.add",
            "json: cannot unmarshal string into Go struct field \
             Capabilities.spec.template.spec.containers.securityContext.capabilities.add of type []v1.Capability",
        ),
        (
            pod("{name: c, securityContext: {capabilities: {add: [1]}}}"),
            "spec.template.spec.containers[0].securityContext.capabilities.add[0]",
            "json: cannot unmarshal number into Go struct field \
             Capabilities.spec.template.spec.containers.securityContext.capabilities.add of type v1.Capability",
        ),
        (
            "metadata: {creationTimestamp: yesterday}\n".to_owned(),
            "metadata.creationTimestamp",
            "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\"",
        ),
        (
            "spec: {completions: 1.5}\n".to_owned(),
            "spec.completions",
            "json: cannot unmarshal number 1.5 into Go struct field JobSpec.spec.completions of type int32",
        ),
        (
            "spec: {completions: 3000000000}\n".to_owned(),
            "spec.completions",
            "json: cannot unmarshal number 3000000000 into Go struct field JobSpec.spec.completions of type int32",
        ),
        (
            "spec: {completions: true}\n".to_owned(),
            "spec.completions",
            "json: cannot unmarshal bool into Go struct field JobSpec.spec.completions of type int32",
        ),
        (
            "metadata: {name: n}\n".to_owned(),
            "metadata.name",
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string",
        ),
        (
            "metadata: {labels: {a: 5}}\n".to_owned(),
            "metadata.labels.a",
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            pod("{name: 5}"),
            "spec.template.spec.containers[0].name",
            "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.name of type string",
        ),
        (
            pod("{args: [a, 5]}"),
            "spec.template.spec.containers[0].args[1]",
            "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.args of type string",
        ),
        (
            pod("{args: x}"),
            "spec.template.spec.containers[0].args",
            "json: cannot unmarshal string into Go struct field Container.spec.template.spec.containers.args of type []string",
        ),
        (
            pod("{env: {a: b}}"),
            "spec.template.spec.containers[0].env",
            "json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.env of type []v1.EnvVar",
        ),
        (
            pod("x"),
            "spec.template.spec.containers[0]",
            "json: cannot unmarshal string into Go struct field PodSpec.spec.template.spec.containers of type v1.Container",
        ),
        (
            pod("{env: [{name: a, value: 5}]}"),
            "spec.template.spec.containers[0].env[0].value",
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string",
        ),
        (
            pod("{ports: [{containerPort: x}]}"),
            "spec.template.spec.containers[0].ports[0].containerPort",
            "json: cannot unmarshal string into Go struct field ContainerPort.spec.template.spec.containers.ports.containerPort of type int32",
        ),
        (
            pod("{livenessProbe: {httpGet: {port: {a: b}}}}"),
            "spec.template.spec.containers[0].livenessProbe.httpGet.port",
            "json: cannot unmarshal object into Go struct field HTTPGetAction.spec.template.spec.containers.livenessProbe.httpGet.port of type int32",
        ),
        (
            pod("{resources: {limits: {cpu: true}}}"),
            "spec.template.spec.containers[0].resources.limits.cpu",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            pod("{resources: {limits: x}}"),
            "spec.template.spec.containers[0].resources.limits",
            "json: cannot unmarshal string into Go struct field ResourceRequirements.spec.template.spec.containers.resources.limits of type v1.ResourceList",
        ),
        (
            "spec: x\n".to_owned(),
            "spec",
            "json: cannot unmarshal string into Go struct field Job.spec of type v1.JobSpec",
        ),
    ];
    for (fields, path, problem) in rows {
        let error = job(&fields).expect_err(&fields);
        assert_eq!((error.path.as_str(), error.problem.as_str()), (path, problem), "{fields}");
        assert_eq!(error.to_string(), format!("Job in version \"v1\" cannot be handled as a Job: {problem}"));
    }
}

#[test]
fn null_elements_are_what_go_makes_of_them() {
    let map = read_one("apiVersion: v1\nkind: ConfigMap\ndata:\n  A:\n  B: b\nmetadata: {labels: {x: }}\n")
        .expect("yaml");
    let decoded: Decoded<ConfigMap> = strict::from_value(&map).expect("config map");
    assert_eq!(serde_json::to_value(&decoded.object.data).ok(), Some(json!({"A": "", "B": "b"})));
    assert!(
        job("spec: {template: {spec: {containers: [{name: a, args: [null, x], resources: null}]}}}\n")
            .is_ok()
    );
}

#[test]
fn a_bad_time_is_told() {
    let error = job("metadata: {creationTimestamp: x}\n").expect_err("time");
    assert_eq!(error.path, "metadata.creationTimestamp");
    let other = decode_job(&json!({"apiVersion": "v1", "kind": "Job"})).expect_err("version");
    assert!(other.to_string().contains("batch/v1"), "{other}");
}
