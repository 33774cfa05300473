//! Effect statistics: difference of means, Welch interval with the normal quantile, pooled t-test, the sample that a
//! difference needs, and intervals that may be watched while results come. Counting what is compared does not live here.

use serde::{Serialize, Serializer};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The 97.5 % quantile of the normal distribution.
const Z_975: f64 = 1.959_963_984_540_054;
/// The 80 % quantile of the normal distribution: the power that a minimum sample is told for †.
const Z_80: f64 = 0.841_621_233_572_914_3;
/// Error that is accepted: 5 %.
const ALPHA: f64 = 0.05;
/// Customers of both arms for whom a watched interval is narrowest †. It is right for any number; a fixed one keeps
/// anybody from choosing it by the result.
const WATCHED_FOR: f64 = 10_000.0;
/// With fewer customers an arm, a watched interval is not told: it stands on a normal approximation †.
const WATCHED_FROM: u64 = 100;

/// What is known of one arm: enough for a rate or a mean. Values are whole numbers (0 and 1, fen, scores), so sums are
/// exact, and the same whatever the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Arm {
    /// Customers.
    pub count: u64,
    /// Sum of their values (for a rate: of those who did it).
    #[serde(serialize_with = "as_number")]
    pub sum: i128,
    /// Sum of squares.
    #[serde(serialize_with = "as_number")]
    pub sum_of_squares: i128,
}

/// JSON knows no 128-bit integers: as a number, exact to 2⁵³.
fn as_number<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    match i64::try_from(*value) {
        Ok(small) => serializer.serialize_i64(small),
        Err(_) => serializer.serialize_f64(*value as f64),
    }
}

impl Arm {
    /// Counts one customer's value.
    pub fn add(&mut self, value: i64) {
        self.count += 1;
        self.sum += i128::from(value);
        self.sum_of_squares += i128::from(value) * i128::from(value);
    }

    /// The mean; 0 for nobody.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 }
    }

    /// The sample variance; `None` for fewer than two customers.
    fn variance(&self) -> Option<f64> {
        let n = i128::from(self.count);
        // Exact until the division: the squares of money are large, and their difference may be small.
        let spread = n * self.sum_of_squares - self.sum * self.sum;
        (self.count >= 2).then(|| spread as f64 / (self.count as f64 * (self.count as f64 - 1.0)))
    }

    /// The variance of the mean.
    fn error_squared(&self) -> Option<f64> {
        Some(self.variance()? / self.count as f64)
    }
}

/// The effect of a treatment over control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// Mean of the treated minus mean of control.
    pub difference: f64,
    /// 95 % interval (Welch standard error, normal quantile).
    pub ci95: [f64; 2],
    /// Student's t with pooled variance; 0 when nothing varies.
    pub t: f64,
    /// Two-sided p-value of `t`.
    pub p: f64,
    /// The difference in parts of control's mean; `None` where that is 0.
    pub lift: Option<f64>,
    /// 95 % interval of the lift (delta method); `None` where there is no lift.
    pub lift_ci95: Option<[f64; 2]>,
}

impl Effect {
    /// The same in a unit of which one is `per` of the old: fen to yuan is 100.
    #[must_use]
    pub fn in_unit_of(self, per: f64) -> Self {
        let [low, high] = self.ci95;
        Self { difference: self.difference / per, ci95: [low / per, high / per], ..self }
    }
}

/// Compares two arms; `None` when either has fewer than two customers.
pub fn compare(treated: &Arm, control: &Arm) -> Option<Effect> {
    let (vt, vc) = (treated.variance()?, control.variance()?);
    let (nt, nc) = (treated.count as f64, control.count as f64);
    let difference = treated.mean() - control.mean();
    let half = Z_975 * (vt / nt + vc / nc).sqrt();
    let freedom = nt + nc - 2.0;
    let pooled = ((nt - 1.0) * vt + (nc - 1.0) * vc) / freedom;
    let error = (pooled * (1.0 / nt + 1.0 / nc)).sqrt();
    let t = if error > 0.0 { difference / error } else { 0.0 };
    let p = StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |d| 2.0 * d.sf(t.abs()));
    let base = control.mean();
    let lift = (base != 0.0).then(|| difference / base);
    let lift_ci95 = lift.map(|lift| {
        let ratio = lift + 1.0;
        let half = Z_975 * (vt / nt + ratio * ratio * vc / nc).sqrt() / base.abs();
        [lift - half, lift + half]
    });
    Some(Effect { difference, ci95: [difference - half, difference + half], t, p, lift, lift_ci95 })
}

/// What the sample of a comparison can tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// The least difference that a comparison of this size finds in four of five cases (80 % power, 5 % error).
    pub detects: f64,
    /// The difference for which a sample is asked: the observed one, or one that was named.
    pub for_difference: f64,
    /// Customers to contact for it, at the present ratio of the arms.
    pub treated: u64,
    /// Customers to hold out for it.
    pub control: u64,
    /// Whether there are so many.
    pub reached: bool,
}

/// The sample that a difference needs, by the variances seen so far. `None` for a difference of 0, or when either arm
/// has fewer than two customers.
pub fn minimum_sample(treated: &Arm, control: &Arm, difference: f64) -> Option<Sample> {
    let error = (treated.error_squared()? + control.error_squared()?).sqrt();
    let detects = (Z_975 + Z_80) * error;
    if difference == 0.0 || !difference.is_finite() {
        return None;
    }
    let times = (detects / difference).powi(2);
    let needed = |count: u64| ((count as f64 * times).ceil() as u64).max(2);
    Some(Sample {
        detects,
        for_difference: difference,
        treated: needed(treated.count),
        control: needed(control.count),
        reached: times <= 1.0,
    })
}

/// An interval and a p-value that stay right however often one looks, and whenever one stops.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Watched {
    /// Covers the true difference at every look together, with 95 %.
    pub ci95: [f64; 2],
    /// Falls below 5 % at any look in at most 5 % of the cases in which nothing differs.
    pub p: f64,
}

/// Compares two arms whose results are watched while they come: the normal-mixture confidence sequence (Robbins;
/// Waudby-Smith et al. 2021, equation 6) around the Welch standard error. `None` with too few customers in an arm.
pub fn compare_watched(treated: &Arm, control: &Arm) -> Option<Watched> {
    if treated.count.min(control.count) < WATCHED_FROM {
        return None;
    }
    let error = (treated.error_squared()? + control.error_squared()?).sqrt();
    let difference = treated.mean() - control.mean();
    let aimed = -2.0 * ALPHA.ln() + (1.0 - 2.0 * ALPHA.ln()).ln();
    let information = (treated.count + control.count) as f64 * aimed / WATCHED_FOR;
    let grown = information + 1.0;
    let half = error * (grown / information * (grown / (ALPHA * ALPHA)).ln()).sqrt();
    let p = if error > 0.0 {
        let z = difference / error;
        (grown.sqrt() * (-z * z * information / (2.0 * grown)).exp()).min(1.0)
    } else {
        1.0
    };
    Some(Watched { ci95: [difference - half, difference + half], p })
}

/// A part of a whole, 0 to 1; `None` of nothing.
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// How much a figure changed, in parts of what it was: −0.215 for a fall by 21.5 %. `None` when it was 0.
pub fn change(before: u64, after: u64) -> Option<f64> {
    (before > 0).then(|| after as f64 / before as f64 - 1.0)
}

/// Shares that had happened by the end of each day, from the counts of the days.
pub fn by_day(counts: &[u64], all: u64) -> Vec<f64> {
    let mut so_far = 0;
    let running = counts.iter().map(|count| {
        so_far += count;
        share(so_far, all).unwrap_or(0.0)
    });
    running.collect()
}

/// What a difference is worth: contacted customers × difference × what each of them is worth, in the unit of `each`.
pub fn worth(contacted: u64, difference: f64, each: f64) -> f64 {
    contacted as f64 * difference * each
}

/// The difference that brings in `amount` (S1: 521,703 customers at 65 yuan a month, 1,932,910 yuan: 5.70 points).
/// `None` where nobody was contacted or nothing is earned.
pub fn difference_worth(amount: f64, contacted: u64, each: f64) -> Option<f64> {
    let whole = contacted as f64 * each;
    (whole != 0.0).then(|| amount / whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::hash64;
    use proptest::prelude::*;

    fn rate(count: u64, did: u64) -> Arm {
        Arm { count, sum: i128::from(did), sum_of_squares: i128::from(did) }
    }

    #[test]
    fn the_visits_of_hillstrom_are_reproduced() {
        let control = rate(21306, 2262);
        for (arm, difference, low, high) in
            [(rate(21307, 3894), 0.076590, 0.069953, 0.083226), (rate(21387, 3238), 0.045233, 0.038894, 0.051573)]
        {
            let effect = compare(&arm, &control).expect("two arms");
            assert!((effect.difference - difference).abs() < 5e-7, "{effect:?}");
            assert!((effect.ci95[0] - low).abs() < 5e-7 && (effect.ci95[1] - high).abs() < 5e-7, "{effect:?}");
        }
    }

    #[test]
    fn the_published_t_and_p_of_hillstroms_spend_are_reproduced() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/campaign/hillstrom.csv");
        let Ok(text) = std::fs::read_to_string(path) else {
            eprintln!("SKIPPED: no {path}");
            return;
        };
        let (mut mens, mut control) = (Arm::default(), Arm::default());
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let spend: f64 = cells[cells.len() - 1].parse().expect("a spend");
            let fen = (spend * 100.0).round() as i64;
            // Counted from the end: a segment of the history holds a comma in quotes.
            match cells[cells.len() - 4] {
                "Mens E-Mail" => mens.add(fen),
                "No E-Mail" => control.add(fen),
                _ => {}
            }
        }
        let effect = compare(&mens, &control).expect("two arms").in_unit_of(100.0);
        assert!((effect.difference - 0.769827).abs() < 5e-7, "{effect:?}");
        assert!((effect.t - 5.300_090_294_465_472).abs() < 1e-9, "{effect:?}");
        assert!((effect.p - 1.163_200_872_605_869e-7).abs() < 1e-16, "{effect:?}");
    }

    #[test]
    fn nobody_or_nothing_that_varies_gives_no_false_certainty() {
        assert_eq!(compare(&rate(1, 1), &rate(9, 1)), None);
        let same = compare(&rate(10, 0), &rate(10, 0)).expect("two arms");
        assert_eq!((same.difference, same.t, same.lift), (0.0, 0.0, None));
        assert!((same.p - 1.0).abs() < 1e-12);
        assert_eq!(minimum_sample(&rate(10, 0), &rate(10, 0), 0.0), None);
        assert_eq!(compare_watched(&rate(99, 1), &rate(10_000, 1)), None);
    }

    #[test]
    fn the_figures_of_the_documents_follow_from_their_inputs() {
        let points = |x: Option<f64>| x.expect("a figure") * 100.0;
        // Xiamen, package recommendation (S1): 521,703 targeted, 118,123 converted.
        assert!((points(share(118_123, 521_703)) - 22.6).abs() < 0.05);
        // The same: 1,932,910 yuan a month at 65 yuan a customer, by the difference in churn alone.
        let fewer = difference_worth(1_932_910.0, 521_703, 65.0);
        assert!((points(fewer) - 5.70).abs() < 0.005);
        assert!((worth(521_703, fewer.expect("a difference"), 65.0) - 1_932_910.0).abs() < 1e-3);
        // Reopened after a stop (S1): the same day, +1, +2, +3, +4, later.
        let reopened = by_day(&[55, 23, 7, 3, 2, 10], 100);
        assert!((reopened[3] - 0.88).abs() < 1e-12 && (reopened[5] - 1.0).abs() < 1e-12, "{reopened:?}");
        // Putian, green bill (S1): complaints 312 → 245.
        assert!((points(change(312, 245)) + 21.5).abs() < 0.05);
        assert_eq!((share(1, 0), change(0, 1), difference_worth(1.0, 0, 65.0)), (None, None, None));
    }

    #[test]
    fn a_minimum_sample_finds_its_difference_in_four_of_five_cases() {
        // By the textbook formula: 10 % against 12 %, equal arms, 3,839 an arm (unpooled variances).
        let (treated, control) = (rate(1_000_000, 120_000), rate(1_000_000, 100_000));
        let sample = minimum_sample(&treated, &control, 0.02).expect("a sample");
        assert!((3_830..3_850).contains(&sample.treated), "{sample:?}");
        assert!(sample.reached && sample.treated == sample.control);
        let few = minimum_sample(&rate(1_000, 120), &rate(100, 10), 0.02).expect("a sample");
        assert!(!few.reached && few.detects > 0.02 && few.treated > 9 * few.control, "{few:?}");
    }

    /// Whether nothing-differs is rejected at some look, watched properly and watched with the plain interval.
    fn looks_reject(seed: u64) -> (bool, bool) {
        let (mut treated, mut control) = (Arm::default(), Arm::default());
        let (mut watched, mut plain) = (false, false);
        for i in 0_u64..4_000 {
            let drawn = hash64(&[&seed.to_be_bytes(), &i.to_be_bytes()]) % 10;
            let arm = if i % 2 == 0 { &mut treated } else { &mut control };
            arm.add(i64::from(drawn < 2));
            if i % 100 == 99 && i > 200 {
                watched |= compare_watched(&treated, &control).is_some_and(|w| w.p < ALPHA);
                plain |= compare(&treated, &control).is_some_and(|e| e.p < ALPHA);
            }
        }
        (watched, plain)
    }

    #[test]
    fn looking_often_finds_false_effects_with_the_plain_interval_and_not_with_the_watched_one() {
        let found: Vec<(bool, bool)> = (0..300).map(looks_reject).collect();
        let watched = found.iter().filter(|(w, _)| *w).count();
        let plain = found.iter().filter(|(_, p)| *p).count();
        assert!(watched <= 15, "{watched} of 300 false alarms, more than 5 %");
        assert!(plain >= 60, "only {plain} of 300: the test does not look often enough to tell");
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_watching_is_never_surer(
            treated in prop::collection::vec(-1_000i64..1_000, 100..200),
            control in prop::collection::vec(-1_000i64..1_000, 100..200),
        ) {
            let arm = |values: &mut dyn Iterator<Item = &i64>| {
                values.fold(Arm::default(), |mut arm, value| { arm.add(*value); arm })
            };
            let (t, c) = (arm(&mut treated.iter()), arm(&mut control.iter()));
            prop_assert_eq!(arm(&mut treated.iter().rev()), t);
            let (effect, watched) = (compare(&t, &c).expect("arms"), compare_watched(&t, &c).expect("arms"));
            prop_assert!(watched.ci95[0] <= effect.ci95[0] && effect.ci95[1] <= watched.ci95[1]);
            let excludes = watched.ci95[0] > 0.0 || watched.ci95[1] < 0.0;
            prop_assert_eq!(excludes, watched.p < ALPHA);
            let swapped = compare(&c, &t).expect("arms");
            prop_assert_eq!((swapped.difference, swapped.p), (-effect.difference, effect.p));
        }
    }
}
