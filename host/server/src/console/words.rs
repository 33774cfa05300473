//! What people call things, in both languages: names that elsewhere are codes.

use super::session::Tongue;
use care_domain::catalogue::CATEGORIES;
use care_domain::contact::{Addressee, Channel};
use care_domain::desk::WorkResult;
use care_domain::evidence::Differs;
use care_domain::manifest::Action;
use care_domain::need::Source;
use care_domain::person::Role;
use care_domain::policy::Class;
use care_domain::time::write_instant;
use care_domain::verdict::{Tally, Verdict};

/// A name by its code, the code itself where nobody named it.
fn named<'a>(tongue: Tongue, names: &[(&str, &'static str, &'static str)], code: &'a str) -> &'a str {
    names.iter().find(|(known, ..)| *known == code).map_or(code, |(_, zh, en)| tongue.t(zh, en))
}

/// An instant (Unix milliseconds) as people read it, in the province: `2026-07-29 08:00:00`.
pub(super) fn moment(at: i64) -> String {
    let written = write_instant(at);
    written.get(..19).map_or_else(|| written.clone(), |local| local.replace('T', " "))
}

/// A role (domain.md section 6).
pub(super) fn role(tongue: Tongue, role: Role) -> &'static str {
    match role {
        Role::Administrator => tongue.t("系统管理员", "Administrator"),
        Role::Initiator => tongue.t("地市发起人", "Initiator"),
        Role::CityReviewer => tongue.t("地市客响", "City reviewer"),
        Role::CustomerService => tongue.t("客服中心", "Customer service"),
        Role::ProvincialApprover => tongue.t("省市场部", "Provincial approver"),
        Role::InformationSystems => tongue.t("信息系统部", "Information systems"),
        Role::KeyAccounts => tongue.t("集团大客户部", "Key accounts"),
        Role::Operator => tongue.t("营销运营", "Operator"),
        Role::DutyOfficer => tongue.t("值班员", "Duty officer"),
        Role::Auditor => tongue.t("审计员", "Auditor"),
        Role::EventSource => tongue.t("事件源系统", "Event source"),
    }
}

/// All of them, as a field offers them.
pub(super) fn roles(tongue: Tongue) -> Vec<(String, String)> {
    Role::ALL.into_iter().map(|one| (one.name().to_owned(), role(tongue, one).to_owned())).collect()
}

/// A class of the policy (domain.md section 10).
pub(super) fn class(tongue: Tongue, class: Class) -> &'static str {
    match class {
        Class::Disaster => tongue.t("灾害", "Disaster"),
        Class::Safety => tongue.t("安全", "Safety"),
        Class::Service => tongue.t("服务", "Service"),
        Class::Care => tongue.t("关怀", "Care"),
        Class::Commercial => tongue.t("营销", "Commercial"),
    }
}

/// Where a submission, a plan or a contact stands.
pub(super) fn state(tongue: Tongue, code: &str) -> &str {
    named(
        tongue,
        &[
            ("city-review", "待地市审核", "City review"),
            ("trial-review", "待前端预审", "Trial review"),
            ("provincial-review", "待省公司审批", "Provincial review"),
            ("second-review", "待复核", "Second review"),
            ("approved", "已批准", "Approved"),
            ("active", "运行中", "Active"),
            ("suspended", "已暂停", "Suspended"),
            ("retired", "已下线", "Retired"),
            ("rejected", "已驳回", "Rejected"),
            ("merged", "已合并", "Merged"),
            ("withdrawn", "已撤销", "Withdrawn"),
            ("running", "计算中", "Running"),
            ("paused", "已暂停", "Paused"),
            ("releasing", "释放中", "Releasing"),
            ("released", "已释放", "Released"),
            ("planned", "已计划", "Planned"),
            ("sending", "发送中", "Sending"),
            ("sent", "已发送", "Sent"),
            ("failed", "失败", "Failed"),
            ("unknown", "结果未知", "Unknown"),
            ("cancelled", "已取消", "Cancelled"),
            ("expired", "已过期", "Expired"),
            ("lost", "已让位", "Lost"),
        ],
        code,
    )
}

/// A verdict (architecture section 7).
pub(super) fn verdict(tongue: Tongue, code: &str) -> &str {
    named(
        tongue,
        &[
            ("cleared", "通过", "Cleared"),
            ("held", "暂缓", "Held"),
            ("capped", "触达已满", "Capped"),
            ("lost", "竞争落选", "Lost to another"),
            ("control", "对照组", "Control group"),
            ("no-consent", "未获同意", "No consent"),
            ("suppressed", "禁止触达", "Suppressed"),
            ("out-of-region", "不在范围", "Out of region"),
            ("over-capacity", "超出容量", "Over capacity"),
            ("too-late", "已错过时机", "Too late"),
            ("nothing-to-say", "无内容", "Nothing to say"),
            ("plugin-fault", "插件出错", "Plugin fault"),
            ("not-selected", "未入选", "Not selected"),
        ],
        code,
    )
}

/// How many candidates met which verdict, by its name; those that nobody met are left out.
pub(super) fn verdicts(tongue: Tongue, tally: &Tally) -> Vec<(String, u64)> {
    let met = Verdict::ALL.into_iter().filter(|met| tally.of(*met) > 0);
    met.map(|met| (verdict(tongue, met.name()).to_owned(), tally.of(met))).collect()
}

/// To whom a message goes.
pub(super) fn addressee(tongue: Tongue, addressee: Addressee) -> &'static str {
    match addressee {
        Addressee::Customer => tongue.t("客户", "The customer"),
        Addressee::CloseContacts => tongue.t("亲友", "Close contacts"),
        Addressee::InformationSystems => tongue.t("信息系统部", "Information systems"),
        Addressee::KeyAccounts => tongue.t("集团大客户部", "Key accounts"),
        Addressee::CustomerService => tongue.t("客服中心", "Customer service"),
    }
}

/// A category of the catalogue.
pub(super) fn category(tongue: Tongue, code: &str) -> &str {
    CATEGORIES
        .iter()
        .find(|category| category.name == code)
        .map_or(code, |category| tongue.t(category.zh, category.name))
}

/// A channel.
pub(super) fn channel(tongue: Tongue, code: &str) -> &str {
    named(
        tongue,
        &[
            ("sms", "短信", "SMS"),
            ("email", "邮件", "E-mail"),
            ("call-list", "外呼", "Call list"),
            ("touchpoint", "触点提示", "Touchpoint"),
            ("action", "部门工单", "Department request"),
            ("account-manager", "客户经理", "Account manager"),
            ("store", "营业厅", "Store"),
        ],
        code,
    )
}

/// How a new version decides otherwise than the running one.
pub(super) fn differs(tongue: Tongue, how: Differs) -> &'static str {
    match how {
        Differs::OnlyRunning => tongue.t("仅旧版本入选", "Selected by the running one only"),
        Differs::OnlyNew => tongue.t("仅新版本入选", "Selected by the new one only"),
        Differs::Reason => tongue.t("原因不同", "Another reason"),
        Differs::Verdict => tongue.t("裁决不同", "Another verdict"),
        Differs::Message => tongue.t("消息不同", "Another message"),
    }
}

/// What a department is asked to do.
pub(super) fn action(tongue: Tongue, action: &Action) -> String {
    match action {
        Action::CreditRating { value } => format!("{} {value}", tongue.t("信用等级调整为", "Credit rating")),
        Action::FeeWaiver => tongue.t("减免费用", "Fee waiver").to_owned(),
        Action::Escalation => tongue.t("催办", "Escalation").to_owned(),
        Action::BusinessOpportunity => tongue.t("商机", "Business opportunity").to_owned(),
    }
}

/// What came of work.
fn result(tongue: Tongue, result: WorkResult) -> &'static str {
    let english = match result {
        WorkResult::Safe => "Safe",
        WorkResult::Unreachable => "Unreachable",
        WorkResult::PossiblyMissing => "Possibly missing",
        WorkResult::Deceased => "Deceased",
        WorkResult::Reached => "Reached",
        WorkResult::Refused => "Refused",
        WorkResult::WrongNumber => "Wrong number",
        WorkResult::Done => "Done",
        WorkResult::Declined => "Declined",
    };
    tongue.t(result.title_zh(), english)
}

/// What may come of work on a channel, as a field offers it.
pub(super) fn results(tongue: Tongue, channel: Channel) -> Vec<(String, String)> {
    let fitting = WorkResult::ALL.into_iter().filter(|one| one.fits(channel));
    fitting.map(|one| (one.name().to_owned(), result(tongue, one).to_owned())).collect()
}

/// Where a piece of work stands.
pub(super) fn standing(tongue: Tongue, code: &str) -> &str {
    let waiting =
        [("waiting", "待领取", "Waiting"), ("handed-out", "已领取", "Handed out"), ("open", "未回报", "No result yet")];
    match WorkResult::from_name(code) {
        Some(known) => result(tongue, known),
        None => state(tongue, named(tongue, &waiting, code)),
    }
}

/// Where records of a need come from.
pub(super) fn source(tongue: Tongue, source: Source) -> &'static str {
    match source {
        Source::Complaint => tongue.t("投诉", "Complaints"),
        Source::Enquiry => tongue.t("咨询", "Enquiries"),
        Source::Survey => tongue.t("满意度调查", "Surveyed"),
    }
}

/// Where a need or a finding stands.
pub(super) fn step(tongue: Tongue, code: &str) -> &str {
    named(
        tongue,
        &[
            ("collected", "收集中", "Collected"),
            ("analysed", "已分析", "Analysed"),
            ("published", "已发布", "Published"),
            ("open", "待整改", "Open"),
            ("closed", "已整改", "Closed"),
            ("dropped", "已撤销", "Dropped"),
        ],
        code,
    )
}

/// What a form did.
pub(super) fn done(tongue: Tongue, said: &str) -> &'static str {
    match said {
        "planned" => tongue.t("计划已开始。", "The plan has begun."),
        "cancelled" => tongue.t("已取消。", "Called off."),
        "kept" => tongue.t("已保存。", "Kept."),
        "uploaded" => tongue.t("已上传并提交。", "Uploaded and submitted."),
        "simulated" => tongue.t("已完成试算。", "Simulated."),
        "approved" => tongue.t("已批准。", "Approved."),
        "second" => tongue.t("已提交复核，还需第二人批准。", "Proposed: a second person approves as well."),
        "passed" => tongue.t("已转下一环节。", "Passed on."),
        "rejected" => tongue.t("已驳回。", "Rejected."),
        "suspended" => tongue.t("已暂停。", "Suspended."),
        "resumed" => tongue.t("已恢复。", "Resumed."),
        "withdrawn" => tongue.t("已撤销批准。", "Withdrawn."),
        "merged" => tongue.t("已合并。", "Merged."),
        "retired" => tongue.t("已下线。", "Retired."),
        "taken-back" => tongue.t("已撤回。", "Taken back."),
        "started" => tongue.t("已启动。", "Started."),
        "paused" => tongue.t("已暂停。", "Paused."),
        "stopped" => tongue.t("已停止。", "Stopped."),
        "thrown" => tongue.t("已停止发送。", "Thrown: nothing of it goes out."),
        "lifted" => tongue.t("已解除。", "Lifted."),
        "appointed" => tongue.t("已授予角色。", "The role is given."),
        "dismissed" => tongue.t("已撤销角色。", "The role is taken."),
        "revoked" => tongue.t("已吊销。", "Revoked."),
        "registered" => tongue.t("已登记。", "Registered."),
        "removed" => tongue.t("已移除。", "Removed."),
        "recorded" => tongue.t("结果已登记。", "Results are recorded."),
        "nothing-new" => tongue.t("没有新的内容。", "Nothing in it was new."),
        "nothing-waits" => tongue.t("目前没有可领取的工作。", "Nothing waits that could be taken now."),
        "opened" => tongue.t("已开启。", "Opened."),
        "closed" => tongue.t("已关闭。", "Closed."),
        "collected" => tongue.t("记录已收集。", "Records are collected."),
        "analysed" => tongue.t("已分析。", "Analysed."),
        "published" => tongue.t("已发布。", "Published."),
        "answered" => tongue.t("已登记应对活动。", "The activity is named as an answer."),
        "dropped" => tongue.t("已撤销。", "Dropped."),
        "test-sent" => {
            tongue.t("测试消息已发送，结果见下表。", "Sent: the table of test messages says what came of it.")
        }
        _ => "",
    }
}
