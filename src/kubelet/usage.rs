//! What pods use of this machine, measured by two looks at their processes: every process below a pod's supervisor counts
//! for a container of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use nix::time::ClockId;
use nix::unistd::{Pid, SysconfVar, sysconf};

use super::actions::CONTAINER_VARIABLE;
use super::processes::{children_of, memory_of_one, variable_of};
use crate::store::{PodDirectory, holder_of};

/// What is used between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Thousandths of a processor, rounded up.
    pub milli_cpus: u64,
    /// Bytes of memory that nobody shares.
    pub memory: u64,
    /// Bytes read from disks in a second.
    pub read: u64,
    /// Bytes written to disks in a second.
    pub written: u64,
}

impl std::ops::Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            milli_cpus: self.milli_cpus + other.milli_cpus,
            memory: self.memory + other.memory,
            read: self.read + other.read,
            written: self.written + other.written,
        }
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| sum + one)
    }
}

/// What the containers of each pod use, by name, measured over a time; nothing where a pod runs no process. `containers` are
/// the names of a pod's containers: a process that has forgotten its own counts for the first.
pub fn usage_of_pods(
    pods: &[(PodDirectory, Vec<String>)],
    window: Duration,
) -> Vec<Option<BTreeMap<String, Usage>>> {
    let before: Vec<Look> = pods.iter().map(|(directory, names)| Look::at(directory, names)).collect();
    let began = Instant::now();
    std::thread::sleep(window);
    pods.iter()
        .zip(before)
        .map(|((directory, names), before)| {
            let after = Look::at(directory, names);
            after.since(&before, began.elapsed())
        })
        .collect()
}

/// What this machine uses: its processors and its memory, of which there is so much.
pub fn usage_of_machine(window: Duration) -> Usage {
    let before = busy_ticks();
    let began = Instant::now();
    std::thread::sleep(window);
    let busy = ticks_as_time(busy_ticks().saturating_sub(before));
    Usage { milli_cpus: milli_cpus(busy, began.elapsed()), memory: used_memory(), ..Usage::default() }
}

/// The processes of a pod at one moment.
#[derive(Debug, Default)]
struct Look {
    processes: BTreeMap<(i32, u64), Process>,
}

/// What a process has used since it was started, with its children that have ended and that it has waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Process {
    parent: i32,
    container: String,
    cpu: Duration,
    memory: u64,
    read: u64,
    written: u64,
}

impl Look {
    fn at(directory: &PodDirectory, names: &[String]) -> Self {
        let mut look = Self::default();
        let Ok(Some(supervisor)) = holder_of(&directory.lock_path()) else { return look };
        let first = names.first().cloned().unwrap_or_default();
        for child in children_of(Pid::from_raw(supervisor)) {
            let container = variable_of(child, CONTAINER_VARIABLE).filter(|name| names.contains(name));
            look.add_tree(child, &container.unwrap_or_else(|| first.clone()));
        }
        look
    }

    fn add_tree(&mut self, root: Pid, container: &str) {
        let mut left = vec![root];
        while let Some(pid) = left.pop() {
            if let Some((started, process)) = Process::of(pid, container) {
                self.processes.insert((pid.as_raw(), started), process);
            }
            left.extend(children_of(pid));
        }
    }

    /// What each container has used since an earlier look; nothing where there is no process now.
    fn since(&self, before: &Self, elapsed: Duration) -> Option<BTreeMap<String, Usage>> {
        let pids: BTreeSet<i32> = self.processes.keys().map(|(pid, _)| *pid).collect();
        // What an ended child has used counts for its parent, once that has waited for it.
        let counted = before
            .processes
            .iter()
            .filter(|(key, process)| self.processes.contains_key(key) || pids.contains(&process.parent));
        let mut sums: BTreeMap<&str, (Duration, u64, u64, u64)> = BTreeMap::new();
        for process in self.processes.values() {
            let sum = sums.entry(&process.container).or_default();
            *sum =
                (sum.0 + process.cpu, sum.1 + process.memory, sum.2 + process.read, sum.3 + process.written);
        }
        for (_, process) in counted {
            if let Some(sum) = sums.get_mut(process.container.as_str()) {
                sum.0 = sum.0.saturating_sub(process.cpu);
                sum.2 = sum.2.saturating_sub(process.read);
                sum.3 = sum.3.saturating_sub(process.written);
            }
        }
        let usage = |(cpu, memory, read, written)| Usage {
            milli_cpus: milli_cpus(cpu, elapsed),
            memory,
            read: per_second(read, elapsed),
            written: per_second(written, elapsed),
        };
        let used = sums.into_iter().map(|(name, sum)| (name.to_owned(), usage(sum)));
        Some(used.collect()).filter(|used: &BTreeMap<_, _>| !used.is_empty())
    }
}

impl Process {
    /// A process and when it was started; nothing where it has ended.
    fn of(pid: Pid, container: &str) -> Option<(u64, Self)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name in brackets, fields are counted from the third on.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
        let of_children = number(13)? + number(14)?;
        let own = ClockId::pid_cpu_clock_id(pid).and_then(ClockId::now).ok()?;
        let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
        let bytes = |name: &str| {
            let found = io.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            found.and_then(|count| count.parse().ok()).unwrap_or(0)
        };
        let process = Self {
            parent: fields.get(1)?.parse().ok()?,
            container: container.to_owned(),
            cpu: Duration::from(own) + ticks_as_time(of_children),
            memory: memory_of_one(pid),
            read: bytes("read_bytes"),
            written: bytes("write_bytes"),
        };
        Some((number(19)?, process))
    }
}

fn milli_cpus(used: Duration, elapsed: Duration) -> u64 {
    let elapsed = elapsed.as_micros().max(1);
    u64::try_from((used.as_micros() * 1000).div_ceil(elapsed)).unwrap_or(u64::MAX)
}

fn per_second(count: u64, elapsed: Duration) -> u64 {
    let micros = elapsed.as_micros().max(1);
    u64::try_from(u128::from(count) * 1_000_000 / micros).unwrap_or(u64::MAX)
}

fn ticks_as_time(ticks: u64) -> Duration {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as u64;
    Duration::from_micros(ticks * 1_000_000 / per_second)
}

/// How long all processors together have been at work, in ticks.
fn busy_ticks() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let times: Vec<u64> = line.split_whitespace().skip(1).filter_map(|time| time.parse().ok()).collect();
    // User, nice, system, idle, waiting for disks, interrupts of two kinds, stolen; guests are within the first two.
    times.iter().take(8).enumerate().filter(|(place, _)| ![3, 4].contains(place)).map(|(_, time)| time).sum()
}

/// The bytes of memory that programs could not have.
fn used_memory() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        rest.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
    };
    kib("MemTotal").saturating_sub(kib("MemAvailable")) << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(processes: &[(i32, i32, &str, u64)]) -> Look {
        let one = |(pid, parent, container, cpu): &(i32, i32, &str, u64)| {
            let process = Process {
                parent: *parent,
                container: (*container).to_owned(),
                cpu: Duration::from_millis(*cpu),
                memory: 10,
                ..Process::default()
            };
            ((*pid, 0), process)
        };
        Look { processes: processes.iter().map(one).collect() }
    }

    #[test]
    fn what_ended_children_have_used_counts_once() {
        let before = look(&[(1, 0, "a", 100), (2, 1, "a", 50), (3, 0, "a", 70), (9, 0, "b", 5)]);
        // The second has ended and the first has waited for it; nobody tells what the third has used.
        let after = look(&[(1, 0, "a", 220), (4, 1, "a", 30), (9, 0, "b", 5)]);
        let used = after.since(&before, Duration::from_secs(1)).expect("processes");
        // 220 - 100 - 50 + 30.
        assert_eq!(used["a"], Usage { milli_cpus: 100, memory: 20, ..Usage::default() });
        assert_eq!(used["b"], Usage { milli_cpus: 0, memory: 10, ..Usage::default() });
        assert_eq!(look(&[]).since(&before, Duration::from_secs(1)), None);
    }
}
