//! What becomes of a Job of this machine that is to run in a cluster: its manifest, and what of it a container will not have.

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use crate::api::kinds::Kind;
use crate::api::meta::{
    ANNOTATION_LAST_APPLIED, ANNOTATION_PASSED_ENVIRONMENT, ANNOTATION_PATH, ANNOTATION_SESSION,
    ANNOTATION_UMASK, ANNOTATION_WORKING_DIRECTORY,
};
use crate::registry::manifest::without_defaults;

/// What all our own annotations begin with.
const OURS: &str = "jobctl.local/";

/// An image for containers: for that of a name, or for those that have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) container: Option<String>,
    pub(super) image: String,
}

impl Image {
    /// Reads `--image`: `IMAGE`, or `CONTAINER=IMAGE`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (container, image) = match text.split_once('=') {
            Some((container, image)) => (Some(container.to_owned()), image),
            None => (None, text),
        };
        match image.is_empty() || container.as_deref() == Some("") {
            true => Err(format!("{text:?} is no image, nor CONTAINER=IMAGE")),
            false => Ok(Self { container, image: image.to_owned() }),
        }
    }
}

/// The manifest, and one sentence for each thing that the object had here.
pub(super) struct Promoted {
    pub(super) manifest: Value,
    pub(super) left_behind: Vec<String>,
}

/// Makes a manifest for a cluster of an object as it is stored, without what only its store has written into it.
///
/// # Errors
/// A container without an image; an image for a container that is not there.
pub(super) fn promote(kind: Kind, fresh: &Value, namespace: &str, images: &[Image]) -> Result<Promoted> {
    let annotations = fresh["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    let mut manifest = fresh.clone();
    manifest["metadata"] = metadata(&fresh["metadata"], namespace);
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("status");
    }
    let at = pod_path(kind);
    let given = images_of(&manifest, at);
    set_images(&mut manifest, at, images)?;
    let left_behind = left_behind(&manifest, at, &annotations, &given);
    Ok(Promoted { manifest: without_emptiness(without_defaults(kind, &manifest)), left_behind })
}

/// Where the pod's spec is.
fn pod_path(kind: Kind) -> &'static str {
    match kind {
        Kind::CronJob => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    }
}

fn metadata(stored: &Value, namespace: &str) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".into(), stored["name"].clone());
    metadata.insert("namespace".into(), namespace.into());
    for field in ["labels", "annotations"] {
        let mut map = stored[field].as_object().cloned().unwrap_or_default();
        map.retain(|key, _| !key.starts_with(OURS) && key != ANNOTATION_LAST_APPLIED);
        if !map.is_empty() {
            metadata.insert(field.into(), map.into());
        }
    }
    metadata.into()
}

fn containers<'a>(manifest: &'a Value, at: &str) -> impl Iterator<Item = &'a Value> {
    let spec = manifest.pointer(at).unwrap_or(&Value::Null);
    let of = |field: &str| spec[field].as_array().into_iter().flatten();
    of("initContainers").chain(of("containers"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The names of the containers that have an image.
fn images_of(manifest: &Value, at: &str) -> Vec<String> {
    let with_image = containers(manifest, at).filter(|container| !text(container, "image").is_empty());
    with_image.map(|container| text(container, "name").to_owned()).collect()
}

fn set_images(manifest: &mut Value, at: &str, images: &[Image]) -> Result<()> {
    let names: Vec<String> =
        containers(manifest, at).map(|container| text(container, "name").to_owned()).collect();
    let unknown = |image: &&Image| image.container.as_ref().is_some_and(|name| !names.contains(name));
    if let Some(Image { container: Some(name), .. }) = images.iter().find(unknown) {
        bail!("--image: there is no container {name:?}; there are: {}", names.join(", "));
    }
    let for_all = images.iter().rfind(|image| image.container.is_none());
    let Some(spec) = manifest.pointer_mut(at) else { return Ok(()) };
    let mut without = Vec::new();
    for field in ["initContainers", "containers"] {
        for container in spec[field].as_array_mut().into_iter().flatten() {
            let name = text(container, "name").to_owned();
            let own = images.iter().rfind(|image| image.container.as_ref() == Some(&name));
            let is_bare = text(container, "image").is_empty();
            match own.or(for_all.filter(|_| is_bare || names.len() == 1)) {
                Some(Image { image, .. }) => container["image"] = image.as_str().into(),
                None if is_bare => without.push(name),
                None => {}
            }
        }
    }
    match without.as_slice() {
        [] => Ok(()),
        names => bail!(
            "container {} has no image: here it runs a program of this machine; which image has it there is said by: \
             --image=IMAGE",
            names.join(", ")
        ),
    }
}

fn left_behind(
    manifest: &Value,
    at: &str,
    annotations: &Map<String, Value>,
    had_image: &[String],
) -> Vec<String> {
    let mut said = Vec::new();
    let annotation =
        |name: &str| annotations.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    for container in containers(manifest, at) {
        let (name, image) = (text(container, "name"), text(container, "image"));
        let command = container["command"].as_array().and_then(|words| words.first()?.as_str());
        match command {
            None if container["args"].is_null() => said.push(format!(
                "container {name}: no command: there the entrypoint of image {image} runs, here what jobctl image says"
            )),
            None => said.push(format!("container {name}: its args go to the entrypoint of image {image}")),
            Some(command) => {
                if !had_image.iter().any(|known| known == name) || command.contains('/') && !is_usual(command) {
                    said.push(format!(
                        "container {name}: {command:?} is a program of this machine; image {image} must have it"
                    ));
                }
            }
        }
        let is_fixed = text(container, "workingDir").starts_with('/');
        if let Some(directory) = annotation(ANNOTATION_WORKING_DIRECTORY).filter(|_| !is_fixed) {
            said.push(format!(
                "container {name}: it ran in {directory}; there it runs in the directory of image {image} (workingDir \
                 says another)"
            ));
        }
    }
    let spec = manifest.pointer(at).unwrap_or(&Value::Null);
    for volume in spec["volumes"].as_array().into_iter().flatten() {
        if let Some(path) = volume["hostPath"]["path"].as_str() {
            said.push(format!(
                "volume {}: {path} is of this machine; there it is of whichever node the pod comes to",
                text(volume, "name")
            ));
        }
    }
    if let Some(names) = annotation(ANNOTATION_PASSED_ENVIRONMENT) {
        said.push(format!(
            "passed environment ({names}): it stays here; what the pods need of it is said by env, or a Secret"
        ));
    }
    let mut session: Vec<String> = annotation(ANNOTATION_SESSION)
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok())
        .map(|session| session.into_iter().map(|(name, _)| name).collect())
        .unwrap_or_default();
    session.extend(annotation(ANNOTATION_PATH).map(|_| "PATH".to_owned()));
    if !session.is_empty() {
        said.push(format!(
            "environment of this user ({}): there it is that of the image",
            session.join(", ")
        ));
    }
    let told = [
        ANNOTATION_PASSED_ENVIRONMENT,
        ANNOTATION_PATH,
        ANNOTATION_SESSION,
        ANNOTATION_UMASK,
        ANNOTATION_WORKING_DIRECTORY,
    ];
    let others = annotations.keys().filter(|key| {
        key.starts_with(OURS)
            && !told.contains(&key.as_str())
            && !key.starts_with(ANNOTATION_PASSED_ENVIRONMENT)
    });
    said.extend(others.map(|key| format!("annotation {key}: a cluster does not know it")));
    said
}

/// Programs that images have where this machine has them.
fn is_usual(command: &str) -> bool {
    let path = Path::new(command);
    ["/bin", "/usr/bin", "/sbin", "/usr/sbin"]
        .iter()
        .any(|directory| path.parent() == Some(Path::new(directory)))
}

/// Without fields that say nothing. Other empty maps do: `emptyDir: {}`.
fn without_emptiness(value: Value) -> Value {
    let says_nothing = |name: &str, field: &Value| {
        field.is_null() || name == "metadata" && field.as_object().is_some_and(Map::is_empty)
    };
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, field)| !says_nothing(name, field))
            .map(|(name, field)| (name, without_emptiness(field)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_emptiness).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(containers: &Value) -> Value {
        json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "x", "namespace": "here", "labels": {"team": "a"}, "annotations": {
                "jobctl.local/working-directory": "/home/me", "jobctl.local/path": "/bin", "jobctl.local/umask": "0022",
                "jobctl.local/session": "{\"HOME\":\"/home/me\"}", "jobctl.local/after": "job/first", "note": "mine"}},
            "spec": {"backoffLimit": 6, "completions": 1, "parallelism": 1, "completionMode": "NonIndexed",
                "template": {"metadata": {}, "spec": {
                "restartPolicy": "Never", "containers": containers, "volumes": [{"name": "data",
                "hostPath": {"path": "/data", "type": ""}}]}}}})
    }

    #[test]
    fn a_manifest_is_what_a_person_would_write() {
        let containers = json!([{"name": "main", "command": ["./train", "-v"]}]);
        let image = Image::parse("python:3.13").expect("an image");
        let promoted = promote(Kind::Job, &job(&containers), "there", &[image]).expect("a manifest");
        assert_eq!(
            promoted.manifest,
            json!({"apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": "x", "namespace": "there", "labels": {"team": "a"}, "annotations": {"note": "mine"}},
                "spec": {"completions": 1, "template": {"spec": {"restartPolicy": "Never",
                    "containers": [{"name": "main", "image": "python:3.13", "command": ["./train", "-v"]}],
                    "volumes": [{"name": "data", "hostPath": {"path": "/data"}}]}}}})
        );
        assert_eq!(
            promoted.left_behind,
            [
                "container main: \"./train\" is a program of this machine; image python:3.13 must have it",
                "container main: it ran in /home/me; there it runs in the directory of image python:3.13 (workingDir says \
             another)",
                "volume data: /data is of this machine; there it is of whichever node the pod comes to",
                "environment of this user (HOME, PATH): there it is that of the image",
                "annotation jobctl.local/after: a cluster does not know it",
            ]
        );
    }

    #[test]
    fn every_container_has_an_image() {
        let containers =
            json!([{"name": "a", "image": "one", "command": ["/bin/sh"]}, {"name": "b", "command": ["x"]}]);
        let images = |texts: &[&str]| {
            let images: Vec<Image> = texts.iter().map(|text| Image::parse(text).expect("an image")).collect();
            let promoted =
                promote(Kind::Job, &job(&containers), "n", &images).map_err(|error| error.to_string())?;
            let spec = &promoted.manifest["spec"]["template"]["spec"];
            Ok::<_, String>(
                [0, 1].map(|at| spec["containers"][at]["image"].as_str().unwrap_or("").to_owned()),
            )
        };
        assert!(images(&[]).expect_err("no image").starts_with("container b has no image"));
        assert_eq!(images(&["two"]).expect("images"), ["one", "two"]);
        assert_eq!(images(&["a=three", "two"]).expect("images"), ["three", "two"]);
        assert_eq!(
            images(&["c=x"]).expect_err("no container"),
            "--image: there is no container \"c\"; there are: a, b"
        );
        assert!(Image::parse("a=").is_err());
    }
}
