//! Other values in a kubeconfig, whose text is otherwise left as it is: comments, order and all. Pure.

use serde_json::Value;

use crate::api::decode::documents;

/// How many places of a text are tried.
const MOST_TRIES: usize = 256;
/// Beside which keys of the provider `oidc` another one may be put.
const NEIGHBOURS: [&str; 3] = ["refresh-token", "client-id", "idp-issuer-url"];

/// The text with another value for a key of a user's `auth-provider`; nothing where no place is found that changes that alone.
pub(super) fn with_value(text: &str, user: &str, key: &str, value: &str) -> Option<String> {
    let before = read(text)?;
    let mut wanted = before.clone();
    let config = config_of(&mut wanted, user)?;
    let old = config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    config[key] = value.into();
    if wanted == before {
        return Some(text.to_owned());
    }
    let quoted = Value::from(value).to_string();
    let candidates =
        if old.is_empty() { put(text, key, &quoted) } else { replaced(text, &old, value, &quoted) };
    candidates.into_iter().take(MOST_TRIES).find(|candidate| read(candidate).as_ref() == Some(&wanted))
}

fn read(text: &str) -> Option<Value> {
    documents(text.as_bytes()).next()?.ok().map(|parsed| parsed.value)
}

fn config_of<'a>(kubeconfig: &'a mut Value, user: &str) -> Option<&'a mut Value> {
    let users = kubeconfig.get_mut("users")?.as_array_mut()?;
    let named = users.iter_mut().find(|named| named["name"] == user)?;
    named.get_mut("user")?.get_mut("auth-provider")?.get_mut("config").filter(|config| config.is_object())
}

/// The text with the value in the place of each that is there, as it stands and in quotes.
fn replaced(text: &str, old: &str, value: &str, quoted: &str) -> Vec<String> {
    let mut candidates = Vec::new();
    for (at, _) in text.match_indices(old) {
        let (before, after) = (&text[..at], &text[at + old.len()..]);
        candidates.push(format!("{before}{value}{after}"));
        candidates.push(format!("{before}{quoted}{after}"));
        let within = |quote: char| Some((before.strip_suffix(quote)?, after.strip_prefix(quote)?));
        if let Some((before, after)) = within('"').or_else(|| within('\'')) {
            candidates.push(format!("{before}{quoted}{after}"));
        }
    }
    candidates
}

/// The text with a key that it does not have, or that has no value.
fn put(text: &str, key: &str, quoted: &str) -> Vec<String> {
    let mut candidates = Vec::new();
    for (at, _) in text.match_indices(key) {
        let end = at + key.len();
        let rest = text[end..].trim_start_matches(['"', '\'']);
        let Some(rest) = rest.strip_prefix(':') else { continue };
        let head = &text[..text.len() - rest.len()];
        let value = rest.trim_start_matches(' ');
        for empty in ["\"\"", "''", "null", "~", ""] {
            if let Some(rest) = value.strip_prefix(empty) {
                candidates.push(format!("{head} {quoted}{rest}"));
            }
        }
    }
    for neighbour in NEIGHBOURS {
        for (at, _) in text.match_indices(neighbour) {
            let quote = text[..at].ends_with(['"', '\'']);
            let at = if quote { at - 1 } else { at };
            let (before, after) = text.split_at(at);
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            let indent = &before[line..];
            if indent.trim().is_empty() {
                candidates.push(format!("{before}{key}: {quoted}\n{indent}{after}"));
            }
            candidates.push(format!("{before}\"{key}\": {quoted}, {after}"));
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "# mine\r\nusers:\n- name: other\n  user: {auth-provider: {name: oidc, config: {id-token: a.b.c}}}\n- user:\n    \
                         auth-provider:\n      name: oidc  # kubectl's\n      config:\n        client-id: a\n        \
                         id-token: a.b.c\n        refresh-token: r\n  name: me\n";

    #[test]
    fn only_the_value_of_that_user_is_another() {
        let new = with_value(BLOCK, "me", "id-token", "d.e.f").expect("a place");
        assert_eq!(new, BLOCK.replace("        id-token: a.b.c", "        id-token: d.e.f"));
        let new = with_value(BLOCK, "me", "refresh-token", "- \"x").expect("a place");
        assert_eq!(new, BLOCK.replace("refresh-token: r", "refresh-token: \"- \\\"x\""));
        assert_eq!(with_value(BLOCK, "me", "id-token", "a.b.c").as_deref(), Some(BLOCK));
        assert_eq!(with_value(BLOCK, "nobody", "id-token", "x"), None);
        let other = with_value(BLOCK, "other", "id-token", "d.e.f").expect("a place");
        assert_eq!(other, BLOCK.replacen("a.b.c", "d.e.f", 1));
    }

    #[test]
    fn a_value_is_put_where_there_is_none() {
        for (text, expected) in [
            (BLOCK.replace("        id-token: a.b.c\n", ""), "        id-token: \"d.e.f\"\n        refresh-token: r\n"),
            (BLOCK.replace("        id-token: a.b.c", "        id-token:"), "        id-token: \"d.e.f\"\n"),
            (BLOCK.replace("        id-token: a.b.c", "        id-token: ''"), "        id-token: \"d.e.f\"\n"),
            (
                "users: [{name: me, user: {auth-provider: {name: oidc, config: {refresh-token: r}}}}]".to_owned(),
                "config: {\"id-token\": \"d.e.f\", refresh-token: r}",
            ),
            (
                "{\"users\":[{\"name\":\"me\",\"user\":{\"auth-provider\":{\"config\":{\"refresh-token\":\"r\"}}}}]}".to_owned(),
                "{\"id-token\": \"d.e.f\", \"refresh-token\":\"r\"}",
            ),
        ] {
            let new = with_value(&text, "me", "id-token", "d.e.f").unwrap_or_else(|| panic!("no place in {text}"));
            assert!(new.contains(expected), "{new}");
        }
    }
}
