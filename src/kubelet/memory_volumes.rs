//! Volumes in memory (`emptyDir: {medium: Memory}`): all containers of a pod share them, and they outlive restarts. They are
//! mounted in namespaces of the pod, never on the host; the supervisor keeps these by descriptors, and so they go with it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns};
use rustix::io::Errno;

use super::actions::{Place, PodRun};
use super::sandbox::{Doing as _, SandboxError, Tmpfs, attach, enter_namespaces, open_path, separate_mounts};
use super::spawn::{fork_helper, wait_for};

/// The namespaces of a pod in which its volumes in memory lie.
#[derive(Debug)]
pub(super) struct PodNamespaces {
    /// Nothing where it is that of the supervisor.
    user: Option<File>,
    mount: File,
}

impl PodNamespaces {
    /// Makes them for a pod that has volumes in memory.
    ///
    /// # Errors
    /// The machine refuses: what containers say that cannot be created.
    pub(super) fn of_pod(run: &PodRun, root: &Path, pod: &Path) -> Result<Option<Self>, String> {
        let volumes = run.volumes.iter().filter_map(|volume| match volume.place {
            Place::Memory(size) => Some((volume.path(root, pod), size)),
            _ => None,
        });
        let volumes: Vec<(PathBuf, Option<u64>)> = volumes.collect();
        if volumes.is_empty() { Ok(None) } else { Self::with(&volumes).map(Some) }
    }

    /// A process makes them and waits until they have been taken from it.
    fn with(volumes: &[(PathBuf, Option<u64>)]) -> Result<Self, String> {
        let pipe = || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|error| error.to_string());
        let ((said, say), (go, stay)) = (pipe()?, pipe()?);
        let (mut said, mut say, mut go) = (File::from(said), Some(File::from(say)), File::from(go));
        let mut stay = Some(stay);
        let maker = fork_helper(|| {
            // The other end is to be the supervisor's alone.
            drop(stay.take());
            let Some(mut say) = say.take() else { return 1 };
            if let Err(error) = mount_all(volumes) {
                let _ = write!(say, "{error}");
                return 1;
            }
            drop(say);
            let _ = go.read(&mut [0]);
            0
        });
        let maker = maker.map_err(|error| format!("fork: {error}"))?;
        drop(say);
        let mut problem = String::new();
        let heard = said.read_to_string(&mut problem).map_err(|error| error.to_string());
        let taken = heard.and_then(|_| match problem.as_str() {
            "" => Self::take(&format!("/proc/{maker}/ns")).map_err(|error| error.to_string()),
            problem => Err(problem.to_owned()),
        });
        drop(stay);
        wait_for(maker);
        taken
    }

    fn take(namespaces: &str) -> std::io::Result<Self> {
        let place = Path::new(namespaces);
        let (user, mount) = (File::open(place.join("user"))?, File::open(place.join("mnt"))?);
        let is_ours = user.metadata()?.ino() == std::fs::metadata("/proc/self/ns/user")?.ino();
        Ok(Self { user: (!is_ours).then_some(user), mount })
    }

    /// Takes this process there. To be called in a process of its own with one thread.
    ///
    /// # Errors
    /// The machine refuses.
    pub(super) fn enter(&self) -> Result<(), SandboxError> {
        let refused = |error: nix::errno::Errno| Errno::from_raw_os_error(error as i32);
        let what = || "enter the namespaces of the pod".to_owned();
        if let Some(user) = &self.user {
            setns(user, CloneFlags::CLONE_NEWUSER).map_err(refused).doing(what)?;
        }
        setns(&self.mount, CloneFlags::CLONE_NEWNS).map_err(refused).doing(what)
    }
}

fn mount_all(volumes: &[(PathBuf, Option<u64>)]) -> Result<(), SandboxError> {
    enter_namespaces(None, None)?;
    separate_mounts()?;
    volumes.iter().try_for_each(|(path, size)| {
        let what = || format!("mount a volume in memory at {}", path.display());
        let place = open_path(path).doing(what)?;
        let found = rustix::fs::fstat(&place).doing(what)?;
        // Who is not root has no other group that could be named here.
        let group = nix::unistd::geteuid().is_root().then_some(found.st_gid);
        let tmpfs = Tmpfs { mode: found.st_mode & 0o7777, group, size: *size };
        let tree = tmpfs.make().doing(what)?;
        attach(tree.as_fd(), place.as_fd()).doing(what)
    })
}
