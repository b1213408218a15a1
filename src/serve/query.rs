//! The query of a request. Pure.

use std::borrow::Cow;

use crate::api::quoted::quoted;
use crate::api::status_error::{FieldError, StatusError};

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands after the question mark.
    pub(super) fn parse(text: &str) -> Self {
        let pairs = form_urlencoded::parse(text.as_bytes());
        Self(pairs.map(|(name, value)| (Cow::into_owned(name), Cow::into_owned(value))).collect())
    }

    /// The first value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter, unless it is empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a parameter is set: as a server reads it, anything but `0`, `false` (`False`, as Python writes it) and nothing is
    /// true.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.boolean(name) == Some(true)
    }

    /// A parameter that is true or false, where it is given.
    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        self.get(name).map(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`StatusError::BadRequest`] for what is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, StatusError> {
        let parse = |text: &str| {
            text.parse().map_err(|_| StatusError::BadRequest {
                message: format!("strconv.ParseInt: parsing {}: invalid syntax", quoted(text)),
            })
        };
        self.given(name).map(parse).transpose()
    }

    /// A resourceVersion: what stands there, for an error.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn version(&self, name: &str) -> Result<Option<u64>, String> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                format!(
                    "resourceVersion: Invalid value: {text}: strconv.ParseUint: parsing {text}: invalid syntax",
                    text = quoted(text)
                )
            })
        };
        self.given(name).map(parse).transpose()
    }
}

/// How often a request is to be carried out: a dry run is not.
///
/// # Errors
/// A value that is not `All`.
pub(super) fn dry_run(values: &[&str]) -> Result<bool, FieldError> {
    let values: Vec<&str> = values.iter().copied().filter(|value| !value.is_empty()).collect();
    match values.as_slice() {
        [] => Ok(false),
        all if all.iter().all(|value| *value == "All") => Ok(true),
        other => Err(FieldError::unsupported(
            "dryRun",
            format!("[{}]", other.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(",")),
            &["All"],
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_false_is_written_in_several_ways() {
        let query = Query::parse("a=false&b=False&c=0&d=true&e=True&f=1&g=&h=no");
        let set: Vec<&str> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
            .into_iter()
            .filter(|name| query.is_set(name))
            .collect();
        assert_eq!(set, ["d", "e", "f", "g", "h"]);
        assert_eq!((query.boolean("b"), query.boolean("i")), (Some(false), None));
    }
}
