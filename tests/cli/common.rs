//! The sealed world in which every test runs the real binary: its own home, configuration, data and working
//! directory, a cleared environment, and a look at the process table at the end.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::api_client::Server;

/// The programs that containers may rely on.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The bound of everything that "soon" is too vague for. Machines under load are slow; failures are rare.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Polls until the condition holds. Fails with the caller's line when it never does.
#[track_caller]
pub(crate) fn eventually(bound: Duration, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < bound, "did not come true within {bound:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// A machine of one's own. When it is dropped, everything that was started in it must have ended by itself.
pub(crate) struct World {
    directory: tempfile::TempDir,
    user: Option<u32>,
    background: bool,
    /// Where its objects are asked for over HTTP.
    server: Option<Server>,
}

/// With this variable tests are clients of `jobctl serve`: the same verbs, the same answers, over HTTP.
const OVER_HTTP: &str = "JOBCTL_TEST_OVER_HTTP";
/// The verbs that are asked of it.
const ASKED: [&str; 20] = [
    "annotate", "apply", "create", "delete", "describe", "edit", "events", "get", "label", "logs", "next",
    "patch", "replace", "resume", "rollout", "run", "scale", "set", "suspend", "wait",
];

impl World {
    /// An empty world.
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("jobctl-test-").tempdir().expect("make a directory");
        let mut world = Self { directory, user: None, background: true, server: None };
        for part in ["home", "config/jobctl", "data", "work", "tmp"] {
            fs::create_dir_all(world.path(part)).expect("make a directory");
        }
        fs::write(world.path("config/jobctl/config.yaml"), "nodeName: node1\n").expect("write");
        if std::env::var_os(OVER_HTTP).is_some() {
            world.server = Some(Server::start(&world));
        }
        world
    }

    /// A world in which nothing of ours may stay in the background but the pods.
    pub(crate) fn without_background() -> Self {
        let mut world = Self::new();
        world.background = false;
        world
    }

    /// A world whose commands run as another user. Only root can make one.
    pub(crate) fn of_user(user: u32) -> Self {
        let mut world = Self::new();
        for part in ["", "home", "config", "config/jobctl", "data", "work", "tmp"] {
            std::os::unix::fs::chown(world.path(part), Some(user), Some(user)).expect("give away");
        }
        world.user = Some(user);
        world
    }

    /// A path in this world.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        if inside.is_empty() { self.directory.path().to_owned() } else { self.directory.path().join(inside) }
    }

    /// The directory with the store.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("data/jobctl")
    }

    /// Writes a file into the working directory; the name as the commands see it.
    pub(crate) fn manifest(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path("work").join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("make a directory");
        fs::write(&path, text).expect("write a manifest");
        name.to_owned()
    }

    /// A command, in the notation of a shell: words, and quotes around those with spaces.
    pub(crate) fn command(&self, line: &str) -> Invocation<'_> {
        let mut words = words(line);
        if self.server.is_some() && words.first().is_some_and(|verb| ASKED.contains(&verb.as_str())) {
            words.push("--context=jobctl".to_owned());
            words.push(format!("--kubeconfig={}", self.path("kubeconfig").display()));
            words.rotate_right(2);
        }
        Invocation {
            world: self,
            words,
            stdin: Vec::new(),
            environment: Vec::new(),
            directory: self.path("work"),
        }
    }

    /// A command given word by word.
    pub(crate) fn command_of(&self, words: Vec<String>) -> Invocation<'_> {
        Invocation { words, ..self.command("") }
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command(line).run()
    }

    /// Runs a manifest to the end of what it makes: what has been printed, and the exit code.
    pub(crate) fn run_to_end(&self, name: &str, manifest: &str) -> (String, i32) {
        let path = self.manifest(&format!("{name}.yaml"), manifest);
        let output = self.run(&format!("run -f {path}"));
        (output.stdout, output.code)
    }

    /// Applies a manifest given as text; it must be accepted.
    #[track_caller]
    pub(crate) fn apply(&self, manifest: &str) -> Output {
        self.command("apply -f -").stdin(manifest).run().success()
    }

    /// What a jsonpath gives, empty where nothing is there.
    pub(crate) fn value(&self, target: &str, path: &str) -> String {
        let output = self.command(&format!("get {target} -o jsonpath={path}")).run();
        if output.code == 0 { output.stdout } else { String::new() }
    }

    /// The Job's succeeded and failed pods, and its terminal conditions, as `3/0 Complete`.
    pub(crate) fn tally(&self, job: &str) -> String {
        let path = "'{.status.succeeded}/{.status.failed} {.status.conditions[*].type}'";
        self.value(&format!("job {job}"), path)
    }

    /// Waits until a Job has ended, either way.
    #[track_caller]
    pub(crate) fn wait_for_end(&self, job: &str) {
        let _ = self.run(&format!("wait --for=condition=complete,failed job/{job} --timeout=60s")).success();
    }

    /// Waits until a jsonpath has a value.
    #[track_caller]
    pub(crate) fn wait_for_value(&self, target: &str, path: &str, expected: &str) {
        let _ =
            self.run(&format!("wait '--for=jsonpath={path}={expected}' {target} --timeout=30s")).success();
    }

    /// Every live process of this world: those that carry its path in environment, arguments or directory.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let marker = self.directory.path().as_os_str().as_encoded_bytes();
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|pid: i32| {
                let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
                let directory = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
                let marked = contains(&read("environ"), marker)
                    || contains(&read("cmdline"), marker)
                    || contains(directory.as_os_str().as_encoded_bytes(), marker);
                if !marked || pid == std::process::id() as i32 {
                    return None;
                }
                let stat = String::from_utf8_lossy(&read("stat")).into_owned();
                let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
                if rest.starts_with(['Z', 'X']) {
                    return None;
                }
                let arguments = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
                // A server stays, and has a controller for as long.
                let is_server_s = arguments.contains(" serve ")
                    || ["jobctl: controller", "jobctl: kubelet"]
                        .iter()
                        .any(|title| arguments.starts_with(title));
                if self.server.is_some() && is_server_s {
                    return None;
                }
                Some(Process { pid, name: name.to_owned(), arguments: arguments.trim_end().to_owned() })
            })
            .collect()
    }

    /// The live processes of one name as the kernel shows it.
    pub(crate) fn processes_named(&self, name: &str) -> Vec<i32> {
        self.processes()
            .into_iter()
            .filter(|process| process.name == name)
            .map(|process| process.pid)
            .collect()
    }

    /// The controller in the background, when one runs.
    pub(crate) fn controller(&self) -> Option<i32> {
        let found = self.processes().into_iter().find(|process| process.name == "jobctl-control");
        found.map(|process| process.pid)
    }

    /// The supervisors' pids.
    pub(crate) fn supervisors(&self) -> Vec<i32> {
        self.processes_named("jobctl-super")
    }

    /// Everything that was started here must end by itself, soon.
    #[track_caller]
    pub(crate) fn assert_no_processes_left(&self) {
        let left = self.left_after(SOON);
        assert!(left.is_empty(), "processes left: {left:#?}");
    }

    /// What is still there when the time is over. Reading the process table takes a while, and whoever is just
    /// being started by one that ends can escape it: gone is what has not been seen for a few readings.
    fn left_after(&self, bound: Duration) -> Vec<Process> {
        let started = Instant::now();
        let mut absent = 0;
        loop {
            let left = self.processes();
            absent = if left.is_empty() { absent + 1 } else { 0 };
            if absent == 4 || started.elapsed() > bound {
                return left;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn kill_everything(&self) {
        let started = Instant::now();
        loop {
            let left = self.processes();
            if left.is_empty() || started.elapsed() > Duration::from_secs(5) {
                return;
            }
            left.iter().for_each(|process| kill(process.pid, nix::sys::signal::Signal::SIGKILL));
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server = None;
        let excused = std::thread::panicking();
        let left = if excused { Vec::new() } else { self.left_after(SOON) };
        self.kill_everything();
        assert!(left.is_empty(), "processes left at the end of the test: {left:#?}");
    }
}

/// A line of the process table.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// Sends a signal; a process that is gone is as good.
pub(crate) fn kill(pid: i32, signal: nix::sys::signal::Signal) {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
}

/// Whether a process of that pid is alive and no zombie.
pub(crate) fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(!stat.rsplit_once(") ")?.1.starts_with(['Z', 'X'])))
        .unwrap_or(false)
}

/// A command about to be run.
#[must_use = "nothing has run yet"]
pub(crate) struct Invocation<'a> {
    world: &'a World,
    words: Vec<String>,
    stdin: Vec<u8>,
    environment: Vec<(String, String)>,
    directory: PathBuf,
}

impl Invocation<'_> {
    /// What the command reads.
    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = text.as_ref().to_owned();
        self
    }

    /// A variable of the caller's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where the caller is; a path inside the world.
    pub(crate) fn directory(mut self, inside: &str) -> Self {
        self.directory = self.world.path(inside);
        self
    }

    /// The command for [`std::process`], when a test wants to hold its ends itself.
    pub(crate) fn build(&self) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_jobctl"));
        command.args(&self.words);
        command
    }

    /// Runs a script in the place of jobctl: for what a shell does before, limits above all.
    pub(crate) fn shell(&self, script: &str) -> std::process::Output {
        let mut command = self.program("bash");
        command.args(["-c", script]).stdin(Stdio::null());
        command.output().expect("start a shell")
    }

    /// Another program in the place of jobctl.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", self.world.path("home"))
            .env("XDG_DATA_HOME", self.world.path("data"))
            .env("XDG_CONFIG_HOME", self.world.path("config"))
            // Whoever looks for processes that are left need not wait for it.
            .env("JOBCTL_IDLE_TIMEOUT", "0s")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !self.world.background {
            command.env("JOBCTL_BACKGROUND", "never");
        }
        if let Some(user) = self.world.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts the command and leaves it running.
    pub(crate) fn spawn(self) -> Child {
        let mut child = self.build().spawn().expect("start jobctl");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that does not read its input closes it early.
        let _ = stdin.write_all(&self.stdin);
        child
    }

    /// Runs the command to its end.
    pub(crate) fn run(self) -> Output {
        let line = format!("jobctl {}", self.words.join(" "));
        let world = self.world;
        let stdin = self.stdin.clone();
        let mut child = self.build().spawn().expect("start jobctl");
        let mut pipe = child.stdin.take().expect("a pipe");
        let writer = std::thread::spawn(move || {
            let _ = pipe.write_all(&stdin);
        });
        let output = child.wait_with_output().expect("wait for jobctl");
        writer.join().expect("write the input");
        Output::new(world, line, output.status, &output.stdout, &output.stderr)
    }
}

/// What a command has said and how it ended.
#[must_use = "either compare the output or assert the exit code"]
#[derive(Clone, Debug)]
pub(crate) struct Output {
    line: String,
    paths: Vec<(String, &'static str)>,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// A finished command's output.
    pub(crate) fn new(world: &World, line: String, status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let show = |path: &Path| path.display().to_string();
        let paths = vec![
            (show(&world.store()), "DATA"),
            (show(&world.path("work")), "WORK"),
            (show(&world.path("")), "WORLD"),
        ];
        Self {
            line,
            paths,
            code: status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)),
            stdout: String::from_utf8_lossy(stdout).into_owned(),
            stderr: String::from_utf8_lossy(stderr)
                .split_inclusive('\n')
                .filter(|line| world.server.is_none() || !line.starts_with("Using context "))
                .collect(),
        }
    }

    /// Exit code 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.exits(0)
    }

    /// Exit code 1, and something on stderr.
    #[track_caller]
    pub(crate) fn failure(self) -> Self {
        let output = self.exits(1);
        assert!(!output.stderr.is_empty(), "{}: failed without a word", output.line);
        output
    }

    /// That exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code of: {}\n--- stdout\n{}--- stderr\n{}",
            self.line, self.stdout, self.stderr
        );
        self
    }

    /// Success, nothing on stderr, and that on stdout, changing parts replaced.
    #[track_caller]
    pub(crate) fn prints(self, expected: &str) {
        let output = self.success();
        assert_eq!(output.stderr, "", "stderr of: {}", output.line);
        same(&output.line, &output.normal_stdout(), expected);
    }

    /// Exit code 1, nothing on stdout, and that on stderr, changing parts replaced.
    #[track_caller]
    pub(crate) fn fails_with(self, expected: &str) {
        let output = self.failure();
        assert_eq!(output.stdout, "", "stdout of: {}", output.line);
        same(&output.line, &output.normal_stderr(), expected);
    }

    /// Exit code, stdout and stderr, changing parts replaced.
    #[track_caller]
    pub(crate) fn is(self, code: i32, stdout: &str, stderr: &str) {
        let output = self.exits(code);
        same(&output.line, &output.normal_stdout(), stdout);
        same(&output.line, &output.normal_stderr(), stderr);
    }

    /// Exit code, and what stdout and stderr have among the rest.
    #[track_caller]
    pub(crate) fn exits_with(self, code: i32, stdout: &[&str], stderr: &[&str]) {
        let output = self.exits(code);
        for (text, parts) in [(&output.stdout, stdout), (&output.stderr, stderr)] {
            parts.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in {text:?}"));
        }
    }

    /// The lines of stdout.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// Standard output with its changing parts replaced.
    pub(crate) fn normal_stdout(&self) -> String {
        self.normal(&self.stdout)
    }

    /// Standard error with its changing parts replaced.
    pub(crate) fn normal_stderr(&self) -> String {
        self.normal(&self.stderr)
    }

    fn normal(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, name) in &self.paths {
            text = text.replace(path, name);
        }
        normalize(&text)
    }
}

#[track_caller]
fn same(line: &str, found: &str, expected: &str) {
    let expected = unindent(expected);
    assert!(
        found == expected,
        "output of: {line}\n--- expected\n{expected}--- found\n{found}---\n{}",
        first_difference(found, &expected)
    );
}

fn first_difference(found: &str, expected: &str) -> String {
    let pair = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
    match pair {
        Some((found, expected)) => format!("expected line {expected:?}\nfound line    {found:?}"),
        None => "one has more lines than the other, or another end".to_owned(),
    }
}

/// Takes the first newline and the common indentation off a literal, so that expected text can stand in its test.
pub(crate) fn unindent(text: &str) -> String {
    let Some(text) = text.strip_prefix('\n') else { return text.to_owned() };
    let lines: Vec<&str> = text.split('\n').collect();
    let indentation = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    let body: Vec<&str> = lines.iter().map(|line| line.get(indentation..).unwrap_or("")).collect();
    let text = body.join("\n");
    // The closing quote's own line is no part of the text.
    if text.ends_with('\n') || text.is_empty() { text } else { format!("{}\n", text.trim_end_matches(' ')) }
}

/// Replaces what differs from run to run by something of the same width: uids, times, generated name parts, ages.
pub(crate) fn normalize(text: &str) -> String {
    let text = replace(text, "@@@@@@@@-@@@@-@@@@-@@@@-@@@@@@@@@@@@", "00000000-0000-0000-0000-000000000000");
    let text = replace(&text, "####-##-##T##:##:##.#########Z", "2026-01-01T00:00:00.000000000Z");
    let text = replace(&text, "####-##-##T##:##:##Z", "2026-01-01T00:00:00Z");
    let text = replace(&text, "~~~, ## ~~~ #### ##:##:## +0000", "Thu, 01 Jan 2026 00:00:00 +0000");
    let text = replace(&text, "jobctl.local/umask: ####", "jobctl.local/umask: 0022");
    let text = replace(&text, "-%%%%%", "-xxxxx");
    let text = replace_ages(&text);
    text.split_inclusive('\n').map(replace_version).collect()
}

/// `resourceVersion: "12"` depends on how many reports a pass took in at once.
fn replace_version(line: &str) -> String {
    let trimmed = line.trim_start();
    let indentation = &line[..line.len() - trimmed.len()];
    if trimmed.starts_with("resourceVersion: \"") && trimmed.trim_end() != "resourceVersion: \"\"" {
        format!("{indentation}resourceVersion: \"0\"\n")
    } else if trimmed.starts_with("\"resourceVersion\": \"")
        && !trimmed.starts_with("\"resourceVersion\": \"\"")
    {
        format!("{indentation}\"resourceVersion\": \"0\"{}", if trimmed.contains(',') { ",\n" } else { "\n" })
    } else {
        line.to_owned()
    }
}

/// In a pattern, `#` is a digit, `@` a hexadecimal one, `~` a letter and `%` a character of a generated name.
fn replace(text: &str, pattern: &str, by: &str) -> String {
    let (bytes, pattern) = (text.as_bytes(), pattern.as_bytes());
    let matches = |at: usize| {
        let window = bytes.get(at..at + pattern.len())?;
        let fits = window.iter().zip(pattern).all(|(byte, class)| match class {
            b'#' => byte.is_ascii_digit(),
            b'@' => byte.is_ascii_hexdigit(),
            b'~' => byte.is_ascii_alphabetic(),
            b'%' => b"bcdfghjklmnpqrstvwxz2456789".contains(byte),
            literal => byte == literal,
        });
        let bounded = bytes.get(at + pattern.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
        (fits && bounded).then_some(())
    };
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if matches(at).is_some() {
            result.extend_from_slice(by.as_bytes());
            at += pattern.len();
        } else {
            result.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(result).expect("patterns are ASCII")
}

/// `3s` and `120ms` become `0s`; a longer age inside a table keeps its width.
fn replace_ages(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].bytes().take_while(u8::is_ascii_digit).count();
        let end = start + digits;
        let before = rest[..start].chars().next_back().or(result.chars().next_back());
        let after = &rest[end..];
        let unit = ["ms", "s"].iter().find(|unit| after.starts_with(**unit)).map_or(0, |unit| unit.len());
        let is_age = unit > 0
            && !after[unit..].starts_with(|c: char| c.is_alphanumeric())
            && before.is_none_or(|c| " (\n".contains(c));
        result.push_str(&rest[..start]);
        if is_age {
            result.push_str("0s");
            if after[unit..].starts_with("  ") {
                result.push_str(&" ".repeat(digits + unit - 2));
            }
            rest = &after[unit..];
        } else {
            result.push_str(&rest[start..end]);
            rest = after;
        }
    }
    result.push_str(rest);
    result
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Waits until processes have settled, and have slept for so long without a single wake-up.
#[track_caller]
pub(crate) fn until_asleep(pids: &[i32], quiet: Duration) {
    let switches = |pid: &i32| -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches:")).expect("a count");
        line.split_whitespace().last().and_then(|count| count.parse().ok()).expect("a number")
    };
    let mut before = Vec::new();
    let mut since = Instant::now();
    eventually(SOON, || {
        let now: Vec<u64> = pids.iter().map(switches).collect();
        if now != before {
            before = now;
            since = Instant::now();
        }
        since.elapsed() > quiet
    });
}

/// A shell's words, quotes taken off.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A Job of one container that runs a shell script. `spec` are lines of the Job's spec; retries come at once.
pub(crate) fn job(name: &str, spec: &str, script: &str) -> String {
    job_with(name, spec, "Never", script)
}

/// The same with restartPolicy OnFailure.
pub(crate) fn restarting_job(name: &str, spec: &str, script: &str) -> String {
    job_with(name, spec, "OnFailure", script)
}

/// A Job that is tried once, and the lines of its pods' spec.
pub(crate) fn job_of_pod(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n\
         \x20     restartPolicy: Never\n{}",
        spec.lines().map(|line| format!("      {line}\n")).collect::<String>()
    )
}

fn job_with(name: &str, spec: &str, policy: &str, script: &str) -> String {
    let spec: String = spec.lines().map(|line| format!("  {}\n", line.trim_end())).collect();
    let script = serde_json::to_string(script).expect("a string");
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations:\n    \
         jobctl.local/backoff-base: 10ms\nspec:\n{spec}  template:\n    spec:\n      restartPolicy: {policy}\n      \
         terminationGracePeriodSeconds: 5\n      containers:\n      - name: main\n        command: [sh, -c, {script}]\n"
    )
}

#[test]
fn changing_parts_are_replaced_by_others_of_their_width() {
    let text = "pi-x7k2b  1/1  12s  3s\nuid: 0dc2ab41-556a-488f-8fa5-b0af31c62584\nresourceVersion: \"17\"\n-- 3 Active\n";
    let expected = "pi-xxxxx  1/1  0s   0s\nuid: 00000000-0000-0000-0000-000000000000\nresourceVersion: \"0\"\n-- 3 Active\n";
    assert_eq!(normalize(text), expected);
}

#[test]
fn a_command_line_is_split_as_a_shell_does() {
    assert_eq!(words("get pods -l 'a in (b, c)' x\"\" ''"), ["get", "pods", "-l", "a in (b, c)", "x", ""]);
}
