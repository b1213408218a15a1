//! What the Priority admission plug-in makes of PriorityClasses: the priority of each new Pod.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;

use super::PriorityClass;
use super::meta::name;

/// The priority classes that every cluster has.
pub(super) const SYSTEM_CLASSES: [(&str, i32); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];
/// What a class says of preemption that says nothing of it.
const PREEMPTS: &str = "PreemptLowerPriority";

/// Whether a class is there though nobody has made it.
pub fn is_system_class(class: &str) -> bool {
    SYSTEM_CLASSES.iter().any(|(system, _)| *system == class)
}

/// All PriorityClasses, by their names.
#[derive(Clone, Debug, Default)]
pub struct PriorityClasses(BTreeMap<Box<str>, PriorityClass>);

impl PriorityClasses {
    /// Takes in a class as stored.
    pub fn put(&mut self, class: PriorityClass) {
        self.0.insert(name(&class.metadata).into(), class);
    }

    /// Forgets a class.
    pub fn remove(&mut self, class: &str) {
        self.0.remove(class);
    }

    fn find(&self, class: &str) -> Option<(i32, &str)> {
        let stored = self.0.get(class).map(|class| (class.value, preemption_of(class)));
        let system = || SYSTEM_CLASSES.iter().find(|(system, _)| *system == class);
        stored.or_else(|| system().map(|(_, value)| (*value, PREEMPTS)))
    }

    /// The class of pods that name none. There may be one; of several the lowest is.
    fn default_class(&self) -> Option<&PriorityClass> {
        let defaults = self.0.values().filter(|class| class.global_default == Some(true));
        defaults.min_by_key(|class| class.value)
    }

    /// Writes into the spec of a new Pod what its class says.
    ///
    /// # Errors
    /// Why it is forbidden: there is no such class, or it says something else than the spec.
    pub fn admit(&self, spec: &mut PodSpec) -> Result<(), String> {
        let given = spec.priority_class_name.as_deref().filter(|class| !class.is_empty());
        let (priority, preemption) = match (given, self.default_class()) {
            (Some(class), _) => {
                self.find(class).ok_or_else(|| format!("no PriorityClass with name {class} was found"))?
            }
            (None, Some(class)) => {
                spec.priority_class_name = Some(name(&class.metadata).to_owned());
                (class.value, preemption_of(class))
            }
            (None, None) => (0, PREEMPTS),
        };
        if let Some(given) = spec.priority.filter(|given| *given != priority) {
            return Err(format!(
                "the integer value of priority ({given}) must not be provided in pod spec; priority admission \
                 controller computed {priority} from the given PriorityClass name"
            ));
        }
        if let Some(given) = spec.preemption_policy.as_deref().filter(|given| *given != preemption) {
            return Err(format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
                 controller computed {preemption} from the given PriorityClass name"
            ));
        }
        spec.priority = Some(priority);
        spec.preemption_policy = Some(preemption.to_owned());
        Ok(())
    }
}

fn preemption_of(class: &PriorityClass) -> &str {
    class.preemption_policy.as_deref().unwrap_or(PREEMPTS)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn classes(all: &[Value]) -> PriorityClasses {
        let mut classes = PriorityClasses::default();
        for class in all {
            classes.put(serde_json::from_value(class.clone()).expect("a class"));
        }
        classes
    }

    #[test]
    fn a_pod_has_the_priority_of_its_class() {
        let high = json!({"metadata": {"name": "high"}, "value": 7, "preemptionPolicy": "Never"});
        let low = json!({"metadata": {"name": "low"}, "value": -3, "globalDefault": true});
        let told = |classes: &PriorityClasses, spec: Value| {
            let mut spec = spec;
            spec["containers"] = json!([]);
            let mut spec: PodSpec = serde_json::from_value(spec).expect("a spec");
            classes.admit(&mut spec).map(|()| {
                let of = |text: Option<String>| text.unwrap_or_default();
                (of(spec.priority_class_name), spec.priority.unwrap_or(1), of(spec.preemption_policy))
            })
        };
        let expected = |class: &str, priority: i32, preemption: &str| {
            Ok((class.to_owned(), priority, preemption.to_owned()))
        };
        let both = classes(&[high.clone(), low]);
        let none = classes(&[]);
        assert_eq!(told(&both, json!({"priorityClassName": "high"})), expected("high", 7, "Never"));
        assert_eq!(told(&both, json!({})), expected("low", -3, PREEMPTS), "the default");
        assert_eq!(told(&none, json!({})), expected("", 0, PREEMPTS));
        let critical = json!({"priorityClassName": "system-node-critical"});
        assert_eq!(told(&none, critical), expected("system-node-critical", 2_000_001_000, PREEMPTS));
        assert_eq!(
            told(&none, json!({"priorityClassName": "high"})),
            Err("no PriorityClass with name high was found".to_owned())
        );
        let with = |field: &str, value: Value| {
            let mut spec = json!({"priorityClassName": "high"});
            spec[field] = value;
            told(&classes(std::slice::from_ref(&high)), spec)
        };
        assert_eq!(with("priority", json!(7)), expected("high", 7, "Never"));
        let refused = with("priority", json!(8)).expect_err("refused");
        assert!(refused.starts_with("the integer value of priority (8) must not be provided"), "{refused}");
        let refused = with("preemptionPolicy", json!(PREEMPTS)).expect_err("refused");
        assert!(refused.contains("computed Never from the given PriorityClass name"), "{refused}");
    }
}
