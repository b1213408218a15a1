//! Which files the kubeconfig is in, and reading them.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};

use super::kubeconfig::Kubeconfig;
use crate::api::decode::MAX_MANIFEST_BYTES;
use crate::api::errno::errno_text;

/// The files to read, the first of which counts most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// One, which must be there.
    Given(PathBuf),
    /// Those of them that are there.
    Found(Vec<PathBuf>),
}

impl Files {
    /// What a command line, `$KUBECONFIG` and the home directory come to.
    pub(super) fn choose(given: Option<&Path>, variable: Option<&OsStr>, home: Option<&Path>) -> Self {
        if let Some(given) = given.filter(|given| !given.as_os_str().is_empty()) {
            return Self::Given(given.to_owned());
        }
        if let Some(variable) = variable.filter(|variable| !variable.is_empty()) {
            let mut files: Vec<PathBuf> = Vec::new();
            for part in variable.as_bytes().split(|byte| *byte == b':').filter(|part| !part.is_empty()) {
                let path = PathBuf::from(OsStr::from_bytes(part));
                if !files.contains(&path) {
                    files.push(path);
                }
            }
            return Self::Found(files);
        }
        Self::Found(home.map(|home| home.join(".kube/config")).into_iter().collect())
    }
}

impl Kubeconfig {
    /// Reads the kubeconfig of a command line and of this environment.
    ///
    /// # Errors
    /// The file that was asked for is missing; a file that does not read.
    pub fn read(given: Option<&Path>) -> Result<Self> {
        let variable = std::env::var_os("KUBECONFIG");
        let home = std::env::home_dir();
        let mut merged = Self::default();
        match Files::choose(given, variable.as_deref(), home.as_deref()) {
            Files::Given(path) => {
                let file = read_file(&path)?;
                let missing = || anyhow!("stat {}: no such file or directory", path.display());
                merged.merge(file.ok_or_else(missing)?);
            }
            Files::Found(paths) => {
                for path in paths {
                    merged.merge(read_file(&path)?.unwrap_or_default());
                }
            }
        }
        Ok(merged)
    }
}

/// One byte more is no kubeconfig: that is told when it is taken apart.
const MOST_BYTES: u64 = MAX_MANIFEST_BYTES as u64;

/// Nothing where there is no such file.
fn read_file(path: &Path) -> Result<Option<Kubeconfig>> {
    let loading = || format!("error loading config file {:?}", path.display().to_string());
    let read = || {
        let mut text = Vec::new();
        // Whatever is read in the place of a file may have no end.
        std::fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut text).map(|_| text)
    };
    let text = match read() {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let doing = if error.kind() == io::ErrorKind::IsADirectory { "read" } else { "open" };
            return Err(anyhow!("{doing} {}: {}", path.display(), errno_text(&error))).with_context(loading);
        }
    };
    let absolute = std::path::absolute(path).with_context(loading)?;
    let directory = absolute.parent().unwrap_or(Path::new("/"));
    let mut kubeconfig = Kubeconfig::parse(&text, directory).with_context(loading)?;
    kubeconfig.users.values_mut().for_each(|user| user.file.clone_from(&absolute));
    Ok(Some(kubeconfig))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_counts_more_than_the_environment() {
        let (home, variable) = (Some(Path::new("/home/u")), Some(OsStr::new("a::b:/c:a")));
        let found = |paths: &[&str]| Files::Found(paths.iter().map(PathBuf::from).collect());
        assert_eq!(Files::choose(Some(Path::new("k")), variable, home), Files::Given("k".into()));
        assert_eq!(Files::choose(None, variable, home), found(&["a", "b", "/c"]));
        assert_eq!(Files::choose(None, Some(OsStr::new("")), home), found(&["/home/u/.kube/config"]));
        assert_eq!(Files::choose(Some(Path::new("")), None, home), found(&["/home/u/.kube/config"]));
        assert_eq!(Files::choose(None, None, None), found(&[]));
    }
}
