//! Which file a container's command stands for.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Why a command stands for no file that can be executed.
#[derive(Debug)]
pub enum NoProgram {
    /// It names a file, and that cannot be looked at: mostly it is not there.
    Missing(io::Error),
    /// It names a file that may not be executed.
    Forbidden,
    /// It is to be looked for, and there is none of that name. `forbidden`: but one that may not be executed.
    NotOnPath {
        /// Whether there is one that may not be executed.
        forbidden: bool,
    },
}

/// The file to execute: a name with a slash as it is, another by PATH; both from the working directory.
///
/// # Errors
/// There is none.
pub fn find_program(program: &str, path: &str, directory: &Path) -> Result<PathBuf, NoProgram> {
    if program.contains('/') {
        let file = directory.join(program);
        return match std::fs::metadata(&file) {
            Err(error) => Err(NoProgram::Missing(error)),
            Ok(_) if !is_executable(&file) => Err(NoProgram::Forbidden),
            Ok(_) => Ok(file),
        };
    }
    let mut forbidden = false;
    for entry in path.split(':').filter(|_| !program.is_empty()) {
        // An empty entry is the working directory.
        let file = directory.join(entry).join(program);
        if is_executable(&file) {
            return Ok(file);
        }
        forbidden |= file.is_file();
    }
    Err(NoProgram::NotOnPath { forbidden })
}

fn is_executable(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
