//! What the system says of a failing call.

/// The text of an error of the system, without its number and in small letters, as Go writes it.
pub(crate) fn errno_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_error_is_told_without_its_number() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(errno_text(&error), "no such file or directory");
    }
}
