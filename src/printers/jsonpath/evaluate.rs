//! Nodes over an object -> values. Each node turns the list of current values into the next.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::parse::{Bound, Node};
use crate::printers::go_value::{is_integer, plain, sorted, type_name};

type Values<'v> = Vec<Cow<'v, Value>>;

/// The values found by each node of a template; the error is upstream's reason. `needs_keys`: a field that nothing has is one.
pub(super) fn evaluate<'v>(
    nodes: &'v [Node],
    object: &'v Value,
    needs_keys: bool,
) -> Result<Vec<Values<'v>>, String> {
    Walk { needs_keys, ..Walk::default() }.block(nodes, 0, &Cow::Borrowed(object))
}

/// How many values one template may look at. A listing of ten thousand pods has half a million; what ranges, unions and
/// descents multiply to is soon more than there is memory.
const MAX_VALUES: usize = 10_000_000;

/// What the identifiers `range` and `end` have asked for, seen after the node they stand in.
#[derive(Default)]
struct Walk {
    begins: usize,
    ends: usize,
    depth: usize,
    /// Where the last `end` stood. A range without its own `end` goes on after this one, or after its own
    /// start: so does upstream.
    last_end: Option<usize>,
    /// How many values have been looked at.
    seen: usize,
    /// Whether a field must be found.
    needs_keys: bool,
}

impl Walk {
    /// Evaluates the nodes from `start` until the `end` of the enclosing range.
    fn block<'v>(
        &mut self,
        nodes: &'v [Node],
        start: usize,
        object: &Cow<'v, Value>,
    ) -> Result<Vec<Values<'v>>, String> {
        let mut results = Vec::new();
        let mut i = start;
        while let Some(node) = nodes.get(i) {
            let values = self.node(vec![object.clone()], node)?;
            if self.ends > 0 && self.ends <= self.depth {
                self.ends -= 1;
                self.last_end = Some(i);
                break;
            }
            if self.begins > 0 {
                self.begins -= 1;
                self.depth += 1;
                for value in &values {
                    results.extend(self.block(nodes, i + 1, value)?);
                }
                if values.is_empty() {
                    // Nothing to repeat, but the walk must find where the range ends.
                    self.block(nodes, i + 1, &Cow::Owned(Value::Null))?;
                }
                self.depth -= 1;
                i = self.last_end.filter(|end| *end > i).unwrap_or(i);
            } else {
                results.push(values);
            }
            i += 1;
        }
        Ok(results)
    }

    fn list<'v>(&mut self, mut values: Values<'v>, nodes: &'v [Node]) -> Result<Values<'v>, String> {
        for node in nodes {
            values = self.node(values, node)?;
        }
        Ok(values)
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.seen += values;
        if self.seen > MAX_VALUES {
            return Err(format!("the template looks at more than {MAX_VALUES} values"));
        }
        Ok(())
    }

    fn node<'v>(&mut self, input: Values<'v>, node: &'v Node) -> Result<Values<'v>, String> {
        self.count(1 + input.len())?;
        let found = self.step(input, node)?;
        self.count(found.len())?;
        Ok(found)
    }

    fn step<'v>(&mut self, input: Values<'v>, node: &'v Node) -> Result<Values<'v>, String> {
        match node {
            Node::Text(text) => Ok(vec![Cow::Borrowed(text)]),
            Node::Literal(value) => Ok(input.iter().map(|_| Cow::Borrowed(value)).collect()),
            Node::List(nodes) => self.list(input, nodes),
            Node::Field(name) => {
                let found: Values<'v> = input.into_iter().filter_map(|value| field(value, name)).collect();
                if found.is_empty() && self.needs_keys {
                    return Err(format!("{name} is not found"));
                }
                Ok(found)
            }
            Node::Wildcard => Ok(input.into_iter().flat_map(children).collect()),
            Node::Recursive => {
                let mut output = Vec::new();
                self.descend(input, &mut output)?;
                Ok(output)
            }
            Node::Array(bounds) => array(input, bounds),
            Node::Union(parts) => {
                let mut output = Vec::new();
                for part in parts {
                    output.extend(self.list(input.clone(), part)?);
                }
                Ok(output)
            }
            Node::Filter { left, operator, right } => self.filter(input, left, operator, right),
            Node::Identifier(name) => match name.as_str() {
                "range" => {
                    self.begins += 1;
                    Ok(input)
                }
                "end" if self.depth > 0 => {
                    self.ends += 1;
                    Ok(Vec::new())
                }
                "end" => Err("not in range, nothing to end".into()),
                other => Err(format!("unrecognized identifier {other}")),
            },
        }
    }

    fn filter<'v>(
        &mut self,
        input: Values<'v>,
        left: &'v [Node],
        operator: &str,
        right: &'v [Node],
    ) -> Result<Values<'v>, String> {
        let mut output = Vec::new();
        for value in input {
            if !value.is_array() {
                return Err(format!("{} is not array or slice and cannot be filtered", plain(&value)));
            }
            for item in children(value) {
                let lefts = self.list(vec![item.clone()], left);
                if operator == "exists" {
                    if lefts.is_ok_and(|values| !values.is_empty()) {
                        output.push(item);
                    }
                    continue;
                }
                let Some(left) = only(lefts?)? else { continue };
                let Some(right) = only(self.list(vec![item.clone()], right)?)? else { continue };
                if compare(&left, operator, &right)? {
                    output.push(item);
                }
            }
        }
        Ok(output)
    }
}

impl Walk {
    /// Every value that has children, before them.
    fn descend<'v>(&mut self, input: Values<'v>, output: &mut Values<'v>) -> Result<(), String> {
        self.count(input.len())?;
        for value in input {
            let inner = children(value.clone());
            if !inner.is_empty() {
                output.push(value);
                self.descend(inner, output)?;
            }
        }
        Ok(())
    }
}

fn only(mut values: Values<'_>) -> Result<Option<Cow<'_, Value>>, String> {
    match values.len() {
        0 | 1 => Ok(values.pop()),
        _ => Err("can only compare one element at a time".into()),
    }
}

fn field<'v>(value: Cow<'v, Value>, name: &str) -> Option<Cow<'v, Value>> {
    match value {
        Cow::Borrowed(value) => value.as_object()?.get(name).map(Cow::Borrowed),
        Cow::Owned(value) => value.as_object()?.get(name).cloned().map(Cow::Owned),
    }
}

/// The items of a list, the values of an object in the order of their keys; of a string its bytes, as a Go
/// string is a row of bytes.
fn children(value: Cow<'_, Value>) -> Values<'_> {
    match value {
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Value::Object(map)) => {
            sorted(map).into_iter().map(|(_, value)| Cow::Borrowed(value)).collect()
        }
        Cow::Borrowed(Value::String(text)) => text.bytes().map(|byte| Cow::Owned(byte.into())).collect(),
        Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        Cow::Owned(Value::Object(map)) => {
            sorted(&map).into_iter().map(|(_, value)| Cow::Owned(value.clone())).collect()
        }
        Cow::Owned(Value::String(text)) => text.bytes().map(|byte| Cow::Owned(byte.into())).collect(),
        _ => Vec::new(),
    }
}

fn array<'v>(input: Values<'v>, bounds: &[Bound; 3]) -> Result<Values<'v>, String> {
    let mut output = Vec::new();
    for value in input {
        let length = match &*value {
            Value::Null => continue,
            Value::Array(items) => i64::try_from(items.len()).unwrap_or(i64::MAX),
            other => return Err(format!("{} is not array or slice", type_name(other))),
        };
        let [start, end, step] = bounds;
        let from_end = |value: i64| if value < 0 { value.saturating_add(length) } else { value };
        let start = from_end(start.value.unwrap_or(0));
        let end = match end {
            // -1 alone means the last item, whose implied end would read as the first.
            Bound { value: Some(0), derived: true } => length,
            Bound { value, .. } => from_end(value.unwrap_or(length)),
        };
        if start == end {
            // Upstream gives up here, even with further lists to go.
            return Ok(output);
        }
        for (index, bad) in [(start, start >= length || start < 0), (end - 1, end > length || end < 0)] {
            if bad {
                return Err(format!("array index out of bounds: index {index}, length {length}"));
            }
        }
        if start > end {
            return Err(format!("starting index {start} is greater than ending index {end}"));
        }
        let step = match step.value {
            Some(step) if step <= 0 => return Err("step must be > 0".into()),
            step => usize::try_from(step.unwrap_or(1)).unwrap_or(usize::MAX),
        };
        let count = usize::try_from(end - start).unwrap_or(0);
        let skip = usize::try_from(start).unwrap_or(0);
        output.extend(children(value).into_iter().skip(skip).take(count).step_by(step));
    }
    Ok(output)
}

fn compare(left: &Value, operator: &str, right: &Value) -> Result<bool, String> {
    let order = || order(left, right);
    let equal = || match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        _ => order().map(Ordering::is_eq),
    };
    match operator {
        "==" => equal(),
        "!=" => equal().map(|equal| !equal),
        "<" => order().map(Ordering::is_lt),
        "<=" => order().map(Ordering::is_le),
        ">" => order().map(Ordering::is_gt),
        ">=" => order().map(Ordering::is_ge),
        other => Err(format!("unrecognized filter operator {other}")),
    }
}

fn order(left: &Value, right: &Value) -> Result<Ordering, String> {
    let simple = |value: &Value| matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
    if !simple(left) || !simple(right) {
        return Err("invalid type for comparison".into());
    }
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) if is_integer(left) == is_integer(right) => {
            match (left.as_i64(), right.as_i64()) {
                (Some(left), Some(right)) => Ok(left.cmp(&right)),
                _ => Ok(left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal)),
            }
        }
        (Value::Bool(_), Value::Bool(_)) => Err("invalid type for comparison".into()),
        _ => Err("incompatible types for comparison".into()),
    }
}
