//! A text file as UTF-8 with plain line ends: decoded, without byte order mark, each line ended by one `\n`, and
//! after the last one a line with `END_MARK`. Line ends are made equal so that line numbers can be counted in one
//! way; the mark tells a file that ends from one that ends inside a quote.

use super::mapping::Encoding;
use encoding_rs::{Decoder, DecoderResult, GB18030, UTF_8};
use std::io::{self, Read};

const CHUNK: usize = 1 << 16;

/// The last line of every file. No keyboard types it.
pub(crate) const END_MARK: &str = "\u{1a}END\u{1a}";

/// The file is not text in the encoding that the mapping names.
#[derive(Debug, thiserror::Error)]
#[error("line {line} holds bytes that are no character of the encoding")]
pub(crate) struct NotText {
    line: u64,
}

/// Decodes while it reads.
pub(crate) struct TextReader<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    line: u64,
    last: u8,
    ended: bool,
}

impl<R: Read> TextReader<R> {
    pub(crate) fn new(source: R, encoding: Encoding) -> Self {
        let decoder = match encoding {
            Encoding::Utf8 => UTF_8.new_decoder_with_bom_removal(),
            Encoding::Gb18030 => GB18030.new_decoder_with_bom_removal(),
        };
        Self { source, decoder, raw: vec![0; CHUNK], ready: Vec::new(), given: 0, line: 1, last: b'\n', ended: false }
    }

    /// Decodes the next chunk into `ready`.
    fn fill(&mut self) -> io::Result<()> {
        let length = self.source.read(&mut self.raw)?;
        self.ended = length == 0;
        let chunk = &self.raw[..length];
        let room = self.decoder.max_utf8_buffer_length_without_replacement(length).unwrap_or(CHUNK * 4);
        self.ready.resize(room, 0);
        let (result, _, written) = self.decoder.decode_to_utf8_without_replacement(chunk, &mut self.ready, self.ended);
        self.ready.truncate(written);
        self.given = 0;
        self.end_lines_alike();
        match result {
            DecoderResult::InputEmpty => Ok(()),
            DecoderResult::Malformed(..) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, NotText { line: self.line }))
            }
            DecoderResult::OutputFull => Err(io::Error::other("the decoder asked for more room than it said")),
        }
    }

    fn end_lines_alike(&mut self) {
        let (line, last) = (&mut self.line, &mut self.last);
        let mut kept = 0;
        for at in 0..self.ready.len() {
            let byte = self.ready[at];
            let follows_return = *last == b'\r';
            *last = byte;
            if byte == b'\n' && follows_return {
                continue;
            }
            let plain = if byte == b'\r' { b'\n' } else { byte };
            *line += u64::from(plain == b'\n');
            self.ready[kept] = plain;
            kept += 1;
        }
        self.ready.truncate(kept);
        if self.ended {
            let unended = !matches!(*last, b'\n' | b'\r');
            self.ready.extend_from_slice(if unended { b"\n" } else { b"" });
            self.ready.extend_from_slice(END_MARK.as_bytes());
            self.ready.push(b'\n');
        }
    }
}

impl<R: Read> Read for TextReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready.len() {
            if self.ended {
                return Ok(0);
            }
            self.fill()?;
        }
        let length = into.len().min(self.ready.len() - self.given);
        into[..length].copy_from_slice(&self.ready[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands over one byte at a time, so that every boundary falls inside something.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn read(bytes: &[u8], encoding: Encoding) -> io::Result<String> {
        let mut text = String::new();
        TextReader::new(Drip(bytes), encoding).read_to_string(&mut text)?;
        Ok(text.strip_suffix(&format!("{END_MARK}\n")).expect("an end mark").to_owned())
    }

    #[test]
    fn marks_and_line_ends_disappear_whatever_the_encoding() {
        assert_eq!(read(b"\xef\xbb\xbfa\r\nb\rc\n\r\nd", Encoding::Utf8).expect("text"), "a\nb\nc\n\nd\n");
        let (chinese, ..) = GB18030.encode("客户编号,余额\r\n厦门,€\n");
        assert_eq!(read(&chinese, Encoding::Gb18030).expect("text"), "客户编号,余额\n厦门,€\n");
        assert_eq!(read(b"", Encoding::Utf8).expect("text"), "");
    }

    #[test]
    fn bytes_of_another_encoding_are_refused_with_the_line() {
        let (chinese, ..) = GB18030.encode("a\nb\n余额\n");
        assert!(read(&chinese, Encoding::Utf8).expect_err("not UTF-8").to_string().contains("line 3"));
        assert!(read(b"a\n\xe4\xbd", Encoding::Utf8).expect_err("cut off").to_string().contains("line 2"));
        assert!(read(b"\xff\xfea\0", Encoding::Utf8).is_err());
    }
}
