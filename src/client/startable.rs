//! Containers that cannot start on this machine as it is now: a warning to whoever creates the object.

use std::path::Path;

use crate::api::containers::containers;
use crate::api::images::{Images, command};
use crate::api::meta::{ANNOTATION_PATH, ANNOTATION_WORKING_DIRECTORY, annotation};
use crate::api::security::{Identity, Security};
use crate::api::{Container, PodSpec};
use crate::kubelet::{NoProgram, find_program};
use crate::manager::identity;
use crate::registry::object::Object;

/// A warning for every container without a command, or with one that is not there.
pub(super) fn warnings(object: &Object, images: &Images) -> Vec<String> {
    let Some((at, spec)) = pod_spec(object) else { return Vec::new() };
    let place = Place {
        directory: annotation(object.meta(), ANNOTATION_WORKING_DIRECTORY).unwrap_or("/"),
        path: annotation(object.meta(), ANNOTATION_PATH).unwrap_or_default(),
        images,
        me: identity(),
    };
    warnings_of(at, spec, &place)
}

/// The spec of the pods that an object is or makes, and where it stands.
pub(super) fn pod_spec(object: &Object) -> Option<(&'static str, &PodSpec)> {
    match object {
        Object::Job(job) => Some(("spec.template.spec", job.spec.as_ref()?.template.spec.as_ref()?)),
        Object::CronJob(cron_job) => {
            let template = &cron_job.spec.as_ref()?.job_template.spec.as_ref()?.template;
            Some(("spec.jobTemplate.spec.template.spec", template.spec.as_ref()?))
        }
        Object::StatefulSet(set) => Some(("spec.template.spec", set.spec.as_ref()?.template.spec.as_ref()?)),
        Object::Pod(pod) => Some(("spec", pod.spec.as_ref()?)),
        _ => None,
    }
}

/// Where commands are looked for.
struct Place<'a> {
    directory: &'a str,
    path: &'a str,
    images: &'a Images,
    me: Identity,
}

fn warnings_of(at: &str, spec: &PodSpec, place: &Place<'_>) -> Vec<String> {
    containers(spec)
        .flat_map(|(field, container)| {
            let said = [problem(container, place), not_in_force(spec, container, place.me)];
            said.into_iter().flatten().map(move |text| format!("{at}.{field}{text}"))
        })
        .collect()
}

/// What of a security context cannot be in force, or keeps the container from starting.
fn not_in_force(spec: &PodSpec, container: &Container, me: Identity) -> Option<String> {
    match Security::of(spec, container, me) {
        Err(why) => Some(format!(
            ".securityContext: {why}, so the container will wait with CreateContainerConfigError"
        )),
        Ok(security) if security.not_in_force.is_empty() => None,
        Ok(security) => Some(format!(
            ".securityContext: {} cannot be in force: you are not root",
            security.not_in_force.join(", ")
        )),
    }
}

fn problem(container: &Container, place: &Place<'_>) -> Option<String> {
    let image = container.image.as_deref().unwrap_or_default();
    let known = place.images.find(image);
    let words = command(container, known.as_ref());
    let Some(program) = words.first().copied() else {
        return Some(format!(
            ": no command: jobctl runs programs of this machine and knows no entrypoint of image {image:?}, so the \
             container will wait with ErrImagePull; to say what it runs: jobctl image set {} -- COMMAND",
            if image.is_empty() { "IMAGE" } else { image }
        ));
    };
    // What a variable stands for is known when the pod starts, and what a volume holds as well.
    if program.contains("$(") || is_in_volume(container, program) {
        return None;
    }
    let has_command = container.command.as_ref().is_some_and(|command| !command.is_empty());
    let field = if has_command { ".command" } else { "" };
    let own = container.env.iter().flatten().find(|variable| variable.name == "PATH");
    let path = match own {
        Some(own) => own.value.as_deref().filter(|value| !value.contains("$("))?,
        None => place.path,
    };
    let directory = Path::new(place.directory).join(container.working_dir.as_deref().unwrap_or_default());
    let problem = match find_program(program, path, &directory) {
        Ok(_) => return None,
        Err(NoProgram::Missing(_)) => "does not exist on this machine",
        Err(NoProgram::Forbidden) => "is not executable",
        Err(NoProgram::NotOnPath { .. }) => "is not found on the PATH that the pod will have",
    };
    Some(format!("{field}: {program:?} {problem}"))
}

fn is_in_volume(container: &Container, program: &str) -> bool {
    let mounts = container.volume_mounts.iter().flatten();
    mounts.into_iter().any(|mount| Path::new(program).starts_with(&mount.mount_path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_command_is_looked_for_where_the_pod_will() {
        let place = tempfile::tempdir().expect("a directory");
        let root = place.path().to_str().expect("text");
        std::fs::create_dir(place.path().join("bin")).expect("a directory");
        for (name, mode) in [("tool", 0o755), ("plain", 0o644)] {
            let file = place.path().join("bin").join(name);
            std::fs::File::create(&file).expect("a file");
            std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).expect("a mode");
        }
        let find = |program: &str, working_dir: Option<&str>, own_path: Option<&str>| {
            let mut container = Container { command: Some(vec![program.into()]), ..Container::default() };
            container.working_dir = working_dir.map(str::to_owned);
            container.env = own_path.map(|path| {
                let value = Some(path.to_owned());
                vec![k8s_openapi::api::core::v1::EnvVar { name: "PATH".into(), value, ..Default::default() }]
            });
            let path = format!("/nowhere:{root}/bin");
            problem(
                &container,
                &Place { directory: root, path: &path, images: &Images::default(), me: identity() },
            )
        };
        assert_eq!(find("tool", None, None), None);
        assert_eq!(find("bin/tool", None, None), None);
        assert_eq!(find("./tool", Some("bin"), None), None);
        assert_eq!(find("tool", None, Some("bin")), None, "from the working directory");
        assert_eq!(find("$(TOOL)", None, None), None);
        let lost = ".command: \"tool\" is not found on the PATH that the pod will have";
        assert_eq!(find("tool", None, Some("/nowhere")).as_deref(), Some(lost));
        assert!(find("plain", None, None).is_some());
        assert_eq!(
            find("bin/plain", None, None).as_deref(),
            Some(".command: \"bin/plain\" is not executable")
        );
        assert_eq!(
            find("./tool", None, None).as_deref(),
            Some(".command: \"./tool\" does not exist on this machine")
        );
        assert!(
            problem(
                &Container::default(),
                &Place { directory: root, path: "", images: &Images::default(), me: identity() }
            )
            .is_some_and(|text| text.starts_with(": no command"))
        );
    }
}
