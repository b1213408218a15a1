//! The containers of a pod one after the other.

use super::{Container, PodSpec};

/// The init containers and then the others, each with the field of the spec that it stands in.
pub fn containers(spec: &PodSpec) -> impl Iterator<Item = (String, &Container)> {
    let inits = spec.init_containers.iter().flatten().enumerate();
    let inits = inits.map(|(index, container)| (format!("initContainers[{index}]"), container));
    let mains = spec.containers.iter().enumerate();
    inits.chain(mains.map(|(index, container)| (format!("containers[{index}]"), container)))
}
