//! What every page must be, whoever looks at it: readable by the rules of WCAG 2 in light and in dark, at a desk and on a
//! phone, small, and without a complaint of the browser. Each look is kept as a picture.

use crate::driver::Driver;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Document, style and script together, in bytes.
const MOST: u64 = 100_000;
const SCHEMES: [&str; 2] = ["light", "dark"];
/// Width and height in pixels of the page, and whether it is a phone.
const DEVICES: [(&str, u32, u32, bool); 2] = [("desktop", 1_280, 800, false), ("phone", 390, 844, true)];
/// The rules of WCAG 2.0, 2.1 and 2.2, levels A and AA.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// Looks at pages, each once.
pub(crate) struct Looks {
    axe: String,
    /// `<build folder>/screenshots/<language>`.
    pictures: PathBuf,
    known: RefCell<BTreeSet<String>>,
}

impl Looks {
    pub(crate) fn into(tools: &Path, language: &str) -> Self {
        let axe = tools.join("node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}", axe.display()));
        let pictures = tools.parent().expect("the build folder").join("screenshots").join(language);
        Self { axe, pictures, known: RefCell::default() }
    }

    pub(crate) fn knows(&self, page: &str) -> bool {
        self.known.borrow().contains(page)
    }

    /// Looks at the page that is shown now, in every way, unless it was seen already; whatever the browser complains of is
    /// heard in any case.
    pub(crate) fn at(&self, driver: &Driver, page: &str) {
        if self.known.borrow_mut().insert(page.to_owned()) {
            self.in_every_way(driver, page);
        }
        let refused = driver.runs("return document.querySelector('.wrong') !== null", &[]);
        let is_refusal = refused.expect("an answer").as_bool().unwrap_or_default();
        let complaints = driver.complaints();
        let unexpected: Vec<&String> =
            complaints.iter().filter(|said| !(is_refusal && said.contains("status of 422"))).collect();
        assert!(unexpected.is_empty(), "{page}: {unexpected:?}");
    }

    fn in_every_way(&self, driver: &Driver, page: &str) {
        weighs_little(driver, page);
        driver.runs(&self.axe, &[]).expect("axe");
        for scheme in SCHEMES {
            for (device, width, height, is_phone) in DEVICES {
                let view = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone});
                driver.devtools("Emulation.setDeviceMetricsOverride", &view);
                let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
                driver.devtools("Emulation.setEmulatedMedia", &media);
                let way = format!("{page}, {scheme}, {device}");
                let wide = driver.runs("return document.scrollingElement.scrollWidth", &[]);
                let wide = wide.expect("a width").as_u64().expect("a number");
                self.photographed(driver, &format!("{scheme}/{device}/{page}.png"));
                assert!(wide <= u64::from(width), "{way}: {wide} pixels wide");
                by_the_rules(driver, &way);
            }
        }
        driver.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
        driver.devtools("Emulation.setEmulatedMedia", &json!({"features": []}));
    }

    /// The whole page as a picture.
    fn photographed(&self, driver: &Driver, name: &str) {
        let size = driver.devtools("Page.getLayoutMetrics", &json!({}))["cssContentSize"].take();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        let picture = driver.devtools("Page.captureScreenshot", &wanted)["data"].take();
        let picture = BASE64_STANDARD.decode(picture.as_str().expect("a picture")).expect("base64");
        let file = self.pictures.join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, picture).expect("a file");
    }
}

/// What was loaded for the page that is shown, pictures aside.
fn weighs_little(driver: &Driver, page: &str) {
    let script = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')] \
                  .filter(entry => entry.initiatorType !== 'img').map(entry => [entry.name, entry.decodedBodySize])";
    let loaded = driver.runs(script, &[]).expect("what was loaded");
    let loaded: Vec<(String, u64)> = serde_json::from_value(loaded).expect("names and sizes");
    assert!(loaded.iter().any(|(name, size)| name.ends_with(".css") && *size > 0), "{page} has no style: {loaded:?}");
    let all: u64 = loaded.iter().map(|(_, size)| size).sum();
    assert!(all > 1_000 && all < MOST, "{page} weighs {all} bytes: {loaded:?}");
}

/// What axe finds in the page as it is shown.
fn by_the_rules(driver: &Driver, way: &str) {
    let script = "const done = arguments[arguments.length - 1]; \
        axe.run(document, {runOnly: arguments[0], resultTypes: ['violations']}).then( \
            found => done([found.passes.length, found.violations.map(one => \
                [one.id, one.help, one.nodes.map(node => node.html + ' ' + node.failureSummary)])]), \
            error => done(String(error)))";
    let found = driver.waits_for(script, &[json!(RULES)]);
    assert!(found[0].as_u64().is_some_and(|passed| passed > 5), "{way}: axe looked at nothing: {found}");
    assert_eq!(found[1], json!([]), "{way}: {found:#}");
}
