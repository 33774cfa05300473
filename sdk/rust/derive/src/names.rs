//! From Rust names to the kebab-case names of fields, categories, reasons, templates and slots.

/// `spend_d1` → `spend-d1`; a raw identifier loses its `r#`.
pub(crate) fn of_field(name: &str) -> String {
    name.trim_start_matches("r#").replace('_', "-")
}

/// `MZone` → `m-zone`: every capital starts a word.
pub(crate) fn of_variant(name: &str) -> String {
    let mut kebab = String::new();
    for (at, letter) in name.trim_start_matches("r#").chars().enumerate() {
        if at > 0 && letter.is_ascii_uppercase() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_names_become_kebab_names() {
        assert_eq!([of_field("spend_d1"), of_field("r#type")], ["spend-d1", "type"]);
        assert_eq!(
            [of_variant("MZone"), of_variant("Gotone"), of_variant("TenYear")],
            ["m-zone", "gotone", "ten-year"]
        );
    }
}
