//! What a client finds in a cluster though nobody has stored it: the account and the certificate in each namespace.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use anyhow::Result;
use serde_json::json;

use super::Server;
use super::status::Problem;
use crate::api::kinds::{Key, Kind};
use crate::apiserver::{DEFAULT_NAMESPACE, Reader};
use crate::store::{State, Table};

/// The account that pods have that name none.
const ACCOUNT: &str = "default";
/// What holds the certificate of the server.
const CERTIFICATE: &str = "kube-root-ca.crt";

/// The objects of a kind as clients see them.
///
/// # Errors
/// Damaged objects.
pub(super) fn reader(server: &Server, mut state: State, kind: Kind) -> Result<Reader> {
    if let Kind::ServiceAccount | Kind::ConfigMap = kind {
        for namespace in namespaces(&state) {
            let name = if kind == Kind::ConfigMap { CERTIFICATE } else { ACCOUNT };
            let key = Key::new(&namespace, name);
            if state.get(Table::from(kind), &key).is_none() {
                let text = object(server, kind, &key);
                state.add(Table::from(kind), key, text);
            }
        }
    }
    server.client.show(state, Table::from(kind))
}

/// Deletes an object that is only shown, and returns the uid that it had; none where it is not there. A cluster makes it anew, and
/// whoever waits until it is gone sees that it is another one.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn delete(server: &Server, kind: Kind, key: &Key) -> Result<Option<String>, Problem> {
    let name = match kind {
        Kind::ConfigMap => CERTIFICATE,
        Kind::ServiceAccount => ACCOUNT,
        _ => return Ok(None),
    };
    let (state, _) = server.snapshot()?;
    let is_there = &*key.name == name && namespaces(&state).contains(&*key.namespace);
    if !is_there || state.get(Table::from(kind), key).is_some() {
        return Ok(None);
    }
    let uid = server.uid_of(kind, key);
    let mut deleted = server.deleted.lock().unwrap_or_else(PoisonError::into_inner);
    *deleted.entry((kind, key.clone())).or_default() += 1;
    Ok(Some(uid))
}

fn namespaces(state: &State) -> BTreeSet<String> {
    let stored = state.objects(Table::NAMESPACES).map(|(key, _)| key.name.to_string());
    stored.chain([DEFAULT_NAMESPACE.to_owned()]).collect()
}

fn object(server: &Server, kind: Kind, key: &Key) -> String {
    let mut object = json!({
        "kind": kind.as_str(),
        "apiVersion": kind.api_version(),
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "uid": server.uid_of(kind, key),
            "resourceVersion": "1",
            "creationTimestamp": server.started,
        },
    });
    if kind == Kind::ConfigMap {
        object["data"] = json!({ "ca.crt": server.certificate });
    }
    object.to_string()
}
