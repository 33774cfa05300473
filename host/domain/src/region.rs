//! Administrative codes: six digits, two each for province, prefecture and county; `00` stands for all below.

/// Whether it is an administrative code: six digits.
pub fn is_code(code: &str) -> bool {
    code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())
}

/// Whether it is the code of a province as a whole.
pub fn is_province(code: &str) -> bool {
    is_code(code) && code.ends_with("0000")
}

/// Whether the region `wide` holds the region `narrow`: `350000` covers `350203`, `350200` covers `350203`.
pub fn covers(wide: &str, narrow: &str) -> bool {
    if wide.len() != 6 || narrow.len() != 6 {
        return false;
    }
    let significant = match wide {
        w if w.ends_with("0000") => &wide[..2],
        w if w.ends_with("00") => &wide[..4],
        _ => wide,
    };
    narrow.starts_with(significant)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_region_covers_itself_and_what_lies_in_it() {
        for (wide, narrow, expected) in [
            ("350000", "350203", true),
            ("350200", "350203", true),
            ("350203", "350203", true),
            ("350200", "350303", false),
            ("350203", "350200", false),
            ("513200", "513221", true),
            ("", "350203", false),
            ("350000", "", false),
        ] {
            assert_eq!(covers(wide, narrow), expected, "{wide} {narrow}");
        }
    }
}
