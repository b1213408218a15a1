use std::collections::BTreeSet;

use super::*;

fn batch() -> Value {
    document(&Schema::load(), "batch", "v1")
}

/// All references of a document.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value.as_str().filter(|_| name == "$ref") {
                    Some(reference) => drop(found.insert(reference.to_owned())),
                    None => references(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_a_schema() {
    for one in documents() {
        let document = document(&Schema::load(), one.group, one.version);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(!found.is_empty(), "{}", one.path());
        for reference in found {
            let schema = document.pointer(reference.trim_start_matches('#'));
            assert!(schema.is_some_and(Value::is_object), "{}: {reference}", one.path());
        }
    }
}

#[test]
fn every_kind_is_documented() {
    for resource in RESOURCES {
        let document = document(&Schema::load(), resource.group, resource.versions[0]);
        let kind =
            json!([{ "group": resource.group, "version": resource.versions[0], "kind": resource.name }]);
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let of_kind: Vec<_> =
            schemas.values().filter(|one| one["x-kubernetes-group-version-kind"] == kind).collect();
        assert_eq!(of_kind.len(), 1, "{}", resource.name);
    }
}

#[test]
fn operations_say_what_a_real_server_says() {
    let document = batch();
    let job = &document["paths"]["/apis/batch/v1/namespaces/{namespace}/jobs/{name}"];
    let kind = json!({ "group": "batch", "version": "v1", "kind": "Job" });
    for (method, id) in [
        ("get", "readBatchV1NamespacedJob"),
        ("put", "replaceBatchV1NamespacedJob"),
        ("delete", "deleteBatchV1NamespacedJob"),
        ("patch", "patchBatchV1NamespacedJob"),
    ] {
        let operation = &job[method];
        assert_eq!(operation["operationId"], id);
        assert_eq!(operation["x-kubernetes-action"], method);
        assert_eq!(operation["x-kubernetes-group-version-kind"], kind);
    }
    let parameters: Vec<_> =
        job["patch"]["parameters"].as_array().expect("parameters").iter().map(|one| &one["name"]).collect();
    assert_eq!(parameters, ["dryRun", "fieldManager", "fieldValidation", "force"]);
    let patches: Vec<_> = job["patch"]["requestBody"]["content"].as_object().expect("types").keys().collect();
    assert_eq!(
        patches,
        [
            "application/apply-patch+yaml",
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json"
        ]
    );
    let id = |path: &str, method: &str| document["paths"][path][method]["operationId"].clone();
    assert_eq!(id("/apis/batch/v1/jobs", "get"), "listBatchV1JobForAllNamespaces");
    let jobs = "/apis/batch/v1/namespaces/{namespace}/jobs";
    assert_eq!(id(jobs, "delete"), "deleteBatchV1CollectionNamespacedJob");
    assert_eq!(id(&format!("{jobs}/{{name}}/status"), "get"), "readBatchV1NamespacedJobStatus");
    let core = self::document(&Schema::load(), "", "v1");
    assert_eq!(core["paths"]["/api/v1/namespaces/{name}"]["get"]["operationId"], "readCoreV1Namespace");
    let eviction = &core["paths"]["/api/v1/namespaces/{namespace}/pods/{name}/eviction"]["post"];
    assert_eq!(eviction["x-kubernetes-group-version-kind"]["group"], "policy");
}

#[test]
fn schemas_say_how_they_are_merged() {
    let document = batch();
    let schemas = &document["components"]["schemas"];
    let containers = &schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"];
    for (extension, wanted) in [
        ("x-kubernetes-list-map-keys", json!(["name"])),
        ("x-kubernetes-list-type", json!("map")),
        ("x-kubernetes-patch-merge-key", json!("name")),
        ("x-kubernetes-patch-strategy", json!("merge")),
    ] {
        assert_eq!(containers[extension], wanted, "{extension}");
    }
    for (pointer, wanted) in [
        ("io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector", json!("atomic")),
        ("io.k8s.api.core.v1.PodSpec/properties/nodeSelector", json!("atomic")),
        ("io.k8s.api.core.v1.PodSpec", Value::Null),
    ] {
        let of = schemas.pointer(&format!("/{pointer}")).expect(pointer);
        assert_eq!(of["x-kubernetes-map-type"], wanted, "{pointer}");
    }
    assert_eq!(containers["items"]["$ref"], "#/components/schemas/io.k8s.api.core.v1.Container");
    let job = &schemas["io.k8s.api.batch.v1.JobSpec"]["properties"];
    assert_eq!(job["parallelism"]["format"], "int32");
    assert_eq!(job["completionMode"]["enum"], json!(["Indexed", "NonIndexed"]));
    assert_eq!(
        job["template"]["allOf"][0]["$ref"],
        "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec"
    );
    let rules =
        &schemas["io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement"]["properties"]["values"];
    assert_eq!(
        (&rules["x-kubernetes-list-type"], &rules["items"]["type"]),
        (&json!("set"), &json!("integer"))
    );
}

/// The fields of a message in protobuf: number and bytes.
fn fields(mut bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let varint = |bytes: &mut &[u8]| {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return number;
            }
        }
    };
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (tag, length) = (varint(&mut bytes), varint(&mut bytes));
        // A number stands where others have their length.
        let length = if tag & 7 == 2 { length } else { 0 };
        let (inner, rest) = bytes.split_at(length);
        found.push((tag >> 3, inner));
        bytes = rest;
    }
    found
}

fn inner<'a>(bytes: &'a [u8], path: &[usize]) -> Vec<&'a [u8]> {
    let [first, rest @ ..] = path else { return vec![bytes] };
    let of = fields(bytes).into_iter().filter(|(number, _)| number == first);
    of.flat_map(|(_, bytes)| inner(bytes, rest)).collect()
}

#[test]
fn the_older_document_is_the_same_in_both_forms() {
    let older = older();
    let document: Value = serde_json::from_slice(&gzip::unpack(&older.json)).expect("JSON");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let encoded = gzip::unpack(&older.protobuf);
    let names = |of: &str| -> Vec<&str> {
        document[of].as_object().expect("an object").keys().map(String::as_str).collect()
    };
    let told = |path: &[usize]| -> Vec<&str> {
        inner(&encoded, path).into_iter().map(|bytes| std::str::from_utf8(bytes).expect("UTF-8")).collect()
    };
    assert_eq!(told(&[8, 2, 1]), names("paths"));
    assert_eq!(told(&[9, 1, 1]), names("definitions"));
    // Of the properties of definitions: types, and how lists are merged.
    assert!(told(&[9, 1, 2, 25, 1, 2, 22, 1]).contains(&"integer"));
    assert!(told(&[9, 1, 2, 25, 1, 2, 31, 1]).contains(&"x-kubernetes-patch-merge-key"));
    assert!(told(&[8, 2, 2, 8, 8, 1, 2, 3, 4]).contains(&"fieldValidation"));
    let quantity = &document["definitions"]["io.k8s.apimachinery.pkg.api.resource.Quantity"];
    assert_eq!(quantity["type"], "string");
}

#[test]
fn documents_are_of_what_the_schema_knows() {
    let paths: Vec<String> = documents().iter().map(Document::path).collect();
    assert!(paths.contains(&"apis/batch/v1".into()) && paths.contains(&"api/v1".into()), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("metrics")), "{paths:?}");
}
