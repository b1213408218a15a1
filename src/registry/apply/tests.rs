use super::*;

/// The object that `kubectl apply` (1.32) arrives at: each case what was applied last, what is applied, what is stored.
/// Taken from the patch it sends, applied by `kubectl patch --local`.
const RECORDED: &str = include_str!("../../../tests/data/applies.json");

#[test]
fn three_manifests_merge_as_kubectl_merges_them() {
    let recorded: Value = serde_json::from_str(RECORDED).expect("JSON");
    for case in recorded.as_array().expect("cases") {
        let original = Some(&case["original"]).filter(|original| !original.is_null());
        let modified = with_last_applied(&case["modified"]);
        assert_eq!(three_way(original, &modified, &case["current"]), case["result"], "{}", case["sentence"]);
        if let Some(original) = original {
            let annotation = &case["current"]["metadata"]["annotations"][ANNOTATION_LAST_APPLIED];
            assert_eq!(last_applied(original), *annotation);
        }
    }
}

#[test]
fn the_annotation_is_compact_sorted_and_never_holds_itself() {
    let manifest = json!({
        "kind": "Job",
        "apiVersion": "batch/v1",
        "spec": {"template": {"spec": {"containers": [{"name": "a", "args": ["a<b && c>d"]}]}}},
        "metadata": {"namespace": "default", "name": "a1"},
    });
    let expected = concat!(
        r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"annotations":{},"name":"a1","namespace":"default"},"#,
        r#""spec":{"template":{"spec":{"containers":[{"args":["a\u003cb \u0026\u0026 c\u003ed"],"name":"a"}]}}}}"#,
        "\n"
    );
    assert_eq!(last_applied(&manifest), expected);
    let annotated = with_last_applied(&manifest);
    assert_eq!(annotated["metadata"]["annotations"][ANNOTATION_LAST_APPLIED], expected);
    assert_eq!(last_applied(&annotated), expected);
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let manifest = json!({"metadata": {"name": "j"}, "spec": {"parallelism": 1, "list": [{"a": 1.5}]}});
    let stored = with_last_applied(&manifest);
    assert_eq!(three_way(Some(&manifest), &stored, &stored), stored);
}

#[test]
fn a_conflict_is_a_field_to_be_changed_that_somebody_else_has_changed() {
    let original = json!({"spec": {"a": 1, "b": 1, "d": 1, "list": [1],
        "containers": [{"name": "x", "image": "one"}, {"name": "y", "image": "one"}]}});
    let current = json!({"spec": {"a": 2, "b": 2, "c": 3, "d": 4, "list": [1, 2],
        "containers": [{"name": "x", "image": "two", "pull": "Always"}, {"name": "y", "image": "one"}]}});
    for (modified, expected) in [
        (json!({"spec": {"a": 2, "b": 1, "d": 4, "list": [1, 2]}}), vec!["spec.b", "spec.containers"]),
        (
            json!({"spec": {"a": 2, "b": 2, "c": 5, "list": [3]}}),
            vec!["spec.c", "spec.list", "spec.containers", "spec.d"],
        ),
        (
            json!({"spec": {"a": 2, "b": 2, "d": 4, "list": [1, 2],
                "containers": [{"name": "x", "image": "three"}, {"name": "y", "image": "two"}]}}),
            vec!["spec.containers.x.image"],
        ),
    ] {
        assert_eq!(conflicts(Some(&original), &modified, &current), expected, "{modified}");
    }
    assert_eq!(conflicts(None, &json!({"spec": {"a": 1, "z": 1}}), &current), ["spec.a"]);
}
