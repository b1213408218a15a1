//! Frames of SPDY/3.1, as far as kubectl's `port-forward` speaks it. What is known of the protocol is from its third draft.
//!
//! Names and values of headers are one zlib stream for each direction of a connection, which begins with a dictionary that both know.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// What the dictionary says of itself: its Adler-32.
const DICTIONARY_ID: u32 = 0xe3c6_a7c2;

/// The words that the dictionary begins with, each behind its length.
const WORDS: &str = "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age \
    allow authorization cache-control connection content-base content-encoding content-language content-length \
    content-location content-md5 content-range content-type date etag expect expires from host if-match \
    if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma \
    proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade \
    user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie \
    keep-alive origin";

/// What follows them.
const REST: &str = "1001012012022052063003023033043053063074024054064074084094104114124134144154164175025045052\
    03 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden\
    404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug \
    Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,\
    application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch\
    charset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

/// How far back a zlib stream refers at the most.
const WINDOW: usize = 1 << 15;

/// More than any headers of a client need.
const MOST_HEADERS: usize = 64 << 10;

/// More than any frame of a client has: what comes is held until it is whole.
const MOST_PAYLOAD: usize = 1 << 20;

/// The last frame of its sender's in a stream.
const FIN: u8 = 1;

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// It opens a stream.
    Open { stream: u32, headers: BTreeMap<String, String>, is_last: bool },
    /// Bytes in a stream.
    Data { stream: u32, bytes: Vec<u8>, is_last: bool },
    /// It gives a stream up.
    Reset { stream: u32 },
    /// It asks whether we are there.
    Ping { id: u32 },
    /// It will open no more streams.
    GoAway,
    /// Nothing that matters here.
    Other,
}

/// Reads frames from bytes that come in pieces.
pub(super) struct Decoder {
    bytes: Vec<u8>,
    headers: HeaderDecoder,
}

impl Decoder {
    /// At the begin of a connection.
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), headers: HeaderDecoder::new() }
    }

    /// Takes what has come.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, once all of it is there.
    ///
    /// # Errors
    /// What is no SPDY, after which nothing of the connection can be read.
    pub(super) fn next(&mut self) -> Result<Option<Frame>> {
        let Some((head, rest)) = self.bytes.split_first_chunk::<8>() else { return Ok(None) };
        let [a, b, c, d, flags, long, middle, short] = *head;
        let length = u32::from_be_bytes([0, long, middle, short]) as usize;
        if length > MOST_PAYLOAD {
            bail!("a frame of {length} bytes");
        }
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let is_last = flags & FIN != 0;
        let frame = if a & 0x80 == 0 {
            let stream = u32::from_be_bytes([a, b, c, d]);
            Frame::Data { stream, bytes: payload.to_vec(), is_last }
        } else {
            if [a & 0x7f, b] != [0, 3] {
                bail!("another version than 3");
            }
            match u16::from_be_bytes([c, d]) {
                1 => {
                    let headers = self.headers.decode(payload.get(10..).context("a short frame")?)?;
                    Frame::Open { stream: number(payload)?, headers, is_last }
                }
                3 => Frame::Reset { stream: number(payload)? },
                6 => Frame::Ping { id: number(payload)? },
                7 => Frame::GoAway,
                // More headers: only what they do to those to come matters.
                2 | 8 => {
                    self.headers.decode(payload.get(4..).context("a short frame")?)?;
                    Frame::Other
                }
                _ => Frame::Other,
            }
        };
        self.bytes.drain(..8 + length);
        Ok(Some(frame))
    }
}

fn number(payload: &[u8]) -> Result<u32> {
    let bytes = payload.first_chunk().context("a short frame")?;
    Ok(u32::from_be_bytes(*bytes) & 0x7fff_ffff)
}

fn dictionary() -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in WORDS.split(' ').filter(|word| !word.is_empty()) {
        let word = word.replace('_', " ");
        // Each is short.
        bytes.extend_from_slice(&(word.len() as u32).to_be_bytes());
        bytes.extend_from_slice(word.as_bytes());
    }
    bytes.extend_from_slice(REST.as_bytes());
    bytes
}

/// The headers of one direction.
struct HeaderDecoder {
    inflater: Box<DecompressorOxide>,
    /// What was read last, in a circle.
    window: Vec<u8>,
    position: usize,
    has_begun: bool,
}

impl HeaderDecoder {
    fn new() -> Self {
        let mut window = dictionary();
        let position = window.len();
        window.resize(WINDOW, 0);
        Self { inflater: Box::default(), window, position, has_begun: false }
    }

    fn decode(&mut self, block: &[u8]) -> Result<BTreeMap<String, String>> {
        let mut rest = block;
        if !self.has_begun {
            let (head, after) = rest.split_first_chunk::<6>().context("no zlib stream")?;
            let [method, flags, id @ ..] = *head;
            let is_sound = u16::from_be_bytes([method, flags]) % 31 == 0 && method & 0x0f == 8;
            if !is_sound || flags & 0x20 == 0 || u32::from_be_bytes(id) != DICTIONARY_ID {
                bail!("headers that are not compressed by the dictionary of SPDY/3");
            }
            rest = after;
            self.has_begun = true;
        }
        let mut text = Vec::new();
        loop {
            let (status, read, written) = decompress(
                &mut self.inflater,
                rest,
                &mut self.window,
                self.position,
                TINFL_FLAG_HAS_MORE_INPUT,
            );
            text.extend_from_slice(&self.window[self.position..self.position + written]);
            if text.len() > MOST_HEADERS {
                bail!("headers of more than {MOST_HEADERS} bytes");
            }
            self.position = (self.position + written) % WINDOW;
            rest = &rest[read..];
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput if rest.is_empty() => break,
                status => bail!("headers that cannot be read: {status:?}"),
            }
        }
        pairs(&text)
    }
}

/// Names and values.
fn pairs(text: &[u8]) -> Result<BTreeMap<String, String>> {
    let mut rest = text;
    let take_number = |rest: &mut &[u8]| -> Result<usize> {
        let (number, after) = rest.split_first_chunk::<4>().context("headers that end too early")?;
        *rest = after;
        Ok(u32::from_be_bytes(*number) as usize)
    };
    let count = take_number(&mut rest)?;
    let mut headers = BTreeMap::new();
    for _ in 0..count {
        let mut take = || -> Result<String> {
            let length = take_number(&mut rest)?;
            let (word, after) = rest.split_at_checked(length).context("headers that end too early")?;
            rest = after;
            Ok(String::from_utf8_lossy(word).into_owned())
        };
        let name = take()?;
        headers.insert(name, take()?);
    }
    Ok(headers)
}

/// Writes what a server sends.
pub(super) struct Encoder {
    has_begun: bool,
}

impl Encoder {
    /// At the begin of a connection.
    pub(super) fn new() -> Self {
        Self { has_begun: false }
    }

    /// A stream is taken, without headers.
    pub(super) fn reply(&mut self, stream: u32) -> Vec<u8> {
        let mut payload = stream.to_be_bytes().to_vec();
        if !self.has_begun {
            payload.extend_from_slice(&[0x78, 0x20]);
            payload.extend_from_slice(&DICTIONARY_ID.to_be_bytes());
            self.has_begun = true;
        }
        // No headers: four bytes as they are, and an empty block, which tells the reader to hand them over.
        payload.extend_from_slice(&[0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0]);
        payload.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
        control(2, &payload)
    }
}

/// Bytes in a stream.
pub(super) fn data(stream: u32, bytes: &[u8], is_last: bool) -> Vec<u8> {
    let mut frame = stream.to_be_bytes().to_vec();
    frame.push(if is_last { FIN } else { 0 });
    // What is read at once is far less than a frame may have.
    frame.extend_from_slice(&(bytes.len() as u32).to_be_bytes()[1..]);
    frame.extend_from_slice(bytes);
    frame
}

/// The answer to a ping: the same.
pub(super) fn ping(id: u32) -> Vec<u8> {
    control(6, &id.to_be_bytes())
}

fn control(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80, 3, 0, kind, 0];
    frame.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adler(bytes: &[u8]) -> u32 {
        let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
            let a = (a + u32::from(*byte)) % 65521;
            (a, (b + a) % 65521)
        });
        b << 16 | a
    }

    #[test]
    fn the_dictionary_is_that_of_the_protocol() {
        assert_eq!(dictionary().len(), 1423);
        assert_eq!(adler(&dictionary()), DICTIONARY_ID);
    }

    /// Headers, compressed by zlib with the dictionary, the second behind the first.
    fn opened() -> [Vec<u8>; 2] {
        [hex(FIRST), hex(SECOND)]
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    const FIRST: &str = "78f9e3c6a7c202253a48f95b044eea16e666a0d286b308125f99a074cc68004e892545a989b9d0c2863515141500000000ffff";
    const SECOND: &str = "225333a8a44a04000000ffff";

    #[test]
    fn frames_are_read_in_whatever_pieces_they_come() {
        let mut bytes = Vec::new();
        for (stream, block) in [1_u32, 3].into_iter().zip(opened()) {
            let mut payload = stream.to_be_bytes().to_vec();
            payload.extend_from_slice(&[0; 6]);
            payload.extend_from_slice(&block);
            bytes.extend(control(1, &payload));
        }
        bytes.extend(data(3, b"hello", true));
        bytes.extend(control(4, &[0; 4]));
        bytes.extend(ping(7));
        bytes.extend(control(3, &[0, 0, 0, 3, 0, 0, 0, 5]));
        bytes.extend(control(7, &[0; 8]));
        let headers = |kind: &str| {
            let all = [("streamtype", kind), ("port", "8765"), ("requestid", "0")];
            all.into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let expected = [
            Frame::Open { stream: 1, headers: headers("error"), is_last: false },
            Frame::Open { stream: 3, headers: headers("data"), is_last: false },
            Frame::Data { stream: 3, bytes: b"hello".to_vec(), is_last: true },
            Frame::Other,
            Frame::Ping { id: 7 },
            Frame::Reset { stream: 3 },
            Frame::GoAway,
        ];
        for size in [1, 3, 1000] {
            let (mut decoder, mut frames) = (Decoder::new(), Vec::new());
            for piece in bytes.chunks(size) {
                decoder.push(piece);
                while let Some(frame) = decoder.next().expect("a frame") {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, expected, "{size}");
        }
    }

    #[test]
    fn what_is_no_spdy_is_refused() {
        let mut bad = opened()[0].clone();
        bad[2] ^= 1;
        let mut open = vec![0; 10];
        open.extend(bad);
        for bytes in [
            control(1, &open),
            control(1, &[0; 3]),
            control(1, &[0; 20]),
            hex("8002000100000000"),
            hex("0000000100ff0000"),
        ] {
            let mut decoder = Decoder::new();
            decoder.push(&bytes);
            let found = decoder.next();
            assert!(found.is_err(), "{bytes:x?}: {found:?}");
        }
    }

    #[test]
    fn replies_begin_the_stream_of_headers_once() {
        let mut encoder = Encoder::new();
        assert_eq!(
            encoder.reply(1),
            hex("80030002000000180000000178 20e3c6a7c2000400fbff000000000000 00ffff"
                .replace(' ', "")
                .as_str())
        );
        assert_eq!(encoder.reply(3), hex("800300020000001200000003000400fbff00000000000000ffff"));
    }
}
