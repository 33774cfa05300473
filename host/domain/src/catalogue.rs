//! The catalogue of care activities: 8 categories, 33 activities (S1; domain.md section 2).
//! It is open: `other` stands for a need that the list does not name.

use crate::text::Bilingual;

/// A category with its activities, in the order of the list.
#[derive(Debug, Clone, Copy)]
pub struct Category {
    /// Kebab-case name.
    pub name: &'static str,
    /// Chinese name.
    pub zh: &'static str,
    /// The activities.
    pub entries: &'static [Entry],
}

/// One activity of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Kebab-case name.
    pub name: &'static str,
    /// Chinese name.
    pub zh: &'static str,
}

/// The entry for what the list does not name 其他.
pub const OTHER: &str = "other";

const fn e(name: &'static str, zh: &'static str) -> Entry {
    Entry { name, zh }
}

/// The list of S1.
pub const CATEGORIES: [Category; 8] = [
    Category {
        name: "value-added-services",
        zh: "增值业务",
        entries: &[
            e("sms-store-full", "短信存储满提示"),
            e("information-hotline", "12580业务关怀"),
            e("service-start-or-expiry", "业务生失效提醒"),
            e("message-fault", "短彩信故障关怀"),
            e("ring-back-tone", "彩铃推荐"),
        ],
    },
    Category {
        name: "tariff-communication",
        zh: "资费沟通",
        entries: &[
            e("long-distance-tariff", "12593国内长途"),
            e("intra-province-roaming", "12593省内漫游"),
            e("inter-province-roaming", "12593省际漫游"),
            e("package-over-use", "套餐超量提醒"),
            e("package-under-use", "套餐用量不足提醒"),
            e("package-recommendation", "套餐推荐"),
        ],
    },
    Category {
        name: "bill-information",
        zh: "话费信息",
        entries: &[
            e("payment-received", "客户缴费到账"),
            e("benefit-credited", "优惠到账"),
            e("green-bill", "绿色账单"),
            e("balance-reminder", "客户余额动态提醒"),
            e("border-roaming-charge", "边界漫游收费"),
            e("abnormal-charge", "费用异常提醒"),
            e("bill-query", "话费查询"),
            e("payment-channel", "缴费渠道推荐"),
        ],
    },
    Category {
        name: "points",
        zh: "积分计划",
        entries: &[
            e("first-points", "第一次获取"),
            e("points-change", "积分变动"),
            e("points-redemption", "积分兑换"),
            e("points-expiry", "积分清零"),
        ],
    },
    Category {
        name: "complaint-follow-up",
        zh: "投诉跟踪关怀",
        entries: &[e("complaint-call-back", "投诉客户回访"), e("complaint-round-table", "投诉客户座谈")],
    },
    Category {
        name: "differentiated-service",
        zh: "差异化服务",
        entries: &[
            e("club-member", "俱乐部客户"),
            e("enterprise-key-contact", "集团客户关键人物"),
            e("home-ict", "家庭信息化业务推荐"),
            e("high-value-customer", "个人高价值客户"),
        ],
    },
    Category {
        name: "human-care",
        zh: "人文关怀",
        entries: &[e("disaster-response", "重大/突发事件"), e("birthday", "生日"), e("festival", "节日")],
    },
    Category { name: "retention", zh: "客户挽留关怀", entries: &[e("retention", "客户挽留")] },
];

/// All entries, in the order of the list.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    CATEGORIES.iter().flat_map(|c| c.entries)
}

/// Whether the list (or `other`) has it.
pub fn is_entry(name: &str) -> bool {
    name == OTHER || entries().any(|e| e.name == name)
}

/// The category that an entry belongs to; `None` for `other`.
pub fn category_of(entry: &str) -> Option<&'static Category> {
    CATEGORIES.iter().find(|c| c.entries.iter().any(|e| e.name == entry))
}

/// The categories that an activity belongs to: an activity may answer several entries. Entries that the list does not
/// name belong to `other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CategorySet(u16);

impl CategorySet {
    /// Those of some entries.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a str>) -> Self {
        let bit = |entry: &str| {
            let listed = CATEGORIES.iter().position(|c| c.entries.iter().any(|e| e.name == entry));
            1 << listed.unwrap_or(CATEGORIES.len())
        };
        Self(entries.into_iter().fold(0, |set, entry| set | bit(entry)))
    }

    /// Whether a category, by name, is among them.
    pub fn holds(self, category: &str) -> bool {
        let listed = CATEGORIES.iter().position(|c| c.name == category);
        let place = listed.or((category == OTHER).then_some(CATEGORIES.len()));
        place.is_some_and(|place| self.0 & (1 << place) != 0)
    }
}

/// Whether it is the name of a category, or `other`.
pub fn is_category(name: &str) -> bool {
    name == OTHER || CATEGORIES.iter().any(|c| c.name == name)
}

/// An entry's title in both languages; the English one is its name in words.
pub fn title(entry: &Entry) -> Bilingual {
    Bilingual { zh: entry.zh.to_owned(), en: entry.name.replace('-', " ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn an_activity_belongs_to_the_categories_of_its_entries() {
        let both = CategorySet::of(["green-bill", "birthday"]);
        assert!(both.holds("bill-information") && both.holds("human-care"));
        assert!(!both.holds("points") && !both.holds(OTHER) && !both.holds("no-such"));
        assert!(CategorySet::of([OTHER]).holds(OTHER) && !CategorySet::default().holds(OTHER));
        assert!(CATEGORIES.iter().all(|c| is_category(c.name)) && !is_category("green-bill"));
    }

    #[test]
    fn there_are_8_categories_and_33_activities() {
        assert_eq!(CATEGORIES.len(), 8);
        assert_eq!(entries().map(|e| e.name).collect::<BTreeSet<_>>().len(), 33);
        assert_eq!(category_of("green-bill").map(|c| c.name), Some("bill-information"));
    }
}
