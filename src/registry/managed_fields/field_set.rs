//! Sets of fields, in the form in which objects carry them (FieldsV1): a tree whose edges are `f:NAME` for a field,
//! `k:{…}` for an item of a list by its keys, and `v:…` for an item of a set. `.` stands for the place itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The place itself, in FieldsV1.
const SELF: &str = ".";

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    is_member: bool,
    below: FieldSet,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.is_member && self.below.is_empty()
    }
}

impl FieldSet {
    /// The set of these places, each given by its steps.
    pub fn of(paths: &[&[&str]]) -> Self {
        let mut set = Self::default();
        for path in paths {
            set.insert(&path.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>());
        }
        set
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds the place at the end of these steps. The object itself is no field.
    pub fn insert(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let node = self.nodes.entry(first.clone()).or_default();
        if rest.is_empty() {
            node.is_member = true;
        } else {
            node.below.insert(rest);
        }
    }

    /// Whether the place that is one step away is in the set.
    pub fn has(&self, step: &str) -> bool {
        self.nodes.get(step).is_some_and(|node| node.is_member)
    }

    /// What the set has below the place that is one step away.
    pub fn below(&self, step: &str) -> Option<&Self> {
        self.nodes.get(step).map(|node| &node.below).filter(|below| !below.is_empty())
    }

    /// Makes members of the places for which `is_wanted` says so, of all that lead to members.
    pub(super) fn with_ways(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        deeper: impl Fn(&str, &Self) -> Self,
    ) -> Self {
        let nodes = self.nodes.iter().map(|(step, node)| {
            let leads_on = !node.below.is_empty();
            let is_member = node.is_member || (leads_on && is_wanted(step));
            let below = if leads_on { deeper(step, &node.below) } else { Self::default() };
            (step.clone(), Node { is_member, below })
        });
        Self { nodes: nodes.collect() }
    }

    /// What is in one of the two.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (step, node) in &other.nodes {
            let ours = all.nodes.entry(step.clone()).or_default();
            ours.is_member |= node.is_member;
            ours.below = ours.below.union(&node.below);
        }
        all
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.merged(other, |node, theirs| {
            let theirs = theirs?;
            let is_member = node.is_member && theirs.is_member;
            Some(Node { is_member, below: node.below.intersection(&theirs.below) })
        })
    }

    /// What is not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.merged(other, |node, theirs| {
            let Some(theirs) = theirs else { return Some(node.clone()) };
            let is_member = node.is_member && !theirs.is_member;
            Some(Node { is_member, below: node.below.difference(&theirs.below) })
        })
    }

    /// What is neither in the other nor below a place that is.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.merged(other, |node, theirs| match theirs {
            None => Some(node.clone()),
            Some(theirs) if theirs.is_member => None,
            Some(theirs) => {
                Some(Node { is_member: node.is_member, below: node.below.without(&theirs.below) })
            }
        })
    }

    /// What is at the end of one step, or below it.
    #[must_use]
    pub fn only(&self, step: &str) -> Self {
        let kept = self.nodes.get_key_value(step).map(|(step, node)| (step.clone(), node.clone()));
        Self { nodes: kept.into_iter().collect() }
    }

    fn merged(&self, other: &Self, of: impl Fn(&Node, Option<&Node>) -> Option<Node>) -> Self {
        let nodes = self.nodes.iter().filter_map(|(step, node)| {
            let node = of(node, other.nodes.get(step)).filter(|node| !node.is_empty())?;
            Some((step.clone(), node))
        });
        Self { nodes: nodes.collect() }
    }

    /// Reads FieldsV1; nothing for what is none.
    pub fn from_value(value: &Value) -> Option<Self> {
        let mut nodes = BTreeMap::new();
        for (step, inner) in value.as_object()? {
            if step == SELF {
                continue;
            }
            let is_leaf = inner.as_object()?.is_empty();
            let node =
                Node { is_member: is_leaf || inner.get(SELF).is_some(), below: Self::from_value(inner)? };
            nodes.insert(canonical(step)?, node);
        }
        Some(Self { nodes })
    }

    /// The set as FieldsV1.
    pub fn to_value(&self) -> Value {
        let mut fields = Map::new();
        for (step, node) in &self.nodes {
            let mut inner = node.below.to_value();
            if node.is_member && !node.below.is_empty() {
                inner[SELF] = Value::Object(Map::new());
            }
            fields.insert(step.clone(), inner);
        }
        Value::Object(fields)
    }

    /// The members as people read them, such as `.spec.template.spec.containers[name="c"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.add_paths("", &mut paths);
        paths
    }

    fn add_paths(&self, before: &str, paths: &mut Vec<String>) {
        let members = self.nodes.iter().filter(|(_, node)| node.is_member);
        paths.extend(members.map(|(step, _)| format!("{before}{}", shown(step))));
        for (step, node) in &self.nodes {
            node.below.add_paths(&format!("{before}{}", shown(step)), paths);
        }
    }
}

/// A step in the one form in which it is compared.
fn canonical(step: &str) -> Option<String> {
    let (head, rest) = step.split_once(':')?;
    match head {
        "f" => Some(step.to_owned()),
        "k" | "v" => Some(format!("{head}:{}", serde_json::from_str::<Value>(rest).ok()?)),
        // An item by its place in a list is nobody's here.
        _ => None,
    }
}

/// A step as it stands in a path.
pub(super) fn shown(step: &str) -> String {
    match step.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let keys: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        _ => step.to_owned(),
    }
}
