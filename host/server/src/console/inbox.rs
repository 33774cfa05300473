//! What waits for this visitor: the submissions that somebody in their role decides about next, activations to be reviewed,
//! findings that they answer for, letters to them; the oldest first.

use super::blocks::{Cell, Table};
use super::findings;
use super::session::Visitor;
use super::show::{Look, View, answer};
use super::words::{self, moment};
use crate::api::Problem;
use crate::clock::now_ms;
use axum::extract::Query;
use axum::response::Response;
use care_domain::governance::Submission;
use care_domain::person::Role;
use care_domain::time::{self, DAY_MS, write_date};
use care_engine::StoredSubmission;

/// Something that waits.
struct Waits {
    what: String,
    to: String,
    stands: String,
    since: i64,
    due: Option<i64>,
}

pub(super) async fn show(visitor: Visitor, Query(look): Query<Look>) -> Response {
    let view = view(&visitor).await;
    answer(&visitor, &look, view)
}

async fn view(visitor: &Visitor) -> Result<View, Problem> {
    let now = now_ms();
    let mut waiting = submissions(visitor).await?;
    waiting.extend(activations(visitor).await?);
    waiting.extend(to_mend(visitor).await?);
    waiting.sort_by_key(|waits| waits.since);
    let columns = [
        visitor.t("事项", "What"),
        visitor.t("状态", "Stands"),
        visitor.t("已等待（天）", "Days waiting"),
        visitor.t("期限", "Due"),
    ];
    let mut table = Table::new("inbox", visitor.t("待办事项", "What waits for you"), columns);
    for waits in waiting {
        let late = waits.due.is_some_and(|due| due < now);
        let due = waits.due.map_or(String::new(), moment);
        let days = ((now - waits.since).max(0) / DAY_MS) as u64;
        table.row([Cell::link(waits.what, waits.to), waits.stands.into(), days.into(), Cell::from(due).loud(late)]);
    }
    let mut view = View::new(visitor.t("待办", "To do")).with(table);
    let notices = visitor.engine.notices(visitor.person()).await?;
    if !notices.is_empty() {
        let columns = [visitor.t("时间", "When"), visitor.t("关于", "About"), visitor.t("内容", "What")];
        let mut letters = Table::new("notices", visitor.t("通知", "Letters"), columns);
        for notice in notices {
            letters.row([moment(notice.at).into(), notice.subject.into(), notice.text.into()]);
        }
        view = view.with(letters);
    }
    Ok(view)
}

async fn submissions(visitor: &Visitor) -> Result<Vec<Waits>, Problem> {
    let all = visitor.engine.submissions().await?;
    let waits = |found: &StoredSubmission| {
        let since = waits_for(&found.submission, visitor.principal.role)?;
        let manifest = &found.version.manifest;
        Some(Waits {
            what: format!("{} {}", manifest.title.get(visitor.tongue.0), manifest.version),
            to: format!("/console/submissions/{}", found.id),
            stands: words::state(visitor.tongue, found.submission.state()).to_owned(),
            since,
            due: None,
        })
    };
    Ok(all.iter().filter_map(waits).collect())
}

/// Since when a submission waits for somebody in a role; `None` where it does not.
fn waits_for(submission: &Submission, role: Role) -> Option<i64> {
    match (submission, role) {
        (Submission::CityReview(reviewed), Role::CityReviewer) => Some(reviewed.author.at),
        (Submission::TrialReview(reviewed), Role::CustomerService) => {
            Some(reviewed.city.as_ref().map_or(reviewed.author.at, |city| city.at))
        }
        (Submission::ProvincialReview(reviewed), Role::ProvincialApprover) => {
            let before = reviewed.trial.as_ref().or(reviewed.city.as_ref());
            Some(before.map_or(reviewed.author.at, |deed| deed.at))
        }
        (Submission::SecondReview { approver, .. }, Role::ProvincialApprover) => Some(approver.at),
        _ => None,
    }
}

async fn activations(visitor: &Visitor) -> Result<Vec<Waits>, Problem> {
    if visitor.principal.role != Role::ProvincialApprover {
        return Ok(Vec::new());
    }
    let all = visitor.engine.activations().await?;
    let due = all.into_iter().filter_map(|(campaign, activation)| {
        let by = activation.review.due_by()?;
        Some(Waits {
            what: format!("{} {}", visitor.t("应急启用复核", "Review an activation:"), campaign.id),
            to: format!("/console/campaigns/{}", campaign.id),
            stands: visitor.t("待复核", "To be reviewed").to_owned(),
            since: campaign.started_at,
            due: Some(by),
        })
    });
    Ok(due.collect())
}

async fn to_mend(visitor: &Visitor) -> Result<Vec<Waits>, Problem> {
    let all = visitor.engine.findings().await?;
    let mine =
        all.into_iter().filter(|(_, finding)| finding.owner == visitor.person() && finding.state.name() == "open");
    let waits = |(number, finding): (i64, care_domain::follow_up::FollowUp)| Waits {
        what: format!("{} {number}: {}", visitor.t("问题", "Finding"), finding.what),
        to: findings::of(number),
        stands: format!("{} {}", visitor.t("期限", "due"), write_date(finding.due)),
        since: finding.opened.at,
        // The whole of its last day is in time.
        due: finding.due.checked_add(1).and_then(time::day_begins),
    };
    Ok(mine.map(waits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use care_domain::governance::Deed;

    #[test]
    fn a_submission_waits_for_the_role_that_decides_next_and_since_the_last_step() {
        let deed = |person: &str, at| Deed { person: person.to_owned(), at };
        let city = Submission::submit(deed("author", 5), true, false);
        assert_eq!(waits_for(&city, Role::CityReviewer), Some(5));
        assert_eq!(waits_for(&city, Role::ProvincialApprover), None);
        let province = city.pass_city(deed("city", 9), false).expect("passed");
        assert_eq!(waits_for(&province, Role::ProvincialApprover), Some(9));
        assert_eq!(waits_for(&province, Role::CityReviewer), None);
    }
}
