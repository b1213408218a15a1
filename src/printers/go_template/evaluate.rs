//! A tree and an object -> text.

use serde_json::Value as Json;

use super::functions;
use super::parse::{Command, Item, Node, Operand, Pipe};
use super::printf;
use super::value::Value;

/// What cannot be done: where, of which part, why.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) at: usize,
    pub(super) part: String,
    pub(super) reason: String,
}

/// How a list of items has ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// Executes a template; the text so far is there also where it fails, as kubectl prints it.
/// `needs_keys`: a key that is not there is a failure.
pub(super) fn execute(items: &[Item], object: &Json, needs_keys: bool) -> (String, Result<(), Problem>) {
    let root = Value::of(object);
    let mut state = State {
        text: String::new(),
        variables: vec![("$".to_owned(), root.clone())],
        at: (0, String::new()),
        needs_keys,
    };
    let walked = state.walk(items, &root);
    let done = walked.map(|_| ()).map_err(|reason| Problem { at: state.at.0, part: state.at.1, reason });
    (state.text, done)
}

struct State<'v> {
    text: String,
    variables: Vec<(String, Value<'v>)>,
    /// What is being evaluated, for errors.
    at: (usize, String),
    needs_keys: bool,
}

type Outcome<T> = Result<T, String>;

impl<'v> State<'v> {
    fn walk(&mut self, items: &[Item], dot: &Value<'v>) -> Outcome<Flow> {
        for item in items {
            let flow = match item {
                Item::Text(text) => {
                    self.text.push_str(text);
                    Flow::On
                }
                Item::Print(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        self.text.push_str(&shown(&value));
                    }
                    Flow::On
                }
                Item::If(pipe, items, otherwise) => self.scoped(|state| {
                    let is_true = state.pipe(pipe, dot)?.is_true();
                    state.walk(if is_true { items } else { otherwise }, dot)
                })?,
                Item::With(pipe, items, otherwise) => self.scoped(|state| {
                    let value = state.pipe(pipe, dot)?;
                    if value.is_true() { state.walk(items, &value) } else { state.walk(otherwise, dot) }
                })?,
                Item::Range(pipe, items, otherwise) => {
                    self.scoped(|state| state.range(pipe, items, otherwise, dot))?
                }
                Item::Break => Flow::Break,
                Item::Continue => Flow::Continue,
            };
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    /// Forgets the variables that have come within.
    fn scoped(&mut self, act: impl FnOnce(&mut Self) -> Outcome<Flow>) -> Outcome<Flow> {
        let known = self.variables.len();
        let flow = act(self);
        self.variables.truncate(known);
        flow
    }

    fn range(&mut self, pipe: &Pipe, items: &[Item], otherwise: &[Item], dot: &Value<'v>) -> Outcome<Flow> {
        // The variables are those of each element, not of the whole.
        let whole = self.commands(pipe, dot)?;
        let elements: Vec<(Value<'v>, Value<'v>)> = match &whole {
            Value::List(list) => {
                list.iter().enumerate().map(|(at, one)| (Value::Int(at as i64), Value::of(one))).collect()
            }
            Value::Map(map) => super::super::go_value::sorted(map)
                .into_iter()
                .map(|(key, one)| (Value::Text(key.as_str().into()), Value::of(one)))
                .collect(),
            Value::Missing => Vec::new(),
            other => return Err(format!("range can't iterate over {}", printf::plain(other))),
        };
        if elements.is_empty() {
            return self.walk(otherwise, dot);
        }
        for (key, value) in elements {
            let known = self.variables.len();
            let of_each: &[Value<'v>] = match pipe.variables.len() {
                0 => &[],
                1 => std::slice::from_ref(&value),
                _ => &[key, value.clone()],
            };
            for (name, value) in pipe.variables.iter().zip(of_each) {
                self.put(name, value.clone(), pipe.assigns);
            }
            let flow = self.walk(items, &value);
            self.variables.truncate(known);
            if flow? == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn put(&mut self, name: &str, value: Value<'v>, assigns: bool) {
        if assigns && let Some(known) = self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            known.1 = value;
        } else {
            self.variables.push((name.to_owned(), value));
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value<'v>) -> Outcome<Value<'v>> {
        let value = self.commands(pipe, dot)?;
        for name in &pipe.variables {
            self.put(name, value.clone(), pipe.assigns);
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &Pipe, dot: &Value<'v>) -> Outcome<Value<'v>> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Value::Missing))
    }

    fn look_at(&mut self, operand: &Operand) {
        self.at = (operand.at, operand.text.clone());
    }

    fn command(&mut self, command: &Command, dot: &Value<'v>, last: Option<Value<'v>>) -> Outcome<Value<'v>> {
        let Some((first, rest)) = command.operands.split_first() else { return Ok(Value::Missing) };
        self.look_at(first);
        if let Node::Function(name) = &first.node {
            return self.call(name, command, rest, dot, last);
        }
        if !rest.is_empty() || last.is_some() {
            return Err(match &first.node {
                Node::Field(fields) | Node::Variable(_, fields) if !fields.is_empty() => {
                    let name = fields.last().map_or("", String::as_str);
                    format!("{name} is not a method but has arguments")
                }
                _ => format!("can't give argument to non-function {}", first.text),
            });
        }
        if first.node == Node::Nil {
            return Err("nil is not a command".into());
        }
        self.operand(first, dot)
    }

    fn call(
        &mut self,
        name: &str,
        command: &Command,
        rest: &[Operand],
        dot: &Value<'v>,
        last: Option<Value<'v>>,
    ) -> Outcome<Value<'v>> {
        let given = rest.len() + usize::from(last.is_some());
        let (least, takes_more) = functions::arity(name);
        if given < least || (given > least && !takes_more) {
            let least = format!("{}{least}", if takes_more { "at least " } else { "" });
            return Err(format!("wrong number of args for {name}: want {least} got {given}"));
        }
        let mut arguments = Vec::with_capacity(given);
        for operand in rest {
            self.look_at(operand);
            arguments.push(self.operand(operand, dot)?);
            // What follows may not be meant to be looked at.
            if let ("and" | "or", Some(value)) = (name, arguments.last())
                && value.is_true() == (name == "or")
            {
                return Ok(value.clone());
            }
        }
        arguments.extend(last);
        if matches!(name, "and" | "or") {
            return Ok(arguments.pop().unwrap_or(Value::Missing));
        }
        functions::call(name, &arguments).map_err(|reason| {
            self.at = (command.at, command.text.clone());
            format!("error calling {name}: {reason}")
        })
    }

    fn operand(&mut self, operand: &Operand, dot: &Value<'v>) -> Outcome<Value<'v>> {
        match &operand.node {
            Node::Dot => Ok(dot.clone()),
            Node::Nil => Ok(Value::Missing),
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(number) => Ok(Value::Int(*number)),
            Node::Float(number) => Ok(Value::Float(*number)),
            Node::Text(text) => Ok(Value::Text(text.clone().into())),
            Node::Function(name) => {
                let command = Command { at: operand.at, text: operand.text.clone(), operands: Vec::new() };
                self.call(name, &command, &[], dot, None)
            }
            Node::Field(fields) => self.field(dot.clone(), fields),
            Node::Variable(name, fields) => {
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                self.field(found.map_or(Value::Missing, |(_, value)| value.clone()), fields)
            }
            Node::Pipe(pipe, fields) => {
                let value = self.pipe(pipe, dot)?;
                self.look_at(operand);
                self.field(value, fields)
            }
        }
    }

    fn field(&self, value: Value<'v>, fields: &[String]) -> Outcome<Value<'v>> {
        fields.iter().try_fold(value, |value, name| match value {
            Value::Map(map) if self.needs_keys && !map.contains_key(name) => {
                Err(format!("map has no entry for key {name:?}"))
            }
            Value::Missing if self.needs_keys => Err(format!("nil data; no entry for key {name:?}")),
            Value::Map(map) => Ok(map.get(name).map_or(Value::Missing, Value::of)),
            Value::Missing => Ok(Value::Missing),
            _ => Err(format!("can't evaluate field {name} in type interface {{}}")),
        })
    }
}

fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Missing => "<no value>".to_owned(),
        other => printf::plain(other),
    }
}
