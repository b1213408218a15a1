//! The layout of `kubectl get`: columns, widths, label columns. What the cells say is made in `rows`.

use std::borrow::Cow;

use super::rows::Row;
use super::terminal::{escaped, may_hold_controls};
use super::tone;

const MIN_WIDTH: usize = 6;
const PADDING: usize = 3;

/// What a user asked of a table beside its kind's own columns.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// Leave the header line out (`--no-headers`).
    pub no_headers: bool,
    /// A first column NAMESPACE (`-A`).
    pub with_namespace: bool,
    /// What stands before each name, such as `job.batch/`; empty for nothing.
    pub name_prefix: String,
    /// A last column LABELS (`--show-labels`).
    pub show_labels: bool,
    /// Keys of labels that get a column of their own (`-L`).
    pub label_columns: Vec<String>,
    /// A first column EVENT (`--output-watch-events`), filled from `Row::event`.
    pub with_event: bool,
    /// Colours for cells that say how an object stands.
    pub with_colours: bool,
}

/// Lays out rows, batch after batch: headers are written once and columns only ever grow, so that the
/// lines of a watch stay aligned.
#[derive(Debug)]
pub struct TablePrinter {
    options: TableOptions,
    columns: Vec<&'static str>,
    widths: Vec<usize>,
    headers_due: bool,
}

impl TablePrinter {
    /// A printer of one kind's table.
    pub fn new(columns: impl Into<Vec<&'static str>>, options: TableOptions) -> Self {
        let headers_due = !options.no_headers;
        Self { options, columns: columns.into(), widths: Vec::new(), headers_due }
    }

    /// The lines of a batch, after the header line if it is still due.
    pub fn print(&mut self, rows: &[Row<'_>]) -> String {
        let mut widths = std::mem::take(&mut self.widths);
        let header = std::mem::take(&mut self.headers_due).then(|| self.header());
        let mut bytes = header.as_ref().map_or(0, |cells| widen(cells, &mut widths));
        // The cells of a line are made twice and not kept: ten thousand lists of them would be ten times the text.
        let mut cells = Vec::new();
        for row in rows {
            self.fill(row, &mut cells);
            bytes += widen(&cells, &mut widths);
        }
        let mut text = String::with_capacity(bytes.max(widths.iter().sum::<usize>() * rows.len()));
        if let Some(header) = &header {
            push_line(header, &widths, &mut text);
        }
        for row in rows {
            self.fill(row, &mut cells);
            push_coloured(&cells, &widths, self.coloured(row), &mut text);
        }
        self.widths = widths;
        text
    }

    /// Which cell of a row's line has a colour, and what begins it.
    fn coloured(&self, row: &Row<'_>) -> Option<(usize, &'static str)> {
        if !self.options.with_colours {
            return None;
        }
        let before = usize::from(self.options.with_event) + usize::from(self.options.with_namespace);
        let mut cells = self.columns.iter().zip(&row.cells).enumerate();
        cells.find_map(|(place, (column, cell))| Some((place + before, tone::of(column, cell)?)))
    }

    fn header<'a>(&self) -> Vec<Cow<'a, str>> {
        let options = &self.options;
        let mut cells: Vec<Cow<'a, str>> = Vec::new();
        if options.with_event {
            cells.push("EVENT".into());
        }
        if options.with_namespace {
            cells.push("NAMESPACE".into());
        }
        cells.extend(self.columns.iter().map(|column| Cow::Borrowed(*column)));
        cells.extend(options.label_columns.iter().map(|key| {
            let (_, last) = key.rsplit_once('/').unwrap_or(("", key));
            Cow::Owned(last.to_uppercase())
        }));
        if options.show_labels {
            cells.push("LABELS".into());
        }
        cells
    }

    /// The cells of a row in place of those of another.
    fn fill<'a>(&self, row: &'a Row<'_>, cells: &mut Vec<Cow<'a, str>>) {
        let options = &self.options;
        cells.clear();
        if options.with_event {
            cells.push(format!("{:<8}", row.event).into());
        }
        if options.with_namespace {
            cells.push(printable(&row.namespace));
        }
        for (i, cell) in row.cells.iter().enumerate() {
            if self.columns.get(i) == Some(&"NAME") && !options.name_prefix.is_empty() {
                cells.push(format!("{}{}", options.name_prefix, printable(cell)).into());
            } else {
                cells.push(printable(cell));
            }
        }
        if options.show_labels || !options.label_columns.is_empty() {
            let labels = row.labels();
            for key in &options.label_columns {
                let value = labels.get(key.as_str()).map_or("", |value| value);
                cells.push(printable(value).into_owned().into());
            }
            if options.show_labels {
                cells.push(if labels.is_empty() {
                    "<none>".into()
                } else {
                    let all = labels.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",");
                    printable(&all).into_owned().into()
                });
            }
        }
    }
}

/// Pads every cell but a line's last to its column's width, which `widths` remembers for the next batch.
pub(crate) fn align<S: AsRef<str>>(lines: &[Vec<S>], widths: &mut Vec<usize>) -> String {
    let bytes: usize = lines.iter().map(|line| widen(line, widths)).sum();
    let mut text = String::with_capacity(bytes * 2);
    for line in lines {
        push_line(line, widths, &mut text);
    }
    text
}

/// Makes room for a line's cells; returns the bytes that they need at the least.
fn widen<S: AsRef<str>>(line: &[S], widths: &mut Vec<usize>) -> usize {
    let mut bytes = 1;
    for (i, cell) in line.iter().enumerate() {
        let width = (chars(cell.as_ref()) + PADDING).max(MIN_WIDTH);
        match widths.get_mut(i) {
            Some(known) => *known = width.max(*known),
            None => widths.push(width),
        }
        bytes += cell.as_ref().len() + PADDING;
    }
    bytes
}

const SPACES: &str = "                                                                ";

fn push_line<S: AsRef<str>>(line: &[S], widths: &[usize], text: &mut String) {
    push_coloured(line, widths, None, text);
}

fn push_coloured<S: AsRef<str>>(
    line: &[S],
    widths: &[usize],
    coloured: Option<(usize, &str)>,
    text: &mut String,
) {
    for (i, cell) in line.iter().enumerate() {
        let cell = cell.as_ref();
        match coloured.filter(|(place, _)| *place == i) {
            Some((_, colour)) => text.extend([colour, cell, tone::END]),
            None => text.push_str(cell),
        }
        if i + 1 < line.len() {
            let mut missing = widths[i] - chars(cell);
            while missing > 0 {
                let some = missing.min(SPACES.len());
                text.push_str(&SPACES[..some]);
                missing -= some;
            }
        }
    }
    text.push('\n');
}

fn chars(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// One line's worth of a cell, without the characters that would drive a terminal.
fn printable(cell: &str) -> Cow<'_, str> {
    // Of ten thousand rows hardly a cell gets further than this.
    if !may_hold_controls(cell) {
        return Cow::Borrowed(cell);
    }
    match cell.find(['\u{c}', '\n', '\r']) {
        Some(end) => Cow::Owned(format!("{}...", escaped(&cell[..end]))),
        None => escaped(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(cells: &[&'a str]) -> Row<'a> {
        Row::new("default".into(), cells.iter().map(|c| Cow::Borrowed(*c)).collect(), None)
    }

    const COLUMNS: &[&str] = &["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"];

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_three_more() {
        let mut table = TablePrinter::new(COLUMNS, TableOptions::default());
        assert_eq!(
            table.print(&[
                row(&["a1", "Running", "0/1", "5s", "7s"]),
                row(&["susp", "Suspended", "0/1", "", "7s"])
            ]),
            "NAME   STATUS      COMPLETIONS   DURATION   AGE\n\
             a1     Running     0/1           5s         7s\n\
             susp   Suspended   0/1                      7s\n"
        );
        assert_eq!(
            table.print(&[row(&["a1", "Complete", "1/1", "6s", "8s"])]),
            "a1     Complete    1/1           6s         8s\n",
            "a later batch keeps the widths and has no header"
        );
    }

    #[test]
    fn options_add_columns_around_the_kinds_own() {
        let labels = serde_json::value::RawValue::from_string(
            r#"{"b":"2","example.com/app":"web","a":"1"}"#.to_owned(),
        )
        .unwrap();
        let mut with = row(&["x", "1s"]);
        with.raw_labels = Some(&labels);
        let options = TableOptions {
            with_namespace: true,
            name_prefix: "pod/".to_owned(),
            show_labels: true,
            label_columns: vec!["example.com/app".to_owned()],
            ..TableOptions::default()
        };
        assert_eq!(
            TablePrinter::new(["NAME", "AGE"], options).print(&[with, row(&["y", "2s"])]),
            "NAMESPACE   NAME    AGE   APP   LABELS\n\
             default     pod/x   1s    web   a=1,b=2,example.com/app=web\n\
             default     pod/y   2s          <none>\n"
        );
    }

    #[test]
    fn colours_leave_the_widths_as_they_are() {
        let options = TableOptions { with_namespace: true, with_colours: true, ..TableOptions::default() };
        assert_eq!(
            TablePrinter::new(["NAME", "STATUS", "AGE"], options)
                .print(&[row(&["x", "Failed", "1s"]), row(&["y", "Running", "2s"])]),
            "NAMESPACE   NAME   STATUS    AGE\n\
             default     x      \u{1b}[31mFailed\u{1b}[0m    1s\n\
             default     y      Running   2s\n"
        );
    }

    #[test]
    fn a_cell_is_one_line_and_counted_in_characters() {
        let options = TableOptions { no_headers: true, ..TableOptions::default() };
        assert_eq!(
            TablePrinter::new(["NAME", "MESSAGE"], options)
                .print(&[row(&["äöüß", "one\ntwo"]), row(&["abcd", "\u{1b}[31m\u{7}\u{9b}"])]),
            "äöüß   one...\nabcd   ^[[31m^G\\u009b\n"
        );
    }
}
