use super::build::{build_with, compile, plugin_folder};
use super::cargo::Package;
use super::toolchain::Toolchain;
use super::{Beginning, Language, PluginError, Project, Tools, build, manifest};
use care_domain::field::{FieldType, Stage};
use care_domain::manifest::{Declaration, FieldUse, Manifest};
use std::fs;
use std::path::{Path, PathBuf};

/// 2026-07-29
const TODAY: i32 = 20_663;

fn new(name: &str, parent: &Path) -> Result<PathBuf, PluginError> {
    super::new(&Beginning { name, parent, language: Language::Rust, today: TODAY })
}

const ACTIVITY: &str = include_str!("test_activity.toml");

fn activity(change: impl Fn(&str) -> String) -> Result<Manifest, PluginError> {
    manifest::read(&change(&ACTIVITY.replace("@name@", "years-with-us")))
}

fn draft() -> Manifest {
    activity(str::to_owned).expect("the template can be read")
}

fn declaration(reasons: &[&str]) -> Declaration {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let tenure = FieldUse { name: "tenure-months".into(), ty: FieldType::Small, optional: false };
    Declaration {
        fields: [(Stage::Select, vec![tenure.clone()])].into(),
        tables: [("tariffs".to_owned(), vec![tenure])].into(),
        reasons: names(reasons),
        templates: names(&["thanks"]),
        slots: names(&["years"]),
    }
}

fn wit() -> semver::Version {
    semver::Version::new(1, 1, 0)
}

fn plugin_of_this_checkout(name: &str) -> PathBuf {
    plugin_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name)).expect("it is a plugin")
}

/// The author's number of the line that holds `text`.
fn line_of(text: &str) -> usize {
    ACTIVITY.lines().position(|line| line.contains(text)).expect("the template has it") + 1
}

#[test]
fn a_syntax_error_in_activity_toml_is_told_with_its_line() {
    let error = activity(|text| text.replace("weight = 100", "weight = = 100")).expect_err("not TOML");
    assert_eq!(error.code, "activity-toml");
    assert!(error.message.contains(&format!("line {}: ", line_of("weight"))), "{}", error.message);
    assert!(error.message.contains("| weight = = 100"), "{}", error.message);
}

#[test]
fn a_wrong_type_or_a_mistyped_field_is_told_with_its_line_and_name() {
    let error = activity(|text| text.replace("weight = 100", "weight = \"much\"")).expect_err("no number");
    assert!(error.message.contains(&format!("line {}: ", line_of("weight"))), "{}", error.message);
    assert!(error.message.contains("| weight = \"much\""), "{}", error.message);
    let error = activity(|text| text.replace("addressee =", "adressee =")).expect_err("no such field");
    assert!(error.message.contains(&format!("line {}: ", line_of("addressee"))), "{}", error.message);
    assert!(error.message.contains("`adressee`"), "{}", error.message);
}

#[test]
fn a_missing_field_is_named() {
    let error = activity(|text| text.replace("class = \"care\"\n", "")).expect_err("no class");
    assert!(error.message.contains("missing field `class`"), "{}", error.message);
}

#[test]
fn what_the_code_or_the_builder_says_is_not_for_the_author_to_write() {
    let error = activity(|text| format!("{text}\n[tables.tariffs]\nkey = \"text\"\n")).expect_err("tables");
    assert!(error.message.contains("`tables`"), "{}", error.message);
    let error = activity(|text| text.replace("class =", "wit = \"1.0.0\"\nclass =")).expect_err("wit");
    assert!(error.message.contains(&format!("line {}: ", line_of("class ="))), "{}", error.message);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_read() {
    let windows = activity(|text| format!("\u{feff}{}", text.replace('\n', "\r\n"))).expect("it can be read");
    assert_eq!(windows, draft());
}

#[test]
fn the_manifest_takes_over_what_the_code_declares_in_the_order_of_the_code() {
    let second = "[[reasons]]\nname = \"ten-years\"\ntitle = { zh = \"满十年\", en = \"Ten years\" }\n\
                  templates = [\"thanks\"]\nchannels = [\"sms\"]\n\n[[templates]]";
    let draft = activity(|text| text.replacen("[[templates]]", second, 1)).expect("it can be read");
    let code = declaration(&["ten-years", "full-year"]);
    let manifest = manifest::complete(draft, &code, wit()).expect("the same names");
    assert_eq!(manifest.wit, wit(), "what the code was built for");
    assert_eq!(manifest.fields, code.fields);
    assert_eq!(manifest.tables["tariffs"]["tenure-months"], FieldType::Small);
    assert_eq!(manifest.check_declaration(&code), []);
}

#[test]
fn reasons_that_only_the_code_or_only_activity_toml_has_are_named() {
    let error = manifest::complete(draft(), &declaration(&["ten-years"]), wit()).expect_err("other reasons");
    assert_eq!(error.code, "manifest-code-mismatch");
    assert!(error.message.contains("only in activity.toml [full-year]"), "{}", error.message);
    assert!(error.message.contains("only in the code [ten-years]"), "{}", error.message);
    let error =
        manifest::complete(draft(), &declaration(&["full-year", "full-year"]), wit()).expect_err("one is missing");
    assert!(error.message.contains("only in the code [full-year]"), "{}", error.message);
}

#[test]
fn a_package_is_found_by_its_cargo_toml_and_must_make_a_cdylib() {
    let metadata = r#"{"target_directory": "/w/target", "packages": [
        {"name": "host", "manifest_path": "/w/host/Cargo.toml", "targets": [{"name": "host", "crate_types": ["lib"]}]},
        {"name": "my-plugin", "manifest_path": "/w/my/Cargo.toml", "targets": [
            {"name": "demo", "crate_types": ["bin"]}, {"name": "my-plugin", "crate_types": ["cdylib", "rlib"]}]}]}"#;
    let package = Package::read(metadata, Path::new("/w/my/Cargo.toml")).expect("a plugin");
    assert_eq!((package.name.as_str(), package.output.as_path()), ("my-plugin", Path::new("/w/target/plugins")));
    for (cargo_toml, said) in [("/w/host/Cargo.toml", "cdylib"), ("/w/Cargo.toml", "no package")] {
        let error = Package::read(metadata, Path::new(cargo_toml)).err().expect("no plugin");
        assert_eq!(error.code, "not-a-plugin");
        assert!(error.message.contains(said), "{}", error.message);
    }
}

#[test]
fn a_folder_without_activity_toml_is_no_plugin() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Cargo.toml"), "").expect("a file");
    let error = Project::open(folder.path()).err().expect("no plugin");
    assert_eq!(error.code, "not-a-plugin");
    assert!(error.message.contains("activity.toml"), "{}", error.message);
    fs::remove_file(folder.path().join("Cargo.toml")).expect("it was there");
    fs::write(folder.path().join("activity.toml"), "").expect("a file");
    let error = Project::open(folder.path()).err().expect("no plugin");
    assert!(error.message.contains("none of Cargo.toml, package.json, pyproject.toml"), "{}", error.message);
}

#[test]
fn a_new_plugin_needs_a_kebab_case_name_that_no_crate_has() {
    let parent = tempfile::tempdir().expect("a folder");
    for bad in ["", "My-Plugin", "a_b", "9a", "../a", "生日", "test", "core"] {
        assert_eq!(new(bad, parent.path()).expect_err(bad).code, "plugin-name");
    }
    assert_eq!(fs::read_dir(parent.path()).expect("a folder").count(), 0, "nothing is written");
}

#[test]
fn a_new_plugin_never_overwrites_what_is_there() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = new("years-with-us", parent.path()).expect("a plugin");
    fs::write(folder.join("src/lib.rs"), "mine").expect("a file");
    assert_eq!(new("years-with-us", parent.path()).expect_err("it is there").code, "plugin-exists");
    assert_eq!(fs::read_to_string(folder.join("src/lib.rs")).expect("a file"), "mine");
    assert_eq!(new("other", &parent.path().join("absent")).expect_err("no parent").code, "plugin-file");
}

#[test]
#[ignore = "compiles a whole project twice, for about a minute"]
fn a_new_plugin_builds_and_passes_its_tests_at_once() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = new("years-with-us", parent.path()).expect("a plugin");
    let say = |line: &str| println!("{line}");
    let tools = Tools::new(&parent.path().join("cache"));
    let project = Project::open(&folder).expect("a project");
    project.native_tests(&tools, &say).expect("they pass");
    let built = build(&project, None, &tools, &say).expect("it builds");
    assert_eq!(built.path, folder.canonicalize().expect("a path").join("target/plugins/years-with-us-0.1.0.wasm"));
    assert_eq!(fs::read(&built.path).expect("a file").len(), built.bytes);
    fs::write(folder.join("src/lib.rs"), "fn broken( {}").expect("a file");
    let error = build(&project, None, &tools, &|_| ()).err().expect("it does not compile");
    assert_eq!(error.code, "compile-failed");
    assert!(error.message.contains("src/lib.rs:1"), "{}", error.message);
    assert!(built.path.exists(), "a failed build leaves the last one alone");
}

#[test]
#[ignore = "compiles a plugin; with Debian's packages the standard library too, for minutes"]
fn a_plugin_of_this_workspace_builds_with_the_target_of_rustup_and_with_debians_packages() {
    let folder = plugin_of_this_checkout("balance-reminder");
    let out = tempfile::tempdir().expect("a folder");
    let out = out.path().join("plugin.wasm");
    let say = |line: &str| println!("{line}");
    for toolchain in [Toolchain::find, Toolchain::debian] {
        let make = || compile(&folder, &|| toolchain(&folder, &say), &[], &say);
        let built = build_with(&folder, Some(&out), &say, &make).expect("it builds");
        assert_eq!((built.path.as_path(), built.manifest.name.as_str()), (out.as_path(), "balance-reminder"));
        fs::remove_file(&out).expect("it was written");
    }
}

#[test]
fn a_new_project_of_each_language_has_its_name_its_sdk_and_its_customers() {
    let parent = tempfile::tempdir().expect("a folder");
    for (name, language, source) in [
        ("in-rust", Language::Rust, "src/lib.rs"),
        ("in-js", Language::JavaScript, "activity.js"),
        ("in-python", Language::Python, "activity.py"),
    ] {
        let folder = super::new(&Beginning { name, parent: parent.path(), language, today: TODAY }).expect("a project");
        let text = |file: &str| fs::read_to_string(folder.join(file)).expect(file);
        assert!(folder.join(source).is_file() && folder.join("sdk").is_dir(), "{name}");
        let manifest = manifest::read(&text("activity.toml")).expect("a manifest");
        assert_eq!(
            (manifest.name.as_str(), manifest.params["properties"]["festival"]["default"].as_str()),
            (name, Some("2026-07-31"))
        );
        assert!(text(language.marker()).contains(&format!("\"{name}\"")) && !text(language.marker()).contains("../.."));
        assert_eq!(text("customers.csv").lines().count(), 1_001);
        assert_eq!(Project::open(&folder).expect("a project").language(), language);
    }
}

#[test]
fn a_finding_about_the_manifest_says_where_in_activity_toml() {
    let mut finding = care_domain::text::Finding::error("x", "body sms of template \"thanks\" has no en text", "");
    manifest::place(ACTIVITY, &mut finding);
    let line = line_of("name = \"thanks\"");
    assert!(
        finding.message.ends_with(&format!("activity.toml, line {line}: name = \"thanks\"")),
        "{}",
        finding.message
    );
    let mut finding = care_domain::text::Finding::error("x", "principles.useful has no en text", "");
    manifest::place(ACTIVITY, &mut finding);
    assert!(finding.message.contains(&format!("line {}: useful", line_of("useful ="))), "{}", finding.message);
    let mut finding = care_domain::text::Finding::error("x", "title has no en text", "");
    manifest::place(ACTIVITY, &mut finding);
    assert!(finding.message.contains(&format!("line {}: title", line_of("title ="))), "{}", finding.message);
}
