//! The editor of whoever runs a verb: a text in a file, the program, and the text as it comes back.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::manager::seed;

/// A file that is being edited. It is gone afterwards, unless it is kept.
pub(super) struct Edited {
    path: PathBuf,
    kept: bool,
}

impl Edited {
    /// Puts a text into a file that nobody else reads.
    ///
    /// # Errors
    /// A directory for temporary files that cannot be written.
    pub(super) fn new(text: &str, extension: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("jobctl-edit-{}.{extension}", seed()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("write {}", path.display()))?;
        Ok(Self { path, kept: false })
    }

    /// Runs the editor, and reads what it leaves.
    ///
    /// # Errors
    /// kubectl's sentences about an editor that is not there, or that fails; a text that is not UTF-8.
    pub(super) fn edit(&self) -> Result<String> {
        launch(&self.path)?;
        fs::read_to_string(&self.path).with_context(|| format!("read {}", self.path.display()))
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file is, which from now on stays.
    pub(super) fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn launch(path: &Path) -> Result<()> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let editor = set("KUBE_EDITOR").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned());
    let shown = path.display().to_string();
    // What has quotes is a shell's to take apart.
    let words: Vec<String> = if editor.contains(' ') && editor.contains(['"', '\'', '\\']) {
        vec![
            set("SHELL").unwrap_or_else(|| "/bin/bash".to_owned()),
            "-c".into(),
            format!("{editor} {shown:?}"),
        ]
    } else {
        editor.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).chain([shown]).collect()
    };
    let name = words[..words.len() - 1].join(" ");
    match Command::new(&words[0]).args(&words[1..]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => bail!("there was a problem with the editor {name:?}"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("unable to launch the editor {name:?}")
        }
        Err(_) => bail!("there was a problem with the editor {name:?}"),
    }
}
