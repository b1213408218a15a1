//! What is run when a Job has ended: ours, as no Kubernetes has it. A command and its arguments, never a line for a shell.

use super::ObjectMeta;
use super::meta::{ANNOTATION_ON_FAILURE, ANNOTATION_ON_SUCCESS, annotation};

/// The commands for all Jobs that do not have their own; an empty one is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// For Jobs that have failed.
    pub on_failure: Vec<String>,
    /// For Jobs that are complete.
    pub on_success: Vec<String>,
}

impl Hooks {
    /// What is run for an object that has ended; nothing where that is empty. Its annotation counts before what holds for all.
    pub fn command_for(&self, meta: &ObjectMeta, is_complete: bool) -> Vec<String> {
        let (key, of_all) = match is_complete {
            true => (ANNOTATION_ON_SUCCESS, &self.on_success),
            false => (ANNOTATION_ON_FAILURE, &self.on_failure),
        };
        let own = annotation(meta, key).and_then(|text| parse(text).ok());
        own.unwrap_or_else(|| of_all.clone())
    }
}

/// What a hook is called in Events: by the key that says it.
pub fn hook_name(is_complete: bool) -> &'static str {
    if is_complete { "on-success" } else { "on-failure" }
}

/// Reads a command: a list of words in JSON.
///
/// # Errors
/// It is no such list.
pub fn parse(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = serde_json::from_str(text)
        .map_err(|_| "must be a list of words, such as [\"notify\", \"failed\"]".to_owned())?;
    match words.iter().any(|word| word.contains('\0')) {
        true => Err("a word holds a NUL, which no program can be given".into()),
        false => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_counts_before_what_holds_for_all() {
        let hooks = Hooks { on_failure: vec!["all".into()], on_success: vec![] };
        let with = |text: &str| ObjectMeta {
            annotations: Some([(ANNOTATION_ON_FAILURE.to_owned(), text.to_owned())].into()),
            ..ObjectMeta::default()
        };
        assert_eq!(hooks.command_for(&ObjectMeta::default(), false), ["all"]);
        assert_eq!(hooks.command_for(&with(r#"["own", "a b"]"#), false), ["own", "a b"]);
        assert!(hooks.command_for(&with("[]"), false).is_empty());
        assert!(hooks.command_for(&with(r#"["own"]"#), true).is_empty());
        assert!(parse("notify").is_err() && parse(r#"["a\u0000"]"#).is_err() && parse("{}").is_err());
    }
}
