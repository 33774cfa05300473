//! What a version would do and to whom, as the gate simulated it or an operator estimates it: customers by verdict, reach,
//! messages and their cost, contact pressure, overlap with what runs, the shadow of the running version, and the messages.

use super::blocks::{Bars, Block, Cell, Table, figure, share};
use super::session::Visitor;
use super::show::View;
use super::words;
use care_domain::evidence::{Evidence, Pressure, Reach};
use std::collections::BTreeMap;

pub(super) fn shown(visitor: &Visitor, view: View, evidence: &Evidence) -> View {
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
    let table = verdicts_table(visitor, verdicts);
    if !evidence.faults.is_empty() {
        let faults: Vec<String> = evidence.faults.iter().map(|(code, count)| format!("{code} {count}")).collect();
        view = view.warning(format!("{} {}", visitor.t("插件出错：", "It broke:"), faults.join(", ")));
    }
    view = view.with(table);
    for part in parts(visitor, evidence) {
        view = view.with(part);
    }
    view = scores(visitor, view, evidence);
    view = pressure(visitor, view, evidence).with(overlaps(visitor, evidence)).with(shadows(visitor, evidence));
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

/// Customers by verdict, beside their bars.
pub(super) fn verdicts_table(visitor: &Visitor, verdicts: Vec<(String, u64)>) -> Table {
    let columns = [visitor.t("裁决", "Verdict"), visitor.t("客户", "Customers")];
    let mut table = Table::new("verdicts", visitor.t("裁决明细", "Verdicts in figures"), columns);
    verdicts.into_iter().for_each(|(name, count)| table.row([name.into(), count.into()]));
    table
}

/// Whom it reaches, by region, tier and reason.
fn parts(visitor: &Visitor, evidence: &Evidence) -> [Table; 3] {
    let table = |id, name: &str, all: &BTreeMap<String, Reach>| {
        let columns = [name, visitor.t("入选", "Selected"), visitor.t("通过", "Cleared")];
        let mut table = Table::new(id, format!("{} · {name}", visitor.t("触达范围", "Reach")), columns);
        for (part, reach) in all {
            table.row([part.as_str().into(), reach.selected.into(), reach.cleared.into()]);
        }
        table
    };
    [
        table("regions", visitor.t("地市", "Region"), &evidence.regions),
        table("tiers", visitor.t("客户等级", "Tier"), &evidence.tiers),
        table("reasons", visitor.t("触发原因", "Reason"), &evidence.reasons),
    ]
}

fn scores(visitor: &Visitor, view: View, evidence: &Evidence) -> View {
    let bins = evidence.scores.iter().enumerate();
    let bins = bins.map(|(bin, count)| (format!("{:.1}–{:.1}", bin as f64 / 10.0, (bin + 1) as f64 / 10.0), *count));
    let bins: Vec<(String, u64)> = bins.collect();
    let title = visitor.t("评分分布（客户数）", "Customers by score");
    let mut table = Table::new("scores", title, [visitor.t("评分", "Score"), visitor.t("客户", "Customers")]);
    bins.iter().for_each(|(bin, customers)| table.row([bin.as_str().into(), (*customers).into()]));
    view.with(Bars::of(title, &bins)).with(table)
}

/// What it does to how often customers are contacted.
fn pressure(visitor: &Visitor, view: View, evidence: &Evidence) -> View {
    let columns =
        [visitor.t("触达次数", "Contacts"), visitor.t("之前（客户）", "Before"), visitor.t("之后（客户）", "After")];
    let mut table = Table::new("pressure", visitor.t("触达压力（30天）", "Contact pressure, 30 days"), columns);
    let [before, after] = [&evidence.pressure.before, &evidence.pressure.after].map(histogram);
    for ((label, before), (_, after)) in before.iter().zip(&after) {
        table.row([label.as_str().into(), (*before).into(), (*after).into()]);
    }
    view.with(Bars::of(visitor.t("之后的触达压力（客户数）", "Customers by contacts, after"), &after)).with(table)
}

/// Customers by how many contacts they have.
pub(super) fn histogram(pressure: &Pressure) -> Vec<(String, u64)> {
    let Pressure { none, one_to_three, four_to_ten, over_ten } = *pressure;
    [("0", none), ("1–3", one_to_three), ("4–10", four_to_ten), (">10", over_ten)]
        .map(|(label, customers)| (label.to_owned(), customers))
        .into()
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

/// What it decides otherwise than the running campaigns of the same activity.
fn shadows(visitor: &Visitor, evidence: &Evidence) -> Table {
    let columns = [
        visitor.t("运行中的任务", "Running campaign"),
        visitor.t("版本", "Version"),
        visitor.t("共同入选", "Selected by both"),
        visitor.t("差异", "What differs"),
        visitor.t("客户", "Customers"),
    ];
    let mut table = Table::new("shadows", visitor.t("与运行版本的影子对比", "Shadow of the running version"), columns);
    for (campaign, shadow) in &evidence.shadows {
        let row = |how: &str, customers: u64| {
            let link = Cell::link(campaign.as_str(), format!("/console/campaigns/{campaign}"));
            [link, shadow.version.to_string().into(), shadow.both.into(), how.into(), customers.into()]
        };
        if shadow.differ.is_empty() {
            table.row(row(visitor.t("无差异", "Nothing"), 0));
        }
        for (how, customers) in &shadow.differ {
            table.row(row(words::differs(visitor.tongue, *how), *customers));
        }
    }
    table
}
