//! The text of a Go template -> a tree.

use super::lex::{Action, MAX_DEPTH, Piece, Token, Word, pieces};

/// Where something stands, and how Go writes it in an error.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) node: Node,
}

/// What stands for a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Function(String),
    /// A variable, of which fields may be taken.
    Variable(String, Vec<String>),
    Field(Vec<String>),
    Pipe(Box<Pipe>, Vec<String>),
}

/// A function with its arguments, or a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Command {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) operands: Vec<Operand>,
}

/// Commands of which each gets the result of the one before it as its last argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// `=` in place of `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Text(String),
    Print(Pipe),
    If(Pipe, Vec<Item>, Vec<Item>),
    With(Pipe, Vec<Item>, Vec<Item>),
    Range(Pipe, Vec<Item>, Vec<Item>),
    Break,
    Continue,
}

/// Functions of Go's templates and kubectl's that are not here.
const MISSING: [&str; 2] = ["call", "js"];

/// Reads a template.
///
/// # Errors
/// `output:LINE: REASON`.
pub(super) fn parse(text: &str) -> Result<Vec<Item>, String> {
    let mut parser = Parser {
        text,
        pieces: pieces(text).map_err(|(at, reason)| located(text, at, &reason))?,
        next: 0,
        variables: vec!["$".into()],
        ranges: 0,
        depth: 0,
    };
    let (items, end) = parser.items()?;
    match end {
        End::Text => Ok(items),
        End::Closed(at) => Err(located(text, at, "unexpected {{end}}")),
        End::Else(at, _) => Err(located(text, at, "unexpected {{else}}")),
    }
}

fn located(text: &str, at: usize, reason: &str) -> String {
    format!("output:{}: {reason}", text[..at.min(text.len())].matches('\n').count() + 1)
}

/// What a list of items has ended with.
enum End {
    Text,
    Closed(usize),
    /// And what stands behind the `else`.
    Else(usize, Vec<Word>),
}

struct Parser<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
    next: usize,
    variables: Vec<String>,
    ranges: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error<T>(&self, at: usize, reason: impl AsRef<str>) -> Result<T, String> {
        Err(located(self.text, at, reason.as_ref()))
    }

    fn items(&mut self) -> Result<(Vec<Item>, End), String> {
        let mut items = Vec::new();
        while let Some(piece) = self.pieces.get(self.next).cloned() {
            self.next += 1;
            let Action { at, words } = match piece {
                Piece::Text(text) => {
                    items.push(Item::Text(text));
                    continue;
                }
                Piece::Action(action) => action,
            };
            let keyword = match words.first().map(|word| &word.token) {
                Some(Token::Name(name)) => name.clone(),
                _ => String::new(),
            };
            let rest = || words[1..].to_vec();
            match keyword.as_str() {
                "end" => return Ok((items, End::Closed(at))),
                "else" => return Ok((items, End::Else(at, rest()))),
                "if" | "with" | "range" => items.push(self.block(&keyword, at, &words[1..])?),
                "break" | "continue" if words.len() == 1 => {
                    if self.ranges == 0 {
                        return self.error(at, format!("{{{{{keyword}}}}} outside {{{{range}}}}"));
                    }
                    items.push(if keyword == "break" { Item::Break } else { Item::Continue });
                }
                "define" | "template" | "block" => {
                    return self
                        .error(at, format!("{{{{{keyword}}}}} is not supported: there is one template"));
                }
                _ => items.push(Item::Print(self.pipe(at, &words)?)),
            }
        }
        Ok((items, End::Text))
    }

    fn block(&mut self, keyword: &str, at: usize, words: &[Word]) -> Result<Item, String> {
        let known = self.variables.len();
        if words.is_empty() {
            return self.error(at, format!("missing value for {keyword}"));
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.error(at, "blocks are nested too deeply");
        }
        let pipe = self.pipe(at, words)?;
        self.ranges += usize::from(keyword == "range");
        let (items, mut end) = self.items()?;
        self.ranges -= usize::from(keyword == "range");
        let mut otherwise = Vec::new();
        if let End::Else(at, words) = end {
            let chained = match words.first().map(|word| &word.token) {
                None => None,
                Some(Token::Name(name)) if (name == "if" || name == "with") && keyword == name => {
                    Some(name.clone())
                }
                Some(_) => return self.error(at, "unexpected token in {{else}}"),
            };
            if let Some(name) = chained {
                // The `end` that follows is this one's, too.
                otherwise.push(self.block(&name, at, &words[1..])?);
                self.variables.truncate(known);
                self.depth -= 1;
                return Ok(made(keyword, pipe, items, otherwise));
            }
            (otherwise, end) = self.items()?;
        }
        match end {
            End::Closed(_) => {}
            End::Text => return self.error(self.text.len(), "unexpected EOF"),
            End::Else(at, _) => return self.error(at, "unexpected {{else}}"),
        }
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(made(keyword, pipe, items, otherwise))
    }

    /// Reads `$x := a | b`.
    fn pipe(&mut self, at: usize, words: &[Word]) -> Result<Pipe, String> {
        let is_sign = |word: &Word| matches!(word.token, Token::Declare | Token::Assign);
        let mut pipe = Pipe { variables: Vec::new(), assigns: false, commands: Vec::new() };
        let mut body = words;
        if let Some(sign) = words.iter().position(is_sign) {
            for word in &words[..sign] {
                match &word.token {
                    Token::Variable(name) => pipe.variables.push(name.clone()),
                    Token::Comma => {}
                    _ => return self.error(word.at, "unexpected := in command"),
                }
            }
            pipe.assigns = words[sign].token == Token::Assign;
            body = &words[sign + 1..];
        }
        if pipe.assigns {
            pipe.variables.iter().try_for_each(|name| self.known(at, name))?;
        }
        for part in body.split(|word| word.token == Token::Bar) {
            if part.is_empty() {
                continue;
            }
            pipe.commands.push(self.command(part)?);
        }
        if pipe.commands.is_empty() {
            return self.error(at, "missing value for command");
        }
        if !pipe.assigns {
            self.variables.extend(pipe.variables.iter().cloned());
        }
        Ok(pipe)
    }

    fn known(&self, at: usize, name: &String) -> Result<(), String> {
        if self.variables.contains(name) {
            return Ok(());
        }
        self.error(at, format!("undefined variable {name:?}"))
    }

    fn command(&mut self, words: &[Word]) -> Result<Command, String> {
        let mut operands = Vec::new();
        let mut rest = words;
        while let Some(word) = rest.first() {
            rest = &rest[1..];
            let mut fields = Vec::new();
            let (node, mut text) = match &word.token {
                Token::Open(inner) => {
                    let known = self.variables.len();
                    let pipe = self.pipe(word.at, inner)?;
                    self.variables.truncate(known);
                    let text = format!("({})", text_of(&pipe));
                    (Node::Pipe(Box::new(pipe), Vec::new()), text)
                }
                Token::Name(name) => (self.name(word.at, name)?, name.clone()),
                Token::Variable(name) => {
                    self.known(word.at, name)?;
                    (Node::Variable(name.clone(), Vec::new()), name.clone())
                }
                Token::Field(name) => {
                    fields.push(name.clone());
                    (Node::Field(Vec::new()), format!(".{name}"))
                }
                Token::Dot => (Node::Dot, ".".into()),
                Token::Int(number) => (Node::Int(*number), word.text.clone()),
                Token::Float(number) => (Node::Float(*number), word.text.clone()),
                Token::Text(value) => (Node::Text(value.clone()), word.text.clone()),
                Token::Comma | Token::Declare | Token::Assign | Token::Bar => {
                    return self.error(word.at, format!("unexpected {:?} in operand", word.text));
                }
            };
            let mut at = word.at;
            let mut is_first = true;
            while let Some(Word { token: Token::Field(name), at: field_at, is_joined: true, .. }) =
                rest.first()
            {
                // Go says of a chain that it stands where its second part does.
                if is_first {
                    at = *field_at;
                }
                is_first = false;
                text.push_str(&format!(".{name}"));
                fields.push(name.clone());
                rest = &rest[1..];
            }
            let node = match node {
                Node::Variable(name, _) => Node::Variable(name, fields),
                Node::Field(_) => Node::Field(fields),
                Node::Pipe(pipe, _) => Node::Pipe(pipe, fields),
                other if fields.is_empty() => other,
                _ => return self.error(word.at, format!("unexpected . after term {text:?}")),
            };
            operands.push(Operand { at, text, node });
        }
        let text = operands.iter().map(|operand| operand.text.as_str()).collect::<Vec<_>>().join(" ");
        Ok(Command { at: words.first().map_or(0, |word| word.at), text, operands })
    }

    fn name(&self, at: usize, name: &str) -> Result<Node, String> {
        Ok(match name {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "nil" => Node::Nil,
            _ if super::functions::NAMES.contains(&name) => Node::Function(name.to_owned()),
            _ if MISSING.contains(&name) => {
                return self.error(at, format!("function {name:?} of Go's templates is not supported"));
            }
            _ => return self.error(at, format!("function {name:?} not defined")),
        })
    }
}

fn text_of(pipe: &Pipe) -> String {
    pipe.commands.iter().map(|command| command.text.as_str()).collect::<Vec<_>>().join(" | ")
}

fn made(keyword: &str, pipe: Pipe, items: Vec<Item>, otherwise: Vec<Item>) -> Item {
    match keyword {
        "if" => Item::If(pipe, items, otherwise),
        "with" => Item::With(pipe, items, otherwise),
        _ => Item::Range(pipe, items, otherwise),
    }
}
