//! Every command line of the documents this program was written for, run as a shell runs it, `kubectl` being jobctl.
//!
//! A file of tests/data/source-documents is read line by line:
//! - `$ ` a command as it is printed, `> ` its next line; `as: ` what is run in its place, the lines with `# ` saying why
//! - `+ ` a command of the test: what the document tells in prose, or waits for
//! - `- ` a command that cannot run here; the `# ` under it says why
//! - `file ` a file, `| ` its lines; `needs: ` programs, ports and rights without which the whole is skipped
//! - `  ` a line that the command prints, `! ` one on stderr, `exit ` its exit code if it is not 0
//!
//! `UPDATE_TRANSCRIPTS=1` writes what has been printed into the files, for somebody to read.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::brokers::ready;
use crate::common::{World, is_root, normalize};

/// What stands before the first command: a poll with a bound.
const PRELUDE: &str = r#"shopt -s expand_aliases
export PATH=$PWD/bin:$PATH
eventually() {
  local end=$((SECONDS + 60))
  until eval "$1" 2> /dev/null; do
    [ "$SECONDS" -lt "$end" ] || { echo "never came true: $1"; return 1; }
    sleep 0.02
  done
}
"#;

#[derive(Default)]
struct Step {
    /// The line that is sought in the document, with its continuations.
    shown: String,
    run: Option<String>,
    expected: String,
}

#[derive(Default)]
struct Transcript {
    files: Vec<(String, String)>,
    needs: Vec<String>,
    steps: Vec<Step>,
    /// The file without what its commands print.
    outline: String,
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/source-documents").join(name)
}

fn is_output(line: &str) -> bool {
    ["  ", "! ", "exit "].iter().any(|prefix| line.starts_with(prefix))
}

fn parse(text: &str) -> Transcript {
    let mut read = Transcript::default();
    let mut files = 0;
    for line in text.lines() {
        if is_output(line) {
            let step = read.steps.last_mut().expect("a command before its output");
            step.expected += &format!("{line}\n");
            continue;
        }
        read.outline += &format!("{line}\n");
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        let last = read.steps.last_mut();
        match mark {
            "$" | "+" => {
                let command = Some(rest.to_owned());
                read.steps.push(Step { shown: rest.to_owned(), run: command, ..Step::default() });
            }
            ">" => {
                let step = last.expect("a command before its next line");
                let run = step.run.as_mut().expect("a command that runs");
                *run += &format!("\n{rest}");
            }
            "as:" => last.expect("a command before its substitute").run = Some(rest.to_owned()),
            "-" => read.steps.push(Step { shown: rest.to_owned(), ..Step::default() }),
            "file" => {
                files += 1;
                // A file that is changed later is written by a step of its own.
                read.files.push((rest.to_owned(), String::new()));
                let run = format!("mkdir -p $(dirname {rest}); cp files/{} {rest}", files - 1);
                read.steps.push(Step { run: Some(run), ..Step::default() });
            }
            "|" => read.files.last_mut().expect("a file before its lines").1 += &format!("{rest}\n"),
            "needs:" => read.needs.extend(rest.split(' ').map(str::to_owned)),
            "#" => {}
            _ => panic!("not in the notation: {line:?}"),
        }
    }
    read
}

/// `hello-29384720` is a run of a CronJob at a time.
fn normal(text: &str) -> String {
    let text = normalize(text);
    let mut pieces = text.split('-');
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = if digits >= 8 { "0".repeat(digits) } else { number.to_owned() };
        let _ = write!(result, "-{number}{rest}");
    }
    result
}

/// What a step has printed, in the notation.
fn shown(stdout: &str, stderr: &str, code: &str) -> String {
    let mut shown = String::new();
    for (mark, text) in [("  ", stdout), ("! ", stderr)] {
        for line in normal(text).lines() {
            let _ = writeln!(shown, "{mark}{}", line.trim_end());
        }
    }
    if code != "0" {
        let _ = writeln!(shown, "exit {code}");
    }
    shown
}

fn replay(name: &str) {
    let text = std::fs::read_to_string(path(name)).expect("a transcript");
    let transcript = parse(&text);
    let is_port = |need: &&String| need.parse::<u16>().is_ok();
    let ports: Vec<u16> = transcript.needs.iter().filter_map(|need| need.parse().ok()).collect();
    let programs: Vec<&str> = transcript
        .needs
        .iter()
        .filter(|need| !is_port(need) && !["root", "namespaces"].contains(&need.as_str()))
        .map(String::as_str)
        .collect();
    if transcript.needs.iter().any(|need| need == "root") && !is_root() {
        eprintln!("skipped: an ordinary user may not");
        return;
    }
    let _ports = if transcript.needs.is_empty() {
        None
    } else {
        let Some(ports) = ready(&programs, &ports) else { return };
        Some(ports)
    };
    let world = World::new();
    for (at, (_, text)) in transcript.files.iter().enumerate() {
        world.manifest(&format!("files/{at}"), text);
    }
    for directory in ["bin", "out"] {
        std::fs::create_dir_all(world.path("work").join(directory)).expect("make a directory");
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jobctl"), world.path("work/bin/kubectl")).expect("a link");
    let mut script = format!("{PRELUDE}out=$PWD/out\n");
    for (at, step) in transcript.steps.iter().enumerate() {
        if let Some(run) = &step.run {
            let _ = write!(
                script,
                "{{\n{run}\n}} < /dev/null > $out/{at}.1 2> $out/{at}.2; echo $? > $out/{at}.code\n"
            );
        }
    }
    let ended = world.command("").shell(&script);
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    let outputs: Vec<String> = (0..transcript.steps.len())
        .map(|at| {
            let read = |end: &str| world.path("work/out").join(format!("{at}.{end}"));
            let read = |end: &str| std::fs::read_to_string(read(end)).unwrap_or_default();
            if transcript.steps[at].run.is_none() {
                return String::new();
            }
            let paths = ["work", ""].map(|path| world.path(path).display().to_string());
            let [stdout, stderr, code] = ["1", "2", "code"]
                .map(|end| read(end).replace(&paths[0], "WORK").replace(&paths[1], "WORLD"));
            shown(&stdout, &stderr, code.trim_end())
        })
        .collect();
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
        std::fs::write(path(name), with_outputs(&transcript.outline, &outputs)).expect("write");
        return;
    }
    for (step, found) in transcript.steps.iter().zip(&outputs) {
        assert_eq!(*found, step.expected, "{name}: {}", step.run.as_deref().unwrap_or(&step.shown));
    }
}

/// The outline with what each step has printed after its last line.
fn with_outputs(outline: &str, outputs: &[String]) -> String {
    let mut text = String::new();
    let mut outputs = outputs.iter();
    let mut pending = "";
    for line in outline.lines() {
        if ["$ ", "+ ", "- ", "file "].iter().any(|mark| line.starts_with(mark)) {
            text += pending;
            pending = outputs.next().map_or("", String::as_str);
        }
        text += &format!("{line}\n");
    }
    text + pending
}

macro_rules! transcripts {
    ($($test:ident: $file:literal)*) => {
        const FILES: &[&str] = &[$($file),*];
        $(#[test]
        fn $test() {
            replay($file);
        })*
    };
}

transcripts! {
    document_0: "0.txt"
    document_1: "1.txt"
    document_2: "2.txt"
    document_3: "3.txt"
    document_4_cronjob: "4-cronjob.txt"
    document_4_rabbitmq: "4-rabbitmq.txt"
    document_4_pings: "4-pings.txt"
    document_4_redis: "4-redis.txt"
    document_4_indexed: "4-indexed.txt"
    document_4_expansion: "4-expansion.txt"
    document_4_failures: "4-failures.txt"
}

#[test]
fn each_transcript_is_replayed_and_each_omission_has_its_reason() {
    let mut found: Vec<String> = std::fs::read_dir(path(""))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    found.sort_unstable();
    let mut files = FILES.to_vec();
    files.sort_unstable();
    assert_eq!(found, files);
    for file in FILES {
        let text = std::fs::read_to_string(path(file)).expect("a transcript");
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].starts_with("- ")) {
            assert!(pair[1].starts_with("# "), "{file}: no reason for {:?}", pair[0]);
        }
    }
}
