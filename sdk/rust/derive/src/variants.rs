//! `#[derive(Category)]` and `#[derive(Choice)]`: enums without data.

use crate::names;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result, Variant};

pub(crate) fn derive_category(input: &DeriveInput) -> Result<TokenStream> {
    let mut named = Vec::new();
    let mut other = quote!(::core::option::Option::None);
    for variant in variants(input)? {
        let ident = &variant.ident;
        if is_other(variant)? {
            other = quote!(::core::option::Option::Some(Self::#ident));
        } else {
            named.push(ident);
        }
    }
    let names = kebab(&named);
    let category = &input.ident;
    Ok(quote! {
        impl ::care_sdk::Category for #category {
            fn of(category: &str) -> ::core::option::Option<Self> {
                match category {
                    #(#names => ::core::option::Option::Some(Self::#named),)*
                    _ => #other,
                }
            }
        }

        impl ::care_sdk::Value for #category {
            const TYPE: &'static str = "category";
            type Column = ::care_sdk::Codes<Self>;

            fn fetch<H: ::care_sdk::Host>(host: &H, table: &str, field: &str) -> Self::Column {
                ::care_sdk::Codes::fetch(host, table, field, <Self as ::care_sdk::Category>::of)
            }

            #[inline]
            fn get(column: &Self::Column, row: usize) -> ::core::option::Option<Self> {
                column.get(row)
            }
        }
    })
}

pub(crate) fn derive_choice(input: &DeriveInput) -> Result<TokenStream> {
    let idents: Vec<&Ident> = variants(input)?.map(|v| &v.ident).collect();
    let names = kebab(&idents);
    let indices: Vec<u16> = (0..).take(idents.len()).collect();
    let choice = &input.ident;
    Ok(quote! {
        impl ::care_sdk::Choice for #choice {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn index(self) -> u16 {
                match self { #(Self::#idents => #indices,)* }
            }

            fn from_index(index: u16) -> ::core::option::Option<Self> {
                match index {
                    #(#indices => ::core::option::Option::Some(Self::#idents),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

fn variants(input: &DeriveInput) -> Result<impl Iterator<Item = &Variant>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "only an enum can be derived so"));
    };
    if let Some(variant) = data.variants.iter().find(|v| !matches!(v.fields, Fields::Unit)) {
        return Err(Error::new_spanned(variant, "a variant may hold no data"));
    }
    Ok(data.variants.iter())
}

fn is_other(variant: &Variant) -> Result<bool> {
    let mut other = false;
    for attribute in variant.attrs.iter().filter(|a| a.path().is_ident("category")) {
        attribute.parse_nested_meta(|meta| {
            other = meta.path.is_ident("other");
            if other { Ok(()) } else { Err(meta.error("only `other` is known here")) }
        })?;
    }
    Ok(other)
}

fn kebab(idents: &[&Ident]) -> Vec<String> {
    idents.iter().map(|i| names::of_variant(&i.to_string())).collect()
}
