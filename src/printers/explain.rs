//! `explain`: what the API says of a type or a field, in kubectl's layout.

use crate::api::kinds::Resource;
use crate::api::schema::{Field, Schema, Type, plain_name};

/// How long lines are, without what they are indented by.
const WIDTH: usize = 76;

/// How many words of a field are listed beside others.
const MOST_WORDS: usize = 4;

/// What stands above every explanation.
pub fn header(resource: &Resource) -> String {
    let group = match resource.group {
        "" => String::new(),
        group => format!("GROUP:      {group}\n"),
    };
    let version = resource.versions.first().copied().unwrap_or_default();
    format!("{group}KIND:       {}\nVERSION:    {version}\n\n", resource.name)
}

/// The explanation of a kind, or of the field that a path leads to; its end is the error, where it leads nowhere.
///
/// # Errors
/// The name of a field that is not there.
pub fn explain(
    schema: &Schema,
    resource: &Resource,
    path: &[&str],
    recursive: bool,
) -> Result<String, String> {
    let missing = || path.last().copied().unwrap_or_default().to_owned();
    let mut of_type = schema.types.get(resource.name);
    let mut field: Option<(&str, &Field)> = None;
    for name in path {
        let (name, found) =
            of_type.and_then(|of_type| of_type.fields.get_key_value(*name)).ok_or_else(missing)?;
        of_type = schema.types.get(&found.leads_to);
        field = Some((name, found));
    }
    let mut text = header(resource);
    let mut said: Vec<&str> = Vec::new();
    if let Some((name, field)) = field {
        text.push_str(&format!("FIELD: {name} <{}>\n", shown(&field.kind)));
        if field.words.is_empty() {
            text.push_str("\n\n");
        } else {
            text.push_str("ENUM:\n");
            field.words.iter().for_each(|word| text.push_str(&format!("    {word}\n")));
            text.push('\n');
        }
        said.push(&field.description);
        let plain = field.kind.trim_start_matches("[]").trim_start_matches("map[string]");
        said.extend(schema.plain.get(plain).map(String::as_str));
    }
    said.extend(of_type.map(|of_type| of_type.description.as_str()));
    text.push_str("DESCRIPTION:\n");
    for said in said.into_iter().filter(|said| !said.is_empty()) {
        text.push_str(&indented(said));
    }
    text.push_str("    \n");
    if let Some(of_type) = of_type {
        text.push_str("FIELDS:\n");
        fields(schema, of_type, 1, recursive, &mut text);
    }
    text.push('\n');
    Ok(text)
}

fn fields(schema: &Schema, of_type: &Type, level: usize, recursive: bool, text: &mut String) {
    let indent = "  ".repeat(level);
    for (name, field) in &of_type.fields {
        let required = if of_type.required.contains(name) { " -required-" } else { "" };
        text.push_str(&format!("{indent}{name}\t<{}>{required}\n", shown(&field.kind)));
        if !field.words.is_empty() {
            let mut words: Vec<&str> = field.words.iter().map(String::as_str).collect();
            // The field's own explanation has all of them.
            if words.len() > MOST_WORDS {
                words.truncate(MOST_WORDS);
                words.push("....");
            }
            text.push_str(&format!("{indent}enum: {}\n", words.join(", ")));
        }
        if recursive {
            if let Some(inner) = schema.types.get(&field.leads_to) {
                fields(schema, inner, level + 1, recursive, text);
            }
            continue;
        }
        text.push_str(&format!("{}\n", indented(&field.description)));
    }
}

/// A type as it is shown: what is a text on the wire is called that.
fn shown(kind: &str) -> String {
    let (many, one) = match kind.rfind(']') {
        Some(end) => kind.split_at(end + 1),
        None => ("", kind),
    };
    let one = match plain_name(one) {
        "Time" | "MicroTime" => "string",
        other => other,
    };
    format!("{many}{one}")
}

/// Text in lines, four blanks before each.
fn indented(text: &str) -> String {
    wrapped(text).lines().map(|line| format!("    {line}\n")).collect()
}

/// Breaks lines that are too long between words, and leaves all else as it is. A word that is itself too long stays whole.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut width = 0;
        let mut rest = paragraph;
        while !rest.is_empty() {
            let blanks = rest.len() - rest.trim_start().len();
            let end = rest[blanks..].find(char::is_whitespace).map_or(rest.len(), |end| blanks + end);
            let (space, word) = (&rest[..blanks], &rest[blanks..end]);
            let (space_width, word_width) = (space.chars().count(), word.chars().count());
            if !word.is_empty()
                && width + space_width + word_width > WIDTH
                && (word_width < WIDTH || width > 0)
            {
                lines.push(std::mem::take(&mut line));
                width = 0;
            } else {
                line.push_str(space);
                width += space_width;
            }
            line.push_str(word);
            width += word_width;
            rest = &rest[end..];
        }
        lines.push(line);
    }
    lines.join("\n")
}
