//! The Common Alerting Protocol: CAP 1.1 and 1.2 in UTF-8 or ISO-8859-1, checked as their XML schemas do. Documents
//! that declare a type or entities are refused: an alert needs none, and what an entity names is never fetched.

use super::schema::{ALERT_1_1, ALERT_1_2, check};
use care_domain::disaster::{Alert, AlertKey, AlertKind, Point, Shape};
use care_domain::text::Finding;
use care_domain::time;
use roxmltree::{Document, Node};

/// No alert is longer.
const MAX_BYTES: usize = 1 << 20;
const CAP_1_1: &str = "urn:oasis:names:tc:emergency:cap:1.1";
const CAP_1_2: &str = "urn:oasis:names:tc:emergency:cap:1.2";
/// Codes that stand for our administrative places.
const ADCODE: &str = "adcode";

/// Reads an alert.
pub(crate) fn read(bytes: &[u8]) -> Result<Alert, Finding> {
    if bytes.len() > MAX_BYTES {
        return Err(bad(format!("the alert has {} bytes, more than {MAX_BYTES}", bytes.len())));
    }
    let text = decode(bytes)?;
    // The parser refuses document types, and with them every entity of the document's own.
    let document = Document::parse(&text).map_err(|e| bad(format!("the alert is no XML that may be read: {e}")))?;
    let root = document.root_element();
    let rules = match root.tag_name().namespace() {
        Some(CAP_1_1) => ALERT_1_1,
        Some(CAP_1_2) => ALERT_1_2,
        other => return Err(bad(format!("the document is of {:?}, not CAP 1.1 or 1.2", other.unwrap_or_default()))),
    };
    if root.tag_name().name() != "alert" {
        return Err(bad(format!("the document begins with {:?}, not \"alert\"", root.tag_name().name())));
    }
    let is_1_2 = root.tag_name().namespace() == Some(CAP_1_2);
    check(root, rules, is_1_2).map_err(bad)?;
    alert_of(root)
}

fn bad(message: String) -> Finding {
    Finding::error("bad-alert", message, "Ask its sender for a valid CAP 1.1 or 1.2 alert")
}

/// UTF-8, or what the XML declaration says.
fn decode(bytes: &[u8]) -> Result<String, Finding> {
    let head: String = bytes.iter().take(200).map(|b| char::from(*b).to_ascii_lowercase()).collect();
    let declared = head.split("?>").next().and_then(|declaration| declaration.split("encoding=").nth(1));
    let declared = declared.map_or("utf-8", |rest| rest.trim_start_matches(['"', '\'']));
    let name: String = declared.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    match name.as_str() {
        // Every byte of ISO-8859-1 is the character of its number.
        "iso-8859-1" | "latin1" => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        "utf-8" | "utf8" | "us-ascii" => {
            String::from_utf8(bytes.to_vec()).map_err(|_| bad("the alert is no UTF-8, though it says so".to_owned()))
        }
        other => Err(bad(format!("the alert is written in {other}; send UTF-8 or ISO-8859-1"))),
    }
}

fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> Option<&'a str> {
    children(node, name).next().and_then(|child| child.text()).map(str::trim)
}

fn children<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

fn instant(text: &str) -> Result<i64, Finding> {
    time::parse_instant(text).ok_or_else(|| bad(format!("{text:?} is no instant")))
}

fn alert_of(root: Node<'_, '_>) -> Result<Alert, Finding> {
    let text = |name: &'static str| child(root, name).unwrap_or_default();
    let sent = instant(text("sent"))?;
    let infos: Vec<Node<'_, '_>> = children(root, "info").collect();
    let first = infos.first().copied();
    let begins = first.and_then(|info| child(info, "onset").or_else(|| child(info, "effective")));
    let mut shapes = Vec::new();
    for area in infos.iter().flat_map(|info| children(*info, "area")) {
        shapes_of(area, &mut shapes)?;
    }
    Ok(Alert {
        key: AlertKey { sender: text("sender").to_owned(), identifier: text("identifier").to_owned(), sent },
        kind: match text("msgType") {
            "Alert" => AlertKind::Alert,
            "Update" => AlertKind::Update,
            "Cancel" => AlertKind::Cancel,
            _ => AlertKind::Other,
        },
        actual: text("status") == "Actual",
        references: text("references").split_whitespace().filter_map(reference).collect(),
        event: first.and_then(|info| child(info, "event")).unwrap_or_default().chars().take(200).collect(),
        onset: begins.map_or(Ok(sent), instant)?,
        shapes,
    })
}

/// `sender,identifier,sent`
fn reference(text: &str) -> Option<AlertKey> {
    let mut parts = text.splitn(3, ',');
    let (sender, identifier, sent) = (parts.next()?, parts.next()?, parts.next()?);
    let sent = time::parse_instant(sent).unwrap_or_default();
    Some(AlertKey { sender: sender.to_owned(), identifier: identifier.to_owned(), sent })
}

fn shapes_of(area: Node<'_, '_>, shapes: &mut Vec<Shape>) -> Result<(), Finding> {
    let lies = |what: &str, text: &str| bad(format!("{what} {text:?} cannot be drawn"));
    for text in children(area, "polygon").filter_map(|node| node.text()) {
        let ring: Option<Vec<Point>> = text.split_whitespace().map(point).collect();
        shapes.push(Shape::Polygon(ring.ok_or_else(|| lies("polygon", text))?));
    }
    for text in children(area, "circle").filter_map(|node| node.text()) {
        let drawn =
            text.trim().split_once(' ').and_then(|(center, km)| Some((point(center)?, km.trim().parse().ok()?)));
        let (center, radius_km) = drawn.ok_or_else(|| lies("circle", text))?;
        shapes.push(Shape::Circle { center, radius_km });
    }
    for geocode in children(area, "geocode") {
        let code = child(geocode, "value").unwrap_or_default();
        let is_ours = child(geocode, "valueName").is_some_and(|name| name.eq_ignore_ascii_case(ADCODE));
        if is_ours && care_domain::region::is_code(code) {
            shapes.push(Shape::Code(code.to_owned()));
        }
    }
    Ok(())
}

fn point(text: &str) -> Option<Point> {
    let (lat, lon) = text.split_once(',')?;
    let (lat, lon): (f64, f64) = (lat.trim().parse().ok()?, lon.trim().parse().ok()?);
    ((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)).then_some(Point { lat, lon })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    const CAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/disaster/cap");

    #[test]
    fn every_document_of_the_data_gets_the_verdict_of_its_schema() {
        let Ok(expected) = std::fs::read_to_string(Path::new(CAP).join("expected.csv")) else {
            eprintln!("SKIPPED: no {CAP}");
            return;
        };
        let verdicts: BTreeMap<&str, bool> = expected
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect::<Vec<_>>())
            .map(|cells| (cells[0], cells[2] == "yes" && cells[5] == "yes"))
            .collect();
        assert_eq!(verdicts.len(), 16);
        for (file, valid) in verdicts {
            let read = read(&std::fs::read(Path::new(CAP).join(file)).expect("a document"));
            assert_eq!(read.is_ok(), valid, "{file}: {read:?}");
            if let Err(finding) = read {
                assert!(!finding.hint.is_empty() && finding.code == "bad-alert", "{file}");
            }
        }
    }

    #[test]
    fn what_is_read_of_the_documents_is_what_the_table_counts() {
        let Ok(expected) = std::fs::read_to_string(Path::new(CAP).join("expected.csv")) else {
            eprintln!("SKIPPED: no {CAP}");
            return;
        };
        for line in expected.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let Ok(alert) = read(&std::fs::read(Path::new(CAP).join(cells[0])).expect("a document")) else { continue };
            let kind = match alert.kind {
                AlertKind::Alert => "Alert",
                AlertKind::Update => "Update",
                AlertKind::Cancel => "Cancel",
                AlertKind::Other => "Other",
            };
            assert_eq!((kind, alert.actual), (cells[7], cells[6] == "Actual"), "{}", cells[0]);
            let count = |cell: usize| cells[cell].parse::<usize>().expect("a count");
            let drawn = alert.shapes.iter().filter(|s| !matches!(s, Shape::Code(_))).count();
            assert_eq!(drawn, count(12) + count(13), "{}", cells[0]);
        }
    }

    #[test]
    fn nothing_that_an_entity_names_is_read_and_latin_letters_survive() {
        let secret = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(secret.path(), "secret").expect("written");
        let evil = format!(
            "<?xml version=\"1.0\"?><!DOCTYPE alert [<!ENTITY x SYSTEM \"file://{}\">]><alert>&x;</alert>",
            secret.path().display()
        );
        let refused = read(evil.as_bytes()).expect_err("refused");
        assert!(!refused.to_string().contains("secret"));
        assert_eq!(
            decode(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>").map(|t| t.contains('é')),
            Ok(true)
        );
        assert!(decode(b"<?xml version='1.0' encoding='UTF-16'?>").is_err());
        assert!(decode(b"<a>\xe9</a>").is_err());
    }
}
