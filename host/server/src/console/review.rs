//! The review: everything that the gate knows of a submission, what it would do and to whom, and the decision.

use super::activities::granted;
use super::blocks::{Block, Table};
use super::conditions::{NAMES, conditions_of, fields as conditions};
use super::evidence;
use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::messages;
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query, RawQuery};
use axum::response::Response;
use care_domain::gate::{Principle, Ticks};
use care_domain::governance::{Deed, Ground, Submission};
use care_domain::person::Act;
use care_domain::time::write_date;
use care_engine::{Decided, EngineError, Simulation, SimulationRequest, StoredSubmission};
use std::sync::Arc;

pub(super) async fn show(
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(look): Query<Look>,
    RawQuery(query): RawQuery,
) -> Response {
    let typed = Filled::of_pairs(query.unwrap_or_default().as_bytes());
    let view = viewed(&visitor, id, &typed, None).await;
    answer(&visitor, &look, view)
}

/// The review of a submission; `tried` is the form of it that was refused.
pub(super) async fn view(visitor: &Visitor, id: i64, tried: Option<&Tried>) -> Result<View, Problem> {
    viewed(visitor, id, &Filled::default(), tried).await
}

/// The same with conditions that were just simulated.
async fn viewed(visitor: &Visitor, id: i64, typed: &Filled, tried: Option<&Tried>) -> Result<View, Problem> {
    let found = visitor.engine.submission(id).await?;
    let manifest = &found.version.manifest;
    let title = format!("{} {}", manifest.title.get(visitor.tongue.0), manifest.version);
    let mut view = View::new(title).text(manifest.summary.get(visitor.tongue.0)).with(facts(visitor, &found));
    view = view.with(principles(visitor, &found));
    if !found.version.findings.is_empty() {
        let columns = [visitor.t("代码", "Code"), visitor.t("发现", "Finding"), visitor.t("建议", "Hint")];
        let mut table = Table::new("findings", visitor.t("检查发现", "What the checks found"), columns);
        for finding in &found.version.findings {
            table.row([finding.code.as_str().into(), finding.message.as_str().into(), finding.hint.as_str().into()]);
        }
        view = view.with(table);
    }
    if let Some((since, changes)) = visitor.engine.changes(&found).await? {
        let title = format!("{} {since}", visitor.t("与已批准版本的差异：", "Changed since"));
        let mut table = Table::new("changes", title, [visitor.t("变更", "What changed")]);
        changes.into_iter().for_each(|change| table.row([change.what.into()]));
        view = view.with(table);
    }
    view = view.with(history(visitor, &found.submission));
    let simulations = visitor.engine.simulations(id).await?;
    view = simulated(visitor, view, &simulations).await?;
    view = compared(visitor, view, &simulations).await?;
    view = messages::of_submission(visitor, view, id, tried).await?;
    Ok(decisions(&Desk { visitor, found: &found, tried }, view, typed))
}

fn facts(visitor: &Visitor, found: &StoredSubmission) -> Block {
    let manifest = &found.version.manifest;
    let mut facts = vec![
        visitor.fact("状态", "Stands", words::state(visitor.tongue, found.submission.state()).to_owned()),
        visitor.fact("类别", "Class", words::class(visitor.tongue, manifest.class).to_owned()),
        visitor.fact("归属地区", "Owner", manifest.owner_region.clone()),
        visitor.fact("提交人", "Author", found.version.uploaded_by.clone()),
        visitor.fact("提交时间", "Uploaded", moment(found.version.uploaded_at)),
        visitor.fact("目录", "Catalogue", manifest.catalogue.join(", ")),
        visitor.fact("目标", "Goal", format!("{} · {}", manifest.goal.outcome, manifest.goal.window_days)),
        visitor.fact("频次上限", "Cap", format!("{} / {}", manifest.cap.contacts, manifest.cap.days)),
        visitor.fact("权重", "Weight", manifest.weight.to_string()),
        visitor.fact("组件摘要", "Digest", found.version.component.clone()),
    ];
    if let Some(approval) = &found.approval {
        facts.extend(granted(visitor, approval));
    }
    Block::Facts(facts)
}

/// The author's answers to the six principles.
fn principles(visitor: &Visitor, found: &StoredSubmission) -> Table {
    let columns = [visitor.t("原则", "Principle"), visitor.t("发起人的回答", "The author's answer")];
    let mut table = Table::new("principles", visitor.t("六项原则", "Six principles"), columns);
    for principle in Principle::ALL {
        let all = &found.version.manifest.principles;
        let said = match principle {
            Principle::Proactive => &all.proactive,
            Principle::CustomerOriented => &all.customer_oriented,
            Principle::Feasible => &all.feasible,
            Principle::Useful => &all.useful,
            Principle::Important => &all.important,
            Principle::Innovative => &all.innovative,
        };
        table.row([principle_name(visitor, principle).into(), said.get(visitor.tongue.0).into()]);
    }
    table
}

fn principle_name(visitor: &Visitor, principle: Principle) -> &'static str {
    match principle {
        Principle::Proactive => visitor.tongue.t("主动性", "Proactive"),
        Principle::CustomerOriented => visitor.tongue.t("客户导向", "Customer-oriented"),
        Principle::Feasible => visitor.tongue.t("可行性", "Feasible"),
        Principle::Useful => visitor.tongue.t("实用性", "Useful"),
        Principle::Important => visitor.tongue.t("重要性", "Important"),
        Principle::Innovative => visitor.tongue.t("创新性", "Innovative"),
    }
}

async fn simulated(visitor: &Visitor, mut view: View, simulations: &[Simulation]) -> Result<View, Problem> {
    let Some(newest) = simulations.iter().max_by_key(|simulation| simulation.id) else {
        return Ok(view.warning(
            visitor.t("尚未试算：没有试算证据不能批准。", "Not simulated yet: nothing is approved without evidence."),
        ));
    };
    let (_, evidence) = visitor.engine.simulation(newest.id).await?;
    view = view.heading(format!(
        "{} {} · {}",
        visitor.t("试算证据", "Evidence of"),
        write_date(newest.business_date),
        moment(newest.at)
    ));
    if evidence.subject.sale {
        view = view.warning(visitor.t("目标是销售：关怀不是促销。", "Its goal is a sale, and care is not a sale."));
    }
    Ok(evidence::shown(visitor, view, &evidence))
}

/// In what the newest simulation differs from the one before it.
async fn compared(visitor: &Visitor, view: View, simulations: &[Simulation]) -> Result<View, Problem> {
    let mut numbers: Vec<i64> = simulations.iter().map(|simulation| simulation.id).collect();
    numbers.sort_unstable();
    let [.., before, newest] = numbers.as_slice() else { return Ok(view) };
    let title = format!("{} {before} → {newest}", visitor.t("与上次试算的差异", "Differences of the simulations"));
    let mut table = Table::new("differences", title, [visitor.t("差异", "What differs")]);
    for difference in visitor.engine.compare_simulations(*before, *newest).await? {
        table.row([difference.to_string().into()]);
    }
    Ok(view.with(table))
}

/// Who had which part in it.
fn history(visitor: &Visitor, submission: &Submission) -> Table {
    let columns =
        [visitor.t("环节", "Step"), visitor.t("人员", "Who"), visitor.t("时间", "When"), visitor.t("理由", "Reason")];
    let mut table = Table::new("history", visitor.t("审批历程", "How it came here"), columns);
    let mut row = |step: &str, deed: &Deed, reason: &str| {
        table.row([step.into(), deed.person.as_str().into(), moment(deed.at).into(), reason.into()]);
    };
    row(visitor.t("提交", "Submitted"), submission.author(), "");
    if let Some(reviewed) = submission.reviewed() {
        reviewed.city.iter().for_each(|deed| row(visitor.t("地市审核", "City review"), deed, ""));
        reviewed.trial.iter().for_each(|deed| row(visitor.t("前端预审", "Trial"), deed, ""));
    }
    if let Some(granted) = submission.granted() {
        row(visitor.t("批准", "Approved"), &granted.approver, "");
        granted.second.iter().for_each(|deed| row(visitor.t("复核", "Confirmed"), deed, ""));
    }
    match submission {
        Submission::SecondReview { approver, .. } => row(visitor.t("提议批准", "Proposed"), approver, ""),
        Submission::Suspended { by, reason, .. } => row(visitor.t("暂停", "Suspended"), by, reason),
        Submission::Retired { by, .. } => row(visitor.t("下线", "Retired"), by, ""),
        Submission::Rejected { reviewer, reason, .. } => row(visitor.t("驳回", "Rejected"), reviewer, reason),
        Submission::Merged { by, into, reason, .. } => {
            row(visitor.t("合并", "Merged"), by, &format!("→ {into}: {reason}"));
        }
        Submission::Withdrawn { by, reason, .. } => row(visitor.t("撤销", "Withdrawn"), by, reason),
        _ => {}
    }
    table
}

/// Where the forms of a submission lead, and who looks at it.
struct Desk<'a> {
    visitor: &'a Visitor,
    found: &'a StoredSubmission,
    tried: Option<&'a Tried>,
}

impl Desk<'_> {
    fn form(&self, verb: &str, zh: &str, en: &str, fields: Vec<Field>) -> Form {
        let action = format!("/console/submissions/{}/{verb}", self.found.id);
        Form::new(action, self.visitor.t(zh, en), fields).tried(self.tried)
    }

    fn reason(&self) -> Field {
        Field::new("reason", self.visitor.t("理由", "Reason"), Kind::Area)
    }

    /// With nothing but a reason, which must be given.
    fn because(&self, verb: &str, zh: &str, en: &str) -> Form {
        self.form(verb, zh, en, vec![self.reason().required()])
    }

    fn may(&self, act: Act) -> bool {
        self.visitor.engine.may(act)
    }

    /// What moves it on, from where it stands; `typed` are conditions that were just simulated.
    fn next(&self, typed: &Filled) -> Vec<Form> {
        let ticks = || ticks(self.visitor);
        match self.found.submission.state() {
            "city-review" if self.may(Act::ReviewForCity) => {
                vec![self.form("review", "地市审核通过", "Pass on to the province", vec![self.reason()])]
            }
            "trial-review" if self.may(Act::ReviewForTrial) => {
                vec![self.form("trial", "预审通过", "It was tried out", vec![self.reason()])]
            }
            "provincial-review" if self.may(Act::Decide) => {
                let mut fields = conditions(self.visitor);
                fields.iter_mut().for_each(|field| field.values = typed.all(&field.name).to_vec());
                let simulate = self.form("simulate", "试算", "Simulate", fields.clone());
                fields.push(ticks());
                let (zh, en) = ("批准条件须与最近一次试算一致。", "Exactly these conditions must have been simulated.");
                let approve = self.form("approve", "批准", "Approve", fields).hint(self.visitor.t(zh, en));
                vec![simulate, approve]
            }
            "second-review" if self.may(Act::Decide) => {
                vec![self.form("confirm", "复核批准", "Confirm", vec![ticks()])]
            }
            "approved" | "active" if self.may(Act::Suspend) => vec![self.because("suspend", "暂停", "Suspend")],
            "suspended" if self.may(Act::Suspend) => vec![self.because("resume", "恢复", "Resume")],
            _ => Vec::new(),
        }
    }

    /// What ends it.
    fn ends(&self) -> Vec<Form> {
        let submission = &self.found.submission;
        let name = self.found.version.manifest.name.as_str();
        let mut forms = Vec::new();
        if submission.is_undecided()
            && [Act::ReviewForCity, Act::ReviewForTrial, Act::Decide].map(|act| self.may(act)).contains(&true)
        {
            let fields = vec![self.ground(), self.reason().required()];
            forms.push(self.form("reject", "驳回", "Reject", fields));
        }
        if submission.is_undecided() && self.may(Act::Decide) {
            let label = self.visitor.t("并入的活动", "The activity that takes its place");
            let fields = vec![Field::new("into", label, Kind::Line).required(), self.reason().required()];
            forms.push(self.form("merge", "合并", "Merge into another", fields));
        }
        if submission.is_undecided() && self.may(Act::TakeBack) {
            forms.push(self.because("take-back", "撤回提交", "Take back"));
        }
        if matches!(submission.state(), "active" | "suspended") && self.may(Act::Retire) {
            forms.push(self.because("retire", "下线", "Retire").typed(name));
        }
        if matches!(submission.state(), "approved" | "active" | "suspended") && self.may(Act::WithdrawApproval) {
            forms.push(self.because("withdraw", "撤销批准", "Withdraw the approval").typed(name));
        }
        forms
    }

    fn ground(&self) -> Field {
        let grounds = [("not-care", "不属于关怀", "It is no care"), ("other", "其他", "Something else")];
        let grounds = grounds.map(|(value, zh, en)| (value.to_owned(), self.visitor.t(zh, en).to_owned()));
        Field::new("ground", self.visitor.t("驳回依据", "Ground"), Kind::Choice(grounds.into())).required()
    }
}

/// The forms that this visitor may send now.
fn decisions(desk: &Desk<'_>, view: View, typed: &Filled) -> View {
    let forms = desk.next(typed).into_iter().chain(desk.ends());
    let view = forms.fold(view, View::with);
    if !desk.found.submission.may_start() || !desk.may(Act::Upload) {
        return view;
    }
    let to = format!("/console/submissions/{}/variant", desk.found.id);
    view.with(Block::Links(vec![(desk.visitor.t("新建变体", "Make a variant").to_owned(), to)]))
}

fn ticks(visitor: &Visitor) -> Field {
    let all = Principle::ALL.into_iter().map(|p| (p.name().to_owned(), principle_name(visitor, p).to_owned()));
    Field::new("principles", visitor.t("确认成立的原则", "Principles that hold"), Kind::Choices(all.collect()))
}

fn ticks_of(filled: &Filled) -> Ticks {
    filled.all("principles").iter().filter_map(|name| Principle::from_name(name)).collect()
}

/// Carries one of the forms out, and shows the review again where it is refused.
async fn carried(
    visitor: Visitor,
    id: i64,
    verb: &str,
    filled: Filled,
    act: impl AsyncFnOnce(&Filled) -> Result<&'static str, EngineError>,
) -> Response {
    let action = format!("/console/submissions/{id}/{verb}");
    let typed = match verb {
        "withdraw" | "retire" => visitor.engine.submission(id).await.ok().map(|found| found.version.manifest.name),
        _ => None,
    };
    let done = async |filled: &Filled| {
        let said = act(filled).await?;
        let page = format!("/console/submissions/{id}");
        // What was simulated is what may be approved: it stands in the form again.
        let simulated = (verb == "simulate").then(|| filled.query(&NAMES)).filter(|q| !q.is_empty());
        Ok(Done::at(simulated.map_or(page.clone(), |query| format!("{page}?{query}")), said))
    };
    match carry_out(&visitor, filled, &action, typed.as_deref(), done).await {
        Ok(response) => response,
        Err(why) => again(&visitor, why, async |tried| view(&visitor, id, Some(tried)).await).await,
    }
}

pub(super) async fn simulate(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.submission(id).await?;
        let request = who.engine.trial_request(crate::commands::plan::cores()).await?;
        let what = SimulationRequest { conditions: conditions_of(filled)?, params: serde_json::Map::new(), request };
        who.engine.simulate(id, &what, (who.person(), now_ms()), Arc::new(|_| true)).await?;
        Ok("simulated")
    };
    carried(visitor, id, "simulate", filled, act).await
}

pub(super) async fn approve(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| match who
        .engine
        .approve(id, &conditions_of(filled)?, &ticks_of(filled), who.person(), now_ms())
        .await?
    {
        Decided::Approved(_) => Ok("approved"),
        Decided::WaitsForSecond { .. } => Ok("second"),
    };
    carried(visitor, id, "approve", filled, act).await
}

pub(super) async fn confirm(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.confirm(id, &ticks_of(filled), who.person(), now_ms()).await.map(|_| "approved")
    };
    carried(visitor, id, "confirm", filled, act).await
}

pub(super) async fn pass_city(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.pass_city(id, filled.one("reason"), who.person(), now_ms()).await.map(|()| "passed")
    };
    carried(visitor, id, "review", filled, act).await
}

pub(super) async fn pass_trial(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.pass_trial(id, filled.one("reason"), who.person(), now_ms()).await.map(|()| "passed")
    };
    carried(visitor, id, "trial", filled, act).await
}

pub(super) async fn reject(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let ground = if filled.one("ground") == "not-care" { Ground::NotCare } else { Ground::Other };
        who.engine.reject(id, ground, filled.one("reason"), who.person(), now_ms()).await.map(|()| "rejected")
    };
    carried(visitor, id, "reject", filled, act).await
}

pub(super) async fn suspend(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.suspend(id, filled.one("reason"), who.person(), now_ms()).await.map(|()| "suspended")
    };
    carried(visitor, id, "suspend", filled, act).await
}

pub(super) async fn resume(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.resume(id, filled.one("reason"), who.person(), now_ms()).await.map(|()| "resumed")
    };
    carried(visitor, id, "resume", filled, act).await
}

pub(super) async fn withdraw(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.withdraw(id, filled.one("reason"), who.person(), now_ms()).await.map(|_| "withdrawn")
    };
    carried(visitor, id, "withdraw", filled, act).await
}

pub(super) async fn merge(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        let (into, reason) = (filled.one("into"), filled.one("reason"));
        who.engine.merge(id, into, reason, who.person(), now_ms()).await.map(|_| "merged")
    };
    carried(visitor, id, "merge", filled, act).await
}

pub(super) async fn retire(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.retire(id, filled.one("reason"), who.person(), now_ms()).await.map(|_| "retired")
    };
    carried(visitor, id, "retire", filled, act).await
}

pub(super) async fn take_back(visitor: Visitor, Path(id): Path<i64>, filled: Filled) -> Response {
    let who = visitor.clone();
    let act = async move |filled: &Filled| {
        who.engine.take_back(id, filled.one("reason"), who.person(), now_ms()).await.map(|()| "taken-back")
    };
    carried(visitor, id, "take-back", filled, act).await
}
