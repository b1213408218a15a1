//! Control groups: what holds a container to its limits, where this process may make some (cgroups(7); the kernel's
//! cgroup-v2 and cgroup-v1 documents). Each pod has a group of its own, and each container with limits one in that.

use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::actions::LimitsRun;

/// What a group limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    const ALL: [Self; 2] = [Self::Memory, Self::Cpu];

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }

    fn is_in(self, names: &str, separator: char) -> bool {
        names.trim().split(separator).any(|name| name == self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A tree of groups, with what it limits, and a group in it within which we may make others.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hierarchy {
    version: Version,
    controllers: Vec<Controller>,
    /// The nearest groups first; all but the last are for version 2, where a group with processes may not have others with
    /// limits in it.
    candidates: Vec<PathBuf>,
}

/// Before the uid of a pod: the name of its group.
const PREFIX: &str = "jobctl-";
/// The CPU time that a limit is about, in microseconds; as kubelets have it.
const PERIOD: u64 = 100_000;
/// The least that the kernel takes for it.
const LEAST_QUOTA: u64 = 1_000;

/// The groups of a pod.
#[derive(Debug, Default)]
pub(super) struct PodGroups {
    trees: Vec<Tree>,
}

#[derive(Debug)]
struct Tree {
    version: Version,
    controllers: Vec<Controller>,
    /// The pod's group.
    directory: PathBuf,
}

impl PodGroups {
    /// Makes groups for a pod, as far as that is possible, with limits of its own. `note` is told of each before it is made.
    pub(super) fn make(pod_uid: &str, limits: LimitsRun, note: impl Fn(&Path)) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let hierarchies = hierarchies(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        let mut groups = Self::default();
        for hierarchy in hierarchies {
            let missing: Vec<Controller> =
                hierarchy.controllers.iter().copied().filter(|one| !groups.has(*one)).collect();
            if let Some(tree) = Tree::make(&hierarchy, &missing, pod_uid, limits, &note) {
                groups.trees.push(tree);
            }
        }
        groups
    }

    /// Whether groups hold containers to such limits here.
    pub(super) fn has(&self, controller: Controller) -> bool {
        self.trees.iter().any(|tree| tree.controllers.contains(&controller))
    }

    /// A pod's group as it is written down: [`remove_left`] reads it.
    pub(super) fn line(group: &Path) -> String {
        format!("{LINE}{}\n", group.display())
    }

    /// Makes a group for a container: a process that writes to what is returned is in it from then on.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn add(&self, container: &str, limits: LimitsRun) -> io::Result<Vec<OwnedFd>> {
        self.trees.iter().map(|tree| tree.add(container, limits)).collect()
    }

    /// How often processes of a container were killed because it had used up its memory.
    pub(super) fn out_of_memory_kills(&self, container: &str) -> u64 {
        let kills = |tree: &Tree| {
            let file = if tree.version == Version::Two { "memory.events" } else { "memory.oom_control" };
            let text = fs::read_to_string(tree.directory.join(container).join(file)).ok()?;
            text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse::<u64>().ok()
        };
        self.trees.iter().filter_map(kills).sum()
    }

    /// Removes a container's groups. No process of it is left.
    pub(super) fn remove(&self, container: &str) {
        self.trees.iter().for_each(|tree| remove(&tree.directory.join(container)));
    }

    /// Removes the pod's groups.
    pub(super) fn remove_all(&self) {
        self.trees.iter().for_each(|tree| remove(&tree.directory));
    }
}

/// Before the path of a group, in what a supervisor has written down.
const LINE: &str = "cgroup ";

/// Removes the groups that a lost supervisor has written down; no process of its pod is left.
pub fn remove_left(pod_uid: &str, text: &str) {
    let name = format!("{PREFIX}{pod_uid}");
    let groups = text.lines().filter_map(|line| line.strip_prefix(LINE)).map(Path::new);
    groups.filter(|path| path.file_name().is_some_and(|last| *last == *name)).for_each(remove);
}

/// Whether control groups can be made here, and for what.
pub fn limited_by_groups() -> Vec<&'static str> {
    let name = format!("trial-{}", nix::unistd::getpid());
    let groups = PodGroups::make(&name, LimitsRun::default(), |_| {});
    let found = Controller::ALL.into_iter().filter(|one| groups.has(*one)).map(Controller::name).collect();
    groups.remove_all();
    found
}

impl Tree {
    fn make(
        hierarchy: &Hierarchy,
        controllers: &[Controller],
        pod_uid: &str,
        limits: LimitsRun,
        note: &impl Fn(&Path),
    ) -> Option<Self> {
        let usable = |candidate: &PathBuf| -> Vec<Controller> {
            let offered = match hierarchy.version {
                Version::One => None,
                Version::Two => {
                    Some(fs::read_to_string(candidate.join("cgroup.subtree_control")).unwrap_or_default())
                }
            };
            let is_usable = |one: &Controller| offered.as_ref().is_none_or(|names| one.is_in(names, ' '));
            controllers.iter().copied().filter(is_usable).collect()
        };
        let mut candidates: Vec<(&PathBuf, Vec<Controller>)> =
            hierarchy.candidates.iter().map(|candidate| (candidate, usable(candidate))).collect();
        // The nearest of those that limit the most.
        candidates.sort_by_key(|(_, usable)| Reverse(usable.len()));
        for (candidate, usable) in candidates {
            let tree = Self {
                version: hierarchy.version,
                controllers: usable,
                directory: candidate.join(format!("{PREFIX}{pod_uid}")),
            };
            if tree.controllers.is_empty() {
                continue;
            }
            // Who moves a process must be allowed to write to the group that holds both its old and its new one.
            if tree.version == Version::Two && open_for_writing(candidate, "cgroup.procs").is_err() {
                continue;
            }
            note(&tree.directory);
            if !make_group(&tree.directory) {
                continue;
            }
            if tree.prepare(limits).is_ok() {
                return Some(tree);
            }
            remove(&tree.directory);
        }
        None
    }

    fn prepare(&self, limits: LimitsRun) -> io::Result<()> {
        if self.version == Version::Two {
            for controller in &self.controllers {
                write(&self.directory, "cgroup.subtree_control", &format!("+{}", controller.name()))?;
            }
        }
        self.limit(&self.directory, limits)
    }

    fn add(&self, container: &str, limits: LimitsRun) -> io::Result<OwnedFd> {
        let group = self.directory.join(container);
        if !make_group(&group) {
            return Err(io::Error::last_os_error());
        }
        self.limit(&group, limits)?;
        open_for_writing(&group, "cgroup.procs").map(OwnedFd::from)
    }

    fn limit(&self, group: &Path, limits: LimitsRun) -> io::Result<()> {
        let of = |controller, limit: Option<u64>| limit.filter(|_| self.controllers.contains(&controller));
        let quota = |milli: u64| (milli * PERIOD / 1000).max(LEAST_QUOTA);
        let memory = of(Controller::Memory, limits.memory);
        let milli_cpus = of(Controller::Cpu, limits.milli_cpus);
        match self.version {
            Version::One => {
                if let Some(bytes) = memory {
                    write(group, "memory.limit_in_bytes", &bytes.to_string())?;
                    // Where swap is not accounted for, there is no such file.
                    let _ = write(group, "memory.memsw.limit_in_bytes", &bytes.to_string());
                }
                if let Some(milli) = milli_cpus {
                    write(group, "cpu.cfs_period_us", &PERIOD.to_string())?;
                    write(group, "cpu.cfs_quota_us", &quota(milli).to_string())?;
                }
            }
            Version::Two => {
                if let Some(bytes) = memory {
                    write(group, "memory.max", &bytes.to_string())?;
                    let _ = write(group, "memory.swap.max", "0");
                    // All of a container goes, as kubelets have it.
                    let _ = write(group, "memory.oom.group", "1");
                }
                if let Some(milli) = milli_cpus {
                    write(group, "cpu.max", &format!("{} {PERIOD}", quota(milli)))?;
                }
            }
        }
        Ok(())
    }
}

/// Files of groups are never made.
fn open_for_writing(group: &Path, file: &str) -> io::Result<File> {
    OpenOptions::new().write(true).open(group.join(file))
}

fn write(group: &Path, file: &str, text: &str) -> io::Result<()> {
    open_for_writing(group, file)?.write_all(text.as_bytes())
}

/// Whether there is a new group of that name. One that is there was left by somebody who died, and has no process in it.
fn make_group(path: &Path) -> bool {
    if path.is_dir() {
        remove(path);
    }
    fs::create_dir(path).is_ok()
}

/// How often it is tried: processes that have been killed leave their group a moment later.
const TRIES: u32 = 100;

/// Removes a group with those in it; files in there are the kernel's.
fn remove(group: &Path) {
    for attempt in 0..TRIES {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            _ => return,
        }
        if attempt == 0 {
            let entries = fs::read_dir(group).into_iter().flatten().flatten();
            let groups = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            groups.for_each(|entry| remove(&entry.path()));
        } else {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The trees of groups that there are, those of version 2 first: `cgroup` is the text of /proc/self/cgroup, `mounts` that of
/// /proc/self/mountinfo.
fn hierarchies(cgroup: &str, mounts: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = mounts.lines().filter_map(|mount| hierarchy(cgroup, mount)).collect();
    found.sort_by_key(|hierarchy| hierarchy.version == Version::One);
    found
}

fn hierarchy(cgroup: &str, mount: &str) -> Option<Hierarchy> {
    let (before, after) = mount.split_once(" - ")?;
    let mut fields = before.split(' ').skip(3);
    let (root, point) = (fields.next()?, Path::new(fields.next()?));
    let mut fields = after.split(' ');
    let version = match fields.next()? {
        "cgroup" => Version::One,
        "cgroup2" => Version::Two,
        _ => return None,
    };
    let options = fields.nth(1)?;
    let is_there = |controller: &Controller| match version {
        Version::One => controller.is_in(options, ','),
        // Which of them a group offers, only its own file tells.
        Version::Two => true,
    };
    let controllers: Vec<Controller> = Controller::ALL.into_iter().filter(is_there).collect();
    let first = controllers.first()?;
    let own = cgroup.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (names, path) = (fields.next()?, fields.next()?);
        let is_it = match version {
            Version::One => first.is_in(names, ','),
            Version::Two => names.is_empty(),
        };
        is_it.then_some(path)
    })?;
    // The mount may show a part of the tree only.
    let within = own.strip_prefix(root.trim_end_matches('/')).unwrap_or("").trim_matches('/');
    let within = if within.split('/').any(|component| component == "..") { "" } else { within };
    let own = if within.is_empty() { point.to_owned() } else { point.join(within) };
    let candidates = match version {
        Version::One => vec![own],
        Version::Two => {
            own.ancestors().take_while(|path| path.starts_with(point)).map(Path::to_owned).collect()
        }
    };
    Some(Hierarchy { version, controllers, candidates })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn trees_of_groups_are_found_by_what_the_kernel_says() {
        use Controller::{Cpu, Memory};
        let cgroup = "9:name=systemd:/\n4:memory:/a/b\n1:cpu,cpuacct:/\n0::/user.slice/x.scope\n";
        let mounts = "30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
             31 30 0:27 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
             32 30 0:28 /a /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
             33 30 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
             34 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
        let tree = |version, controllers: &[Controller], candidates: &[&str]| Hierarchy {
            version,
            controllers: controllers.to_vec(),
            candidates: paths(candidates),
        };
        assert_eq!(
            hierarchies(cgroup, mounts),
            [
                tree(
                    Version::Two,
                    &[Memory, Cpu],
                    &[
                        "/sys/fs/cgroup/unified/user.slice/x.scope",
                        "/sys/fs/cgroup/unified/user.slice",
                        "/sys/fs/cgroup/unified"
                    ]
                ),
                tree(Version::One, &[Cpu], &["/sys/fs/cgroup/cpu"]),
                tree(Version::One, &[Memory], &["/sys/fs/cgroup/memory/b"]),
            ]
        );
        // In a namespace of groups of one's own what lies outside is called `/..`.
        let outside = hierarchies("0::/../x\n", "1 1 0:1 /../.. /c rw - cgroup2 cgroup2 rw\n");
        assert_eq!(outside[0].candidates, paths(&["/c"]));
        assert_eq!(hierarchies("", mounts), []);
    }
}
