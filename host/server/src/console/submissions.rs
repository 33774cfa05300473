//! What was uploaded: activities with their versions, and submissions by where they stand.

use super::blocks::{Cell, Table};
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words;
use crate::api::Problem;
use axum::extract::Query;
use axum::response::Response;
use care_domain::time::write_instant;
use care_engine::{KnowledgeQuery, StoredSubmission};

/// Submissions of a page.
const PAGE: usize = 100;

/// Submissions, the newest first.
pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = async {
        let mut all = visitor.engine.submissions().await?;
        all.retain(|found| fits(found, &look.q) && look.after.is_none_or(|after| found.id < after));
        all.sort_by_key(|found| std::cmp::Reverse(found.id));
        let columns = [
            visitor.t("编号", "No."),
            visitor.t("活动", "Activity"),
            visitor.t("版本", "Version"),
            visitor.t("状态", "Stands"),
            visitor.t("归属地区", "Owner"),
            visitor.t("提交人", "Author"),
            visitor.t("提交时间", "Uploaded"),
        ];
        let mut table = Table::new("submissions", visitor.t("提交记录", "Submissions"), columns);
        for found in all.iter().take(PAGE) {
            let manifest = &found.version.manifest;
            table.row([
                Cell::link(found.id.to_string(), format!("/console/submissions/{}", found.id)),
                Cell::link(manifest.title.get(visitor.tongue.0), format!("/console/submissions/{}", found.id)),
                manifest.version.to_string().into(),
                words::state(visitor.tongue, found.submission.state()).into(),
                manifest.owner_region.as_str().into(),
                found.version.uploaded_by.as_str().into(),
                write_instant(found.version.uploaded_at).into(),
            ]);
        }
        table.next = all.get(PAGE).and_then(|_| all.get(PAGE - 1)).map(|last| format!("?after={}", last.id));
        Ok::<_, Problem>(View::new(visitor.t("审批", "Submissions")).with(table))
    };
    answer(&visitor, &look, view.await)
}

fn fits(found: &StoredSubmission, text: &str) -> bool {
    let manifest = &found.version.manifest;
    text.is_empty() || [&manifest.name, &manifest.title.zh, &manifest.title.en].iter().any(|name| name.contains(text))
}

/// Activities with what they did: the knowledge base.
pub(super) async fn activities(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = async {
        let text = Some(look.q.clone()).filter(|text| !text.is_empty());
        let known = visitor.engine.knowledge(&KnowledgeQuery { text, ..KnowledgeQuery::default() }).await?;
        let submissions = visitor.engine.submissions().await?;
        let columns = [
            visitor.t("活动", "Activity"),
            visitor.t("版本", "Version"),
            visitor.t("状态", "Stands"),
            visitor.t("类别", "Class"),
            visitor.t("目录分类", "Categories"),
            visitor.t("已发送", "Sent"),
            visitor.t("投诉与咨询", "Complaints and enquiries"),
            visitor.t("效果（差异与95%区间）", "Effect: difference, 95 %"),
        ];
        let mut table = Table::new("activities", visitor.t("活动版本", "Versions"), columns);
        for learnt in known {
            let found = submissions.iter().rfind(|s| s.version.component == learnt.component);
            let title = learnt.title.get(visitor.tongue.0);
            let effect = learnt.effect().map_or("–".to_owned(), |(difference, [low, high])| {
                format!("{difference:+.4} [{low:+.4}, {high:+.4}]")
            });
            table.row([
                found.map_or_else(|| title.into(), |s| Cell::link(title, format!("/console/submissions/{}", s.id))),
                learnt.version.into(),
                words::state(visitor.tongue, learnt.state).into(),
                words::class(visitor.tongue, learnt.class).into(),
                learnt.categories.keys().copied().collect::<Vec<_>>().join(", ").into(),
                learnt.reaction.messages.into(),
                (learnt.reaction.complaints + learnt.reaction.enquiries).into(),
                effect.into(),
            ]);
        }
        Ok::<_, Problem>(View::new(visitor.t("活动", "Activities")).with(table))
    };
    answer(&visitor, &look, view.await)
}
