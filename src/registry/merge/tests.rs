use serde_json::Value;

use super::*;
use crate::registry::json_patch::json_patch;

/// What `kubectl patch --local` (1.32) made of one Job: each case a type, a patch, and a result or an error.
const RECORDED: &str = include_str!("../../../tests/data/patches.json");

#[test]
fn patches_do_what_kubectl_does() {
    let recorded: Value = serde_json::from_str(RECORDED).expect("JSON");
    let object = &recorded["object"];
    for case in recorded["cases"].as_array().expect("cases") {
        let patch = &case["patch"];
        let result = match case["type"].as_str() {
            Some("strategic") => strategic_merge_patch(object, patch),
            Some("merge") => Ok(json_merge_patch(object, patch)),
            _ => json_patch(object, patch),
        };
        match result {
            Ok(result) => assert_eq!(result, case["result"], "{patch}"),
            Err(error) => assert_eq!(error.to_string(), case["error"], "{patch}"),
        }
    }
}
