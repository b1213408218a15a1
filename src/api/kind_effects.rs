//! What a kind that is kept for manifests' sake changes on this machine.

use std::fmt::Write;

use super::kinds::Kind;
use super::service_effects::{ADDRESS, PORT};

/// What is said when an object of a kind is created of which nothing, or not everything, is done here.
const EFFECTS: [(Kind, &str); 9] = [
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
    (
        Kind::PriorityClass,
        "of the pods that wait for room those of the highest priority go first; nothing that runs is stopped for them",
    ),
];

/// The warning for a new object of the kind, if there is anything to say.
pub fn warning(kind: Kind) -> Option<String> {
    let (kind, effect) = EFFECTS.iter().find(|(other, _)| *other == kind)?;
    Some(format!("{kind}: {effect}"))
}

/// The page of the documentation.
pub fn markdown() -> String {
    let mut table = "| kind | treatment | |\n|---|---|---|\n".to_owned();
    for (kind, effect) in EFFECTS {
        let _ = writeln!(table, "| {kind} | warning | {effect} |");
    }
    let fields =
        [("`clusterIP` outside 127.0.0.0/8", ADDRESS), ("`ports[].port` other than its targetPort", PORT)];
    for (field, effect) in fields {
        let _ = writeln!(table, "| Service, {field} | warning | {effect} |");
    }
    include_str!("kind_effects/page.md").replace("{effects}", &table)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_kind_without_effect_is_warned_of_and_others_are_not() {
        let text = warning(Kind::NetworkPolicy).expect("a warning");
        assert_eq!(text, "NetworkPolicy: has no effect: pods use the network of this machine");
        for kind in [
            Kind::Job,
            Kind::StatefulSet,
            Kind::ConfigMap,
            Kind::Secret,
            Kind::Service,
            Kind::PersistentVolumeClaim,
        ] {
            assert_eq!(warning(kind), None, "{kind}");
        }
    }

    #[test]
    fn the_page_has_the_table() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kinds.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            #[expect(
                clippy::disallowed_methods,
                reason = "a test that regenerates a page of the repository"
            )]
            std::fs::write(&path, markdown()).expect("the page is written");
        }
        let page = std::fs::read_to_string(&path).expect("the page is there");
        assert!(page == markdown(), "docs/kinds.md is not what the code generates: UPDATE_DOCS=1 cargo test");
    }
}
