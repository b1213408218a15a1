//! What the path of a request names. Pure.

use std::borrow::Cow;

use super::new_events::converted;
use crate::api::kinds::{Kind, RESOURCES};

/// What is served under a group's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// The objects of a kind, in a version.
    Kind(Kind),
    /// Events in their newer form, `events.k8s.io/v1`.
    NewEvents,
    /// `SelfSubjectAccessReview`.
    AccessReview,
    /// `SelfSubjectRulesReview`.
    RulesReview,
    /// `SelfSubjectReview`.
    SubjectReview,
    /// `TokenReview`.
    TokenReview,
    /// `CustomResourceDefinition`: there is none.
    CustomResources,
    /// `NodeMetrics`.
    NodeMetrics,
    /// `PodMetrics`.
    PodMetrics,
}

impl Served {
    /// The kind of the objects that are stored for it.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Kind(kind) => kind,
            Self::NodeMetrics => Kind::Node,
            Self::PodMetrics => Kind::Pod,
            _ => Kind::Event,
        }
    }

    /// The group and version of its objects.
    pub(super) fn api_version(self) -> String {
        match self {
            Self::NewEvents => "events.k8s.io/v1".into(),
            other => other.kind().api_version(),
        }
    }

    /// A stored object's text as it is shown.
    ///
    /// # Errors
    /// A damaged object.
    pub(super) fn text(self, stored: &str) -> serde_json::Result<Cow<'_, str>> {
        match self {
            Self::NewEvents => converted(stored).map(Cow::Owned),
            _ => Ok(Cow::Borrowed(stored)),
        }
    }
}

/// A resource that is no kind of ours.
pub(super) struct OtherResource {
    pub(super) served: Served,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) plural: &'static str,
    pub(super) singular: &'static str,
    pub(super) short: &'static [&'static str],
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
    pub(super) verbs: &'static [&'static str],
}

/// All that is served beside the kinds.
pub(super) const OTHERS: [OtherResource; 8] = [
    OtherResource {
        served: Served::CustomResources,
        group: "apiextensions.k8s.io",
        version: "v1",
        plural: "customresourcedefinitions",
        singular: "customresourcedefinition",
        short: &["crd", "crds"],
        kind: "CustomResourceDefinition",
        namespaced: false,
        verbs: &["get", "list", "watch"],
    },
    OtherResource {
        served: Served::SubjectReview,
        group: "authentication.k8s.io",
        version: "v1",
        plural: "selfsubjectreviews",
        singular: "selfsubjectreview",
        short: &[],
        kind: "SelfSubjectReview",
        namespaced: false,
        verbs: &["create"],
    },
    OtherResource {
        served: Served::TokenReview,
        group: "authentication.k8s.io",
        version: "v1",
        plural: "tokenreviews",
        singular: "tokenreview",
        short: &[],
        kind: "TokenReview",
        namespaced: false,
        verbs: &["create"],
    },
    OtherResource {
        served: Served::AccessReview,
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        short: &[],
        kind: "SelfSubjectAccessReview",
        namespaced: false,
        verbs: &["create"],
    },
    OtherResource {
        served: Served::RulesReview,
        group: "authorization.k8s.io",
        version: "v1",
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        short: &[],
        kind: "SelfSubjectRulesReview",
        namespaced: false,
        verbs: &["create"],
    },
    OtherResource {
        served: Served::NewEvents,
        group: "events.k8s.io",
        version: "v1",
        plural: "events",
        singular: "event",
        short: &["ev"],
        kind: "Event",
        namespaced: true,
        verbs: &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    },
    OtherResource {
        served: Served::NodeMetrics,
        group: "metrics.k8s.io",
        version: "v1beta1",
        plural: "nodes",
        singular: "",
        short: &[],
        kind: "NodeMetrics",
        namespaced: false,
        verbs: &["get", "list"],
    },
    OtherResource {
        served: Served::PodMetrics,
        group: "metrics.k8s.io",
        version: "v1beta1",
        plural: "pods",
        singular: "",
        short: &[],
        kind: "PodMetrics",
        namespaced: true,
        verbs: &["get", "list"],
    },
];

/// Objects of one resource, or one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectPath {
    pub(super) served: Served,
    /// The namespace, where the path names one.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
    /// Whether the path is that of an old watch, `/api/v1/watch/…`.
    pub(super) is_watch: bool,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`: the paths that there are.
    Paths,
    /// `/version`.
    Version,
    /// `/livez`, `/readyz`, `/healthz`, and what is below them.
    Health,
    /// `/metrics`.
    Metrics,
    /// `/openapi/v2`.
    OpenApi2,
    /// `/openapi/v3`: the documents that there are.
    OpenApi3,
    /// `/openapi/v3/…`: a document, by the name of its group and version.
    OpenApiDocument(String),
    /// `/api`.
    CoreVersions,
    /// `/apis`.
    Groups,
    /// `/apis/GROUP`.
    Group(&'static str),
    /// `/api/v1`, `/apis/GROUP/VERSION`.
    Resources(&'static str, &'static str),
    /// Objects.
    Objects(ObjectPath),
    /// A path in a group, of something that is not there.
    NoResource,
    /// A path that means nothing.
    NoPath,
    /// A name that is none.
    BadName(String),
}

/// The groups and their versions, in the order of discovery; the core group comes first.
pub(super) fn group_versions() -> Vec<(&'static str, &'static str)> {
    let kinds = RESOURCES.iter().map(|resource| (resource.group, resource.versions[0]));
    let mut found: Vec<_> = kinds.chain(OTHERS.iter().map(|other| (other.group, other.version))).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Reads a path, without the query.
pub(super) fn route(path: &str) -> Route {
    let Some(path) = path.strip_prefix('/') else { return Route::NoPath };
    let path = path.strip_suffix('/').unwrap_or(path);
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [""] => Route::Paths,
        ["version"] => Route::Version,
        ["livez" | "readyz" | "healthz", ..] => Route::Health,
        ["metrics"] => Route::Metrics,
        ["openapi", "v2"] => Route::OpenApi2,
        ["openapi", "v3"] => Route::OpenApi3,
        ["openapi", "v3", rest @ ..] => Route::OpenApiDocument(rest.join("/")),
        ["api"] => Route::CoreVersions,
        ["api", version, rest @ ..] => in_group("", version, rest),
        ["apis"] => Route::Groups,
        ["apis", group, rest @ ..] => {
            let known = group_versions().into_iter().map(|(known, _)| known).find(|known| known == group);
            match (known.filter(|known| !known.is_empty()), rest) {
                (None, _) => Route::NoPath,
                (Some(known), []) => Route::Group(known),
                (Some(known), [version, rest @ ..]) => in_group(known, version, rest),
            }
        }
        _ => Route::NoPath,
    }
}

fn in_group(group: &'static str, version: &str, rest: &[&str]) -> Route {
    let known = group_versions().into_iter().find(|known| *known == (group, version));
    let Some((group, version)) = known else { return Route::NoResource };
    let (is_watch, rest) = match rest {
        ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
        rest => (false, rest),
    };
    let Some(rest) = rest.iter().map(|part| decoded(part)).collect::<Option<Vec<String>>>() else {
        return Route::NoResource;
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let (namespace, rest) = match rest.as_slice() {
        [] => return Route::Resources(group, version),
        // A namespace itself, or its subresource.
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, rest.as_slice()),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let [plural, rest @ ..] = rest else { return Route::NoResource };
    let Some((served, namespaced)) = resource(group, version, plural) else { return Route::NoResource };
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some(*name), None),
        [name, subresource] => (Some(*name), Some(*subresource)),
        _ => return Route::NoResource,
    };
    let is_out_of_place =
        !namespaced && namespace.is_some() || namespaced && namespace.is_none() && name.is_some();
    if is_out_of_place {
        return Route::NoResource;
    }
    if let Some(bad) = name.filter(|name| [".", ".."].contains(name)) {
        return Route::BadName(bad.to_owned());
    }
    Route::Objects(ObjectPath {
        served,
        namespace: namespace.filter(|namespace| !namespace.is_empty()).map(str::to_owned),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
        is_watch,
    })
}

/// What is served by that name, and whether it is in namespaces.
fn resource(group: &str, version: &str, plural: &str) -> Option<(Served, bool)> {
    let other =
        OTHERS.iter().find(|other| (other.group, other.version, other.plural) == (group, version, plural));
    if let Some(other) = other {
        return Some((other.served, other.namespaced));
    }
    let kind = RESOURCES.iter().find(|resource| (resource.group, resource.plural) == (group, plural))?;
    (kind.versions[0] == version).then_some((Served::Kind(kind.kind), kind.namespaced))
}

/// A part of a path with its escapes read; none where it would be more than one part.
fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok().filter(|part| !part.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(path: &str) -> (Served, Option<String>, Option<String>, Option<String>, bool) {
        match route(path) {
            Route::Objects(at) => (at.served, at.namespace, at.name, at.subresource, at.is_watch),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn paths_of_objects() {
        let some = |text: &str| Some(text.to_owned());
        let jobs = Served::Kind(Kind::Job);
        assert_eq!(objects("/apis/batch/v1/jobs"), (jobs, None, None, None, false));
        assert_eq!(objects("/apis/batch/v1/namespaces/n/jobs/"), (jobs, some("n"), None, None, false));
        assert_eq!(objects("/apis/batch/v1/namespaces/n/jobs/a"), (jobs, some("n"), some("a"), None, false));
        let status = (jobs, some("n"), some("a"), some("status"), false);
        assert_eq!(objects("/apis/batch/v1/namespaces/n/jobs/a/status"), status);
        assert_eq!(objects("/apis/batch/v1/watch/namespaces/n/jobs"), (jobs, some("n"), None, None, true));
        let namespaces = Served::Kind(Kind::Namespace);
        assert_eq!(objects("/api/v1/namespaces"), (namespaces, None, None, None, false));
        assert_eq!(objects("/api/v1/namespaces/n"), (namespaces, None, some("n"), None, false));
        let finalize = (namespaces, None, some("n"), some("finalize"), false);
        assert_eq!(objects("/api/v1/namespaces/n/finalize"), finalize);
        let maps = Served::Kind(Kind::ConfigMap);
        assert_eq!(objects("/api/v1/namespaces//configmaps"), (maps, None, None, None, false));
        assert_eq!(
            objects("/api/v1/namespaces/n/configmaps/a%20b"),
            (maps, some("n"), some("a b"), None, false)
        );
        let events = (Served::NewEvents, None, None, None, false);
        assert_eq!(objects("/apis/events.k8s.io/v1/events"), events);
    }

    #[test]
    fn paths_of_other_things() {
        for (path, wanted) in [
            ("/", Route::Paths),
            ("/version/", Route::Version),
            ("/livez/ping", Route::Health),
            ("/api", Route::CoreVersions),
            ("/apis/", Route::Groups),
            ("/apis/batch", Route::Group("batch")),
            ("/apis/batch/v1/", Route::Resources("batch", "v1")),
            ("/api/v1", Route::Resources("", "v1")),
            ("/openapi/v3/apis/batch/v1", Route::OpenApiDocument("apis/batch/v1".into())),
            ("/api/v1/namespaces/n/configmaps/%2e%2e", Route::BadName("..".into())),
        ] {
            assert_eq!(route(path), wanted, "{path}");
        }
        for path in ["/nosuch", "//api", "/API/V1", "/apis/nosuch.io", "/apis//v1"] {
            assert_eq!(route(path), Route::NoPath, "{path}");
        }
        for path in [
            "/api/v2",
            "/api/v1/nosuch",
            "/api/v1/../v1",
            "/apis/batch/v1/namespaces/n",
            "/apis/batch/v1/namespaces/n/jobs/a%2Fb",
            "/apis/batch/v1/namespaces/n/jobs/a/status/x",
            "/apis/batch/v1/jobs/a",
            "/api/v1/namespaces/n/nodes",
            "/api/v1/namespaces/n/jobs",
            "/apis/batch/v1beta1",
            "/apis/batch/v1/namespaces/n/jobs/%ff",
        ] {
            assert_eq!(route(path), Route::NoResource, "{path}");
        }
    }
}
