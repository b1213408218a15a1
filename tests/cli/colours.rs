//! Colours: at a terminal, and where they are asked for.

use crate::at_terminal::AtTerminal;
use crate::common::{World, job};

const FAILED: &str = "\u{1b}[31mFailed\u{1b}[0m";
const ERROR: &str = "\u{1b}[31;1merror:\u{1b}[0m";

#[test]
fn colours_are_for_terminals_and_for_whoever_asks() {
    let world = World::new();
    let _ = world.apply(&job("ends", "completions: 1", "true"));
    let _ = world.apply(&job("breaks", "backoffLimit: 0", "exit 3"));
    world.wait_for_end("ends");
    world.wait_for_end("breaks");
    let coloured = |line: &str| world.run(line).success().stdout.contains('\u{1b}');
    for plain in
        ["get jobs", "get pods", "get jobs,pods", "get jobs --color never", "get jobs -o yaml --color always"]
    {
        assert!(!coloured(plain), "{plain}");
    }
    let shown = world.run("get jobs,pods --color=always").success().stdout;
    assert!(shown.contains(FAILED) && shown.contains("\u{1b}[32mComplete\u{1b}[0m"), "{shown:?}");
    assert!(shown.contains("\u{1b}[31mError\u{1b}[0m"), "{shown:?}");
    let bare = shown.replace("\u{1b}[31m", "").replace("\u{1b}[32m", "").replace("\u{1b}[0m", "");
    let ages = |text: &str| crate::common::normalize(text);
    assert_eq!(ages(&bare), ages(&world.run("get jobs,pods").success().stdout));
    let of =
        |name: &str, value: &str, line: &str| world.command(line).env(name, value).run().success().stdout;
    assert!(of("CLICOLOR_FORCE", "1", "get jobs").contains(FAILED));
    assert!(!of("CLICOLOR_FORCE", "0", "get jobs").contains('\u{1b}'));
    assert!(of("NO_COLOR", "1", "get jobs --color=always").contains(FAILED));
    let at_terminal = |line: &str, name: &str| {
        let mut terminal = AtTerminal::start(&world.command(line).env(name, "1"));
        let code = terminal.ends();
        (code, terminal)
    };
    at_terminal("get jobs", "ANY").1.shows(FAILED);
    let (code, terminal) = at_terminal("get jobs nosuch -o nosuch", "ANY");
    assert_eq!(code, 1);
    terminal.shows(ERROR);
    let (_, terminal) = at_terminal("get jobs", "NO_COLOR");
    terminal.shows("Failed");
    assert!(!terminal.screen().contains('\u{1b}'), "{:?}", terminal.screen());
    let error = world.run("get jobs --color=green").failure();
    assert!(error.stderr.starts_with("error: "), "{}", error.stderr);
}
