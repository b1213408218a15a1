//! Where the entries of ConfigMaps and Secrets come from: files, directories, literals and files of variables, read as kubectl
//! reads them.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::api::errno::errno_text;
use crate::api::names;

/// The flags that say what is in a ConfigMap or a Secret
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct SourceArgs {
    /// A file, whose name is the key, a directory of such files, or KEY=FILE
    #[arg(long, value_name = "[KEY=]FILE")]
    pub(super) from_file: Vec<String>,
    /// A key and its value
    #[arg(long, value_name = "KEY=VALUE")]
    pub(super) from_literal: Vec<String>,
    /// A file with a line KEY=VALUE for each entry
    #[arg(long, value_name = "FILE")]
    pub(super) from_env_file: Vec<String>,
    /// Append a hash of the contents to the name
    #[arg(long)]
    pub(super) append_hash: bool,
}

/// Takes an entry, or says why not.
type Add<'a> = &'a mut dyn FnMut(&str, Vec<u8>) -> Result<()>;

impl SourceArgs {
    /// Reads every source. `of_env_file` is how a file of variables is called.
    ///
    /// # Errors
    /// In kubectl's words: what cannot be read, and what is no entry.
    pub(super) fn read(&self, of_env_file: &str, add: Add<'_>) -> Result<()> {
        let has_others = !self.from_file.is_empty() || !self.from_literal.is_empty();
        if !self.from_env_file.is_empty() && has_others {
            bail!("from-env-file cannot be combined with from-file or from-literal");
        }
        for source in &self.from_file {
            read_files(source, add)?;
        }
        for source in &self.from_literal {
            match source.split_once('=').filter(|(key, _)| !key.is_empty()) {
                Some((key, value)) => add(key, value.as_bytes().to_vec())?,
                None => bail!("invalid literal source {source}, expected key=value"),
            }
        }
        for source in &self.from_env_file {
            if is_directory(source)? {
                bail!("env {of_env_file} file cannot be a directory");
            }
            let bytes = fs::read(source).map_err(|error| unreadable(source, &error))?;
            for (key, value) in variables(&bytes, source)? {
                add(&key, value.into_bytes())?;
            }
        }
        Ok(())
    }
}

/// The key and the path that `--from-file` names.
fn key_and_path(source: &str) -> Result<(&str, &str)> {
    match source.split_once('=') {
        None => Ok((Path::new(source).file_name().and_then(|name| name.to_str()).unwrap_or(source), source)),
        Some((_, rest)) if rest.contains('=') => bail!("key names or file paths cannot contain '='"),
        Some(("", path)) => bail!("key name for file path {path} missing"),
        Some((key, "")) => bail!("file path for key name {key} missing"),
        Some(named) => Ok(named),
    }
}

/// What one `--from-file` names: of a directory each plain file in it.
fn read_files(source: &str, add: Add<'_>) -> Result<()> {
    let (key, path) = key_and_path(source)?;
    if !is_directory(path)? {
        return add(key, fs::read(path).map_err(|error| unreadable(path, &error))?);
    }
    if source.contains('=') {
        bail!("cannot give a key name for a directory path");
    }
    let entries = fs::read_dir(path).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>());
    let mut entries = entries.map_err(|error| unreadable(path, &error))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let bytes = fs::read(entry.path()).map_err(|error| unreadable(path, &error))?;
            add(&entry.file_name().to_string_lossy(), bytes)?;
        }
    }
    Ok(())
}

fn is_directory(path: &str) -> Result<bool> {
    Ok(fs::metadata(path).map_err(|error| unreadable(path, &error))?.is_dir())
}

/// What the system says of a path, as Go writes it.
pub(in crate::cmd) fn unreadable(path: &str, error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!("error reading {path}: {}", errno_text(error))
}

/// The lines of a file of variables. One without `=` takes its value from this environment.
pub(in crate::cmd) fn variables(bytes: &[u8], path: &str) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else {
            let shown = line.iter().map(u8::to_string).collect::<Vec<_>>().join(" ");
            bail!("env file {path} contains invalid utf8 bytes at line {}: [{shown}]", index + 1);
        };
        let text = if index == 0 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, value.to_owned()),
            None => (text, std::env::var(text).unwrap_or_default()),
        };
        let problems = names::old_env_name(key);
        if !problems.is_empty() {
            bail!("{key:?} is not a valid key name: {}", problems.join(";"));
        }
        found.push((key.to_owned(), value));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_a_key_and_a_file() {
        for (source, expected) in [
            ("a/b.txt", Ok(("b.txt", "a/b.txt"))),
            ("k=a/b.txt", Ok(("k", "a/b.txt"))),
            ("=x", Err("key name for file path x missing")),
            ("k=", Err("file path for key name k missing")),
            ("a=b=c", Err("key names or file paths cannot contain '='")),
        ] {
            assert_eq!(
                key_and_path(source).map_err(|error| error.to_string()),
                expected.map_err(str::to_owned)
            );
        }
    }

    #[test]
    fn variables_are_lines_with_a_name() {
        let read = |text: &str| variables(text.as_bytes(), "f").map_err(|error| error.to_string());
        let found =
            read("\u{feff}A=1\r\n# note\n\n B=2 \nC=a=b\nD=\nNO_SUCH_VARIABLE_HERE\n").expect("variables");
        let found: Vec<(&str, &str)> = found.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(found, [("A", "1"), ("B", "2 "), ("C", "a=b"), ("D", ""), ("NO_SUCH_VARIABLE_HERE", "")]);
        assert!(read("2X=3").is_err_and(|error| error.starts_with("\"2X\" is not a valid key name: ")));
        assert_eq!(
            variables(b"A=1\n\xff=2", "f").expect_err("not text").to_string(),
            "env file f contains invalid utf8 bytes at line 2: [255 61 50]"
        );
    }
}
