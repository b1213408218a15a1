//! Templates -> nodes. The order of the checks is upstream's: it decides which error is seen.

use serde_json::Value;

/// One step of a template. The nodes at the top are texts and lists, one list for each pair of braces.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Text outside braces, and quoted text, numbers and bools inside: a value that is always the same.
    Literal(Value),
    /// Quoted or outside text; unlike other literals it stands once, whatever the current values.
    Text(Value),
    List(Vec<Node>),
    Field(String),
    Wildcard,
    Recursive,
    Array([Bound; 3]),
    Union(Vec<Vec<Node>>),
    Filter {
        left: Vec<Node>,
        operator: String,
        right: Vec<Node>,
    },
    Identifier(String),
}

/// Start, end or step of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bound {
    pub(super) value: Option<i64>,
    /// The end that a single index implies.
    pub(super) derived: bool,
}

/// How deep ranges may stand inside each other. What they do multiplies, so nobody needs many.
const MAX_RANGES: usize = 32;

/// Parses a template; the error is upstream's reason.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let nodes = nodes(text)?;
    let mut depth = 0_usize;
    for name in identifiers(&nodes) {
        match name {
            "range" => depth += 1,
            "end" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_RANGES {
            return Err(format!("more than {MAX_RANGES} ranges inside each other"));
        }
    }
    Ok(nodes)
}

/// The identifiers of the pairs of braces, in order.
fn identifiers(nodes: &[Node]) -> impl Iterator<Item = &str> {
    let inside = nodes.iter().flat_map(|node| match node {
        Node::List(nodes) => nodes.as_slice(),
        _ => &[],
    });
    inside.filter_map(|node| match node {
        Node::Identifier(name) => Some(name.as_str()),
        _ => None,
    })
}

fn nodes(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser { text, position: 0 };
    let mut nodes = Vec::new();
    loop {
        let rest = parser.rest();
        let literal = rest.find('{').unwrap_or(rest.len());
        if literal > 0 {
            nodes.push(Node::Text(rest[..literal].into()));
        }
        parser.position += literal;
        if parser.next().is_none() {
            return Ok(nodes);
        }
        nodes.push(Node::List(parser.action()?));
    }
}

/// Parses what stands inside the brackets of an array or filter as an action of its own.
fn sub_action(text: &str) -> Result<Vec<Node>, String> {
    let mut nodes = parse(&format!("{{{text}}}"))?;
    match nodes.drain(..).next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    /// Inside a quote or bracket a template ends at its line's end.
    fn next_in_line(&mut self, unterminated: &str) -> Result<char, String> {
        self.next().filter(|c| *c != '\n').ok_or_else(|| unterminated.to_owned())
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !wanted(c)).unwrap_or(rest.len())];
        self.position += taken.len();
        taken
    }

    /// The nodes up to the closing brace.
    fn action(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            if self.rest().starts_with("[?(") {
                self.position += 3;
                nodes.push(self.filter()?);
                continue;
            }
            if self.rest().starts_with("..") {
                self.position += 2;
                if nodes.last() == Some(&Node::Recursive) {
                    return Err("invalid multiple recursive descent".into());
                }
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    nodes.push(self.field());
                }
                continue;
            }
            match self.next() {
                None | Some('\n' | '\r') => return Err("unclosed action".into()),
                Some('}') => return Ok(nodes),
                Some(' ' | '@' | '$') => {}
                Some('[') => self.array(&mut nodes)?,
                Some(quote @ ('"' | '\'')) => nodes.push(self.quoted(quote)?),
                Some('.') => nodes.push(self.field()),
                Some(c) if c == '+' || c == '-' || c.is_ascii_digit() => {
                    self.position -= 1;
                    nodes.push(self.number()?);
                }
                Some(c) if c.is_alphanumeric() || c == '_' => {
                    self.position -= c.len_utf8();
                    nodes.push(match self.take_while(|c| !is_terminator(c)) {
                        "true" => Node::Literal(true.into()),
                        "false" => Node::Literal(false.into()),
                        name => Node::Identifier(name.to_owned()),
                    });
                }
                Some(c) if c.is_control() => {
                    return Err(format!("unrecognized character in action: U+{:04X}", u32::from(c)));
                }
                Some(c) => {
                    return Err(format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c)));
                }
            }
        }
    }

    fn field(&mut self) -> Node {
        let start = self.position;
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.next();
                self.next();
            } else if is_terminator(c) {
                break;
            } else {
                self.next();
            }
        }
        match &self.text[start..self.position] {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn number(&mut self) -> Result<Node, String> {
        let start = self.position;
        self.position += usize::from(matches!(self.peek(), Some('+' | '-')));
        self.take_while(|c| c == '.' || c.is_ascii_digit());
        let text = &self.text[start..self.position];
        if let Ok(integer) = text.parse::<i64>() {
            return Ok(Node::Literal(integer.into()));
        }
        match text.parse::<f64>() {
            Ok(float) => Ok(Node::Literal(float.into())),
            Err(_) => Err(format!("cannot parse number {text}")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Node, String> {
        let start = self.position - 1;
        let mut before = quote;
        loop {
            let c = self.next_in_line("unterminated quoted string")?;
            // Upstream looks only at the character before: `\\"` does not end the text either.
            if c == quote && before != '\\' {
                break;
            }
            before = c;
        }
        let literal = &self.text[start..self.position];
        match unquote(&literal[1..literal.len() - 1], quote) {
            Some(text) => Ok(Node::Text(text.into())),
            None => Err(format!("unquote string {literal} error invalid syntax")),
        }
    }

    fn filter(&mut self) -> Result<Node, String> {
        let start = self.position;
        let mut quote = None;
        let mut closed = false;
        let mut before = '(';
        loop {
            let c = self.next_in_line("unterminated filter")?;
            match (c, quote) {
                ('"' | '\'', None) => quote = Some(c),
                ('"' | '\'', Some(quote)) if c == quote && before != '\\' => closed = true,
                (')', _) if quote.is_some() == closed => break,
                _ => {}
            }
            before = c;
        }
        let text = &self.text[start..self.position - 1];
        if self.next() != Some(']') {
            return Err("unclosed array expect ]".into());
        }
        let Some((left, operator, right)) = split_comparison(text) else {
            return Ok(Node::Filter {
                left: sub_action(text)?,
                operator: "exists".into(),
                right: Vec::new(),
            });
        };
        Ok(Node::Filter { left: sub_action(left)?, operator: operator.to_owned(), right: sub_action(right)? })
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        let start = self.position;
        while self.next_in_line("unterminated array")? != ']' {}
        let text = match &self.text[start..self.position - 1] {
            "*" => ":",
            text => text,
        };
        if text.contains(',') {
            let parts = text.split(',').map(|part| sub_action(&format!("[{}]", part.trim_matches(' '))));
            nodes.push(Node::Union(parts.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            nodes.extend(sub_action(&format!(".{key}"))?);
            return Ok(());
        }
        nodes.push(Node::Array(slice(text)?));
        Ok(())
    }
}

/// `left operator right`; nothing to compare is a test of existence.
fn split_comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let start = text.find(is_operator).filter(|at| *at > 0)?;
    let mut end = start + text[start..].find(|c| !is_operator(c)).unwrap_or(text.len() - start);
    // The right side has at least one character, if need be one of the operator's.
    if end == text.len() {
        end -= 1;
    }
    (end > start).then(|| (&text[..start], &text[start..end], &text[end..]))
}

/// `a`, `a:b` or `a:b:c`, each part possibly empty.
fn slice(text: &str) -> Result<[Bound; 3], String> {
    let parts: Vec<&str> = text.split(':').collect();
    let digits = |part: &&str| part.strip_prefix('-').unwrap_or(part).bytes().all(|b| b.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(digits) {
        return Err(format!("invalid array index {text}"));
    }
    let mut bounds = [Bound::default(); 3];
    for (bound, part) in bounds.iter_mut().zip(&parts).filter(|(_, part)| !part.is_empty()) {
        let value: i64 = part.parse().map_err(|_| format!("array index {part} is not a number"))?;
        bound.value = Some(value);
    }
    if parts.len() == 1 {
        bounds[1] = Bound { value: Some(bounds[0].value.unwrap_or(0).saturating_add(1)), derived: true };
    }
    Ok(bounds)
}

/// Go's escapes, in a text between quotes of either kind.
fn unquote(text: &str, quote: char) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = if c == '\\' { escape(&mut chars, quote)? } else { Escaped::Char(c) };
        match c {
            Escaped::Byte(byte) => bytes.push(byte),
            Escaped::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// `\x` and octal escapes are bytes, the others are characters.
enum Escaped {
    Byte(u8),
    Char(char),
}

fn escape(chars: &mut std::str::Chars<'_>, quote: char) -> Option<Escaped> {
    let kind = chars.next()?;
    let mut number = |prefix: &str, digits: usize, radix: u32| -> Option<u32> {
        let text: String = prefix.chars().chain(chars.by_ref().take(digits)).collect();
        let whole = text.chars().count() == prefix.len() + digits && !text.starts_with('+');
        u32::from_str_radix(&text, radix).ok().filter(|_| whole)
    };
    Some(match kind {
        'a' => Escaped::Char('\u{7}'),
        'b' => Escaped::Char('\u{8}'),
        'f' => Escaped::Char('\u{c}'),
        'n' => Escaped::Char('\n'),
        'r' => Escaped::Char('\r'),
        't' => Escaped::Char('\t'),
        'v' => Escaped::Char('\u{b}'),
        '\\' => Escaped::Char('\\'),
        '\'' | '"' if kind == quote => Escaped::Char(quote),
        'x' => Escaped::Byte(u8::try_from(number("", 2, 16)?).ok()?),
        'u' => Escaped::Char(char::from_u32(number("", 4, 16)?)?),
        'U' => Escaped::Char(char::from_u32(number("", 8, 16)?)?),
        '0'..='7' => Escaped::Byte(u8::try_from(number(kind.encode_utf8(&mut [0; 4]), 2, 8)?).ok()?),
        _ => return None,
    })
}
