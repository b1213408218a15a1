//! Whether bytes are a JSON object, in the words of Go's `json.Unmarshal`.

use serde_json::Value;

use super::json::syntax;
use crate::api::quoted::quoted;

/// What is wrong with bytes that should be a JSON object; nothing where they are one, or null.
pub(crate) fn json_problem(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    match syntax::problem(&text) {
        Some(syntax::Problem::Character(_, problem)) => return Some(problem),
        Some(syntax::Problem::End) => return Some("unexpected end of JSON input".into()),
        None => {}
    }
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let value = values.next().and_then(Result::ok)?;
    if let Some(next) =
        text[values.byte_offset()..].trim_start_matches([' ', '\t', '\r', '\n']).chars().next()
    {
        let shown = quoted(next.encode_utf8(&mut [0; 4]));
        return Some(format!("invalid character '{}' after top-level value", &shown[1..shown.len() - 1]));
    }
    let found = match value {
        Value::Object(_) | Value::Null => return None,
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
    };
    Some(format!("json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_is_one() {
        for (text, problem) in [
            ("{\"auths\": {}}\n", None),
            ("null", None),
            ("", Some("unexpected end of JSON input")),
            ("{", Some("unexpected end of JSON input")),
            ("hello", Some("invalid character 'h' looking for beginning of value")),
            ("{} x", Some("invalid character 'x' after top-level value")),
            ("[]", Some("json: cannot unmarshal array into Go value of type map[string]interface {}")),
        ] {
            assert_eq!(json_problem(text.as_bytes()).as_deref(), problem, "{text}");
        }
    }
}
