//! The SDKs as their ecosystems have them: tests of their own, types that hold, and packages that work in an empty folder.

use care_tests::{copy_tree, example, repository, type_checkers};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = "1.1.0";

/// Runs a tool to its success and returns what it said; nothing, and a loud word, where it is not installed.
fn run(program: &str, args: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Option<String> {
    let mut command = Command::new(program);
    let Ok(done) = command.args(args).current_dir(folder).envs(variables.iter().copied()).output() else {
        eprintln!("SKIPPED: {program} is not installed, so {args:?} did not run in {}", folder.display());
        return None;
    };
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert!(done.status.success(), "{program} {args:?} in {}: {said}", folder.display());
    Some(said)
}

fn sdk(language: &str) -> PathBuf {
    repository().join("sdk").join(language).canonicalize().expect("the SDK")
}

fn example_of(language: &str, file: &str) -> String {
    let path = repository().join("examples/local-festival").join(language).join(file);
    fs::read_to_string(path).expect("the example")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Where the cache that `make test` keeps is.
fn cache() -> String {
    let built = example("rust").expect("`make test` builds the example in Rust");
    text(&built.parent().and_then(Path::parent).expect("a build folder").join("author"))
}

#[test]
fn each_sdk_passes_its_own_tests() {
    run("node", &["--test", "test/"], &sdk("js"), &[]);
    run("python3", &["-B", "-m", "unittest", "discover", "-s", "tests"], &sdk("python"), &[("PYTHONPATH", "src")]);
}

#[test]
fn the_types_of_each_sdk_hold_and_refuse_what_is_wrong() {
    let Some(checkers) = type_checkers() else { return };
    let typescript = text(&checkers.join("node_modules/.bin/tsc"));
    run(&typescript, &["--project", "tests/tsconfig.json"], &sdk("js"), &[]);
    let mypy = text(&checkers.join("venv/bin/mypy"));
    let strict = ["--strict", "--warn-unused-ignores", "--cache-dir", "/dev/null", "tests/typed.py"];
    run(&mypy, &strict, &sdk("python"), &[("MYPYPATH", "src")]);
    let example =
        ["--cache-dir", "/dev/null", "--check-untyped-defs", "../../examples/local-festival/python/activity.py"];
    run(&mypy, &example, &sdk("python"), &[("MYPYPATH", "src")]);
}

/// Decides about one customer with the example, by the bench that the package has.
const IN_RUST: &str = r#"
#[cfg(test)]
mod tests {
    use super::*;
    use care_sdk::{batch, testing::Bench};

    #[test]
    fn it_works_without_the_repository() {
        let today = Date(20_663);
        let params = serde_json::json!({"festival": "2026-07-31", "days_ahead": 2, "send_hour": 10, "market_points": 1000});
        let bench = Bench::new(Run { today, now: today.at(9) }, &params)
            .category("customers", "home-adcode", [Some("350200"), Some("350100")])
            .s32("customers", "tenure-months", [Some(27), Some(27)])
            .s64("customers", "points", [None, None])
            .boolean("customers", "stopped", [None, None]);
        let chosen = batch::select::<LocalFestival>(&bench).expect("a selection");
        assert_eq!((chosen.rows, chosen.occasions), (vec![0], vec![20_665]));
    }
}
"#;

#[test]
fn the_crate_works_in_an_empty_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    // The registry that it would come from is this folder; what both crates need of others was fetched for this workspace.
    let target = text(&folder.path().join("packed"));
    let pack = ["package", "--offline", "--allow-dirty", "--no-verify", "--quiet", "--target-dir", &target];
    let both = ["--package", "care-sdk", "--package", "care-sdk-derive"];
    run("cargo", &[&pack[..], &both].concat(), &repository(), &[]);
    for name in ["care-sdk", "care-sdk-derive"] {
        let packed = folder.path().join(format!("packed/package/{name}-{VERSION}.crate"));
        run("tar", &["xzf", &text(&packed)], folder.path(), &[]);
    }
    let manifest = format!(
        "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\ncare-sdk = \"{VERSION}\"\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n[patch.crates-io]\n\
         care-sdk = {{ path = \"../care-sdk-{VERSION}\" }}\ncare-sdk-derive = {{ path = \"../care-sdk-derive-{VERSION}\" }}\n\
         [profile.dev]\ndebug = false\n[workspace]\n"
    );
    let mine = folder.path().join("mine");
    fs::create_dir_all(mine.join("src")).expect("a folder");
    fs::write(mine.join("Cargo.toml"), manifest).expect("written");
    fs::write(mine.join("src/lib.rs"), example_of("rust", "src/lib.rs") + IN_RUST).expect("written");
    fs::copy(repository().join("Cargo.lock"), mine.join("Cargo.lock")).expect("the versions that were fetched");
    let built = format!("{}/packaged", cache());
    let said = run("cargo", &["test", "--offline", "--quiet"], &mine, &[("CARGO_TARGET_DIR", &built)]);
    assert!(said.is_none_or(|said| said.contains("1 passed")));
}

const IN_JAVASCRIPT: &str = "import activity from './activity.js';\n\
    import { days } from 'care-sdk';\nimport { bench, decide } from 'care-sdk/testing';\n\
    const params = { festival: '2026-07-31', days_ahead: 2, send_hour: 10, market_points: 1000 };\n\
    const customers = [{ homeAdcode: '350200', tenureMonths: 27 }, { homeAdcode: '350100', tenureMonths: 27 }];\n\
    const said = decide(activity, bench(activity, { today: days.parse('2026-07-29'), params, customers }));\n\
    console.log(said.length, said[0]?.reason, said[0]?.messages[0]?.years);\n";

#[test]
fn the_npm_package_works_in_an_empty_folder_with_its_types() {
    let folder = tempfile::tempdir().expect("a folder");
    let destination = text(folder.path());
    if run("npm", &["pack", "--silent", "--pack-destination", &destination], &sdk("js"), &[]).is_none() {
        return;
    }
    let packed = format!("./care-sdk-{VERSION}.tgz");
    fs::write(folder.path().join("package.json"), "{ \"type\": \"module\", \"private\": true }").expect("written");
    run("npm", &["install", "--silent", "--offline", "--no-audit", "--no-fund", &packed], folder.path(), &[]);
    fs::write(folder.path().join("activity.js"), example_of("js", "activity.js")).expect("written");
    fs::write(folder.path().join("try.js"), IN_JAVASCRIPT).expect("written");
    let said = run("node", &["try.js"], folder.path(), &[]);
    assert_eq!(said.as_deref().map(str::trim), Some("1 greeting 2"));
    let Some(checkers) = type_checkers() else { return };
    let strict =
        ["--noEmit", "--strict", "--allowJs", "--checkJs", "--target", "es2022", "--module", "nodenext", "activity.js"];
    run(&text(&checkers.join("node_modules/.bin/tsc")), &strict, folder.path(), &[]);
}

const IN_PYTHON: &str = "from activity import LocalFestival\nfrom care_sdk import days\n\
    from care_sdk.testing import Bench, decide\n\
    params = {'festival': '2026-07-31', 'days_ahead': 2, 'send_hour': 10, 'market_points': 1000}\n\
    customers = [{'home_adcode': '350200', 'tenure_months': 27}, {'home_adcode': '350100', 'tenure_months': 27}]\n\
    said = decide(LocalFestival, Bench(LocalFestival, days.parse('2026-07-29'), params, customers))\n\
    print(len(said), said[0]['reason'], said[0]['messages'][0]['years'])\n";

#[test]
fn the_wheel_works_in_an_empty_folder_with_its_stubs() {
    if example("python").is_none() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    copy_tree(&sdk("python"), &folder.path().join("python"));
    let python = format!("{}/builders/componentize-py-0.25.1/bin/python3", cache());
    let pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
    let wheel = ["wheel", "--no-deps", "--wheel-dir", "out", "./python"];
    run(&python, &[&pip[..], &wheel].concat(), folder.path(), &[]);
    fs::remove_dir_all(folder.path().join("python")).expect("the sources go");
    let packed = format!("out/care_sdk-{VERSION}-py3-none-any.whl");
    let install = ["install", "--no-index", "--no-deps", "--target", "site", &packed];
    run(&python, &[&pip[..], &install].concat(), folder.path(), &[]);
    fs::write(folder.path().join("activity.py"), example_of("python", "activity.py")).expect("written");
    fs::write(folder.path().join("try.py"), IN_PYTHON).expect("written");
    let site = [("PYTHONPATH", "site")];
    let said = run("python3", &["-B", "try.py"], folder.path(), &site);
    assert_eq!(said.as_deref().map(str::trim), Some("1 greeting 2"));
    assert!(folder.path().join("site/care_sdk/py.typed").is_file() && folder.path().join("site/care_sdk/wit").is_dir());
    let Some(checkers) = type_checkers() else { return };
    let check = ["--cache-dir", "/dev/null", "--check-untyped-defs", "activity.py"];
    run(&text(&checkers.join("venv/bin/mypy")), &check, folder.path(), &[("MYPYPATH", "site")]);
}
