//! Lists that are sent line by line: what was kept of one, and each line that was left out, with why and what stood in it.

use super::blocks::{Block, Table};
use super::form::{Done, Form};
use super::refusals::in_words;
use super::session::Visitor;
use super::show::{View, once};
use care_domain::desk::csv_line;
use care_domain::text::Finding;
use care_engine::RejectedLine;
use std::borrow::Cow;

/// Lines that are told one by one; more of them than people read are counted alone.
const TOLD: usize = 200;

/// A list as CSV: cells that were copied out of a spreadsheet have tabs between them.
pub(super) fn csv_of(pasted: &str) -> Cow<'_, str> {
    if !pasted.lines().next().is_some_and(|head| head.contains('\t')) {
        return Cow::Borrowed(pasted);
    }
    let line = |line: &str| {
        let cells: Vec<String> = line.split('\t').map(unquoted).collect();
        csv_line(cells.iter().map(String::as_str))
    };
    Cow::Owned(pasted.lines().map(line).collect())
}

/// A cell as it was before a spreadsheet put quotes around it.
fn unquoted(cell: &str) -> String {
    let inner = cell.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// What a list came to.
pub(super) struct Tally<'a> {
    /// Lines that were new.
    pub(super) new: u64,
    /// Lines that were known before.
    pub(super) known: u64,
    pub(super) left_out: &'a [RejectedLine],
    /// What was sent.
    pub(super) text: &'a str,
}

impl Tally<'_> {
    /// Back to where it was sent from, unless lines were left out: then they are told, above `form` with what was sent.
    pub(super) fn answered(&self, visitor: &Visitor, to: &str, said: &'static str, form: Form) -> Done {
        if self.left_out.is_empty() {
            return Done::at(to, if self.new > 0 { said } else { "nothing-new" });
        }
        let left_out = self.left_out.len();
        let title = visitor.t("部分行未被接受", "Some lines were left out");
        let warning = visitor.t(
            "其余各行已生效。请改正下列各行后再次提交，已登记的行不会重复登记。",
            "The others are kept. Mend these and send the list again: what was kept before adds nothing.",
        );
        let facts = vec![
            visitor.fact("新登记", "New", self.new.to_string()),
            visitor.fact("此前已有", "Known before", self.known.to_string()),
            visitor.fact("未接受", "Left out", left_out.to_string()),
        ];
        let mut view = View::new(title).warning(warning).with(Block::Facts(facts)).with(self.told(visitor));
        if left_out > TOLD {
            let rest = visitor.t("未逐行列出的行数：", "Lines that are not listed: ");
            view = view.text(format!("{rest}{}", left_out - TOLD));
        }
        once(visitor, &view.with(form))
    }

    fn told(&self, visitor: &Visitor) -> Table {
        let columns = [
            visitor.t("行号", "Line"),
            visitor.t("代码", "Code"),
            visitor.t("原因", "Why"),
            visitor.t("内容", "What stands there"),
        ];
        let lines: Vec<&str> = self.text.lines().collect();
        let mut table = Table::new("left-out", visitor.t("未接受的行", "Lines left out"), columns).shown_once();
        for one in self.left_out.iter().take(TOLD) {
            let place = usize::try_from(one.line).ok().and_then(|line| line.checked_sub(1));
            let stands = place.and_then(|place| lines.get(place)).copied().unwrap_or_default();
            let why = in_words(visitor.tongue, &Finding::error(one.code, one.reason.as_str(), ""));
            let why = format!("{} {}", why.message, why.hint);
            table.row([one.line.into(), one.code.into(), why.trim().into(), stands.into()]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_were_copied_from_a_spreadsheet_are_read_as_those_of_a_file() {
        let file = "contact,result\na,\"b,c\"\n";
        assert_eq!(csv_of(file), file);
        assert_eq!(
            csv_of("contact\tresult\tnote\na\tsafe\t\"said \"\"hm\"\", twice\"\nb\t\t\n"),
            "contact,result,note\r\na,safe,\"said \"\"hm\"\", twice\"\r\nb,,\r\n"
        );
    }
}
