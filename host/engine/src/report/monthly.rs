//! The report for the monthly service-quality meeting: every activity of the month with what it did and what came back,
//! satisfaction, findings that are late, needs.

use super::daily::start_of;
use super::{Report, Section, percent};
use crate::knowledge::{KnowledgeQuery, Learnt};
use crate::{Engine, EngineError};
use care_domain::stats::{change, share};
use care_domain::time;
use care_store::{OutcomeCount, SentCount};
use std::collections::BTreeMap;

/// A month by its first day and that of the next one.
struct Month {
    name: String,
    before: i64,
    from: i64,
    until: i64,
}

/// What is known of a month.
struct Figures {
    sent: Vec<SentCount>,
    customers: BTreeMap<String, u64>,
    outcomes: Vec<OutcomeCount>,
    outcomes_before: Vec<OutcomeCount>,
}

impl Engine {
    /// The report of the month that holds `date`; of the month of `now` when absent.
    pub async fn monthly_report(&self, date: Option<i32>, now: i64) -> Result<Report, EngineError> {
        let month = month_of(date.unwrap_or_else(|| time::today(now)))?;
        let figures = Figures {
            sent: self.store.sent_between(month.from, month.until).await?,
            customers: self.store.customers_between(month.from, month.until).await?,
            outcomes: self.store.outcomes_between(month.from, month.until).await?,
            outcomes_before: self.store.outcomes_between(month.before, month.from).await?,
        };
        let known = self.knowledge(&KnowledgeQuery::default()).await?;
        let sections = vec![
            activities(&figures, &known),
            reactions(&figures),
            self.satisfaction(&month).await?,
            effects(&known),
            self.late(&month).await?,
            self.needs_told().await?,
        ];
        let title = "月度服务质量例会 Monthly service-quality meeting".to_owned();
        Ok(Report { kind: "monthly", title, period: month.name, sections })
    }

    async fn satisfaction(&self, month: &Month) -> Result<Section, EngineError> {
        let mut section = Section::new("满意度 Satisfaction (1–10)", &["地市 region", "客户 customers", "平均 mean"]);
        let span = (month.from, month.until);
        let found = match self.distribution("satisfied", Some("region"), span).await {
            Ok(found) => found,
            // Without a snapshot, or one without regions, the whole is told.
            Err(_) => self.distribution("satisfied", None, span).await?,
        };
        let mean = |mean: Option<f64>| mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.2}"));
        for (region, part) in &found.slices {
            section.row([region.clone(), part.count.to_string(), mean(part.mean)]);
        }
        section.row(["合计 all".to_owned(), found.all.count.to_string(), mean(found.all.mean)]);
        Ok(section)
    }

    async fn late(&self, month: &Month) -> Result<Section, EngineError> {
        let columns =
            ["编号 no.", "活动 activity", "版本 version", "问题 finding", "责任人 owner", "期限 due", "状态 state"];
        let mut section = Section::new("问题跟进表 Findings to follow up", &columns);
        let last_day = time::today(month.until) - 1;
        for (id, finding) in self.store.findings().await? {
            let late = finding.is_late(last_day);
            section.row([
                id.to_string(),
                finding.activity.clone(),
                finding.version.to_string(),
                finding.what.clone(),
                finding.owner.clone(),
                time::write_date(finding.due),
                if late { "逾期 late".to_owned() } else { finding.state.name().to_owned() },
            ]);
        }
        Ok(section)
    }

    async fn needs_told(&self) -> Result<Section, EngineError> {
        let columns =
            ["编号 no.", "需求 need", "目录 entry", "状态 state", "薄弱 weak regions", "应对活动 answered by"];
        let mut section = Section::new("需求 Needs", &columns);
        for (id, (need, answers)) in self.store.needs().await? {
            use care_domain::need::State;
            let weak = match &need.state {
                State::Collected => Vec::new(),
                State::Analysed { analysis, .. } | State::Published { analysis, .. } => {
                    analysis.weak.iter().map(|spot| spot.region.clone()).collect()
                }
            };
            let state = need.state.name().to_owned();
            section.row([id.to_string(), need.title, need.entry, state, weak.join(", "), answers.join(", ")]);
        }
        Ok(section)
    }
}

fn activities(figures: &Figures, known: &[Learnt]) -> Section {
    let columns = ["活动 activity", "客户 customers", "消息 messages", "送达 delivered", "送达率 share"];
    let mut section = Section::new("执行 Execution", &columns);
    let mut names: Vec<&str> = figures.sent.iter().map(|c| c.activity.as_str()).collect();
    names.extend(known.iter().filter(|k| k.state == "active").map(|k| k.activity.as_str()));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let to_customers = figures.sent.iter().filter(|c| c.activity == name && c.addressee == "customer");
        let messages = to_customers.map(|c| c.messages).sum::<i64>() as u64;
        let delivered = count_of(&figures.outcomes, name, "delivered");
        section.row([
            name.to_owned(),
            figures.customers.get(name).copied().unwrap_or(0).to_string(),
            messages.to_string(),
            delivered.to_string(),
            percent(share(delivered, messages)),
        ]);
    }
    section
}

fn reactions(figures: &Figures) -> Section {
    let columns = ["活动 activity", "结果 outcome", "上月 last month", "本月 this month", "变化 change"];
    let mut section = Section::new("投诉与咨询 Complaints and enquiries", &columns);
    let mut keys: Vec<(&str, &str)> = figures
        .outcomes
        .iter()
        .chain(&figures.outcomes_before)
        .filter(|c| c.kind == "complained" || c.kind == "enquired")
        .map(|c| (c.activity.as_str(), c.kind.as_str()))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    for (activity, kind) in keys {
        let (before, now) =
            (count_of(&figures.outcomes_before, activity, kind), count_of(&figures.outcomes, activity, kind));
        let shown = if activity.is_empty() { "（未注明 none named）" } else { activity };
        let changed = change(before, now).map_or_else(|| "–".to_owned(), |c| format!("{:+.1} %", c * 100.0));
        section.row([shown.to_owned(), kind.to_owned(), before.to_string(), now.to_string(), changed]);
    }
    section
}

fn effects(known: &[Learnt]) -> Section {
    let columns =
        ["活动 activity", "版本 version", "目标 goal", "差异 difference", "95 %", "投诉 complaints", "咨询 enquiries"];
    let mut section = Section::new("效果 Effect", &columns);
    for one in known.iter().filter(|one| !one.campaigns.is_empty()) {
        let points = |x: f64| format!("{:+.2}", x * 100.0);
        let (difference, interval) = one.effect().map_or_else(
            || ("–".to_owned(), "–".to_owned()),
            |(difference, [low, high])| (points(difference), format!("[{}, {}]", points(low), points(high))),
        );
        section.row([
            one.activity.clone(),
            one.version.clone(),
            one.goal.outcome.clone(),
            difference,
            interval,
            one.reaction.complaints.to_string(),
            one.reaction.enquiries.to_string(),
        ]);
    }
    section
}

fn count_of(counts: &[OutcomeCount], activity: &str, kind: &str) -> u64 {
    counts.iter().filter(|c| c.activity == activity && c.kind == kind).map(|c| c.count as u64).sum()
}

fn month_of(date: i32) -> Result<Month, EngineError> {
    let bad = || EngineError::refused("bad-date", "the date is out of range", "Use a date near today");
    let first = time::date_of(date).ok_or_else(bad)?.first_of_month();
    let start = |date: jiff::civil::Date| start_of(time::days_of(date));
    let next = first.last_of_month().tomorrow().map_err(|_| bad())?;
    let before = first.yesterday().map_err(|_| bad())?.first_of_month();
    let name = first.strftime("%Y-%m").to_string();
    Ok(Month { name, before: start(before)?, from: start(first)?, until: start(next)? })
}
