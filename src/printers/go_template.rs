//! Go's text templates, as `-o go-template` has them: all of the language but `define`, `template`, `block` and the functions
//! `call` and `js`, which an error names.

mod evaluate;
mod functions;
mod lex;
mod parse;
mod printf;
mod value;

use serde_json::Value;

use super::go_value::{compact_json, plain};
use super::jsonpath::Error;
use crate::api::quoted::quoted;
use parse::Item;

/// A parsed template.
#[derive(Debug, Clone)]
pub struct GoTemplate {
    text: String,
    items: Vec<Item>,
    needs_keys: bool,
}

/// Why a template could not be executed, and what kubectl prints before it says so.
#[derive(Debug)]
pub struct Failed {
    /// The output so far and all that may help.
    pub printed: String,
    /// kubectl's sentence.
    pub error: Error,
}

impl GoTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// kubectl's sentence.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error("template format specified but no template given".into()));
        }
        match parse::parse(text) {
            Ok(items) => Ok(Self { text: text.to_owned(), items, needs_keys: false }),
            Err(reason) => Err(Error(format!("error parsing template {text}, template: {reason}"))),
        }
    }

    /// The same template, for which a key that is not there is an error.
    pub fn that_needs_keys(self) -> Self {
        Self { needs_keys: true, ..self }
    }

    /// What the template makes of an object.
    ///
    /// # Errors
    /// What the template asks for and the object does not have.
    pub fn execute(&self, object: &Value) -> Result<String, Failed> {
        let (printed, done) = evaluate::execute(&self.items, object, self.needs_keys);
        let problem = match done {
            Ok(()) => return Ok(printed),
            Err(problem) => problem,
        };
        let before = &self.text[..problem.at.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let reason = format!(
            "template: output:{line}:{column}: executing \"output\" at <{}>: {}",
            problem.part, problem.reason
        );
        Err(Failed {
            printed: format!(
                "{printed}Error executing template: {reason}. Printing more information for debugging the \
                 template:\n\ttemplate was:\n\t\t{}\n\traw data was:\n\t\t{}\n\tobject given to template engine \
                 was:\n\t\t{}\n\n",
                self.text,
                compact_json(object),
                plain(object)
            ),
            error: Error(format!("error executing template {}: {reason}", quoted(&self.text))),
        })
    }
}

#[cfg(test)]
mod tests;
