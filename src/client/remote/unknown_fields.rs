//! Fields that our types do not have: they stay in what is sent, for the server to judge.

use serde_json::Value;

/// Adds to `new` what `whole` has beyond `known`, which is what our types make of `whole`.
pub(super) fn add_unknown(new: &mut Value, known: &Value, whole: &Value) {
    match (new, known, whole) {
        (Value::Object(new), Value::Object(known), Value::Object(whole)) => {
            for (name, value) in whole.iter().filter(|(_, value)| !value.is_null()) {
                match (new.get_mut(name), known.get(name)) {
                    (Some(new), Some(known)) => add_unknown(new, known, value),
                    (None, None) => drop(new.insert(name.clone(), value.clone())),
                    _ => {}
                }
            }
        }
        (Value::Array(new), Value::Array(known), Value::Array(whole))
            if new.len() == known.len() && known.len() == whole.len() =>
        {
            for ((new, known), whole) in new.iter_mut().zip(known).zip(whole) {
                add_unknown(new, known, whole);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_types_do_not_have_is_kept() {
        let whole = json!({"kind": "Job", "metadata": {"name": "a", "uid": "u", "later": 1}, "spec": {
            "a": 1, "b": null, "list": [{"name": "x", "new": {"y": []}}], "other": [1]}, "status": {"active": 1}});
        let known = json!({"kind": "Job", "metadata": {"name": "a", "uid": "u"}, "spec": {
            "list": [{"name": "x"}], "other": [1]}, "status": {"active": 1}});
        // What has been taken from it, or changed in it, stays so.
        let mut new =
            json!({"kind": "Job", "metadata": {"name": "b"}, "spec": {"list": [{"name": "x"}], "other": []}});
        add_unknown(&mut new, &known, &whole);
        assert_eq!(
            new,
            json!({"kind": "Job", "metadata": {"name": "b", "later": 1}, "spec": {
                "a": 1, "list": [{"name": "x", "new": {"y": []}}], "other": []}})
        );
    }
}
