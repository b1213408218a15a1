//! One round: what is done in it follows from its seed, when it happens from the machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::common::{World, kill};
use crate::furnished;

/// What happened, for the figures in docs/reliability.md.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) jobs: u64,
    pub(crate) runs: u64,
    pub(crate) faults: u64,
    pub(crate) kills: u64,
    pub(crate) stops: u64,
    pub(crate) power_cuts: u64,
    pub(crate) flipped_bits: u64,
    pub(crate) clients: u64,
    pub(crate) full_disks: u64,
    pub(crate) low_limits: u64,
    pub(crate) clock_jumps: u64,
    pub(crate) furnished: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.jobs += other.jobs;
        self.runs += other.runs;
        self.faults += other.faults;
        self.kills += other.kills;
        self.stops += other.stops;
        self.power_cuts += other.power_cuts;
        self.flipped_bits += other.flipped_bits;
        self.clients += other.clients;
        self.full_disks += other.full_disks;
        self.low_limits += other.low_limits;
        self.clock_jumps += other.clock_jumps;
        self.furnished += other.furnished;
    }
}

/// A Job of the round.
#[derive(Debug)]
struct Job {
    name: String,
    completions: u64,
    /// Set once `wait` has reported its end.
    is_reported: bool,
    /// How often it had run then.
    runs_when_reported: usize,
}

pub(crate) struct Round {
    seed: u64,
    random: fastrand::Rng,
    /// Where the data directory lies on a small disk of its own. It goes before the directory in which it is mounted.
    disk: Option<Disk>,
    world: World,
    jobs: Vec<Job>,
    boot: u32,
    /// What has been stopped and is to go on.
    stopped: Vec<i32>,
    /// Whose limits are to be raised again.
    limited: Vec<i32>,
    clients: Vec<Child>,
    /// Whether the pods have volumes, limits, probes, devices and a Service.
    is_furnished: bool,
    /// Uids of pods whose directories a power cut may have taken.
    cut_off: Vec<String>,
    /// What was done, for whoever has to find out why it failed.
    done: Vec<String>,
    tally: Tally,
}

/// How long the Jobs of a round may take after the last fault.
const PATIENCE: &str = "90s";

impl Round {
    pub(crate) fn new(seed: u64) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        let mut random = random;
        let world = World::new();
        let disk = random.bool().then(|| Disk::mount(&world.path("data"))).flatten();
        let is_furnished = random.bool() && furnished::has_namespaces();
        if is_furnished {
            furnished::prepare(&world);
        }
        let (jobs, stopped, limited, clients) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (cut_off, tally) = (Vec::new(), Tally::default());
        Self {
            seed,
            random,
            world,
            jobs,
            boot: 1,
            stopped,
            limited,
            disk,
            clients,
            is_furnished,
            cut_off,
            done: Vec::new(),
            tally,
        }
    }

    pub(crate) fn run(mut self) -> Tally {
        if self.is_furnished {
            self.tally.furnished += 1;
            let output = self.invocation("apply -f -").stdin(furnished::OBJECTS).run();
            if output.code != 0 {
                self.fail(&format!("apply: {}", output.stderr));
            }
        }
        for _ in 0..self.random.u32(1..4) {
            self.submit();
        }
        let faults = self.random.u32(3..12);
        for _ in 0..faults {
            std::thread::sleep(Duration::from_millis(self.random.u64(0..60)));
            self.fault();
            self.look_for_reports();
        }
        self.go_on();
        self.check_ends();
        self.flip_a_bit();
        self.finish()
    }

    fn fail(&self, what: &str) -> ! {
        let mut text = format!("seed {}: {what}\nafter: {:#?}\n", self.seed, self.done);
        for line in ["get jobs,pods", "events", "get jobs -o yaml", "doctor"] {
            text.push_str(&format!("$ jobctl {line}\n{}\n", self.command(line).1));
        }
        let clock = fs::read_to_string(self.clock()).unwrap_or_default();
        panic!("{text}\nclock set by {clock:?}, processes: {:#?}", self.world.processes());
    }

    /// Notes what is about to be done to a process.
    fn note(&mut self, what: &str, pid: i32) {
        let title = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let seconds = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let title = title.trim_end_matches('\0');
        self.done.push(format!("{} {what} {pid} {title}", seconds.split(' ').next().unwrap_or_default()));
    }

    /// Runs a command in the present boot.
    fn command(&self, line: &str) -> (i32, String) {
        let output = self.invocation(line).run();
        (output.code, format!("{}{}", output.stdout, output.stderr))
    }

    fn invocation(&self, line: &str) -> crate::common::Invocation<'_> {
        let log = self.sync_log().display().to_string();
        self.world
            .command(line)
            .env("JOBCTL_IDLE_TIMEOUT", "30ms")
            .env("JOBCTL_BOOT_ID", &self.boot.to_string())
            .env("JOBCTL_SYNC_LOG", &log)
            .env("JOBCTL_CLOCK", &self.clock().display().to_string())
    }

    /// The file that says how far the clock has been set.
    fn clock(&self) -> PathBuf {
        self.world.path("tmp/clock")
    }

    fn sync_log(&self) -> PathBuf {
        self.world.path("tmp/synced")
    }

    fn submit(&mut self) {
        let name = format!("job-{}", self.jobs.len());
        let completions = self.random.u64(2..9);
        let parallelism = self.random.u64(1..5);
        let fails = self.random.u64(0..4);
        let sleep = self.random.u64(0..80);
        // Each run writes down which pod it was of; some fail at their first try.
        let script = format!(
            "echo $JOB_COMPLETION_INDEX $JOBCTL_POD_UID >> ran-{name}; sleep 0.{sleep:03}; \
             if [ $JOB_COMPLETION_INDEX -lt {fails} ] && mkdir failed-{name}-$JOB_COMPLETION_INDEX 2>/dev/null; then exit 7; fi"
        );
        // A deadline that no Job comes near to, unless somebody sets the clock.
        let spec = format!(
            "activeDeadlineSeconds: 600\ncompletions: {completions}\nparallelism: {parallelism}\ncompletionMode: Indexed\nbackoffLimit: 1000"
        );
        let mut manifest = crate::common::job(&name, &spec, &script);
        if self.is_furnished {
            manifest = furnished::furnish(&manifest);
        }
        // Whoever was stopped within a commit would keep everybody waiting, us too.
        self.let_go_on();
        let output = self.invocation("apply -f -").stdin(manifest).run();
        if output.code != 0 {
            self.fail(&format!("apply: {}", output.stderr));
        }
        self.tally.jobs += 1;
        self.jobs.push(Job { name, completions, is_reported: false, runs_when_reported: 0 });
    }

    /// The runs of a Job: the pods' uids, in order.
    fn runs(&self, job: &str) -> Vec<String> {
        let text = fs::read_to_string(self.world.path("work").join(format!("ran-{job}"))).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn processes_of_ours(&self) -> Vec<i32> {
        let ours = |process: &crate::common::Process| process.name.starts_with("jobctl-");
        self.world.processes().iter().filter(|process| ours(process)).map(|process| process.pid).collect()
    }

    fn any_process(&mut self) -> Option<i32> {
        let ours = self.processes_of_ours();
        self.random.choice(ours)
    }

    fn fault(&mut self) {
        self.tally.faults += 1;
        match self.random.u32(0..100) {
            0..22 => {
                if let Some(pid) = self.any_process() {
                    self.note("SIGKILL", pid);
                    kill(pid, Signal::SIGKILL);
                    self.tally.kills += 1;
                }
            }
            22..26 => self.limit(),
            // How long the power was gone nobody knows: a clock that is set meanwhile is not to be told from that.
            26..30 if self.tally.power_cuts == 0 => {
                let offset = self.random.i64(-90_000..90_000);
                fs::write(self.clock(), offset.to_string()).expect("the clock");
                self.tally.clock_jumps += 1;
            }
            30..45 => {
                if let Some(pid) = self.any_process() {
                    self.note("SIGSTOP", pid);
                    kill(pid, Signal::SIGSTOP);
                    self.stopped.push(pid);
                    self.tally.stops += 1;
                }
            }
            45..55 => self.let_go_on(),
            55..60 => {
                let signal =
                    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGIO][self.random.usize(..4)];
                // A supervisor takes SIGTERM for the node's wish to end its pod.
                let kind = if signal == Signal::SIGTERM { "jobctl-control" } else { "jobctl-" };
                let found = self.world.processes().into_iter().find(|process| process.name.starts_with(kind));
                if let Some(process) = found {
                    self.note(signal.as_str(), process.pid);
                    kill(process.pid, signal);
                }
            }
            60..68 => {
                let _ = fs::remove_file(self.world.store().join("controller.lock"));
            }
            68..72 => {
                let name = format!("rubbish.{}", self.random.u32(..));
                let _ = fs::write(self.world.store().join("inbox").join(name), "{");
            }
            72..90 => self.client(),
            90..93 => self.submit(),
            93..96 => {
                if let Some(disk) = &self.disk {
                    disk.fill();
                    self.tally.full_disks += 1;
                }
            }
            _ if self.tally.clock_jumps == 0 => self.cut_the_power(),
            _ => {}
        }
    }

    fn client(&mut self) {
        self.tally.clients += 1;
        let Some(job) = self.random.choice(&self.jobs).map(|job| job.name.clone()) else { return };
        let line = match self.random.u32(0..7) {
            0 => format!("logs -f job/{job} --all-pods"),
            1 => format!("label job {job} --overwrite a=b{}", self.random.u32(..)),
            2 => "get pods -w".to_owned(),
            3 => format!("wait --for=condition=complete job/{job} --timeout=30s"),
            4 => "get jobs,pods -o yaml".to_owned(),
            5 => "reconcile".to_owned(),
            _ => "doctor".to_owned(),
        };
        let child = self
            .invocation(&line)
            .build()
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("start a client");
        self.clients.push(child);
    }

    /// One of our processes may not open more files, or gets no more memory.
    fn limit(&mut self) {
        let Some(pid) = self.any_process() else { return };
        // About to be a container, which would have the limit for good.
        if is_container_to_be(pid) {
            return;
        }
        let limit = ["--nofile=8", "--as=20000000"][self.random.usize(..2)];
        self.note(limit, pid);
        set_limit(pid, &format!("{limit}:"));
        self.limited.push(pid);
        self.tally.low_limits += 1;
    }

    fn let_go_on(&mut self) {
        self.stopped.drain(..).for_each(|pid| kill(pid, Signal::SIGCONT));
        for pid in self.limited.drain(..) {
            set_limit(pid, "--nofile=4096:");
            set_limit(pid, "--as=unlimited:");
        }
        if let Some(disk) = &self.disk {
            disk.make_room();
        }
    }

    fn end_clients(&mut self) {
        for mut client in self.clients.drain(..) {
            let _ = client.kill();
            let _ = client.wait();
        }
    }

    /// Everything of this world dies, and the disk keeps what had been synced; of the rest any part may be there.
    fn cut_the_power(&mut self) {
        self.tally.power_cuts += 1;
        self.note("power cut", 0);
        self.stopped.clear();
        self.limited.clear();
        let started = Instant::now();
        // Whoever is killed late may have started somebody.
        let mut absent = 0;
        while absent < 3 {
            let left = self.world.processes();
            absent = if left.is_empty() { absent + 1 } else { 0 };
            left.iter().for_each(|process| kill(process.pid, Signal::SIGKILL));
            assert!(started.elapsed() < Duration::from_secs(30), "processes that cannot be killed: {left:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.end_clients();
        let store = self.world.store();
        let journal = fs::canonicalize(store.join("current")).expect("a snapshot").join("journal.jsonl");
        let log = fs::read_to_string(self.sync_log()).unwrap_or_default();
        let synced = log
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, path)| *path == journal.display().to_string())
            .filter_map(|(length, _)| length.parse::<u64>().ok())
            .max()
            .unwrap_or(0);
        let file = fs::OpenOptions::new().write(true).open(&journal).expect("the journal");
        let length = file.metadata().expect("its length").len();
        // What was synced may have had an end that a cut before had left, and that is cut off by now.
        let synced = synced.min(length);
        // What was written after may be there in part, or as blocks that were never filled.
        let kept = self.random.u64(synced..=length);
        file.set_len(kept).expect("cut");
        if self.random.bool() {
            file.set_len(kept + self.random.u64(0..5000)).expect("extended");
        }
        for entry in fs::read_dir(store.join("inbox")).expect("the inbox").flatten() {
            if self.random.bool() {
                let _ = fs::remove_file(entry.path());
            }
        }
        for entry in fs::read_dir(store.join("pods")).expect("the pods").flatten() {
            self.cut_off.push(entry.file_name().to_string_lossy().into_owned());
            if self.random.u32(0..4) == 0 {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        self.boot += 1;
        let _ = self.command("get jobs");
    }

    /// What `wait` has reported once is true for ever.
    fn look_for_reports(&mut self) {
        let Some(index) = (!self.jobs.is_empty()).then(|| self.random.usize(..self.jobs.len())) else {
            return;
        };
        if self.jobs[index].is_reported {
            return;
        }
        let name = self.jobs[index].name.clone();
        let (code, _) = self.command(&format!("wait --for=condition=complete job/{name} --timeout=0s"));
        if code == 0 {
            let runs = self.runs(&name).len();
            let job = &mut self.jobs[index];
            (job.is_reported, job.runs_when_reported) = (true, runs);
        }
    }

    fn go_on(&mut self) {
        self.let_go_on();
        for job in &self.jobs {
            let (code, said) =
                self.command(&format!("wait --for=condition=complete job/{} --timeout={PATIENCE}", job.name));
            if code != 0 {
                self.fail(&format!("{} does not end: {said}", job.name));
            }
        }
    }

    fn check_ends(&mut self) {
        let cut = self.tally.power_cuts > 0;
        for job in &self.jobs {
            let value = |path: &str| self.command(&format!("get job {} -o jsonpath={path}", job.name)).1;
            let indexes = match job.completions {
                2 => "0,1".to_owned(),
                completions => format!("0-{}", completions - 1),
            };
            if value("{.status.succeeded}") != job.completions.to_string()
                || value("{.status.completedIndexes}") != indexes
            {
                self.fail(&format!("{}: completions are missing or counted twice", job.name));
            }
            let runs = self.runs(&job.name);
            let mut by_pod: BTreeMap<&str, usize> = BTreeMap::new();
            for run in &runs {
                let (_, uid) = run.split_once(' ').unwrap_or(("", run));
                *by_pod.entry(uid).or_default() += 1;
            }
            // A pod that waited for room may have its place once more where a power cut took that.
            let may_repeat = cut && self.is_furnished;
            if let Some((uid, count)) = by_pod.iter().find(|(_, count)| **count > 1 && !may_repeat) {
                self.fail(&format!("{}: pod {uid} ran {count} times", job.name));
            }
            if job.is_reported && runs.len() > job.runs_when_reported {
                self.fail(&format!("{} ran again after its end was reported", job.name));
            }
            let failed: u64 = value("{.status.failed}").parse().unwrap_or(0);
            let counted = job.completions + failed;
            // A pod that was lost before its program ran is counted and has not run; after a power cut a pod may have run whose
            // creation is lost.
            if !cut && runs.len() as u64 > counted {
                self.fail(&format!("{}: {} runs, {counted} counted", job.name, runs.len()));
            }
        }
        self.tally.runs += self.jobs.iter().map(|job| self.runs(&job.name).len() as u64).sum::<u64>();
    }

    /// A bit flips at rest: whoever reads notices, and setting it aside makes the store usable.
    fn flip_a_bit(&mut self) {
        self.end_clients();
        self.wait_until_quiet();
        if self.random.u32(0..3) > 0 {
            return;
        }
        let snapshot = fs::canonicalize(self.world.store().join("current")).expect("a snapshot");
        let files: Vec<PathBuf> = fs::read_dir(snapshot)
            .expect("the snapshot")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| fs::metadata(path).is_ok_and(|found| found.len() > 0))
            .collect();
        let Some(path) = self.random.choice(&files) else { return };
        let mut bytes = fs::read(path).expect("a file");
        let at = self.random.usize(..bytes.len());
        bytes[at] ^= 1 << self.random.u32(0..8);
        fs::write(path, bytes).expect("written");
        self.tally.flipped_bits += 1;
        let (code, said) = self.command("doctor");
        if code == 0 {
            self.fail(&format!("a flipped bit at byte {at} of {} goes unnoticed: {said}", path.display()));
        }
        let (code, said) = self.command("doctor --set-aside");
        if code != 0 {
            self.fail(&format!("it cannot be set aside: {said}"));
        }
        let (code, said) = self.command("get jobs,pods -o yaml");
        if code != 0 {
            self.fail(&format!("the store cannot be read after: {said}"));
        }
    }

    fn wait_until_quiet(&self) {
        let started = Instant::now();
        while !self.world.processes().is_empty() {
            if started.elapsed() > Duration::from_secs(30) {
                self.fail(&format!("processes are left: {:?}", self.world.processes()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn finish(self) -> Tally {
        let (code, said) = self.command("delete jobs --all");
        if code != 0 {
            self.fail(&format!("delete: {said}"));
        }
        self.wait_until_quiet();
        let (code, said) = self.command("doctor");
        if code != 0 {
            self.fail(&format!("doctor: {said}"));
        }
        // With the power go the kernel's groups, which here are still there.
        self.cut_off.iter().for_each(|uid| furnished::remove_groups(uid));
        if let Some(problem) = self.is_furnished.then(|| furnished::what_is_left(&self.world)).flatten() {
            self.fail(&problem);
        }
        self.tally
    }
}

/// Whether a process is the child of a supervisor that is about to become a container.
fn is_container_to_be(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let parent = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(1)).unwrap_or_default();
    fs::read_to_string(format!("/proc/{parent}/comm")).is_ok_and(|name| name.trim() == "jobctl-super")
}

/// Sets the soft limit of a process that may be gone.
fn set_limit(pid: i32, limit: &str) {
    let set = Command::new("prlimit").args(["--pid", &pid.to_string(), limit]).stderr(Stdio::null()).status();
    assert!(set.is_ok(), "prlimit is part of util-linux");
}

/// A small file system for the data directory, where the tests may mount one.
struct Disk {
    place: PathBuf,
}

impl Disk {
    fn mount(place: &Path) -> Option<Self> {
        if !crate::common::is_root() {
            return None;
        }
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m,mode=0700", "jobctl-faults"])
            .arg(place)
            .stderr(Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then(|| Self { place: place.to_owned() })
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        if let Ok(mut ballast) = fs::File::create(self.place.join("ballast")) {
            while ballast.write_all(&[0; 4096]).is_ok() {}
        }
    }

    fn make_room(&self) {
        let _ = fs::remove_file(self.place.join("ballast"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
    }
}
