//! What a pod, a Job and a listing cost, as ratios to the bare work and to rivals measured in the same run.
//!
//! `cargo bench --bench cost [-- SECTION…]`, sections: pods, aged, indexed, latency, sandbox, list, memory,
//! and on demand only `huge`. Every run has a fresh directory:
//! deleting thousands of files just before inflates the next run. Rivals that are not installed are left out.

#![allow(clippy::disallowed_methods, reason = "the rooms are those of src/")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const PARALLELISM: usize = 8;
const JOBCTL: &str = env!("CARGO_BIN_EXE_jobctl");

fn main() {
    let sections: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| sections.is_empty() || sections.iter().any(|section| section == name);
    let root = std::env::temp_dir().join(format!("jobctl-bench-{}", std::process::id()));
    fs::create_dir_all(&root).expect("a directory");
    let place = Place { root: root.clone(), count: std::cell::Cell::new(0) };
    if wanted("pods") {
        pods(&place, 1_000, State::Fresh);
        pods(&place, 10_000, State::Fresh);
    }
    if wanted("aged") {
        pods(&place, 1_000, State::Aged);
        pods(&place, 1_000, State::Reused);
    }
    if wanted("indexed") {
        indexed(&place, &[1_000, 20_000]);
    }
    if sections.iter().any(|section| section == "huge") {
        indexed(&place, &[1_000, 100_000]);
    }
    if wanted("latency") {
        latency(&place);
    }
    if wanted("sandbox") {
        sandbox(&place);
    }
    if wanted("list") {
        list(&place);
    }
    if wanted("memory") {
        memory(&place);
    }
    let _ = fs::remove_dir_all(root);
}

struct Place {
    root: PathBuf,
    count: std::cell::Cell<u32>,
}

impl Place {
    fn fresh(&self) -> PathBuf {
        self.count.set(self.count.get() + 1);
        let directory = self.root.join(self.count.get().to_string());
        fs::create_dir_all(&directory).expect("a directory");
        directory
    }
}

fn jobctl(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(JOBCTL);
    command.args(arguments).env("JOBCTL_DATA_DIR", data.join("data")).current_dir(data).stdout(Stdio::null());
    command
}

fn check(command: &mut Command) {
    let status = command.status().expect("started");
    assert!(status.success(), "{command:?}: {status}");
}

fn manifest(directory: &Path, spec: &str, command: &str) -> String {
    furnished_manifest(directory, spec, command, "", "")
}

/// A Job with further fields of its pods and of their container.
fn furnished_manifest(directory: &Path, spec: &str, command: &str, pod: &str, container: &str) -> String {
    let path = directory.join("job.yaml");
    let text = format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: bench}}\nspec:\n  {spec}\n  template:\n    spec:\n      \
         containers: [{{name: main, command: {command}{container}}}]\n      restartPolicy: Never\n{pod}"
    );
    let mut file = fs::File::create(&path).expect("a manifest");
    file.write_all(text.as_bytes()).expect("written");
    path.display().to_string()
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The same command, output into a file each, started by one process: nothing can be cheaper.
fn floor(directory: &Path, count: usize) {
    let mut running = std::collections::VecDeque::new();
    for index in 0..count {
        if running.len() == PARALLELISM {
            let mut first: std::process::Child = running.pop_front().expect("running");
            first.wait().expect("waited");
        }
        let log = fs::File::create(directory.join(format!("{index}.log"))).expect("a log");
        let errors = log.try_clone().expect("a descriptor");
        let child =
            Command::new("/bin/echo").arg("hello").stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        running.push_back(child.expect("started"));
    }
    for mut child in running {
        child.wait().expect("waited");
    }
}

fn run_job(directory: &Path, count: usize) {
    let spec = format!("completions: {count}\n  parallelism: {PARALLELISM}");
    let file = manifest(directory, &spec, "[/bin/echo, hello]");
    check(&mut jobctl(directory, &["apply", "-f", &file]));
    check(&mut jobctl(directory, &["wait", "--for=condition=complete", "job/bench", "--timeout=600s"]));
}

/// Indexed Jobs of `true`, and what a look at the Job costs meanwhile.
fn indexed(place: &Place, sizes: &[usize]) {
    println!("\nIndexed Jobs of `true`, {PARALLELISM} at a time");
    for count in sizes {
        let directory = place.fresh();
        let spec = format!("completionMode: Indexed\n  completions: {count}\n  parallelism: {PARALLELISM}");
        let file = manifest(&directory, &spec, "[\"true\"]");
        let started = Instant::now();
        check(&mut jobctl(&directory, &["apply", "-f", &file]));
        let waited = ["wait", "--for=condition=complete", "job/bench", "--timeout=1200s"];
        let mut wait = jobctl(&directory, &waited).spawn().expect("started");
        let mut looks = Vec::new();
        while wait.try_wait().expect("waited").is_none() {
            looks.push(timed(|| check(&mut jobctl(&directory, &["get", "job", "bench"]))));
            std::thread::sleep(Duration::from_millis(100));
        }
        let each = started.elapsed().as_secs_f64() * 1e6 / *count as f64;
        let slowest = looks.iter().max().copied().unwrap_or_default().as_secs_f64() * 1e3;
        let looked = median(looks).as_secs_f64() * 1e3;
        println!(
            "  {count:>7}: {each:6.0} us per pod; `get job` meanwhile {looked:.1} ms, at most {slowest:.1} ms"
        );
    }
}

fn shell(directory: &Path, script: &str) {
    check(
        Command::new("sh")
            .args(["-c", script])
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    );
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// What the filesystem has been through when a round begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing of late, as far as we know.
    Fresh,
    /// 10,000 files were made beside, and deleted.
    Aged,
    /// As aged, and jobctl has had as many pods in the same store before, which were deleted.
    Reused,
}

/// Makes many files and deletes them, as a store in use does, and whatever else there is on a machine: half of them in
/// one directory, half in directories of their own.
fn age(directory: &Path) {
    let names: Vec<PathBuf> = (0..5_000).map(|number| directory.join(format!("old-{number}"))).collect();
    names.iter().for_each(|name| drop(fs::File::create(name).expect("a file")));
    names.iter().for_each(|name| fs::remove_file(name).expect("removed"));
    for name in &names {
        fs::create_dir(name).expect("a directory");
        fs::File::create(name.join("file")).expect("a file");
    }
    names.iter().for_each(|name| fs::remove_dir_all(name).expect("removed"));
}

fn pods(place: &Place, count: usize, state: State) {
    let xargs = format!("seq {count} | xargs -P{PARALLELISM} -I{{}} sh -c '/bin/echo hello > {{}}.log'");
    let spooler = format!(
        "export TS_SOCKET=$PWD/socket TMPDIR=$PWD; tsp -S {PARALLELISM}; for i in $(seq {count}); do tsp /bin/echo hello; \
         done; tsp -w; tsp -K"
    );
    let parallel = format!("seq {count} | parallel -j{PARALLELISM} --results results /bin/echo hello");
    let mut rows: Vec<(&str, Vec<Duration>)> = vec![("floor: bare spawn, output to a file", Vec::new())];
    rows.push(("jobctl apply + wait", Vec::new()));
    if is_installed("xargs") {
        rows.push(("xargs sh -c 'echo > file'", Vec::new()));
    }
    if is_installed("tsp") {
        rows.push(("tsp: task-spooler", Vec::new()));
    }
    let rounds = if count > 1_000 { 3 } else { ROUNDS };
    if is_installed("parallel") && count <= 1_000 {
        rows.push(("GNU parallel --results", Vec::new()));
    }
    for _ in 0..rounds {
        for (name, times) in &mut rows {
            let directory = place.fresh();
            let is_ours = name.starts_with("jobctl");
            if is_ours && state == State::Reused {
                run_job(&directory, count);
                check(&mut jobctl(&directory, &["delete", "job", "bench"]));
                std::thread::sleep(Duration::from_secs(1));
            }
            if state != State::Fresh {
                age(&directory);
            }
            times.push(timed(|| match name.split(' ').next() {
                Some("floor:") => floor(&directory, count),
                Some("jobctl") => run_job(&directory, count),
                Some("xargs") => shell(&directory, &xargs),
                Some("tsp:") => shell(&directory, &spooler),
                _ => shell(&directory, &parallel),
            }));
        }
    }
    let after = match state {
        State::Fresh => "",
        State::Aged => ", after 10,000 files were made and deleted",
        State::Reused => ", after 10,000 files and as many pods were made and deleted",
    };
    println!(
        "\n{count} pods of `echo hello`, {PARALLELISM} at a time, median of {rounds} interleaved rounds{after}"
    );
    let base = median(rows[0].1.clone());
    for (name, times) in rows {
        let time = median(times);
        let ratio = time.as_secs_f64() / base.as_secs_f64();
        println!("  {name:40} {:8.1} us/pod  x{ratio:.2}", time.as_secs_f64() * 1e6 / count as f64);
    }
}

fn latency(place: &Place) {
    let directory = place.fresh();
    let fresh = place.fresh();
    let file = manifest(&fresh, "backoffLimit: 0", "[\"true\"]");
    let (mut bare, mut start, mut cold, mut warm, mut run) = (vec![], vec![], vec![], vec![], vec![]);
    let apply_and_wait = |idle: &str| {
        check(jobctl(&fresh, &["apply", "-f", &file]).env("JOBCTL_IDLE_TIMEOUT", idle));
        check(&mut jobctl(&fresh, &["wait", "--for=condition=complete", "job/bench"]));
    };
    let clear = || {
        check(&mut jobctl(&fresh, &["delete", "job", "bench"]));
        while !our_processes().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    // The first command lays the store out; that is not what is measured.
    apply_and_wait("0s");
    for _ in 0..21 {
        clear();
        bare.push(timed(|| shell(&directory, "true")));
        start.push(timed(|| check(&mut jobctl(&fresh, &["version"]))));
        cold.push(timed(|| apply_and_wait("2s")));
        check(&mut jobctl(&fresh, &["delete", "job", "bench"]));
        warm.push(timed(|| apply_and_wait("2s")));
        check(&mut jobctl(&fresh, &["delete", "job", "bench"]));
        run.push(timed(|| check(jobctl(&fresh, &["run", "-f", &file]).stderr(Stdio::null()))));
    }
    clear();
    println!("\nlatency, median of 21");
    let base = median(bare.clone()).as_secs_f64();
    for (name, times) in [
        ("sh -c true", bare),
        ("jobctl version", start),
        ("apply + wait `true`, no controller", cold),
        ("apply + wait `true`, within a second", warm),
        ("run -f `true`, within a second", run),
    ] {
        let time = median(times).as_secs_f64();
        println!("  {name:40} {:6.2} ms  x{:.1}", time * 1e3, time / base);
    }
}

/// What pods cost, one after the other, that have more than a process.
fn sandbox(place: &Place) {
    const PODS: u32 = 200;
    let mount = ", volumeMounts: [{name: v, mountPath: /jobctl-bench}]";
    let (empty, memory) = ("emptyDir: {}", "emptyDir: {medium: Memory}");
    let volume = |source: &str| format!("      volumes: [{{name: v, {source}}}]\n");
    let kinds = [
        ("a plain pod", String::new(), ""),
        (
            "a volume at a path of the machine's own",
            volume(empty),
            ", volumeMounts: [{name: v, mountPath: /mnt}]",
        ),
        ("a volume at a new path", volume(empty), mount),
        ("a volume in memory", volume(memory), mount),
        ("limits of memory and CPU", String::new(), ", resources: {limits: {memory: 64Mi, cpu: 1}}"),
    ];
    let mut times = vec![Vec::new(); kinds.len()];
    for _ in 0..ROUNDS {
        for ((_, pod, container), times) in kinds.iter().zip(&mut times) {
            let directory = place.fresh();
            let spec = format!("completions: {PODS}");
            let file = furnished_manifest(&directory, &spec, "[\"true\"]", pod, container);
            times.push(timed(|| {
                check(&mut jobctl(&directory, &["apply", "-f", &file]));
                let wait = ["wait", "--for=condition=complete", "job/bench", "--timeout=600s"];
                check(&mut jobctl(&directory, &wait));
            }));
        }
    }
    println!("\n{PODS} pods of `true`, one after the other, median of {ROUNDS}");
    let each = |times: &Vec<Duration>| median(times.clone()).as_secs_f64() * 1e3 / f64::from(PODS);
    let plain = each(&times[0]);
    for ((name, ..), times) in kinds.iter().zip(&times) {
        println!("  {name:40} {:6.2} ms  {:+.2} ms", each(times), each(times) - plain);
    }
}

fn list(place: &Place) {
    let directory = place.fresh();
    run_job(&directory, 10_000);
    std::thread::sleep(Duration::from_millis(500));
    for arguments in [
        vec!["get", "pods"],
        vec!["get", "jobs"],
        vec!["get", "pods", "-o", "name"],
        vec!["get", "pods", "-o", "json"],
        vec!["describe", "job", "bench"],
    ] {
        let times = (0..11).map(|_| timed(|| check(&mut jobctl(&directory, &arguments)))).collect();
        println!("  10,000 pods: {:20} {:6.1} ms", arguments.join(" "), median(times).as_secs_f64() * 1e3);
    }
}

/// Processes of ours for this data directory: the binary itself, not what the pods run.
/// The processes that our binary has left in the background; only the benchmark's own run this very file.
fn our_processes() -> Vec<i32> {
    let ours = fs::canonicalize(JOBCTL).expect("the binary");
    fs::read_dir("/proc")
        .expect("proc")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == ours))
        .collect()
}

fn memory(place: &Place) {
    let directory = place.fresh();
    let file = manifest(&directory, "parallelism: 200\n  completions: 200", "[sleep, \"1000\"]");
    check(&mut jobctl(&directory, &["apply", "-f", &file]));
    let wanted = "jsonpath={.status.ready}=200";
    check(&mut jobctl(&directory, &["wait", &format!("--for={wanted}"), "job/bench", "--timeout=60s"]));
    std::thread::sleep(Duration::from_millis(300));
    let pids = our_processes();
    let switches = |pid: &i32| -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"));
        line.and_then(|line| line.split_whitespace().last()?.parse().ok()).unwrap_or(0)
    };
    let before: u64 = pids.iter().map(switches).sum();
    std::thread::sleep(Duration::from_secs(3));
    let after: u64 = pids.iter().map(switches).sum();
    let pss: u64 = pids
        .iter()
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok())
        .filter_map(|text| {
            text.lines().find(|line| line.starts_with("Pss:"))?.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum();
    println!("\n200 pods that sleep: {} processes of ours", pids.len());
    println!("  PSS {:.1} KiB per pod in all; {} wake-ups in 3 s", pss as f64 / 200.0, after - before);
    check(&mut jobctl(&directory, &["delete", "job", "bench", "--now"]));
    let started = Instant::now();
    while !our_processes().is_empty() && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
}
