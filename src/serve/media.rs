//! In which form a request wants its answer: the `Accept` header. Pure.

/// The types in which objects come.
pub(super) const OBJECT_TYPES: &str =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";
/// The types in which watches come.
pub(super) const WATCH_TYPES: &str =
    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

/// What objects are answered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are.
    Objects,
    /// As a table for people, in that version of `meta.k8s.io`.
    Table(&'static str),
    /// With their metadata only: one, in that version.
    Metadata(&'static str),
    /// A list of them with their metadata only.
    MetadataList(&'static str),
}

/// A choice among what a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Media {
    pub(super) form: Form,
    pub(super) is_yaml: bool,
}

/// Which forms of discovery a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Discovery {
    /// A list of versions, of groups or of resources.
    Plain,
    /// All of them at once, in that version of `apidiscovery.k8s.io`.
    Aggregated(&'static str),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAcceptable {
    /// No type that the client names is one of ours.
    Type,
    /// A type is, but not in the form that is wanted.
    Form,
}

/// One alternative of the header.
struct Alternative<'a> {
    kind: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Alternative<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn is_json(&self) -> bool {
        matches!(self.kind, "application/json" | "application/*" | "*/*")
    }

    fn is_yaml(&self) -> bool {
        self.kind == "application/yaml"
    }

    /// A type that a server has, though we answer it in JSON, which clients of it take too.
    fn is_known(&self) -> bool {
        self.is_json() || self.is_yaml()
    }
}

fn alternatives(accept: &str) -> Vec<Alternative<'_>> {
    let mut found: Vec<(f32, Alternative<'_>)> = Vec::new();
    for text in accept.split(',') {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        if kind.is_empty() {
            continue;
        }
        let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
        let quality =
            parameters.iter().find(|(name, _)| *name == "q").and_then(|(_, value)| value.parse().ok());
        found.push((quality.unwrap_or(1.0), Alternative { kind, parameters }));
    }
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    found.into_iter().map(|(_, alternative)| alternative).collect()
}

const META_VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// In which form objects are wanted.
///
/// # Errors
/// None of ours is.
pub(super) fn objects(accept: Option<&str>) -> Result<Media, NotAcceptable> {
    let accept = accept.map(str::trim).filter(|accept| !accept.is_empty()).unwrap_or("*/*");
    let mut problem = NotAcceptable::Type;
    for alternative in alternatives(accept) {
        if !alternative.is_known() {
            continue;
        }
        let is_yaml = alternative.is_yaml();
        let Some(form) = alternative.get("as") else {
            return Ok(Media { form: Form::Objects, is_yaml });
        };
        problem = NotAcceptable::Form;
        let version = META_VERSIONS.into_iter().find(|version| alternative.get("v") == Some(version));
        let (Some(version), Some("meta.k8s.io")) = (version, alternative.get("g")) else { continue };
        let form = match form {
            "Table" => Form::Table(version),
            "PartialObjectMetadata" => Form::Metadata(version),
            "PartialObjectMetadataList" => Form::MetadataList(version),
            _ => continue,
        };
        return Ok(Media { form, is_yaml });
    }
    Err(problem)
}

/// In which form discovery is wanted, and whether as YAML.
///
/// # Errors
/// None of ours is.
pub(super) fn discovery(accept: Option<&str>) -> Result<(Discovery, bool), NotAcceptable> {
    let accept = accept.map(str::trim).filter(|accept| !accept.is_empty()).unwrap_or("*/*");
    let mut problem = NotAcceptable::Type;
    for alternative in alternatives(accept).iter().filter(|alternative| alternative.is_known()) {
        let is_yaml = alternative.is_yaml();
        let Some(form) = alternative.get("as") else { return Ok((Discovery::Plain, is_yaml)) };
        problem = NotAcceptable::Form;
        let version = ["v2", "v2beta1"].into_iter().find(|version| alternative.get("v") == Some(version));
        if let (Some(version), "APIGroupDiscoveryList", Some("apidiscovery.k8s.io")) =
            (version, form, alternative.get("g"))
        {
            return Ok((Discovery::Aggregated(version), is_yaml));
        }
    }
    Err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_there_is() {
        let form = |accept: &str| objects(Some(accept)).map(|media| (media.form, media.is_yaml));
        assert_eq!(objects(None), Ok(Media { form: Form::Objects, is_yaml: false }));
        assert_eq!(form("application/json, */*"), Ok((Form::Objects, false)));
        assert_eq!(form("application/vnd.kubernetes.protobuf,application/json"), Ok((Form::Objects, false)));
        assert_eq!(form("application/yaml"), Ok((Form::Objects, true)));
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(form(kubectl), Ok((Form::Table("v1"), false)));
        assert_eq!(
            form("application/json;as=Table;v=v9;g=meta.k8s.io,application/json"),
            Ok((Form::Objects, false))
        );
        assert_eq!(form("application/json;q=0.1,application/yaml"), Ok((Form::Objects, true)));
        assert_eq!(form("application/json;as=Table;v=v9;g=meta.k8s.io"), Err(NotAcceptable::Form));
        assert_eq!(form("text/html"), Err(NotAcceptable::Type));
        assert_eq!(form("application/vnd.kubernetes.protobuf"), Err(NotAcceptable::Type));
    }

    #[test]
    fn discovery_comes_at_once_for_whoever_knows_it() {
        let v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        assert_eq!(discovery(Some(v2)), Ok((Discovery::Aggregated("v2"), false)));
        assert_eq!(discovery(Some("application/json")), Ok((Discovery::Plain, false)));
        assert_eq!(discovery(Some(&v2.replace("v=v2", "v=v9"))), Err(NotAcceptable::Form));
        assert_eq!(
            discovery(Some(&format!("{},{v2}", v2.replace("v=v2", "v=v9")))),
            Ok((Discovery::Aggregated("v2"), false))
        );
    }
}
