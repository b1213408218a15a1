//! Addresses of pods, and the names by which they find each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::net::Ipv4Addr;

use chrono::{DateTime, Duration, Utc};

use super::Engine;
use crate::api::Pod;
use crate::api::conditions::is_pod_finished;
use crate::api::meta::{namespace, uid};
use crate::controller::endpoints::{Member, hosts_lines, own_lines};
use crate::store::{PodDirectory, write_in_place};

/// Addresses of pods lie in 127.16.0.0/12: the loopback network has them all, so none has to be set up.
const FIRST: u32 = u32::from_be_bytes([127, 16, 0, 0]);
const COUNT: u32 = 1 << 20;

/// The addresses of pods that have not ended, and what their hosts files say.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_pod: HashMap<Box<str>, Ipv4Addr>,
    used: HashSet<Ipv4Addr>,
    /// What the pods of a namespace have been told last.
    told: BTreeMap<String, String>,
    /// Pods that have ended, and until when their names lead to where they were.
    ended: VecDeque<(DateTime<Utc>, Member)>,
}

/// How long the names of pods outlive them, at least: a cluster's DNS remembers them about as long.
const REMEMBERED: Duration = Duration::seconds(5);
/// The most names of pods that have ended: many that end at once are no ring of a few.
const MOST_REMEMBERED: usize = 100;

impl Names {
    /// An address for a pod: the same each time, as long as nobody else has it.
    pub(super) fn address_of(&mut self, pod_uid: &str) -> Ipv4Addr {
        if let Some(known) = self.by_pod.get(pod_uid) {
            return *known;
        }
        let hasher: BuildHasherDefault<DefaultHasher> = BuildHasherDefault::default();
        let start = hasher.hash_one(pod_uid) as u32;
        let candidates = (0..COUNT).map(|step| Ipv4Addr::from(FIRST + start.wrapping_add(step) % COUNT));
        let free =
            |address: &Ipv4Addr| !matches!(address.octets()[3], 0 | 255) && !self.used.contains(address);
        let address = candidates.into_iter().find(free).unwrap_or(Ipv4Addr::LOCALHOST);
        self.keep(pod_uid, address);
        address
    }

    /// Notes which address a pod has.
    pub(super) fn keep(&mut self, pod_uid: &str, address: Ipv4Addr) {
        self.used.insert(address);
        self.by_pod.insert(pod_uid.into(), address);
    }

    /// What the pods of a namespace see of names beside their own.
    pub(super) fn shared(&self, namespace: &str) -> &str {
        self.told.get(namespace).map_or("", String::as_str)
    }

    /// Notes that a pod has ended.
    pub(super) fn remember(&mut self, pod: &Pod, now: DateTime<Utc>) {
        let Some(member) = Member::of(pod) else { return };
        if self.ended.len() == MOST_REMEMBERED {
            self.ended.pop_front();
        }
        self.ended.push_back((now + REMEMBERED, member));
    }

    /// Forgets a pod that has ended.
    pub(super) fn forget(&mut self, pod_uid: &str) {
        if let Some(address) = self.by_pod.remove(pod_uid) {
            self.used.remove(&address);
        }
    }
}

impl Engine {
    /// Takes over the addresses of pods that were started by others.
    pub(super) fn adopt_addresses(&mut self) {
        for pod in self.world.live_pods().filter(|pod| !is_pod_finished(pod)) {
            let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_ref()?.parse().ok());
            let is_own = |address: &Ipv4Addr| (FIRST..FIRST + COUNT).contains(&u32::from(*address));
            if let Some(address) = address.filter(is_own) {
                self.names.keep(uid(&pod.metadata), address);
            }
        }
    }

    /// Writes a pod's hosts file: `shared` is what all pods of its namespace see.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn write_hosts(&self, pod: &Pod, shared: &str, of_machine: &str) -> std::io::Result<()> {
        let Some(address) = self.names.by_pod.get(uid(&pod.metadata)) else { return Ok(()) };
        let own = own_lines(pod, &address.to_string());
        let text = format!("# Names of this pod and of Services, kept by jobctl.\n{own}{shared}{of_machine}");
        let directory = PodDirectory::new(self.store.pod_path(uid(&pod.metadata)));
        write_in_place(&directory.hosts_path(), text.as_bytes())
    }

    /// Tells running pods of names that have changed. Those that are about to start are told when they are prepared.
    pub(super) fn refresh_names(&mut self, now: DateTime<Utc>) {
        let remembered = self.names.ended.len();
        self.names.ended.retain(|(until, _)| now < *until);
        let is_forgotten = self.names.ended.len() < remembered;
        if !self.world.take_names_changed() && !is_forgotten {
            return;
        }
        let spaces: BTreeSet<String> =
            self.world.live_pods().map(|pod| namespace(&pod.metadata).to_owned()).collect();
        let mut told = BTreeMap::new();
        let of_machine = hosts_of_machine();
        let ended: Vec<&Member> = self.names.ended.iter().map(|(_, member)| member).collect();
        for space in spaces {
            let lines = hosts_lines(&self.world, &space, &ended);
            if lines != self.names.shared(&space) {
                for pod in self.world.live_pods_in(&space) {
                    let directory = PodDirectory::new(self.store.pod_path(uid(&pod.metadata)));
                    if self.supervised.contains_key(uid(&pod.metadata)) && directory.hosts_path().exists() {
                        // The next change tells it again.
                        let _ = self.write_hosts(pod, &lines, &of_machine);
                    }
                }
            }
            told.insert(space, lines);
        }
        self.names.told = told;
    }
}

/// What this machine itself says of names.
pub(super) fn hosts_of_machine() -> String {
    std::fs::read_to_string("/etc/hosts").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pods_have_one_address() {
        let mut names = Names::default();
        let addresses: HashSet<Ipv4Addr> =
            (0..20_000).map(|number| names.address_of(&format!("pod-{number}"))).collect();
        assert_eq!(addresses.len(), 20_000);
        assert!(
            addresses
                .iter()
                .all(|address| address.octets()[0] == 127 && (16..32).contains(&address.octets()[1]))
        );
        let one = names.address_of("pod-7");
        assert_eq!(names.address_of("pod-7"), one);
        names.forget("pod-7");
        assert_eq!(names.address_of("pod-7"), one, "by the uid");
    }
}
