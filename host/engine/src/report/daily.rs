//! The daily report of an activity: what went out, who was reached, where the customers stand.

use super::{Report, Section};
use crate::{Engine, EngineError};
use care_domain::desk::WorkResult;
use care_domain::policy::Class;
use care_domain::text::nearest_hint;
use care_domain::time;
use care_store::SentCount;
use std::collections::BTreeMap;

/// Outcomes that say where a customer in a disaster stands (S1).
const STANDS: [(&str, &str); 4] = [
    ("safe", "安全 safe"),
    ("unreachable", "无法联系 unreachable"),
    ("possibly-missing", "可能失踪 possibly missing"),
    ("deceased", "已遇难 deceased"),
];

impl Engine {
    /// The daily report of a date: of an activity, or of every disaster activity when none is named. `now` is the wall
    /// clock.
    pub async fn daily_report(
        &self,
        date: Option<i32>,
        activity: Option<&str>,
        now: i64,
    ) -> Result<Report, EngineError> {
        let date = date.unwrap_or_else(|| time::today(now));
        let (from, until) = (start_of(date)?, start_of(date + 1)?);
        let activities = self.reported(activity).await?;
        let of_today = self.store.sent_between(from, until).await?;
        let so_far = self.store.sent_between(i64::MIN, until).await?;
        let reached = self.store.customers_between(from, until).await?;
        let ever = self.store.customers_between(i64::MIN, until).await?;
        let mut sections = Vec::new();
        let mut totals = Section::new(
            "合计 In all",
            &[
                "活动 activity",
                "今日客户 customers today",
                "今日消息 messages today",
                "累计客户 customers so far",
                "累计消息 messages so far",
            ],
        );
        for name in &activities {
            let count = |all: &[SentCount]| all.iter().filter(|c| c.activity == *name).map(|c| c.messages).sum::<i64>();
            let customers = |all: &BTreeMap<String, u64>| all.get(name).copied().unwrap_or(0).to_string();
            totals.row([
                name.clone(),
                customers(&reached),
                count(&of_today).to_string(),
                customers(&ever),
                count(&so_far).to_string(),
            ]);
        }
        sections.push(totals);
        sections.push(messages(&activities, &of_today, &so_far));
        sections.push(self.work_told(&activities, until).await?);
        sections.push(self.stands(&activities, until).await?);
        sections.push(self.outcomes(&activities, (from, until)).await?);
        let title = format!("日报 Daily report: {}", activities.join(", "));
        Ok(Report { kind: "daily", title, period: time::write_date(date), sections })
    }

    async fn reported(&self, activity: Option<&str>) -> Result<Vec<String>, EngineError> {
        let all = self.store.submissions().await?;
        let mut names: Vec<&str> = all
            .iter()
            .filter(|s| match activity {
                Some(name) => s.version.manifest.name == name,
                None => s.approval.as_ref().is_some_and(|a| a.class == Class::Disaster),
            })
            .map(|s| s.version.manifest.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            let near = activity
                .map_or(String::new(), |name| nearest_hint(name, all.iter().map(|s| s.version.manifest.name.as_str())));
            let message = activity.map_or_else(
                || "no disaster activity was ever approved".to_owned(),
                |name| format!("there is no activity {name:?}"),
            );
            return Err(EngineError::refused("unknown-activity", message, format!("Name one with --activity{near}")));
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// Where calls and requests stand: what still waits, who has what, what came of the rest, by round.
    async fn work_told(&self, activities: &[String], until: i64) -> Result<Section, EngineError> {
        let columns = ["活动 activity", "清单 list", "轮次 round", "状态 state", "数量 count"];
        let mut section = Section::new("外呼与工单 Calls and requests", &columns);
        for name in activities {
            for count in self.store.work_standing(name, until).await? {
                let list = if count.channel == "action" { "工单 requests" } else { "外呼 calls" };
                let state = format!("{} {}", standing_zh(&count.standing), count.standing);
                section.row([name.clone(), list.to_owned(), count.round.to_string(), state, count.count.to_string()]);
            }
        }
        Ok(section)
    }

    /// Where customers stand by the last thing that was heard of them.
    async fn stands(&self, activities: &[String], until: i64) -> Result<Section, EngineError> {
        let mut section =
            Section::new("客户状况 Where customers stand", &["活动 activity", "状况 state", "客户 customers"]);
        let kinds = STANDS.map(|(kind, _)| kind);
        for name in activities {
            let counts = self.store.last_states(name, &kinds, until).await?;
            for (kind, title) in STANDS.into_iter().filter(|(kind, _)| counts.contains_key(*kind)) {
                section.row([name.clone(), title.to_owned(), counts[kind].to_string()]);
            }
        }
        Ok(section)
    }

    async fn outcomes(&self, activities: &[String], (from, until): (i64, i64)) -> Result<Section, EngineError> {
        let mut section = Section::new("今日结果 Outcomes today", &["活动 activity", "结果 outcome", "次数 count"]);
        let counts = self.store.outcomes_between(from, until).await?;
        for count in counts.iter().filter(|c| activities.contains(&c.activity)) {
            let title = self
                .outcomes
                .kinds
                .get(&count.kind)
                .map_or(count.kind.clone(), |kind| format!("{} {}", kind.title.zh, count.kind));
            section.row([count.activity.clone(), title, count.count.to_string()]);
        }
        Ok(section)
    }
}

/// What people call where a piece of work stands.
fn standing_zh(standing: &str) -> &'static str {
    match standing {
        "planned" => "待发布",
        "waiting" => "待处理",
        "handed-out" => "处理中",
        "sending" | "sent" | "unknown" => "已派发",
        "failed" => "失败",
        "cancelled" | "withdrawn" => "已取消",
        "expired" => "已过期",
        "lost" => "已让位",
        result => WorkResult::from_name(result).map_or("", WorkResult::title_zh),
    }
}

/// Messages by channel, addressee and round: calls to customers and to their close contacts, requests to departments.
fn messages(activities: &[String], of_today: &[SentCount], so_far: &[SentCount]) -> Section {
    let columns =
        ["活动 activity", "渠道 channel", "对象 to", "内容 message", "轮次 round", "今日 today", "累计 so far"];
    let mut section = Section::new("触点 Messages", &columns);
    type Key<'a> = (&'a str, &'a str, &'a str, &'a str, i64);
    let mut counts: BTreeMap<Key<'_>, [i64; 2]> = BTreeMap::new();
    for (place, all) in [of_today, so_far].into_iter().enumerate() {
        for c in all.iter().filter(|c| activities.contains(&c.activity)) {
            let key = (c.activity.as_str(), c.channel.as_str(), c.addressee.as_str(), c.template.as_str(), c.round);
            counts.entry(key).or_default()[place] += c.messages;
        }
    }
    for ((activity, channel, addressee, template, round), [today, so_far]) in counts {
        let texts = [activity, channel, addressee, template].map(str::to_owned);
        section.row(texts.into_iter().chain([round, today, so_far].map(|n| n.to_string())));
    }
    section
}

/// The first instant of a date in the province.
pub(super) fn start_of(date: i32) -> Result<i64, EngineError> {
    time::day_begins(date)
        .ok_or_else(|| EngineError::refused("bad-date", "the date is out of range", "Use a date near today"))
}
