use chrono::{TimeZone as _, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn by<'a>(manager: &'a str, second: i64) -> Request<'a> {
    let now = Utc.timestamp_opt(second, 0).single().expect("a time");
    Request { kind: Kind::ConfigMap, manager, of_status: false, now }
}

fn job_by<'a>(manager: &'a str, second: i64) -> Request<'a> {
    Request { kind: Kind::Job, ..by(manager, second) }
}

fn config(data: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": data })
}

/// `MANAGER OPERATION FIELDS` of each entry.
fn told_of(entries: &[ManagedFieldsEntry]) -> Vec<String> {
    let of = |entry: &ManagedFieldsEntry| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = entry.fields_v1.as_ref().map(|fields| fields.0.to_string()).unwrap_or_default();
        format!("{} {} {fields}", text(&entry.manager), text(&entry.operation))
    };
    entries.iter().map(of).collect()
}

/// A server: an object that is applied to.
#[derive(Default)]
struct Live {
    value: Option<Value>,
    entries: Vec<ManagedFieldsEntry>,
    second: i64,
}

impl Live {
    fn apply(&mut self, manager: &str, data: &Value, force: bool) -> Result<(), ApplyError> {
        self.second += 1;
        let object = config(data);
        let applied =
            super::apply(&by(manager, self.second), self.value.as_ref(), &object, &self.entries, force)?;
        self.value = Some(applied.value);
        self.entries = applied.entries;
        Ok(())
    }

    fn data(&self) -> Value {
        self.value.as_ref().map(|value| value["data"].clone()).unwrap_or_default()
    }
}

#[test]
fn what_is_applied_is_shared_taken_and_taken_back() {
    let mut live = Live::default();
    live.apply("one", &json!({"a": "1", "b": "1"}), false).expect("applied");
    assert_eq!(told_of(&live.entries), [r#"one Apply {"f:data":{"f:a":{},"f:b":{}}}"#]);
    let conflict = FieldConflict { manager: "\"one\"".into(), path: ".data.a".into() };
    let refused = live.apply("two", &json!({"a": "2"}), false).expect_err("a conflict");
    assert_eq!(refused, ApplyError::Conflicts(vec![conflict]));
    live.apply("two", &json!({"a": "1"}), false).expect("the same value is shared");
    live.apply("two", &json!({"a": "2"}), true).expect("taken by force");
    assert_eq!(
        told_of(&live.entries),
        [r#"one Apply {"f:data":{"f:b":{}}}"#, r#"two Apply {"f:data":{"f:a":{}}}"#]
    );
    live.apply("one", &json!({"b": "2"}), false).expect("applied");
    assert_eq!(live.data(), json!({"a": "2", "b": "2"}));
    live.apply("two", &json!({}), false).expect("applied");
    assert_eq!(live.data(), json!({"b": "2"}));
    live.apply("one", &json!({}), false).expect("applied");
    assert!(live.entries.iter().all(|entry| !format!("{entry:?}").contains("f:b")), "{:?}", live.entries);
}

#[test]
fn updates_take_fields_and_the_first_apply_meets_what_was_before() {
    let old = config(&json!({"a": "1", "b": "1"}));
    let stored = created(&by("maker", 1), &old, &[]);
    assert_eq!(told_of(&stored), [r#"maker Update {"f:data":{".":{},"f:a":{},"f:b":{}}}"#]);
    let new = config(&json!({"a": "2", "c": "1"}));
    let stored = updated(&by("changer", 2), &old, &new, &stored, &[]);
    assert_eq!(
        told_of(&stored),
        [r#"maker Update {"f:data":{}}"#, r#"changer Update {"f:data":{"f:a":{},"f:c":{}}}"#]
    );
    assert_eq!(updated(&by("changer", 3), &new, &new, &stored, &stored), stored, "nothing changes");
    assert!(updated(&by("changer", 3), &new, &new, &stored, &[ManagedFieldsEntry::default()]).is_empty());
    assert!(updated(&by("changer", 3), &old, &new, &[], &[]).is_empty(), "nobody keeps account");
    let refused = super::apply(&by("one", 3), Some(&new), &config(&json!({"a": "3"})), &[], false);
    let conflict =
        FieldConflict { manager: "\"before-first-apply\" using v1".into(), path: ".data.a".into() };
    assert_eq!(refused, Err(ApplyError::Conflicts(vec![conflict])));
}

#[test]
fn lists_are_owned_and_merged_by_their_keys() {
    let job = |containers: Value| {
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "j" },
            "spec": { "template": { "spec": { "containers": containers } } } })
    };
    let env = |name: &str, value: &str| json!({ "name": name, "value": value });
    let mine =
        job(json!([{ "name": "c", "image": "i", "args": ["x"], "env": [env("A", "1"), env("B", "1")] }]));
    let first = super::apply(&job_by("one", 1), None, &mine, &[], false).expect("applied");
    assert_eq!(
        told_of(&first.entries),
        [concat!(
            r#"one Apply {"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"c\"}":{".":{},"#,
            r#""f:args":{},"f:env":{"k:{\"name\":\"A\"}":{".":{},"f:name":{},"f:value":{}},"#,
            r#""k:{\"name\":\"B\"}":{".":{},"f:name":{},"f:value":{}}},"f:image":{},"f:name":{}}}}}}}"#
        )]
    );
    let theirs =
        job(json!([{ "name": "c", "env": [env("C", "1"), env("B", "1")] }, { "name": "d", "image": "i" }]));
    let second =
        super::apply(&job_by("two", 2), Some(&first.value), &theirs, &first.entries, false).expect("applied");
    let containers = &second.value["spec"]["template"]["spec"]["containers"];
    let names = |list: &Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .map(|one| one["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(names(containers), ["c", "d"]);
    assert_eq!(names(&containers[0]["env"]), ["A", "C", "B"]);
    // What one gives up goes, unless the other has it too.
    let less = job(json!([{ "name": "c", "image": "i" }]));
    let third =
        super::apply(&job_by("one", 3), Some(&second.value), &less, &second.entries, false).expect("applied");
    let containers = &third.value["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        (names(&containers[0]["env"]), &containers[0]["args"]),
        (vec!["C".into(), "B".into()], &Value::Null)
    );
}

#[test]
fn what_is_no_object_of_the_kind_is_named() {
    let object = json!({ "apiVersion": "batch/v1", "kind": "Job", "bogus": 1, "spec": { "parallelism": "x",
        "template": { "spec": { "containers": [{ "name": "c" }, { "name": "c", "x": 1 }] } } } });
    let Err(ApplyError::Problems(told)) = super::apply(&job_by("one", 1), None, &object, &[], false) else {
        panic!("applied")
    };
    assert_eq!(
        told,
        "errors:\n  .bogus: field not declared in schema\n  .spec.parallelism: expected numeric (int or float), got \"x\"\n  \
         .spec.template.spec.containers: duplicate entries for key [name=\"c\"]\n  \
         .spec.template.spec.containers[name=\"c\"].x: field not declared in schema"
    );
}

#[test]
fn of_many_updaters_the_oldest_become_one() {
    let mut value = config(&json!({}));
    let mut entries = Vec::new();
    for second in 0..14 {
        let mut next = value.clone();
        next["data"][format!("k{second}")] = json!("v");
        let manager = format!("m{second}");
        entries = match second {
            0 => created(&by(&manager, 0), &next, &[]),
            _ => updated(&by(&manager, second), &value, &next, &entries, &[]),
        };
        value = next;
    }
    assert_eq!(entries.len(), MOST_UPDATERS);
    assert_eq!(entries[0].manager.as_deref(), Some(ANCIENT));
    let all = entries::read(&entries).expect("entries");
    let all = all.values().fold(FieldSet::default(), |all, managed| all.union(&managed.set));
    assert_eq!(all.paths().len(), 15, "no field is lost: {:?}", all.paths());
}

fn data() -> impl Strategy<Value = Value> {
    let pairs = prop::collection::btree_map("[a-d]", "[0-2]", 0..4);
    pairs.prop_map(|pairs| json!(pairs))
}

fn containers() -> impl Strategy<Value = Value> {
    let env = prop::collection::btree_map("[A-C]", "[0-2]", 0..3);
    let env =
        env.prop_map(|env| env.iter().map(|(name, value)| json!({"name": name, "value": value})).collect());
    let one = (env, prop::option::of("[x-z]")).prop_map(|(env, image): (Vec<Value>, _)| (env, image));
    prop::collection::btree_map("[a-c]", one, 1..4).prop_map(|all| {
        let of = |(name, (env, image)): (String, (Vec<Value>, Option<String>))| {
            let mut container = json!({ "name": name });
            if !env.is_empty() {
                container["env"] = json!(env);
            }
            if let Some(image) = image {
                container["image"] = json!(image);
            }
            container
        };
        let list: Vec<Value> = all.into_iter().map(of).collect();
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "j" },
            "spec": { "template": { "spec": { "containers": list } } } })
    })
}

fn set_of(job: &Value) -> FieldSet {
    walk::field_set(job, &Type::Object("Job"))
}

proptest! {
    #[test]
    fn sets_are_sets(one in containers(), other in containers(), third in containers()) {
        let (one, other, third) = (set_of(&one), set_of(&other), set_of(&third));
        prop_assert_eq!(one.union(&other), other.union(&one));
        prop_assert_eq!(one.intersection(&other), other.intersection(&one));
        prop_assert_eq!(one.union(&other).union(&third), one.union(&other.union(&third)));
        prop_assert_eq!(&one.union(&one), &one);
        prop_assert!(one.difference(&one).is_empty());
        prop_assert!(one.difference(&other).intersection(&other).is_empty());
        prop_assert_eq!(&one.difference(&other).union(&one.intersection(&other)), &one);
        prop_assert_eq!(one.union(&other).difference(&other), one.difference(&other));
        prop_assert_eq!(FieldSet::from_value(&one.to_value()), Some(one));
    }

    #[test]
    fn removing_and_comparing_agree(one in containers(), other in containers()) {
        let of = Type::Object("Job");
        let difference = walk::compare(&one, &other, &of);
        prop_assert_eq!(walk::compare(&one, &one, &of), Comparison::default());
        let back = walk::compare(&other, &one, &of);
        prop_assert_eq!(&difference.added, &back.removed);
        prop_assert_eq!(&difference.modified, &back.modified);
        let merged = walk::merge(Some(&one), Some(&other), &of).expect("an object");
        let after = walk::compare(&other, &merged, &of);
        prop_assert!(after.removed.is_empty() && after.modified.is_empty(), "{:?}", after);
        prop_assert_eq!(walk::merge(Some(&merged), Some(&other), &of), Some(merged));
    }

    #[test]
    fn applying_twice_changes_nothing(before in prop::collection::vec((0..3_usize, containers()), 0..4), last in containers()) {
        let names = ["one", "two", "three"];
        let mut live: (Option<Value>, Vec<ManagedFieldsEntry>) = (None, Vec::new());
        let steps = before.into_iter().chain([(0, last.clone()), (0, last.clone())]);
        let mut seen = Vec::new();
        for (second, (who, object)) in steps.enumerate() {
            let request = job_by(names[who], i64::try_from(second).expect("few"));
            let done = super::apply(&request, live.0.as_ref(), &object, &live.1, true).expect("forced");
            live = (Some(done.value.clone()), done.entries.clone());
            seen.push(done);
        }
        let [.., first, again] = seen.as_slice() else { unreachable!() };
        prop_assert_eq!(&first.value, &again.value);
        prop_assert!(are_same_but_for_times(&first.entries, &again.entries));
        // Whatever was before, what was applied last is there.
        let after = walk::compare(&last, &again.value, &Type::Object("Job"));
        prop_assert!(after.removed.is_empty() && after.modified.is_empty(), "{:?}", after);
    }

    #[test]
    fn managers_of_different_fields_never_meet(one in data(), two in data(), again in data()) {
        let named = |prefix: &str, data: &Value| {
            let pairs = data.as_object().expect("a map").iter();
            Value::Object(pairs.map(|(key, value)| (format!("{prefix}{key}"), value.clone())).collect())
        };
        let mut live = Live::default();
        prop_assert_eq!(live.apply("one", &named("x", &one), false), Ok(()));
        prop_assert_eq!(live.apply("two", &named("y", &two), false), Ok(()));
        prop_assert_eq!(live.apply("one", &named("x", &again), false), Ok(()));
        let mut both = named("x", &again);
        both.as_object_mut().expect("a map").extend(named("y", &two).as_object().expect("a map").clone());
        let data = live.data();
        prop_assert_eq!(if data.is_null() { json!({}) } else { data }, both);
    }
}
