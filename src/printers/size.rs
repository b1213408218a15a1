//! Sizes as people read them.

/// `12.5 MiB`: a number of bytes in KiB, MiB, GiB or TiB, with one digit after the point.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // What would be shown as 1024.0 is one of the next unit.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_short() {
        let bytes = [0, 512, 1024, (1 << 20) - 1, 1 << 20, 3 << 29, 1 << 51];
        let shown = ["0.0 KiB", "0.5 KiB", "1.0 KiB", "1.0 MiB", "1.0 MiB", "1.5 GiB", "2048.0 TiB"];
        assert_eq!(bytes.map(size), shown);
    }
}
