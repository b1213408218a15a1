//! What objects are: types, kinds and names, defaults, selectors, conditions, errors of the API.
//! Pure: no clock, no files, no processes, no printing.

pub mod compatibility;
pub mod conditions;
pub mod decode;
pub mod defaults;
pub mod disabled_fields;
pub mod durations;
pub mod events;
pub mod foreign_kinds;
pub mod indexes;
pub mod kinds;
pub mod meta;
pub(crate) mod names;
pub mod nodes;
pub(crate) mod number;
pub mod pod_admission;
pub mod pod_resources;
pub(crate) mod quantity;
pub mod resource_field;
pub mod schedule;
pub mod selectors;
pub mod status_error;
pub mod times;
pub mod validation;

pub use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec, CronJobStatus, Job, JobSpec, JobStatus};
pub use k8s_openapi::api::core::v1::{
    Container, ContainerStatus, Event, Node, NodeSpec, NodeStatus, Pod, PodSpec, PodStatus,
};
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
