//! Lists: pages with cursors that only this server can have made.

use super::problem::Problem;
use super::{Answer, Api};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use utoipa::{IntoParams, ToSchema};

/// Items of a page unless told otherwise, and at most.
const USUAL: usize = 100;
const MOST: usize = 1_000;
/// Bytes of the seal in front of a cursor.
const SEAL: usize = 16;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Items of a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    pub(super) limit: Option<usize>,
    /// Where the page begins: `next` of the page before.
    pub(super) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// What is on it.
    #[schema(value_type = Vec<Object>)]
    pub(super) items: Vec<Value>,
    /// The cursor of the next page; absent on the last. It holds until the server is started anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// A page of a list, described by what is on it.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it describes; `Page` is what is answered")]
pub(super) struct PageOf<T: ToSchema> {
    /// What is on it.
    items: Vec<T>,
    /// The cursor of the next page; absent on the last. It holds until the server is started anew.
    next: Option<String>,
}

impl Paging {
    /// Items that are wanted.
    pub(super) fn size(&self) -> Answer<usize> {
        match self.limit.unwrap_or(USUAL) {
            size @ 1..=MOST => Ok(size),
            size => {
                let detail = format!("a page of {size} items cannot be had");
                Err(Problem::bad_request("bad-limit", detail, "Ask for 1 to 1000"))
            }
        }
    }

    /// After what the page begins, as `page` sealed it for the same list.
    pub(super) fn after(&self, api: &Api, list: &str) -> Answer<Option<String>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let forged = || {
            let detail = "the cursor is none of this list's, or is of before the server was started anew";
            Problem::bad_request("bad-cursor", detail, "Begin again without a cursor")
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| forged())?;
        let (sealed, position) = bytes.split_at_checked(SEAL).ok_or_else(forged)?;
        let genuine = seal(api, list, position).verify_truncated_left(sealed);
        genuine.map_err(|_| forged())?;
        String::from_utf8(position.to_vec()).map(Some).map_err(|_| forged())
    }
}

/// A page whose items are known already, with the position of the last where more may follow.
pub(super) fn page(api: &Api, list: &str, items: Vec<Value>, last: Option<&str>) -> Page {
    let next = last.map(|position| {
        let mut bytes = seal(api, list, position.as_bytes()).finalize().into_bytes()[..SEAL].to_vec();
        bytes.extend_from_slice(position.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    });
    Page { items, next }
}

/// A page of what is all at hand, in its order; `position` names an item and is unique.
pub(super) fn cut<T>(
    api: &Api,
    list: &str,
    paging: &Paging,
    all: &[T],
    position: impl Fn(&T) -> String,
    view: impl Fn(&T) -> Value,
) -> Answer<Page> {
    let size = paging.size()?;
    let begin = match paging.after(api, list)? {
        // An item that went away meanwhile ends the list rather than beginning it again.
        Some(last) => all.iter().position(|item| position(item) == last).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let rest = &all[begin..];
    let shown = &rest[..rest.len().min(size)];
    let last = shown.last().filter(|_| rest.len() > shown.len()).map(&position);
    Ok(page(api, list, shown.iter().map(view).collect(), last.as_deref()))
}

/// What only this server can make of a text, as long as it runs: 32 digits.
pub(super) fn sealed(api: &Api, what: &str, text: &[u8]) -> String {
    hex::encode(&seal(api, what, text).finalize().into_bytes()[..SEAL])
}

fn seal(api: &Api, list: &str, position: &[u8]) -> Hmac<Sha256> {
    // HMAC takes a key of any length.
    #[allow(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&api.seal).expect("a key");
    mac.update(list.as_bytes());
    mac.update(&[0]);
    mac.update(position);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_is_read_page_by_page_and_a_forged_cursor_opens_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = care_engine::Engine::init(folder.path(), [7; 32], 1).await.expect("a data folder");
        let api = Api::new(engine, super::super::USUAL_RATE).expect("an API");
        let all: Vec<u32> = (0..250).collect();
        let read = |list: &str, paging: &Paging| cut(&api, list, paging, &all, u32::to_string, |n| Value::from(*n));
        let mut paging = Paging { limit: Some(90), cursor: None };
        let mut seen = Vec::new();
        loop {
            let page = read("things", &paging).expect("a page");
            seen.extend(page.items.iter().filter_map(Value::as_u64).map(|n| n as u32));
            paging.cursor = page.next;
            if paging.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
        let first = read("things", &Paging::default()).expect("a page").next.expect("more");
        let other = Paging { cursor: Some(first.clone()), limit: None };
        assert!(read("things", &other).is_ok() && read("others", &other).is_err(), "a cursor is of one list");
        for forged in ["", "AAAA", "…", &first[1..], &first.replace(&first[20..24], "AAAA"), &"A".repeat(500)] {
            let paging = Paging { cursor: Some(forged.to_owned()), limit: None };
            assert!(read("things", &paging).is_err(), "{forged}");
        }
        assert!(read("things", &Paging { limit: Some(0), cursor: None }).is_err());
        assert!(read("things", &Paging { limit: Some(1_001), cursor: None }).is_err());
    }
}
