//! The review: everything that the gate knows of a submission, what it would do and to whom, and the decision.

use super::blocks::{Bars, Block, Cell, Table, figure, share};
use super::form::{Done, Field, Filled, Form, Kind, Tried, carry_out};
use super::session::Visitor;
use super::show::{Look, View, again, answer};
use super::words;
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::{Path, Query};
use axum::response::Response;
use care_domain::approval::Conditions;
use care_domain::evidence::{Evidence, Pressure};
use care_domain::gate::{Principle, Ticks};
use care_domain::governance::Ground;
use care_domain::manifest::Cap;
use care_domain::person::Act;
use care_domain::time::{parse_date, write_date, write_instant};
use care_engine::{Decided, EngineError, Simulation, SimulationRequest, StoredSubmission};
use std::sync::Arc;

pub(super) async fn show(visitor: Visitor, Path(id): Path<i64>, Query(look): Query<Look>) -> Response {
    let view = view(&visitor, id, None).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor, id: i64, tried: Option<&Tried>) -> Result<View, Problem> {
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
    let simulations = visitor.engine.simulations(id).await?;
    view = simulated(visitor, view, &simulations).await?;
    Ok(decisions(visitor, view, &found, tried))
}

fn facts(visitor: &Visitor, found: &StoredSubmission) -> Block {
    let manifest = &found.version.manifest;
    let mut facts = vec![
        visitor.fact("状态", "Stands", words::state(visitor.tongue, found.submission.state()).to_owned()),
        visitor.fact("类别", "Class", words::class(visitor.tongue, manifest.class).to_owned()),
        visitor.fact("归属地区", "Owner", manifest.owner_region.clone()),
        visitor.fact("提交人", "Author", found.version.uploaded_by.clone()),
        visitor.fact("提交时间", "Uploaded", write_instant(found.version.uploaded_at)),
        visitor.fact("目录", "Catalogue", manifest.catalogue.join(", ")),
        visitor.fact("目标", "Goal", format!("{} · {}", manifest.goal.outcome, manifest.goal.window_days)),
        visitor.fact("频次上限", "Cap", format!("{} / {}", manifest.cap.contacts, manifest.cap.days)),
        visitor.fact("权重", "Weight", manifest.weight.to_string()),
        visitor.fact("组件摘要", "Digest", found.version.component.clone()),
    ];
    if let Some(approval) = &found.approval {
        let open = || visitor.t("不限", "open").to_owned();
        let date = |date: Option<i32>| date.map_or_else(open, write_date);
        let until = format!("{} – {}", date(approval.from), date(approval.until));
        facts.push(visitor.fact("批准人", "Approved by", approval.approved_by.clone()));
        facts.push(visitor.fact("批准期限", "From, until", until));
        facts.push(visitor.fact(
            "批准频次",
            "Granted cap",
            format!("{} / {}", approval.cap.contacts, approval.cap.days),
        ));
        facts.push(visitor.fact(
            "批准范围",
            "Granted regions",
            if approval.regions.is_empty() { open() } else { approval.regions.join(", ") },
        ));
        let budget = approval.budget_fen.map_or_else(open, |fen| format!("{:.2} 元", fen as f64 / 100.0));
        facts.push(visitor.fact("预算", "Budget", budget));
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
        write_instant(newest.at)
    ));
    if evidence.subject.sale {
        view = view.warning(visitor.t("目标是销售：关怀不是促销。", "Its goal is a sale, and care is not a sale."));
    }
    Ok(evidence_blocks(visitor, view, &evidence))
}

fn evidence_blocks(visitor: &Visitor, view: View, evidence: &Evidence) -> View {
    let candidates = evidence.verdicts.candidates();
    let facts = vec![
        visitor.fact("快照客户数", "Customers", figure(evidence.customers)),
        visitor.fact("入选", "Selected", format!("{} ({})", figure(candidates), share(candidates, evidence.customers))),
        visitor.fact("短信", "Messages by SMS", figure(evidence.sms.messages)),
        visitor.fact("短信分段", "Segments", figure(evidence.sms.segments)),
        visitor.fact("费用（元）", "Cost in yuan", format!("{:.2}", evidence.sms.cost_fen as f64 / 100.0)),
    ];
    let verdicts = words::verdicts(visitor.tongue, &evidence.verdicts);
    let mut view = view.with(Block::Facts(facts));
    view = view.with(Bars::of(visitor.t("裁决", "Verdicts"), &verdicts));
    let mut table = Table::new(
        "verdicts",
        visitor.t("裁决明细", "Verdicts in figures"),
        [visitor.t("裁决", "Verdict"), visitor.t("客户", "Customers")],
    );
    verdicts.into_iter().for_each(|(name, count)| table.row([name.into(), count.into()]));
    view = view.with(table).with(reach(visitor, evidence)).with(pressure(visitor, evidence));
    view = view.with(overlaps(visitor, evidence));
    let messages = evidence.samples.0.iter().flat_map(|(template, channels)| {
        channels
            .iter()
            .flat_map(move |(channel, samples)| samples.iter().map(move |sample| (template, channel, sample)))
    });
    let messages: Vec<(String, String)> = messages
        .map(|(template, channel, sample)| {
            let text = visitor.t(&sample.zh, &sample.en).to_owned();
            (format!("{} · {template}", words::channel(visitor.tongue, channel.name())), text)
        })
        .collect();
    view.heading(visitor.t("样例消息（客户所见）", "Messages as customers read them")).with(Block::Messages(messages))
}

fn reach(visitor: &Visitor, evidence: &Evidence) -> Table {
    let columns = [visitor.t("地市", "Region"), visitor.t("入选", "Selected"), visitor.t("通过", "Cleared")];
    let mut table = Table::new("regions", visitor.t("按地市", "By region"), columns);
    for (region, reach) in &evidence.regions {
        table.row([region.as_str().into(), reach.selected.into(), reach.cleared.into()]);
    }
    table
}

fn pressure(visitor: &Visitor, evidence: &Evidence) -> Table {
    let columns =
        [visitor.t("触达次数", "Contacts"), visitor.t("之前（客户）", "Before"), visitor.t("之后（客户）", "After")];
    let mut table = Table::new("pressure", visitor.t("触达压力", "Contact pressure"), columns);
    let (before, after) = (&evidence.pressure.before, &evidence.pressure.after);
    let counts = |p: &Pressure| [p.none, p.one_to_three, p.four_to_ten, p.over_ten];
    let labels = ["0", "1–3", "4–10", ">10"];
    for ((label, before), after) in labels.into_iter().zip(counts(before)).zip(counts(after)) {
        table.row([label.into(), before.into(), after.into()]);
    }
    table
}

fn overlaps(visitor: &Visitor, evidence: &Evidence) -> Table {
    let columns = [
        visitor.t("任务", "Campaign"),
        visitor.t("活动", "Activity"),
        visitor.t("共同客户", "Customers of both"),
        visitor.t("被挤占", "Taken from it"),
        visitor.t("判断", "Remark"),
    ];
    let mut table = Table::new("overlaps", visitor.t("与在运行任务的重叠", "Overlap with running campaigns"), columns);
    for (campaign, overlap) in &evidence.overlaps {
        let lost = evidence.displaced.get(campaign).map_or(0, |displaced| displaced.lost);
        let remark = if overlap.duplicate { visitor.t("疑似重复", "A duplicate") } else { "" };
        let link = Cell::link(campaign.as_str(), format!("/console/campaigns/{campaign}"));
        let remark = Cell::from(remark).loud(overlap.duplicate);
        table.row([link, overlap.activity.as_str().into(), overlap.both.into(), lost.into(), remark]);
    }
    table
}

/// The forms that this visitor may send now.
fn decisions(visitor: &Visitor, view: View, found: &StoredSubmission, tried: Option<&Tried>) -> View {
    let path = |verb: &str| format!("/console/submissions/{}/{verb}", found.id);
    let reason = |required: bool| {
        let field = Field::new("reason", visitor.t("理由", "Reason"), Kind::Area);
        if required { field.required() } else { field }
    };
    let plain = |verb: &str, zh, en| Form::new(path(verb), visitor.t(zh, en), vec![reason(true)]).tried(tried);
    let may = |act: Act| visitor.engine.may(act);
    let mut view = view;
    match found.submission.state() {
        "city-review" if may(Act::ReviewForCity) => {
            view = view.with(
                Form::new(path("review"), visitor.t("地市审核通过", "Pass on to the province"), vec![reason(false)])
                    .tried(tried),
            );
        }
        "trial-review" if may(Act::ReviewForTrial) => {
            view = view.with(
                Form::new(path("trial"), visitor.t("预审通过", "It was tried out"), vec![reason(false)]).tried(tried),
            );
        }
        "provincial-review" if may(Act::Decide) => {
            let ticks = ticks(visitor);
            let mut fields = conditions(visitor);
            view = view.with(Form::new(path("simulate"), visitor.t("试算", "Simulate"), fields.clone()).tried(tried));
            fields.push(ticks);
            view = view.with(
                Form::new(path("approve"), visitor.t("批准", "Approve"), fields)
                    .hint(
                        visitor
                            .t("批准条件须与最近一次试算一致。", "Exactly these conditions must have been simulated."),
                    )
                    .tried(tried),
            );
        }
        "second-review" if may(Act::Decide) => {
            view = view
                .with(Form::new(path("confirm"), visitor.t("复核批准", "Confirm"), vec![ticks(visitor)]).tried(tried));
        }
        "approved" | "active" if may(Act::Suspend) => {
            view = view.with(plain("suspend", "暂停", "Suspend"));
        }
        "suspended" if may(Act::Suspend) => {
            view = view.with(plain("resume", "恢复", "Resume"));
        }
        _ => {}
    }
    if matches!(found.submission.state(), "city-review" | "trial-review" | "provincial-review" | "second-review")
        && [Act::ReviewForCity, Act::ReviewForTrial, Act::Decide].into_iter().any(may)
    {
        let grounds =
            [("not-care", visitor.t("不属于关怀", "It is no care")), ("other", visitor.t("其他", "Something else"))];
        let grounds = grounds.map(|(value, label)| (value.to_owned(), label.to_owned())).to_vec();
        let ground = Field::new("ground", visitor.t("驳回依据", "Ground"), Kind::Choice(grounds)).required();
        view =
            view.with(Form::new(path("reject"), visitor.t("驳回", "Reject"), vec![ground, reason(true)]).tried(tried));
    }
    if matches!(found.submission.state(), "approved" | "active" | "suspended") && may(Act::WithdrawApproval) {
        let name = found.version.manifest.name.as_str();
        view = view.with(plain("withdraw", "撤销批准", "Withdraw the approval").typed(name));
    }
    view
}

fn ticks(visitor: &Visitor) -> Field {
    let all = Principle::ALL.into_iter().map(|p| (p.name().to_owned(), principle_name(visitor, p).to_owned()));
    Field::new("principles", visitor.t("确认成立的原则", "Principles that hold"), Kind::Choices(all.collect()))
}

/// Conditions of an approval; what is left empty is granted as it was asked for.
fn conditions(visitor: &Visitor) -> Vec<Field> {
    let field = |name, zh, en, kind| Field::new(name, visitor.t(zh, en), kind);
    vec![
        field("contacts", "频次上限：次数", "Cap: contacts", Kind::Number),
        field("days", "频次上限：天数", "Cap: in days", Kind::Number),
        field("regions", "限定地区（编码，空格分隔）", "Only these regions, by code", Kind::Line),
        field("share", "灰度比例（万分之）", "Share of customers, of 10,000", Kind::Number),
        field("from", "生效日期", "From", Kind::Date),
        field("until", "截止日期", "Until", Kind::Date),
        field("budget", "预算（元）", "Budget in yuan", Kind::Number),
    ]
}

fn conditions_of(filled: &Filled) -> Result<Conditions, EngineError> {
    let date = |name: &'static str| match filled.one(name) {
        "" => Ok(None),
        text => parse_date(text).map(Some).ok_or_else(|| {
            EngineError::refused(&format!("bad-{name}"), format!("{text:?} is no date."), "Write it as 2026-07-29.")
        }),
    };
    let cap = match (filled.number("contacts")?, filled.number("days")?) {
        (Some(contacts), Some(days)) => Some(Cap { contacts, days }),
        (None, None) => None,
        _ => {
            return Err(EngineError::refused(
                "bad-days",
                "A cap is a number of contacts and a number of days.",
                "Fill in both, or none.",
            ));
        }
    };
    Ok(Conditions {
        cap,
        regions: filled.one("regions").split_whitespace().map(str::to_owned).collect(),
        share: filled.number("share")?,
        from: date("from")?,
        until: date("until")?,
        budget_fen: filled.number::<u64>("budget")?.map(|yuan| yuan.saturating_mul(100)),
        ..Conditions::default()
    })
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
        "withdraw" => visitor.engine.submission(id).await.ok().map(|found| found.version.manifest.name),
        _ => None,
    };
    let done =
        async |filled: &Filled| act(filled).await.map(|said| Done::at(format!("/console/submissions/{id}"), said));
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
