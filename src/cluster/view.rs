//! A kubeconfig as it is shown: as a document, with or without what is secret, of one context or of all.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::kubeconfig::{Data, Kubeconfig};
use crate::api::errno::errno_text;

/// What stands in the place of bytes.
const OMITTED: &str = "DATA+OMITTED";
/// What stands in the place of a token or a password.
const REDACTED: &str = "REDACTED";

/// The fields whose text is not for everybody who looks over a shoulder, and what stands in its place.
const CONCEALED: [(&str, &str); 5] = [
    ("certificate-authority-data", OMITTED),
    ("client-certificate-data", OMITTED),
    ("client-key-data", OMITTED),
    ("password", REDACTED),
    ("token", REDACTED),
];

impl Kubeconfig {
    /// What one context needs, and nothing else. It is the current one.
    ///
    /// # Errors
    /// It is not there, or what it names is not.
    pub fn minified(&self, context: &str) -> Result<Self> {
        if context.is_empty() {
            bail!("current-context must exist in order to minify");
        }
        fn only<T: Clone>(
            entries: &BTreeMap<String, T>,
            name: &str,
            what: &str,
        ) -> Result<BTreeMap<String, T>> {
            if name.is_empty() {
                return Ok(BTreeMap::new());
            }
            let entry = entries.get(name).ok_or_else(|| anyhow!("cannot locate {what} {name}"))?;
            Ok(BTreeMap::from([(name.to_owned(), entry.clone())]))
        }
        let contexts = only(&self.contexts, context, "context")?;
        let found = &contexts[context];
        Ok(Self {
            clusters: only(&self.clusters, &found.cluster, "cluster")?,
            users: only(&self.users, &found.user, "user")?,
            current_context: context.to_owned(),
            preferences: self.preferences.clone(),
            extensions: self.extensions.clone(),
            contexts,
        })
    }

    /// With what is in files of certificates and keys in the place of their names, so that it can be carried elsewhere.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn flattened(mut self) -> Result<Self> {
        for cluster in self.clusters.values_mut() {
            inline(
                &mut cluster.certificate_authority,
                &mut cluster.certificate_authority_data,
                &cluster.directory,
            )?;
        }
        for user in self.users.values_mut() {
            inline(&mut user.client_certificate, &mut user.client_certificate_data, &user.directory)?;
            inline(&mut user.client_key, &mut user.client_key_data, &user.directory)?;
        }
        Ok(self)
    }

    /// As a file has it.
    pub fn to_value(&self, with_secrets: bool) -> Value {
        fn listed<T: Serialize>(entries: &BTreeMap<String, T>, what: &str) -> Option<Vec<Value>> {
            let listed = entries.iter().map(|(name, entry)| json!({"name": name, what: entry}));
            (!entries.is_empty()).then(|| listed.collect())
        }
        let mut value = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": listed(&self.clusters, "cluster"),
            "contexts": listed(&self.contexts, "context"),
            "current-context": self.current_context,
            "preferences": self.preferences,
            "users": listed(&self.users, "user"),
        });
        if !self.extensions.is_empty() {
            value["extensions"] = json!(self.extensions);
        }
        if !with_secrets {
            for (list, what) in [("clusters", "cluster"), ("users", "user")] {
                let entries = value[list].as_array_mut().into_iter().flatten();
                entries.for_each(|entry| conceal(&mut entry[what]));
            }
        }
        value
    }
}

fn conceal(entry: &mut Value) {
    for (field, in_its_place) in CONCEALED {
        if let Some(text) = entry.get_mut(field) {
            *text = json!(in_its_place);
        }
    }
    // kubectl shows these; a provider's configuration holds its tokens.
    let config = entry.get_mut("auth-provider").and_then(|provider| provider.get_mut("config"));
    for text in config.and_then(Value::as_object_mut).into_iter().flat_map(|config| config.values_mut()) {
        *text = json!(REDACTED);
    }
}

fn inline(path: &mut String, data: &mut Data, directory: &Path) -> Result<()> {
    if path.is_empty() || !data.is_empty() {
        return Ok(());
    }
    let file = directory.join(&path);
    *data = std::fs::read(&file)
        .map(Data)
        .map_err(|error| anyhow!("open {}: {}", file.display(), errno_text(&error)))?;
    path.clear();
    Ok(())
}
