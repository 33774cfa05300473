//! The API tried by somebody who only read its description: schemathesis makes requests of it, sound and unsound ones, as
//! every role that changes something. No server error, and answers as they are described.

use crate::api_rules_story::{administrator, token};
use crate::care::Care;
use crate::http::Server;
use std::process::Command;

/// Seconds for each role.
const EACH: &str = "9";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      ignored_auth";

#[test]
fn whatever_the_description_allows_is_answered_as_it_says() {
    let Some(peers) = care_tests::peers() else { return };
    let tool = peers.join("api-venv/bin/schemathesis");
    if !tool.is_file() {
        eprintln!("SKIPPED: {} is not there; `make peers` installs it", tool.display());
        return;
    }
    let care = Care::with_customers(200);
    care.approve("birthday");
    let server = Server::start_with(&care, &["--requests-per-second", "1000000"]);
    let administrator = administrator(&care);
    let description = format!("http://{}/openapi.json", server.address);
    for role in ["administrator", "operator", "provincial-approver", "customer-service", "initiator"] {
        let secret = token(&server, &administrator, role, "350000");
        let done = Command::new(&tool)
            .args(["run", &description, "--header", &format!("Authorization: Bearer {secret}")])
            .args(["--phases", "examples,coverage,fuzzing", "--max-time", EACH, "--seed", "1", "--checks", CHECKS])
            .args(["--workers", "1", "--no-shrink", "--warnings", "off", "--request-timeout", "20"])
            // Making up a million customers is a sound request, and takes longer than this test.
            .args(["--exclude-path", "/v1/populations/generated"])
            // It cannot make components; `hostile/` tries ten thousand broken ones.
            .args(["--exclude-path", "/v1/activities", "--exclude-path", "/v1/checks"])
            .current_dir(care.path("."))
            .output()
            .expect("schemathesis runs");
        let told = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        let tail: Vec<&str> = told.lines().rev().take(12).collect();
        println!("{role}: {}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        assert!(told.contains("SUMMARY"), "it did not run: {told}");
        assert!(done.status.success(), "{role}: {told}");
    }
    care.ok("auditor", &["audit", "verify"]);
}
