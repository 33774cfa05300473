//! What was uploaded: submissions by where they stand, and the form that uploads another.

use super::blocks::{Cell, Table};
use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::Query;
use axum::response::Response;
use care_domain::person::Act;
use care_engine::{EngineError, StoredSubmission};

const SUBMISSIONS: &str = "/console/submissions";
/// Submissions of a page.
const PAGE: usize = 100;

/// Submissions, the newest first.
pub(super) async fn list(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = overview(&visitor, &look, None).await;
    answer(&visitor, &look, view)
}

async fn overview(visitor: &Visitor, look: &Look, tried: Option<&Tried>) -> Result<View, Problem> {
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
            moment(found.version.uploaded_at).into(),
        ]);
    }
    table.next = all.get(PAGE).and_then(|_| all.get(PAGE - 1)).map(|last| format!("?after={}", last.id));
    let mut view = View::new(visitor.t("审批", "Submissions"));
    if visitor.engine.may(Act::Upload) {
        view = view.with(upload_form(visitor).await?.tried(tried));
    }
    Ok(view.with(table))
}

/// An upload says which need it answers; the published ones may be chosen.
async fn upload_form(visitor: &Visitor) -> Result<Form, Problem> {
    let needs = visitor.engine.needs().await?;
    let published = needs.into_iter().filter(|(_, (need, _))| need.state.name() == "published");
    let needs = published.map(|(id, (need, _))| (id.to_string(), format!("{id} · {}", need.title))).collect();
    let any =
        visitor.t("不选则为其目录条目最新发布的需求。", "The newest of its catalogue entry where none is chosen.");
    let signed = visitor.t("已签名的 .wasm 组件，最大 32 MB。", "The signed component, up to 32 MB.");
    let fields = vec![
        Field::new("component", visitor.t("活动文件", "File"), Kind::File(".wasm")).required().hint(signed),
        Field::new("need", visitor.t("应对的需求", "The need that it answers"), Kind::Choice(needs)).hint(any),
    ];
    let hint = visitor.t(
        "上传后立即检查：格式、签名、申请的权限、在虚拟客户上的试运行。通过即提交审批，未通过则不保留。",
        "It is checked at once: format, signature, what it asks for, a trial on made-up customers. What passes is \
         submitted; what does not is not kept.",
    );
    Ok(Form::new(SUBMISSIONS, visitor.t("上传并提交", "Upload and submit"), fields).hint(hint))
}

pub(super) async fn upload(visitor: Visitor, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let component = filled.file("component");
        if component.is_empty() {
            let hint = "Build and sign one with `care plugin build` and `care plugin sign`";
            return Err(EngineError::refused("bad-component", "no file was chosen", hint));
        }
        let pushed = who.engine.push_for(component, filled.number("need")?, who.person(), now_ms()).await?;
        Ok(Done::at(format!("{SUBMISSIONS}/{}", pushed.submission), "uploaded"))
    };
    match carry_out(&visitor, filled, SUBMISSIONS, None, act).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| overview(&visitor, &Look::default(), Some(tried)).await).await,
    }
}

fn fits(found: &StoredSubmission, text: &str) -> bool {
    let manifest = &found.version.manifest;
    text.is_empty() || [&manifest.name, &manifest.title.zh, &manifest.title.en].iter().any(|name| name.contains(text))
}
