//! Derive macros of the care SDK: `Row`, `Category` and `Choice`. They only write out what an author
//! would otherwise write by hand; what the traits mean is said in `care-sdk`.

mod names;
mod row;
mod variants;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Reads a struct with named fields from the columns of a table.
///
/// A field `spend_d1: Option<Fen>` is the column `spend-d1`; `#[row(name = "own.round")]` on a field names
/// another one. The table is `customers`; `#[row(table = "lunar-days")]` on the struct names a reference table,
/// `#[row(table = "tariffs", key = "key")]` also the column by which customers are joined with it: a text, unless the
/// struct reads the column itself as something else.
#[proc_macro_derive(Row, attributes(row))]
pub fn derive_row(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    row::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Reads an enum without data from a category column: `MZone` is the category `m-zone`.
///
/// A variant marked `#[category(other)]` stands for every other category; without one, a row of another
/// category has no value.
#[proc_macro_derive(Category, attributes(category))]
pub fn derive_category(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    variants::derive_category(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Names the variants of an enum without data in their order, as the manifest does: `DeskPrompt` is `desk-prompt`.
#[proc_macro_derive(Choice)]
pub fn derive_choice(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    variants::derive_choice(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
