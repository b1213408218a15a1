//! Which version this is, and of which Kubernetes' behaviour.

use serde_json::{Value, json};

/// The version of Kubernetes whose behaviour this program follows.
pub const KUBERNETES: &str = "v1.34.0";

/// The program's own version.
pub const OURS: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// What `/version` says.
pub fn server_version() -> Value {
    let (major, minor) = major_and_minor();
    json!({
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": minor,
        "gitVersion": format!("{KUBERNETES}+jobctl.{}", OURS.trim_start_matches('v')),
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": platform(),
    })
}

/// The first two numbers of the version of Kubernetes.
pub fn major_and_minor() -> (&'static str, &'static str) {
    let mut numbers = KUBERNETES.trim_start_matches('v').split('.');
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

/// This machine in Go's words, as scripts look for them.
pub fn platform() -> &'static str {
    if cfg!(target_arch = "x86_64") {
        "linux/amd64"
    } else if cfg!(target_arch = "aarch64") {
        "linux/arm64"
    } else {
        "linux/unknown"
    }
}
