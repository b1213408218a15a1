//! What objects are: types, kinds and names, defaults, selectors, conditions, errors of the API.
//! Pure: no clock, no files, no processes, no printing.

pub mod compatibility;
pub mod conditions;
pub mod containers;
pub mod decode;
pub mod defaults;
pub mod dependencies;
pub mod devices;
pub mod disabled_fields;
pub mod durations;
pub(crate) mod errno;
pub mod events;
pub mod foreign_kinds;
pub mod hooks;
pub mod images;
pub mod indexes;
pub mod items;
pub mod kind_effects;
pub mod kinds;
pub mod meta;
pub(crate) mod names;
pub mod nodes;
pub(crate) mod number;
pub mod pod_admission;
pub mod pod_resources;
pub mod priorities;
pub(crate) mod quantity;
pub(crate) mod quoted;
pub mod references;
pub mod resource_field;
pub mod schedule;
pub mod schema;
pub mod security;
pub mod selectors;
pub mod service_effects;
pub mod status_error;
pub mod times;
pub mod validation;
pub mod version;

pub use k8s_openapi::api::apps::v1::{ControllerRevision, StatefulSet};
pub use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, Job, JobSpec, JobStatus};
pub use k8s_openapi::api::core::v1::{
    ConfigMap, Container, ContainerStatus, Endpoints, Event, LimitRange, Namespace, Node, NodeSpec,
    NodeStatus, PersistentVolumeClaim, Pod, PodSpec, PodStatus, ResourceQuota, Secret, Service,
    ServiceAccount,
};
pub use k8s_openapi::api::discovery::v1::EndpointSlice;
pub use k8s_openapi::api::networking::v1::NetworkPolicy;
pub use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
pub use k8s_openapi::api::scheduling::v1::PriorityClass;
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
