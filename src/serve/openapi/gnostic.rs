//! The OpenAPI 2 document in protobuf: kubectl takes it in no other form. Pure.
//!
//! The numbers are those of the messages of `openapi.v2`, as the library gnostic defines them.

use serde_json::Value;

/// A message that is being written.
#[derive(Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: usize) {
        while number >= 0x80 {
            self.0.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
            number >>= 7;
        }
        self.0.push(u8::try_from(number).unwrap_or_default());
    }

    fn bytes(&mut self, field: usize, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn inner(&mut self, field: usize, inner: &Self) {
        self.bytes(field, &inner.0);
    }

    /// A text, where there is one.
    fn text(&mut self, field: usize, value: &Value) {
        if let Some(text) = value.as_str() {
            self.bytes(field, text.as_bytes());
        }
    }

    /// Many texts.
    fn texts(&mut self, field: usize, value: &Value) {
        value.as_array().into_iter().flatten().for_each(|text| self.text(field, text));
    }

    fn truth(&mut self, field: usize, value: &Value) {
        if value == true {
            self.varint(field << 3);
            self.varint(1);
        }
    }

    /// What has a name: a name and a message.
    fn named(&mut self, field: usize, name: &str, value: &Self) {
        let mut named = Self::default();
        named.bytes(1, name.as_bytes());
        named.inner(2, value);
        self.inner(field, &named);
    }

    /// All `x-…`, as YAML, which JSON is.
    fn extensions(&mut self, field: usize, of: &Value) {
        for (name, value) in entries(of).filter(|(name, _)| name.starts_with("x-")) {
            let mut any = Self::default();
            any.bytes(2, value.to_string().as_bytes());
            self.named(field, name, &any);
        }
    }
}

fn entries(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flatten()
}

/// Something in a message of which it is the only field.
fn only(field: usize, inner: &Message) -> Message {
    let mut outer = Message::default();
    outer.inner(field, inner);
    outer
}

/// Encodes the document.
pub(super) fn encode(document: &Value) -> Vec<u8> {
    let (mut all, mut info) = (Message::default(), Message::default());
    all.text(1, &document["swagger"]);
    info.text(1, &document["info"]["title"]);
    info.text(2, &document["info"]["version"]);
    all.inner(2, &info);
    let mut paths = Message::default();
    entries(&document["paths"]).for_each(|(path, of)| paths.named(2, path, &path_item(of)));
    all.inner(8, &paths);
    let mut definitions = Message::default();
    entries(&document["definitions"]).for_each(|(name, of)| definitions.named(1, name, &schema(of)));
    all.inner(9, &definitions);
    all.0
}

fn schema(of: &Value) -> Message {
    let mut schema_of = Message::default();
    schema_of.text(1, &of["$ref"]);
    schema_of.text(2, &of["format"]);
    schema_of.text(4, &of["description"]);
    schema_of.texts(19, &of["required"]);
    for word in of["enum"].as_array().into_iter().flatten() {
        let mut any = Message::default();
        any.bytes(2, word.to_string().as_bytes());
        schema_of.inner(20, &any);
    }
    if of["additionalProperties"].is_object() {
        schema_of.inner(21, &only(1, &schema(&of["additionalProperties"])));
    }
    if of["type"].is_string() {
        let mut kind = Message::default();
        kind.text(1, &of["type"]);
        schema_of.inner(22, &kind);
    }
    if of["items"].is_object() {
        schema_of.inner(23, &only(1, &schema(&of["items"])));
    }
    if of["properties"].is_object() {
        let mut properties = Message::default();
        entries(&of["properties"]).for_each(|(name, of)| properties.named(1, name, &schema(of)));
        schema_of.inner(25, &properties);
    }
    schema_of.extensions(31, of);
    schema_of
}

fn path_item(of: &Value) -> Message {
    let mut item = Message::default();
    for (field, method) in [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")] {
        if of[method].is_object() {
            item.inner(field, &operation(&of[method]));
        }
    }
    for one in of["parameters"].as_array().into_iter().flatten() {
        item.inner(9, &parameter(one));
    }
    item
}

fn operation(of: &Value) -> Message {
    let mut operation = Message::default();
    operation.texts(1, &of["tags"]);
    operation.text(5, &of["operationId"]);
    operation.texts(7, &of["consumes"]);
    for one in of["parameters"].as_array().into_iter().flatten() {
        operation.inner(8, &parameter(one));
    }
    let mut responses = Message::default();
    for (code, of) in entries(&of["responses"]) {
        let mut response = Message::default();
        response.text(1, &of["description"]);
        if of["schema"].is_object() {
            response.inner(2, &only(1, &schema(&of["schema"])));
        }
        responses.named(1, code, &only(1, &response));
    }
    operation.inner(9, &responses);
    operation.extensions(13, of);
    operation
}

fn parameter(of: &Value) -> Message {
    let mut parameter = Message::default();
    let parameter = if of["in"] == "body" {
        parameter.text(2, &of["name"]);
        parameter.text(3, &of["in"]);
        parameter.inner(5, &schema(&of["schema"]));
        only(1, &parameter)
    } else {
        let is_query = of["in"] == "query";
        parameter.truth(1, &of["required"]);
        parameter.text(2, &of["in"]);
        parameter.text(4, &of["name"]);
        parameter.text(if is_query { 6 } else { 5 }, &of["type"]);
        only(2, &only(if is_query { 3 } else { 4 }, &parameter))
    };
    // Not a reference to one that stands elsewhere.
    only(1, &parameter)
}
