//! The line that shows at a terminal what a verb is waiting for.

use crate::at_terminal::AtTerminal;
use crate::common::{World, job};

/// A Job of three indexes that print something and wait for the file `go`.
fn gated(world: &World) -> String {
    let go = world.path("work/go");
    let script = format!(
        "echo from $JOB_COMPLETION_INDEX; until [ -e {} ]; do sleep 0.02; done; echo over $JOB_COMPLETION_INDEX",
        go.display()
    );
    let manifest = job("x", "completions: 3\nparallelism: 2\ncompletionMode: Indexed", &script);
    let _ = world.manifest("x.yaml", &manifest);
    "run -f x.yaml".into()
}

fn open(world: &World) {
    let _ = world.manifest("go", "");
}

/// What a terminal shows in the end, of text, `\r`, `\n` and the one sequence that clears to the end of the screen.
fn shown(bytes: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let mut column = 0;
    let mut rest = bytes;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\u{1b}[J") {
            lines.last_mut().expect("a line").truncate(column);
            rest = after;
            continue;
        }
        match next {
            '\r' => column = 0,
            '\n' => lines.push(Vec::new()),
            '\u{1b}' => panic!("an unknown sequence: {rest:?}"),
            other => {
                let line = lines.last_mut().expect("a line");
                line.resize(line.len().max(column + 1), ' ');
                line[column] = other;
                column += 1;
            }
        }
        rest = &rest[next.len_utf8()..];
    }
    lines.into_iter().map(|line| line.into_iter().collect()).collect()
}

#[test]
fn run_shows_how_far_it_is_and_leaves_no_trace_of_it() {
    let world = World::new();
    let mut terminal = AtTerminal::start(&world.command(&gated(&world)));
    terminal.shows("job.batch/x: 0/3 done, 2 running, ");
    open(&world);
    assert_eq!(terminal.ends(), 0);
    terminal.shows("EXIT CODE");
    terminal.shows("x     Complete");
    let screen = shown(&terminal.screen());
    let mut lines: Vec<&str> =
        screen.iter().map(String::as_str).filter(|line| line.starts_with('[')).collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 6, "{screen:?}");
    for (index, two) in lines.chunks(2).enumerate() {
        assert!(two[0].starts_with(&format!("[pod/x-{index}-")), "{two:?}");
        assert!(
            two[0].ends_with(&format!("from {index}")) && two[1].ends_with(&format!("over {index}")),
            "{two:?}"
        );
    }
    assert_eq!(
        screen.len(),
        9,
        "the output, the summary of two lines, and where the prompt comes: {screen:?}"
    );
    assert_eq!(screen.last().map(String::as_str), Some(""));
}

#[test]
fn the_line_fits_into_a_terminal_that_changes_its_size() {
    let world = World::new();
    let mut terminal = AtTerminal::start(&world.command(&gated(&world)));
    terminal.shows("job.batch/x: 0/3 done, 2 running, ");
    let before = terminal.screen().len();
    terminal.resize(10, 20);
    crate::common::eventually(crate::common::SOON, || {
        terminal.screen()[before..].matches("\r\u{1b}[Jjob.batch/x: 0/3 do\r").count() >= 2
    });
    open(&world);
    assert_eq!(terminal.ends(), 0);
}

#[test]
fn nobody_but_a_person_is_shown_it() {
    let world = World::new();
    let command = gated(&world);
    let plain = |script: &str| {
        let _ = std::fs::remove_file(world.path("work/go"));
        let mut program = world.command("").program("sh");
        program.args(["-c", script, env!("CARGO_BIN_EXE_jobctl")]);
        let mut terminal = AtTerminal::start_program(program);
        terminal.shows("from 1");
        // Longer than the line would take to appear, told by the clock of another command.
        let slow = world.command("wait --for=condition=Complete job/x --timeout=1s").run();
        let _ = slow.failure();
        open(&world);
        assert_eq!(terminal.ends(), 0, "{script}");
        assert!(!terminal.screen().contains("/3 done"), "{script}: {:?}", terminal.screen());
        let _ = world.command("delete job x").run().success();
    };
    plain(&format!("TERM=dumb exec \"$0\" {command}"));
    plain(&format!("CI=true exec \"$0\" {command}"));
    plain(&format!("exec \"$0\" {command} --quiet"));
    plain(&format!("\"$0\" {command} | cat"));
    plain(&format!("\"$0\" {command} 2>&1 | cat"));
}

#[test]
fn wait_and_delete_say_what_they_wait_for() {
    let world = World::new();
    gated(&world);
    let _ = world.command("apply -f x.yaml").run().success();
    let mut waiting = AtTerminal::start(&world.command("wait --for=condition=Complete job/x"));
    waiting.shows("job.batch/x: 0/3 done, 2 running, ");
    let mut deleting = AtTerminal::start(&world.command("wait --for=delete job/x"));
    deleting.shows("waiting for job.batch/x to be gone, ");
    open(&world);
    assert_eq!(waiting.ends(), 0);
    waiting.shows("job.batch/x condition met");
    assert_eq!(shown(&waiting.screen()), ["job.batch/x condition met", ""]);
    let _ = world.command("delete job x").run().success();
    assert_eq!(deleting.ends(), 0);
    let stubborn = job("stubborn", "completions: 1", "trap '' TERM; echo up; while :; do sleep 0.1; done");
    let _ = world.manifest("stubborn.yaml", &stubborn);
    let _ = world.command("apply -f stubborn.yaml").run().success();
    let up = || world.command("logs job/stubborn").run().stdout.contains("up");
    crate::common::eventually(crate::common::SOON, up);
    let mut deleting = AtTerminal::start(&world.command("delete job stubborn --cascade=foreground"));
    deleting.shows("waiting for job.batch/stubborn");
    deleting.shows(" to be gone, ");
    assert_eq!(deleting.ends(), 0);
    assert_eq!(shown(&deleting.screen()).len(), 2, "{:?}", deleting.screen());
}
