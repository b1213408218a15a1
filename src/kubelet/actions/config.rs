//! The ConfigMaps and Secrets that pods refer to.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use crate::api::kinds::{Key, Kind};
use crate::api::meta::key;

/// All ConfigMaps and Secrets.
#[derive(Clone, Debug, Default)]
pub struct ConfigObjects {
    config_maps: HashMap<Key, ConfigMap>,
    secrets: HashMap<Key, Secret>,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    ConfigMap,
    Secret,
}

impl Holder {
    /// As sentences about one that is missing have it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }

    /// As sentences about a key that is missing have it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

impl ConfigObjects {
    /// Takes in a ConfigMap as it is now.
    pub fn put_config_map(&mut self, config_map: ConfigMap) {
        self.config_maps.insert(key(&config_map.metadata), config_map);
    }

    /// Takes in a Secret as it is now.
    pub fn put_secret(&mut self, secret: Secret) {
        self.secrets.insert(key(&secret.metadata), secret);
    }

    /// Forgets one of them.
    pub fn remove(&mut self, kind: Kind, key: &Key) {
        match kind {
            Kind::ConfigMap => drop(self.config_maps.remove(key)),
            Kind::Secret => drop(self.secrets.remove(key)),
            _ => {}
        }
    }

    /// All of them, with their owners.
    pub fn all(&self) -> impl Iterator<Item = (Kind, &Key, &[OwnerReference])> {
        let config_maps = self.config_maps.iter().map(|(key, one)| (Kind::ConfigMap, key, &one.metadata));
        let secrets = self.secrets.iter().map(|(key, one)| (Kind::Secret, key, &one.metadata));
        config_maps
            .chain(secrets)
            .map(|(kind, key, meta)| (kind, key, meta.owner_references.as_deref().unwrap_or_default()))
    }

    /// What of one of them may become variables, by key: of a ConfigMap its texts alone. `None` where it does not exist.
    pub(super) fn texts(&self, holder: Holder, namespace: &str, name: &str) -> Option<BTreeMap<&str, &[u8]>> {
        let mut contents = self.contents(holder, namespace, name)?;
        if holder == Holder::ConfigMap {
            let texts =
                self.config_maps.get(&Key::new(namespace, name)).and_then(|found| found.data.as_ref());
            contents.retain(|key, _| texts.is_some_and(|texts| texts.contains_key(*key)));
        }
        Some(contents)
    }

    /// What one of them holds, by key. `None` where it does not exist.
    pub(super) fn contents(
        &self,
        holder: Holder,
        namespace: &str,
        name: &str,
    ) -> Option<BTreeMap<&str, &[u8]>> {
        let key = Key::new(namespace, name);
        let mut contents: BTreeMap<&str, &[u8]> = BTreeMap::new();
        match holder {
            Holder::ConfigMap => {
                let found = self.config_maps.get(&key)?;
                contents
                    .extend(found.data.iter().flatten().map(|(key, text)| (key.as_str(), text.as_bytes())));
                let bytes = found.binary_data.iter().flatten();
                contents.extend(bytes.map(|(key, bytes)| (key.as_str(), bytes.0.as_slice())));
            }
            Holder::Secret => {
                let found = self.secrets.get(&key)?;
                let bytes = found.data.iter().flatten();
                contents.extend(bytes.map(|(key, bytes)| (key.as_str(), bytes.0.as_slice())));
            }
        }
        Some(contents)
    }
}
