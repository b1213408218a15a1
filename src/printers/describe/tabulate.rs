//! Elastic tabs: a column is a run of neighbouring lines that all have a tab after that cell, and is as wide
//! as its widest cell plus two. What follows a line's last tab belongs to no column.

const PADDING: usize = 2;

/// Replaces the tabs of a text by the blanks that align its columns.
pub(super) fn tabulate(text: &str) -> String {
    // Not `lines()`: a carriage return is text here.
    let lines: Vec<Vec<&str>> = text.split_terminator('\n').map(|line| line.split('\t').collect()).collect();
    let mut out = String::with_capacity(text.len() * 2);
    format(&lines, &mut Vec::new(), &mut out);
    out
}

/// Lays out lines whose first `widths.len()` columns are known; runs that have one more column go deeper.
fn format(lines: &[Vec<&str>], widths: &mut Vec<usize>, out: &mut String) {
    let column = widths.len();
    let has_column = |line: &Vec<&str>| line.len() > column + 1;
    let mut rest = lines;
    while !rest.is_empty() {
        let plain = rest.iter().take_while(|line| !has_column(line)).count();
        write(&rest[..plain], widths, out);
        rest = &rest[plain..];
        let run = rest.iter().take_while(|line| has_column(line)).count();
        if let Some(widest) = rest[..run].iter().map(|line| line[column].chars().count()).max() {
            widths.push(widest + PADDING);
            format(&rest[..run], widths, out);
            widths.pop();
        }
        rest = &rest[run..];
    }
}

fn write(lines: &[Vec<&str>], widths: &[usize], out: &mut String) {
    for line in lines {
        for (i, cell) in line.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(i).filter(|_| i + 1 < line.len()) {
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::tabulate;

    #[test]
    fn columns_align_within_a_run_of_lines() {
        for (sentence, text, expected) in [
            ("no tabs", "a\nb\n", "a\nb\n"),
            ("one column", "a:\t1\nlonger:\t2\n", "a:       1\nlonger:  2\n"),
            ("a line without a tab ends the run", "a:\t1\nx\nlonger:\t2\n", "a:  1\nx\nlonger:  2\n"),
            ("a column may end before the line does", "a\tb\tc\naaa\tbb\n", "a    b  c\naaa  bb\n"),
            ("an empty cell is padded", "a\t\tc\na\tb\tc\n", "a     c\na  b  c\n"),
            ("characters are counted, not bytes", "ä\t1\nbb\t2\n", "ä   1\nbb  2\n"),
        ] {
            assert_eq!(tabulate(text), expected, "{sentence}");
        }
    }
}
