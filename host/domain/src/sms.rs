//! Short messages as networks count them: the encoding of a text and its segments, which are what is paid for.
//! GSM 7-bit and its extension table are those of 3GPP TS 23.038; a text of several segments spends six octets of
//! each on the header that joins them (3GPP TS 23.040).

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
    let narrow = text.chars().all(|c| BASIC.contains(c) || EXTENDED.contains(c));
    let encoding = if narrow { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let units = text.chars().map(|c| encoding.units(c)).sum();
    let (single, several) = encoding.room();
    let segments = if units <= single { 1 } else { packed(text, encoding, several) };
    Segments { encoding, units, segments }
}

/// Segments of `room` units: neither an escaped character nor a surrogate pair is torn apart.
fn packed(text: &str, encoding: Encoding, room: u32) -> u32 {
    let (mut segments, mut used) = (1, 0);
    for units in text.chars().map(|c| encoding.units(c)) {
        if used + units > room {
            segments += 1;
            used = 0;
        }
        used += units;
    }
    segments
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
}
