//! Kinds that an older server has in another version than ours: found as kubectl finds them, by asking what there is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::Value;

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

/// Whether a request may go to a version. An object that is sent is of the version that its manifest names; what sends none says
/// nothing of a version but in its path.
fn may_go_to(version: &str, request: &Request) -> bool {
    match request.method {
        Method::GET | Method::DELETE => true,
        Method::PATCH if !request.content_type.contains("apply") => true,
        _ => {
            let named = request.older_version.as_deref().and_then(|named| named.split_once('/'));
            named.is_some_and(|(_, named)| named == version)
        }
    }
}

/// An object as one of another version.
fn of_version(body: &Bytes, version: &str) -> Bytes {
    let Ok(mut object) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    object["apiVersion"] = version.into();
    object.to_string().into()
}

impl Versions {
    /// Where a request goes, as far as is known, and what it holds there.
    pub(super) fn address<'a>(&self, request: &'a Request) -> (Cow<'a, str>, Bytes) {
        let path = request.path.as_str();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Address::of(path).filter(|_| !known.is_empty()).and_then(|address| {
            let version = known.get(&address.key())?.as_ref()?;
            if !may_go_to(version, request) {
                return None;
            }
            let body = match &request.older_version {
                Some(older) => of_version(&request.body, older),
                None => request.body.clone(),
            };
            Some((format!("/apis/{}/{version}/{}", address.group, address.rest).into(), body))
        });
        found.unwrap_or_else(|| (path.into(), request.body.clone()))
    }
}

impl Api {
    /// Whether another address has been found for a request that was answered with 404.
    pub(super) async fn finds_version(&self, request: &Request, answer: &Answer) -> bool {
        let is_object = || {
            let refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
            !refusal.details.name.is_empty()
        };
        if answer.status != StatusCode::NOT_FOUND || is_object() {
            return false;
        }
        let Some(address) = Address::of(&request.path) else { return false };
        let sends_object = !may_go_to("", request);
        if sends_object && request.older_version.is_none() {
            return false;
        }
        let is_known =
            self.versions.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&address.key());
        if is_known {
            return false;
        }
        let version = Box::pin(self.version_of(&address)).await;
        let is_found = version.as_deref().is_some_and(|version| may_go_to(version, request));
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
        assert_eq!(versions.address(&Request::get(path.into())).0, path);
        versions.0.lock().expect("versions").insert(key, Some("v1beta1".into()));
        for (path, address) in [
            (path, "/apis/batch/v1beta1/namespaces/n/cronjobs/x?watch=true"),
            ("/apis/batch/v1/cronjobs?limit=500", "/apis/batch/v1beta1/cronjobs?limit=500"),
            ("/apis/batch/v1/namespaces/n/jobs/cronjobs", "/apis/batch/v1/namespaces/n/jobs/cronjobs"),
            ("/api/v1/namespaces/n/pods", "/api/v1/namespaces/n/pods"),
        ] {
            assert_eq!(versions.address(&Request::get(path.into())).0, address);
        }
        let path = "/apis/batch/v1/namespaces/n/cronjobs";
        let creation = Request::with_body(Method::POST, path.into(), &()).expect("a request");
        assert_eq!(versions.address(&creation).0, path);
    }

    #[test]
    fn an_object_goes_where_its_manifest_says_it_is_of() {
        let versions = Versions::default();
        let key = ("batch".to_owned(), "cronjobs".to_owned());
        let path = "/apis/batch/v1/namespaces/n/cronjobs";
        let object = serde_json::json!({"apiVersion": "batch/v1", "kind": "CronJob"});
        let creation = Request::with_body(Method::POST, path.into(), &object).expect("a request");
        let older = |version: &str| Request { older_version: Some(version.into()), ..creation.clone() };
        let there = |request: &Request| {
            let (path, body) = versions.address(request);
            (
                path.into_owned(),
                serde_json::from_slice::<Value>(&body).expect("an object")["apiVersion"].clone(),
            )
        };
        // As long as nothing is known, ours is tried.
        assert_eq!(there(&older("batch/v1beta1")), (path.into(), "batch/v1".into()));
        versions.0.lock().expect("versions").insert(key, Some("v1beta1".into()));
        let found = "/apis/batch/v1beta1/namespaces/n/cronjobs";
        assert_eq!(there(&older("batch/v1beta1")), (found.into(), "batch/v1beta1".into()));
        assert_eq!(there(&older("batch/v2alpha1")), (path.into(), "batch/v1".into()));
        assert_eq!(there(&creation), (path.into(), "batch/v1".into()));
    }
}
