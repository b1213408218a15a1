//! A file or a directory as an archive, and back: what `cp` does at either end. The end in a container is a process of ours there,
//! which sees what the container sees and may do what that may.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use super::output::complain;
use crate::api::errno::errno_text;

/// `jobctl __copy …`: the process in the container.
pub(super) const WORD: &str = "__copy";
/// It packs a path.
pub(super) const PACK: &str = "from";
/// It unpacks to a path: into that where it is a directory, under a name; and keeps all of permissions and owners, or nothing.
pub(super) const UNPACK: &str = "to";
pub(super) const ALL: &str = "preserve";
pub(super) const NOTHING: &str = "no-preserve";

/// What a name within an archive stands for that has no name of its own.
const ROOT: &str = ".";

/// The error of a system call on a file, as Go writes it.
pub(super) fn problem(doing: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow::anyhow!("{doing} {}: {}", path.display(), errno_text(error))
}

/// What the process in the container does.
pub(super) fn run_within(words: &[&OsStr]) -> ExitCode {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let mut complaints = 0;
    let done = match words.as_slice() {
        [PACK, path] => {
            let mut archive = BufWriter::new(io::stdout().lock());
            match fs::symlink_metadata(path) {
                Err(error) => Err(problem("stat", Path::new(path), &error)),
                Ok(_) => pack(Path::new(path), &mut archive, |why| {
                    complaints += 1;
                    complain(&why);
                })
                .and_then(|()| archive.flush())
                .map_err(Into::into),
            }
        }
        [UNPACK, path, name, keep] => {
            unpack(&mut BufReader::new(io::stdin().lock()), Path::new(path), name, *keep == ALL)
        }
        _ => Err(anyhow::anyhow!("this is for jobctl cp alone")),
    };
    match done {
        Ok(()) => ExitCode::from(u8::from(complaints > 0)),
        Err(error) => {
            complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Packs a file or a directory with all that is in it. What cannot be read is told to `complain` and left out.
///
/// # Errors
/// The archive cannot be written.
pub(super) fn pack(
    root: &Path,
    archive: &mut impl Write,
    mut complain: impl FnMut(String),
) -> io::Result<()> {
    let mut builder = tar::Builder::new(archive);
    let mut left = vec![(root.to_owned(), PathBuf::from(ROOT))];
    while let Some((path, name)) = left.pop() {
        match pack_one(&mut builder, &path, &name) {
            Ok(children) => {
                // The last is the first to be taken.
                let children = children.into_iter().rev();
                left.extend(children.map(|child| (path.join(&child), name.join(&child))));
            }
            Err(Failure::Here(doing, error)) => complain(format!("{:#}", problem(doing, &path, &error))),
            Err(Failure::Special) => {
                complain(format!("warning: skipping special file: {:?}", path.display().to_string()));
            }
            Err(Failure::Archive(error)) => return Err(error),
        }
    }
    builder.finish()
}

/// Why something was not packed.
enum Failure {
    /// It cannot be read.
    Here(&'static str, io::Error),
    /// It is neither a file nor a directory nor a link.
    Special,
    /// The archive cannot be written.
    Archive(io::Error),
}

/// Packs one, and returns what is in it by name.
fn pack_one<W: Write>(
    builder: &mut tar::Builder<W>,
    path: &Path,
    name: &Path,
) -> Result<Vec<std::ffi::OsString>, Failure> {
    let here = |doing| move |error| Failure::Here(doing, error);
    let found = fs::symlink_metadata(path).map_err(here("lstat"))?;
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&found);
    let kind = found.file_type();
    if kind.is_dir() {
        let entries = fs::read_dir(path).map_err(here("open"))?;
        let mut children: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        children.sort_unstable();
        header.set_size(0);
        builder.append_data(&mut header, name, io::empty()).map_err(Failure::Archive)?;
        return Ok(children);
    }
    if kind.is_symlink() {
        let target = fs::read_link(path).map_err(here("readlink"))?;
        header.set_size(0);
        builder.append_link(&mut header, name, target).map_err(Failure::Archive)?;
    } else if kind.is_file() {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)
            .map_err(here("open"))?;
        let size = file.metadata().map_err(here("stat"))?.len();
        header.set_size(size);
        // Somebody may write to it meanwhile: it has as many bytes as have been promised.
        let content = file.take(size).chain(io::repeat(0)).take(size);
        builder.append_data(&mut header, name, content).map_err(Failure::Archive)?;
    } else {
        debug_assert!(kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device());
        return Err(Failure::Special);
    }
    Ok(Vec::new())
}

/// Unpacks what `pack` has packed: to `to` or, where that is a directory, into it as `name`.
fn unpack(archive: &mut impl Read, to: &Path, name: &str, keep: bool) -> anyhow::Result<()> {
    let to = if to.is_dir() { to.join(name) } else { to.to_owned() };
    let parent = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::metadata(parent).map_err(|error| problem("stat", parent, &error))?;
    // As for tar: only root can give files to others, and then keeps all bits.
    let keep = keep && nix::unistd::geteuid().is_root();
    let mut made = Vec::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        if name.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            anyhow::bail!("tar contents corrupted");
        }
        let place = match name.as_path() {
            root if root == Path::new(ROOT) => to.clone(),
            name => to.join(name),
        };
        let mode = match entry.header().mode()? {
            mode if keep => mode & 0o7777,
            mode => mode & 0o777 & !umask(),
        };
        if unpack_one(&mut entry, &place, keep)? == Made::Directory {
            made.push((place, mode));
        } else if !entry.header().entry_type().is_symlink() {
            set_mode(&place, mode)?;
        }
    }
    // One that is not to be written to gets its content first.
    made.iter().rev().try_for_each(|(place, mode)| set_mode(place, *mode))
}

fn set_mode(place: &Path, mode: u32) -> anyhow::Result<()> {
    fs::set_permissions(place, Permissions::from_mode(mode)).map_err(|error| problem("chmod", place, &error))
}

/// What has come of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// A directory that was not there before.
    Directory,
    Other,
}

fn unpack_one<R: Read>(entry: &mut tar::Entry<'_, R>, place: &Path, keep: bool) -> anyhow::Result<Made> {
    let kind = entry.header().entry_type();
    let mut done = Made::Other;
    if kind.is_dir() {
        match fs::create_dir(place) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && place.is_dir() => return Ok(done),
            made => made.map_err(|error| problem("mkdir", place, &error))?,
        }
        set_mode(place, 0o700)?;
        done = Made::Directory;
    } else if kind.is_symlink() {
        let target = entry.link_name()?.unwrap_or_default().into_owned();
        let _ = fs::remove_file(place);
        std::os::unix::fs::symlink(target, place).map_err(|error| problem("symlink", place, &error))?;
    } else {
        // As a new file: who has the old one open, as a program that runs, keeps it. One that cannot go is written to.
        let _ = fs::remove_file(place);
        let mut file = File::create(place).map_err(|error| problem("open", place, &error))?;
        io::copy(entry, &mut file).map_err(|error| problem("write", place, &error))?;
    }
    if keep {
        let (user, group) = (entry.header().uid()?, entry.header().gid()?);
        let owner = |id: u64| u32::try_from(id).ok();
        // Before the mode: this takes bits away.
        let _ = std::os::unix::fs::lchown(place, owner(user), owner(group));
    }
    Ok(done)
}

/// The bits that this process's new files do not get. Asking for the mask by the system call would set it.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    mask.and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok()).unwrap_or(0o022)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_comes_back_as_it_was() {
        let world = tempfile::tempdir().expect("a directory");
        let (from, to) = (world.path().join("from"), world.path().join("to"));
        let long = "n".repeat(200);
        fs::create_dir_all(from.join("empty")).expect("made");
        fs::create_dir_all(from.join(&long)).expect("made");
        let write = |name: &str, text: &[u8]| {
            File::create(from.join(name)).and_then(|mut file| file.write_all(text)).expect("written");
        };
        write("a", b"one");
        write("empty/x", b"");
        write(&format!("{long}/{long}"), &[7; 2000]);
        fs::set_permissions(from.join("a"), Permissions::from_mode(0o750)).expect("set");
        std::os::unix::fs::symlink("a", from.join("link")).expect("linked");
        fs::set_permissions(from.join("empty"), Permissions::from_mode(0o555)).expect("set");
        nix::unistd::mkfifo(&from.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("made");
        let (mut archive, mut complaints) = (Vec::new(), Vec::new());
        pack(&from, &mut archive, |why| complaints.push(why)).expect("packed");
        let special = from.join("pipe").display().to_string();
        assert_eq!(complaints, [format!("warning: skipping special file: {special:?}")]);
        unpack(&mut archive.as_slice(), &to, "ignored", false).expect("unpacked");
        let read = |name: &str| fs::read(to.join(name)).expect("a file");
        assert_eq!((read("a"), read(&format!("{long}/{long}"))), (b"one".to_vec(), vec![7; 2000]));
        assert!(to.join("empty/x").is_file() && !to.join("pipe").exists());
        assert_eq!(fs::read_link(to.join("link")).expect("a link"), Path::new("a"));
        let mode = fs::metadata(to.join("a")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o750 & !umask());
        let mode = fs::metadata(to.join("empty")).expect("a directory").permissions().mode();
        assert_eq!(mode & 0o777, 0o555 & !umask());
        // Once more, into what is there now.
        unpack(&mut archive.as_slice(), &to, "again", false).expect("unpacked");
        assert_eq!(fs::read(to.join("again/a")).expect("a file"), b"one");
    }
}
