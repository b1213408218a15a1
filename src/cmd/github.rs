//! What GitHub Actions shows beside a step: errors as workflow commands.

use super::output::complain;

/// Has an error shown as an annotation, where this runs as a step of GitHub Actions. `file` is the manifest that it is about.
pub(super) fn annotate(title: &str, message: &str, file: Option<&str>) {
    if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        complain(&command(title, message, file));
    }
}

/// The workflow command; what has a meaning in it is escaped.
fn command(title: &str, message: &str, file: Option<&str>) -> String {
    let file = file.map_or_else(String::new, |file| format!("file={},", property(file)));
    format!("::error {file}title={}::{}", property(title), data(message.trim_end()))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(
            command("a: b, c", "100 %: one,\ntwo\n", Some("x,y.yaml")),
            "::error file=x%2Cy.yaml,title=a%3A b%2C c::100 %25: one,%0Atwo"
        );
        assert_eq!(command("t", "m", None), "::error title=t::m");
    }
}
