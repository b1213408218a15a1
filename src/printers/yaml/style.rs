//! Which styles a string can be written in, and which of them is taken.

/// How a string is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// Breaks a line in YAML 1.1.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Is written as it is. Characters outside the basic plane are not, nor is a tab.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// The style of a string. Lines make a block, what would be read as something else gets double quotes, and
/// what the syntax forbids falls back from plain to single and from any to double quotes.
pub(super) fn of(text: &str, is_key: bool, resolves_to_string: bool) -> Style {
    let allowed = Allowed::of(text);
    if text.contains('\n') {
        return if allowed.block && !is_key { Style::Literal } else { Style::Double };
    }
    if !resolves_to_string {
        return Style::Double;
    }
    if allowed.plain {
        Style::Plain
    } else if allowed.single {
        Style::Single
    } else {
        Style::Double
    }
}

struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut breaks, mut special) = (false, false);
        let (mut space_then_break, mut break_then_space) = (false, false);
        let mut previous = None;
        for (at, c) in text.char_indices() {
            let next = text[at + c.len_utf8()..].chars().next();
            let ends_word = next.is_none_or(is_blank);
            indicators |= match (previous, c) {
                (None, '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"') => true,
                (None, '%' | '@' | '`') => true,
                (None, '?' | '-') | (_, ':') => ends_word,
                (Some(previous), '#') => is_blank(previous),
                _ => false,
            };
            special |= !is_printable(c);
            breaks |= is_break(c);
            space_then_break |= is_break(c) && previous == Some(' ');
            break_then_space |= c == ' ' && previous.is_some_and(is_break);
            previous = Some(c);
        }
        let at_edge = |c: Option<char>| c.is_some_and(|c| c == ' ' || is_break(c));
        let edges = at_edge(text.chars().next()) || at_edge(text.chars().next_back());
        let unfit = space_then_break || special;
        Allowed {
            plain: !(indicators || edges || breaks || unfit),
            single: !(break_then_space || unfit),
            block: !(text.ends_with(' ') || unfit),
        }
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t' || is_break(c)
}

/// The escape of a character in double quotes.
pub(super) fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            return match u32::from(c) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
