//! The kinds we know, with every name kubectl users call them by.

use std::fmt;

/// A kind of object this program stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `core/v1` ConfigMap.
    ConfigMap,
    /// `core/v1` Endpoints.
    Endpoints,
    /// `core/v1` Event.
    Event,
    /// `core/v1` LimitRange.
    LimitRange,
    /// `core/v1` Namespace.
    Namespace,
    /// `core/v1` Node: this machine.
    Node,
    /// `core/v1` PersistentVolumeClaim.
    PersistentVolumeClaim,
    /// `core/v1` Pod.
    Pod,
    /// `core/v1` ResourceQuota.
    ResourceQuota,
    /// `core/v1` Secret.
    Secret,
    /// `core/v1` ServiceAccount.
    ServiceAccount,
    /// `core/v1` Service.
    Service,
    /// `apps/v1` ControllerRevision.
    ControllerRevision,
    /// `apps/v1` StatefulSet.
    StatefulSet,
    /// `batch/v1` CronJob.
    CronJob,
    /// `batch/v1` Job.
    Job,
    /// `discovery.k8s.io/v1` EndpointSlice.
    EndpointSlice,
    /// `networking.k8s.io/v1` NetworkPolicy.
    NetworkPolicy,
    /// `rbac.authorization.k8s.io/v1` ClusterRoleBinding.
    ClusterRoleBinding,
    /// `rbac.authorization.k8s.io/v1` ClusterRole.
    ClusterRole,
    /// `rbac.authorization.k8s.io/v1` RoleBinding.
    RoleBinding,
    /// `rbac.authorization.k8s.io/v1` Role.
    Role,
    /// `scheduling.k8s.io/v1` PriorityClass.
    PriorityClass,
}

/// How a kind is named on the command line, in manifests and in messages.
#[derive(Debug)]
pub struct Resource {
    /// The kind this row describes.
    pub kind: Kind,
    /// The kind as manifests spell it, for instance `CronJob`.
    pub name: &'static str,
    /// The API group, empty for core.
    pub group: &'static str,
    /// Versions accepted in manifests, the stored one first.
    pub versions: &'static [&'static str],
    /// Lower-case plural, for instance `cronjobs`.
    pub plural: &'static str,
    /// Lower-case singular.
    pub singular: &'static str,
    /// kubectl's short names.
    pub short: &'static [&'static str],
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// Whether `all` covers it.
    pub in_all: bool,
}

/// Every kind, in the order in which a server's discovery lists them: core first, then the groups by their names.
pub const RESOURCES: &[Resource] = &[
    Resource {
        kind: Kind::ConfigMap,
        name: "ConfigMap",
        group: "",
        versions: &["v1"],
        plural: "configmaps",
        singular: "configmap",
        short: &["cm"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Endpoints,
        name: "Endpoints",
        group: "",
        versions: &["v1"],
        plural: "endpoints",
        singular: "endpoints",
        short: &["ep"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Event,
        name: "Event",
        group: "",
        versions: &["v1"],
        plural: "events",
        singular: "event",
        short: &["ev"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::LimitRange,
        name: "LimitRange",
        group: "",
        versions: &["v1"],
        plural: "limitranges",
        singular: "limitrange",
        short: &["limits"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Namespace,
        name: "Namespace",
        group: "",
        versions: &["v1"],
        plural: "namespaces",
        singular: "namespace",
        short: &["ns"],
        namespaced: false,
        in_all: false,
    },
    Resource {
        kind: Kind::Node,
        name: "Node",
        group: "",
        versions: &["v1"],
        plural: "nodes",
        singular: "node",
        short: &["no"],
        namespaced: false,
        in_all: false,
    },
    Resource {
        kind: Kind::PersistentVolumeClaim,
        name: "PersistentVolumeClaim",
        group: "",
        versions: &["v1"],
        plural: "persistentvolumeclaims",
        singular: "persistentvolumeclaim",
        short: &["pvc"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Pod,
        name: "Pod",
        group: "",
        versions: &["v1"],
        plural: "pods",
        singular: "pod",
        short: &["po"],
        namespaced: true,
        in_all: true,
    },
    Resource {
        kind: Kind::ResourceQuota,
        name: "ResourceQuota",
        group: "",
        versions: &["v1"],
        plural: "resourcequotas",
        singular: "resourcequota",
        short: &["quota"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Secret,
        name: "Secret",
        group: "",
        versions: &["v1"],
        plural: "secrets",
        singular: "secret",
        short: &[],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::ServiceAccount,
        name: "ServiceAccount",
        group: "",
        versions: &["v1"],
        plural: "serviceaccounts",
        singular: "serviceaccount",
        short: &["sa"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Service,
        name: "Service",
        group: "",
        versions: &["v1"],
        plural: "services",
        singular: "service",
        short: &["svc"],
        namespaced: true,
        in_all: true,
    },
    Resource {
        kind: Kind::ControllerRevision,
        name: "ControllerRevision",
        group: "apps",
        versions: &["v1"],
        plural: "controllerrevisions",
        singular: "controllerrevision",
        short: &[],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::StatefulSet,
        name: "StatefulSet",
        group: "apps",
        versions: &["v1"],
        plural: "statefulsets",
        singular: "statefulset",
        short: &["sts"],
        namespaced: true,
        in_all: true,
    },
    Resource {
        kind: Kind::CronJob,
        name: "CronJob",
        group: "batch",
        versions: &["v1", "v1beta1"],
        plural: "cronjobs",
        singular: "cronjob",
        short: &["cj"],
        namespaced: true,
        in_all: true,
    },
    Resource {
        kind: Kind::Job,
        name: "Job",
        group: "batch",
        versions: &["v1"],
        plural: "jobs",
        singular: "job",
        short: &[],
        namespaced: true,
        in_all: true,
    },
    Resource {
        kind: Kind::EndpointSlice,
        name: "EndpointSlice",
        group: "discovery.k8s.io",
        versions: &["v1"],
        plural: "endpointslices",
        singular: "endpointslice",
        short: &[],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::NetworkPolicy,
        name: "NetworkPolicy",
        group: "networking.k8s.io",
        versions: &["v1"],
        plural: "networkpolicies",
        singular: "networkpolicy",
        short: &["netpol"],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::ClusterRoleBinding,
        name: "ClusterRoleBinding",
        group: "rbac.authorization.k8s.io",
        versions: &["v1"],
        plural: "clusterrolebindings",
        singular: "clusterrolebinding",
        short: &[],
        namespaced: false,
        in_all: false,
    },
    Resource {
        kind: Kind::ClusterRole,
        name: "ClusterRole",
        group: "rbac.authorization.k8s.io",
        versions: &["v1"],
        plural: "clusterroles",
        singular: "clusterrole",
        short: &[],
        namespaced: false,
        in_all: false,
    },
    Resource {
        kind: Kind::RoleBinding,
        name: "RoleBinding",
        group: "rbac.authorization.k8s.io",
        versions: &["v1"],
        plural: "rolebindings",
        singular: "rolebinding",
        short: &[],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::Role,
        name: "Role",
        group: "rbac.authorization.k8s.io",
        versions: &["v1"],
        plural: "roles",
        singular: "role",
        short: &[],
        namespaced: true,
        in_all: false,
    },
    Resource {
        kind: Kind::PriorityClass,
        name: "PriorityClass",
        group: "scheduling.k8s.io",
        versions: &["v1"],
        plural: "priorityclasses",
        singular: "priorityclass",
        short: &["pc"],
        namespaced: false,
        in_all: false,
    },
];

/// Where each kind's row is: every record that is read from the store asks for one.
const ROWS: [u8; RESOURCES.len()] = {
    let mut rows = [0; RESOURCES.len()];
    let mut row = 0_u8;
    while (row as usize) < RESOURCES.len() {
        rows[RESOURCES[row as usize].kind as usize] = row;
        row += 1;
    }
    rows
};

impl Kind {
    /// The row that names this kind.
    pub const fn resource(self) -> &'static Resource {
        &RESOURCES[ROWS[self as usize] as usize]
    }

    /// The key under which an object of this kind is stored: without a namespace where the kind has none.
    pub fn key(self, namespace: &str, name: &str) -> Key {
        Key::new(if self.resource().namespaced { namespace } else { "" }, name)
    }

    /// The kind as manifests spell it.
    pub fn as_str(self) -> &'static str {
        self.resource().name
    }

    /// `batch/v1` or `v1`: the version in which objects of this kind are stored.
    pub fn api_version(self) -> String {
        let resource = self.resource();
        if resource.group.is_empty() {
            resource.versions[0].to_owned()
        } else {
            format!("{}/{}", resource.group, resource.versions[0])
        }
    }

    /// Whether its objects are made of others when they are asked for, and nobody stores them.
    pub const fn is_derived(self) -> bool {
        matches!(self, Self::Endpoints | Self::EndpointSlice)
    }

    /// The kinds whose objects its own are made of: itself, where they are stored.
    pub fn made_of(self) -> Vec<Kind> {
        if self.is_derived() { vec![Self::Service, Self::Pod] } else { vec![self] }
    }

    /// Whether pods are made of its objects, or it is one: they need to know who has created them.
    pub const fn has_pods(self) -> bool {
        matches!(self, Self::Pod | Self::Job | Self::CronJob | Self::StatefulSet)
    }

    /// What an API server that had an old version of this kind said of a manifest in it; `None` for versions that are not old.
    pub fn deprecation(self, version: &str) -> Option<&'static str> {
        let is_old = self == Kind::CronJob && version == "v1beta1";
        is_old.then_some(
            "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob",
        )
    }

    /// `jobs.batch` or `pods`: how errors of the API name the resource.
    pub fn qualified_plural(self) -> String {
        qualified(self.resource().plural, self.resource().group)
    }

    /// `job.batch` or `pod`: how kubectl's one-line results name the resource.
    pub fn qualified_singular(self) -> String {
        qualified(self.resource().singular, self.resource().group)
    }

    /// `Job.batch` or `Pod`: how the server names the kind in its messages.
    pub fn qualified_name(self) -> String {
        qualified(self.resource().name, self.resource().group)
    }

    /// Finds a kind by its manifest spelling, for instance `Job`.
    pub fn from_name(name: &str) -> Option<Kind> {
        RESOURCES.iter().find(|resource| resource.name == name).map(|resource| resource.kind)
    }

    /// Finds the kind a person means on the command line: plural, singular or short name in any case,
    /// with or without `.group` or `.version.group` (`jobs`, `job`, `jobs.batch`, `jobs.v1.batch`).
    pub fn from_argument(argument: &str) -> Option<Kind> {
        let lower = argument.to_ascii_lowercase();
        let (word, suffix) = lower.split_once('.').map_or((lower.as_str(), ""), |(word, rest)| (word, rest));
        let resource =
            RESOURCES.iter().find(|r| r.plural == word || r.singular == word || r.short.contains(&word))?;
        let suffix_names_it = suffix.is_empty()
            || suffix == resource.group
            || suffix
                .split_once('.')
                .is_some_and(|(version, group)| group == resource.group && version == resource.versions[0]);
        let core_version = resource.group.is_empty()
            && suffix
                .strip_suffix('.')
                .unwrap_or(suffix)
                .split('.')
                .all(|part| part == "v1" || part.is_empty());
        (suffix_names_it || core_version).then_some(resource.kind)
    }
}

fn qualified(word: &str, group: &str) -> String {
    if group.is_empty() { word.to_owned() } else { format!("{word}.{group}") }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Namespace and name: what identifies an object of a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The namespace.
    pub namespace: Box<str>,
    /// The name.
    pub name: Box<str>,
}

impl Key {
    /// A key from its two parts.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_a_person_types_finds_its_kind() {
        for (argument, kind) in [
            ("job", Some(Kind::Job)),
            ("jobs", Some(Kind::Job)),
            ("Jobs", Some(Kind::Job)),
            ("jobs.batch", Some(Kind::Job)),
            ("jobs.v1.batch", Some(Kind::Job)),
            ("jobs.v2.batch", None),
            ("cronjobs.v1.batch", Some(Kind::CronJob)),
            ("cronjobs.v1beta1.batch", None),
            ("jobs.apps", None),
            ("po", Some(Kind::Pod)),
            ("pods.v1.", Some(Kind::Pod)),
            ("cj", Some(Kind::CronJob)),
            ("cronjob.batch", Some(Kind::CronJob)),
            ("ev", Some(Kind::Event)),
            ("svc", Some(Kind::Service)),
            ("sa", Some(Kind::ServiceAccount)),
            ("secrets", Some(Kind::Secret)),
            ("sts", Some(Kind::StatefulSet)),
            ("statefulsets.v1.apps", Some(Kind::StatefulSet)),
            ("netpol", Some(Kind::NetworkPolicy)),
            ("role.rbac.authorization.k8s.io", Some(Kind::Role)),
            ("pc", Some(Kind::PriorityClass)),
            ("quota", Some(Kind::ResourceQuota)),
            ("limits", Some(Kind::LimitRange)),
            ("deployment", None),
        ] {
            assert_eq!(Kind::from_argument(argument), kind, "{argument}");
        }
    }
}
