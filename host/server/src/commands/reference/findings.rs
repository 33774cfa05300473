//! What the gate and the author's tools may find, with what it means. A test keeps the list whole.

/// Codes and what they mean.
const FINDINGS: &[(&str, &str)] = &[
    ("activity-toml", "activity.toml cannot be read, or says what the code declares"),
    ("bad-parameter", "a parameter does not fit the manifest's schema"),
    ("bad-record", "a record that cannot be read, or is of another activity"),
    ("bad-trial", "simulate.toml cannot be read"),
    ("batch-dependent", "the answer about a customer depends on who else is in the batch"),
    ("bump-too-small", "the version number does not announce the change"),
    ("case-date", "a case says no date"),
    ("case-expectation", "a row of a case says nothing of what must become of it"),
    ("case-field-unread", "a case knows a field that the activity does not read"),
    ("case-key", "a key that no case has"),
    ("case-many", "too many cases"),
    ("case-metric", "a case expects a metric that activity.toml does not have"),
    ("case-none", "the file has no case"),
    ("case-outcome", "an outcome of a case lacks a value that is always known"),
    ("case-reason", "a case expects a reason that the activity does not have"),
    ("case-rows", "a case has no customers"),
    ("case-slot", "a case expects a slot that the activity does not have"),
    ("case-syntax", "the case file is no TOML"),
    ("case-type", "a value of a case has the wrong type"),
    ("compile-crash", "compiling it crashed: a defect of the host"),
    ("compile-failed", "the compiler or builder refuses the code"),
    ("compile-limit", "compiling it takes too much time or memory"),
    ("core-module", "a core module, not a component"),
    ("declaration-schema", "what the code declares cannot be read"),
    ("does-not-compile", "it cannot be compiled"),
    ("empty-component", "a component with nothing in it"),
    ("field-missing", "the customers lack a field that the activity requires"),
    ("forbidden-import", "it imports something beside care:activity"),
    ("foreign-world", "a component of another world"),
    ("function-too-long", "a function is too long to compile in good time"),
    ("golden-crash", "trying it crashed: a defect of the host"),
    ("golden-everybody", "it chooses every golden customer"),
    ("golden-fault", "it breaks on plausible customers"),
    ("golden-limit", "it takes too long or too much memory on the golden batch"),
    ("golden-nobody", "it chooses no golden customer"),
    ("invalid-wasm", "not WebAssembly, or damaged"),
    ("manifest-action", "a request to a department on the wrong channel, or none on `action`"),
    ("manifest-body", "a body that cannot be read"),
    ("manifest-body-slots", "bodies of a template over different slots"),
    ("manifest-bounds", "a number out of its bounds"),
    ("manifest-catalogue", "an entry that the catalogue does not have"),
    ("manifest-code-mismatch", "manifest and code differ"),
    ("manifest-column", "the column of a model that cannot be added as it is named"),
    ("manifest-column-laxer", "a model's column that may be read more freely than what it is made of"),
    ("manifest-cron", "a cron expression that cannot be read"),
    ("manifest-field-stage", "a field in a stage that may not read it"),
    ("manifest-field-type", "a field in another type than the dictionary's"),
    ("manifest-missing-translation", "a text in one language only"),
    ("manifest-name", "a name that is not kebab-case"),
    ("manifest-no-reason", "an activity without reasons"),
    ("manifest-params", "parameters that are no JSON Schema with valid defaults"),
    ("manifest-reason", "a reason whose templates or channels cannot be"),
    ("manifest-region", "a region that is no administrative code"),
    ("manifest-repeated-name", "a name that stands twice"),
    ("manifest-schema", "a manifest that does not fit its schema"),
    ("manifest-template", "a template that cannot be said"),
    ("manifest-text-too-long", "a text that is too long"),
    ("manifest-too-large", "a manifest that is too large"),
    ("manifest-too-many", "too many reasons, templates or slots"),
    ("manifest-unknown-field", "a field that the dictionary does not have"),
    ("manifest-unknown-slot", "a body with a slot that the manifest does not have"),
    ("mapping-empty", "the file has no column that is a field"),
    ("mixed-wit-versions", "imports and exports of several versions of the contract"),
    ("no-builder", "the builder of the language could not be installed"),
    ("no-cases", "a component without a case file"),
    ("no-customers", "nobody to try it on"),
    ("no-date", "a trial without a business date"),
    ("no-declaration", "the code exports no activity"),
    ("no-exports", "a component that exports nothing"),
    ("no-file", "a file that cannot be read or written"),
    ("no-manifest", "a component without a manifest"),
    ("no-need", "no published need asks for it, where the installation wants one"),
    ("no-task", "the plan has no such bucket, or did not finish it"),
    ("no-wasm-target", "the compiler for WebAssembly could not be installed"),
    ("not-a-component", "no component can be made of the code"),
    ("not-a-plugin", "no project of an activity"),
    ("not-yours", "an activity that somebody else uploaded and signed: its batches are not handed out"),
    ("other-need", "the need that was named asks for something else, or is not published"),
    ("own-field", "a file with a column that only the host knows"),
    ("plugin-exists", "a new project over an old one"),
    ("plugin-name", "a name that no project may have"),
    ("plugin-refused", "the gate would refuse what was built"),
    ("record-too-large", "too many customers for a record"),
    ("repeated-manifest", "several manifests"),
    ("selects-everybody", "it chooses every customer of a trial"),
    ("selects-nobody", "it chooses no customer of a trial"),
    ("several-campaigns", "an activity with several campaigns in the plan: name one of them"),
    ("state-leak", "the answer depends on what was asked before"),
    ("table-missing", "a reference table that nobody supplies"),
    ("tests-failed", "the project's own tests fail"),
    ("too-large", "a component that is too large"),
    ("too-many-exports", "too many exports"),
    ("too-many-parts", "too many instances inside of each other"),
    ("tool-missing", "a tool of the language is not installed"),
    ("tool-too-old", "a tool of the language is too old"),
    ("unknown-batch", "the bucket has fewer batches"),
    ("unknown-campaign", "no campaign of the plan has that name, nor its activity"),
    ("unknown-field", "a field that the dictionary does not have"),
    ("unknown-wit-version", "a version of the contract that was never released"),
    ("version-not-newer", "a version that is not above the newest"),
    ("wit-package", "a WIT package, not a component"),
    ("wit-version-mismatch", "manifest and code name different versions of the contract"),
    ("wrong-signature", "a function that differs from the contract"),
    ("wrong-world", "an export of the world is missing"),
];

/// Faults of a running activity, which become the verdict `plugin-fault`.
const FAULTS: &[(&str, &str)] = &[
    ("trap", "its code stopped itself: a panic, a division by zero, an access out of bounds"),
    ("fuel-exhausted", "it used more fuel than `limits` asks for"),
    ("memory", "it asked for more memory than `limits.memory_mib`"),
    ("output-too-large", "it returned more than its rows can need"),
    ("too-much-traffic", "it exchanged more with the host than a call may"),
    ("field-not-granted", "it read what its manifest does not name for the stage"),
    ("wrong-type", "it read a field with the function of another type"),
    ("invalid-output", "what it returned breaks the contract"),
    ("refused", "it refused in its own words: in JavaScript and Python, an error that was thrown"),
];

/// Both as tables.
pub(super) fn text() -> String {
    let rows =
        |all: &[(&str, &str)]| all.iter().map(|(code, means)| format!("| `{code}` | {means} |\n")).collect::<String>();
    format!(
        "## Findings\n\n| code | what is wrong |\n|---|---|\n{}\n## Faults\n\n| code | what happened |\n|---|---|\n{}",
        rows(FINDINGS),
        rows(FAULTS)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Those that only an upload into a data folder comes to, or that say that something is defect here.
    const ELSEWHERE: [&str; 14] = [
        "bad-condition",
        "bad-date",
        "bad-dictionary",
        "bad-key",
        "bad-owner",
        "cargo-metadata",
        "known-key",
        "no-cache",
        "no-reason",
        "no-sample",
        "plugin-file",
        "revoked-key",
        "unknown-key",
        "x",
    ];

    fn sources() -> Vec<PathBuf> {
        let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folders = [
            "sandbox/src",
            "sandbox/src/golden",
            "domain/src/manifest",
            "engine/src/author",
            "engine/src/author/case_file",
            "server/src/plugin",
        ];
        let files = folders.iter().flat_map(|folder| fs::read_dir(host.join(folder)).expect("a folder"));
        let files = files
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|e| e == "rs"));
        let single = [
            "engine/src/upload.rs",
            "engine/src/plan/record.rs",
            "server/src/commands/author.rs",
            "server/src/commands/recorded.rs",
        ];
        files.chain(single.map(|file| host.join(file))).collect()
    }

    #[test]
    fn every_finding_that_an_author_may_meet_is_listed_once_in_order() {
        let listed: Vec<&str> = FINDINGS.iter().map(|(code, _)| *code).collect();
        assert!(listed.is_sorted() && listed.windows(2).all(|pair| pair[0] != pair[1]));
        for path in sources() {
            let text = fs::read_to_string(&path).expect("a file");
            for maker in
                ["Finding::error(", "Finding::warning(", "EngineError::refused(", "PluginError::new(", "self.error("]
            {
                for part in text.split(maker).skip(1) {
                    // A case file's mistakes are told with where they are, before their code.
                    let part =
                        if maker == "self.error(" { part.split_once(',').map_or("", |(_, rest)| rest) } else { part };
                    let Some(code) = part.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                        continue;
                    };
                    assert!(
                        listed.contains(&code) || ELSEWHERE.contains(&code),
                        "{code:?} of {} is not listed",
                        path.display()
                    );
                }
            }
        }
    }

    #[test]
    fn every_fault_is_listed() {
        use care_sandbox::FaultCode::*;
        let all = [
            Trap,
            FuelExhausted,
            Memory,
            OutputTooLarge,
            TooMuchTraffic,
            FieldNotGranted,
            WrongType,
            InvalidOutput,
            Refused,
        ];
        assert_eq!(all.map(|code| code.name()).to_vec(), FAULTS.iter().map(|(code, _)| *code).collect::<Vec<_>>());
    }
}
