//! The rooms of docs/architecture.md: imports go one way, dangerous code stays in its room, generated files are
//! what the code generates.

#![allow(clippy::disallowed_methods, reason = "the rooms are those of src/")]

use std::fs;
use std::path::{Path, PathBuf};

/// The levels, lowest first. A room may use itself, its level's other rooms not, and everything below.
const LEVELS: [&[&str]; 9] = [
    &["api"],
    &["registry", "controller", "printers", "kubelet::actions"],
    // A cluster elsewhere knows nothing of what is stored here.
    &["store", "cluster"],
    // The API server and the kubelet do not know each other.
    &["apiserver", "kubelet"],
    &["manager"],
    &["client"],
    &["serve"],
    &["cmd"],
    &["main", "lib"],
];

/// Imports between rooms of one level, each with its reason.
const NEIGHBOURS: [(&str, &str); 2] = [
    // What it means to mark a pod for deletion is said once.
    ("registry", "controller"),
    // One formula for the back-off of pods and of containers.
    ("kubelet::actions", "controller"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("read a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `src/kubelet/actions/run.rs` -> `kubelet::actions::run`.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).expect("a source").with_extension("");
    inside.to_string_lossy().replace('/', "::")
}

/// The room of a module path, by its longest name, and that room's level.
fn room_of(module: &str) -> Option<(&'static str, usize)> {
    let mut best: Option<(&'static str, usize)> = None;
    for (level, rooms) in LEVELS.iter().enumerate() {
        for room in *rooms {
            let inside =
                module == *room || module.strip_prefix(room).is_some_and(|rest| rest.starts_with("::"));
            if inside && best.is_none_or(|(known, _)| known.len() < room.len()) {
                best = Some((room, level));
            }
        }
    }
    best
}

/// Every path after `crate::` in a source, brackets of one `use` taken apart as far as their first names.
fn crate_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    // Whoever is kept out by comments is not an import.
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut part = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => paths.push(std::mem::take(&mut part)),
                    c if depth == 0 && !c.is_whitespace() => part.push(c),
                    _ => {}
                }
            }
            paths.push(part);
        } else {
            paths.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == ':').collect());
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

#[test]
fn imports_go_one_way() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 50, "the sources are found");
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for file in files {
        let module = module_of(&file);
        let Some((room, level)) = room_of(&module) else { panic!("{module} belongs to no room") };
        let text = fs::read_to_string(&file).expect("read a source");
        for path in crate_paths(&text) {
            let Some((used, used_level)) = room_of(&path) else { continue };
            looked_at += 1;
            let allowed = used == room
                || used_level < level
                || (used_level == level && NEIGHBOURS.contains(&(room, used)));
            if !allowed {
                wrong.push(format!("{} ({room}) uses crate::{path} ({used})", file.display()));
            }
        }
    }
    assert!(looked_at > 200, "imports are found: {looked_at}");
    assert!(wrong.is_empty(), "a step backwards:\n{}", wrong.join("\n"));
}

/// A source without the items that only tests have, wherever they stand.
fn without_tests(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("#[cfg(test)]") else {
            code.push_str(line);
            code.push('\n');
            continue;
        };
        // The item ends with its own line, or with the bracket below it.
        let head = lines.by_ref().find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
        if head.trim_end().ends_with('{') {
            let end = format!("{indent}}}");
            let _ = lines.by_ref().find(|line| *line == end);
        }
    }
    code
}

#[test]
fn tests_are_left_out_wherever_they_stand() {
    let text = "a\n#[cfg(test)]\nmod tests;\nb\n    #[cfg(test)]\n    fn c() {\n        {\n        }\n    }\nd\n\
                #[cfg(test)]\n#[path = \"x\"]\nmod e {\n    }\n}\nf\n";
    assert_eq!(without_tests(text), "a\nb\nd\nf\n");
}

#[test]
fn the_pure_rooms_touch_nothing() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let module = module_of(&file);
        if room_of(&module).is_none_or(|(_, level)| level > 1) || module.ends_with("::tests") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("read a source");
        // Tests within the file may read their data.
        let code = without_tests(&text);
        for forbidden in
            ["std::fs", "std::process", "std::env", "std::net", "Utc::now", "Local::now", "println!", "nix::"]
        {
            if code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(forbidden)) {
                wrong.push(format!("{}: {forbidden}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "no clock, no files, no processes, no printing:\n{}", wrong.join("\n"));
}

/// Verbs reach objects through the client alone, so that the same verb can work on a Kubernetes API elsewhere; these look
/// after this machine's store itself.
const OF_THIS_MACHINE: [&str; 6] = ["doctor", "findings", "reconcile", "serve", "service", "watch"];

#[test]
fn verbs_go_through_the_client() {
    let mut files = Vec::new();
    sources(&root().join("src/cmd"), &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let module = module_of(&file);
        if OF_THIS_MACHINE.iter().any(|verb| module == format!("cmd::{verb}")) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("read a source");
        let code = without_tests(&text);
        for forbidden in [
            "client.store()",
            "Store::",
            "Store,",
            "Transaction",
            "Writes::",
            "Follower::",
            "Engine",
            ".transaction()",
        ] {
            if code.contains(forbidden) {
                wrong.push(format!("{}: {forbidden}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "a way around the client:\n{}", wrong.join("\n"));
}

#[test]
fn unsafe_code_stays_in_its_room() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut with_unsafe = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("read a source");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if code
            .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .any(|word| word == "unsafe")
        {
            with_unsafe.push(module_of(&file));
        }
    }
    // The commit notifier is a mapped word (docs/architecture.md tells why).
    let rooms = ["kubelet::spawn", "kubelet::sandbox", "store::notifier"];
    let outside: Vec<&String> = with_unsafe
        .iter()
        .filter(|module| {
            !rooms.iter().any(|room| *module == room || module.starts_with(&format!("{room}::")))
        })
        .collect();
    assert!(outside.is_empty(), "unsafe outside of its rooms: {outside:?}");
    assert!(with_unsafe.contains(&"kubelet::spawn".to_owned()), "the search works");
}

/// The checked-in completions are those of the command tree. `UPDATE_DOCS=1 cargo test` writes them anew.
#[test]
fn completions_are_up_to_date() {
    for (shell, name) in [("bash", "jobctl.bash"), ("zsh", "_jobctl"), ("fish", "jobctl.fish")] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_jobctl"))
            .args(["completion", shell])
            .output()
            .expect("run jobctl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = root().join("completions").join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(root().join("completions")).expect("make the directory");
            fs::write(&path, &output.stdout).expect("write completions");
        }
        let found = fs::read(&path).unwrap_or_default();
        assert!(
            found == output.stdout,
            "{} is not what the code generates: UPDATE_DOCS=1 cargo test",
            path.display()
        );
    }
}

/// The checked-in manual pages are those of the command tree: one for the program, one for each verb.
#[test]
fn manual_pages_are_up_to_date() {
    let directory = root().join("docs/man");
    let made = tempfile::tempdir().expect("a directory");
    // A page must not change with every release.
    clap_mangen::generate_to(jobctl::cmd::command().version(""), made.path()).expect("make the pages");
    let names = |directory: &Path| -> Vec<String> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("make the directory");
        for name in names(made.path()) {
            fs::copy(made.path().join(&name), directory.join(&name)).expect("copy a page");
        }
    }
    assert_eq!(names(&directory), names(made.path()), "pages: UPDATE_DOCS=1 cargo test");
    for name in names(made.path()) {
        let read = |directory: &Path| fs::read_to_string(directory.join(&name)).expect("read a page");
        assert!(
            read(&directory) == read(made.path()),
            "docs/man/{name} is not what the code generates: UPDATE_DOCS=1 cargo test"
        );
    }
}
