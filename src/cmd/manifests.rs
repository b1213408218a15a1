//! `-f`: files, directories and standard input -> documents.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::failure::verbatim;
use super::resources::{self, Target};
use crate::api::decode::{self, DecodeError, DuplicateField, MAX_MANIFEST_BYTES, Parsed};
use crate::api::kinds::Kind;

/// Which manifests a verb is to read
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct FileArgs {
    /// Files or directories that contain the manifests; `-` is standard input
    #[arg(short = 'f', long = "filename", value_name = "FILENAME", value_delimiter = ',')]
    pub(super) filenames: Vec<String>,
    /// Process the directories used in -f, --filename recursively
    #[arg(short = 'R', long)]
    pub(super) recursive: bool,
}

/// One object of a manifest.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The file as the user named it, for messages.
    pub(super) source: String,
    /// The object as it stands there.
    pub(super) value: Value,
    /// Its kind; the version is one that we accept.
    pub(super) kind: Kind,
    /// Its version as written.
    pub(super) api_version: String,
    /// The fields that it gives twice.
    pub(super) duplicate_fields: Vec<DuplicateField>,
}

impl Document {
    /// The object's name, empty where missing or not a string.
    pub(super) fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// Reads every document as the object that it is, of whatever kind.
///
/// # Errors
/// As [`read`].
pub(super) fn read_any(files: &FileArgs) -> Result<Vec<Result<Value>>> {
    read_with(files, |parsed, source| parsed.unique().map_err(|error| unreadable(source, &error)))
}

/// Reads every document. A missing file is an error for the whole command, a bad document one for itself.
///
/// # Errors
/// Unreadable files and directories, in kubectl's words.
pub(super) fn read(files: &FileArgs) -> Result<Vec<Result<Document>>> {
    read_with(files, document)
}

/// A document that is not one.
pub(super) fn unreadable(source: &str, error: &DecodeError) -> anyhow::Error {
    anyhow::anyhow!("error parsing {source}: {error}")
}

fn read_with<T>(files: &FileArgs, each: impl Fn(Parsed, &str) -> Result<T>) -> Result<Vec<Result<T>>> {
    let mut sources = Vec::new();
    for name in &files.filenames {
        if name == "-" {
            sources.push(None);
            continue;
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            bail!(
                "{name:?}: manifests are not fetched from the network; download it first and name the file"
            );
        }
        let path = Path::new(name);
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                bail!("the path {name:?} does not exist")
            }
            Err(error) => return Err(error).with_context(|| format!("read {name}")),
        };
        if metadata.is_dir() {
            let before = sources.len();
            let mut found = Vec::new();
            walk(path, files.recursive, &mut found)?;
            sources.extend(found.into_iter().map(Some));
            if sources.len() == before {
                bail!("error reading [{name}]: recognized file extensions are [.json .yaml .yml]");
            }
        } else {
            sources.push(Some(path.to_owned()));
        }
    }
    let mut documents = Vec::new();
    for source in sources {
        let (name, bytes) = match source {
            None => ("STDIN".to_owned(), read_bounded(std::io::stdin().lock(), "STDIN")?),
            Some(path) => {
                let name = path.display().to_string();
                let file = fs::File::open(&path).with_context(|| format!("read {name}"))?;
                let bytes = read_bounded(file, &name)?;
                (name, bytes)
            }
        };
        for parsed in decode::documents(&bytes) {
            match parsed {
                Err(error) => documents.push(Err(unreadable(&name, &error))),
                Ok(parsed) => {
                    documents.extend(decode::flatten(parsed).into_iter().map(|parsed| each(parsed, &name)));
                }
            }
        }
    }
    Ok(documents)
}

/// The objects that a verb is told to work on: by its arguments or, where files are given, by their documents.
///
/// # Errors
/// As [`resources::parse`] and [`read`]; a bad document is one for the whole command.
pub(super) fn targets(arguments: &[String], files: &FileArgs, verb: &str) -> Result<Vec<Target>> {
    if files.filenames.is_empty() {
        return resources::parse(arguments, verb);
    }
    read(files)?
        .into_iter()
        .map(|document| document.map(|document| Target::Named(document.kind, document.name().to_owned())))
        .collect()
}

fn walk(directory: &Path, recursive: bool, found: &mut Vec<PathBuf>) -> Result<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .with_context(|| format!("read directory {}", directory.display()))?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            if recursive {
                walk(&path, recursive, found)?;
            }
        } else if path
            .extension()
            .is_some_and(|extension| ["json", "yaml", "yml"].iter().any(|known| extension == *known))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// No more than one byte past the limit is ever held.
fn read_bounded(reader: impl Read, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_MANIFEST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("read {name}"))?;
    if bytes.len() > MAX_MANIFEST_BYTES {
        bail!("{name}: the manifest is larger than the limit of {} MiB", MAX_MANIFEST_BYTES >> 20);
    }
    Ok(bytes)
}

/// Kinds of Kubernetes that people will try, and that are not here yet.
const NOT_YET: [&str; 14] = [
    "ConfigMap",
    "Secret",
    "Service",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "Namespace",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ResourceQuota",
];

fn document(parsed: Parsed, source: &str) -> Result<Document> {
    let Parsed { value, duplicate_fields } = parsed;
    let meta = decode::type_meta(&value)
        .map_err(|error| verbatim(format!("error: unable to decode {source:?}: {error}")))?;
    let (group, version) = meta.api_version.split_once('/').unwrap_or(("", &meta.api_version));
    let known = Kind::from_name(&meta.kind)
        .filter(|kind| kind.resource().group == group && kind.resource().versions.contains(&version))
        .filter(|kind| *kind != Kind::Event);
    let Some(kind) = known else {
        let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
        let hint = if NOT_YET.contains(&meta.kind.as_str()) {
            format!("\n{} is a kind that this version of jobctl does not have yet", meta.kind)
        } else {
            "\nensure CRDs are installed first".to_owned()
        };
        return Err(verbatim(format!(
            "error: resource mapping not found for name: {:?} namespace: {:?} from {source:?}: no matches for kind \
             {:?} in version {:?}{hint}",
            text("name"),
            text("namespace"),
            meta.kind,
            meta.api_version
        )));
    };
    Ok(Document { source: source.to_owned(), value, kind, api_version: meta.api_version, duplicate_fields })
}
