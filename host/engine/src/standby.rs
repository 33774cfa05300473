//! Standby: a duty officer activates what was approved ahead, within its bounds; the province reviews it afterwards.

use crate::review::{deed_of, forbidden_of};
use crate::{Engine, EngineError, NewCampaign, Started};
use care_domain::approval::Approval;
use care_domain::audit::Entry;
use care_domain::person::Act;
use care_domain::standby::{Bounds, OutOfBounds, Review};
use care_domain::text::Finding;
use care_domain::time;
use care_store::{Activation, Campaign};
use serde_json::json;
use std::collections::BTreeMap;

impl Engine {
    /// Activates an activity that was approved on standby: starts its campaign for the customers who stand in these areas.
    /// A review by the province follows within 24 hours.
    pub async fn activate_standby(
        &self,
        new: &NewCampaign,
        bounds: &Bounds,
        reason: &str,
        by: &str,
        at: i64,
    ) -> Result<Started, EngineError> {
        let actor = self.authorise(by, Act::Activate, None, at).await?;
        let reason = reason.trim();
        if reason.is_empty() {
            let message = "an activation needs a reason that its reviewer can judge";
            return Err(EngineError::refused("no-reason", message, "Say why with --reason"));
        }
        let submissions = self.submissions().await?;
        let pinned = crate::campaign::newest_approved(&submissions, new)?;
        let approval = self.vouched(pinned).await?;
        within(&approval, bounds).map_err(|e| out_of_bounds(&approval, &e))?;
        let activation = Activation {
            campaign: String::new(),
            bounds: bounds.clone(),
            reason: reason.to_owned(),
            review: Review::opened(at),
        };
        let campaign = crate::campaign::pin(pinned, &approval, new, &actor)?;
        self.make_active(pinned, &actor).await?;
        let detail = json!({"approval": campaign.approval, "params": campaign.params, "bounds": bounds});
        let entry = Entry::of(&actor, "standby-activated", "", detail).because(reason);
        let id = self.store.start_campaign(&campaign, Some(&activation), entry).await?;
        let version = pinned.version.manifest.version.clone();
        Ok(Started { campaign: id, version, digest: campaign.component })
    }

    /// What was activated, with its campaign, by campaign.
    pub async fn activations(&self) -> Result<Vec<(Campaign, Activation)>, EngineError> {
        let mut activations = self.store.activations().await?;
        let campaigns = self.campaigns().await?.into_iter();
        Ok(campaigns.filter_map(|c| activations.remove(&c.id).map(|activation| (c, activation))).collect())
    }

    /// The province upholds an activation or ends it; ended, its campaign stops. Returns how many waiting contacts that
    /// withdrew.
    pub async fn review_activation(
        &self,
        campaign: &str,
        uphold: bool,
        reason: &str,
        by: &str,
        at: i64,
    ) -> Result<u64, EngineError> {
        let actor = self.authorise(by, Act::ReviewActivation, None, at).await?;
        let what = self.campaign(campaign).await?;
        let activation = self.store.activations().await?.remove(campaign).ok_or_else(|| {
            let hint = "See `care standby list`";
            EngineError::refused("not-activated", format!("campaign {campaign} was not activated on standby"), hint)
        })?;
        let subject = format!("the activation of campaign {campaign}");
        let review = activation.review.close(&what.started_by, deed_of(&actor), uphold, reason);
        let review = review.map_err(|e| forbidden_of(&subject, &e))?;
        let detail = json!({"upheld": uphold});
        let entry =
            Entry::of(&actor, "activation-reviewed", format!("campaign {campaign}"), detail).because(reason.trim());
        if !self.store.review_activation(campaign, &review, &entry).await? {
            let message = format!("{subject} was reviewed meanwhile");
            return Err(EngineError::refused("decided-once", message, "See `care standby list`"));
        }
        if uphold || !what.active {
            return Ok(0);
        }
        let entry = Entry::of(&actor, "campaign-stopped", format!("campaign {campaign}"), json!({}));
        Ok(self.store.stop_campaign(campaign, &entry).await?.unwrap_or(0))
    }
}

fn within(approval: &Approval, bounds: &Bounds) -> Result<(), OutOfBounds> {
    approval.standby.as_ref().ok_or(OutOfBounds::NotOnStandby)?.allows(bounds)?;
    let dates = approval.holds_on(bounds.from) && approval.holds_on(bounds.until);
    if dates { Ok(()) } else { Err(OutOfBounds::Dates) }
}

fn out_of_bounds(approval: &Approval, error: &OutOfBounds) -> EngineError {
    let message = format!("{} {}: {error}", approval.activity, approval.version);
    EngineError::refused(
        "out-of-bounds",
        message,
        "Nothing was activated; see what is approved with `care standby list`",
    )
}

/// Whether a campaign may run on a date, at an instant, by what its approval says of standby: its areas, `None` on a day
/// on which it does not run.
pub(crate) fn areas_on(
    campaign: &Campaign,
    approval: &Approval,
    activations: &BTreeMap<String, Activation>,
    (date, instant): (i32, i64),
) -> Result<Option<Vec<String>>, Finding> {
    let refused = |code: &'static str, what: &str, hint: &str| {
        Err(Finding::error(code, format!("campaign {}: {what}", campaign.id), hint))
    };
    let Some(activation) = activations.get(&campaign.id) else {
        return match approval.standby {
            None => Ok(Some(Vec::new())),
            Some(_) => refused("not-activated", "it is approved on standby and was not activated", "Stop it"),
        };
    };
    if let Err(error) = within(approval, &activation.bounds) {
        return refused("approval-unsound", &format!("its activation is out of bounds: {error}"), "Stop it");
    }
    match &activation.review {
        Review::Ended { .. } => Ok(None),
        _ if !activation.bounds.holds_on(date) => Ok(None),
        review @ Review::Due { by } if review.is_overdue(instant) => {
            let what = format!("its activation was to be reviewed by {}", time::write_instant(*by));
            refused("review-overdue", &what, "The province reviews it with `care standby review`; then it goes on")
        }
        _ => Ok(Some(activation.bounds.areas.clone())),
    }
}
