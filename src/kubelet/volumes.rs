//! Preparing a pod's volumes, before its supervisor is asked for.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::actions::{Payload, Prepared, Step};
use crate::store::{PodDirectory, give_to_group, make_open_directory, write_volume_files};

/// Makes what the volumes of a pod need. What is there already stays.
///
/// # Errors
/// The first volume that cannot be made: upstream's sentence, as Events of FailedMount have it.
pub fn prepare(prepared: &Prepared, root: &Path, pod: &PodDirectory) -> Result<(), String> {
    for (volume, step) in prepared.run.volumes.iter().zip(&prepared.steps) {
        let path = volume.path(root, pod.path());
        perform(step, &path)
            .and_then(|()| give_to(prepared.fs_group, step, &path))
            .map_err(|why| format!("MountVolume.SetUp failed for volume {:?} : {why}", volume.name))?;
    }
    Ok(())
}

fn perform(step: &Step, path: &Path) -> Result<(), String> {
    let told = |error: io::Error| error.to_string();
    match step {
        Step::MakeDirectory | Step::MakeClaim => make_open_directory(path).map_err(told),
        Step::WriteFiles(payload) => write_files(path, payload).map_err(told),
        Step::CheckHostPath(kind) => check_host_path(path, kind),
    }
}

/// Lets a volume belong to the pod's group, which may read it, and write to it where the pod does.
fn give_to(group: Option<u32>, step: &Step, path: &Path) -> Result<(), String> {
    let is_writable = match step {
        Step::MakeDirectory | Step::MakeClaim => true,
        Step::WriteFiles(_) => false,
        Step::CheckHostPath(_) => return Ok(()),
    };
    let given = group.map_or(Ok(()), |group| give_to_group(path, group, is_writable));
    given.map_err(|error| format!("give {} to group {}: {error}", path.display(), group.unwrap_or(0)))
}

/// Writes the files of a volume.
///
/// # Errors
/// Failing system calls; the files before stay.
pub fn write_files(path: &Path, payload: &Payload) -> io::Result<()> {
    let files = payload.iter().map(|(path, file)| (path.as_str(), (file.content.as_slice(), file.mode)));
    write_volume_files(path, &files.collect()).map(drop)
}

/// Checks what lies at a hostPath against its type, and makes it where the type says so. Without a type a directory is made
/// where there is nothing, as container runtimes do.
fn check_host_path(path: &Path, kind: &str) -> Result<(), String> {
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.to_string()),
        Ok(found) => Some(found.file_type()),
    };
    let (is_right, what) = match kind {
        "" => (true, ""),
        "Directory" | "DirectoryOrCreate" => (found.is_some_and(|found| found.is_dir()), "a directory"),
        "File" | "FileOrCreate" => (found.is_some_and(|found| found.is_file()), "a file"),
        "Socket" => (found.is_some_and(|found| found.is_socket()), "a socket file"),
        "CharDevice" => (found.is_some_and(|found| found.is_char_device()), "a character device"),
        "BlockDevice" => (found.is_some_and(|found| found.is_block_device()), "a block device"),
        other => return Err(format!("{other} is an invalid volume type")),
    };
    let made = match (found, kind) {
        (None, "" | "DirectoryOrCreate") => DirBuilder::new().recursive(true).mode(0o755).create(path),
        (None, "FileOrCreate") => {
            OpenOptions::new().write(true).create_new(true).mode(0o644).open(path).map(drop)
        }
        _ if is_right => Ok(()),
        _ => return Err(format!("hostPath type check failed: {} is not {what}", path.display())),
    };
    made.map_err(|error| format!("create {}: {error}", path.display()))
}
