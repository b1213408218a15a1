//! Answers in gzip: the container around what miniz_oxide packs. Pure.

/// How hard to pack: more takes longer than it saves.
const LEVEL: u8 = 6;

/// Packs a text.
pub(super) fn pack(text: &[u8]) -> Vec<u8> {
    // No name, no time, some system.
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    packed.extend(miniz_oxide::deflate::compress_to_vec(text, LEVEL));
    packed.extend(crc32(text).to_le_bytes());
    let length = u32::try_from(text.len() & 0xffff_ffff).unwrap_or_default();
    packed.extend(length.to_le_bytes());
    packed
}

/// Unpacks what [`pack`] has packed.
pub(super) fn unpack(packed: &[u8]) -> Vec<u8> {
    let inner = packed.get(10..packed.len().saturating_sub(8)).unwrap_or_default();
    miniz_oxide::inflate::decompress_to_vec(inner).unwrap_or_default()
}

/// The checksum of gzip.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            let (mut value, mut bit) = (at as u32, 0);
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |sum, byte| sum >> 8 ^ TABLE[((sum ^ u32::from(*byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_gzip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let text = "Kubernetes ".repeat(100);
        let packed = pack(text.as_bytes());
        assert!(packed.len() < 60, "{}", packed.len());
        assert_eq!(unpack(&packed), text.as_bytes());
    }
}
