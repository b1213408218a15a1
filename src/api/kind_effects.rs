//! What a kind that is kept for manifests' sake changes on this machine.

use std::fmt::Write;

use super::kinds::Kind;

/// What is said when an object of a kind is created of which nothing, or not everything, is done here.
const EFFECTS: [(Kind, &str); 10] = [
    (Kind::StatefulSet, "is stored and not run yet: no pods are made of it"),
    (
        Kind::ServiceAccount,
        "has no effect: pods run as whoever starts the controller, and speak to no API server",
    ),
    (Kind::Role, "has no effect: whoever may use the data directory may do everything"),
    (Kind::RoleBinding, "has no effect: whoever may use the data directory may do everything"),
    (Kind::ClusterRole, "has no effect: whoever may use the data directory may do everything"),
    (Kind::ClusterRoleBinding, "has no effect: whoever may use the data directory may do everything"),
    (Kind::NetworkPolicy, "has no effect: pods use the network of this machine"),
    (Kind::LimitRange, "has no effect: containers have the requests and limits of their manifests"),
    (Kind::ResourceQuota, "has no effect: nothing is counted or held back"),
    (Kind::PriorityClass, "has no effect: no pod goes before another"),
];

/// The warning for a new object of the kind, if there is anything to say.
pub fn warning(kind: Kind) -> Option<String> {
    let (kind, effect) = EFFECTS.iter().find(|(other, _)| *other == kind)?;
    Some(format!("{kind}: {effect}"))
}

/// The table as a part of the documentation.
pub fn markdown() -> String {
    let mut table = "| kind | treatment | |\n|---|---|---|\n".to_owned();
    for (kind, effect) in EFFECTS {
        let _ = writeln!(table, "| {kind} | warning | {effect} |");
    }
    table
}
