//! What an image stands for here: a command of this machine. There are no containers, so an image is a label; of the base images
//! that everybody uses it is known what they run, and of others the user may say it (`images.yaml`).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Container;

/// What an image runs: its entrypoint and what comes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// Which images: a name, in which `*` stands for anything; without a tag for every tag.
    pub image: String,
    /// The entrypoint, which a container's `command` replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Its arguments, which a container's `args` replace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Variables, which a container's own replace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Where it starts, unless the container says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
}

/// The images of this place, as `images.yaml` in the configuration directory has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// The first that fits counts.
    #[serde(default)]
    pub images: Vec<Image>,
}

impl Images {
    /// What an image runs; `None` where nobody knows.
    pub fn find(&self, image: &str) -> Option<Image> {
        let name = ImageName::parse(image)?;
        let given = self.images.iter().find(|one| name.fits(&one.image));
        given.cloned().or_else(|| base_image(&name))
    }

    /// Sets what an image runs, in the place of what was said of the same name. True where it is new.
    pub fn set(&mut self, image: Image) -> bool {
        match self.images.iter_mut().find(|one| one.image == image.image) {
            Some(known) => {
                *known = image;
                false
            }
            None => {
                self.images.push(image);
                true
            }
        }
    }

    /// Forgets what was said of a name. False where nothing was.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.images.len();
        self.images.retain(|one| one.image != name);
        self.images.len() < before
    }
}

/// What a container runs: a `command` of its own replaces the image's entrypoint, and then only its own `args` count.
pub fn command<'a>(container: &'a Container, image: Option<&'a Image>) -> Vec<&'a String> {
    let own = container.command.as_deref().unwrap_or_default();
    let args = container.args.as_deref().unwrap_or_default();
    match image {
        Some(image) if own.is_empty() => {
            let args = if args.is_empty() { &image.args } else { args };
            image.command.iter().chain(args).collect()
        }
        None if own.is_empty() => Vec::new(),
        _ => own.iter().chain(args).collect(),
    }
}

/// Where a name without a registry is looked for.
const DEFAULT_REGISTRY: &str = "docker.io/library/";

/// Places where the base images lie too.
const MIRRORS: [&str; 8] = [
    DEFAULT_REGISTRY,
    "registry.k8s.io/",
    "registry.k8s.io/e2e-test-images/",
    "k8s.gcr.io/",
    "gcr.io/google-containers/",
    "gcr.io/google_containers/",
    "mirror.gcr.io/library/",
    "public.ecr.aws/docker/library/",
];

/// Base images without an entrypoint, by the command that they run when they are given none: arguments are the command.
const BASE_IMAGES: [(&[&str], &[&str]); 12] = [
    (&["busybox"], &["sh"]),
    (&["alpine"], &["/bin/sh"]),
    (
        &[
            "debian",
            "ubuntu",
            "bash",
            "centos",
            "fedora",
            "rockylinux",
            "almalinux",
            "amazonlinux",
            "archlinux",
            "buildpack-deps",
            "rust",
            "golang",
            "gcc",
        ],
        &["bash"],
    ),
    (&["perl"], &["perl", "-de0"]),
    (&["python"], &["python3"]),
    (&["pypy"], &["pypy3"]),
    (&["ruby"], &["irb"]),
    (&["node"], &["node"]),
    (&["php"], &["php", "-a"]),
    (&["julia"], &["julia"]),
    (&["r-base"], &["R"]),
    (&["openjdk", "eclipse-temurin", "amazoncorretto"], &["jshell"]),
];

fn base_image(name: &ImageName) -> Option<Image> {
    let base = MIRRORS.iter().find_map(|mirror| name.repository.strip_prefix(mirror))?;
    let (_, command) = BASE_IMAGES.iter().find(|(names, _)| names.contains(&base))?;
    let args = command.iter().map(|word| (*word).to_owned()).collect();
    Some(Image { image: base.to_owned(), args, ..Image::default() })
}

/// An image's name in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// Registry and path, for instance `docker.io/library/busybox`.
    pub repository: String,
    /// The tag or the digest, as it stands behind `:` or `@`.
    pub version: Option<String>,
}

impl ImageName {
    /// Reads a reference as container runtimes do; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest).filter(|digest| is_digest(digest))),
            None => (text, None),
        };
        if digest.is_none() && text.contains('@') {
            return None;
        }
        let last = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match rest[last..].find(':') {
            Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return None;
        }
        let (first, after) = path.split_once('/').unwrap_or((path, ""));
        let has_registry = !after.is_empty() && (first.contains(['.', ':']) || first == "localhost");
        let components = if has_registry { after } else { path };
        let is_right = components.split('/').all(is_component) && (!has_registry || is_registry(first));
        let repository = match (has_registry, after.is_empty()) {
            (true, _) => path.to_owned(),
            (false, true) => format!("{DEFAULT_REGISTRY}{path}"),
            (false, false) => format!("docker.io/{path}"),
        };
        let version = digest.or(tag).map(str::to_owned);
        is_right.then_some(Self { repository, version })
    }

    /// Whether a pattern is about this image.
    fn fits(&self, pattern: &str) -> bool {
        let last = pattern.rfind('/').map_or(0, |slash| slash + 1);
        let at = pattern[last..].find([':', '@']).map(|at| last + at);
        let (path, version) = at.map_or((pattern, None), |at| (&pattern[..at], Some(&pattern[at + 1..])));
        let short = self.repository.strip_prefix(DEFAULT_REGISTRY);
        let hub = self.repository.strip_prefix("docker.io/");
        let has_name = [Some(self.repository.as_str()), short, hub]
            .into_iter()
            .flatten()
            .any(|name| is_like(name, path));
        has_name
            && version.is_none_or(|version| is_like(self.version.as_deref().unwrap_or("latest"), version))
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

/// Lower-case letters and digits, with single separators between them (a dot, one or two underscores, dashes).
fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends_well = text.starts_with(is_word) && text.ends_with(is_word);
    let separators = text.split(is_word).filter(|between| !between.is_empty());
    ends_well
        && separators
            .into_iter()
            .all(|between| matches!(between, "." | "_" | "__") || between.bytes().all(|b| b == b'-'))
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "1"));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(is_label) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(is_word) && text.chars().all(|c| is_word(c) || c == '.' || c == '-')
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
        && algorithm.chars().all(|c| c.is_ascii_alphanumeric() || "+._-".contains(c))
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}
