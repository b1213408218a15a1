//! Where a server has its objects.

use form_urlencoded::{Serializer, byte_serialize};

use crate::api::kinds::Kind;

/// The objects of a kind, in a namespace or in all.
pub(super) fn collection(kind: Kind, namespace: Option<&str>) -> String {
    let resource = kind.resource();
    let version = kind.api_version();
    let root = if resource.group.is_empty() { "/api" } else { "/apis" };
    match namespace.filter(|namespace| resource.namespaced && !namespace.is_empty()) {
        Some(namespace) => {
            format!("{root}/{version}/namespaces/{}/{}", segment(namespace), resource.plural)
        }
        None => format!("{root}/{version}/{}", resource.plural),
    }
}

/// One object.
pub(super) fn object(kind: Kind, namespace: &str, name: &str) -> String {
    format!("{}/{}", collection(kind, Some(namespace)), segment(name))
}

/// A path with a query; what is empty is left out of that.
pub(super) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut text = Serializer::new(String::new());
    text.extend_pairs(query.iter().filter(|(_, value)| !value.is_empty()));
    match text.finish() {
        empty if empty.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// A name as one part of a path: it may be anything that somebody has typed.
fn segment(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        assert_eq!(collection(Kind::Job, Some("a")), "/apis/batch/v1/namespaces/a/jobs");
        assert_eq!(collection(Kind::Pod, None), "/api/v1/pods");
        assert_eq!(collection(Kind::Node, Some("a")), "/api/v1/nodes");
        assert_eq!(object(Kind::Namespace, "", "a"), "/api/v1/namespaces/a");
        assert_eq!(object(Kind::Pod, "a", "b/../c d?"), "/api/v1/namespaces/a/pods/b%2F..%2Fc%20d%3F");
        assert_eq!(with_query("/x", &[("a", ""), ("b", "c=d,e!=f")]), "/x?b=c%3Dd%2Ce%21%3Df");
        assert_eq!(with_query("/x", &[("a", "")]), "/x");
    }
}
