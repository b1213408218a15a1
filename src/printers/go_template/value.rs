//! What a template works on: parts of the object, and what has been made of them.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

/// A value as Go has it. Numbers of the object and of the template differ in their types' names only.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    /// Null, or what is not there.
    Missing,
    Bool(bool),
    Int(i64),
    Int64(i64),
    Float(f64),
    Text(Cow<'v, str>),
    List(&'v [Json]),
    Map(&'v Map<String, Json>),
}

impl<'v> Value<'v> {
    pub(super) fn of(json: &'v Json) -> Self {
        match json {
            Json::Null => Self::Missing,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(number) => Self::Int64(number),
                None => Self::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Self::Text(Cow::Borrowed(text)),
            Json::Array(items) => Self::List(items),
            Json::Object(map) => Self::Map(map),
        }
    }

    /// The same as JSON.
    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Missing => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) | Self::Int64(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Text(text) => Json::String(text.clone().into_owned()),
            Self::List(items) => Json::Array(items.to_vec()),
            Self::Map(map) => Json::Object((*map).clone()),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Bool(value) => *value,
            Self::Int(number) | Self::Int64(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// Go's name of its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }
}
