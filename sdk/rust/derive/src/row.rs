//! `#[derive(Row)]`.

use crate::names;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Index, LitStr, Result, Type};

const CUSTOMERS: &str = "customers";

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "a row is a struct with named fields"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "a row is a struct with named fields"));
    };
    let table = attribute(&input.attrs, "table")?.unwrap_or_else(|| CUSTOMERS.to_owned());
    let idents: Vec<_> = fields.named.iter().filter_map(|f| f.ident.as_ref()).collect();
    let types: Vec<&Type> = fields.named.iter().map(|f| &f.ty).collect();
    let named = fields.named.iter().zip(&idents);
    let names = named
        .map(|(field, ident)| {
            Ok(attribute(&field.attrs, "name")?.unwrap_or_else(|| names::of_field(&ident.to_string())))
        })
        .collect::<Result<Vec<String>>>()?;
    let indices = (0..idents.len()).map(Index::from);
    let row = &input.ident;
    Ok(quote! {
        impl ::care_sdk::Row for #row {
            const TABLE: &'static str = #table;
            const FIELDS: &'static [::care_sdk::Field] = &[#(::care_sdk::Field::of::<#types>(#names)),*];
            type Columns = (#(<#types as ::care_sdk::Value>::Column,)*);

            fn fetch<H: ::care_sdk::Host>(host: &H) -> Self::Columns {
                (#(<#types as ::care_sdk::Value>::fetch(host, #table, #names),)*)
            }

            #[inline]
            fn read(columns: &Self::Columns, row: usize) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(Self {
                    #(#idents: <#types as ::care_sdk::Value>::get(&columns.#indices, row)?,)*
                })
            }
        }
    })
}

/// The text of `#[row(key = "text")]`.
fn attribute(attributes: &[Attribute], key: &str) -> Result<Option<String>> {
    let mut found = None;
    for attribute in attributes.iter().filter(|a| a.path().is_ident("row")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident(key) {
                return Err(meta.error(format!("only `{key} = \"…\"` is known here")));
            }
            found = Some(meta.value()?.parse::<LitStr>()?.value());
            Ok(())
        })?;
    }
    Ok(found)
}
