//! The catalogue of care, 8 × 33, with which activities cover it and what they did.

use super::activities::known;
use super::blocks::{Cell, Table};
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words;
use crate::api::Problem;
use axum::extract::Query;
use axum::response::Response;
use care_domain::catalogue::{CATEGORIES, title};
use care_engine::Learnt;

pub(super) async fn catalogue(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = async {
        let view = View::new(visitor.t("关怀目录", "Catalogue"));
        let (view, known) = known(&visitor, view, "").await;
        let Some(known) = known else { return Ok(view) };
        let columns = [
            visitor.t("大类", "Category"),
            visitor.t("关怀活动", "Entry"),
            visitor.t("承接的活动", "Covered by"),
            visitor.t("状态", "Stands"),
            visitor.t("已发送", "Sent"),
            visitor.t("效果", "Effect"),
        ];
        let mut table = Table::new("catalogue", visitor.t("关怀目录 8 × 33", "The catalogue, 8 × 33"), columns);
        for category in &CATEGORIES {
            for entry in category.entries {
                let covers = |learnt: &&Learnt| learnt.categories.values().flatten().any(|name| name == entry.name);
                let newest =
                    known.iter().filter(covers).max_by_key(|learnt| (learnt.state == "active", &learnt.version));
                let effect = newest.and_then(Learnt::effect).map(|(difference, _)| format!("{difference:+.4}"));
                let name = newest.map_or_else(Cell::default, |learnt| {
                    let to = format!("/console/activities/{}", learnt.activity);
                    Cell::link(learnt.title.get(visitor.tongue.0), to)
                });
                let stands = newest
                    .map_or(visitor.t("未覆盖", "Not covered"), |learnt| words::state(visitor.tongue, learnt.state));
                let english = title(entry).en;
                table.row([
                    visitor.t(category.zh, category.name).into(),
                    visitor.t(entry.zh, &english).into(),
                    name,
                    stands.into(),
                    newest.map_or(0, |learnt| learnt.reaction.messages).into(),
                    effect.unwrap_or_else(|| "–".to_owned()).into(),
                ]);
            }
        }
        Ok::<_, Problem>(view.with(table))
    };
    answer(&visitor, &look, view.await)
}
