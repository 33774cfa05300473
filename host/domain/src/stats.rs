//! Effect statistics: difference of means, Welch interval with the normal quantile, pooled t-test.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The 97.5 % quantile of the normal distribution.
const Z_975: f64 = 1.959_963_984_540_054;

/// What is known of one arm: enough for a rate or a mean.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Arm {
    /// Customers.
    pub count: u64,
    /// Sum of their values (for a rate: of those who did it).
    pub sum: f64,
    /// Sum of squares.
    pub sum_of_squares: f64,
}

impl Arm {
    /// Counts one customer's value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.sum_of_squares += value * value;
    }

    /// The mean; 0 for nobody.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    /// The sample variance; `None` for fewer than two customers.
    fn variance(&self) -> Option<f64> {
        let n = self.count as f64;
        (self.count >= 2).then(|| ((self.sum_of_squares - self.sum * self.sum / n) / (n - 1.0)).max(0.0))
    }
}

/// The effect of a treatment over control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Mean of the treated minus mean of control.
    pub difference: f64,
    /// 95 % interval (Welch standard error, normal quantile).
    pub ci95: [f64; 2],
    /// Student's t with pooled variance; 0 when nothing varies.
    pub t: f64,
    /// Two-sided p-value of `t`.
    pub p: f64,
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
    Some(Effect { difference, ci95: [difference - half, difference + half], t, p })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: u64, did: u64) -> Arm {
        Arm { count, sum: did as f64, sum_of_squares: did as f64 }
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
            // Counted from the end: a segment of the history holds a comma in quotes.
            match cells[cells.len() - 4] {
                "Mens E-Mail" => mens.add(spend),
                "No E-Mail" => control.add(spend),
                _ => {}
            }
        }
        let effect = compare(&mens, &control).expect("two arms");
        assert!((effect.t - 5.300_090_294_465_472).abs() < 1e-9, "{effect:?}");
        assert!((effect.p - 1.163_200_872_605_869e-7).abs() < 1e-16, "{effect:?}");
    }

    #[test]
    fn nobody_or_nothing_that_varies_gives_no_false_certainty() {
        assert_eq!(compare(&rate(1, 1), &rate(9, 1)), None);
        let same = compare(&rate(10, 0), &rate(10, 0)).expect("two arms");
        assert_eq!((same.difference, same.t), (0.0, 0.0));
        assert!((same.p - 1.0).abs() < 1e-12);
    }
}
