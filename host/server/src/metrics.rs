//! Figures for Prometheus, in its text format: what this process answered, and what the ledger holds by activity and
//! version. Nothing of a customer stands in them.

use crate::telemetry::Spans;
use care_engine::{Engine, EngineError, Figures};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Upper bounds of the answer-time buckets, in milliseconds.
const BOUNDS_MS: [u64; 8] = [5, 20, 50, 100, 300, 1_000, 5_000, 30_000];

/// How old figures of the ledger may be.
const FRESH: Duration = Duration::from_secs(10);

/// What was answered by method and address.
#[derive(Default)]
struct Route {
    /// By status.
    answers: BTreeMap<u16, u64>,
    /// Answers within each bound.
    within: [u64; BOUNDS_MS.len()],
    count: u64,
    micros: u128,
}

/// What this process answered since it began.
#[derive(Default)]
pub(crate) struct Metrics {
    routes: Mutex<BTreeMap<(String, String), Route>>,
    /// What the ledger held a moment ago.
    ledger: tokio::sync::Mutex<Option<(Instant, Arc<Figures>)>>,
    /// Where spans go, if they go anywhere.
    spans: Option<Spans>,
}

impl Metrics {
    /// With spans that may be dropped.
    pub(crate) fn watching(spans: Option<Spans>) -> Self {
        Self { spans, ..Self::default() }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &str, path: &str, status: u16, took: Duration) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        // A method is whatever a stranger sends; addresses are those of the router.
        let method = if path == "-" { "-" } else { method };
        let route = routes.entry((method.to_owned(), path.to_owned())).or_default();
        *route.answers.entry(status).or_default() += 1;
        let ms = took.as_millis() as u64;
        for (within, bound) in route.within.iter_mut().zip(BOUNDS_MS) {
            *within += u64::from(ms <= bound);
        }
        route.count += 1;
        route.micros += took.as_micros();
    }

    fn of_requests(&self, text: &mut String) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        head(text, "care_http_requests_total", "counter", "Requests by address and status.");
        for ((method, path), route) in routes.iter() {
            for (status, count) in &route.answers {
                let status = status.to_string();
                let labels = [("method", method.as_str()), ("path", path), ("status", &status)];
                line(text, "care_http_requests_total", &labels, *count);
            }
        }
        let name = "care_http_request_seconds";
        head(text, name, "histogram", "How long answers took.");
        for ((method, path), route) in routes.iter() {
            let labels = [("method", method.as_str()), ("path", path)];
            for (within, bound) in route.within.iter().zip(BOUNDS_MS) {
                let bound = (bound as f64 / 1_000.0).to_string();
                let all = [labels[0], labels[1], ("le", &bound)];
                line(text, &format!("{name}_bucket"), &all, *within);
            }
            let all = [labels[0], labels[1], ("le", "+Inf")];
            line(text, &format!("{name}_bucket"), &all, route.count);
            line(text, &format!("{name}_sum"), &labels, route.micros as f64 / 1_000_000.0);
            line(text, &format!("{name}_count"), &labels, route.count);
        }
    }

    /// Counting reads the whole ledger, and anybody may ask: so it is done once in a while, whoever asks.
    async fn of_ledger(&self, engine: &Engine) -> Result<Arc<Figures>, EngineError> {
        let mut kept = self.ledger.lock().await;
        if let Some((at, figures)) = &*kept
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(figures));
        }
        let figures = Arc::new(engine.figures().await?);
        *kept = Some((Instant::now(), Arc::clone(&figures)));
        Ok(figures)
    }

    /// All figures.
    pub(crate) async fn written(&self, engine: &Engine) -> Result<String, EngineError> {
        let mut text = String::new();
        self.of_requests(&mut text);
        if let Some(spans) = &self.spans {
            head(&mut text, "care_spans_dropped_total", "counter", "Spans that the collector did not take.");
            line(&mut text, "care_spans_dropped_total", &[], spans.dropped());
        }
        let figures = self.of_ledger(engine).await?;
        head(&mut text, "care_contacts", "gauge", "Contacts in the ledger by activity, version, channel and state.");
        for (of, count) in &figures.contacts {
            let labels = [
                ("activity", of.activity.as_str()),
                ("version", &of.version),
                ("channel", &of.channel),
                ("state", &of.state),
            ];
            line(&mut text, "care_contacts", &labels, *count);
        }
        head(&mut text, "care_outcomes", "gauge", "Outcomes in the ledger by activity that they answer and kind.");
        for ((activity, kind), count) in &figures.outcomes {
            line(&mut text, "care_outcomes", &[("activity", activity), ("kind", kind)], *count);
        }
        head(&mut text, "care_submissions", "gauge", "Versions by activity and where they stand.");
        for ((activity, version, state), count) in &figures.versions {
            let labels = [("activity", activity.as_str()), ("version", version), ("state", state)];
            line(&mut text, "care_submissions", &labels, *count);
        }
        for (name, help, value) in [
            ("care_plans_unfinished", "Plans that were begun and are not over.", figures.unfinished_plans),
            ("care_dead_letters", "Contacts that were given up and wait for somebody.", figures.dead_letters),
            ("care_switches", "Kill switches that are thrown.", figures.switches),
            ("care_population_date_days", "Business date of the newest population, in days since 1970.", figures.date),
            ("care_audit_lines", "Lines of the audit log.", figures.audit_lines),
        ] {
            head(&mut text, name, "gauge", help);
            line(&mut text, name, &[], value);
        }
        Ok(text)
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_address_and_fall_into_buckets_that_only_grow() {
        let metrics = Metrics::default();
        for (ms, status) in [(1, 200), (60, 200), (60, 404), (90_000, 200)] {
            metrics.answered("GET", "/v1/campaigns/{campaign}", status, Duration::from_millis(ms));
        }
        metrics.answered("TR\"ACE", "-", 404, Duration::ZERO);
        let mut text = String::new();
        metrics.of_requests(&mut text);
        let campaign = "method=\"GET\",path=\"/v1/campaigns/{campaign}\"";
        for wanted in [
            format!("care_http_requests_total{{{campaign},status=\"200\"}} 3"),
            format!("care_http_request_seconds_bucket{{{campaign},le=\"0.005\"}} 1"),
            format!("care_http_request_seconds_bucket{{{campaign},le=\"0.1\"}} 3"),
            format!("care_http_request_seconds_bucket{{{campaign},le=\"+Inf\"}} 4"),
            "care_http_requests_total{method=\"-\",path=\"-\",status=\"404\"} 1".to_owned(),
        ] {
            assert!(text.lines().any(|line| line == wanted), "{wanted} is not in\n{text}");
        }
    }
}
