//! How the fields of our kinds are owned: which lists are merged by which keys, which maps and objects only as a whole.
//!
//! `structure.txt` is made by `generate.py`; a line is a type with its fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

const TEXT: &str = include_str!("structure.txt");

/// What a field holds.
#[derive(Clone, Debug)]
pub(super) enum Type {
    /// A plain value of this type.
    Plain(Plain),
    /// An object of this name.
    Object(&'static str),
    /// A list.
    List(Relation, Box<Self>),
    /// A map, and whether it is owned as a whole.
    Map { is_atomic: bool, of: Box<Self> },
}

/// The type of a plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// Text.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Anything, such as a quantity.
    Any,
}

/// How a list is owned.
#[derive(Clone, Debug)]
pub(super) enum Relation {
    /// As a whole.
    Atomic,
    /// Each value by itself.
    Set,
    /// Each item by these fields, with what they are where they are missing.
    Keys(Vec<(&'static str, Value)>),
}

/// An object's fields.
#[derive(Debug)]
struct Fields {
    is_atomic: bool,
    types: HashMap<&'static str, Type>,
}

static TYPES: LazyLock<HashMap<&'static str, Fields>> =
    LazyLock::new(|| TEXT.lines().map(parse_line).collect());

fn parse_line(line: &'static str) -> (&'static str, Fields) {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let fields = words.filter_map(|word| word.split_once('='));
    let types = fields.map(|(field, kind)| (field, parse(kind))).collect();
    let plain = name.trim_end_matches('!');
    (plain, Fields { is_atomic: plain != name, types })
}

fn parse(kind: &'static str) -> Type {
    let rest = kind.get(1..).unwrap_or_default();
    let inner = |text: &'static str| Box::new(parse(text));
    match kind.as_bytes().first() {
        Some(b'@') => Type::Object(rest),
        Some(b'[') => Type::List(Relation::Atomic, inner(rest.trim_end_matches(']'))),
        Some(b'<') => Type::List(Relation::Set, inner(rest.trim_end_matches('>'))),
        Some(b'{') => {
            let (keys, of) = rest.split_once('}').unwrap_or_default();
            Type::List(Relation::Keys(keys.split(',').map(parse_key).collect()), inner(of))
        }
        Some(b'%') => match rest.strip_prefix('!') {
            Some(of) => Type::Map { is_atomic: true, of: inner(of) },
            None => Type::Map { is_atomic: false, of: inner(rest) },
        },
        Some(b's') => Type::Plain(Plain::Text),
        Some(b'i') => Type::Plain(Plain::Number),
        Some(b'b') => Type::Plain(Plain::Boolean),
        _ => Type::Plain(Plain::Any),
    }
}

fn parse_key(key: &'static str) -> (&'static str, Value) {
    match key.split_once('=') {
        Some((name, missing)) => (name, json!(missing)),
        None if key == "containerPort" || key == "port" => (key, json!(0)),
        None => (key, json!("")),
    }
}

impl Type {
    /// Whether a value of the type is owned as a whole.
    pub(super) fn is_leaf(&self) -> bool {
        match self {
            Self::Plain(_) | Self::List(Relation::Atomic, _) | Self::Map { is_atomic: true, .. } => true,
            Self::Object(name) => TYPES.get(name).is_none_or(|fields| fields.is_atomic),
            Self::List(..) | Self::Map { .. } => false,
        }
    }

    /// The type of a field, and whether it is one that the type names.
    pub(super) fn field(&self, name: &str) -> Option<(&Self, bool)> {
        match self {
            Self::Object(of) => TYPES.get(of)?.types.get(name).map(|found| (found, true)),
            Self::Map { of, .. } => Some((of, false)),
            Self::Plain(_) | Self::List(..) => None,
        }
    }

    /// The type at the end of a step.
    pub(super) fn at(&self, step: &str) -> Option<&Self> {
        match (self, step.split_once(':')?) {
            (Self::List(_, of), ("k" | "v", _)) => Some(of),
            (_, ("f", name)) => self.field(name).map(|(found, _)| found),
            _ => None,
        }
    }
}

/// Whether objects of a type, or the map in a field of theirs, are owned as a whole.
pub fn is_atomic(of: &str, field: Option<&str>) -> bool {
    TYPES.get(of).is_some_and(|fields| match field {
        None => fields.is_atomic,
        Some(field) => matches!(fields.types.get(field), Some(Type::Map { is_atomic: true, .. })),
    })
}

/// The step from a list to one of its items.
pub(super) fn step_of_item(relation: &Relation, item: &Value) -> String {
    let Relation::Keys(keys) = relation else { return format!("v:{item}") };
    let found: Map<String, Value> = keys
        .iter()
        .map(|(key, missing)| {
            let value = item.get(key).filter(|value| !value.is_null()).unwrap_or(missing);
            ((*key).to_owned(), value.clone())
        })
        .collect();
    format!("k:{}", Value::Object(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kinds::RESOURCES;

    #[test]
    fn every_kind_is_there_and_every_field_leads_somewhere() {
        fn leads(of: &Type) -> bool {
            match of {
                Type::Plain(_) => true,
                Type::Object(name) => TYPES.contains_key(name),
                Type::List(_, of) | Type::Map { of, .. } => leads(of),
            }
        }
        for resource in RESOURCES {
            assert!(TYPES.contains_key(resource.name), "{}", resource.name);
        }
        for (name, fields) in &*TYPES {
            for (field, of) in &fields.types {
                assert!(leads(of), "{name}.{field}: {of:?}");
            }
        }
    }

    #[test]
    fn lists_are_known_by_their_keys() {
        let container = Type::Object("Container");
        let (ports, _) = container.field("ports").expect("ports");
        let Type::List(relation, _) = ports else { panic!("{ports:?}") };
        assert_eq!(
            step_of_item(relation, &json!({"containerPort": 80, "name": "web"})),
            r#"k:{"containerPort":80,"protocol":"TCP"}"#
        );
        assert!(container.field("args").is_some_and(|(args, _)| args.is_leaf()));
        assert!(Type::Object("LabelSelector").is_leaf() && !Type::Object("PodSpec").is_leaf());
    }
}
