//! Which devices of the node are leased. A lease ends with the proof that nothing of its pod runs any more, not with the pod's
//! object: who deletes that by force does not free the device.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::PodSpec;
use crate::api::devices::{Devices, wanted};
use crate::api::kinds::Key;

/// Who has which devices.
#[derive(Clone, Debug, Default)]
pub(super) struct Leases {
    held: BTreeMap<Key, (String, Devices)>,
    /// Uids of pods whose objects are gone, and which may still run; nothing where nobody knows what they had.
    departing: BTreeMap<String, Option<Devices>>,
}

impl Leases {
    /// A pod that has its place has these devices with it.
    pub(super) fn hold(&mut self, key: &Key, uid: &str, devices: Devices) {
        if !devices.is_empty() {
            self.held.insert(key.clone(), (uid.to_owned(), devices));
        }
    }

    /// The uid of the pod of that name that has devices.
    pub(super) fn holder(&self, key: &Key) -> Option<&str> {
        self.held.get(key).map(|(uid, _)| uid.as_str())
    }

    /// A pod has ended, or another version of it comes.
    pub(super) fn end(&mut self, key: &Key) {
        self.held.remove(key);
    }

    /// A pod's object is gone: where it had not ended, its devices stay leased.
    pub(super) fn depart(&mut self, key: &Key) {
        if let Some((uid, devices)) = self.held.remove(key) {
            self.departing.insert(uid, Some(devices));
        }
    }

    /// A pod that nobody knows may still run.
    pub(super) fn depart_unknown(&mut self, uid: &str) {
        self.departing.entry(uid.to_owned()).or_default();
    }

    /// Nothing of a pod runs any more. Whether that ends a lease.
    pub(super) fn departed(&mut self, uid: &str) -> bool {
        self.departing.remove(uid).is_some()
    }

    /// The uids of pods whose end is to be seen.
    pub(super) fn departing(&self) -> impl Iterator<Item = &str> {
        self.departing.keys().map(String::as_str)
    }

    /// Chooses devices for a pod that is admitted, of those that nobody has; they are added to `given`. `None` where some are
    /// not free after all.
    pub(super) fn choose(&self, inventory: &Devices, spec: &PodSpec, given: &mut Devices) -> Option<Devices> {
        let mut chosen = Devices::new();
        for (resource, all) in inventory {
            let count = wanted(spec, resource);
            if count == 0 {
                continue;
            }
            let of_resource = |devices: &Devices| devices.get(resource).cloned().unwrap_or_default();
            let mut taken: BTreeSet<String> = of_resource(given).into_iter().collect();
            taken.extend(self.held.values().flat_map(|(_, devices)| of_resource(devices)));
            for devices in self.departing.values() {
                taken.extend(of_resource(devices.as_ref()?));
            }
            let free: Vec<String> =
                all.iter().filter(|id| !taken.contains(*id)).take(count).cloned().collect();
            if free.len() < count {
                return None;
            }
            chosen.insert(resource.clone(), free);
        }
        for (resource, ids) in &chosen {
            given.entry(resource.clone()).or_default().extend(ids.iter().cloned());
        }
        Some(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GPU: &str = "nvidia.com/gpu";

    fn gpus(ids: &[&str]) -> Devices {
        Devices::from([(GPU.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect())])
    }

    fn spec(count: u32) -> PodSpec {
        let requests = json!({GPU: count.to_string()});
        serde_json::from_value(json!({"containers": [{"name": "c", "resources": {"requests": requests}}]}))
            .expect("a spec")
    }

    #[test]
    fn nobody_is_given_what_somebody_has() {
        let inventory = gpus(&["0", "1", "2"]);
        let mut leases = Leases::default();
        leases.hold(&Key::new("default", "a"), "a", gpus(&["1"]));
        let mut given = Devices::new();
        assert_eq!(leases.choose(&inventory, &spec(1), &mut given), Some(gpus(&["0"])));
        assert_eq!(
            leases.choose(&inventory, &spec(1), &mut given),
            Some(gpus(&["2"])),
            "the second of one pass"
        );
        assert_eq!(leases.choose(&inventory, &spec(1), &mut given), None);
        assert_eq!(leases.choose(&inventory, &spec(0), &mut given), Some(Devices::new()));
        leases.end(&Key::new("default", "a"));
        assert_eq!(leases.choose(&inventory, &spec(1), &mut given), Some(gpus(&["1"])));
    }

    #[test]
    fn a_lease_lasts_longer_than_the_object_of_its_pod() {
        let inventory = gpus(&["0", "1"]);
        let mut leases = Leases::default();
        let choose = |leases: &Leases, count| leases.choose(&inventory, &spec(count), &mut Devices::new());
        leases.hold(&Key::new("default", "a"), "a", gpus(&["0"]));
        leases.depart(&Key::new("default", "a"));
        assert_eq!(leases.departing().collect::<Vec<_>>(), ["a"]);
        assert_eq!((choose(&leases, 1), choose(&leases, 2)), (Some(gpus(&["1"])), None));
        // What a pod had that is known to nobody, may be any of them.
        leases.depart_unknown("b");
        assert_eq!(choose(&leases, 1), None);
        assert!(leases.departed("b") && !leases.departed("b"));
        assert!(leases.departed("a"));
        assert_eq!(choose(&leases, 2), Some(gpus(&["0", "1"])));
        // One that has ended leaves nothing.
        leases.hold(&Key::new("default", "c"), "c", gpus(&["0"]));
        leases.end(&Key::new("default", "c"));
        leases.depart(&Key::new("default", "c"));
        assert_eq!(leases.departing().count(), 0);
    }
}
