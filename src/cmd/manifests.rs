//! `-f`: files, directories and standard input -> documents.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::context::Global;
use super::failure::{verbatim, while_doing};
use super::fetch::{fetch, is_url};
use super::glob;
use super::output::{warn, warn_once};
use super::resources::{self, Target};
use crate::api::decode::{self, DecodeError, DuplicateField, MAX_MANIFEST_BYTES, MAX_OBJECTS, Parsed};
use crate::api::errno::errno_text;
use crate::api::foreign_kinds;
use crate::api::kinds::{Kind, RESOURCES};
use crate::api::status_error::StatusError;
use crate::apiserver::FieldValidation as Validate;

/// Which manifests a verb is to read
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct FileArgs {
    /// Files, directories, patterns of names, or URLs that contain the manifests; `-` is standard input
    #[arg(short = 'f', long = "filename", value_name = "FILENAME", value_delimiter = ',')]
    pub(super) filenames: Vec<String>,
    /// Process the directories used in -f, --filename recursively
    #[arg(short = 'R', long)]
    pub(super) recursive: bool,
    /// Refused: kustomize builds what is then given to -f
    #[arg(short = 'k', long, hide = true, value_name = "DIR")]
    kustomize: Option<String>,
}

impl FileArgs {
    /// Whether no files are named.
    pub(super) fn is_empty(&self) -> bool {
        self.filenames.is_empty() && self.kustomize.is_none()
    }

    /// Refuses a command line that names no file.
    ///
    /// # Errors
    /// kubectl's sentence; a directory that is to be built.
    pub(super) fn require(&self) -> Result<()> {
        match &self.kustomize {
            Some(_) if !self.filenames.is_empty() => bail!("only one of -f or -k can be specified"),
            Some(directory) => bail!(
                "-k {directory}: nothing is built here; it works as: kustomize build {directory} | jobctl apply -f -"
            ),
            None if self.filenames.is_empty() => bail!("must specify one of -f and -k"),
            None => Ok(()),
        }
    }
}

impl FileArgs {
    /// Files that a verb has asked for by flags of its own.
    pub(super) fn of(filenames: &[String]) -> Self {
        Self { filenames: filenames.to_vec(), ..Self::default() }
    }
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
    /// The fields that it gives twice.
    pub(super) duplicate_fields: Vec<DuplicateField>,
}

impl Document {
    /// The namespace that the object is in: its own or, where it names none, the `current` one of the request.
    ///
    /// # Errors
    /// A command line that names another namespace than the object's own.
    pub(super) fn namespace(&self, given: Option<&str>, current: &str) -> Result<String> {
        let own = self.value["metadata"]["namespace"].as_str().filter(|own| !own.is_empty());
        match (own, given) {
            (Some(own), Some(given)) if own != given && self.kind.resource().namespaced => bail!(
                "the namespace from the provided object {own:?} does not match the namespace {given:?}. You must pass \
                 '--namespace={own}' to perform this operation."
            ),
            (Some(namespace), _) => Ok(namespace.to_owned()),
            (None, _) => Ok(current.to_owned()),
        }
    }

    /// The namespace that the object names itself, empty where it names none.
    pub(super) fn named_namespace(&self) -> String {
        self.value["metadata"]["namespace"].as_str().unwrap_or_default().to_owned()
    }

    /// Why the object has not been created. `named` is the namespace that it names itself.
    pub(super) fn not_created(&self, named: &str, error: anyhow::Error) -> anyhow::Error {
        while_doing(self.without_source(named, error), &format!("error when creating {:?}", self.source))
    }

    /// As [`Document::not_created`], where kubectl does not say which file it was.
    pub(super) fn without_source(&self, named: &str, error: anyhow::Error) -> anyhow::Error {
        match error.downcast_ref() {
            // An older server, mostly.
            Some(StatusError::Other { reason: "NotFound", message }) if message == NO_RESOURCE => {
                let version = self.kind.api_version();
                no_match(self.name(), named, &self.source, self.kind.as_str(), &version, INSTALL)
            }
            _ => error,
        }
    }

    /// The object's name, empty where missing or not a string.
    pub(super) fn name(&self) -> &str {
        self.value["metadata"]["name"].as_str().unwrap_or_default()
    }
}

/// Reads every document as the object that it is, of whatever kind. Of a field given twice the last counts, as in kubectl.
///
/// # Errors
/// As [`read`].
pub(super) fn read_any(files: &FileArgs) -> Result<Vec<Result<Value>>> {
    read_with(files, |parsed, source| {
        let duplicates = parsed.duplicate_fields.iter();
        duplicates.for_each(|duplicate| warn(&format!("{source}: {duplicate}; the last counts")));
        Ok(parsed.value)
    })
}

/// Reads every document. A missing file is an error for the whole command, a bad document one for itself; nothing is read
/// of a file after a document that cannot be parsed.
///
/// # Errors
/// Unreadable files and directories, in kubectl's words.
pub(super) fn read(files: &FileArgs) -> Result<Vec<Result<Document>>> {
    read_with(files, document)
}

/// As [`read`], with what kubectl looks at before it decodes a document that is to be sent, unless `--validate=false`.
///
/// # Errors
/// As [`read`].
pub(super) fn read_validated(files: &FileArgs, validate: Validate) -> Result<Vec<Result<Document>>> {
    read_with(files, |parsed, source| {
        if validate != Validate::Ignore {
            has_kind(&parsed.value, source)?;
        }
        document(parsed, source)
    })
}

/// Whether a document says of what kind it is.
fn has_kind(value: &Value, source: &str) -> Result<()> {
    let mut problems = Vec::new();
    if let Value::Object(fields) = value {
        match fields.get("apiVersion") {
            None | Some(Value::Null) => problems.push("apiVersion not set".to_owned()),
            Some(Value::String(version)) if version.matches('/').count() > 1 => {
                problems.push(format!("unexpected GroupVersion string: {version}"));
            }
            Some(Value::String(_)) => {}
            Some(_) => problems.push("apiVersion isn't string type".to_owned()),
        }
        match fields.get("kind") {
            None | Some(Value::Null) => problems.push("kind not set".to_owned()),
            Some(Value::String(_)) => {}
            Some(_) => problems.push("kind isn't string type".to_owned()),
        }
    } else {
        problems.push("invalid object to validate".to_owned());
    }
    let problems = match problems.as_slice() {
        [] => return Ok(()),
        [single] => single.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    bail!(
        "error validating {source:?}: error validating data: {problems}; if you choose to ignore these errors, turn \
         validation off with --validate=false"
    );
}

/// A document that is not one.
pub(super) fn unreadable(source: &str, error: &DecodeError) -> anyhow::Error {
    anyhow::anyhow!("error parsing {source}: {error}")
}

fn read_with<T>(files: &FileArgs, each: impl Fn(Parsed, &str) -> Result<T>) -> Result<Vec<Result<T>>> {
    let mut documents = Vec::new();
    for source in sources(files)? {
        let (name, bytes) = match source {
            Source::Stdin => ("STDIN".to_owned(), read_bounded(std::io::stdin().lock(), "STDIN")?),
            Source::Url(url) => {
                let bytes = fetch(&url)?;
                (url, bytes)
            }
            Source::File(path) => match read_file(&path) {
                Ok(bytes) => (path.display().to_string(), bytes),
                Err(error) => {
                    documents.push(Err(error));
                    continue;
                }
            },
        };
        for parsed in decode::documents(&bytes) {
            match parsed {
                Err(error) => {
                    documents.push(Err(unreadable(&name, &error)));
                    break;
                }
                Ok(parsed) => {
                    documents.extend(decode::flatten(parsed).into_iter().map(|parsed| each(parsed, &name)));
                    if documents.len() > MAX_OBJECTS {
                        bail!("{name}: more than {MAX_OBJECTS} objects are given at once");
                    }
                }
            }
        }
    }
    Ok(documents)
}

/// Where documents come from.
enum Source {
    Stdin,
    Url(String),
    File(PathBuf),
}

/// What all `-f` together name.
///
/// # Errors
/// Every name that stands for nothing, at once: it is an error for the whole command.
fn sources(files: &FileArgs) -> Result<Vec<Source>> {
    files.require()?;
    let mut sources = Vec::new();
    let mut unusable = Vec::new();
    let mut stdin_named = false;
    for name in &files.filenames {
        if name == "-" {
            if std::mem::replace(&mut stdin_named, true) {
                unusable.push(anyhow::anyhow!("standard input cannot be used for multiple arguments"));
            }
            sources.push(Source::Stdin);
            continue;
        }
        if is_url(name) {
            sources.push(Source::Url(name.clone()));
            continue;
        }
        match named(name, files.recursive) {
            Ok(paths) => sources.extend(paths.into_iter().map(Source::File)),
            Err(error) => unusable.push(error),
        }
    }
    match unusable.len() {
        0 => Ok(sources),
        1 => Err(unusable.remove(0)),
        _ => Err(verbatim(unusable.iter().map(|error| format!("{error:#}")).collect::<Vec<_>>().join("\n"))),
    }
}

/// The files that one `-f` names: a file, those of a directory, or what a pattern matches.
fn named(name: &str, recursive: bool) -> Result<Vec<PathBuf>> {
    let paths = if is_missing(Path::new(name)) { glob::expand(name)? } else { vec![PathBuf::from(name)] };
    if paths.is_empty() {
        bail!("the path {name:?} does not exist");
    }
    let mut found = Vec::new();
    for path in &paths {
        let shown = path.display().to_string();
        if is_missing(path) {
            bail!("the path {shown:?} does not exist");
        }
        let metadata = fs::metadata(path).map_err(|error| {
            anyhow::anyhow!("the path {shown:?} cannot be accessed: {}", in_go("stat", path, &error))
        })?;
        if metadata.is_dir() {
            walk(path, recursive, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if found.is_empty() {
        bail!("error reading [{name}]: recognized file extensions are [.json .yaml .yml]");
    }
    Ok(found)
}

fn is_missing(path: &Path) -> bool {
    fs::metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    let file = fs::File::open(path).map_err(|error| anyhow::anyhow!("{}", in_go("open", path, &error)))?;
    read_bounded(file, &path.display().to_string())
}

/// What the system says of a path, as Go writes it.
fn in_go(doing: &str, path: &Path, error: &std::io::Error) -> String {
    format!("{doing} {}: {}", path.display(), errno_text(error))
}

/// The objects that a verb is told to work on: by its arguments or, where files are given, by their documents.
///
/// # Errors
/// As [`resources::parse`] and [`read`]; a bad document is one for the whole command.
pub(super) fn targets(arguments: &[String], files: &FileArgs, global: &Global) -> Result<Vec<Target>> {
    either(arguments, files)?;
    if files.is_empty() {
        return resources::parse(arguments);
    }
    read(files)?.into_iter().map(|document| target(&document?, global)).collect()
}

/// Refuses arguments beside files: which of both was meant?
///
/// # Errors
/// kubectl's sentence.
pub(super) fn either(arguments: &[String], files: &FileArgs) -> Result<()> {
    if files.kustomize.is_some() && !files.filenames.is_empty() {
        files.require()?;
    }
    if !arguments.is_empty() && !files.is_empty() {
        bail!(
            "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well"
        );
    }
    Ok(())
}

/// The object that a document describes, wherever it is.
///
/// # Errors
/// As [`Document::namespace`].
pub(super) fn target(document: &Document, global: &Global) -> Result<Target> {
    let namespace = document.namespace(global.given_namespace(), &global.current_namespace()?)?;
    Ok(Target::Object(document.kind, document.kind.key(&namespace, document.name())))
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
pub(super) fn read_bounded(reader: impl Read, name: &str) -> Result<Vec<u8>> {
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

fn document(parsed: Parsed, source: &str) -> Result<Document> {
    let Parsed { value, duplicate_fields } = parsed;
    let meta = decode::type_meta(&value)
        .map_err(|error| verbatim(format!("error: unable to decode {source:?}: {error}")))?;
    let (group, version) = meta.api_version.split_once('/').unwrap_or(("", &meta.api_version));
    let known = Kind::from_name(&meta.kind)
        .filter(|kind| kind.resource().group == group && kind.resource().versions.contains(&version))
        .filter(|kind| *kind != Kind::Event && !kind.is_derived());
    let Some(kind) = known else {
        let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default();
        let hint = hint(group, &meta.kind);
        return Err(no_match(text("name"), text("namespace"), source, &meta.kind, &meta.api_version, &hint));
    };
    kind.deprecation(version).into_iter().for_each(warn_once);
    Ok(Document { source: source.to_owned(), value, kind, duplicate_fields })
}

/// What a server says of a path that it does not have.
const NO_RESOURCE: &str = "the server could not find the requested resource";
/// kubectl's advice about kinds that a server does not have.
const INSTALL: &str = "ensure CRDs are installed first";

fn no_match(
    name: &str,
    namespace: &str,
    source: &str,
    kind: &str,
    version: &str,
    hint: &str,
) -> anyhow::Error {
    verbatim(format!(
        "error: resource mapping not found for name: {name:?} namespace: {namespace:?} from {source:?}: no matches for \
         kind {kind:?} in version {version:?}\n{hint}"
    ))
}

/// What to make of a kind that is not here.
fn hint(group: &str, kind: &str) -> String {
    let meant = RESOURCES.iter().find(|known| known.group == group && known.name.eq_ignore_ascii_case(kind));
    match meant {
        Some(known) if known.kind == Kind::Event && known.name == kind => {
            "Events are recorded, they cannot be submitted".to_owned()
        }
        Some(known) if known.kind.is_derived() && known.name == kind => {
            format!("{kind}: these are made of Services and pods, they cannot be submitted")
        }
        Some(known) if known.name != kind => format!("the kind is written {}", known.name),
        _ if foreign_kinds::is_foreign(group, kind) => {
            format!("{kind} is a kind of Kubernetes that this version of jobctl does not have")
        }
        _ => "ensure CRDs are installed first".to_owned(),
    }
}
