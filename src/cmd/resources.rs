//! `TYPE NAME…`, `TYPE/NAME…`, `TYPE,TYPE`: which objects a command line means.

use anyhow::{Result, bail};

use crate::api::kinds::{Key, Kind, RESOURCES};

/// What the arguments of a verb name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// All objects of a kind.
    All(Kind),
    /// One object, in the namespace of the request.
    Named(Kind, String),
    /// One object, wherever it is.
    Object(Kind, Key),
}

impl Target {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::All(kind) | Self::Named(kind, _) | Self::Object(kind, _) => *kind,
        }
    }

    /// The one object that is meant, if it is one; `namespace` is that of the request.
    pub(super) fn object(&self, namespace: &str) -> Option<(Kind, Key)> {
        match self {
            Self::All(_) => None,
            Self::Named(kind, name) => Some((*kind, kind.key(namespace, name))),
            Self::Object(kind, key) => Some((*kind, key.clone())),
        }
    }

    /// Whether an object of the kind is meant; `namespace` is that of the request, nothing where all are meant.
    pub(super) fn includes(&self, key: &Key, namespace: Option<&str>) -> bool {
        let here = namespace.is_none_or(|namespace| *namespace == *key.namespace);
        match self {
            Self::All(_) => here,
            Self::Named(_, name) => here && **name == *key.name,
            Self::Object(_, object) => object == key,
        }
    }
}

/// Reads resource arguments; no argument names nothing.
///
/// # Errors
/// Unknown types and mixed forms, in kubectl's words.
pub(super) fn parse(arguments: &[String]) -> Result<Vec<Target>> {
    let Some(first) = arguments.first() else { return Ok(Vec::new()) };
    if arguments.iter().any(|argument| argument.contains('/')) {
        return arguments.iter().map(|argument| slash_form(argument)).collect();
    }
    let kinds = kinds(first)?;
    let names: Vec<&str> =
        arguments[1..].iter().flat_map(|names| names.split(',')).filter(|n| !n.is_empty()).collect();
    if names.is_empty() {
        return Ok(kinds.into_iter().map(Target::All).collect());
    }
    Ok(kinds
        .into_iter()
        .flat_map(|kind| names.iter().map(move |name| Target::Named(kind, (*name).to_owned())))
        .collect())
}

fn slash_form(argument: &str) -> Result<Target> {
    let Some((kind, name)) = argument.split_once('/') else {
        bail!(
            "there is no need to specify a resource type as a separate argument when passing arguments in \
             resource/name form (e.g. 'jobctl get resource/<resource_name>' instead of 'jobctl get resource \
             resource/<resource_name>'"
        );
    };
    if name.contains('/') {
        bail!("arguments in resource/name form may not have more than one slash");
    }
    if kind.is_empty() || name.is_empty() {
        bail!("arguments in resource/name form must have a single resource and name");
    }
    Ok(Target::Named(self::kind(kind)?, name.to_owned()))
}

/// The kinds of a comma list; `all` stands for several.
pub(super) fn kinds(list: &str) -> Result<Vec<Kind>> {
    let mut kinds = Vec::new();
    for word in list.split(',') {
        if word.eq_ignore_ascii_case("all") {
            kinds.extend(RESOURCES.iter().filter(|resource| resource.in_all).map(|resource| resource.kind));
        } else {
            kinds.push(kind(word)?);
        }
    }
    let mut seen = Vec::new();
    kinds.retain(|kind| {
        let new = !seen.contains(kind);
        seen.push(*kind);
        new
    });
    Ok(kinds)
}

/// The kind that a word names.
pub(super) fn kind(word: &str) -> Result<Kind> {
    match Kind::from_argument(word) {
        Some(kind) => Ok(kind),
        None => bail!("the server doesn't have a resource type {:?}", word.split('.').next().unwrap_or(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_form_kubectl_knows_is_read() {
        use Target::{All, Named};
        let named = |kind, name: &str| Named(kind, name.to_owned());
        for (line, expected) in [
            ("", vec![]),
            ("jobs", vec![All(Kind::Job)]),
            ("job a b", vec![named(Kind::Job, "a"), named(Kind::Job, "b")]),
            ("job a,b", vec![named(Kind::Job, "a"), named(Kind::Job, "b")]),
            ("job/a pod/b", vec![named(Kind::Job, "a"), named(Kind::Pod, "b")]),
            ("pods,jobs", vec![All(Kind::Pod), All(Kind::Job)]),
            (
                "all",
                [Kind::Pod, Kind::Service, Kind::StatefulSet, Kind::CronJob, Kind::Job].map(All).to_vec(),
            ),
            ("po,cj x", vec![named(Kind::Pod, "x"), named(Kind::CronJob, "x")]),
        ] {
            assert_eq!(parse(&words(line)).expect(line), expected, "{line}");
        }
        for (line, message) in [
            ("foo", "the server doesn't have a resource type \"foo\""),
            ("foo.batch x", "the server doesn't have a resource type \"foo\""),
            ("job/", "arguments in resource/name form must have a single resource and name"),
        ] {
            assert_eq!(parse(&words(line)).expect_err(line).to_string(), message);
        }
    }
}
