//! Label selectors: the `-l` grammar and the `LabelSelector` of a spec, as one list of requirements.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

use crate::api::names;
use crate::api::quoted::quoted;

/// A comparison of one label with a set of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `k=v`
    Equals,
    /// `k==v`, the same as `Equals` but printed as it was written
    DoubleEquals,
    /// `k!=v`; also true of objects without the label
    NotEquals,
    /// `k in (a,b)`
    In,
    /// `k notin (a,b)`; also true of objects without the label
    NotIn,
    /// `k`
    Exists,
    /// `!k`
    DoesNotExist,
    /// `k>1`
    GreaterThan,
    /// `k<1`
    LessThan,
}

/// One condition of a label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label's key.
    pub key: String,
    /// How the label is compared.
    pub operator: Operator,
    /// What it is compared with; empty for the existence operators.
    pub values: BTreeSet<String>,
}

/// A parsed label selector: all requirements must hold, so the empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
    matches_nothing: bool,
}

impl LabelSelector {
    /// The selector that matches every object.
    pub fn everything() -> Self {
        Self::default()
    }

    /// The selector that matches no object, which is what an absent `LabelSelector` means.
    pub fn nothing() -> Self {
        Self { requirements: Vec::new(), matches_nothing: true }
    }

    /// Parses the text given to `-l`; the error is upstream's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        Parser { tokens: lex(text), position: 0 }.parse()
    }

    /// The selector a spec holds as an object.
    pub fn from_object(selector: &meta::LabelSelector) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            requirements.push(Requirement::new(key, Operator::Equals, BTreeSet::from([value.clone()]))?);
        }
        for expression in selector.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => return Err(format!("{} is not a valid label selector operator", quoted(other))),
            };
            let values = expression.values.iter().flatten().cloned().collect();
            requirements.push(Requirement::new(&expression.key, operator, values)?);
        }
        Ok(Self { requirements, matches_nothing: false })
    }

    /// The conditions, in the order they were written.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// True if nothing is asked, so that every object matches.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty() && !self.matches_nothing
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches_with(|key| labels.get(key).map(String::as_str))
    }

    /// Whether an object is selected, with its labels read through `label`.
    pub fn matches_with<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        !self.matches_nothing && self.requirements.iter().all(|r| r.matches(label(&r.key)))
    }
}

/// Sorted by key, as upstream prints a selector.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted: Vec<&Requirement> = self.requirements.iter().collect();
        sorted.sort_by(|a, b| a.key.cmp(&b.key));
        for (i, requirement) in sorted.into_iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

impl Requirement {
    /// A checked requirement; the error is upstream's.
    pub fn new(key: &str, operator: Operator, values: BTreeSet<String>) -> Result<Self, String> {
        validate_key(key)?;
        match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                return Err(
                    "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
                        .into(),
                );
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                let values = values.iter().map(|v| quoted(v)).collect::<Vec<_>>().join(",");
                return Err(format!(
                    "values: Invalid value: [{values}]: values set must be empty for exists and does not exist"
                ));
            }
            Operator::GreaterThan | Operator::LessThan => {
                for (i, value) in values.iter().enumerate() {
                    if value.parse::<i64>().is_err() {
                        return Err(format!(
                            "values[{i}]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an integer",
                            quoted(value)
                        ));
                    }
                }
            }
            _ => {}
        }
        for (i, value) in values.iter().enumerate() {
            let problems = names::label_value(value);
            if !problems.is_empty() {
                return Err(format!(
                    "values[{i}][{key}]: Invalid value: {}: {}",
                    quoted(value),
                    problems.join("; ")
                ));
            }
        }
        Ok(Self { key: key.to_owned(), operator, values })
    }

    /// Whether a label with this value, or none, is as required.
    pub fn matches(&self, label: Option<&str>) -> bool {
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => {
                label.is_some_and(|l| self.values.contains(l))
            }
            Operator::NotEquals | Operator::NotIn => label.is_none_or(|l| !self.values.contains(l)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan | Operator::LessThan => {
                let number = |text: &str| text.parse::<i64>().ok();
                match (label.and_then(number), self.values.first().and_then(|v| number(v))) {
                    (Some(l), Some(v)) if self.operator == Operator::GreaterThan => l > v,
                    (Some(l), Some(v)) => l < v,
                    _ => false,
                }
            }
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = || self.values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let key = &self.key;
        match self.operator {
            Operator::Exists => f.write_str(key),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::Equals => write!(f, "{key}={}", values()),
            Operator::DoubleEquals => write!(f, "{key}=={}", values()),
            Operator::NotEquals => write!(f, "{key}!={}", values()),
            Operator::GreaterThan => write!(f, "{key}>{}", values()),
            Operator::LessThan => write!(f, "{key}<{}", values()),
            Operator::In => write!(f, "{key} in ({})", values()),
            Operator::NotIn => write!(f, "{key} notin ({})", values()),
        }
    }
}

fn validate_key(key: &str) -> Result<(), String> {
    let problems = names::qualified_name(key);
    if problems.is_empty() {
        Ok(())
    } else {
        // The root field path is nil in Go, and upstream prints it as it is.
        Err(format!("<nil>: Invalid value: {}: {}", quoted(key), problems.join("; ")))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Word,
    Open,
    Close,
    Comma,
    Not,
    Compare(Operator),
    End,
}

fn symbol(text: &str) -> Option<Token> {
    Some(match text {
        "(" => Token::Open,
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "=" => Token::Compare(Operator::Equals),
        "==" => Token::Compare(Operator::DoubleEquals),
        "!=" => Token::Compare(Operator::NotEquals),
        ">" => Token::Compare(Operator::GreaterThan),
        "<" => Token::Compare(Operator::LessThan),
        _ => return None,
    })
}

/// Ends with any number of `End` tokens, see `Parser::peek`.
fn lex(text: &str) -> Vec<(Token, &str)> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let is_special = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let (token, length) = if is_special(first) {
            match rest.get(..2).and_then(symbol) {
                Some(token) => (token, 2),
                // Every special character is a token by itself.
                None => (symbol(&rest[..1]).unwrap_or(Token::End), 1),
            }
        } else {
            (Token::Word, rest.find(|c| is_space(c) || is_special(c)).unwrap_or(rest.len()))
        };
        tokens.push((token, &rest[..length]));
        rest = rest[length..].trim_start_matches(is_space);
    }
    tokens
}

struct Parser<'a> {
    tokens: Vec<(Token, &'a str)>,
    position: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> (Token, &'a str) {
        self.tokens.get(self.position).copied().unwrap_or((Token::End, ""))
    }

    fn next(&mut self) -> (Token, &'a str) {
        let token = self.peek();
        self.position += 1;
        token
    }

    fn parse(mut self) -> Result<LabelSelector, String> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::End, _) => break,
                (Token::Word | Token::Not, _) => {
                    requirements.push(
                        self.requirement()
                            .map_err(|reason| format!("unable to parse requirement: {reason}"))?,
                    );
                    match self.next() {
                        (Token::End, _) => break,
                        (Token::Comma, _) => {
                            let (token, literal) = self.peek();
                            if !matches!(token, Token::Word | Token::Not) {
                                return Err(format!("found '{literal}', expected: identifier after ','"));
                            }
                        }
                        (_, literal) => {
                            return Err(format!("found '{literal}', expected: ',' or 'end of string'"));
                        }
                    }
                }
                (_, literal) => {
                    return Err(format!("found '{literal}', expected: !, identifier, or 'end of string'"));
                }
            }
        }
        Ok(LabelSelector { requirements, matches_nothing: false })
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (mut token, mut key) = self.next();
        let negated = token == Token::Not;
        if negated {
            (token, key) = self.next();
        }
        if token != Token::Word {
            return Err(format!("found '{key}', expected: identifier"));
        }
        validate_key(key)?;
        if negated {
            return Requirement::new(key, Operator::DoesNotExist, BTreeSet::new());
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Requirement::new(key, Operator::Exists, BTreeSet::new());
        }
        let operator = match self.next() {
            (Token::Word, "in") => Operator::In,
            (Token::Word, "notin") => Operator::NotIn,
            (Token::Compare(operator), _) => operator,
            (_, literal) => {
                return Err(format!("found '{literal}', expected: in, notin, =, ==, !=, gt, lt"));
            }
        };
        let values = match operator {
            Operator::In | Operator::NotIn => self.value_set()?,
            _ => self.exact_value()?,
        };
        Requirement::new(key, operator, values)
    }

    fn exact_value(&mut self) -> Result<BTreeSet<String>, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.next() {
            (Token::Word, value) => Ok(BTreeSet::from([value.to_owned()])),
            (_, literal) => Err(format!("found '{literal}', expected: identifier")),
        }
    }

    fn value_set(&mut self) -> Result<BTreeSet<String>, String> {
        let (token, literal) = self.next();
        if token != Token::Open {
            return Err(format!("found '{literal}' expected: '('"));
        }
        let mut values = BTreeSet::new();
        match self.peek() {
            (Token::Word | Token::Comma, _) => {}
            (Token::Close, _) => {
                self.next();
                // Upstream reads `()` as the set of the empty string.
                return Ok(BTreeSet::from([String::new()]));
            }
            (_, literal) => return Err(format!("found '{literal}', expected: ',', ')' or identifier")),
        }
        loop {
            match self.next() {
                (Token::Word, value) => {
                    values.insert(value.to_owned());
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => break,
                        (_, literal) => return Err(format!("found '{literal}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    match self.peek() {
                        (Token::Close, _) => {
                            values.insert(String::new());
                            break;
                        }
                        (Token::Comma, _) => {
                            self.next();
                            values.insert(String::new());
                        }
                        _ => {}
                    }
                }
                (_, literal) => return Err(format!("found '{literal}', expected: ',', or identifier")),
            }
        }
        self.next();
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn selectors_choose_by_labels() {
        let object =
            labels(&[("app", "web"), ("tier", ""), ("in", "in"), ("n", "5"), ("x.io/job-name", "pi")]);
        for (sentence, selector, expected) in [
            ("nothing asked matches", "", true),
            ("blank is nothing asked", "  ", true),
            ("equality", "app=web", true),
            ("double equality", "app == web", true),
            ("another value", "app=db", false),
            ("inequality", "app!=web", false),
            ("inequality of an absent label holds", "nope!=web", true),
            ("existence", "app", true),
            ("existence of an absent label", "nope", false),
            ("absence", "!nope", true),
            ("absence of a present label", "!app", false),
            ("a set", "app in (db, web)", true),
            ("a set without it", "app in (db)", false),
            ("outside a set", "app notin (db)", true),
            ("outside a set, absent label", "nope notin (db)", true),
            ("inside the excluded set", "app notin (web,db)", false),
            ("all must hold", "app=web,tier", true),
            ("all must hold, one fails", "app=web,!tier", false),
            ("the empty value", "tier=", true),
            ("the empty value in a set", "tier in (,a)", true),
            ("words of the grammar are names too", "in in (in)", true),
            ("greater", "n>4", true),
            ("less", "n<5", false),
            ("a prefixed key", "x.io/job-name=pi", true),
        ] {
            let parsed = LabelSelector::parse(selector).unwrap_or_else(|e| panic!("{sentence}: {e}"));
            assert_eq!(parsed.matches(&object), expected, "{sentence}: {selector}");
        }
    }

    #[test]
    fn errors_are_those_of_kubectl() {
        for (selector, expected) in [
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("!a b", "found 'b', expected: ',' or 'end of string'"),
            ("!", "unable to parse requirement: found '', expected: identifier"),
            ("a,", "found '', expected: identifier after ','"),
            (",a", "found ',', expected: !, identifier, or 'end of string'"),
            ("a,,b", "found ',', expected: identifier after ','"),
            ("a!b", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a=(b)", "unable to parse requirement: found '(', expected: identifier"),
            ("a in", "unable to parse requirement: found '' expected: '('"),
            ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
            ("a in ((b)", "unable to parse requirement: found '(', expected: ',', ')' or identifier"),
            ("a in (b,", "unable to parse requirement: found '', expected: ',', or identifier"),
            ("a===b", "unable to parse requirement: found '=', expected: identifier"),
            ("!notin (a)", "found '(', expected: ',' or 'end of string'"),
            ("a!=b!=c", "found '!=', expected: ',' or 'end of string'"),
            (
                "/a",
                "unable to parse requirement: <nil>: Invalid value: \"/a\": prefix part must be non-empty",
            ),
            (
                "a>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value \
                 must be an integer",
            ),
            (
                "a in (b,c,-x)",
                "unable to parse requirement: values[0][a]: Invalid value: \"-x\": a valid label must be an empty \
                 string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                 alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
                 '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
            ),
            (
                "a/",
                "unable to parse requirement: <nil>: Invalid value: \"a/\": name part must be non-empty; name part \
                 must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                 alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                 '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            ),
        ] {
            assert_eq!(LabelSelector::parse(selector), Err(expected.to_owned()), "{selector}");
        }
    }

    #[test]
    fn a_selector_object_is_printed_sorted() {
        let object: meta::LabelSelector = serde_json::from_value(serde_json::json!({
            "matchLabels": {"b": "1"},
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["y", "x"]},
                {"key": "c", "operator": "DoesNotExist"},
            ],
        }))
        .unwrap();
        let selector = LabelSelector::from_object(&object).unwrap();
        assert_eq!(selector.to_string(), "a in (x,y),b=1,!c");
        assert!(selector.matches(&labels(&[("a", "x"), ("b", "1")])));
        assert!(!selector.matches(&labels(&[("a", "x"), ("b", "1"), ("c", "")])));
        assert!(!LabelSelector::nothing().matches(&labels(&[])));
    }
}
