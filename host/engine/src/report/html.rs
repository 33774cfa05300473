//! A report as a page: one file that prints on A4, without script, picture or anything fetched.

use super::Report;
use std::fmt::Write;

const STYLE: &str = "body{font-family:'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2em;color:#111}\
h1{font-size:1.4em;margin:0}h2{font-size:1.05em;margin:1.6em 0 .4em}p{margin:.2em 0 0;color:#555}\
table{border-collapse:collapse;width:100%;font-size:.85em}th,td{border:1px solid #999;padding:.25em .5em;text-align:left}\
th{background:#eee}td.n{text-align:right;font-variant-numeric:tabular-nums}tr{break-inside:avoid}\
@page{size:A4;margin:15mm}@media print{body{margin:0}}";

pub(super) fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{0}</title><style>{STYLE}</style></head><body>\n<h1>{0}</h1>\n<p>{1}</p>\n",
        escaped(&report.title),
        escaped(&report.period)
    );
    for section in &report.sections {
        // Writing into a string cannot fail.
        let _ = write!(page, "<h2>{}</h2>\n<table><thead><tr>", escaped(&section.title));
        section.columns.iter().for_each(|name| {
            let _ = write!(page, "<th>{}</th>", escaped(name));
        });
        page.push_str("</tr></thead><tbody>\n");
        for row in &section.rows {
            page.push_str("<tr>");
            for cell in row {
                let class = if is_figure(cell) { " class=\"n\"" } else { "" };
                let _ = write!(page, "<td{class}>{}</td>", escaped(cell));
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody></table>\n");
    }
    page + "</body></html>\n"
}

fn is_figure(cell: &str) -> bool {
    cell.bytes().any(|b| b.is_ascii_digit()) && cell.chars().all(|c| c.is_ascii_digit() || " .,+-%−–[]".contains(c))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::Section;
    use super::*;

    #[test]
    fn a_page_stands_alone_and_nothing_in_it_is_markup() {
        let mut section = Section::new("Messages <b>", &["a & b", "n"]);
        section.row(["<script>alert(1)</script>".to_owned(), "1,204".to_owned()]);
        let report = Report { kind: "daily", title: "T\"".into(), period: "2026".into(), sections: vec![section] };
        let page = page(&report);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;") && page.contains("a &amp; b"), "{page}");
        assert!(page.contains("<td class=\"n\">1,204</td>"), "{page}");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("src="), "{page}");
    }
}
