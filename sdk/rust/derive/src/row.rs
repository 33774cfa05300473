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
    let [table, key] = attributes(&input.attrs, ["table", "key"])?;
    let table = table.unwrap_or_else(|| CUSTOMERS.to_owned());
    let idents: Vec<_> = fields.named.iter().filter_map(|f| f.ident.as_ref()).collect();
    let types: Vec<&Type> = fields.named.iter().map(|f| &f.ty).collect();
    let named = fields.named.iter().zip(&idents);
    let names = named
        .map(|(field, ident)| {
            let [name] = attributes(&field.attrs, ["name"])?;
            Ok(name.unwrap_or_else(|| names::of_field(&ident.to_string())))
        })
        .collect::<Result<Vec<String>>>()?;
    let declared = names.iter().zip(&types).map(|(name, ty)| {
        let keyed = (key.as_ref() == Some(name)).then(|| quote!(.keyed()));
        quote!(::care_sdk::Field::of::<#ty>(#name) #keyed)
    });
    // A key that the struct does not read is declared all the same: the host reads it.
    let unread = key.as_ref().filter(|key| !names.contains(key));
    let unread = unread.map(|key| quote!(::care_sdk::Field::of::<::std::string::String>(#key).keyed()));
    let declared = declared.chain(unread);
    let indices = (0..idents.len()).map(Index::from);
    let row = &input.ident;
    Ok(quote! {
        impl ::care_sdk::Row for #row {
            const TABLE: &'static str = #table;
            const FIELDS: &'static [::care_sdk::Field] = &[#(#declared),*];
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

/// The texts of `#[row(key = "text")]` for these keys.
fn attributes<const N: usize>(attributes: &[Attribute], keys: [&str; N]) -> Result<[Option<String>; N]> {
    let mut found = [const { None }; N];
    for attribute in attributes.iter().filter(|a| a.path().is_ident("row")) {
        attribute.parse_nested_meta(|meta| {
            let Some(at) = keys.iter().position(|key| meta.path.is_ident(key)) else {
                let known = keys.map(|key| format!("`{key} = \"…\"`")).join(" and ");
                return Err(meta.error(format!("only {known} is known here")));
            };
            found[at] = Some(meta.value()?.parse::<LitStr>()?.value());
            Ok(())
        })?;
    }
    Ok(found)
}
