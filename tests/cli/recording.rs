//! The recording at the head of the README: made of `docs/recording.txt` by the real binary, so it shows what is true.
//! `UPDATE_DOCS=1 cargo test --test cli recording` makes it anew.

use std::fmt::Write as _;
use std::path::Path;

use crate::common::{World, normalize};

const COLUMNS: usize = 112;
const FONT: f64 = 14.0;
const LINE: f64 = 19.0;
const LETTER: f64 = 8.43;
const MARGIN: f64 = 16.0;
/// Seconds for a command to be read, and for its output.
const TO_TYPE: f64 = 1.2;
const TO_READ: f64 = 1.4;

/// A line of the screen: what it says, whether it is a command, and when it comes.
struct Shown {
    text: String,
    is_command: bool,
    at: f64,
}

fn play(world: &World, script: &str) -> Vec<Shown> {
    let binary = Path::new(env!("CARGO_BIN_EXE_jobctl")).parent().expect("a directory");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display());
    std::os::unix::fs::symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"), world.path("work/docs"))
        .expect("the examples");
    let mut shown = Vec::new();
    let mut at = 0.5;
    for line in script.lines() {
        shown.push(Shown { text: line.to_owned(), is_command: true, at });
        at += TO_TYPE;
        let ran = world.command("").env("PATH", &path).shell(&format!("{{ {line}; }} 2>&1"));
        // What ran before must not show in what comes next.
        world.assert_no_processes_left();
        for text in normalize(&String::from_utf8_lossy(&ran.stdout)).lines() {
            shown.push(Shown { text: text.to_owned(), is_command: false, at });
        }
        at += TO_READ;
    }
    shown
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A picture in which the lines come one after the other, for ever; without animation all of them are there.
fn picture(shown: &[Shown]) -> String {
    let lines: Vec<(&Shown, String)> = shown
        .iter()
        .flat_map(|line| {
            let text = if line.is_command { format!("$ {}", line.text) } else { line.text.clone() };
            let letters: Vec<char> = text.chars().collect();
            let parts: Vec<String> = letters.chunks(COLUMNS).map(|part| part.iter().collect()).collect();
            let parts = if parts.is_empty() { vec![String::new()] } else { parts };
            parts.into_iter().map(move |part| (line, part))
        })
        .collect();
    let (width, height) = (COLUMNS as f64 * LETTER + 2.0 * MARGIN, lines.len() as f64 * LINE + 2.0 * MARGIN);
    let round = shown.last().map_or(0.0, |last| last.at) + 5.0;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" role=\"img\">\n<style>\ntext {{ font: {FONT}px ui-monospace, Menlo, Consolas, 'DejaVu Sans \
         Mono', monospace; fill: #d6deeb; white-space: pre; }}\n.c {{ fill: #9ece6a; }}\n@media \
         (prefers-reduced-motion: no-preference) {{\n"
    );
    let mut times: Vec<f64> = shown.iter().map(|line| line.at).collect();
    times.dedup();
    for (number, at) in times.iter().enumerate() {
        let share = at / round * 100.0;
        let _ = writeln!(
            picture,
            ".t{number} {{ animation: t{number} {round:.1}s infinite; }}\n@keyframes t{number} {{ 0%, {share:.2}% {{ opacity: \
             0; }} {:.2}%, 100% {{ opacity: 1; }} }}",
            share + 0.01
        );
    }
    let _ =
        writeln!(picture, "}}\n</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1a1b26\"/>");
    for (number, (line, text)) in lines.iter().enumerate() {
        let y = MARGIN + LINE * number as f64 + FONT;
        let time = times.iter().position(|at| *at == line.at).expect("its time");
        let class = if line.is_command { format!("c t{time}") } else { format!("t{time}") };
        let _ =
            writeln!(picture, "<text x=\"{MARGIN}\" y=\"{y:.0}\" class=\"{class}\">{}</text>", escaped(text));
    }
    picture.push_str("</svg>\n");
    picture
}

#[test]
fn the_recording_shows_what_happens() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let script = std::fs::read_to_string(docs.join("recording.txt")).expect("the script");
    let made = picture(&play(&World::new(), &script));
    let path = docs.join("recording.svg");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).expect("write the recording");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == made,
        "docs/recording.svg is not what happens: UPDATE_DOCS=1 cargo test recording\n{made}"
    );
}
