//! Kinds that an older server has in another version than ours: found as kubectl finds them, by asking what there is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hyper::{Method, StatusCode};
use serde::Deserialize;

use super::api::Api;
use super::dialogue::{Answer, Request};

/// What is known of a server: the version in which it has a resource of a group, where that is not ours.
#[derive(Debug, Default)]
pub(super) struct Versions(Mutex<BTreeMap<(String, String), Option<String>>>);

/// A path of the API of a group.
struct Address<'a> {
    group: &'a str,
    version: &'a str,
    /// All after the version.
    rest: &'a str,
    plural: &'a str,
}

impl<'a> Address<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let (group, path) = path.strip_prefix("/apis/")?.split_once('/')?;
        let (version, rest) = path.split_once('/')?;
        let mut segments = rest.split(['/', '?']);
        let first = segments.next()?;
        let plural = if first == "namespaces" { segments.nth(1)? } else { first };
        Some(Self { group, version, rest, plural })
    }

    fn key(&self) -> (String, String) {
        (self.group.to_owned(), self.plural.to_owned())
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    versions: Vec<GroupVersion>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupVersion {
    version: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    name: String,
}

/// Whether a request says nothing of a version but in its path: an object that is sent is of the version that it names.
fn may_be_readdressed(request: &Request) -> bool {
    match request.method {
        Method::GET | Method::DELETE => true,
        Method::PATCH => !request.content_type.contains("apply"),
        _ => false,
    }
}

impl Versions {
    /// Where a request goes, as far as is known.
    pub(super) fn address<'a>(&self, request: &'a Request) -> Cow<'a, str> {
        let path = request.path.as_str();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_empty() || !may_be_readdressed(request) {
            return path.into();
        }
        let found = Address::of(path).and_then(|address| {
            let version = known.get(&address.key())?.as_ref()?;
            Some(format!("/apis/{}/{version}/{}", address.group, address.rest))
        });
        found.map_or_else(|| path.into(), Cow::Owned)
    }
}

impl Api {
    /// Whether another address has been found for a request that was answered with 404.
    pub(super) async fn finds_version(&self, request: &Request, answer: &Answer) -> bool {
        let is_object = || {
            let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
            !refusal.details.name.is_empty()
        };
        if answer.status != StatusCode::NOT_FOUND || !may_be_readdressed(request) || is_object() {
            return false;
        }
        let Some(address) = Address::of(&request.path) else { return false };
        let is_known =
            self.versions.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&address.key());
        if is_known {
            return false;
        }
        let version = Box::pin(self.version_of(&address)).await;
        let is_found = version.is_some();
        self.versions.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address.key(), version);
        is_found
    }

    /// In which other version a server has a resource.
    async fn version_of(&self, address: &Address<'_>) -> Option<String> {
        let Address { group, version: ours, plural, .. } = address;
        let answer = self.exchange(&Request::get(format!("/apis/{group}"))).await.ok()?;
        let group_there: Group = serde_json::from_slice(&answer.body).ok()?;
        for GroupVersion { version } in group_there.versions {
            if version == *ours {
                continue;
            }
            let answer = self.exchange(&Request::get(format!("/apis/{group}/{version}"))).await.ok()?;
            let resources: Resources = serde_json::from_slice(&answer.body).unwrap_or_default();
            if resources.resources.iter().any(|resource| resource.name == *plural) {
                return Some(version);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sends_no_object_goes_where_the_server_has_the_kind() {
        let versions = Versions::default();
        let key = ("batch".to_owned(), "cronjobs".to_owned());
        let path = "/apis/batch/v1/namespaces/n/cronjobs/x?watch=true";
        assert_eq!(versions.address(&Request::get(path.into())), path);
        versions.0.lock().expect("versions").insert(key, Some("v1beta1".into()));
        for (path, address) in [
            (path, "/apis/batch/v1beta1/namespaces/n/cronjobs/x?watch=true"),
            ("/apis/batch/v1/cronjobs?limit=500", "/apis/batch/v1beta1/cronjobs?limit=500"),
            ("/apis/batch/v1/namespaces/n/jobs/cronjobs", "/apis/batch/v1/namespaces/n/jobs/cronjobs"),
            ("/api/v1/namespaces/n/pods", "/api/v1/namespaces/n/pods"),
        ] {
            assert_eq!(versions.address(&Request::get(path.into())), address);
        }
        let path = "/apis/batch/v1/namespaces/n/cronjobs";
        let creation = Request::with_body(Method::POST, path.into(), &()).expect("a request");
        assert_eq!(versions.address(&creation), path);
    }
}
