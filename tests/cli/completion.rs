//! Completion: what `__complete` answers, and what real shells make of it at a terminal.

use std::path::Path;

use crate::at_terminal::AtTerminal;
use crate::common::{World, job};

/// What may stand in the place of the last word, which is empty where the line ends with a space.
fn complete(world: &World, line: &str) -> String {
    let words = ["__complete".to_owned()].into_iter().chain(line.split(' ').map(str::to_owned));
    let said = world.command_of(words.collect()).run().success().stdout;
    let words: Vec<&str> = said.lines().map(|line| line.split('\t').next().expect("a word")).collect();
    words.join(" ")
}

fn furnished() -> World {
    let world = World::new();
    let _ = world.apply(&job("hello", "", "true"));
    let _ = world.apply(&job("help", "suspend: true", "true"));
    let other = job("else", "suspend: true", "true").replace("name: else", "name: else\n  namespace: team");
    let _ = world.apply(&other);
    let _ = world.run("create cronjob nightly --schedule '@daily' -- true").success();
    world.manifest("manifest.yaml", "");
    world.wait_for_end("hello");
    world
}

#[test]
fn names_types_flags_and_values() {
    let world = furnished();
    let pod = world.value("pods", "{.items[0].metadata.name}");
    for (line, expected) in [
        ("ge", "get :4"),
        ("get jo", "jobs :4"),
        ("get jobs he", "hello help :4"),
        ("get jobs hello he", "help :4"),
        ("get job/he", "job/hello job/help :4"),
        ("get cj,job ", "hello help nightly :4"),
        ("get -n team jobs ", "else :4"),
        ("get --namespace=te", "--namespace=team :4"),
        ("get pods -n ", "default team :4"),
        ("get -o custom", "custom-columns-file= custom-columns= :6"),
        ("describe job he", "hello help :4"),
        ("rerun ", "job/hello job/help :4"),
        ("suspend cj", " :4"),
        ("suspend cr", "cronjob/nightly :4"),
        ("next ", "cronjob/nightly :4"),
        ("logs jo", "job/ :6"),
        ("logs job/hello -c ", "main :4"),
        ("logs no-such -c ", " :4"),
        ("cordon ", "node1 :4"),
        ("wait --for=condition=co", "--for=condition=complete :4"),
        ("delete --cas", "--cascade :4"),
        ("delete --cascade=o", "--cascade=orphan :4"),
        ("run --array-format ", "csv jsonl lines :4"),
        ("create secret ge", "generic :4"),
        ("config set max", "maxPods :4"),
        ("completion z", "zsh :4"),
        ("apply -f ", ":0"),
        ("exec pod -- l", ":0"),
        ("nonsense ", " :4"),
        ("get --no-such=", " :4"),
    ] {
        assert_eq!(complete(&world, line), expected.trim_start(), "{line}");
    }
    assert_eq!(complete(&world, "exec "), format!("{pod} job/ statefulset/ :4"));
    assert_eq!(complete(&world, "cp ").split(' ').next(), Some(format!("{pod}:").as_str()));
    let said = world.command_of(vec!["__complete".into(), "ru".into()]).run().success().stdout;
    assert_eq!(
        said,
        "run\tSubmit a Job, follow its logs, wait for its end, and exit with the program's own exit code\n:4\n"
    );
    let _ = world.run("delete cronjob nightly").success();
}

#[test]
fn where_nothing_is_there_is_nothing_to_complete() {
    let world = World::new();
    assert_eq!(complete(&world, "get jobs "), ":4");
    assert_eq!(complete(&world, "get jobs --data-dir /no/such/place "), ":4");
    assert!(!world.store().exists(), "completion makes nothing");
}

fn is_installed(program: &str) -> bool {
    ["/bin", "/usr/bin", "/usr/local/bin"].iter().any(|place| Path::new(place).join(program).exists())
}

/// A shell at a terminal that has been told of the completions.
fn shell(world: &World, words: &[&str], setup: &str) -> AtTerminal {
    let binary = Path::new(env!("CARGO_BIN_EXE_jobctl")).parent().expect("a directory");
    let path = format!("{}:{}", binary.display(), "/usr/local/bin:/usr/bin:/bin");
    let invocation = world.command("").env("PATH", &path);
    let mut command = invocation.program("setsid");
    // A session of its own, whose terminal this is.
    command.args(["--ctty", "--wait"]).args(words);
    let mut terminal = AtTerminal::start_program(command);
    terminal.types(&format!("{setup}; echo set'-'up\n"));
    terminal.shows("set-up");
    terminal
}

/// In a shell, where there is one, lines with tabs in them come out as whole commands.
fn completes(words: &[&str], setup: &str) {
    if !is_installed(words[0]) {
        println!("skipped: {} is not installed", words[0]);
        return;
    }
    let world = furnished();
    let mut terminal = shell(&world, words, setup);
    for (typed, shown) in [
        ("jobctl get job/hel\tlo -o name; echo '<'1\n", "job.batch/hello"),
        ("jobctl get jobs hello -o jso\t; echo '<'2\n", "\"kind\": \"Job\""),
        ("jobctl wait --for=condition=comp\tjob/hello; echo '<'3\n", "job.batch/hello condition met"),
        ("jobctl get jobs -n tea\t-o name; echo '<'4\n", "job.batch/else"),
        ("jobctl apply -f manif\t; echo '<'5\n", "no objects passed to apply"),
        ("jobctl suspend cron\t; echo '<'6\n", "cronjob.batch/nightly suspended"),
    ] {
        terminal.types(typed);
        let number = typed.trim_end().chars().last().expect("a number");
        terminal.shows(&format!("<{number}"));
        terminal.shows(shown);
    }
    terminal.types("exit\n");
    assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
}

#[test]
fn contexts_are_those_of_the_kubeconfig() {
    let world = World::new();
    let _ = world.apply(&job("hello", "suspend: true", "true"));
    world.manifest("k", "contexts: [{name: prod, context: {}}, {name: jobctl, context: {}}]");
    let complete = |line: &str| {
        let words = ["__complete".to_owned()].into_iter().chain(line.split(' ').map(str::to_owned));
        let output = world.command_of(words.collect()).env("KUBECONFIG", "k").run().success();
        output.stdout.replace('\n', " ")
    };
    for (line, expected) in [
        ("config use-context ", "jobctl prod :4 "),
        ("get jobs --context=p", "--context=prod :4 "),
        ("get --kubeconfig k --context ", "jobctl prod :4 "),
        // The names of a cluster would take as long as the way there.
        ("get --context=prod jobs he", ":4 "),
        ("get --context=jobctl jobs he", "hello :4 "),
    ] {
        assert_eq!(complete(line), expected, "{line}");
    }
}

#[test]
fn bash_completes() {
    completes(&["bash", "--norc", "--noprofile", "-i"], "source <(jobctl completion bash)");
}

#[test]
fn zsh_completes() {
    let setup = "autoload -Uz compinit; compinit -u -D; source <(jobctl completion zsh)";
    completes(&["zsh", "-f", "-i"], setup);
}

#[test]
fn fish_completes() {
    completes(&["fish", "--no-config", "-i"], "jobctl completion fish | source");
}
