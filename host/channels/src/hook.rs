//! Telling other systems what happened, by requests signed after Standard Webhooks 1.0 as those of the channel `webhook`
//! are. Addresses are typed by people and asked by the host, from where it stands in the operator's network: so redirects
//! are not followed, what comes back is not read, and what a machine alone can reach (link-local addresses, where clouds
//! keep credentials) is not asked, whatever a name resolves to.

use crate::config::ConfigError;
use crate::webhook::signed;
use care_domain::hook::Heard;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take †.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTING: Duration = Duration::from_secs(5);
/// The longest address.
const MAX_URL: usize = 2_000;

/// What sends events.
#[derive(Debug, Clone)]
pub struct HookSender {
    client: Client,
}

impl HookSender {
    /// Opens it; nothing is sent.
    pub fn open() -> Result<Self, ConfigError> {
        // Somebody else may have installed one before; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            .connect_timeout(CONNECTING)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(Guarded))
            .build()
            .map_err(|error| ConfigError::no_client(&error))?;
        Ok(Self { client })
    }

    /// Tells an endpoint of an event; what it answered.
    pub async fn send(&self, url: &str, secret: &[u8], event: &str, body: &str) -> Heard {
        let failed = |why| Heard { status: None, why };
        let Ok(url) = checked_url(url) else { return failed("the address may not be asked") };
        let request = self.client.post(url).header("user-agent", "care-webhooks/1");
        let Some(request) = signed(request, secret, event, body.to_owned()) else {
            return failed("it cannot be signed");
        };
        match request.send().await {
            Ok(response) => Heard { status: Some(response.status().as_u16()), why: "" },
            Err(error) if error.is_connect() => failed("cannot connect"),
            Err(error) if error.is_timeout() => failed("no answer in time"),
            Err(_) => failed("the connection broke"),
        }
    }
}

/// Reads an address that may be asked; what is wrong with it otherwise.
pub fn checked_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL).ok_or("it is no address")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it is no http address");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds credentials, which would be shown with it");
    }
    let host = url.host_str().ok_or("it names no host")?;
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if literal.is_ok_and(|address| !may_be_asked(address)) {
        return Err("it is an address that a machine alone can reach");
    }
    Ok(url)
}

/// Whether an address may be asked: link-local, multicast and unspecified ones may not.
fn may_be_asked(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !(v4.is_link_local() || v4.is_multicast() || v4.is_unspecified() || v4.is_broadcast()),
        IpAddr::V6(v6) => {
            let mapped = v6.to_ipv4_mapped().is_none_or(|v4| may_be_asked(IpAddr::V4(v4)));
            mapped && !(is_link_local(v6) || v6.is_multicast() || v6.is_unspecified())
        }
    }
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// Looks names up, and passes over what may not be asked: a name may resolve to something else than it did yesterday.
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let asked: Vec<SocketAddr> = found.filter(|address| may_be_asked(address.ip())).collect();
            let all: Addrs = Box::new(asked.into_iter());
            Ok(all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_should_not_be_asked_is_refused() {
        for sound in
            ["https://crm.example.com/hooks?x=1", "http://10.1.2.3:8080/", "http://[fd00::1]/", "http://localhost:9"]
        {
            assert!(checked_url(sound).is_ok(), "{sound}");
        }
        for (wrong, why) in [
            ("crm.example.com", "no address"),
            ("ftp://crm.example.com", "no http"),
            ("file:///etc/passwd", "no http"),
            ("https://user:pass@crm.example.com", "credentials"),
            ("http://169.254.169.254/latest/meta-data", "machine alone"),
            ("http://[fe80::1]/", "machine alone"),
            ("http://[::ffff:169.254.169.254]/", "machine alone"),
            // Written as a number, or in octal: the parser reads it as the browser would.
            ("http://2852039166/", "machine alone"),
            ("http://0/", "machine alone"),
            ("http://0251.0376.0251.0376/", "machine alone"),
        ] {
            let refused = checked_url(wrong).expect_err(wrong);
            assert!(refused.contains(why), "{wrong}: {refused}");
        }
        assert!(checked_url(&format!("http://x/{}", "a".repeat(MAX_URL))).is_err());
    }

    #[tokio::test]
    async fn a_name_leads_nowhere_it_should_not() {
        let found = Guarded.resolve("localhost".parse().expect("a name")).await.expect("addresses");
        assert!(found.count() > 0, "what may be asked is found");
    }
}
