//! The containers of a pod one after the other, of whatever kind, as upstream visits them (VisitContainersWithPath).

use k8s_openapi::api::core::v1::{ContainerPort, EnvVar, PodSpec, ResourceRequirements, SecurityContext};

use crate::api::containers::containers;

/// What all kinds of containers have.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyContainer<'a> {
    pub(super) name: &'a str,
    pub(super) env: &'a [EnvVar],
    pub(super) ports: &'a [ContainerPort],
    pub(super) resources: Option<&'a ResourceRequirements>,
    pub(super) security_context: Option<&'a SecurityContext>,
}

/// Makes an [`AnyContainer`] of a container of any kind.
macro_rules! any {
    ($container:expr) => {
        AnyContainer {
            name: &$container.name,
            env: $container.env.as_deref().unwrap_or_default(),
            ports: $container.ports.as_deref().unwrap_or_default(),
            resources: $container.resources.as_ref(),
            security_context: $container.security_context.as_ref(),
        }
    };
}

/// All containers of a pod with their paths.
pub(super) fn all<'a>(spec: &'a PodSpec, path: &str) -> Vec<(AnyContainer<'a>, String)> {
    let of_pod = containers(spec).map(|(field, one)| (any!(one), format!("{path}.{field}")));
    let ephemeral = spec.ephemeral_containers.iter().flatten().enumerate();
    let ephemeral = ephemeral.map(|(index, one)| (any!(one), format!("{path}.ephemeralContainers[{index}]")));
    of_pod.chain(ephemeral).collect()
}
