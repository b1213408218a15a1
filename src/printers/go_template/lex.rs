//! The text of a Go template -> text and actions, and the words in these.

/// Text between actions, or an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action(Action),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Action {
    pub(super) at: usize,
    pub(super) words: Vec<Word>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) at: usize,
    pub(super) text: String,
    /// Whether it follows the word before it without a space.
    pub(super) is_joined: bool,
    pub(super) token: Token,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    /// With its `$`.
    Variable(String),
    Field(String),
    Dot,
    Int(i64),
    Float(f64),
    Text(String),
    /// What stands in parentheses.
    Open(Vec<Word>),
    Bar,
    Comma,
    Declare,
    Assign,
}

/// Where something is wrong, and what.
type Problem = (usize, String);

const OPEN: &str = "{{";
const CLOSE: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Splits a template.
///
/// # Errors
/// What Go says of it, and where.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut trims = false;
    loop {
        let rest = &text[at..];
        let end = rest.find(OPEN);
        let mut before = &rest[..end.unwrap_or(rest.len())];
        if trims {
            before = before.trim_start_matches(SPACES);
        }
        let Some(end) = end else {
            push(&mut pieces, before);
            return Ok(pieces);
        };
        let mut inside = at + end + OPEN.len();
        if text[inside..].starts_with('-') && text[inside + 1..].starts_with(SPACES) {
            before = before.trim_end_matches(SPACES);
            inside += 2;
        }
        push(&mut pieces, before);
        let (closed, trims_after) = if let Some(comment) = text[inside..].strip_prefix("/*") {
            let Some(length) = comment.find("*/") else { return Err((inside, "unclosed comment".into())) };
            let after = inside + 2 + length + 2;
            closing(text, after).ok_or((inside, "comment ends before closing delimiter".to_owned()))?
        } else {
            let mut words = Words { text, at: inside, depth: 0 };
            let found = words.until(false)?;
            pieces.push(Piece::Action(Action { at: inside, words: found }));
            closing(text, words.at).ok_or((inside, "unclosed action".to_owned()))?
        };
        (at, trims) = (closed, trims_after);
    }
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// Where the action that ends here is over, and whether what follows loses its leading space.
fn closing(text: &str, at: usize) -> Option<(usize, bool)> {
    let rest = &text[at..];
    let trimmed = rest.trim_start_matches(SPACES);
    let spaces = rest.len() - trimmed.len();
    if trimmed.starts_with(CLOSE) {
        return Some((at + spaces + CLOSE.len(), false));
    }
    (spaces > 0 && trimmed.starts_with("-}}")).then_some((at + spaces + 1 + CLOSE.len(), true))
}

/// How deep parentheses and blocks may be in each other.
pub(super) const MAX_DEPTH: usize = 200;

struct Words<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Words<'_> {
    /// The words up to the end of the action, or of the parentheses.
    fn until(&mut self, in_parentheses: bool) -> Result<Vec<Word>, Problem> {
        let mut words = Vec::new();
        loop {
            let before = self.at;
            if !in_parentheses && closing(self.text, self.at).is_some() {
                return Ok(words);
            }
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start_matches(SPACES).len();
            let is_joined = self.at == before && !words.is_empty();
            let start = self.at;
            let Some(first) = self.text[start..].chars().next() else {
                let what = if in_parentheses { "unclosed left paren" } else { "unclosed action" };
                return Err((start.saturating_sub(1), what.into()));
            };
            if first == ')' {
                if !in_parentheses {
                    return Err((start, "unexpected right paren U+0029 ')'".into()));
                }
                self.at += 1;
                return Ok(words);
            }
            if in_parentheses && self.text[start..].starts_with(CLOSE) {
                return Err((start, "unclosed left paren".into()));
            }
            let token = self.token(first)?;
            words.push(Word { at: start, text: self.text[start..self.at].to_owned(), is_joined, token });
        }
    }

    fn token(&mut self, first: char) -> Result<Token, Problem> {
        let start = self.at;
        let rest = &self.text[start..];
        let simple = |token: Token, length: usize| (token, length);
        let (token, length) = match first {
            '(' => {
                self.at += 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err((start, "parentheses are nested too deeply".into()));
                }
                let words = self.until(true)?;
                self.depth -= 1;
                return Ok(Token::Open(words));
            }
            '|' => simple(Token::Bar, 1),
            ',' => simple(Token::Comma, 1),
            '=' => simple(Token::Assign, 1),
            ':' if rest.starts_with(":=") => simple(Token::Declare, 2),
            '"' => {
                let (value, length) = quoted(rest).map_err(|problem| (start, problem))?;
                (Token::Text(value), length)
            }
            '`' => match rest[1..].find('`') {
                Some(length) => (Token::Text(rest[1..=length].to_owned()), length + 2),
                None => return Err((start, "unterminated raw quoted string".into())),
            },
            '\'' => {
                let (value, length) = character(rest).map_err(|problem| (start, problem))?;
                (Token::Int(value), length)
            }
            '$' => (Token::Variable(rest[..1 + name(&rest[1..])].to_owned()), 1 + name(&rest[1..])),
            '.' if name(&rest[1..]) > 0 && !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let length = name(&rest[1..]);
                (Token::Field(rest[1..=length].to_owned()), 1 + length)
            }
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => simple(Token::Dot, 1),
            '0'..='9' | '.' | '+' | '-' => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                match number(&rest[..length]) {
                    Some(token) => (token, length),
                    None => return Err((start, format!("bad number syntax: {:?}", &rest[..length]))),
                }
            }
            _ if name(rest) > 0 => (Token::Name(rest[..name(rest)].to_owned()), name(rest)),
            other => {
                let shown = format!("unexpected {:?} in operand", other.to_string());
                return Err((start, shown));
            }
        };
        self.at += length;
        Ok(token)
    }
}

/// How long the name is that a text begins with.
fn name(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn number(text: &str) -> Option<Token> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', b'0'..=b'7', ..] => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    if let Ok(number) = i64::from_str_radix(digits, radix) {
        return Some(Token::Int(if negative { -number } else { number }));
    }
    let is_number = lower.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    // A float that is a whole number is one of both in Go, and its text decides.
    plain.parse().ok().filter(|_| is_number).map(Token::Float)
}

/// The value of a Go string literal, and its length.
fn quoted(text: &str) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, at + 1)),
            '\n' => break,
            '\\' => value.push(escape(&mut chars).ok_or("unterminated quoted string")?),
            other => value.push(other),
        }
    }
    Err("unterminated quoted string".into())
}

fn character(text: &str) -> Result<(i64, usize), String> {
    let problem = || "unterminated character constant".to_owned();
    let mut chars = text.char_indices().skip(1);
    let value = match chars.next().ok_or_else(problem)? {
        (_, '\\') => escape(&mut chars).ok_or_else(problem)?,
        (_, c) => c,
    };
    match chars.next() {
        Some((at, '\'')) => Ok((i64::from(u32::from(value)), at + 1)),
        _ => Err(problem()),
    }
}

/// What stands behind a backslash.
fn escape(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    let (_, kind) = chars.next()?;
    let mut number = |count: usize| {
        let text: String = chars.take(count).map(|(_, c)| c).collect();
        u32::from_str_radix(&text, 16).ok().and_then(char::from_u32)
    };
    match kind {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        '\\' | '"' | '\'' => Some(kind),
        'x' => number(2),
        'u' => number(4),
        'U' => number(8),
        _ => None,
    }
}
