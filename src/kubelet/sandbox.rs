//! A container's own view of the file system, without a container and without root: a mount namespace in which volumes lie at
//! their mountPaths (design, "Pods without containers"; mechanisms 1).
//!
//! What a mountPath lacks is never made on the host. A directory of the host that lacks a mount point is covered by a tmpfs in
//! which all that it holds is bound again, beside the mount point; where `/` lacks it, that tmpfs is the new root. These are
//! sealed at the end: what a container writes goes to the host, to a volume, or fails.
#![allow(unsafe_code)]

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, StatxFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};

use super::actions::{ContainerRun, DirectoryOf, PodRun, SandboxRun};
use super::memory_volumes::PodNamespaces;
use crate::api::errno::errno_text;
use crate::store::{PodDirectory, make_plain_directory};

/// Where programs look for names.
const HOSTS: &str = "/etc/hosts";

/// What a container's view of the file system is made from.
#[derive(Debug)]
pub(super) struct Sandbox<'a> {
    /// Where the pod's volumes in memory lie.
    namespaces: Option<&'a PodNamespaces>,
    mounts: Vec<Mount>,
    read_only_root: bool,
    hostname: String,
    /// As whom an ordinary user is to appear.
    user: Option<u32>,
    group: Option<u32>,
    /// The manifest's, made where it is missing: in a volume, or else what lies in the pod's own directory is seen there.
    working_directory: Option<(PathBuf, PathBuf)>,
    /// A directory that may be covered while the new root is made.
    scratch: PathBuf,
}

#[derive(Debug)]
struct Mount {
    source: PathBuf,
    sub_path: String,
    target: PathBuf,
    read_only: bool,
}

/// Why there is no such view.
#[derive(Debug)]
pub(super) struct SandboxError {
    doing: String,
    error: Errno,
    remedy: &'static str,
}

impl fmt::Display for SandboxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}{}", self.doing, errno_text(&self.error.into()), self.remedy)
    }
}

/// Adds to an error what was being done.
pub(super) trait Doing<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, SandboxError>;
}

impl<T> Doing<T> for rustix::io::Result<T> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, SandboxError> {
        self.map_err(|error| SandboxError { doing: what(), error, remedy: "" })
    }
}

/// Where a pod's files lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct PodPlace<'a> {
    /// The data directory.
    pub(super) root: &'a Path,
    /// The pod's own directory.
    pub(super) pod: &'a Path,
    /// Where its volumes in memory lie.
    pub(super) namespaces: Option<&'a PodNamespaces>,
}

impl<'a> Sandbox<'a> {
    /// What a container of a pod sees.
    pub(super) fn new(
        run: &PodRun,
        container: &ContainerRun,
        sandbox: &SandboxRun,
        PodPlace { root, pod, namespaces }: PodPlace<'a>,
    ) -> Self {
        let credentials = container.credentials.as_ref();
        let mounts = sandbox.mounts.iter().filter_map(|mount| {
            let volume = run.volumes.get(mount.volume)?;
            Some(Mount {
                source: volume.path(root, pod),
                sub_path: mount.sub_path.clone(),
                target: PathBuf::from(&mount.path),
                read_only: mount.read_only,
            })
        });
        let mut mounts: Vec<Mount> = mounts.collect();
        // A volume there is what the manifest wants.
        if run.has_names && !mounts.iter().any(|mount| mount.target == Path::new(HOSTS)) {
            let (source, target) = (PodDirectory::new(pod.to_owned()).hosts_path(), PathBuf::from(HOSTS));
            mounts.push(Mount { source, sub_path: String::new(), target, read_only: false });
        }
        if let Some(target) = container.message_path.as_ref().map(PathBuf::from)
            && !mounts.iter().any(|mount| mount.target == target)
        {
            let source = PodDirectory::new(pod.to_owned()).message_path(&container.name);
            mounts.push(Mount { source, sub_path: String::new(), target, read_only: false });
        }
        Self {
            namespaces,
            mounts,
            read_only_root: sandbox.read_only_root,
            hostname: run.hostname.clone(),
            user: credentials.and_then(|credentials| credentials.user),
            group: credentials.and_then(|credentials| credentials.group),
            working_directory: (container.directory_of == DirectoryOf::Manifest)
                .then(|| (PathBuf::from(&container.working_directory), own_directory(pod, &container.name))),
            scratch: pod.to_owned(),
        }
    }

    /// Gives this process that view. To be called in a process of its own with one thread, which ends on an error.
    ///
    /// # Errors
    /// The machine refuses, or a path that cannot be.
    pub(super) fn enter(&self) -> Result<(), SandboxError> {
        self.mounts.iter().try_for_each(Mount::check)?;
        self.namespaces.map_or(Ok(()), PodNamespaces::enter)?;
        enter_namespaces(self.user, self.group)?;
        let _ = nix::unistd::sethostname(&self.hostname);
        separate_mounts()?;
        let trees = self.mounts.iter().map(Mount::tree).collect::<Result<Vec<_>, _>>()?;
        let mut view = View::default();
        let directory = self.working_directory.as_ref().map(|(directory, _)| directory.as_path());
        let made = self.own_directory_tree()?;
        let mut paths = self.mounts.iter().map(|mount| mount.target.as_path()).chain(directory);
        if self.read_only_root || paths.any(lacks_first_component) {
            view.make_root(&self.scratch, self.read_only_root)?;
        }
        for (mount, tree) in self.mounts.iter().zip(trees) {
            view.place(&tree, &mount.target)?;
        }
        if let (Some(directory), Some(made)) = (directory, made) {
            view.make_working_directory(directory, &made)?;
        }
        view.seal()
    }
}

impl Sandbox<'_> {
    /// What is to be seen at a working directory that the host does not have.
    fn own_directory_tree(&self) -> Result<Option<OwnedFd>, SandboxError> {
        let Some((directory, own)) = &self.working_directory else { return Ok(None) };
        if rustix::fs::stat(directory).is_ok() {
            return Ok(None);
        }
        let what = || format!("make the working directory {}", directory.display());
        if is_the_kernels(directory) {
            return Err(Errno::INVAL).doing(what);
        }
        let number = |error: io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        make_plain_directory(own).map_err(number).doing(what)?;
        let tree = clone_tree(open_path(own).doing(what)?.as_fd(), "").doing(what)?;
        if self.read_only_root {
            make_read_only(tree.as_fd(), Depth::WithSubmounts).doing(what)?;
        }
        Ok(Some(tree))
    }
}

/// Where what a container writes to a working directory lies that the host does not have. No volume is called so.
pub(super) fn own_directory(pod: &Path, container: &str) -> PathBuf {
    PodDirectory::new(pod.to_owned()).volumes_path().join(format!("..{container}"))
}

/// What is mounted from now on is seen by this process alone.
pub(super) fn separate_mounts() -> Result<(), SandboxError> {
    let propagation = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    rustix::mount::mount_change("/", propagation).doing(|| "separate the mounts".into())
}

/// Whether a path leads to what is the kernel's own.
fn is_the_kernels(path: &Path) -> bool {
    path.starts_with("/proc") || path.starts_with("/sys")
}

/// Whether the file system's root has nothing of that name.
fn lacks_first_component(path: &Path) -> bool {
    let first = path.components().find(|component| *component != Component::RootDir);
    first.is_some_and(|first| rustix::fs::lstat(Path::new("/").join(first)).is_err())
}

const ORDINARY_REFUSAL: &str = "; a path that this machine does not have, for a volume or to work in, needs user namespaces, \
     which this machine refuses: on Ubuntu allow them with `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, in a Docker \
     container with `--security-opt seccomp=unconfined`";
const NO_USER_NAMESPACES: &str = "; a path that this machine does not have, for a volume or to work in, needs user \
     namespaces, and this machine allows none: `sudo sysctl user.max_user_namespaces=15000`";

/// A mount namespace of our own, and a name for the host; who is not root needs a user namespace for that, in which the own
/// ids may be called by others.
pub(super) fn enter_namespaces(user: Option<u32>, group: Option<u32>) -> Result<(), SandboxError> {
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let own = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS;
    if uid.is_root() && unshare(own).is_ok() {
        return Ok(());
    }
    let refused = |doing: &str, error: nix::errno::Errno| SandboxError {
        doing: doing.to_owned(),
        error: Errno::from_raw_os_error(error as i32),
        remedy: match error {
            nix::errno::Errno::ENOSPC => NO_USER_NAMESPACES,
            nix::errno::Errno::EPERM | nix::errno::Errno::EACCES => ORDINARY_REFUSAL,
            _ => "",
        },
    };
    unshare(own | CloneFlags::CLONE_NEWUSER).map_err(|error| refused("create a user namespace", error))?;
    let write = |file: &str, text: &str| {
        let path = Path::new("/proc/self").join(file);
        let error = |error: io::Error| {
            let number = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO));
            refused(&format!("write {}", path.display()), number)
        };
        // Only written to, never made.
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).map_err(error)?;
        io::Write::write_all(&mut file, text.as_bytes()).map_err(error)
    };
    if uid.is_root() {
        write("uid_map", "0 0 4294967295")?;
        return write("gid_map", "0 0 4294967295");
    }
    write("setgroups", "deny")?;
    write("gid_map", &format!("{} {gid} 1", group.unwrap_or(gid.as_raw())))?;
    write("uid_map", &format!("{} {uid} 1", user.unwrap_or(uid.as_raw())))
}

impl Mount {
    /// Refuses what no container runtime mounts at.
    fn check(&self) -> Result<(), SandboxError> {
        let is_bad =
            self.target.components().all(|one| one == Component::RootDir) || is_the_kernels(&self.target);
        let climbs = self.target.components().any(|one| one == Component::ParentDir);
        if is_bad || climbs {
            return Err(Errno::INVAL).doing(|| format!("mount a volume at {}", self.target.display()));
        }
        Ok(())
    }

    /// The volume, or the part of it, as a tree of mounts that lies nowhere yet.
    fn tree(&self) -> Result<OwnedFd, SandboxError> {
        let what = || format!("open the volume for {}", self.target.display());
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let mut source = rustix::fs::open(&self.source, flags, Mode::empty()).doing(what)?;
        if !self.sub_path.is_empty() {
            source = self.part_of(&source).doing(|| {
                format!("open subPath {:?} of the volume for {}", self.sub_path, self.target.display())
            })?;
        }
        let tree = clone_tree(source.as_fd(), "").doing(what)?;
        if self.read_only {
            make_read_only(tree.as_fd(), Depth::WithSubmounts).doing(what)?;
        }
        Ok(tree)
    }

    /// The part of the volume that is mounted, made where it is missing; a link that leads out of the volume is refused.
    fn part_of(&self, volume: &OwnedFd) -> rustix::io::Result<OwnedFd> {
        let open = |path: &Path, flags: OFlags| {
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
            rustix::fs::openat2(volume, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
        };
        let part = Path::new(&self.sub_path);
        match open(part, OFlags::PATH) {
            Err(Errno::NOENT) => {}
            found => return found,
        }
        let mode = Mode::from_raw_mode(rustix::fs::fstat(volume)?.st_mode & 0o777);
        let mut parent = open(Path::new("."), OFlags::PATH)?;
        let mut made = PathBuf::new();
        for component in part.components() {
            made.push(component);
            match rustix::fs::mkdirat(&parent, Path::new(component.as_os_str()), mode) {
                Err(Errno::EXIST) => parent = open(&made, OFlags::PATH)?,
                result => {
                    result?;
                    parent = open(&made, OFlags::RDONLY | OFlags::DIRECTORY)?;
                    rustix::fs::fchmod(&parent, mode)?;
                }
            }
        }
        Ok(parent)
    }
}

/// The mounts that have been made so far.
#[derive(Debug, Default)]
struct View {
    /// Those in which what is missing may be made: volumes, and what covers directories of the host.
    own: Vec<u64>,
    /// What covers directories of the host.
    covers: Vec<OwnedFd>,
}

impl View {
    /// Lets the container see a tree at a path.
    fn place(&mut self, tree: &OwnedFd, target: &Path) -> Result<(), SandboxError> {
        let what = || format!("mount a volume at {}", target.display());
        let kind = FileType::from_raw_mode(rustix::fs::fstat(tree).doing(what)?.st_mode);
        self.make(target, kind)?;
        let there = open_path(target).doing(what)?;
        attach(tree.as_fd(), there.as_fd()).doing(what)?;
        self.own.push(mount_of(tree.as_fd()).doing(what)?);
        Ok(())
    }

    /// Makes what a path lacks.
    fn make(&mut self, path: &Path, kind: FileType) -> Result<(), SandboxError> {
        let what = || format!("make the mount point {}", path.display());
        let mut components = path.components().peekable();
        let mut there = PathBuf::new();
        while let Some(component) = components.next() {
            let parent = there.clone();
            there.push(component);
            match open_path(&there) {
                Err(Errno::NOENT) => {}
                found => {
                    found.doing(what)?;
                    continue;
                }
            }
            let mut holder = open_path(&parent).doing(what)?;
            if !self.own.contains(&mount_of(holder.as_fd()).doing(what)?) {
                holder = self.cover(&holder, &parent)?;
            }
            let name = Path::new(component.as_os_str());
            let is_last = components.peek().is_none();
            let made = if is_last && kind != FileType::Directory {
                touch(holder.as_fd(), name)
            } else {
                let mode = Mode::from_raw_mode(0o755);
                rustix::fs::mkdirat(&holder, name, mode)
                    // Whatever our mask is: the container may run as somebody else.
                    .and_then(|()| rustix::fs::chmodat(&holder, name, mode, AtFlags::empty()))
            };
            made.doing(what)?;
        }
        Ok(())
    }

    /// Makes a working directory that is missing, as container runtimes do: in a volume where it lies in one, else `made` is seen
    /// there.
    fn make_working_directory(&mut self, directory: &Path, made: &OwnedFd) -> Result<(), SandboxError> {
        let what = || format!("make the working directory {}", directory.display());
        let there = directory.ancestors().find(|ancestor| rustix::fs::stat(*ancestor).is_ok());
        let Some(there) = there.filter(|there| *there != directory) else { return Ok(()) };
        let holder = mount_of(open_path(there).doing(what)?.as_fd()).doing(what)?;
        let covers = self.covers.iter().map(|cover| mount_of(cover.as_fd()));
        let covers = covers.collect::<rustix::io::Result<Vec<_>>>().doing(what)?;
        let is_in_volume = self.own.contains(&holder) && !covers.contains(&holder);
        self.make(directory, FileType::Directory)?;
        if is_in_volume {
            return Ok(());
        }
        let place = open_path(directory).doing(what)?;
        attach(made.as_fd(), place.as_fd()).doing(what)
    }

    /// Covers a directory of the host by one of ours that holds the same; returns that.
    fn cover(&mut self, directory: &OwnedFd, path: &Path) -> Result<OwnedFd, SandboxError> {
        let what = || format!("make room for a mount point in {}", path.display());
        let mode = rustix::fs::fstat(directory).doing(what)?.st_mode & 0o7777;
        let cover = tmpfs(mode).doing(what)?;
        let entries = entries_of(directory.as_fd()).doing(what)?;
        attach(cover.as_fd(), directory.as_fd()).doing(what)?;
        for (name, kind) in entries {
            // The descriptor still leads to what is covered now.
            match copy_entry(directory.as_fd(), cover.as_fd(), &name, kind) {
                // Gone since it was listed.
                Err(Errno::NOENT) => {}
                result => result.doing(what)?,
            }
        }
        self.own.push(mount_of(cover.as_fd()).doing(what)?);
        let copy = cover.try_clone().map_err(|_| Errno::MFILE).doing(what)?;
        self.covers.push(cover);
        Ok(copy)
    }

    /// Makes a new root that holds what the old one does. `scratch` is covered for a moment.
    fn make_root(&mut self, scratch: &Path, read_only: bool) -> Result<(), SandboxError> {
        let what = || "make a root for the container".to_owned();
        let old = open_path(Path::new("/")).doing(what)?;
        let root = tmpfs(0o755).doing(what)?;
        // Before the new root lies anywhere, or it would be bound within itself.
        let mut trees = Vec::new();
        for (name, kind) in entries_of(old.as_fd()).doing(what)? {
            let tree = match kind {
                FileType::Symlink => None,
                _ => Some(clone_tree(old.as_fd(), &name).doing(what)?),
            };
            trees.push((name, kind, tree));
        }
        let place = open_path(scratch).doing(what)?;
        attach(root.as_fd(), place.as_fd()).doing(what)?;
        for (name, kind, tree) in trees {
            let is_the_kernels = name == "proc" || name == "dev";
            match tree {
                Some(tree) => {
                    if read_only && !is_the_kernels {
                        make_read_only(tree.as_fd(), Depth::WithSubmounts).doing(what)?;
                    }
                    put_entry(root.as_fd(), &name, kind, &tree).doing(what)?;
                }
                None => copy_entry(old.as_fd(), root.as_fd(), &name, kind).doing(what)?,
            }
        }
        rustix::process::fchdir(&root).doing(what)?;
        rustix::process::pivot_root(".", ".").doing(what)?;
        rustix::mount::unmount(".", UnmountFlags::DETACH).doing(what)?;
        rustix::process::chdir("/").doing(what)?;
        self.own.push(mount_of(root.as_fd()).doing(what)?);
        self.covers.push(root);
        Ok(())
    }

    /// What is written beside the mount points would be lost: it fails instead.
    fn seal(&self) -> Result<(), SandboxError> {
        self.covers.iter().try_for_each(|cover| {
            make_read_only(cover.as_fd(), Depth::Alone).doing(|| "seal the container's root".into())
        })
    }
}

pub(super) fn open_path(path: &Path) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new("/") } else { path };
    rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

/// Which mount a descriptor leads into.
fn mount_of(fd: BorrowedFd<'_>) -> rustix::io::Result<u64> {
    // The mount's number came with Linux 5.8; mount_setattr is younger.
    const MOUNT: StatxFlags = StatxFlags::from_bits_retain(libc::STATX_MNT_ID);
    Ok(rustix::fs::statx(fd, "", AtFlags::EMPTY_PATH, MOUNT)?.stx_mnt_id)
}

fn entries_of(directory: BorrowedFd<'_>) -> rustix::io::Result<Vec<(String, FileType)>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = rustix::fs::openat(directory, ".", flags, Mode::empty())?;
    let mut entries = Vec::new();
    for entry in rustix::fs::Dir::new(readable)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let found = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(found.st_mode)
            }
            kind => kind,
        };
        // What no program could name is left out.
        if let Ok(name) = name.to_str() {
            entries.push((name.to_owned(), kind));
        }
    }
    Ok(entries)
}

/// Lets one directory hold what another holds under a name.
fn copy_entry(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &str,
    kind: FileType,
) -> rustix::io::Result<()> {
    if kind == FileType::Symlink {
        let target = rustix::fs::readlinkat(from, name, Vec::new())?;
        return rustix::fs::symlinkat(&target, to, name);
    }
    put_entry(to, name, kind, &clone_tree(from, name)?)
}

fn put_entry(to: BorrowedFd<'_>, name: &str, kind: FileType, tree: &OwnedFd) -> rustix::io::Result<()> {
    if kind == FileType::Directory {
        rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o755))?;
    } else {
        touch(to, Path::new(name))?;
    }
    rustix::mount::move_mount(tree, "", to, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// Makes an empty file.
fn touch(directory: BorrowedFd<'_>, name: &Path) -> rustix::io::Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o644)).map(drop)
}

/// A copy of what is mounted at a place, with all that is mounted within it; it lies nowhere yet.
fn clone_tree(from: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    rustix::mount::open_tree(from, name, flags)
}

/// Lets a tree lie at a place.
pub(super) fn attach(tree: BorrowedFd<'_>, to: BorrowedFd<'_>) -> rustix::io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(tree, "", to, "", flags)
}

/// An empty file system in memory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tmpfs {
    /// The mode of its root.
    pub(super) mode: u32,
    /// Whose its root is, where that is not who makes it.
    pub(super) group: Option<u32>,
    /// How many bytes it holds at most.
    pub(super) size: Option<u64>,
}

impl Tmpfs {
    /// Makes it; it lies nowhere yet.
    pub(super) fn make(self) -> rustix::io::Result<OwnedFd> {
        let context = rustix::mount::fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        let set = |name: &str, value: String| rustix::mount::fsconfig_set_string(&context, name, value);
        set("mode", format!("{:o}", self.mode))?;
        self.group.map_or(Ok(()), |group| set("gid", group.to_string()))?;
        self.size.map_or(Ok(()), |size| set("size", size.to_string()))?;
        rustix::mount::fsconfig_create(&context)?;
        rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    }
}

fn tmpfs(mode: u32) -> rustix::io::Result<OwnedFd> {
    Tmpfs { mode, ..Tmpfs::default() }.make()
}

/// How far a change to a mount goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Alone,
    WithSubmounts,
}

fn make_read_only(tree: BorrowedFd<'_>, depth: Depth) -> rustix::io::Result<()> {
    let attributes =
        libc::mount_attr { attr_set: libc::MOUNT_ATTR_RDONLY, attr_clr: 0, propagation: 0, userns_fd: 0 };
    let recursive = if depth == Depth::WithSubmounts { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the descriptor is open, the path is an empty C string, and the attributes live through the call, whose last
    // argument is their size.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | recursive,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 {
        return Ok(());
    }
    Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO))
}
