//! `-o custom-columns=NAME:.metadata.name,…`: a table of the user's own paths.

use serde_json::Value;

use super::go_value::plain;
use super::jsonpath::{Error, Template, relaxed};
use super::table::align;
use super::terminal::escaped;

/// A table of the user's making, printed batch after batch like the kinds' own tables.
#[derive(Debug)]
pub struct CustomColumns {
    headers: Vec<String>,
    paths: Vec<String>,
    widths: Vec<usize>,
    headers_due: bool,
}

impl CustomColumns {
    /// Reads `HEADER:PATH,HEADER:PATH`.
    pub fn parse(spec: &str, no_headers: bool) -> Result<Self, Error> {
        if spec.is_empty() {
            return Err(Error("custom-columns format specified but no custom columns given".into()));
        }
        let (mut headers, mut paths) = (Vec::new(), Vec::new());
        for column in spec.split(',') {
            let Some((header, path)) = column.split_once(':') else {
                return Err(Error(format!(
                    "unexpected custom-columns spec: {column}, expected <header>:<json-path-expr>"
                )));
            };
            headers.push(header.to_owned());
            paths.push(relaxed(path)?);
        }
        Ok(Self { headers, paths, widths: Vec::new(), headers_due: !no_headers })
    }

    /// Reads a `custom-columns-file`: a line of headers and a line of paths.
    pub fn parse_file(text: &str, no_headers: bool) -> Result<Self, Error> {
        let mut lines = text.lines();
        let mut words = || lines.next().unwrap_or_default().split_whitespace().map(str::to_owned);
        let headers: Vec<String> = words().collect();
        let paths = words().map(|path| relaxed(&path)).collect::<Result<Vec<_>, _>>()?;
        if headers.len() != paths.len() {
            return Err(Error(format!(
                "number of headers ({}) and field specifications ({}) don't match",
                headers.len(),
                paths.len()
            )));
        }
        Ok(Self { headers, paths, widths: Vec::new(), headers_due: !no_headers })
    }

    /// The lines of a batch, after the header line if it is still due.
    pub fn print(&mut self, objects: &[Value]) -> Result<String, Error> {
        let templates =
            self.paths.iter().map(|path| Template::parse_relaxed(path)).collect::<Result<Vec<_>, _>>()?;
        let mut lines = Vec::with_capacity(objects.len() + 1);
        if std::mem::take(&mut self.headers_due) {
            lines.push(self.headers.clone());
        }
        for object in objects {
            let cells = templates.iter().map(|template| cell(template, object));
            lines.push(cells.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(align(&lines, &mut self.widths))
    }
}

fn cell(template: &Template, object: &Value) -> Result<String, Error> {
    let values = template.find(object)?;
    if values.is_empty() {
        return Ok("<none>".to_owned());
    }
    Ok(escaped(&values.iter().map(|value| plain(value)).collect::<Vec<_>>().join(",")).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn print(spec: &str, objects: &[Value]) -> Result<String, String> {
        CustomColumns::parse(spec, false).and_then(|mut c| c.print(objects)).map_err(|e| e.to_string())
    }

    #[test]
    fn columns_show_what_their_paths_find() {
        let objects = [
            json!({"metadata": {"name": "p1"}, "spec": {"f": 1.5, "n": null,
                "m": {"k": "<v>", "z": [1, 2.5, true, null]}, "containers": [{"name": "a"}, {"name": "b"}]}}),
            json!({"metadata": {"name": "p2"}, "spec": {"containers": [{"name": "a"}]}}),
        ];
        assert_eq!(
            print("A:.metadata.name,B:{.spec.m},C:spec.f,D:.spec.containers[*].name,E:.spec.n", &objects)
                .unwrap(),
            "A     B                                 C        D     E\n\
             p1    map[k:<v> z:[1 2.5 true <nil>]]   1.5      a,b   <nil>\n\
             p2    <none>                            <none>   a     <none>\n"
        );
        assert_eq!(print("A:", &objects).unwrap(), "A\n<none>\n<none>\n");
        let mut file = CustomColumns::parse_file("A B\nmetadata.name {.spec.f}\n", true).unwrap();
        assert_eq!(file.print(&objects).unwrap(), "p1    1.5\np2    <none>\n");
    }

    #[test]
    fn errors_are_those_of_kubectl() {
        let objects = [json!({"a": [1, 2]})];
        for (spec, expected) in [
            ("", "custom-columns format specified but no custom columns given"),
            ("A", "unexpected custom-columns spec: A, expected <header>:<json-path-expr>"),
            ("A:.a,", "unexpected custom-columns spec: , expected <header>:<json-path-expr>"),
            ("A:.a[9]", "array index out of bounds: index 9, length 2"),
            ("A:.a[", "unterminated array"),
        ] {
            assert_eq!(print(spec, &objects), Err(expected.to_owned()), "{spec}");
        }
    }
}
