//! Short messages as networks count them: the encoding of a text and its segments, which are what is paid for.
//! GSM 7-bit and its extension table are those of 3GPP TS 23.038; a text of several segments spends six octets of
//! each on the header that joins them (3GPP TS 23.040).

use crate::policy::Class;
use crate::text::{Bilingual, Language};
use serde::{Deserialize, Serialize};

/// The default alphabet of GSM 7-bit: one septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: an escape and the character, two septets.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// How a short message is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// GSM 7-bit: 160 septets in one message, 153 in each of several.
    Gsm7,
    /// UCS-2: 70 code units in one message, 67 in each of several. One Chinese character asks for it.
    Ucs2,
}

impl Encoding {
    /// As shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm-7",
            Self::Ucs2 => "ucs-2",
        }
    }

    /// Units in a message of one segment, and in each segment of a longer one.
    fn room(self) -> (u32, u32) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }

    /// Units that a character takes; all of them go into one segment.
    fn units(self, c: char) -> u32 {
        match self {
            Self::Gsm7 => 1 + u32::from(EXTENDED.contains(c)),
            Self::Ucs2 => c.len_utf16() as u32,
        }
    }
}

/// What stands around every short message: it is sent and paid for, and counted before anything is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Frame {
    /// Put before the text: `【福建移动】`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Bilingual>,
    /// Put behind a commercial text: each such message says how to refuse (通信短信息服务管理规定).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal_hint: Option<Bilingual>,
}

impl Frame {
    /// A short message as it is read.
    pub fn around(&self, text: &str, class: Class, language: Language) -> String {
        let word = |words: &Option<Bilingual>| words.as_ref().map_or("", |w| w.get(language)).to_owned();
        let hint = if class == Class::Commercial { word(&self.refusal_hint) } else { String::new() };
        format!("{}{text}{hint}", word(&self.signature))
    }

    /// Whether nothing stands around.
    pub fn is_bare(&self) -> bool {
        *self == Self::default()
    }
}

/// What a text comes to as a short message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Segments {
    /// The narrower encoding that holds every character.
    pub encoding: Encoding,
    /// Septets, or UTF-16 code units.
    pub units: u32,
    /// Segments that are sent and paid for, at least one.
    pub segments: u32,
}

/// The encoding and segments of a whole text. Whoever asks puts the signature in: it is sent and paid for too.
pub fn segments(text: &str) -> Segments {
    let (encoding, pieces) = split(text);
    let units = text.chars().map(|c| encoding.units(c)).sum();
    Segments { encoding, units, segments: pieces.len() as u32 }
}

/// The texts of the segments: neither an escaped character nor a surrogate pair is torn apart.
fn split(text: &str) -> (Encoding, Vec<&str>) {
    let narrow = text.chars().all(|c| BASIC.contains(c) || EXTENDED.contains(c));
    let encoding = if narrow { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let (single, several) = encoding.room();
    if text.chars().map(|c| encoding.units(c)).sum::<u32>() <= single {
        return (encoding, vec![text]);
    }
    let (mut pieces, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, c) in text.char_indices() {
        let units = encoding.units(c);
        if used + units > several {
            pieces.push(&text[start..at]);
            (start, used) = (at, 0);
        }
        used += units;
    }
    pieces.push(&text[start..]);
    (encoding, pieces)
}

/// The most segments of one message: the header that joins them counts in one octet.
pub const MAX_SEGMENTS: usize = 255;

/// A text as it goes to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// How.
    pub encoding: Encoding,
    /// The octets of each segment. Where there are several, each begins with the header that joins them.
    pub segments: Vec<Vec<u8>>,
}

/// Encodes a text: GSM 7-bit one septet an octet, as gateways take it, or UCS-2 with the high octet first. `reference`
/// is the same in all segments and differs between messages to one handset. `None` when there are too many segments.
pub fn encode(text: &str, reference: u8) -> Option<Encoded> {
    let (encoding, pieces) = split(text);
    if pieces.len() > MAX_SEGMENTS {
        return None;
    }
    let all = pieces.len() as u8;
    let octets = |piece: &str| -> Vec<u8> {
        match encoding {
            Encoding::Gsm7 => piece.chars().flat_map(septets).collect(),
            Encoding::Ucs2 => piece.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        }
    };
    let joined = |(number, piece): (u8, &&str)| -> Vec<u8> {
        let header: &[u8] = if all == 1 { &[] } else { &[5, 0, 3, reference, all, number] };
        [header, &octets(piece)].concat()
    };
    Some(Encoded { encoding, segments: (1..=all).zip(&pieces).map(joined).collect() })
}

/// The septets of a character of GSM 7-bit.
fn septets(c: char) -> Vec<u8> {
    if let Some(place) = BASIC.chars().position(|b| b == c) {
        // The place of the escape stands between the two halves of the alphabet that `BASIC` writes down.
        let place = place as u8;
        return vec![if place >= ESCAPE { place + 1 } else { place }];
    }
    let codes = [0x0a, 0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65];
    let mut known = EXTENDED.chars().zip(codes);
    known.find(|(e, _)| *e == c).map_or_else(Vec::new, |(_, code)| vec![ESCAPE, code])
}

/// Announces a character of the extension table.
const ESCAPE: u8 = 0x1b;

/// Reads the octets of a message from a customer, header left out. What cannot be read becomes `\u{fffd}`.
pub fn decode(encoding: Encoding, octets: &[u8]) -> String {
    match encoding {
        Encoding::Ucs2 => {
            let units: Vec<u16> = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        Encoding::Gsm7 => {
            let mut text = String::new();
            let mut rest = octets.iter().copied();
            while let Some(octet) = rest.next() {
                let wanted: Vec<u8> = if octet == ESCAPE { vec![octet, rest.next().unwrap_or(0)] } else { vec![octet] };
                let found = BASIC.chars().chain(EXTENDED.chars()).find(|c| septets(*c) == wanted);
                text.push(found.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(text: &str) -> (Encoding, u32, u32) {
        let Segments { encoding, units, segments } = segments(text);
        (encoding, units, segments)
    }

    #[test]
    fn the_alphabet_is_whole() {
        // 128 places less the escape.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENDED.chars().count(), 10);
        assert!(!BASIC.chars().any(|c| EXTENDED.contains(c)));
    }

    #[test]
    fn gsm_7_holds_160_septets_alone_and_153_in_company() {
        for (length, expected) in [(0, 1), (1, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)] {
            assert_eq!(counted(&"a".repeat(length)), (Encoding::Gsm7, length as u32, expected), "{length}");
        }
    }

    #[test]
    fn ucs_2_holds_70_units_alone_and_67_in_company() {
        for (length, expected) in [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (201, 3), (202, 4)] {
            assert_eq!(counted(&"字".repeat(length)), (Encoding::Ucs2, length as u32, expected), "{length}");
        }
    }

    #[test]
    fn characters_of_the_extension_count_two_and_stay_whole() {
        assert_eq!(counted(&"€".repeat(80)), (Encoding::Gsm7, 160, 1));
        assert_eq!(counted(&"€".repeat(81)), (Encoding::Gsm7, 162, 2));
        // 76 of them fill 152 of 153 septets; the next begins a segment: 306 septets do not fit into two.
        assert_eq!(counted(&"€".repeat(153)), (Encoding::Gsm7, 306, 3));
        assert_eq!(counted(&format!("{}€", "a".repeat(159))), (Encoding::Gsm7, 161, 2));
    }

    #[test]
    fn surrogate_pairs_count_two_and_stay_whole() {
        assert_eq!(counted(&"🎂".repeat(35)), (Encoding::Ucs2, 70, 1));
        assert_eq!(counted(&"🎂".repeat(36)), (Encoding::Ucs2, 72, 2));
        // 33 pairs fill 66 of 67 units: 134 units do not fit into two segments.
        assert_eq!(counted(&"🎂".repeat(67)), (Encoding::Ucs2, 134, 3));
    }

    #[test]
    fn one_character_beyond_gsm_7_makes_the_whole_text_ucs_2() {
        assert_eq!(counted(&"a".repeat(71)).0, Encoding::Gsm7);
        assert_eq!(counted(&format!("{}…", "a".repeat(70))), (Encoding::Ucs2, 71, 2));
    }

    #[test]
    fn what_is_encoded_reads_the_same_and_fits_its_segments() {
        for text in [
            "hello {x} ~ €",
            "【关怀】您的余额为12.05元，拒收请回复TD",
            &"字".repeat(200),
            &"a€".repeat(200),
            &"🎂".repeat(70),
        ] {
            let encoded = encode(text, 7).expect("a message");
            assert_eq!(encoded.segments.len() as u32, segments(text).segments);
            let header = if encoded.segments.len() > 1 { 6 } else { 0 };
            let mut read = String::new();
            for (number, segment) in (1..).zip(&encoded.segments) {
                // 140 octets on the air: one septet an octet is packed later.
                let most = if encoded.encoding == Encoding::Gsm7 && header > 0 {
                    159
                } else if header == 0 {
                    160
                } else {
                    140
                };
                assert!(segment.len() <= most, "{} octets", segment.len());
                if header > 0 {
                    assert_eq!(segment[..6], [5, 0, 3, 7, encoded.segments.len() as u8, number]);
                }
                read += &decode(encoded.encoding, &segment[header..]);
            }
            assert_eq!(read, text);
        }
        assert_eq!(encode("@Aä€", 0).map(|e| e.segments), Some(vec![vec![0, 0x41, 0x7b, 0x1b, 0x65]]));
        assert_eq!(encode(&"字".repeat(255 * 67 + 1), 0), None);
        assert_eq!(decode(Encoding::Gsm7, &[0x1b, 0x00, 0xff, 0x41]), "\u{fffd}\u{fffd}A");
        assert_eq!(decode(Encoding::Ucs2, &[0xd8, 0x00, 0x00]), "\u{fffd}");
    }
}
