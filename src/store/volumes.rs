//! Volumes at rest: directories of pods and of claims, and files of which a reader sees all the old ones or all the new ones.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _, lchown, symlink,
};
use std::path::{Path, PathBuf};

/// The link that leads to the files that count.
const DATA: &str = "..data";
/// The link that is to take its place.
const NEW_DATA: &str = "..data_tmp";

/// Makes a directory that anybody may write to, and what leads to it; one that is there stays as it is.
///
/// # Errors
/// Failing system calls.
pub fn make_open_directory(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match DirBuilder::new().create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| fs::set_permissions(path, Permissions::from_mode(0o777))),
    }
}

/// Makes a directory that only its owner writes to, and what leads to it; one that is there stays as it is.
///
/// # Errors
/// Failing system calls.
pub fn make_plain_directory(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    match make_directory(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Files with their modes, by their paths within a volume.
pub type VolumeFiles<'a> = BTreeMap<&'a str, (&'a [u8], u32)>;

/// Writes the files of a ConfigMap, a Secret or the like, as the kubelet does: they lie in a directory of their own, to which
/// `..data` leads; each name in the volume is a link through it. So all of them change at once. False where they are the same
/// already.
///
/// # Errors
/// Failing system calls; the files before stay.
pub fn write_volume_files(volume: &Path, files: &VolumeFiles<'_>) -> io::Result<bool> {
    DirBuilder::new().recursive(true).mode(0o700).create(volume)?;
    fs::set_permissions(volume, Permissions::from_mode(0o755))?;
    let data = volume.join(DATA);
    let before = fs::read_link(&data).ok();
    if before.as_ref().is_some_and(|before| holds(&volume.join(before), files)) {
        return Ok(false);
    }
    let name = next_name(before.as_deref());
    let directory = volume.join(&name);
    // Left behind by somebody who was killed here.
    remove_if_there(&directory)?;
    make_directory(&directory)?;
    for (path, (content, mode)) in files {
        let path = directory.join(path);
        let mut missing: Vec<&Path> =
            path.ancestors().skip(1).take_while(|parent| *parent != directory).collect();
        missing.reverse();
        missing.into_iter().filter(|parent| !parent.exists()).try_for_each(make_directory)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(*mode))?;
    }
    let new = volume.join(NEW_DATA);
    remove_if_there(&new)?;
    symlink(&name, &new)?;
    rename(&new, &data)?;
    let mut names: Vec<&str> = files.keys().filter_map(|path| path.split('/').next()).collect();
    names.dedup();
    for name in &names {
        match symlink(Path::new(DATA).join(name), volume.join(name)) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    for entry in fs::read_dir(volume)? {
        let found = entry?.file_name();
        let is_current = found == DATA || found == name.as_str();
        if !is_current && !names.iter().any(|name| found == *name) {
            remove_if_there(&volume.join(found))?;
        }
    }
    Ok(true)
}

/// The name of the directory that comes after another: links and directories that begin with two dots are the volume's own.
fn next_name(before: Option<&Path>) -> String {
    let number = before
        .and_then(|name| name.to_str()?.strip_prefix("..")?.parse().ok())
        .map_or(1, |number: u64| number.wrapping_add(1));
    format!("..{number}")
}

fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

#[expect(clippy::disallowed_methods, reason = "one link for another: what it leads to is written already")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Whether a directory holds just these files.
fn holds(directory: &Path, files: &VolumeFiles<'_>) -> bool {
    let is_same = |(path, (content, mode)): (&&str, &(&[u8], u32))| {
        let path = directory.join(path);
        let found = fs::symlink_metadata(&path).ok();
        found.is_some_and(|found| found.is_file() && found.permissions().mode() & 0o7777 == *mode)
            && fs::read(&path).is_ok_and(|found| found == *content)
    };
    files.iter().all(is_same) && count_files(directory) == files.len()
}

fn count_files(directory: &Path) -> usize {
    let paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let is_directory = |path: &Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    paths.iter().map(|path| if is_directory(path) { count_files(path) } else { 1 }).sum()
}

/// Lets all that is in a volume belong to a group, as the kubelet does for `fsGroup`: the group may read it, and write where
/// `is_writable`; what is made in its directories belongs to the group too.
///
/// # Errors
/// Who is not root cannot give away.
pub fn give_to_group(path: &Path, group: u32, is_writable: bool) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    lchown(path, None, Some(group))?;
    if found.is_symlink() {
        return Ok(());
    }
    let read_or_write = if is_writable { 0o660 } else { 0o440 };
    let of_directory = if found.is_dir() { 0o2110 } else { 0 };
    let mode = found.permissions().mode() & 0o7777 | read_or_write | of_directory;
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            give_to_group(&entry?.path(), group, is_writable)?;
        }
    }
    Ok(())
}

/// Makes an empty file that a container, whoever it runs as, can leave a message in.
///
/// # Errors
/// Failing system calls.
pub fn write_message_file(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o666))
}

/// Writes a file that is mounted elsewhere, where another file in its place would not be seen: by one call, so that hardly any
/// reader sees a part of it.
///
/// # Errors
/// Failing system calls.
pub fn write_in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(path)?;
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.write_all_at(content, 0)?;
    file.set_len(content.len() as u64)
}

/// Removes a directory with all that is in it, also what its owner has forbidden himself to enter.
///
/// # Errors
/// What belongs to others; a directory that is in use.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        removed => return removed,
    }
    open_directories(path);
    fs::remove_dir_all(path)
}

fn open_directories(path: &Path) {
    if !fs::symlink_metadata(path).is_ok_and(|found| found.is_dir()) {
        return;
    }
    let _ = fs::set_permissions(path, Permissions::from_mode(0o700));
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.for_each(|entry| open_directories(&entry.path()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<'a>(contents: &[(&'a str, &'a str)]) -> VolumeFiles<'a> {
        contents.iter().map(|(path, text)| (*path, (text.as_bytes(), 0o640))).collect()
    }

    fn listing(volume: &Path) -> Vec<String> {
        let entries = fs::read_dir(volume).expect("a directory").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_of_a_volume_change_all_at_once() {
        let place = tempfile::tempdir().expect("a directory");
        let volume = place.path().join("volumes").join("config");
        let read = |path: &str| fs::read_to_string(volume.join(path)).ok();
        let first = files(&[("a", "1"), ("deep/er/b", "2")]);
        assert!(write_volume_files(&volume, &first).expect("written"));
        assert_eq!((read("a").as_deref(), read("deep/er/b").as_deref()), (Some("1"), Some("2")));
        assert_eq!(listing(&volume), ["..1", "..data", "a", "deep"]);
        assert_eq!(fs::metadata(volume.join("a")).expect("there").permissions().mode() & 0o777, 0o640);
        assert!(!write_volume_files(&volume, &first).expect("written"), "the same");
        let held = fs::File::open(volume.join("a")).expect("open");
        assert!(write_volume_files(&volume, &files(&[("a", "3"), ("c", "4")])).expect("written"));
        assert_eq!(
            (read("a").as_deref(), read("deep/er/b"), read("c").as_deref()),
            (Some("3"), None, Some("4"))
        );
        assert_eq!(listing(&volume), ["..2", "..data", "a", "c"]);
        assert_eq!(io::read_to_string(held).expect("text"), "1", "who has opened a file keeps it");
        assert!(write_volume_files(&volume, &files(&[])).expect("written"));
        assert_eq!(listing(&volume), ["..3", "..data"]);
    }

    #[test]
    fn what_cannot_be_entered_is_removed_too() {
        let place = tempfile::tempdir().expect("a directory");
        let tree = place.path().join("tree");
        fs::create_dir_all(tree.join("locked/inner")).expect("directories");
        fs::set_permissions(tree.join("locked"), Permissions::from_mode(0o000)).expect("a mode");
        remove_tree(&tree).expect("removed");
        assert!(!tree.exists());
        remove_tree(&tree).expect("nothing to remove");
    }
}
