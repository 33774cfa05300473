//! The knowledge base (知识库): each activity version with what it did, to whom, and with what effect.

use crate::{Engine, EngineError};
use care_domain::catalogue;
use care_domain::follow_up::FollowUp;
use care_domain::manifest::{Goal, LifeStage, Manifest};
use care_domain::policy::Class;
use care_domain::text::{Bilingual, nearest_hint};
use care_store::{KeptEvaluation, StoredSubmission};
use serde::Serialize;
use std::collections::BTreeMap;

/// What to look for; what is absent is not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnowledgeQuery {
    /// Number of a need: activities that answer it, or are of its catalogue entry.
    pub need: Option<i64>,
    /// A category or an entry of the catalogue.
    pub category: Option<String>,
    /// A life-cycle stage: activities for it, or for all.
    pub stage: Option<LifeStage>,
    /// A part of its name, title or summary.
    pub text: Option<String>,
}

/// A version and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Learnt {
    /// Activity.
    pub activity: String,
    /// Version.
    pub version: String,
    /// Digest of its component.
    pub component: String,
    /// Where it stands.
    pub state: &'static str,
    /// What people call it.
    pub title: Bilingual,
    /// What it does, in a sentence.
    pub summary: Bilingual,
    /// Categories of the catalogue, and entries in them.
    pub categories: BTreeMap<&'static str, Vec<String>>,
    /// Life-cycle stages; empty for all.
    pub life_stages: Vec<LifeStage>,
    /// The class it was granted, or asks for.
    pub class: Class,
    /// Regions that it was granted; empty for all.
    pub regions: Vec<String>,
    /// Its goal.
    pub goal: Goal,
    /// Campaigns that run it.
    pub campaigns: Vec<String>,
    /// Messages to customers that went out, and what came back.
    #[serde(flatten)]
    pub reaction: care_domain::brake::Reaction,
    /// What was kept of its evaluations: the newest of each campaign and metric.
    pub evaluations: Vec<KeptEvaluation>,
    /// Findings about it, by number.
    pub findings: BTreeMap<i64, FollowUp>,
    /// Numbers of the needs that its activity answers.
    pub needs: Vec<i64>,
}

impl Learnt {
    /// The kept difference of its goal that is newest, with its interval.
    pub fn effect(&self) -> Option<(f64, [f64; 2])> {
        let of_goal = self.evaluations.iter().filter(|e| e.metric == self.goal.outcome);
        let effect = &of_goal.max_by_key(|e| e.id)?.document["effect"];
        let bound = |at: usize| effect["ci95"][at].as_f64();
        Some((effect["difference"].as_f64()?, [bound(0)?, bound(1)?]))
    }
}

impl Engine {
    /// The versions that fit, by activity and version.
    pub async fn knowledge(&self, query: &KnowledgeQuery) -> Result<Vec<Learnt>, EngineError> {
        if let Some(wanted) = &query.category {
            known_category(wanted)?;
        }
        let answers = match query.need {
            Some(id) => Some(self.need(id).await.map(|(need, answers)| (need.entry, answers))?),
            None => None,
        };
        let fits = |manifest: &Manifest| {
            answers.as_ref().is_none_or(|(entry, activities)| {
                activities.contains(&manifest.name) || manifest.catalogue.contains(entry)
            }) && query.category.as_ref().is_none_or(|wanted| is_in(manifest, wanted))
                && query
                    .stage
                    .is_none_or(|stage| manifest.life_stages.is_empty() || manifest.life_stages.contains(&stage))
                && query.text.as_ref().is_none_or(|text| says(manifest, text))
        };
        let mut found: Vec<StoredSubmission> = self.submissions().await?;
        found.retain(|s| fits(&s.version.manifest));
        found.sort_by(|a, b| {
            let key =
                |s: &StoredSubmission| (s.version.manifest.name.clone(), s.version.manifest.version.clone(), s.id);
            key(a).cmp(&key(b))
        });
        let (campaigns, evaluations) = (self.campaigns().await?, self.store.evaluations().await?);
        let (findings, needs) = (self.store.findings().await?, self.store.needs().await?);
        let brake = self.store.brake().await?;
        let window_ms = i64::from(brake.days) * care_domain::time::DAY_MS;
        let mut all = Vec::with_capacity(found.len());
        for one in found {
            let (component, manifest) = (&one.version.component, &one.version.manifest);
            let mine = |e: &&KeptEvaluation| e.component == *component;
            let approval = one.approval.as_ref();
            all.push(Learnt {
                activity: manifest.name.clone(),
                version: manifest.version.to_string(),
                state: one.submission.state(),
                title: manifest.title.clone(),
                summary: manifest.summary.clone(),
                categories: categories_of(manifest),
                life_stages: manifest.life_stages.clone(),
                class: approval.map_or(manifest.class, |a| a.class),
                regions: approval.map_or(Vec::new(), |a| a.regions.clone()),
                goal: manifest.goal.clone(),
                campaigns: campaigns.iter().filter(|c| c.component == *component).map(|c| c.id.clone()).collect(),
                reaction: self.store.reaction(component, &self.outcomes.braking(), window_ms, 0).await?,
                evaluations: newest_of_each(evaluations.iter().filter(mine)),
                findings: findings
                    .iter()
                    .filter(|(_, f)| f.activity == manifest.name && f.version == manifest.version)
                    .map(|(id, f)| (*id, f.clone()))
                    .collect(),
                needs: needs.iter().filter(|(_, (_, a))| a.contains(&manifest.name)).map(|(id, _)| *id).collect(),
                component: component.clone(),
            });
        }
        Ok(all)
    }

    /// The kept evaluations of a campaign, the newest first.
    pub async fn kept_evaluations(&self, campaign: &str) -> Result<Vec<KeptEvaluation>, EngineError> {
        let mut all = self.store.evaluations().await?;
        all.retain(|kept| kept.campaign == campaign);
        all.sort_by_key(|kept| std::cmp::Reverse(kept.id));
        Ok(all)
    }

    /// What was kept of experiments of elsewhere: the newest of each campaign and metric.
    pub async fn known_experiments(&self) -> Result<Vec<KeptEvaluation>, EngineError> {
        let kept = self.store.evaluations().await?;
        Ok(newest_of_each(kept.iter().filter(|e| e.component.is_empty())))
    }
}

fn newest_of_each<'a>(kept: impl Iterator<Item = &'a KeptEvaluation>) -> Vec<KeptEvaluation> {
    let key = |e: &'a KeptEvaluation| (e.campaign.as_str(), e.metric.as_str(), e.document["measure"].as_str());
    // They come by number, so the last one stays.
    let newest: BTreeMap<_, &KeptEvaluation> = kept.map(|one| (key(one), one)).collect();
    newest.into_values().cloned().collect()
}

fn known_category(wanted: &str) -> Result<(), EngineError> {
    let categories = || catalogue::CATEGORIES.iter().map(|c| c.name);
    let entries = || catalogue::CATEGORIES.iter().flat_map(|c| c.entries).map(|e| e.name);
    if wanted == catalogue::OTHER || categories().chain(entries()).any(|name| name == wanted) {
        return Ok(());
    }
    let near = nearest_hint(wanted, categories().chain(entries()));
    let hint = format!("Categories: {}{near}", categories().collect::<Vec<_>>().join(", "));
    Err(EngineError::refused("unknown-category", format!("the catalogue has no {wanted:?}"), hint))
}

fn is_in(manifest: &Manifest, wanted: &str) -> bool {
    let of = categories_of(manifest);
    of.contains_key(wanted) || manifest.catalogue.iter().any(|entry| entry == wanted)
}

fn categories_of(manifest: &Manifest) -> BTreeMap<&'static str, Vec<String>> {
    let mut categories: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for entry in &manifest.catalogue {
        let category = catalogue::CATEGORIES.iter().find(|c| c.entries.iter().any(|e| e.name == *entry));
        categories.entry(category.map_or(catalogue::OTHER, |c| c.name)).or_default().push(entry.clone());
    }
    categories
}

fn says(manifest: &Manifest, text: &str) -> bool {
    let text = text.to_lowercase();
    let texts = [&manifest.name, &manifest.title.zh, &manifest.title.en, &manifest.summary.zh, &manifest.summary.en];
    texts.into_iter().any(|said| said.to_lowercase().contains(&text))
}
